//! Relations that a merchandiser wrote down, as TOML.
//!
//! ```toml
//! [[intent]]
//! id = "first-multi-day-hike"
//! label = "your first multi-day hike"
//! label_de = "die erste Mehrtagestour"      # optional, as every *_de
//! products = ["TT-1001", "TT-1402"]
//!
//! [[edge]]
//! from = "TT-1001"
//! to = "TT-1402"
//! relation = "accessory"                     # accessory | substitute | next
//! weight = 0.9                               # 0 to 1
//! why = "keeps the membrane breathing"
//!
//! [[guide]]
//! id = "care-for-membranes"
//! title = "Caring for membranes"
//! url = "https://shop.example/guides/membranes"
//! summary = "Wash, dry, re-proof: three steps a season."
//! intent = "first-multi-day-hike"            # optional
//! products = ["TT-1001"]
//! ```

use std::collections::BTreeSet;
use std::fmt;

use kit::{GuideId, IntentId, Language, ProductId};
use serde::Deserialize;
use toml::Spanned;

use crate::model::Relation;

/// A text in English and, where somebody wrote it, in German.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bilingual {
    en: String,
    de: Option<String>,
}

impl Bilingual {
    /// The text in this language; `None` rather than another language.
    pub(crate) fn only_in(&self, language: &Language) -> Option<&str> {
        if *language == Language::DE { self.de.as_deref() } else { Some(&self.en) }
    }

    /// The text in this language, else the English one: for things that exist in English only, such as a guide.
    pub(crate) fn best_in(&self, language: &Language) -> &str {
        self.only_in(language).unwrap_or(&self.en)
    }
}

/// A value and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) line: usize,
    pub(crate) value: T,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) id: At<IntentId>,
    pub(crate) label: Bilingual,
    pub(crate) products: Vec<At<ProductId>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CuratedEdge {
    pub(crate) from: At<ProductId>,
    pub(crate) to: At<ProductId>,
    pub(crate) relation: Relation,
    pub(crate) weight: f32,
    pub(crate) why: Bilingual,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guide {
    pub(crate) id: At<GuideId>,
    pub(crate) title: Bilingual,
    pub(crate) url: String,
    pub(crate) summary: Bilingual,
    pub(crate) intent: Option<At<IntentId>>,
    pub(crate) products: Vec<At<ProductId>>,
}

/// What one file says, checked in itself. Whether its products exist is checked by the builder.
#[derive(Debug, Clone, PartialEq)]
pub struct Curated {
    pub(crate) file: String,
    pub(crate) intents: Vec<Intent>,
    pub(crate) edges: Vec<CuratedEdge>,
    pub(crate) guides: Vec<Guide>,
}

/// A file that cannot be used; every fault found is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CuratedError {
    /// The file, as the caller names it.
    pub file: String,
    /// The faults in order of line.
    pub faults: Vec<CuratedFault>,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CuratedFault {
    /// The line, counted from 1, where the reader of TOML can tell.
    pub line: Option<usize>,
    /// What is wrong.
    pub kind: CuratedFaultKind,
}

/// What can be wrong in a curated file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CuratedFaultKind {
    /// Not TOML, a missing, unknown or mistyped key.
    #[error("{0}")]
    Toml(String),
    /// An id that no id type takes.
    #[error("{0}")]
    Id(#[from] kit::InvalidId),
    /// A relation nobody knows.
    #[error("unknown relation `{0}`; use accessory, substitute or next")]
    Relation(String),
    /// A weight that is no share.
    #[error("weight {0} is out of range; use more than 0 and at most 1")]
    Weight(String),
    /// A text that says nothing.
    #[error("`{0}` is empty; write a few words or leave an optional key out")]
    Empty(&'static str),
    /// An edge that starts where it ends.
    #[error("`{0}` is related to itself; name two products")]
    Loop(ProductId),
    /// The same thing twice.
    #[error("{0} is given twice; keep one")]
    Twice(String),
    /// A link that is not absolute https.
    #[error("`{0}` is no absolute https link")]
    Url(String),
}

impl fmt::Display for CuratedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            match fault.line {
                Some(line) => write!(f, "{separator}{}:{line}: {}", self.file, fault.kind)?,
                None => write!(f, "{separator}{}: {}", self.file, fault.kind)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for CuratedError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    intent: Vec<RawIntent>,
    #[serde(default)]
    edge: Vec<RawEdge>,
    #[serde(default)]
    guide: Vec<RawGuide>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIntent {
    id: Spanned<String>,
    label: Spanned<String>,
    label_de: Option<Spanned<String>>,
    products: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEdge {
    from: Spanned<String>,
    to: Spanned<String>,
    relation: Spanned<String>,
    weight: Spanned<f32>,
    why: Spanned<String>,
    why_de: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGuide {
    id: Spanned<String>,
    title: Spanned<String>,
    title_de: Option<Spanned<String>>,
    url: Spanned<String>,
    summary: Spanned<String>,
    summary_de: Option<Spanned<String>>,
    intent: Option<Spanned<String>>,
    products: Vec<Spanned<String>>,
}

impl Curated {
    /// The file's name, as errors have it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Reads one file. `file` is how errors name it.
    ///
    /// # Errors
    /// All faults with their lines; a fault of syntax hides the others.
    pub fn parse(file: &str, text: &str) -> Result<Self, CuratedError> {
        let mut reader = Reader::new(text);
        let raw: RawFile = toml::from_str(text).map_err(|error| CuratedError {
            file: file.to_owned(),
            faults: vec![CuratedFault {
                line: error.span().map(|span| reader.line(span.start)),
                kind: CuratedFaultKind::Toml(error.message().to_owned()),
            }],
        })?;
        let intents: Vec<Intent> = raw.intent.into_iter().filter_map(|i| reader.intent(i)).collect();
        let edges: Vec<CuratedEdge> = raw.edge.into_iter().filter_map(|e| reader.edge(e)).collect();
        let guides: Vec<Guide> = raw.guide.into_iter().filter_map(|g| reader.guide(g)).collect();
        reader.no_repeats(&intents, &edges, &guides);
        if reader.faults.is_empty() {
            return Ok(Self { file: file.to_owned(), intents, edges, guides });
        }
        reader.faults.sort_by_key(|fault| fault.line);
        Err(CuratedError { file: file.to_owned(), faults: reader.faults })
    }
}

/// Turns raw entries into checked ones and collects the faults on the way.
struct Reader {
    /// Where lines end, in bytes.
    ends: Vec<usize>,
    faults: Vec<CuratedFault>,
}

impl Reader {
    fn new(text: &str) -> Self {
        Self { ends: text.match_indices('\n').map(|(at, _)| at).collect(), faults: Vec::new() }
    }

    fn line(&self, byte: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < byte)
    }

    fn fault(&mut self, line: usize, kind: CuratedFaultKind) {
        self.faults.push(CuratedFault { line: Some(line), kind });
    }

    fn id<T: TryFrom<String, Error = kit::InvalidId>>(&mut self, raw: Spanned<String>) -> Option<At<T>> {
        let line = self.line(raw.span().start);
        match T::try_from(raw.into_inner()) {
            Ok(value) => Some(At { line, value }),
            Err(error) => {
                self.fault(line, error.into());
                None
            }
        }
    }

    fn ids<T: TryFrom<String, Error = kit::InvalidId>>(&mut self, raw: Vec<Spanned<String>>) -> Vec<At<T>> {
        raw.into_iter().filter_map(|id| self.id(id)).collect()
    }

    fn words(&mut self, key: &'static str, raw: Spanned<String>) -> String {
        if raw.get_ref().trim().is_empty() {
            let line = self.line(raw.span().start);
            self.fault(line, CuratedFaultKind::Empty(key));
        }
        raw.into_inner().trim().to_owned()
    }

    fn bilingual(&mut self, keys: [&'static str; 2], en: Spanned<String>, de: Option<Spanned<String>>) -> Bilingual {
        let [key, key_de] = keys;
        Bilingual { en: self.words(key, en), de: de.map(|de| self.words(key_de, de)) }
    }

    fn intent(&mut self, raw: RawIntent) -> Option<Intent> {
        let label = self.bilingual(["label", "label_de"], raw.label, raw.label_de);
        let products = self.ids(raw.products);
        Some(Intent { id: self.id(raw.id)?, label, products })
    }

    fn edge(&mut self, raw: RawEdge) -> Option<CuratedEdge> {
        let why = self.bilingual(["why", "why_de"], raw.why, raw.why_de);
        let relation = self.relation(raw.relation);
        let weight = self.weight(raw.weight);
        let (from, to) = (self.id::<ProductId>(raw.from), self.id::<ProductId>(raw.to));
        let (from, to) = (from?, to?);
        if from.value == to.value {
            self.fault(from.line, CuratedFaultKind::Loop(from.value));
            return None;
        }
        Some(CuratedEdge { from, to, relation: relation?, weight: weight?, why })
    }

    fn relation(&mut self, raw: Spanned<String>) -> Option<Relation> {
        match raw.get_ref().as_str() {
            "accessory" => Some(Relation::Accessory),
            "substitute" => Some(Relation::Substitute),
            "next" => Some(Relation::Next),
            other => {
                let kind = CuratedFaultKind::Relation(shorten(other));
                let line = self.line(raw.span().start);
                self.fault(line, kind);
                None
            }
        }
    }

    fn weight(&mut self, raw: Spanned<f32>) -> Option<f32> {
        let weight = *raw.get_ref();
        if weight > 0.0 && weight <= 1.0 {
            return Some(weight);
        }
        let line = self.line(raw.span().start);
        self.fault(line, CuratedFaultKind::Weight(weight.to_string()));
        None
    }

    fn guide(&mut self, raw: RawGuide) -> Option<Guide> {
        let title = self.bilingual(["title", "title_de"], raw.title, raw.title_de);
        let summary = self.bilingual(["summary", "summary_de"], raw.summary, raw.summary_de);
        let line = self.line(raw.url.span().start);
        let url = raw.url.into_inner();
        if !is_https(&url) {
            self.fault(line, CuratedFaultKind::Url(shorten(&url)));
        }
        let products = self.ids(raw.products);
        let intent = raw.intent.and_then(|intent| self.id(intent));
        Some(Guide { id: self.id(raw.id)?, title, url, summary, intent, products })
    }

    fn no_repeats(&mut self, intents: &[Intent], edges: &[CuratedEdge], guides: &[Guide]) {
        let mut seen = BTreeSet::new();
        let edge_name = |e: &CuratedEdge| format!("{} -{}-> {}", e.from.value, e.relation.name(), e.to.value);
        let names = (intents.iter().map(|i| (i.id.line, format!("intent {}", i.id.value))))
            .chain(edges.iter().map(|e| (e.from.line, edge_name(e))))
            .chain(guides.iter().map(|g| (g.id.line, format!("guide {}", g.id.value))));
        for (line, name) in names {
            if !seen.insert(name.clone()) {
                self.fault(line, CuratedFaultKind::Twice(name));
            }
        }
    }
}

fn is_https(url: &str) -> bool {
    let host = url.strip_prefix("https://").unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    host.contains('.') && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Keeps hostile input out of messages.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
