//! Signatures: the published and our own vectors, and everything that must not pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::{encoding, rsa, signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use mailwright_shop::Source;
use mailwright_shop::signature::{Key, KeyError, SignatureError, Signed, standard_secret, verify};
use proptest::prelude::*;
use serde_json::Value;

type Headers = BTreeMap<String, String>;

fn check(
    source: Source,
    secret: &str,
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<Signed, SignatureError> {
    let keys = [Key::read(source, secret).unwrap()];
    verify(source, &keys, &|name| headers.get(name).map(String::as_str), body, now)
}

fn headers<const N: usize>(pairs: [(&str, &str); N]) -> Headers {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn specs() -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    if !dir.join("signature-vectors.json").is_file() {
        println!("skipped: {} is not there", dir.display());
        return None;
    }
    Some(dir)
}

#[test]
fn the_vectors_fit_and_nothing_near_them_does() {
    let Some(dir) = specs() else { return };
    let vectors: Vec<Value> =
        serde_json::from_slice(&std::fs::read(dir.join("signature-vectors.json")).unwrap()).unwrap();
    let mut tried = 0;
    for vector in vectors {
        let source = match vector["scheme"].as_str().unwrap() {
            "standard-webhooks" => Source::Standard,
            "shopify" => Source::Shopify,
            "woocommerce" => Source::WooCommerce,
            "bigcommerce" => Source::BigCommerce,
            _ => continue,
        };
        let body = match (vector["body"].as_str(), vector["body_b64"].as_str(), vector["body_file"].as_str()) {
            (Some(text), _, _) => text.as_bytes().to_vec(),
            (_, Some(text), _) => BASE64.decode(text).unwrap(),
            (_, _, file) => std::fs::read(dir.join(file.unwrap())).unwrap(),
        };
        let secret = vector["secret"].as_str().unwrap();
        let given: Headers = vector["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()))
            .collect();
        let now = given.get("webhook-timestamp").map_or(at(0), |time| at(time.parse().unwrap()));
        let body_only = matches!(source, Source::Shopify | Source::WooCommerce);
        assert_eq!(check(source, secret, &given, &body, now), Ok(Signed { body_only }), "{vector}");
        // One bit anywhere in the body.
        for place in [0, body.len() / 2, body.len() - 1] {
            let mut other = body.clone();
            other[place] ^= 1;
            assert_eq!(check(source, secret, &given, &other, now), Err(SignatureError::Mismatch));
        }
        let other_secret = if source == Source::Standard { standard_secret(b"other") } else { format!("{secret}x") };
        assert_eq!(check(source, &other_secret, &given, &body, now), Err(SignatureError::Mismatch));
        tried += 1;
    }
    assert!(tried >= 7, "{tried} vectors");
}

#[test]
fn standard_webhooks_are_signed_with_their_id_and_time() {
    // The example of the specification's reference implementations.
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = br#"{"test": 2432232314}"#;
    let signed = headers([
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v2,xyz v1,bm90IHRoaXMgb25l v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]);
    let verdict = |headers: &Headers, now| check(Source::Standard, secret, headers, body, at(now));
    let fine = Ok(Signed { body_only: false });
    for now in [1_614_265_030, 1_614_265_330, 1_614_265_630] {
        assert_eq!(verdict(&signed, now), fine);
        assert_eq!(check(Source::Generic, secret, &signed, body, at(now)), fine);
    }
    for now in [1_614_265_029, 1_614_265_631, 0] {
        assert_eq!(verdict(&signed, now), Err(SignatureError::Stale));
    }
    for (name, value) in [("webhook-id", "msg_other"), ("webhook-timestamp", "1614265331")] {
        let mut other = signed.clone();
        other.insert(name.to_owned(), value.to_owned());
        assert_eq!(verdict(&other, 1_614_265_330), Err(SignatureError::Mismatch));
    }
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut less = signed.clone();
        less.remove(name);
        assert!(matches!(verdict(&less, 1_614_265_330), Err(SignatureError::Missing(missing)) if missing == name));
    }
    let mut odd = signed;
    odd.insert("webhook-signature".to_owned(), "v1a,abc".to_owned());
    assert_eq!(verdict(&odd, 1_614_265_330), Err(SignatureError::Unreadable("webhook-signature")));
}

#[test]
fn adobe_signs_the_base64_of_the_body_with_its_private_key() {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let public: encoding::PublicKeyX509Der<'_> =
        encoding::AsDer::as_der(signature::KeyPair::public_key(&pair)).unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(public.as_ref()));
    let body = br#"{"order":{"entity_id":7}}"#;
    let mut tag = vec![0; pair.public_modulus_len()];
    let message = BASE64.encode(body);
    pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut tag).unwrap();
    let name = "x-adobe-commerce-webhook-signature";
    let signed = headers([(name, BASE64.encode(&tag).as_str())]);
    let verdict = |body: &[u8]| check(Source::Adobe, &pem, &signed, body, at(0));
    assert_eq!(verdict(body), Ok(Signed { body_only: true }));
    assert_eq!(verdict(br#"{"order":{"entity_id":8}}"#), Err(SignatureError::Mismatch));
    assert_eq!(Key::read(Source::Adobe, "no pem").unwrap_err(), KeyError::Pem);
}

#[test]
fn secrets_have_the_form_of_their_source() {
    for source in Source::ALL {
        assert_eq!(Key::read(source, "  \n").unwrap_err(), KeyError::Empty);
    }
    assert_eq!(Key::read(Source::Standard, "plain").unwrap_err(), KeyError::Standard);
    assert_eq!(Key::read(Source::Standard, "whsec_").unwrap_err(), KeyError::Standard);
    assert_eq!(format!("{:?}", Key::read(Source::Shopify, "hush").unwrap()), "Key(…)");
}

proptest! {
    /// Whatever stands in the headers, nothing is believed and nothing breaks.
    #[test]
    fn made_up_headers_are_refused(id in ".{0,20}", time in ".{0,20}", tag in ".{0,60}", body in prop::collection::vec(any::<u8>(), 0..40)) {
        let given = headers([
            ("webhook-id", id.as_str()), ("webhook-timestamp", time.as_str()), ("webhook-signature", tag.as_str()),
            ("x-shopify-hmac-sha256", tag.as_str()), ("x-wc-webhook-signature", tag.as_str()), ("x-webhook-signature", tag.as_str()),
        ]);
        for source in [Source::Shopify, Source::WooCommerce, Source::BigCommerce, Source::Generic] {
            prop_assert!(check(source, "secret", &given, &body, at(0)).is_err());
        }
    }
}
