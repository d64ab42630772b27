//! A shop set up once for its terms: stages are copies of it.
//!
//! Setting a shop up takes a hundred times as long as a case: migrations, a release that is read and vetted, an index, a
//! graph. All of that is the same for every stage of the same terms, and is done once for all workers.

use std::collections::BTreeMap;
use std::sync::Arc;

use kit::{ShopId, Timestamp};
use tempfile::TempDir;
use testkit::RecordingEsp;
use tokio::sync::Mutex;
use toml::{Table, Value};

use super::stage::{Props, StageError};
use super::suite::{Terms, Trust};
use super::world;
use crate::clock::SetClock;
use crate::release::Files;
use crate::store::Store;
use crate::tenant::{Fixtures, Parts, Tenant};

/// A shop as it was set up: its data folder, and what was read to open it.
pub struct Template {
    pub(super) props: Arc<Props>,
    /// Its release's files, terms included, as they were meant.
    pub(super) files: Files,
    pub(super) shop: ShopId,
    pub(super) fixtures: Fixtures,
    /// The shop in the oracle's terms.
    pub(super) told: oracle::world::Shop,
    /// Its limits in the oracle's terms, without what a case adds.
    pub(super) limits: oracle::world::Limits,
    // Removed with everything in it at the end.
    folder: TempDir,
}

/// Templates by their terms, made when first asked for.
pub struct Templates {
    props: Arc<Props>,
    made: Mutex<BTreeMap<Terms, Arc<Template>>>,
}

impl Templates {
    /// Templates of these props.
    pub fn of(props: Arc<Props>) -> Self {
        Self { props, made: Mutex::default() }
    }

    /// The template of these terms.
    ///
    /// # Errors
    /// [`StageError`].
    pub async fn get(&self, terms: &Terms) -> Result<Arc<Template>, StageError> {
        let mut made = self.made.lock().await;
        if let Some(template) = made.get(terms) {
            return Ok(template.clone());
        }
        let template = Arc::new(Template::set_up(&self.props, terms).await?);
        made.insert(terms.clone(), template.clone());
        Ok(template)
    }
}

impl Template {
    /// Sets a shop up, with everybody whom each case finds there.
    async fn set_up(props: &Arc<Props>, terms: &Terms) -> Result<Self, StageError> {
        // Before every story, so that a change in a story is never older than the shop.
        let now = Timestamp::UNIX_EPOCH;
        let mut files = props.files.clone();
        apply(terms, &mut files)?;
        let mut wired = files.clone();
        props.wiring.files(&mut wired);
        let folder = tempfile::tempdir()?;
        let store = Store::open_scratch(folder.path()).await?;
        let shop = Tenant::set_up(&store, wired, now).await?;
        store.shop(&shop).put_products(props.rows().to_vec(), now).await?;
        let parts = Parts::new(Arc::new(SetClock::at(now)), Arc::new(RecordingEsp::default()), Vec::new());
        let tenant = Tenant::open(&store, &shop, parts).await?;
        world::plant_bystanders(&tenant.store).await?;
        let fixtures = tenant.fixtures().await?;
        drop(tenant);
        // Closed, all of it lies in the files that are copied.
        store.close().await;
        let (told, limits) = (world::shop(&files), world::limits(&files));
        Ok(Self { props: props.clone(), files, shop, fixtures, told, limits, folder })
    }

    /// A copy of the data folder.
    pub(super) fn copy(&self) -> std::io::Result<TempDir> {
        let copy = tempfile::tempdir()?;
        for entry in std::fs::read_dir(self.folder.path())? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
            }
        }
        Ok(copy)
    }
}

const RISK: &str = "knowledge/policy/risk.toml";
const SENDING: &str = "knowledge/policy/sending.toml";
const RULES: &str = "knowledge/brand/rules.toml";

/// Changes policy as the terms say.
fn apply(terms: &Terms, files: &mut Files) -> Result<(), StageError> {
    edit(files, SENDING, |sending| {
        sending.insert("holdout_percent".to_owned(), Value::from(i64::from(terms.holdout_percent)));
        for (key, cap) in [("cap_day", terms.cap_day), ("cap_week", terms.cap_week)] {
            if let Some(cap) = cap {
                sending.insert(key.to_owned(), Value::from(i64::from(cap)));
            }
        }
        if let Some((from, to)) = terms.quiet {
            let hours = [("from", from), ("to", to)].map(|(key, hour)| (key.to_owned(), Value::from(i64::from(hour))));
            sending.insert("quiet".to_owned(), Value::Table(hours.into_iter().collect()));
        }
    })?;
    edit(files, RISK, |risk| {
        for flow in risk.get_mut("flow").and_then(Value::as_table_mut).into_iter().flat_map(|flows| flows.iter_mut()) {
            let Some(rules) = flow.1.as_table_mut() else { continue };
            // A first watch counts what others sent: a case must not depend on them.
            let watched = rules.get("trust").and_then(Value::as_str) == Some("first");
            if watched || terms.trust == Trust::Review {
                rules.remove("first_sends");
                let trust = if terms.trust == Trust::Review { "review" } else { "open" };
                rules.insert("trust".to_owned(), Value::from(trust));
            }
        }
    })?;
    terms.banned.iter().try_for_each(|phrase| ban(files, phrase))
}

/// Forbids a phrase, as the shop's brand team would.
pub(super) fn ban(files: &mut Files, phrase: &str) -> Result<(), StageError> {
    edit(files, RULES, |rules| {
        let entries = [
            ("id", Value::from(format!("case.{}", kit::Digest::of_bytes(phrase.as_bytes()).short()))),
            ("severity", Value::from("block")),
            ("why", Value::from("the case forbids it")),
            ("mend", Value::from("say it in other words")),
            ("owner", Value::from("eval")),
            ("source", Value::from("the case")),
            ("any", Value::Array(vec![Value::from(phrase)])),
        ];
        let entry: Table = entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let phrases = rules.entry("phrase").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(phrases) = phrases.as_array_mut() {
            phrases.push(Value::Table(entry));
        }
    })
}

/// Changes one TOML file of a release.
pub(super) fn edit(files: &mut Files, file: &'static str, change: impl FnOnce(&mut Table)) -> Result<(), StageError> {
    let bad = |why: String| StageError::File { file, why };
    let text = files.get(file).ok_or_else(|| bad("the release has no such file".to_owned()))?;
    let mut table: Table = text.parse().map_err(|e: toml::de::Error| bad(e.message().to_owned()))?;
    change(&mut table);
    files.insert(file.to_owned(), toml::to_string(&table).map_err(|e| bad(e.to_string()))?);
    Ok(())
}
