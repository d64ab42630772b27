//! Why a webhook cannot be read: the place, what was found, what to do.

use kit::{InvalidId, Money, money::MoneyError};

/// Why a webhook cannot be read. The same bytes fail again: answer the sender, keep the body for a person, do not retry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// No such platform.
    #[error("unknown source `{name}`; known: {}", known.join(", "))]
    UnknownSource {
        /// The name found, capped.
        name: String,
        /// The names we know.
        known: Vec<&'static str>,
    },
    /// The product does not handle this topic.
    #[error("unsupported topic `{topic}` of {source_name}; known: {}", known.join(", "))]
    UnknownTopic {
        /// The platform.
        source_name: &'static str,
        /// The topic found, capped.
        topic: String,
        /// The topics we know.
        known: Vec<&'static str>,
    },
    /// The body says it is another event than the delivery.
    #[error("delivered as `{topic}` but the body says `{event}`; send it under the topic of its `event` field")]
    OtherTopic {
        /// The topic of the delivery.
        topic: String,
        /// The body's own word, capped.
        event: String,
    },
    /// Too many bytes.
    #[error("the body has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Bytes found.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("the body is not UTF-8 from byte {at} on; send application/json in UTF-8")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// Arrays and objects within one another, too many.
    #[error("the body is nested deeper than {limit} levels at line {line}, column {column}")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// Not JSON.
    #[error("not JSON at line {line}, column {column}: {why}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What the reader expected.
        why: String,
    },
    /// A value is missing or is something else than expected.
    #[error("{path}: {fault}")]
    Field {
        /// JSON path from the root, such as `$.line_items[0].price`.
        path: String,
        /// What is wrong.
        fault: Fault,
    },
    /// The platform sends ids only.
    #[error(
        "only the id of {what} {id} came: its details must be fetched from the shop's API, and no client for it is set up"
    )]
    FetchNeeded {
        /// What kind of thing.
        what: String,
        /// Its id, capped.
        id: String,
    },
    /// The items do not add up.
    #[error("{path}: the items come to {sum} but the body states {stated}")]
    Mismatch {
        /// JSON path of the stated total.
        path: String,
        /// What the items come to.
        sum: Money,
        /// What the body states.
        stated: Money,
    },
}

/// What is wrong with one value. No variant quotes an address or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Needed, but absent or null.
    #[error("is missing")]
    Missing,
    /// The wrong JSON type, a missing or a doubled field, with the reader's words.
    #[error("{why} (line {line}, column {column})")]
    Shape {
        /// What was found and expected.
        why: String,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// Not an amount.
    #[error("{0}")]
    Money(#[from] MoneyError),
    /// Below zero where only zero and more make sense.
    #[error("{0} is negative")]
    Negative(Money),
    /// Not an identifier.
    #[error("{0}")]
    Id(#[from] InvalidId),
    /// Not an address we would send to.
    #[error("is not an e-mail address")]
    Email,
    /// Not a language tag.
    #[error("is not a language tag such as en or de-AT")]
    Language,
    /// Not a country.
    #[error("is not a country code of two letters such as IE")]
    Country,
    /// Not a link that may stand in a message.
    #[error("is not an absolute https link of at most 2048 characters without blanks")]
    Link,
    /// A word outside a closed list.
    #[error("`{found}` is not one of {}", known.join(", "))]
    Word {
        /// The word found, capped.
        found: String,
        /// The words we know.
        known: &'static [&'static str],
    },
}

/// A fault with its path.
pub(crate) fn field(path: impl Into<String>, fault: impl Into<Fault>) -> WebhookError {
    WebhookError::Field { path: path.into(), fault: fault.into() }
}

/// Keeps hostile input and personal data out of error messages: one short word, or its length.
pub(crate) fn shorten(text: &str) -> String {
    kit::personal::quoted(text)
}
