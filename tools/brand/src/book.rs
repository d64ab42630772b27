//! The rule book: a shop's rules and claims, compiled once, checked against many drafts.

pub(crate) mod file;
mod matchers;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use jiff::Timestamp;
use kit::message::{CheckReport, Draft, Finding, Place, Severity};
use kit::{Digest, FactBook, FlowId, Language};
use serde::Serialize;

use crate::checks;
use crate::examples;
use crate::phrases::{Lang, Phrases};
use crate::rules::{self, Rule};

pub(crate) use matchers::Matchers;

/// One thing wrong with a rule or claims file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {}{problem}", rule.as_ref().map(|r| format!("`{r}`: ")).unwrap_or_default())]
pub struct RuleFileError {
    /// The file's label.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The rule or claim it is about.
    pub rule: Option<String>,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// Everything wrong with the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct RuleFileErrors(pub Vec<RuleFileError>);

/// What a check must know beside the draft and its facts.
#[derive(Debug, Clone, Copy)]
pub struct CheckContext<'a> {
    /// The language to write in.
    pub language: &'a Language,
    /// Now: claims and offers expire.
    pub now: Timestamp,
    /// The shop's name, as `{{shop.name}}` fills it.
    pub shop_name: &'a str,
    /// Hosts a link may lead to, exactly.
    pub link_hosts: &'a [String],
    /// The flow: it decides how many products a message shows and whether it may sell.
    pub flow: &'a FlowId,
    /// Catalogue tags by product id: approved claims hold for tags.
    pub product_tags: &'a BTreeMap<String, BTreeSet<String>>,
    /// All facts of the run when they are known, to recognise words copied out of one; else those behind the draft.
    pub learned: Option<&'a FactBook>,
}

/// What a phrase means beyond its own finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Nothing: the finding stands.
    Plain,
    /// Holds if an approved claim covers it.
    Claim,
    /// A claim about the body.
    Health,
    /// Holds with a product of low stock.
    Scarcity,
    /// Holds with an offer that ends.
    Deadline,
    /// Holds with an offer that ends within a day.
    Today,
    /// Holds with a review.
    SocialProof,
    /// Holds with a percentage offer.
    Discount,
    /// Holds with a free-delivery offer.
    Shipping,
    /// Holds with any offer.
    Code,
    /// Holds with a cart that holds the products named beside it.
    Cart,
    /// Holds with an order of the products named beside it.
    Ordered,
    /// The same, neither cancelled nor sent back.
    Bought,
    /// Holds with a cart or an order.
    Chosen,
}

/// Which texts a phrase is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    #[serde(rename = "*")]
    All,
    Subject,
    Preheader,
    Body,
    Cta,
}

/// A rule with words to look for: built in or the shop's.
#[derive(Debug, Clone)]
pub(crate) struct PhraseRule {
    pub(crate) id: String,
    pub(crate) severity: Severity,
    pub(crate) scope: Vec<Scope>,
    pub(crate) role: Role,
    pub(crate) why: String,
    pub(crate) mend: String,
    pub(crate) owner: String,
    pub(crate) source: String,
    pub(crate) looks_for: Vec<String>,
}

/// An approved claim.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) id: String,
    pub(crate) text: Vec<String>,
    pub(crate) evidence: String,
    pub(crate) product_tag: Option<String>,
    pub(crate) products: Vec<String>,
    /// First moment it is no longer in force.
    pub(crate) expires: Timestamp,
}

/// A sentence that is owed under conditions.
#[derive(Debug, Clone)]
pub(crate) struct Disclosure {
    pub(crate) id: String,
    pub(crate) severity: Severity,
    pub(crate) why: String,
    pub(crate) mend: String,
    pub(crate) owner: String,
    pub(crate) source: String,
    pub(crate) when: file::When,
    pub(crate) same_block: bool,
    en: Vec<String>,
    de: Vec<String>,
}

impl Disclosure {
    /// The words in the language of a draft.
    pub(crate) fn words(&self, language: Option<Lang>) -> &[String] {
        match language {
            Some(Lang::De) => &self.de,
            Some(Lang::En) | None => &self.en,
        }
    }
}

/// What a flow allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlowRules {
    pub(crate) products: (usize, usize),
    pub(crate) service: bool,
}

impl Default for FlowRules {
    fn default() -> Self {
        Self { products: (1, 4), service: false }
    }
}

/// A rule as `check_brand_rules` explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleText {
    /// Its id.
    pub id: String,
    /// What it does to a draft.
    pub severity: Severity,
    /// Why it exists.
    pub why: String,
    /// How to mend.
    pub mend: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it comes from.
    pub source: String,
    /// Phrases it looks for; empty for rules of structure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looks_for: Vec<String>,
    /// A text or message that it lets pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<String>,
    /// One that it finds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
}

/// A shop's rules, compiled.
#[derive(Debug)]
pub struct RuleBook {
    phrases: Phrases,
    pub(crate) rules: Vec<PhraseRule>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) style: file::Style,
    pub(crate) structure: file::Structure,
    pub(crate) image_hosts: Vec<String>,
    pub(crate) languages: Vec<Lang>,
    pub(crate) flows: BTreeMap<String, FlowRules>,
    /// Made when the first text is checked: most of who opens a shop checks none.
    matchers: OnceLock<Matchers>,
    pub(crate) disclosures: Vec<Disclosure>,
    pub(crate) tone: BTreeMap<String, file::ToneBounds>,
    /// Things known of the reader that a message may show unseen.
    pub(crate) max_signals: Option<usize>,
    pub(crate) utm_allow: Vec<String>,
    severities: BTreeMap<String, Severity>,
    version: Digest,
}

impl RuleBook {
    /// Reads a rule file and a claims register.
    ///
    /// # Errors
    /// Everything wrong with either, each with file, line, column and the rule it is about.
    pub fn parse(
        rules_label: &str,
        rules_toml: &str,
        claims_label: &str,
        claims_toml: &str,
    ) -> Result<Self, RuleFileErrors> {
        read::book(rules_label, rules_toml, claims_label, claims_toml)
    }

    /// The content hash of both files and of the built-in word lists.
    pub fn version(&self) -> Digest {
        self.version
    }

    /// Makes what looks for phrases and patterns, which the first check would do otherwise.
    ///
    /// # Errors
    /// In words, when phrases are too many for this machine. Checks then find [`Self::UNUSABLE`] in everything.
    pub fn prepare(&self) -> Result<(), String> {
        self.matchers().map(|_| ())
    }

    /// The finding of a book that cannot be used, which blocks whatever is checked.
    pub const UNUSABLE: &str = "rules.unusable";

    pub(crate) fn matchers(&self) -> Result<&Matchers, String> {
        if let Some(made) = self.matchers.get() {
            return Ok(made);
        }
        let made = Matchers::of(&self.phrases)?;
        // Two who come at once both make it; one is kept.
        Ok(self.matchers.get_or_init(|| made))
    }

    /// Runs every rule. Worst first, then in reading order; the same draft always gives the same list.
    pub fn check(&self, draft: &Draft, facts: &FactBook, cx: &CheckContext<'_>) -> Vec<Finding> {
        checks::draft(self, draft, facts, cx)
    }

    /// Runs the rules of single texts only (words, figures, placeholders), as if every fact of the run were cited.
    pub fn check_texts(&self, texts: &[(Place, &str)], facts: &FactBook, cx: &CheckContext<'_>) -> Vec<Finding> {
        checks::texts(self, texts, facts, cx)
    }

    /// [`Self::check`] as evidence for exactly this content.
    ///
    /// # Errors
    /// When the draft cannot be serialised for its hash; it always can.
    pub fn report(
        &self,
        draft: &Draft,
        facts: &FactBook,
        cx: &CheckContext<'_>,
    ) -> Result<CheckReport, serde_json::Error> {
        Ok(CheckReport {
            content: draft.content_hash(facts)?,
            rules_version: self.version,
            findings: self.check(draft, facts, cx),
            checked_at: cx.now,
        })
    }

    /// A rule by id, built in or the shop's, or an approved claim as `claim:<id>`.
    pub fn explain(&self, id: &str) -> Option<RuleText> {
        if let Some(claim) = id.strip_prefix("claim:") {
            return self.explain_claim(claim);
        }
        let rule = rules::ALL.iter().find(|r| r.id == id);
        let words = self.rules.iter().find(|r| r.id == id);
        let owed = self.disclosures.iter().find(|d| d.id == id);
        let example = |pick: fn(&examples::Example) -> String| examples::of(id).map(pick);
        let (passes, fails) = (example(examples::Example::passing), example(examples::Example::failing));
        let text = |severity, [why, mend, owner, source]: [&str; 4], looks_for: Vec<String>| RuleText {
            id: id.to_owned(),
            severity,
            why: why.to_owned(),
            mend: mend.to_owned(),
            owner: owner.to_owned(),
            source: source.to_owned(),
            looks_for,
            passes: passes.clone(),
            fails: fails.clone(),
        };
        if let Some(found) = words {
            let about = [found.why.as_str(), &found.mend, &found.owner, &found.source];
            return Some(text(found.severity, about, found.looks_for.clone()));
        }
        if let Some(found) = owed {
            let about = [found.why.as_str(), &found.mend, &found.owner, &found.source];
            return Some(text(found.severity, about, found.en.iter().chain(&found.de).cloned().collect()));
        }
        let rule = rule?;
        Some(text(self.severity(rule), [rule.why, rule.mend, rule.owner, rule.source], Vec::new()))
    }

    fn explain_claim(&self, id: &str) -> Option<RuleText> {
        let claim = self.claims.iter().find(|c| c.id == id)?;
        let holds_for = match &claim.product_tag {
            Some(tag) => format!("products tagged `{tag}`"),
            None if claim.products.is_empty() => "every product".to_owned(),
            None => claim.products.join(", "),
        };
        Some(RuleText {
            id: format!("claim:{id}"),
            severity: Severity::Warn,
            why: format!("approved for {holds_for} until {}", claim.expires),
            mend: "use it word for word".to_owned(),
            owner: "legal".to_owned(),
            source: claim.evidence.clone(),
            looks_for: claim.text.clone(),
            passes: None,
            fails: None,
        })
    }

    /// The ids of all rules, built in and the shop's, in order.
    pub fn rule_ids(&self) -> BTreeSet<&str> {
        let ours = self.rules.iter().map(|r| r.id.as_str()).chain(self.disclosures.iter().map(|d| d.id.as_str()));
        rules::ALL.iter().map(|r| r.id).chain(ours).collect()
    }

    /// Parts that a text message may cost.
    pub fn sms_segments_max(&self) -> u32 {
        self.style.sms.segments_max
    }

    pub(crate) fn severity(&self, rule: &Rule) -> Severity {
        self.severities.get(rule.id).copied().unwrap_or(rule.severity).max(rule.severity)
    }

    pub(crate) fn flow(&self, flow: &FlowId) -> FlowRules {
        self.flows.get(flow.as_str()).copied().unwrap_or_default()
    }
}
