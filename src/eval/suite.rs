//! Suites: YAML files that a marketer can read and write.
//!
//! ```yaml
//! suite: abandoned-checkout
//! about: A cart was left.
//! cases:
//!   - name: Boots are left for the first time
//!     customer: { first_name: Aoife, language: en }
//!     story:
//!       - cart: [TT-1001]
//!     then:
//!       outcome: sent
//!       shows: [TT-1001]
//! ```
//!
//! A case about a brief has the marketer's turns in its story (`chat: …`), and under `then: brief:` what the brief must hold.
//!
//! Keys that nobody knows are refused, and every mistake is named with file, line and column.

mod brief;
mod customer;
mod read;
mod story;
mod then;

use kit::Timestamp;
use serde::Deserialize;

pub use brief::BriefThen;
pub use customer::{Consent, Customer, Purchase};
pub use read::{SuiteError, read};
pub use story::{Cancelled, CartWith, Door, EspFault, Step, Switch};
pub use then::{Asked, Button, Ending, Then};

/// A suite, read and checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name, unique among the suites that are run together.
    pub suite: String,
    /// What it is about, in a sentence.
    pub about: String,
    /// What the shop is like, unless a case says otherwise.
    #[serde(default)]
    pub shop: Terms,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name, unique within the suite: a baseline knows it by it.
    pub name: String,
    /// Why it is there, for whoever sees it fail.
    #[serde(default)]
    pub why: Option<String>,
    /// What the shop is like.
    #[serde(default)]
    pub shop: Option<Terms>,
    /// When the story begins; a Tuesday morning unless said.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Whom it is about.
    #[serde(default)]
    pub customer: Customer,
    /// Who else the shop knows, told apart by first name; only where a marketer briefs a campaign.
    #[serde(default)]
    pub others: Vec<Customer>,
    /// What happens, in order.
    pub story: Vec<Step>,
    /// What must hold afterwards.
    pub then: Then,
}

/// Policy of the shop in a case. What is not said is as the release has it, but for two things that would make a case
/// depend on others: nobody is held out, and flows under a first watch are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// How far the two everyday flows are trusted.
    #[serde(default)]
    pub trust: Trust,
    /// Share of customers that gets nothing.
    #[serde(default)]
    pub holdout_percent: u32,
    /// Messages within a day.
    #[serde(default)]
    pub cap_day: Option<u32>,
    /// Messages within a week.
    #[serde(default)]
    pub cap_week: Option<u32>,
    /// Quiet hours: from, to.
    #[serde(default)]
    pub quiet: Option<(u8, u8)>,
    /// Phrases that the content rules forbid in this case, beside the shop's own.
    #[serde(default)]
    pub banned: Vec<String>,
}

/// How far a flow is trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Only what policy singles out is looked at.
    #[default]
    Open,
    /// A person sees every message.
    Review,
}

impl Case {
    /// Everybody whom the case is about, the customer first.
    pub fn people(&self) -> impl Iterator<Item = &Customer> {
        std::iter::once(&self.customer).chain(&self.others)
    }

    /// True when a marketer briefs a campaign in it. Such a case has a shop of its own: its audience is everybody there.
    pub fn is_brief(&self) -> bool {
        self.story.iter().any(|step| matches!(step, Step::Chat(_)))
    }
}
