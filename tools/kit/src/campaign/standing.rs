//! What stands in a brief beside its plan: constraints, assumptions, gaps, risk.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{Field, Setting};
use crate::ids::{CategoryId, ProductId};
use crate::message::Channel;

/// What code can hold a brief to. What fits none of these is [`Rule::Words`], kept and shown to whoever writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// Something about VIPs.
    Vip,
    /// Nothing of this category is shown.
    NoCategory {
        /// The category path.
        category: CategoryId,
    },
    /// This product is not shown.
    NoProduct {
        /// The product id.
        product: ProductId,
    },
    /// Nothing over this channel.
    NoChannel {
        /// The channel.
        channel: Channel,
    },
    /// No discount at all.
    NoOffer,
    /// No discount deeper than this.
    AtMostPercent {
        /// Per cent.
        percent: u8,
    },
    /// Nothing leaves before this day.
    NotBefore {
        /// The day, such as 2026-11-26.
        #[schemars(with = "String")]
        day: Date,
    },
    /// Nothing leaves after this day.
    NotAfter {
        /// The day, such as 2026-11-30.
        #[schemars(with = "String")]
        day: Date,
    },
    /// For people to read, such as "no exclamation marks".
    Words,
}

/// Something the marketer ruled. It stands until they take it back in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// Its number in the brief, from 1; never used again.
    pub id: u32,
    /// The marketer's own words.
    pub quote: String,
    /// What code holds the brief to.
    pub rule: Rule,
    /// The turn that stated it, from 1.
    pub turn: u32,
    /// The turn that took it back.
    pub taken_back: Option<u32>,
}

impl Constraint {
    /// True while it holds.
    pub fn stands(&self) -> bool {
        self.taken_back.is_none()
    }

    /// True when it is about VIPs, by its rule or its words.
    pub fn speaks_of_vips(&self) -> bool {
        self.rule == Rule::Vip || super::talk::mentions_vip(&self.quote)
    }
}

/// Something that was assumed rather than asked. Flipping it applies the other setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumption {
    /// Its number in the brief, from 1; never used again.
    pub id: u32,
    /// In words: "E-mail only, since nobody spoke of SMS".
    pub text: String,
    /// What it set.
    pub sets: Setting,
    /// What flipping it sets.
    pub otherwise: Setting,
    /// The marketer flipped it.
    pub flipped: bool,
}

/// Two settings that cannot be an assumption.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssumptionError {
    /// They set two fields.
    #[error("an assumption sets one field, here {0} and {1}")]
    TwoFields(Field, Field),
    /// They are equal.
    #[error("an assumption about {0} needs another setting to flip to")]
    NoAlternative(Field),
    /// The field cannot be assumed.
    #[error("{0} cannot be assumed")]
    NotAssumable(Field),
}

impl Assumption {
    /// An assumption about one field.
    ///
    /// # Errors
    /// When the settings are of two fields or equal, or the field is one that code keeps.
    pub fn new(id: u32, text: String, sets: Setting, otherwise: Setting) -> Result<Self, AssumptionError> {
        let (field, other) = (sets.field(), otherwise.field());
        if field != other {
            return Err(AssumptionError::TwoFields(field, other));
        }
        if !field.is_assumable() {
            return Err(AssumptionError::NotAssumable(field));
        }
        if sets == otherwise {
            return Err(AssumptionError::NoAlternative(field));
        }
        Ok(Self { id, text, sets, otherwise, flipped: false })
    }

    /// What holds now.
    pub fn holds(&self) -> &Setting {
        if self.flipped { &self.otherwise } else { &self.sets }
    }
}

/// What a gap is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// Nobody said what it is for.
    Objective,
    /// No figure of success.
    Success,
    /// No figure of failure.
    Failure,
    /// Nobody said whom it is for, or nobody is left.
    Audience,
    /// A constraint speaks of VIPs and nobody said what they get.
    Vip,
    /// Nobody said whether there is an offer, or it is beyond the ladder.
    Offer,
    /// No product.
    Products,
    /// No channel.
    Channels,
    /// No date, or one that has passed.
    Schedule,
    /// Nobody answers for it.
    Owner,
    /// The plan breaks a standing constraint.
    Contradiction,
    /// Data that the shop does not have: a cost, stock, consent on a channel.
    Data,
}

/// Something missing or contradictory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// What it is about.
    pub kind: GapKind,
    /// What is missing and how to mend it, or the question to ask.
    pub text: String,
    /// Nothing can be written before it is mended.
    pub blocks: bool,
}

/// How closely people must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskTier {
    /// Words only, to people who expect them.
    #[default]
    Low,
    /// An offer, or people who left once.
    Medium,
    /// VIPs, regulated goods, a deep or new offer.
    High,
}

/// The tier and what makes it so. Every campaign is approved by a person; the tier says how closely.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// The tier.
    pub tier: RiskTier,
    /// Reasons in words.
    pub reasons: Vec<String>,
}
