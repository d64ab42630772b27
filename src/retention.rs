//! Retention: how long each class of data is kept, what would go now, and letting it go.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use kit::message::DedupeKey;
use kit::{ApprovalId, Principal, RunId, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use crate::tenant::Tenant;

/// Where the policy stands in a release.
pub const RETENTION_FILE: &str = "knowledge/policy/retention.toml";
/// The schema this build reads.
const SCHEMA: &str = "mailwright.retention/1";
/// How long what customers wrote about is heeded, and kept where the policy says nothing.
pub(crate) const SAID_DAYS: u32 = 60;
/// The provider whose messages lie in the data folder.
const OUTBOX: &str = "outbox";
/// The folder of what approvers looked at.
const PREVIEWS: &str = "previews";

/// A class of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Bodies of webhooks that were worked in.
    Webhooks,
    /// What customers looked at.
    Activity,
    /// What their notes and tickets were about.
    Said,
    /// Words of messages that went out.
    Messages,
    /// Pages that approvers looked at.
    Previews,
    /// Transcripts of conversations about briefs.
    Conversations,
    /// Journals of runs that have ended (`keep_journals` of runs.toml).
    Journals,
}

impl Class {
    /// Every class, in the order of listings.
    pub const ALL: [Self; 7] = [
        Self::Webhooks,
        Self::Activity,
        Self::Said,
        Self::Messages,
        Self::Previews,
        Self::Conversations,
        Self::Journals,
    ];

    /// The name in the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhooks => "webhooks",
            Self::Activity => "activity",
            Self::Said => "said",
            Self::Messages => "messages",
            Self::Previews => "previews",
            Self::Conversations => "conversations",
            Self::Journals => "journals",
        }
    }
}

/// How long a class is kept, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Days.
    pub days: u32,
    /// Why so long and no longer.
    pub because: String,
}

/// The policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionPolicy {
    classes: BTreeMap<Class, Keep>,
}

/// A policy file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {why}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct RetentionError {
    file: String,
    line: Option<usize>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    schema: String,
    class: BTreeMap<Class, Keep>,
}

impl RetentionPolicy {
    /// Reads the policy.
    ///
    /// # Errors
    /// Names the line, or the class that is missing, kept for no time or for no reason.
    pub fn parse(file: &str, text: &str) -> Result<Self, RetentionError> {
        let fault = |line, why: String| RetentionError { file: file.to_owned(), line, why };
        let mut read: PolicyFile = toml::from_str(text).map_err(|e| {
            let line = e.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
            fault(line, e.message().to_owned())
        })?;
        if read.schema != SCHEMA {
            return Err(fault(None, format!("this build reads schema \"{SCHEMA}\"")));
        }
        if read.class.contains_key(&Class::Journals) {
            return Err(fault(None, "journals have their line in runs.toml: keep_journals".to_owned()));
        }
        // Policies of earlier programs do not know this class.
        let said = || Keep { days: SAID_DAYS, because: "nothing looks further back".to_owned() };
        read.class.entry(Class::Said).or_insert_with(said);
        for class in Class::ALL.into_iter().filter(|class| *class != Class::Journals) {
            let name = class.as_str();
            match read.class.get(&class) {
                None => return Err(fault(None, format!("[class.{name}] is missing"))),
                Some(keep) if !(1..=3_660).contains(&keep.days) => {
                    return Err(fault(None, format!("[class.{name}]: days must lie in 1..3660")));
                }
                Some(keep) if keep.because.trim().is_empty() => {
                    return Err(fault(None, format!("[class.{name}]: say why: because = \"…\"")));
                }
                Some(_) => {}
            }
        }
        Ok(Self { classes: read.class })
    }
}

/// What is too old of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The class.
    pub class: Class,
    /// Days it is kept; `None` is for good.
    pub days: Option<u32>,
    /// Why.
    pub because: String,
    /// Everything from before this time goes.
    pub before: Option<Timestamp>,
    /// How many there are: rows, or files.
    pub items: u64,
}

impl Tenant {
    /// What would go now, by class.
    ///
    /// # Errors
    /// When storage or the data folder cannot be read.
    pub async fn retention_due(&self) -> Result<Vec<Due>, StoreError> {
        let mut due = Vec::new();
        for (class, keep, before) in self.kept() {
            let items = match before {
                None => 0,
                Some(before) => match class {
                    Class::Webhooks => self.store.old_webhooks(before).await?,
                    Class::Activity => self.store.old_activity(before).await?,
                    Class::Said => self.store.old_said(before).await?,
                    Class::Messages => self.store.old_messages(before).await?,
                    Class::Previews => self.old_previews(before).await?.len() as u64,
                    Class::Conversations => self.store.old_conversations(before).await?,
                    Class::Journals => self.store.old_journals(before).await?,
                },
            };
            due.push(Due {
                class,
                days: keep.as_ref().map(|k| k.days),
                because: keep.map_or_else(|| "runs.toml has no keep_journals".to_owned(), |k| k.because),
                before,
                items,
            });
        }
        Ok(due)
    }

    /// Lets everything go that is too old, and says how much of each class went.
    ///
    /// # Errors
    /// When storage or the data folder cannot be written; what went before stays gone.
    pub async fn let_go(&self, who: &Principal) -> Result<Vec<Due>, StoreError> {
        let now = self.clock.now();
        let mut gone = Vec::new();
        for mut due in self.retention_due().await? {
            let Some(before) = due.before.filter(|_| due.items > 0) else {
                due.items = 0;
                gone.push(due);
                continue;
            };
            due.items = match due.class {
                Class::Webhooks => self.store.empty_webhooks(before).await?,
                Class::Activity => self.store.drop_activity(before).await?,
                Class::Said => self.store.drop_said(before).await?,
                Class::Messages => self.empty_messages(before, now).await?,
                Class::Previews => {
                    let old = self.old_previews(before).await?;
                    for file in &old {
                        std::fs::remove_file(file)
                            .map_err(|e| StoreError::Unwritable(format!("{}: {e}", file.display())))?;
                    }
                    old.len() as u64
                }
                Class::Conversations => self.store.prune_conversations(before, who, now).await?,
                // This one has a row of its own in the trail.
                Class::Journals => self.store.prune_journals(before, who, now).await?,
            };
            if due.class != Class::Journals {
                let detail = format!("{} of {} from before {before}", due.items, due.class.as_str());
                self.store.audit(who, "retention.applied", due.class.as_str(), &detail, now).await?;
            }
            gone.push(due);
        }
        Ok(gone)
    }

    /// Each class with how long it is kept, and from when on what is older goes.
    fn kept(&self) -> Vec<(Class, Option<Keep>, Option<Timestamp>)> {
        let now = self.clock.now();
        let ago = |kept: SignedDuration| now.checked_sub(kept).unwrap_or(Timestamp::MIN);
        let journals = self.release.runs.keep_journals;
        let kept = |class| match class {
            Class::Journals => {
                let days = journals.map(|kept| u32::try_from(kept.as_hours() / 24).unwrap_or(u32::MAX));
                let because = "replays, comparisons and cases for evals need them (runs.toml)".to_owned();
                (days.map(|days| Keep { days, because }), journals.map(ago))
            }
            class => {
                let keep = self.release.retention.classes.get(&class).cloned();
                let before = keep.as_ref().map(|keep| ago(SignedDuration::from_hours(24 * i64::from(keep.days))));
                (keep, before)
            }
        };
        Class::ALL
            .into_iter()
            .map(|class| {
                let (keep, before) = kept(class);
                (class, keep, before)
            })
            .collect()
    }

    async fn empty_messages(&self, before: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        let mut emptied = 0;
        loop {
            let keys: Vec<DedupeKey> = self.store.empty_messages(before, now).await?;
            if keys.is_empty() {
                return Ok(emptied);
            }
            emptied += keys.len() as u64;
            // Another provider keeps what it has by its own terms.
            if self.delivery.esp.name() != OUTBOX {
                continue;
            }
            for key in keys {
                self.delivery.esp.erase(key).await.map_err(|e| StoreError::Unwritable(e.to_string()))?;
            }
        }
    }

    /// Pages of requests that were asked before a time, and of runs that ended before it.
    async fn old_previews(&self, before: Timestamp) -> Result<Vec<std::path::PathBuf>, StoreError> {
        let folder = self.store.store().dir().join(PREVIEWS);
        let said = |e: std::io::Error| StoreError::Unwritable(format!("{}: {e}", folder.display()));
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(said(e)),
        };
        let mut old = Vec::new();
        for entry in entries {
            let path = entry.map_err(said)?.path();
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else { continue };
            let asked = match ApprovalId::new(name.clone()) {
                Ok(id) => self.store.approval(&id).await?.map(|approval| approval.created_at),
                Err(_) => None,
            };
            let since = match (asked, RunId::new(name)) {
                (None, Ok(run)) => self.store.run(&run).await?.map(|run| run.updated_at),
                (asked, _) => asked,
            };
            if since.is_some_and(|at| at < before) {
                old.push(path);
            }
        }
        Ok(old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../knowledge/policy/retention.toml");

    #[test]
    fn the_shipped_policy_names_every_class_with_a_reason() {
        let policy = RetentionPolicy::parse(RETENTION_FILE, SHIPPED).unwrap();
        let days: Vec<(Class, u32)> = policy.classes.iter().map(|(class, keep)| (*class, keep.days)).collect();
        assert_eq!(
            days,
            [
                (Class::Webhooks, 90),
                (Class::Activity, 400),
                (Class::Said, SAID_DAYS),
                (Class::Messages, 730),
                (Class::Previews, 30),
                (Class::Conversations, 365)
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let told = |text: &str| RetentionPolicy::parse("r.toml", text).unwrap_err().to_string();
        assert_eq!(
            told(&SHIPPED.replace("days = 90", "days = 0")),
            "r.toml: [class.webhooks]: days must lie in 1..3660"
        );
        assert!(told(&SHIPPED.replace("[class.activity]", "[class.audit]")).contains("unknown variant `audit`"));
        let journals = format!("{SHIPPED}\n[class.journals]\ndays = 1\nbecause = \"x\"\n");
        assert_eq!(told(&journals), "r.toml: journals have their line in runs.toml: keep_journals");
        let older = SHIPPED.replace("[class.said]", "[class.old]").split("[class.old]").next().unwrap().to_owned()
            + &SHIPPED[SHIPPED.find("[class.messages]").unwrap()..];
        assert_eq!(RetentionPolicy::parse("r.toml", &older).unwrap().classes[&Class::Said].days, SAID_DAYS);
        let missing = SHIPPED.split("[class.conversations]").next().unwrap();
        assert_eq!(told(missing), "r.toml: [class.conversations] is missing");
    }
}
