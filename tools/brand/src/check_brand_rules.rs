//! The tool `check_brand_rules`: tries texts and explains rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kit::message::{Finding, Place, Severity};
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError};
use kit::{FactKind, ShopId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::book::{CheckContext, RuleBook, RuleText};

/// What `check_brand_rules` needs from outside.
pub trait RuleBooks: Send + Sync {
    /// The shop's rules as they are now; `None` when it has none.
    fn rules(&self, shop: &ShopId) -> Option<Arc<RuleBook>>;
    /// The catalogue tags of a product, for claims that hold for a tag.
    fn product_tags(&self, shop: &ShopId, product: &str) -> BTreeSet<String>;
}

/// The tool.
#[derive(Clone)]
pub struct CheckBrandRules {
    books: Arc<dyn RuleBooks>,
}

impl CheckBrandRules {
    /// A tool over these rule books.
    pub fn new(books: Arc<dyn RuleBooks>) -> Self {
        Self { books }
    }
}

/// What the model asks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Texts to try; null when you only want a rule explained.
    #[schemars(length(min = 1, max = 12))]
    pub texts: Option<Vec<TextToCheck>>,
    /// The id of a rule to explain, such as "urgency.scarcity"; null otherwise.
    pub rule: Option<String>,
}

/// A text and where it would stand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextToCheck {
    /// Where it would stand.
    pub place: TextPlace,
    /// The words, with placeholders.
    #[schemars(length(min = 1, max = 900))]
    pub text: String,
}

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextPlace {
    /// A subject line.
    Subject,
    /// The preheader.
    Preheader,
    /// Heading, paragraph, reason or offer text.
    Body,
    /// The label of the call to action.
    Cta,
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Findings, worst first; absent when no text was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<FindingView>>,
    /// The rule asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleText>,
}

/// A finding as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingView {
    /// Position of the text in the list, from 0.
    pub text: usize,
    /// The rule.
    pub rule: String,
    /// What it would do to a message.
    pub severity: Severity,
    /// The words found.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Why the rule exists.
    pub why: String,
    /// How to mend it.
    pub mend: String,
}

impl Tool for CheckBrandRules {
    type Args = Args;
    type Output = Output;

    const NAME: &'static str = "check_brand_rules";
    const DESCRIPTION: &'static str = include_str!("check_brand_rules.md");
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Compose, Phase::Clear];

    async fn call(&self, cx: &ToolContext, args: Args) -> Result<Output, ToolError> {
        let book = self.books.rules(&cx.shop).ok_or_else(|| {
            ToolError::Fatal(format!("the shop {} has no brand rules: add knowledge/brand/rules.toml", cx.shop))
        })?;
        if args.texts.is_none() && args.rule.is_none() {
            return Err(ToolError::ForModel("give `texts` to check, a `rule` to explain, or both".to_owned()));
        }
        let rule = args.rule.as_deref().map(|id| explain(&book, id)).transpose()?;
        let findings = args.texts.map(|texts| self.try_texts(cx, &book, &texts));
        Ok(Output { findings, rule })
    }
}

impl CheckBrandRules {
    fn try_texts(&self, cx: &ToolContext, book: &RuleBook, texts: &[TextToCheck]) -> Vec<FindingView> {
        let product_tags: BTreeMap<String, BTreeSet<String>> = cx
            .facts
            .iter()
            .filter(|f| f.kind == FactKind::Product)
            .map(|f| (f.subject.clone(), self.books.product_tags(&cx.shop, &f.subject)))
            .collect();
        let context = CheckContext {
            language: &cx.subject.language,
            now: cx.now,
            shop_name: "",
            link_hosts: &[],
            flow: &cx.subject.flow,
            product_tags: &product_tags,
            learned: None,
        };
        let placed: Vec<(Place, &str)> =
            texts.iter().enumerate().map(|(index, t)| (place(index, t.place), t.text.as_str())).collect();
        let mut views = Vec::new();
        for (text, one) in placed.iter().enumerate() {
            let found = book.check_texts(std::slice::from_ref(one), &cx.facts, &context);
            views.extend(found.into_iter().map(|finding| view(text, finding)));
        }
        views.sort_by_key(|v| std::cmp::Reverse(v.severity));
        views
    }
}

fn explain(book: &RuleBook, id: &str) -> Result<RuleText, ToolError> {
    book.explain(id).ok_or_else(|| {
        let known: Vec<&str> = book.rule_ids().into_iter().collect();
        ToolError::ForModel(format!("there is no rule of that id; the rules are: {}", known.join(", ")))
    })
}

fn place(index: usize, place: TextPlace) -> Place {
    match place {
        TextPlace::Subject => Place::Subject { index },
        TextPlace::Preheader => Place::Preheader,
        TextPlace::Body => Place::Block { index, field: "text".to_owned() },
        TextPlace::Cta => Place::Block { index, field: "label".to_owned() },
    }
}

fn view(text: usize, finding: Finding) -> FindingView {
    FindingView {
        text,
        rule: finding.rule,
        severity: finding.severity,
        words: finding.excerpt,
        why: finding.why,
        mend: finding.mend,
    }
}
