//! How far a flow is trusted: earned from what people approved as it was written, confirmed by an admin, lost at once.
//!
//! It counts only where risk.toml says `trust = "earned"`, and only against the reason that nobody knows the flow yet: VIPs,
//! regulated goods, new offers, doubts and findings still need a person. A high-risk flow is never trusted.

use approval::{Bar, TrustLevel, TrustRules};
use kit::message::DedupeKey;
use kit::{FlowId, Principal, Role, RunId, StoreError};
use serde::Serialize;

use crate::delivery::Delivery;
use crate::eval::stats::Rate;
use crate::flows::RiskClass;
use crate::store::{SendRow, TrustKey, TrustRecord, TrustRow, Verdict};
use crate::tenant::Tenant;

/// Sends that are looked through for notices, newest first.
const MOST_NOTICES: u32 = 1_000;

/// How a flow stands with a release and a model.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    /// What it is about.
    #[serde(flatten)]
    pub key: TrustKey,
    /// How far it is trusted now.
    pub level: TrustLevel,
    /// The level as it was set last.
    pub set: Option<TrustRow>,
    /// The newest decisions.
    pub record: TrustRecord,
    /// The lower end of the 95 % interval of the share that was approved as written, in per cent.
    pub at_least_percent: f64,
    /// True for the release in force.
    pub in_force: bool,
    /// A level that the record would carry and that an admin may confirm.
    pub proposal: Option<TrustLevel>,
    /// Why it stands there, in words.
    pub why: String,
}

/// Why a level was not raised.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The role is too low.
    #[error("{who} may not raise how far a flow is trusted: it takes an admin")]
    NoRole {
        /// Who tried.
        who: String,
    },
    /// The release has no such flow.
    #[error("the release in force has no flow `{0}`; see `mailwright prompts list`")]
    NoFlow(FlowId),
    /// Nobody has decided about it yet.
    #[error("nobody has decided about messages of {0} under the release in force; approve some first")]
    NoRecord(FlowId),
    /// Several models wrote for it.
    #[error("several models wrote for {flow}; say which with --model: {}", .models.join(", "))]
    Which {
        /// The flow.
        flow: FlowId,
        /// The models.
        models: Vec<String>,
    },
    /// The record does not carry it.
    #[error("{flow} has not earned `{}`: {why}", .wanted.as_str())]
    NotEarned {
        /// The flow.
        flow: FlowId,
        /// The level.
        wanted: TrustLevel,
        /// Why.
        why: String,
    },
    /// No such send, or a person had approved it.
    #[error("there is no send {0} that left without an approval; see `mailwright approvals trust notices`")]
    NoNotice(String),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The lower end of the interval, in per cent.
fn at_least(record: TrustRecord) -> f64 {
    Rate::wilson(u64::from(record.unchanged), u64::from(record.decisions)).low * 100.0
}

/// True when a record clears a bar.
fn clears(record: TrustRecord, bar: Bar) -> bool {
    record.decisions >= bar.decisions && at_least(record) >= f64::from(bar.at_least_percent)
}

/// The highest level that a record carries.
fn earned(record: TrustRecord, rules: &TrustRules) -> TrustLevel {
    if clears(record, rules.automatic) {
        TrustLevel::Automatic
    } else if clears(record, rules.notify) {
        TrustLevel::Notify
    } else {
        TrustLevel::Approve
    }
}

impl Delivery {
    /// How far the writer of a run's message is trusted now: the level that an admin confirmed, as far as the record still
    /// carries it.
    pub(crate) async fn trust(&self, flow: &FlowId, run: &RunId) -> Result<TrustLevel, StoreError> {
        let high = self.release.flows.get(flow).is_none_or(|flow| flow.rules.risk == RiskClass::High);
        let Some(model) = (if high { None } else { self.store.writer_of(run).await? }) else {
            return Ok(TrustLevel::Approve);
        };
        let key = TrustKey { flow: flow.clone(), release: self.release.digest, model };
        let set = self.store.trust_level(&key).await?;
        if set == TrustLevel::Approve {
            return Ok(set);
        }
        let rules = &self.release.approvals.trust;
        let record = self.store.trust_record(&key, rules.window).await?;
        Ok(set.min(earned(record, rules)))
    }
}

impl Tenant {
    /// How every flow stands that people have decided about, those of the release in force first.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn trust(&self) -> Result<Vec<Standing>, StoreError> {
        let rules = &self.release.approvals.trust;
        let mut standings = Vec::new();
        for (key, set) in self.store.trust_keys().await? {
            let record = self.store.trust_record(&key, rules.window).await?;
            let in_force = key.release == self.release.digest;
            let high = self.release.flows.get(&key.flow).is_none_or(|flow| flow.rules.risk == RiskClass::High);
            let carried = if high || !in_force { TrustLevel::Approve } else { earned(record, rules) };
            let level = set.as_ref().map_or(TrustLevel::Approve, |row| row.level).min(carried);
            let why = self.why(&key.flow, in_force, high, record, set.as_ref());
            let proposal = (carried > level).then_some(carried);
            let at_least_percent = at_least(record);
            standings.push(Standing { key, level, set, record, at_least_percent, in_force, proposal, why });
        }
        standings.sort_by_key(|standing| !standing.in_force);
        Ok(standings)
    }

    fn why(&self, flow: &FlowId, in_force: bool, high: bool, record: TrustRecord, set: Option<&TrustRow>) -> String {
        let rules = &self.release.approvals.trust;
        if !in_force {
            return "another release is in force: what was earned ended with it".to_owned();
        }
        if high {
            return "a high-risk flow is always approved".to_owned();
        }
        let so_far = format!(
            "{} of the last {} approved as written, at least {:.0} % (notify: {} and {} %; automatic: {} and {} %)",
            record.unchanged,
            record.decisions,
            at_least(record),
            rules.notify.decisions,
            rules.notify.at_least_percent,
            rules.automatic.decisions,
            rules.automatic.at_least_percent,
        );
        let counts = match self.release.risk.trust(flow) {
            approval::Trust::Earned => "",
            approval::Trust::Review | approval::Trust::First { .. } | approval::Trust::Open => {
                "; risk.toml does not say trust = \"earned\" for it, so the level has no effect"
            }
        };
        match set {
            Some(row) => format!("{so_far}; set by {}: {}{counts}", row.set_by, row.why),
            None => format!("{so_far}{counts}"),
        }
    }

    /// Confirms a level that the record carries, as an admin.
    ///
    /// # Errors
    /// [`TrustError`]; nothing has changed then.
    pub async fn raise_trust(
        &self,
        flow: &FlowId,
        model: Option<&str>,
        to: TrustLevel,
        who: &Principal,
    ) -> Result<Standing, TrustError> {
        match who {
            Principal::User { role: Role::Admin, .. } => {}
            Principal::User { .. } | Principal::Flow { .. } | Principal::System => {
                return Err(TrustError::NoRole { who: who.name() });
            }
        }
        if !self.release.flows.contains_key(flow) {
            return Err(TrustError::NoFlow(flow.clone()));
        }
        let found = self.trust().await?;
        let mut of_flow: Vec<Standing> = found.into_iter().filter(|s| s.in_force && s.key.flow == *flow).collect();
        of_flow.retain(|standing| model.is_none_or(|model| standing.key.model == model));
        let standing = match of_flow.as_slice() {
            [] => return Err(TrustError::NoRecord(flow.clone())),
            [one] => one.clone(),
            many => {
                let models = many.iter().map(|standing| standing.key.model.clone()).collect();
                return Err(TrustError::Which { flow: flow.clone(), models });
            }
        };
        let carried = standing.proposal.unwrap_or(standing.level);
        if to > carried || to == TrustLevel::Approve {
            return Err(TrustError::NotEarned { flow: flow.clone(), wanted: to, why: standing.why });
        }
        let (window, now) = (self.release.approvals.trust.window, self.clock.now());
        self.store.raise_trust(&standing.key, to, window, standing.record, who, now).await?;
        Ok(Standing { level: to, proposal: (carried > to).then_some(carried), ..standing })
    }

    /// Lowers every level of a flow, as anybody who may look at its messages and say why.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn lower_trust(&self, flow: &FlowId, who: &Principal, why: &str) -> Result<u32, StoreError> {
        self.store.lower_trust(flow, None, who, why, self.clock.now()).await
    }

    /// Objects to a message that left without an approval: it counts as rejected, and every level of its flow falls.
    ///
    /// # Errors
    /// [`TrustError::NoNotice`], or when storage cannot answer.
    pub async fn object(&self, key: DedupeKey, who: &Principal, why: &str) -> Result<FlowId, TrustError> {
        let no_notice = || TrustError::NoNotice(key.to_string());
        let sends = self.store.sends(MOST_NOTICES).await?;
        let send = sends.into_iter().find(|send| send.key == key.to_string() && send.approval.is_none());
        let send = send.ok_or_else(no_notice)?;
        let flow = FlowId::new(send.flow).map_err(|_| no_notice())?;
        let about = Some((send.key, send.run, Verdict::Rejected));
        self.store.lower_trust(&flow, about, who, why, self.clock.now()).await?;
        Ok(flow)
    }

    /// Messages that left without an approval because their flow is at [`TrustLevel::Notify`], newest first.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn notices(&self) -> Result<Vec<SendRow>, StoreError> {
        let told: Vec<(String, kit::Timestamp)> = self
            .trust()
            .await?
            .into_iter()
            .filter(|standing| standing.level == TrustLevel::Notify)
            .filter_map(|standing| Some((standing.key.flow.to_string(), standing.set?.at)))
            .collect();
        let sends = self.store.sends(MOST_NOTICES).await?.into_iter();
        let unseen = |send: &SendRow| {
            send.approval.is_none() && told.iter().any(|(flow, since)| *flow == send.flow && *since <= send.reserved_at)
        };
        Ok(sends.filter(unseen).collect())
    }
}
