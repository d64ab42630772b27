//! Risk tiers, approvals, and the decision not to send.
//!
//! * [`RiskPolicy`] reads knowledge/policy/risk.toml and says why a person must look at a message: evidence for
//!   [`kit::message::Cleared`], never a verdict.
//! * [`SendingPolicy`] reads knowledge/policy/sending.toml: caps, quiet hours, holdout.
//! * [`RequestApproval`] is how the model reaches the people; [`DecideNoSend`] is how it says that silence is better.
//! * [`decide`] holds the rules of an approval for everybody who decides one: command line, web, Slack.

mod decide;
mod decide_no_send;
mod policy;
mod request_approval;

pub use decide::{Decision, DecisionError, MAX_REASON_CHARS, decide, expire};
pub use decide_no_send::{DecideNoSend, DecideNoSendArgs, NoSendCode, NoSendDecided};
pub use policy::{PolicyError, RiskInput, RiskPolicy, SendingPolicy, Trust, sms_hours};
pub use request_approval::{ApprovalDesk, ApprovalRequested, Opened, RequestApproval, RequestApprovalArgs};
