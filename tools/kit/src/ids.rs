//! Identifiers as types, so that a product id cannot be passed where a customer id is meant.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The longest identifier that any platform we speak to sends, with room to spare, in bytes.
pub const MAX_ID_BYTES: usize = 160;

/// Why a string is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The string is empty or only blanks.
    #[error("{kind} is empty")]
    Empty {
        /// Which id type refused it.
        kind: &'static str,
    },
    /// The string is longer than [`MAX_ID_BYTES`].
    #[error("{kind} has {bytes} bytes, at most {MAX_ID_BYTES} are allowed")]
    TooLong {
        /// Which id type refused it.
        kind: &'static str,
        /// Length found.
        bytes: usize,
    },
    /// The string holds a control character or white space at its edges.
    #[error("{kind} holds a control character or blanks at its edges")]
    Control {
        /// Which id type refused it.
        kind: &'static str,
    },
}

fn checked(kind: &'static str, text: &str) -> Result<(), InvalidId> {
    if text.trim().is_empty() {
        return Err(InvalidId::Empty { kind });
    }
    if text.len() > MAX_ID_BYTES {
        return Err(InvalidId::TooLong { kind, bytes: text.len() });
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(InvalidId::Control { kind });
    }
    Ok(())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a non-empty, trimmed string of at most [`MAX_ID_BYTES`] bytes without control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                checked(stringify!($name), &text)?;
                Ok(Self(text))
            }

            /// An identifier made from a digest, such as `run-3f9a…`: for things named by what makes them unique.
            pub fn from_digest(prefix: &'static str, digest: &crate::Digest) -> Self {
                Self(format!("{prefix}-{}", digest.short()))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string" })
            }
        }
    )+};
}

ids! {
    /// A shop: the tenant. It leads every primary key.
    ShopId,
    /// A customer within a shop, as the shop platform names it.
    CustomerId,
    /// A product within a shop.
    ProductId,
    /// A product category, as a slash-separated path such as `footwear/hiking-boots`.
    CategoryId,
    /// A cart or checkout.
    CartId,
    /// An order.
    OrderId,
    /// A support ticket.
    TicketId,
    /// A customer review.
    ReviewId,
    /// A guide in the product-knowledge graph.
    GuideId,
    /// An intent in the product-knowledge graph, such as `first-multi-day-hike`.
    IntentId,
    /// An approved claim.
    ClaimId,
    /// A stored inbound event.
    EventId,
    /// A flow: a lifecycle programme such as `abandoned-checkout`.
    FlowId,
    /// A run: one execution of a flow for one customer, or of one brief.
    RunId,
    /// A campaign's brief: one conversation with a marketer.
    BriefId,
    /// One tool call, as the model names it.
    CallId,
    /// One fact of a run, such as `f103`.
    FactId,
    /// One step of the offer ladder, such as `ten-percent`.
    OfferStepId,
    /// One approval request.
    ApprovalId,
    /// A campaign: one brief on its way to its audience.
    CampaignId,
    /// A message class within a campaign.
    ClassId,
}
