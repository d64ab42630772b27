//! What a model may write into a brief: a typed patch. A field that is null stays as it is.

use kit::campaign::{Angle, FailureMeasure, LegalClass, Predicate, Rule, SendZone, SuccessMeasure, VipTreatment};
use kit::message::Channel;
use kit::{Language, OfferStepId, ProductId};
use schemars::JsonSchema;
use serde::Deserialize;

/// Changes to the brief. Null leaves a field as it is; a list replaces the whole list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// A short name, such as "Back to school".
    #[schemars(length(min = 3, max = 60))]
    pub title: Option<String>,
    /// What it should achieve, in the marketer's words as far as they go.
    #[schemars(length(min = 3, max = 300))]
    pub objective: Option<String>,
    /// The one figure that says it worked.
    pub success: Option<Success>,
    /// The one figure that says it did harm.
    pub failure: Option<Failure>,
    /// Whom it is for: all of these hold.
    #[schemars(length(max = 8))]
    pub include: Option<Vec<Predicate>>,
    /// Who is left out: one of these holds. VIPs do not belong here, see `vip`.
    #[schemars(length(max = 8))]
    pub exclude: Option<Vec<Predicate>>,
    /// What VIPs get, with the marketer's words that say so.
    pub vip: Option<Vip>,
    /// The offer.
    pub offer: Option<Offer>,
    /// Ids of the products to show, best first.
    #[schemars(length(max = 8))]
    pub products: Option<Vec<ProductId>>,
    /// Channels, the preferred one first.
    #[schemars(length(min = 1, max = 2))]
    pub channels: Option<Vec<Channel>>,
    /// When it leaves.
    pub send: Option<SendAt>,
    /// Per cent of the audience that gets nothing, to measure the effect.
    #[schemars(range(min = 0, max = 50))]
    pub holdout_percent: Option<u8>,
    /// What the messages are built on.
    #[schemars(length(min = 1, max = 8))]
    pub angles: Option<Vec<Angle>>,
    /// How they sound, in a few words.
    #[schemars(length(min = 3, max = 120))]
    pub tone: Option<String>,
    /// Languages to write in.
    #[schemars(length(min = 1, max = 8))]
    pub languages: Option<Vec<Language>>,
    /// What the law takes the messages for.
    pub legal: Option<LegalClass>,
    /// What the marketer ruled in this turn.
    #[schemars(length(max = 6))]
    pub rules: Option<Vec<NewRule>>,
    /// Constraints that the marketer takes back in this turn.
    #[schemars(length(max = 6))]
    pub take_back: Option<Vec<TakeBack>>,
    /// What you assumed instead of asking.
    #[schemars(length(max = 6))]
    pub assume: Option<Vec<Assume>>,
}

/// A figure of success.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// What is measured.
    pub measure: SuccessMeasure,
    /// Days after a message over which it is counted.
    #[schemars(range(min = 1, max = 90))]
    pub within_days: u16,
}

/// A figure of failure.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What is measured.
    pub measure: FailureMeasure,
    /// More than this per thousand is failure.
    #[schemars(range(min = 1, max = 1000))]
    pub above_per_mille: u16,
}

/// What VIPs get.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vip {
    /// The treatment.
    pub treatment: VipTreatment,
    /// The marketer's words of this turn that say so, word for word.
    #[schemars(length(min = 2, max = 200))]
    pub quote: String,
}

/// The offer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "choice", rename_all = "snake_case", deny_unknown_fields)]
pub enum Offer {
    /// No offer.
    None,
    /// A step of the shop's ladder.
    Step {
        /// Its id.
        step: OfferStepId,
    },
    /// What the marketer asks for is no step of the ladder: a person must decide about the ladder first.
    BeyondLadder {
        /// What they ask for, in their words, such as "20 %".
        #[schemars(length(min = 1, max = 80))]
        asked: String,
    },
}

/// When it leaves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendAt {
    /// The day as the marketer said it: "thursday", "next friday", "tomorrow", "in 3 days", or a date such as 2026-11-26.
    #[schemars(length(min = 2, max = 40))]
    pub on: String,
    /// The time of day such as 09:00; null when nobody said.
    #[schemars(length(min = 4, max = 5))]
    pub at: Option<String>,
    /// In whose zone; null for each recipient's own.
    pub zone: Option<SendZone>,
    /// The last day on which a message may still leave, said like `on`; null for the day after.
    #[schemars(length(min = 2, max = 40))]
    pub last_day: Option<String>,
}

/// A rule of the marketer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// Their words of this turn, word for word.
    #[schemars(length(min = 2, max = 200))]
    pub quote: String,
    /// What code should hold the brief to; `words` when none of the others fits.
    pub rule: Rule,
}

/// A constraint that is taken back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeBack {
    /// Its number: 2 for C2.
    #[schemars(range(min = 1, max = 1000))]
    pub constraint: u32,
    /// The marketer's words of this turn that take it back, word for word.
    #[schemars(length(min = 2, max = 200))]
    pub quote: String,
}

/// Something assumed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assume {
    /// What you assumed and why, in a sentence.
    #[schemars(length(min = 8, max = 160))]
    pub text: String,
    /// What it would be otherwise, for the marketer to flip to. What holds is what the brief says after this patch.
    pub otherwise: Otherwise,
}

/// The other setting of an assumption. Audience, offer, date and legal class are not assumed: they are asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "field", rename_all = "snake_case", deny_unknown_fields)]
pub enum Otherwise {
    /// Other channels.
    Channels {
        /// The channels.
        #[schemars(length(min = 1, max = 2))]
        channels: Vec<Channel>,
    },
    /// Another time of day.
    Time {
        /// Such as 18:00.
        #[schemars(length(min = 4, max = 5))]
        at: String,
    },
    /// Another zone.
    Zone {
        /// In whose.
        zone: SendZone,
    },
    /// Another holdout.
    Holdout {
        /// Per cent.
        #[schemars(range(min = 0, max = 50))]
        percent: u8,
    },
    /// Other angles.
    Angles {
        /// The angles.
        #[schemars(length(min = 1, max = 8))]
        angles: Vec<Angle>,
    },
    /// Another tone.
    Tone {
        /// In a few words.
        #[schemars(length(min = 3, max = 120))]
        tone: String,
    },
    /// Other languages.
    Languages {
        /// The languages.
        #[schemars(length(min = 1, max = 8))]
        languages: Vec<Language>,
    },
    /// Another figure of success.
    Success {
        /// What is measured.
        measure: SuccessMeasure,
        /// Days.
        #[schemars(range(min = 1, max = 90))]
        within_days: u16,
    },
    /// Another figure of failure.
    Failure {
        /// What is measured.
        measure: FailureMeasure,
        /// Per thousand.
        #[schemars(range(min = 1, max = 1000))]
        above_per_mille: u16,
    },
    /// Other products.
    Products {
        /// Ids.
        #[schemars(length(min = 1, max = 8))]
        products: Vec<ProductId>,
    },
}
