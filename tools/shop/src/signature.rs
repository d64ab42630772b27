//! Who really sent a webhook: signatures over the raw bytes, compared in constant time.
//!
//! | source | header | over | key |
//! |---|---|---|---|
//! | Shopify | `X-Shopify-Hmac-Sha256` or `shopify-hmac-sha256`, base64 | body | the app's client secret |
//! | WooCommerce | `X-WC-Webhook-Signature`, base64 | body | the webhook's secret |
//! | BigCommerce | `webhook-signature`, `v1,` and base64, several | id, time and body | the client secret as it is |
//! | standard | the same ([Standard Webhooks](https://www.standardwebhooks.com)) | id, time and body | `whsec_` and base64 |
//! | generic | the same, or `X-Webhook-Signature: sha256=` and hexadecimal | (id, time and) body | any text |
//! | Adobe Commerce | `x-adobe-commerce-webhook-signature`, base64 of RSA with SHA-256 | the base64 of the body | the public key, PEM |
//!
//! Only what is under the signature can be believed: where the headers are not, [`Signed::body_only`] says so.

use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};

use crate::Source;

/// How far the time of a signed delivery may be from ours.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What a connection's deliveries are checked with.
#[derive(Clone)]
pub struct Key(Kind);

#[derive(Clone)]
enum Kind {
    Hmac(Box<hmac::Key>),
    /// Subject public key info, DER.
    Rsa(Vec<u8>),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A secret that is no key of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing there.
    #[error("the secret is empty")]
    Empty,
    /// Standard Webhooks' form.
    #[error("a secret of Standard Webhooks is `whsec_` and base64")]
    Standard,
    /// Adobe's form.
    #[error("Adobe Commerce signs with a private key: give the public one as PEM (-----BEGIN PUBLIC KEY-----)")]
    Pem,
}

/// Why a delivery is not believed. Nothing in it says what the right signature were.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No signature.
    #[error("the header {0} is missing; the sender must sign its webhooks")]
    Missing(&'static str),
    /// Not what a signature looks like.
    #[error("the header {0} cannot be read")]
    Unreadable(&'static str),
    /// Not signed with a secret of this connection, or changed on the way.
    #[error("the signature does not fit; compare the secret of this connection with the sender's")]
    Mismatch,
    /// Signed too long ago, or in the future.
    #[error("the signed time is more than 5 minutes from ours; set the clocks, or send again")]
    Stale,
}

/// A delivery whose signature fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Only the body is under the signature: ids, times and topics in headers may be anybody's.
    pub body_only: bool,
}

/// Headers by name, names in lower case.
pub type Headers<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

impl Key {
    /// Reads a secret as the source gives it out.
    ///
    /// # Errors
    /// [`KeyError`] with the form it should have.
    pub fn read(source: Source, secret: &str) -> Result<Self, KeyError> {
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(KeyError::Empty);
        }
        let hmac = |bytes: &[u8]| Self(Kind::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes))));
        let standard = secret.strip_prefix("whsec_").and_then(|text| BASE64.decode(text).ok());
        match (source, standard) {
            (Source::Standard, Some(key)) if !key.is_empty() => Ok(hmac(&key)),
            (Source::Standard, _) => Err(KeyError::Standard),
            (Source::Generic, Some(key)) if !key.is_empty() => Ok(hmac(&key)),
            (Source::Shopify | Source::WooCommerce | Source::BigCommerce | Source::Generic, _) => {
                Ok(hmac(secret.as_bytes()))
            }
            (Source::Adobe, _) => pem(secret).map(|der| Self(Kind::Rsa(der))).ok_or(KeyError::Pem),
        }
    }

    fn fits(&self, message: &[u8], tag: &[u8]) -> bool {
        match &self.0 {
            Kind::Hmac(key) => hmac::verify(key, message, tag).is_ok(),
            Kind::Rsa(der) => signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, der)
                .verify(message, tag)
                .is_ok(),
        }
    }
}

/// Checks a delivery with the keys of its connection: several while one takes another's place.
///
/// # Errors
/// [`SignatureError`]; answer 401 and keep nothing.
pub fn verify(
    source: Source,
    keys: &[Key],
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<Signed, SignatureError> {
    match source {
        Source::Shopify => {
            let name = "x-shopify-hmac-sha256";
            over_body(keys, name, headers(name).or_else(|| headers("shopify-hmac-sha256")), body)
        }
        Source::WooCommerce => {
            let name = "x-wc-webhook-signature";
            over_body(keys, name, headers(name), body)
        }
        Source::Adobe => {
            let name = "x-adobe-commerce-webhook-signature";
            over_body(keys, name, headers(name), BASE64.encode(body).as_bytes())
        }
        Source::BigCommerce | Source::Standard => over_all(keys, headers, body, now),
        Source::Generic => match headers("x-webhook-signature") {
            Some(tag) if headers("webhook-signature").is_none() => {
                let name = "x-webhook-signature";
                let tag = tag.strip_prefix("sha256=").and_then(unhex).ok_or(SignatureError::Unreadable(name))?;
                any(keys, body, &tag).then_some(Signed { body_only: true }).ok_or(SignatureError::Mismatch)
            }
            _ => over_all(keys, headers, body, now),
        },
    }
}

/// A secret in the form of Standard Webhooks.
pub fn standard_secret(bits: &[u8]) -> String {
    format!("whsec_{}", BASE64.encode(bits))
}

fn over_body(keys: &[Key], name: &'static str, tag: Option<&str>, message: &[u8]) -> Result<Signed, SignatureError> {
    let tag = tag.ok_or(SignatureError::Missing(name))?;
    let tag = BASE64.decode(tag.trim()).map_err(|_| SignatureError::Unreadable(name))?;
    any(keys, message, &tag).then_some(Signed { body_only: true }).ok_or(SignatureError::Mismatch)
}

/// Standard Webhooks: `{id}.{time}.{body}`.
fn over_all(keys: &[Key], headers: Headers<'_>, body: &[u8], now: Timestamp) -> Result<Signed, SignatureError> {
    let told = |name: &'static str| headers(name).ok_or(SignatureError::Missing(name));
    let (id, time, tags) = (told("webhook-id")?, told("webhook-timestamp")?, told("webhook-signature")?);
    let mut message = format!("{id}.{time}.").into_bytes();
    message.extend_from_slice(body);
    let tags = tags.split(' ').filter_map(|tag| tag.strip_prefix("v1,")).filter_map(|tag| BASE64.decode(tag).ok());
    let mut readable = false;
    for tag in tags {
        readable = true;
        if any(keys, &message, &tag) {
            // The time counts only now: before, it was anybody's.
            let at = time.parse::<i64>().ok().and_then(|s| Timestamp::from_second(s).ok());
            let at = at.ok_or(SignatureError::Unreadable("webhook-timestamp"))?;
            return if now.duration_since(at).abs() > TOLERANCE {
                Err(SignatureError::Stale)
            } else {
                Ok(Signed { body_only: false })
            };
        }
    }
    Err(if readable { SignatureError::Mismatch } else { SignatureError::Unreadable("webhook-signature") })
}

fn any(keys: &[Key], message: &[u8], tag: &[u8]) -> bool {
    keys.iter().any(|key| key.fits(message, tag))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().as_bytes();
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

fn pem(text: &str) -> Option<Vec<u8>> {
    let inside = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let der = BASE64.decode(inside.split_whitespace().collect::<String>()).ok()?;
    (!der.is_empty()).then_some(der)
}
