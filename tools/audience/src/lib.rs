//! Audiences: whom a brief is for, evaluated by code over what the shop knows of its customers.
//!
//! * [`member`]: a customer as an audience sees one, and [`Crowd`], through which the store hands them over page by page.
//! * [`judge`]: [`judge()`], the one place that says who gets a message and why somebody does not. The preview counts with
//!   it, and so does whoever freezes an audience to send to.
//! * [`count`]: an audience in numbers.
//! * [`preview_audience`]: the tool. The model sees counts, never people.

pub mod count;
pub mod judge;
pub mod member;
pub mod preview_audience;

pub use count::{Tally, count};
pub use judge::{Question, Verdict, in_campaign_holdout, judge};
pub use member::{Crowd, Member, Policy, Purchase, Reach, View};
pub use preview_audience::PreviewAudience;
