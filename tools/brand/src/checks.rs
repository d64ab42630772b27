//! The checks, from single words to the whole message.

mod acts;
mod copied;
mod disclosure;
mod facts;
mod figures;
mod reader;
mod script;
mod slots;
mod strong;
mod structure;
mod style;
mod words;

use kit::message::{Block, Draft, Finding, Place, Severity};
use kit::{Fact, FactBook, FactKind};

use crate::book::{CheckContext, Disclosure, FlowRules, Matchers, PhraseRule, RuleBook, Scope};
use crate::phrases::Lang;
use crate::rules::{self, Rule};
use crate::text::Text;

/// Characters of a text shown in a finding.
const EXCERPT_CHARS: usize = 60;

/// One check in progress.
pub(crate) struct Scene<'a> {
    pub(crate) book: &'a RuleBook,
    pub(crate) matchers: &'a Matchers,
    pub(crate) cx: &'a CheckContext<'a>,
    pub(crate) facts: &'a FactBook,
    /// All that the run has learned, where it is known.
    pub(crate) learned: &'a FactBook,
    /// Words of facts that may not be typed.
    originals: Vec<copied::Original>,
    /// Facts the message leans on.
    pub(crate) cited: Vec<&'a Fact>,
    /// Offers the message shows.
    pub(crate) offers: Vec<&'a Fact>,
    /// Reviews the message shows.
    pub(crate) reviews: Vec<&'a Fact>,
    pub(crate) flow: FlowRules,
    /// The language whose word lists count.
    pub(crate) lang: Option<Lang>,
    /// Rules whose words were found, whether they held or not.
    pub(crate) hits: Vec<(String, Place)>,
    findings: Vec<Finding>,
}

/// The rule that a finding is about, built in or the shop's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken<'r> {
    pub(crate) rule: &'r str,
    pub(crate) severity: Severity,
    pub(crate) why: &'r str,
    pub(crate) owner: &'r str,
}

impl<'r> From<&'r PhraseRule> for Broken<'r> {
    fn from(rule: &'r PhraseRule) -> Self {
        Self { rule: &rule.id, severity: rule.severity, why: &rule.why, owner: &rule.owner }
    }
}

impl<'r> From<&'r Disclosure> for Broken<'r> {
    fn from(rule: &'r Disclosure) -> Self {
        Self { rule: &rule.id, severity: rule.severity, why: &rule.why, owner: &rule.owner }
    }
}

pub(crate) fn draft(book: &RuleBook, draft: &Draft, facts: &FactBook, cx: &CheckContext<'_>) -> Vec<Finding> {
    let matchers = match book.matchers() {
        Ok(matchers) => matchers,
        Err(why) => return vec![unusable(&why)],
    };
    let cited: Vec<&Fact> = draft.cited().iter().filter_map(|id| facts.get(id)).collect();
    let shown = |kind: FactKind| {
        draft
            .blocks
            .iter()
            .filter(|b| {
                matches!((b, kind), (Block::Offer { .. }, FactKind::Offer) | (Block::Review { .. }, FactKind::Review))
            })
            .filter_map(|b| facts.get(b.fact()?))
            .filter(|f| f.kind == kind)
            .collect::<Vec<_>>()
    };
    let mut scene = Scene {
        book,
        matchers,
        cx,
        facts,
        learned: cx.learned.unwrap_or(facts),
        originals: copied::originals(facts, cx.learned.unwrap_or(facts)),
        offers: shown(FactKind::Offer),
        reviews: shown(FactKind::Review),
        cited,
        flow: book.flow(cx.flow),
        lang: Lang::parse(draft.language.as_str()),
        hits: Vec::new(),
        findings: Vec::new(),
    };
    let texts: Vec<Text<'_>> =
        draft.texts().into_iter().map(|(place, raw)| Text::new(place, raw, Some(draft), facts, cx)).collect();
    for text in &texts {
        scene.text(text);
    }
    structure::check(&mut scene, draft, &texts);
    facts::check(&mut scene, draft);
    style::message(&mut scene, draft, &texts);
    reader::check(&mut scene, &texts, draft);
    disclosure::check(&mut scene, draft, &texts);
    scene.finish()
}

pub(crate) fn texts(book: &RuleBook, raw: &[(Place, &str)], facts: &FactBook, cx: &CheckContext<'_>) -> Vec<Finding> {
    let matchers = match book.matchers() {
        Ok(matchers) => matchers,
        Err(why) => return vec![unusable(&why)],
    };
    let of_kind = |kind: FactKind| facts.iter().filter(|f| f.kind == kind).collect::<Vec<_>>();
    let mut scene = Scene {
        book,
        matchers,
        cx,
        facts,
        learned: cx.learned.unwrap_or(facts),
        originals: copied::originals(facts, cx.learned.unwrap_or(facts)),
        cited: facts.iter().collect(),
        offers: of_kind(FactKind::Offer),
        reviews: of_kind(FactKind::Review),
        flow: book.flow(cx.flow),
        lang: Lang::parse(cx.language.as_str()),
        hits: Vec::new(),
        findings: Vec::new(),
    };
    for (place, raw) in raw {
        scene.text(&Text::new(place.clone(), raw, None, facts, cx));
    }
    scene.finish()
}

/// What is found in everything while the rules cannot be used: what was not checked does not leave.
fn unusable(why: &str) -> Finding {
    Finding {
        rule: RuleBook::UNUSABLE.to_owned(),
        severity: Severity::Block,
        place: Place::Whole,
        span: None,
        excerpt: String::new(),
        why: why.to_owned(),
        mend: "make the rule file smaller, or give the service more memory".to_owned(),
        owner: "engineering".to_owned(),
    }
}

impl<'a> Scene<'a> {
    fn text(&mut self, text: &Text<'_>) {
        let approved = words::check(self, text);
        figures::check(self, text, &approved);
        script::check(self, text);
        slots::check(self, text);
        copied::check(self, text);
        style::text(self, text);
    }

    /// Records what a built-in rule found.
    pub(crate) fn find(&mut self, rule: &Rule, place: &Place, span: Option<(usize, usize)>, excerpt: &str) {
        self.find_with(rule, place, span, excerpt, rule.mend);
    }

    /// The same with a remedy for exactly this case.
    pub(crate) fn find_with(
        &mut self,
        rule: &Rule,
        place: &Place,
        span: Option<(usize, usize)>,
        excerpt: &str,
        mend: impl Into<String>,
    ) {
        let severity = self.book.severity(rule);
        let broken = Broken { rule: rule.id, severity, why: rule.why, owner: rule.owner };
        self.record(broken, place, span, excerpt, mend.into());
    }

    pub(crate) fn record(
        &mut self,
        broken: Broken<'_>,
        place: &Place,
        span: Option<(usize, usize)>,
        excerpt: &str,
        mend: String,
    ) {
        self.findings.push(Finding {
            rule: broken.rule.to_owned(),
            severity: broken.severity,
            place: place.clone(),
            span,
            excerpt: excerpt.chars().filter(|c| !c.is_control()).take(EXCERPT_CHARS).collect(),
            why: broken.why.to_owned(),
            mend,
            owner: broken.owner.to_owned(),
        });
    }

    /// A product the message shows or names carries this tag, or is this product.
    pub(crate) fn cites_product(&self, fits: impl Fn(&str) -> bool) -> bool {
        self.cited.iter().any(|f| f.kind == FactKind::Product && fits(&f.subject))
    }

    fn finish(mut self) -> Vec<Finding> {
        self.findings.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| reading_order(&a.place).cmp(&reading_order(&b.place)))
                .then_with(|| (a.span, &a.rule, &a.excerpt).cmp(&(b.span, &b.rule, &b.excerpt)))
        });
        self.findings.dedup();
        self.findings
    }
}

fn reading_order(place: &Place) -> (u8, usize, &str) {
    match place {
        Place::Whole => (0, 0, ""),
        Place::Subject { index } => (1, *index, ""),
        Place::Preheader => (2, 0, ""),
        Place::Block { index, field } => (3, *index, field),
    }
}

/// Which scope a text belongs to.
pub(crate) fn scope_of(place: &Place, draft: Option<&Draft>) -> Scope {
    match place {
        Place::Subject { .. } => Scope::Subject,
        Place::Preheader => Scope::Preheader,
        Place::Block { index, field } => {
            let block = draft.and_then(|d| d.blocks.get(*index));
            if matches!(block, Some(Block::Cta { .. })) || (draft.is_none() && field == "label") {
                Scope::Cta
            } else {
                Scope::Body
            }
        }
        Place::Whole => Scope::Body,
    }
}

/// Service moments do not sell: an offer or urgency there is a finding whatever proves it.
pub(crate) fn service_moment(
    scene: &mut Scene<'_>,
    place: &Place,
    span: Option<(usize, usize)>,
    excerpt: &str,
) -> bool {
    if scene.flow.service {
        scene.find(&rules::SERVICE, place, span, excerpt);
    }
    scene.flow.service
}
