//! Changes to a brief: one setting of one field before and after.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    Angle, Assumption, AudienceSpec, Brief, BriefProduct, Constraint, FailureMetric, Gap, LegalClass, OfferChoice,
    OfferCost, Predicate, Risk, Schedule, SuccessMetric, VipTreatment,
};
use crate::locale::Language;
use crate::message::Channel;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident($type:ty), $label:literal, $($place:ident).+;)+) => {
        /// One field of a brief.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $($(#[$doc])* $name,)+
        }

        /// One field of a brief with a value.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "field", content = "value", rename_all = "snake_case")]
        pub enum Setting {
            $($(#[$doc])* $name($type),)+
        }

        impl Field {
            /// All fields, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What people call it.
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)+
                }
            }
        }

        impl Setting {
            /// Which field it sets.
            pub fn field(&self) -> Field {
                match self {
                    $(Self::$name(_) => Field::$name,)+
                }
            }
        }

        impl Brief {
            /// What a field holds.
            pub fn get(&self, field: Field) -> Setting {
                match field {
                    $(Field::$name => Setting::$name(self.$($place).+.clone()),)+
                }
            }

            /// Sets one field.
            pub fn set(&mut self, setting: Setting) {
                match setting {
                    $(Setting::$name(value) => self.$($place).+ = value,)+
                }
            }
        }
    };
}

fields! {
    /// The short name.
    Title(Option<String>), "title", title;
    /// What it should achieve.
    Objective(Option<String>), "objective", objective;
    /// The figure of success.
    Success(Option<SuccessMetric>), "success metric", success;
    /// The figure of failure.
    Failure(Option<FailureMetric>), "failure metric", failure;
    /// Whom it includes.
    Include(Vec<Predicate>), "audience", audience.include;
    /// Whom it excludes.
    Exclude(Vec<Predicate>), "excluded", audience.exclude;
    /// What VIPs get.
    Vip(VipTreatment), "VIPs", vip;
    /// The offer.
    Offer(OfferChoice), "offer", offer.choice;
    /// What was asked for beyond the ladder.
    BeyondLadder(Option<String>), "wish beyond the ladder", offer.beyond_ladder;
    /// The products.
    Products(Vec<BriefProduct>), "products", products;
    /// The channels.
    Channels(Vec<Channel>), "channels", channels;
    /// When it leaves.
    Schedule(Option<Schedule>), "schedule", schedule;
    /// Who gets nothing, per cent.
    Holdout(u8), "holdout", holdout_percent;
    /// The angles.
    Angles(Vec<Angle>), "angles", angles;
    /// The tone.
    Tone(Option<String>), "tone", tone;
    /// The languages.
    Languages(Vec<Language>), "languages", languages;
    /// The legal class.
    Legal(LegalClass), "legal class", legal;
    /// The owner.
    Owner(Option<String>), "owner", owner;
    /// The constraints.
    Constraints(Vec<Constraint>), "constraints", constraints;
    /// The assumptions.
    Assumptions(Vec<Assumption>), "assumptions", assumptions;
    /// What the offer may cost. Computed.
    Cost(Option<OfferCost>), "cost", offer.cost;
    /// What is missing. Computed.
    Gaps(Vec<Gap>), "missing", gaps;
    /// The risk. Computed.
    Risk(Risk), "risk", risk;
}

impl Field {
    /// True for what code works out from the rest.
    pub fn is_computed(self) -> bool {
        matches!(self, Self::Cost | Self::Gaps | Self::Risk)
    }

    /// True when a setting of this field can be assumed: a decision, and not what code keeps itself.
    pub fn is_assumable(self) -> bool {
        !self.is_computed() && !matches!(self, Self::Constraints | Self::Assumptions | Self::BeyondLadder)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// One field before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What it held.
    pub from: Setting,
    /// What it holds now.
    pub to: Setting,
}

/// A change that does not fit the brief.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// `from` and `to` are of two fields.
    #[error("a change is about one field, here {0} and {1}")]
    TwoFields(Field, Field),
    /// The field holds something else by now.
    #[error("{0} holds something else by now: look at the brief again")]
    Stale(Field),
}

impl Change {
    /// The field it is about.
    pub fn field(&self) -> Field {
        self.to.field()
    }

    /// The change that takes this one back.
    pub fn inverse(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone() }
    }
}

impl Brief {
    /// What changed since `old`, field by field; version numbers are no change.
    pub fn diff(&self, old: &Self) -> Vec<Change> {
        let change = |field: &Field| Change { from: old.get(*field), to: self.get(*field) };
        Field::ALL.iter().map(change).filter(|change| change.from != change.to).collect()
    }

    /// The brief with these changes, one version later.
    ///
    /// # Errors
    /// When a change is of two fields, or was made to another state of the brief. Then nothing is changed.
    pub fn apply(&self, changes: &[Change]) -> Result<Self, ChangeError> {
        let mut next = self.clone();
        for change in changes {
            let (from, to) = (change.from.field(), change.to.field());
            if from != to {
                return Err(ChangeError::TwoFields(from, to));
            }
            if next.get(from) != change.from {
                return Err(ChangeError::Stale(from));
            }
            next.set(change.to.clone());
        }
        next.version = self.version.saturating_add(1);
        Ok(next)
    }
}

impl AudienceSpec {
    /// True when nothing says whom it is for.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty()
    }
}
