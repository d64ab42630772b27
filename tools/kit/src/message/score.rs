//! The brand score: how far a draft is from one that no rule has anything to say about, in parts (mission 85).
//!
//! It only adds caution: a draft with a finding of severity `approve` goes to a person whatever its score, and one that is blocked
//! does not leave. What the score catches is the draft with many small faults.

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Severity};

/// What a part of the score is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Facts, figures, placeholders.
    Truth,
    /// Claims, urgency, promises, what the law asks.
    Law,
    /// The reader: privacy, bias.
    Reader,
    /// The shop's voice and language.
    Voice,
    /// Structure, links, pictures.
    Form,
}

impl Part {
    /// All parts, in the order of a card.
    pub const ALL: [Self; 5] = [Self::Truth, Self::Law, Self::Reader, Self::Voice, Self::Form];

    /// The part a rule belongs to, by the first word of its id.
    pub fn of(rule: &str) -> Self {
        match rule.split('.').next().unwrap_or_default() {
            "figure" | "slot" | "fact" | "reader" => Self::Truth,
            "claim" | "urgency" | "promise" | "legal" | "regulated" | "review" | "disclosure" | "subject" | "scare" => {
                Self::Law
            }
            "privacy" | "bias" | "safety" => Self::Reader,
            "style" | "language" | "tone" | "brand" => Self::Voice,
            _ => Self::Form,
        }
    }

    /// The part in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Truth => "truth",
            Self::Law => "law",
            Self::Reader => "reader",
            Self::Voice => "voice",
            Self::Form => "form",
        }
    }
}

/// A score from 0 to 100 with its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrandScore {
    /// The lowest part and the mean of all, averaged: one bad part cannot hide among good ones.
    pub total: u8,
    /// Each part, in the order of [`Part::ALL`].
    pub parts: [u8; 5],
}

/// What one finding takes from its part.
fn weight(severity: Severity) -> u32 {
    match severity {
        Severity::Warn => 15,
        Severity::Approve => 40,
        Severity::Block => 100,
    }
}

impl BrandScore {
    /// The score of a draft with these findings.
    pub fn of(findings: &[Finding]) -> Self {
        let lost = |part: Part| {
            let of_part = findings.iter().filter(|f| Part::of(&f.rule) == part);
            of_part.map(|f| weight(f.severity)).sum::<u32>().min(100)
        };
        let parts = Part::ALL.map(|part| u8::try_from(100 - lost(part)).unwrap_or(0));
        let mean = parts.iter().map(|p| u32::from(*p)).sum::<u32>() / 5;
        let lowest = parts.iter().copied().min().map_or(0, u32::from);
        Self { total: u8::try_from(u32::midpoint(mean, lowest)).unwrap_or(0), parts }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    fn finding(rule: &str, severity: Severity) -> Finding {
        Finding {
            rule: rule.to_owned(),
            severity,
            place: Place::Whole,
            span: None,
            excerpt: String::new(),
            why: String::new(),
            mend: String::new(),
            owner: String::new(),
        }
    }

    #[test]
    fn small_faults_add_up_and_one_bad_part_shows() {
        assert_eq!(BrandScore::of(&[]), BrandScore { total: 100, parts: [100; 5] });
        let one = [finding("style.reading", Severity::Warn)];
        assert_eq!(BrandScore::of(&one), BrandScore { total: 91, parts: [100, 100, 100, 85, 100] });
        let three = ["style.reading", "tone.off", "style.exclamation"].map(|rule| finding(rule, Severity::Warn));
        assert_eq!(BrandScore::of(&three).total, 73);
        let blocked = [finding("figure.digits", Severity::Block)];
        assert_eq!(BrandScore::of(&blocked), BrandScore { total: 40, parts: [0, 100, 100, 100, 100] });
    }

    proptest::proptest! {
        #[test]
        fn another_finding_never_raises_a_score(rules in proptest::collection::vec((0_usize..6, 0_usize..3), 0..12)) {
            let named = ["figure.x", "claim.x", "privacy.x", "style.x", "structure.x", "own.x"];
            let severities = [Severity::Warn, Severity::Approve, Severity::Block];
            let findings: Vec<Finding> = rules
                .iter()
                .filter_map(|(rule, severity)| Some(finding(named.get(*rule)?, *severities.get(*severity)?)))
                .collect();
            for cut in 0..findings.len() {
                let (fewer, more) = (&findings[..cut], &findings[..=cut]);
                proptest::prop_assert!(BrandScore::of(fewer).total >= BrandScore::of(more).total);
            }
        }
    }
}
