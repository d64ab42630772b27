//! The rule file and the claims register as they are written. Unknown keys are refused.

use std::collections::BTreeMap;

use kit::message::Severity;
use serde::Deserialize;
use toml::Spanned;

use super::{Role, Scope};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RulesFile {
    pub(crate) schema: Spanned<String>,
    /// The brand's name, for people.
    #[serde(rename = "brand")]
    pub(crate) _brand: String,
    pub(crate) languages: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) severity: BTreeMap<String, Spanned<Severity>>,
    pub(crate) claims: ClaimRules,
    pub(crate) style: Style,
    pub(crate) structure: Structure,
    #[serde(default)]
    pub(crate) links: Links,
    #[serde(default)]
    pub(crate) flow: Vec<Spanned<Flow>>,
    #[serde(default)]
    pub(crate) phrase: Vec<Spanned<PhraseEntry>>,
    #[serde(default)]
    pub(crate) disclosure: Vec<Spanned<DisclosureEntry>>,
    #[serde(default)]
    pub(crate) personalisation: Personalisation,
    /// How a message should sound, by flow.
    #[serde(default)]
    pub(crate) tone: BTreeMap<String, Spanned<ToneBounds>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Personalisation {
    /// Things known of the reader that a message may show without a person looking.
    pub(crate) max_signals: Option<usize>,
}

/// Least and most of each, from 0 to 5.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToneBounds {
    pub(crate) urgent: Option<[usize; 2]>,
    pub(crate) warm: Option<[usize; 2]>,
}

/// A sentence that must stand in a message under conditions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisclosureEntry {
    pub(crate) id: Spanned<String>,
    pub(crate) severity: Severity,
    pub(crate) why: String,
    pub(crate) mend: String,
    pub(crate) owner: String,
    pub(crate) source: String,
    pub(crate) when: When,
    /// In the block that made it necessary, not just anywhere in the message.
    #[serde(default)]
    pub(crate) same_block: bool,
    /// One of these must stand there, in English drafts.
    pub(crate) en: Vec<String>,
    /// In German drafts.
    pub(crate) de: Vec<String>,
}

/// When a disclosure is owed: all conditions that are given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    /// The message makes an offer.
    #[serde(default)]
    pub(crate) offer: bool,
    /// It quotes a review.
    #[serde(default)]
    pub(crate) review: bool,
    /// It shows goods that one of these laws regulates.
    #[serde(default)]
    pub(crate) regulated: Vec<String>,
    /// It shows a product with this tag.
    pub(crate) product_tag: Option<String>,
    /// One of these rules found its words, whether they held or not.
    #[serde(default)]
    pub(crate) found: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimRules {
    pub(crate) unmatched: Spanned<Severity>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Style {
    pub(crate) subject: Limits,
    pub(crate) body: Limits,
    #[serde(default)]
    pub(crate) sms: SmsLimits,
    #[serde(default)]
    pub(crate) emoji_deny: Vec<String>,
    #[serde(default)]
    pub(crate) caps_allow: Vec<String>,
    /// Flesch-Kincaid grade, a maximum.
    pub(crate) reading_grade_max_en: f64,
    /// Amstad reading ease, a minimum.
    pub(crate) reading_ease_min_de: f64,
}

/// What a text message may take.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmsLimits {
    /// Parts that a message may cost.
    pub(crate) segments_max: u32,
    pub(crate) products_max: usize,
}

impl Default for SmsLimits {
    fn default() -> Self {
        Self { segments_max: 2, products_max: 2 }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) exclaim_max: usize,
    pub(crate) caps_words_max: usize,
    pub(crate) emoji_max: usize,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Structure {
    pub(crate) subjects: [usize; 2],
    pub(crate) subject_chars_max: usize,
    pub(crate) subject_meaning_chars: usize,
    pub(crate) preheader_chars: [usize; 2],
    pub(crate) paragraphs_max: usize,
    pub(crate) paragraph_chars_max: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Links {
    #[serde(default)]
    pub(crate) image_hosts: Vec<String>,
    /// Campaign parameters that a link may bring along.
    #[serde(default)]
    pub(crate) utm_allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flow {
    pub(crate) id: String,
    pub(crate) products: [usize; 2],
    #[serde(default)]
    pub(crate) service: bool,
}

/// A phrase rule of the shop.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhraseEntry {
    pub(crate) id: Spanned<String>,
    pub(crate) severity: Severity,
    pub(crate) why: String,
    pub(crate) mend: String,
    pub(crate) owner: String,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) scope: Vec<Scope>,
    #[serde(default)]
    pub(crate) stem: bool,
    #[serde(default)]
    pub(crate) any: Vec<String>,
    #[serde(default)]
    pub(crate) en: Vec<String>,
    #[serde(default)]
    pub(crate) de: Vec<String>,
    #[serde(default)]
    pub(crate) except: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lexicon {
    pub(crate) detector: Vec<Spanned<Detector>>,
}

/// The word list of a built-in rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detector {
    pub(crate) rule: Spanned<String>,
    pub(crate) role: Option<Role>,
    #[serde(default)]
    pub(crate) scope: Vec<Scope>,
    #[serde(default)]
    pub(crate) any: Vec<String>,
    #[serde(default)]
    pub(crate) en: Vec<String>,
    #[serde(default)]
    pub(crate) de: Vec<String>,
    /// Words that count only beside one of `near`.
    #[serde(default)]
    pub(crate) weak_en: Vec<String>,
    #[serde(default)]
    pub(crate) weak_de: Vec<String>,
    /// What gives a weak phrase its meaning when it stands in the same sentence.
    #[serde(default)]
    pub(crate) near: Vec<String>,
    #[serde(default)]
    pub(crate) except: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimsFile {
    pub(crate) schema: Spanned<String>,
    #[serde(default)]
    pub(crate) claim: Vec<Spanned<ClaimEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimEntry {
    pub(crate) id: Spanned<String>,
    pub(crate) text: Vec<String>,
    pub(crate) product_tag: Option<String>,
    #[serde(default)]
    pub(crate) products: Vec<String>,
    pub(crate) evidence: String,
    pub(crate) expires: Spanned<toml::value::Datetime>,
}
