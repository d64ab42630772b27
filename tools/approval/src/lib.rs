//! Risk tiers, approvals, and the decision not to send.
//!
//! * [`RiskPolicy`] reads knowledge/policy/risk.toml and says why a person must look at a message: evidence for
//!   [`kit::message::Cleared`], never a verdict.
//! * [`SendingPolicy`] reads knowledge/policy/sending.toml: caps, quiet hours, holdout.
//! * [`ApprovalPolicy`] reads knowledge/policy/approvals.toml: who signs what, by when. [`Route`] is what it takes to approve
//!   one request: its sections, its people, its deadline in working hours.
//! * [`RequestApproval`] is how the model reaches the people; [`DecideNoSend`] is how it says that silence is better.
//! * [`decide`] holds the rules of an approval for everybody who decides one: command line, web, Slack.

mod decide;
mod decide_no_send;
mod policy;
mod request_approval;
mod route;
mod worktime;

pub use decide::{Decision, DecisionError, MAX_REASON_CHARS, decide, expire, may_recall, sign};
pub use decide_no_send::{DecideNoSend, DecideNoSendArgs, NoSendCode, NoSendDecided};
pub use policy::{
    ApprovalPolicy, Bar, PolicyError, RiskInput, RiskPolicy, SendingPolicy, Trust, TrustLevel, TrustRules, sms_hours,
};
pub use request_approval::{ApprovalDesk, ApprovalRequested, Opened, RequestApproval, RequestApprovalArgs};
pub use route::{Ask, NotSigned, Route, Section, Signature, Signer, Standing};
