//! What would other content rules have said about the messages of the last days? Every draft that a run wrote stands in its journal,
//! with the facts it cited: a candidate rule file is tried on all of them before it becomes a release.

use agent::Input;
use brand::{CheckContext, RuleBook};
use jiff::SignedDuration;
use kit::message::{BrandScore, DraftRecord, Finding, Severity};
use kit::tool::Disposition;
use kit::{RunId, StoreError, Timestamp};
use serde::Serialize;

use crate::runs::ReplayError;
use crate::tenant::Tenant;

/// Runs looked at, at most.
const RUNS: u32 = 10_000;

/// A message that the candidate judges otherwise.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    /// The run that wrote it.
    pub run: RunId,
    /// Its first subject, as written.
    pub subject: String,
    /// The brand score under the present rules.
    pub score_now: u8,
    /// Under the candidate.
    pub score_then: u8,
    /// Findings that only the candidate has.
    pub added: Vec<Finding>,
    /// Findings that only the present rules have.
    pub dropped: Vec<Finding>,
}

impl Changed {
    /// True when the message would not have left.
    pub fn blocks(&self) -> bool {
        self.added.iter().any(|f| f.severity == Severity::Block)
    }
}

/// What came of a trial.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RuleTrial {
    /// Messages looked at.
    pub messages: usize,
    /// Those the candidate judges otherwise.
    pub changed: Vec<Changed>,
    /// Runs that could not be read, with the reason.
    pub unread: Vec<String>,
}

/// Why there was no trial.
#[derive(Debug, thiserror::Error)]
pub enum RuleTrialError {
    /// A time before the calendar begins.
    #[error("`since` lies before the calendar begins; give fewer days")]
    Since,
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RuleTrialError {
    /// True when the same may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Since => false,
            Self::Store(error) => error.is_retryable(),
        }
    }
}

impl Tenant {
    /// Tries a candidate on every message that runs wrote within so many days: each run's last accepted draft.
    ///
    /// # Errors
    /// [`RuleTrialError`]; a run that cannot be replayed is named in the answer instead.
    pub async fn try_rules(
        &self,
        candidate: &RuleBook,
        days: u32,
        now: Timestamp,
    ) -> Result<RuleTrial, RuleTrialError> {
        let since =
            now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).map_err(|_| RuleTrialError::Since)?;
        let mut trial = RuleTrial::default();
        for run in self.store.runs(RUNS).await?.into_iter().filter(|run| run.updated_at >= since) {
            let story = match self.replay(&run.id).await {
                Ok(replayed) => replayed.story,
                Err(ReplayError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    trial.unread.push(error.to_string());
                    continue;
                }
            };
            let answers = story
                .into_iter()
                .filter_map(|(_, i)| if let Input::Tools { answers, .. } = i { Some(answers) } else { None });
            let last = answers.flatten().filter_map(|answer| {
                if let Some(Disposition::Drafted { draft, .. }) = answer.disposition { Some(draft) } else { None }
            });
            if let Some(draft) = last.reduce(|_, later| later) {
                trial.messages += 1;
                trial.changed.extend(self.compare(candidate, &run.id, &run.flow, &draft));
            }
        }
        Ok(trial)
    }

    fn compare(&self, candidate: &RuleBook, run: &RunId, flow: &kit::FlowId, record: &DraftRecord) -> Option<Changed> {
        let shop = &self.release.shop.identity;
        let tags = crate::toolbox::tags(&self.catalog, &record.facts);
        let context = CheckContext {
            language: &record.draft.language,
            // As it was judged: offers and claims of then were in force then.
            now: record.report.checked_at,
            shop_name: &shop.name,
            link_hosts: &shop.link_hosts,
            flow,
            product_tags: &tags,
            learned: None,
        };
        let now = self.release.rules.check(&record.draft, &record.facts, &context);
        let then = candidate.check(&record.draft, &record.facts, &context);
        let without = |these: &[Finding], others: &[Finding]| {
            these.iter().filter(|f| !others.contains(f)).cloned().collect::<Vec<_>>()
        };
        let (added, dropped) = (without(&then, &now), without(&now, &then));
        let subject = record.draft.subjects.first().cloned().unwrap_or_default();
        (!added.is_empty() || !dropped.is_empty()).then(|| Changed {
            run: run.clone(),
            subject,
            score_now: BrandScore::of(&now).total,
            score_then: BrandScore::of(&then).total,
            added,
            dropped,
        })
    }
}
