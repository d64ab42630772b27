//! A reserved message as RFC 5322 bytes: multipart/alternative, plain text first, HTML last.
//!
//! The bytes depend on the message and the time given, on nothing else: no clock, no random boundary, no host name.

use std::time::SystemTime;

use kit::message::{DedupeKey, Rendered};
use kit::person::Email;
use kit::{Digest, Timestamp};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

/// Bytes a line may have, without its CRLF (RFC 5322 section 2.1.1).
const MAX_LINE_BYTES: usize = 998;

/// Headers that only this module writes.
const OWN_HEADERS: [&str; 14] = [
    "bcc",
    "cc",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// Why a message has no RFC 5322 form. None of them goes away by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// An address our own type takes and RFC 5322 does not.
    #[error("the {0} address does not fit a header")]
    Address(&'static str),
    /// A header that could start another one, or be read as something else than what was checked.
    #[error("header {0} holds a line break, a control character or an encoded word")]
    Header(String),
    /// A header that is not the renderer's to write.
    #[error("header name `{0}` is not allowed")]
    HeaderName(String),
    /// NUL and its kin have no place in mail.
    #[error("the {0} part holds control characters")]
    Control(&'static str),
    /// Before 1970.
    #[error("{0} is no date for a message")]
    Date(Timestamp),
    /// A word in a header that cannot be folded.
    #[error("a line has {0} bytes, at most {MAX_LINE_BYTES} are allowed")]
    LongLine(usize),
    /// What the library says.
    #[error("it cannot be built: {0}")]
    Build(String),
}

/// The bytes of a message, as every adapter that sends RFC 5322 hands them over.
///
/// # Errors
/// [`MailError`]: the message has no RFC 5322 form, now or later.
pub fn build(key: DedupeKey, message: &Rendered, now: Timestamp) -> Result<Vec<u8>, MailError> {
    if now < Timestamp::UNIX_EPOCH {
        return Err(MailError::Date(now));
    }
    plain("Subject", &message.subject)?;
    let text = body("text", &message.text)?;
    let html = body("HTML", &message.html)?;

    let mut builder = Message::builder()
        .from(mailbox("From", Some(&message.from_name), &message.from)?)
        .reply_to(mailbox("Reply-To", None, &message.reply_to)?)
        .to(mailbox("To", None, &message.to)?)
        .subject(&message.subject)
        .date(SystemTime::from(now))
        .message_id(Some(format!("<{key}@{}>", domain(&message.from))));
    for (name, value) in &message.headers {
        builder = builder.raw_header(header(name, value)?);
    }
    builder = builder.raw_header(header("X-Mailwright-Key", &key.to_string())?);

    // A body cannot hold its own hash, so the boundary cannot occur in it.
    let boundary = Digest::of_parts([key.to_string().as_str(), &text, &html]).short();
    let parts = MultiPart::alternative()
        .boundary(format!("mailwright-{boundary}"))
        .singlepart(SinglePart::plain(text))
        .singlepart(SinglePart::html(html));
    let bytes = builder.multipart(parts).map_err(|e| MailError::Build(e.to_string()))?.formatted();
    match bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line).len()).max() {
        Some(longest) if longest > MAX_LINE_BYTES => Err(MailError::LongLine(longest)),
        Some(_) | None => Ok(bytes),
    }
}

fn mailbox(role: &'static str, name: Option<&str>, email: &Email) -> Result<Mailbox, MailError> {
    if let Some(name) = name {
        plain(role, name)?;
    }
    let address: Address = email.reveal().parse().map_err(|_| MailError::Address(role))?;
    Ok(Mailbox::new(name.map(str::to_owned), address))
}

fn header(name: &str, value: &str) -> Result<HeaderValue, MailError> {
    let bad = || MailError::HeaderName(name.chars().filter(|c| !c.is_control()).take(40).collect());
    let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !token || OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(bad());
    }
    plain(name, value)?;
    let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| bad())?;
    Ok(HeaderValue::new(name, value.to_owned()))
}

/// What looks like an encoded word (RFC 2047) would be decoded by the reader into text that no rule has seen.
fn plain(name: &str, value: &str) -> Result<(), MailError> {
    let encoded_word = value.contains("=?") && value.contains("?=");
    if encoded_word || value.chars().any(char::is_control) {
        return Err(MailError::Header(name.to_owned()));
    }
    Ok(())
}

/// A body with LF line ends; the library makes CRLF of them and encodes what is not plain ASCII.
fn body(part: &'static str, text: &str) -> Result<String, MailError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(MailError::Control(part));
    }
    Ok(text)
}

fn domain(email: &Email) -> &str {
    email.reveal().rsplit_once('@').map_or("localhost", |(_, domain)| domain)
}
