//! The one path of a message. Each type is the only door to the next:
//!
//! [`Draft`] → [`Checked`] → [`Cleared`] → [`Reserved`] → `Sent | Unknown | Refused`
//!
//! Gates elsewhere return evidence (findings, a risk assessment, an approval record, what the database says about the
//! person). The code in this module compares that evidence and makes the next type. [`Cleared`] and [`Reserved`] have
//! private fields and neither `Clone` nor `Deserialize`: they cannot be made up, copied or read back from a file.

mod clearance;
mod draft;
mod finding;
mod hold;
mod hours;
mod ledger;
mod reserve;
mod score;

pub use clearance::{
    ApprovalRecord, ApprovalState, CampaignUse, Checked, Cleared, Envelope, NotChecked, NotCleared, RiskAssessment,
    RiskReason,
};
pub use draft::{Block, Channel, Confidence, Draft, DraftRecord, Outgoing, Rendered, TextMessage};
pub use finding::{CheckReport, Finding, Place, Severity};
pub use hold::{Hold, Release};
pub use hours::{HoursTable, OpenHours, RegionHours};
pub use ledger::{Ledger, LedgerRow, LedgerStore, ReserveAnswer, ReserveOutcome, ReserveRequest};
pub use reserve::{ConsentState, DedupeKey, QuietHours, ReserveEvidence, Reserved, SendState, in_holdout};
pub use score::{BrandScore, Part};
