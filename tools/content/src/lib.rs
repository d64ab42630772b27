//! Messages: typed blocks to MJML, HTML and plain text, and the tool that proposes them.
//!
//! The model fills typed blocks; it never writes MJML, HTML or a link. [`render()`] resolves a draft and its cited facts
//! into one letter (plain strings and checked links) and sets that letter twice: as MJML, which mrml turns into HTML,
//! and as plain text. So both parts always say the same.
//!
//! * [`identity`]: what the shop and the reader bring.
//! * [`render()`], [`RenderError`]: the door; [`render_sms`] for text messages, [`sms_answer`] for replies to them.
//! * [`ProposeMessage`], [`ContentGate`]: the tool `propose_message` and what it needs from outside.
//!
//! Pure: no I/O, no clock. Dates come from facts, zones from the shop.

mod error;
mod fill;
mod gate;
pub mod identity;
mod letter;
mod link;
mod mjml;
mod name;
mod palette;
mod press;
mod propose_message;
mod render;
mod sms;
mod sms_reply;
mod structure;
mod text;
mod words;

pub use error::RenderError;
pub use gate::{ContentGate, PreviewFault};
pub use identity::{Colour, InvalidColour, Reader, ShopIdentity, Theme, Utm};
pub use link::LinkError;
pub use press::Press;
pub use propose_message::{FindingView, ProposeArgs, ProposeMessage, Proposed, ProposedStatus};
pub use render::{MAX_HTML_BYTES, render};
pub use sms::{STOP_PAGE, ShortLink, SmsIdentity, SmsLetter, SmsReader, render_sms};
pub use sms_reply::{SmsAnswer, sms_answer};
