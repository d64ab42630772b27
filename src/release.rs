//! A release: one content-hashed set of prompts, rules, policy and settings.
//!
//! prompts/ and knowledge/ are compiled in as defaults; what a shop runs is a release in its own database. Reading a release
//! reads *everything* in it: a file that is wrong anywhere is an error naming file and line, and the release in force stays.

mod controls;
mod settings;
mod vet;

use std::collections::BTreeMap;
use std::sync::Arc;

use approval::{ApprovalPolicy, RiskPolicy, SendingPolicy};
use brand::RuleBook;
use graph::Curated;
use include_dir::{Dir, include_dir};
use kit::campaign::BRIEF_FLOW;
use kit::message::HoursTable;
use kit::{Digest, FlowId};
use offers::Ladder;

use crate::flows::{Flow, Flows};
use crate::retention::{RETENTION_FILE, RetentionError, RetentionPolicy};
use crate::runs::{RUN_POLICY_FILE, RunPolicy, RunPolicyError};
use crate::store::Limits;

pub use controls::{Button, Control, ControlError, ControlText, Target};
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
    /// What stands at the head of a conversation about a brief, with a worked example. A release made
    /// before there were conversations has none.
    pub briefing: Option<String>,
    /// What stands at the head of a run that writes a message class, with the brand's voice.
    pub class_system: String,
    /// Why readers get a campaign, and the offline model's sentences for classes, by language.
    pub classes: Arc<crate::model::offline::ClassPatterns>,
    /// What a model that reads texts from outside is told.
    pub reading: String,
    /// The flows.
    pub flows: Flows,
    /// What flows send when nobody decided in time, by flow.
    pub controls: BTreeMap<FlowId, Control>,
    /// The content rules.
    pub rules: Arc<RuleBook>,
    /// The offer ladder.
    pub ladder: Arc<Ladder>,
    /// What needs a person.
    pub risk: Arc<RiskPolicy>,
    /// Who signs what, and by when.
    pub approvals: Arc<ApprovalPolicy>,
    /// Caps, quiet hours, holdout.
    pub sending: Arc<SendingPolicy>,
    /// When text messages may arrive.
    pub sms_hours: Arc<HoursTable>,
    /// Deadlines and retries of runs.
    pub runs: Arc<RunPolicy>,
    /// How long data is kept.
    pub retention: Arc<RetentionPolicy>,
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
    /// A placeholder that nothing fills.
    #[error("{file}, line {line}: the only placeholder here is {{{{shop.name}}}}")]
    Placeholder {
        /// The file.
        file: String,
        /// The line.
        line: usize,
    },
    /// A flow file with a name that is taken.
    #[error("{0}: `{BRIEF_FLOW}` is the name of conversations about campaigns; name the flow otherwise")]
    Reserved(String),
    /// A flow file.
    #[error(transparent)]
    Flow(#[from] crate::flows::FlowError),
    /// A control.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The content rules.
    #[error("{0}")]
    Rules(Box<brand::RuleFileErrors>),
    /// The offer ladder.
    #[error(transparent)]
    Ladder(#[from] offers::LadderErrors),
    /// The risk or sending policy.
    #[error(transparent)]
    Policy(#[from] approval::PolicyError),
    /// The policy of runs.
    #[error(transparent)]
    Runs(#[from] RunPolicyError),
    /// The policy of retention.
    #[error(transparent)]
    Retention(#[from] RetentionError),
    /// The shop's settings.
    #[error(transparent)]
    Shop(#[from] ShopSettingsError),
    /// The curated graph.
    #[error(transparent)]
    Curated(#[from] graph::CuratedError),
    /// The sentences for message classes.
    #[error(transparent)]
    Classes(#[from] crate::model::offline::ClassPatternError),
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
    // Neither are prices of models: they belong to the installation.
    files.retain(|path, _| !path.starts_with("knowledge/models/"));
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

/// What releases of earlier programs do not hold yet.
const ADDED_LATER: [&str; 5] = [
    "prompts/classes/",
    "prompts/reading/",
    "knowledge/policy/sms-hours.toml",
    "knowledge/policy/approvals.toml",
    RETENTION_FILE,
];

/// The files, with the shipped ones where a release is older than they are.
fn with_later_files(files: &Files) -> Files {
    let mut all = files.clone();
    for (path, text) in defaults() {
        if ADDED_LATER.iter().any(|later| path.starts_with(later)) {
            all.entry(path).or_insert(text);
        }
    }
    all
}

impl Release {
    /// Reads and checks every file.
    ///
    /// # Errors
    /// The first file that is wrong, by name and line.
    pub fn read(digest: Digest, files: &Files) -> Result<Self, ReleaseError> {
        let files = &with_later_files(files);
        let file =
            |path: &str| files.get(path).map(String::as_str).ok_or_else(|| ReleaseError::Missing(path.to_owned()));
        let below =
            |dir: &str| -> Vec<(&String, &String)> { files.iter().filter(|(path, _)| path.starts_with(dir)).collect() };
        let (rules, claims) = ("knowledge/brand/rules.toml", "knowledge/brand/claims.toml");
        let shop = ShopSettings::parse("knowledge/shop.toml", file("knowledge/shop.toml")?)?;
        let voice = file("knowledge/brand/voice.md")?;
        let system = with_shop_name(file("prompts/agent/system.md")?, &shop.identity.name);
        // Both files or neither: a release of a time before conversations is whole without them.
        let briefing = if below("prompts/chat/").is_empty() {
            None
        } else {
            let system = file("prompts/chat/system.md")?.replace("{{shop.name}}", &shop.identity.name);
            if let Some(line) = system.lines().position(|line| line.contains("{{")) {
                return Err(ReleaseError::Placeholder { file: "prompts/chat/system.md".to_owned(), line: line + 1 });
            }
            Some(format!("{}\n\n# An example\n\n{}", system.trim(), file("prompts/chat/example.md")?.trim()))
        };
        let reserved = format!("prompts/flows/{BRIEF_FLOW}.md");
        if files.contains_key(&reserved) {
            return Err(ReleaseError::Reserved(reserved));
        }
        let flows: Flows = below("prompts/flows/")
            .into_iter()
            .map(|(path, text)| Flow::parse(path, text).map(|flow| (flow.rules.id.clone(), flow)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            digest,
            controls: controls::read(&below("prompts/controls/"), &flows)?,
            briefing,
            reading: file("prompts/reading/system.md")?.trim().to_owned(),
            system: format!("{}\n\n# The voice of {}\n\n{}", system.trim(), shop.identity.name, demote(voice)),
            class_system: format!(
                "{}\n\n# The voice of {}\n\n{}",
                file("prompts/classes/system.md")?.replace("{{shop.name}}", &shop.identity.name).trim(),
                shop.identity.name,
                demote(voice)
            ),
            classes: Arc::new(crate::model::offline::ClassPatterns::parse(&below("prompts/classes/"))?),
            flows,
            rules: Arc::new(
                RuleBook::parse(rules, file(rules)?, claims, file(claims)?)
                    .map_err(|e| ReleaseError::Rules(Box::new(e)))?,
            ),
            ladder: Arc::new(Ladder::parse("knowledge/offers/ladder.toml", file("knowledge/offers/ladder.toml")?)?),
            risk: Arc::new(RiskPolicy::parse("knowledge/policy/risk.toml", file("knowledge/policy/risk.toml")?)?),
            approvals: Arc::new(ApprovalPolicy::parse(
                "knowledge/policy/approvals.toml",
                file("knowledge/policy/approvals.toml")?,
            )?),
            sending: Arc::new(SendingPolicy::parse(
                "knowledge/policy/sending.toml",
                file("knowledge/policy/sending.toml")?,
            )?),
            sms_hours: Arc::new(approval::sms_hours(
                "knowledge/policy/sms-hours.toml",
                file("knowledge/policy/sms-hours.toml")?,
            )?),
            runs: Arc::new(match files.get(RUN_POLICY_FILE) {
                Some(text) => RunPolicy::parse(RUN_POLICY_FILE, text)?,
                // Releases from before there was such a file.
                None => RunPolicy::shipped()?,
            }),
            retention: Arc::new(RetentionPolicy::parse(RETENTION_FILE, file(RETENTION_FILE)?)?),
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
            sms_hours: Some(HoursTable::clone(&self.sms_hours)),
            recall_seconds: self.approvals.recall_seconds,
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
