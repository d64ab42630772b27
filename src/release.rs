//! A release: one content-hashed set of prompts, rules, policy and settings.
//!
//! prompts/ and knowledge/ are compiled in as defaults; what a shop runs is a release in its own database. Reading a release
//! reads *everything* in it: a file that is wrong anywhere is an error naming file and line, and the release in force stays.

mod settings;
mod vet;

use std::collections::BTreeMap;
use std::sync::Arc;

use approval::{RiskPolicy, SendingPolicy};
use brand::RuleBook;
use graph::Curated;
use include_dir::{Dir, include_dir};
use kit::Digest;
use offers::Ladder;

use crate::flows::{Flow, Flows};
use crate::store::Limits;

pub use settings::{ShopSettings, ShopSettingsError};
pub use vet::VetError;

/// The prompt library as shipped.
static PROMPTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/prompts");
/// Rules, policy and the sample shop as shipped.
static KNOWLEDGE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/knowledge");

/// The schemas of the tools, which follow from the binary and not from a person's edit.
pub(crate) const TOOLS: &str = "tools.json";

/// The files of a release by their path.
pub type Files = BTreeMap<String, String>;

/// A release, read and checked.
#[derive(Debug)]
pub struct Release {
    /// Its hash.
    pub digest: Digest,
    /// The standing instructions, with the brand's voice.
    pub system: String,
    /// The flows.
    pub flows: Flows,
    /// The content rules.
    pub rules: Arc<RuleBook>,
    /// The offer ladder.
    pub ladder: Arc<Ladder>,
    /// What needs a person.
    pub risk: Arc<RiskPolicy>,
    /// Caps, quiet hours, holdout.
    pub sending: Arc<SendingPolicy>,
    /// Who the shop is.
    pub shop: ShopSettings,
    /// Curated relations of the product graph.
    pub curated: Vec<Curated>,
    /// Sentence patterns of the offline model, by language.
    pub offline: Arc<crate::model::offline::Patterns>,
}

/// A release that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A file is missing.
    #[error("the release has no file {0}")]
    Missing(String),
    /// A flow file.
    #[error(transparent)]
    Flow(#[from] crate::flows::FlowError),
    /// The content rules.
    #[error("{0}")]
    Rules(Box<brand::RuleFileErrors>),
    /// The offer ladder.
    #[error(transparent)]
    Ladder(#[from] offers::LadderErrors),
    /// The risk or sending policy.
    #[error(transparent)]
    Policy(#[from] approval::PolicyError),
    /// The shop's settings.
    #[error(transparent)]
    Shop(#[from] ShopSettingsError),
    /// The curated graph.
    #[error(transparent)]
    Curated(#[from] graph::CuratedError),
    /// The offline model's patterns.
    #[error(transparent)]
    Offline(#[from] crate::model::offline::PatternError),
    /// Something in it can only be a mistake.
    #[error(transparent)]
    Vet(#[from] VetError),
}

/// The shipped prompts and rules with the sample shop's settings: what a new installation starts from.
pub fn defaults() -> Files {
    let mut files = Files::new();
    collect(&PROMPTS, "prompts", &mut files);
    collect(&KNOWLEDGE, "knowledge", &mut files);
    // The sample shop's products and people are data, not rules; they are planted, not released.
    files.retain(|path, _| !path.starts_with("knowledge/sample-shop/") || is_setting(path));
    files.into_iter().map(|(path, text)| (path.replacen("knowledge/sample-shop/", "knowledge/", 1), text)).collect()
}

fn is_setting(path: &str) -> bool {
    path == "knowledge/sample-shop/shop.toml" || path.starts_with("knowledge/sample-shop/graph/")
}

/// Files of the sample shop that are data: products, personas, webhooks.
pub fn sample_files() -> Files {
    let mut files = Files::new();
    collect(&KNOWLEDGE, "knowledge", &mut files);
    files
        .into_iter()
        .filter_map(|(path, text)| path.strip_prefix("knowledge/sample-shop/").map(|p| (p.to_owned(), text)))
        .collect()
}

fn collect(dir: &Dir<'_>, root: &str, files: &mut Files) {
    for file in dir.files() {
        if let Some(text) = file.contents_utf8() {
            files.insert(format!("{root}/{}", file.path().display()), text.to_owned());
        }
    }
    for inner in dir.dirs() {
        collect(inner, root, files);
    }
}

impl Release {
    /// Reads and checks every file.
    ///
    /// # Errors
    /// The first file that is wrong, by name and line.
    pub fn read(digest: Digest, files: &Files) -> Result<Self, ReleaseError> {
        let file =
            |path: &str| files.get(path).map(String::as_str).ok_or_else(|| ReleaseError::Missing(path.to_owned()));
        let below =
            |dir: &str| -> Vec<(&String, &String)> { files.iter().filter(|(path, _)| path.starts_with(dir)).collect() };
        let (rules, claims) = ("knowledge/brand/rules.toml", "knowledge/brand/claims.toml");
        let shop = ShopSettings::parse("knowledge/shop.toml", file("knowledge/shop.toml")?)?;
        let voice = file("knowledge/brand/voice.md")?;
        let system = with_shop_name(file("prompts/agent/system.md")?, &shop.identity.name);
        Ok(Self {
            digest,
            system: format!("{}\n\n# The voice of {}\n\n{}", system.trim(), shop.identity.name, demote(voice)),
            flows: below("prompts/flows/")
                .into_iter()
                .map(|(path, text)| Flow::parse(path, text).map(|flow| (flow.rules.id.clone(), flow)))
                .collect::<Result<_, _>>()?,
            rules: Arc::new(
                RuleBook::parse(rules, file(rules)?, claims, file(claims)?)
                    .map_err(|e| ReleaseError::Rules(Box::new(e)))?,
            ),
            ladder: Arc::new(Ladder::parse("knowledge/offers/ladder.toml", file("knowledge/offers/ladder.toml")?)?),
            risk: Arc::new(RiskPolicy::parse("knowledge/policy/risk.toml", file("knowledge/policy/risk.toml")?)?),
            sending: Arc::new(SendingPolicy::parse(
                "knowledge/policy/sending.toml",
                file("knowledge/policy/sending.toml")?,
            )?),
            curated: below("knowledge/graph/")
                .into_iter()
                .map(|(path, text)| Curated::parse(path, text))
                .collect::<Result<_, _>>()?,
            offline: Arc::new(crate::model::offline::Patterns::parse(&below("prompts/offline/"))?),
            shop,
        })
    }

    /// What must hold of a release that is about to go in force, beyond being readable.
    ///
    /// # Errors
    /// The first thing in it that can only be a mistake.
    pub fn vet(&self, files: &Files) -> Result<(), ReleaseError> {
        Ok(vet::vet(files, self)?)
    }

    /// What the ledger compares against while this release is in force.
    pub fn limits(&self) -> Limits {
        let sending = &self.sending;
        Limits {
            rules: self.rules.version(),
            cap_day: sending.cap_day,
            cap_week: sending.cap_week,
            quiet: sending.quiet,
            holdout_percent: sending.holdout_percent,
        }
    }
}

/// Fills in the shop's name where it is meant. Between backquotes the text speaks of the placeholder itself, which a model
/// has to read as it is to write it.
fn with_shop_name(text: &str, name: &str) -> String {
    let mut parts = text.split('`');
    let mut out = parts.next().unwrap_or_default().replace("{{shop.name}}", name);
    for (at, part) in parts.enumerate() {
        out.push('`');
        if at % 2 == 0 { out.push_str(part) } else { out.push_str(&part.replace("{{shop.name}}", name)) }
    }
    out
}

/// The voice is a document of its own; inside the system prompt its headings stand one level down.
fn demote(markdown: &str) -> String {
    let lines =
        markdown.trim().lines().map(|line| if line.starts_with('#') { format!("#{line}") } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}
