//! The ladder: its steps from none to deepest, and the limits around them.

mod file;
mod read;

use jiff::tz::TimeZone;
use kit::{CategoryId, Currency, Digest, FlowId, Language, Money, OfferStepId};

/// The schema this build reads.
pub const SCHEMA: &str = "mailwright.ladder/1";

/// One thing wrong with a ladder file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {}{problem}", step.as_ref().map(|s| format!("step `{s}`: ")).unwrap_or_default())]
pub struct LadderError {
    /// The file's label.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The step it is about.
    pub step: Option<String>,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// Everything wrong with a ladder file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct LadderErrors(pub Vec<LadderError>);

/// What a step gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concession {
    /// So many per cent off every line.
    Percent(u32),
    /// The shop pays the parcel.
    FreeShipping,
}

/// One rung that gives something away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id, such as `ten-percent`.
    pub id: OfferStepId,
    /// What it gives away.
    pub concession: Concession,
    /// True when a person must look at every message that carries it.
    pub requires_approval: bool,
    /// Flows that may offer it.
    pub flows: Vec<FlowId>,
    pub(crate) label: String,
    pub(crate) label_de: String,
    pub(crate) code_prefix: String,
    pub(crate) valid_days: i32,
}

impl Step {
    /// What a reader is told, in their language (English for languages the file has no label in).
    pub fn label(&self, language: &Language) -> &str {
        if *language == Language::DE { &self.label_de } else { &self.label }
    }
}

/// The limits no step may break, whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Deepest discount, per cent of a line.
    pub max_percent: u32,
    /// Deepest discount on one basket.
    pub max_absolute: Money,
    /// Margin that must remain on every line and in total, per cent of the price paid.
    pub min_margin_percent: u32,
    /// What free shipping costs the shop.
    pub shipping_cost: Money,
    /// Offers per customer within [`Self::window_days`].
    pub per_customer: u32,
    /// The window, in days.
    pub window_days: u32,
    /// Categories never discounted, with everything below them.
    pub exclude_categories: Vec<CategoryId>,
    /// Tags of goods never discounted: minimum advertised prices, gift cards.
    pub exclude_tags: Vec<String>,
    /// What all offers of a calendar month may cost; `None` is no limit.
    pub budget_month: Option<Money>,
    /// What the offers to one customer within a calendar month may cost; `None` is no limit.
    pub budget_customer_month: Option<Money>,
    /// After so many discounted orders in a row the next occasion has no offer.
    pub discounted_in_a_row: u32,
    /// More abandoned carts than this in 90 days, with an offer before, teach a customer to wait.
    pub abandoned_carts: u32,
    /// From this percentile of discount affinity on nobody gets a deeper step than the last one.
    pub high_affinity_percentile: u8,
    /// Rung no VIP is lifted above; 0 is no offer.
    pub(crate) vip_ceiling: usize,
    /// Rung no new customer is lifted above.
    pub(crate) new_customer_ceiling: usize,
}

/// A checked ladder. Rung 0 is "none"; the steps follow, shallow to deep.
#[derive(Debug, Clone)]
pub struct Ladder {
    pub(crate) none: OfferStepId,
    pub(crate) steps: Vec<Step>,
    pub(crate) limits: Limits,
    pub(crate) currency: Currency,
    pub(crate) zone: TimeZone,
    version: Digest,
}

impl Ladder {
    /// Reads a ladder file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with file, line and column: unknown keys, steps out of order, a step
    /// deeper than the limits, ceilings that name no step.
    pub fn parse(label: &str, text: &str) -> Result<Self, LadderErrors> {
        read::ladder(label, text)
    }

    /// The content hash of the file.
    pub fn version(&self) -> Digest {
        self.version
    }

    /// The steps that give something away, shallow to deep.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// A step by id. The id of "none" is no step.
    pub fn step(&self, id: &OfferStepId) -> Option<&Step> {
        self.steps.iter().find(|s| s.id == *id)
    }

    /// True when a VIP may be given any step at all.
    pub fn vips_get_offers(&self) -> bool {
        self.limits.vip_ceiling > 0
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The zone in which its days and months are counted.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Days over which [`crate::OfferHistory::granted_in_window`] counts.
    pub fn window_days(&self) -> u32 {
        self.limits.window_days
    }

    /// The rung of an id; "none" is 0.
    pub(crate) fn rung(&self, id: &OfferStepId) -> Option<usize> {
        if *id == self.none {
            return Some(0);
        }
        self.steps.iter().position(|s| s.id == *id).map(|i| i + 1)
    }
}
