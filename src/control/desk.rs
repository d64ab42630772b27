//! What the active process does for the command line: the same calls that the command line makes itself when nobody drives.

use kit::tool::NoSend;
use kit::{Principal, Role};
use serde_json::{Value, json};
use shop::{Delivery, Source};

use super::wire::{Command, Reply};
use crate::access::{self, Shown};
use crate::approvals::{Asked, Assent};
use crate::runs::Signal;
use crate::tenant::Tenant;

/// Performs one command for a shop. The worker must look for what is due afterwards.
pub async fn perform(tenant: &Tenant, command: Command, token: Option<&str>) -> Reply {
    match done(tenant, command, token).await {
        Ok(value) => Reply::Done(value),
        Err(why) => Reply::Failed(why),
    }
}

/// The words of an error are all that goes over the socket.
fn words(error: impl std::error::Error) -> String {
    error.to_string()
}

/// Who asks: the socket is the owner's alone, a token says more.
async fn who(tenant: &Tenant, token: Option<&str>, name: &str, needed: Role, what: &str) -> Result<Principal, String> {
    let shown = Shown { token, name: Some(name) };
    access::known(&tenant.store, shown, needed, what, tenant.clock.now()).await.map_err(words)
}

/// What a decision was about.
fn about(approval: &kit::ApprovalId, asked: &Asked) -> Value {
    match asked {
        Asked::Message(message) => json!({ "approval": approval, "run": message.run }),
        Asked::Campaign(campaign) => json!({ "approval": approval, "campaign": campaign.campaign }),
    }
}

async fn done(tenant: &Tenant, command: Command, token: Option<&str>) -> Result<Value, String> {
    let (store, now) = (&tenant.store, tenant.clock.now());
    Ok(match command {
        Command::Ping | Command::Resume { run: None } => Value::Null,
        Command::Resume { run: Some(run) } => {
            tenant.resume_run(&run).await.map_err(words)?;
            json!({ "run": run })
        }
        Command::Approve { approval, by, seen, typed_count } => {
            let who = who(tenant, token, &by, Role::Approver, "approvals approve").await?;
            let assent = Assent { seen, typed_count };
            let signed = tenant.approve(&approval, &who, &assent).await.map_err(words)?;
            let mut told = about(&approval, &signed.asked);
            if let Some(fields) = told.as_object_mut() {
                fields.insert("missing".to_owned(), json!(signed.missing));
                fields.insert("recallable_until".to_owned(), json!(signed.recallable_until));
            }
            told
        }
        Command::Reject { approval, by, reason, revise, seen } => {
            let who = who(tenant, token, &by, Role::Approver, "approvals reject").await?;
            let asked = tenant.reject(&approval, &who, &reason, revise, seen.as_ref()).await.map_err(words)?;
            about(&approval, &asked)
        }
        Command::Recall { approval, by, reason } => {
            let who = who(tenant, token, &by, Role::Approver, "approvals recall").await?;
            let asked = tenant.recall(&approval, &who, &reason).await.map_err(words)?;
            about(&approval, &asked)
        }
        Command::Edit { approval, by, edit } => {
            let who = who(tenant, token, &by, Role::Marketer, "approvals edit").await?;
            let successor = tenant.edit(&approval, &who, edit).await.map_err(words)?;
            json!({ "approval": approval, "successor": successor })
        }
        Command::KillOn { scope, by, reason } => {
            let shown = Shown { token, name: Some(&by) };
            let who = access::known_or_owner(store, shown, Role::Admin, "kill on", now).await.map_err(words)?;
            store.kill_on(&scope, &reason, &who, now).await.map_err(words)?;
            json!({ "scope": scope, "on": true })
        }
        Command::KillOff { scope, by } => {
            let who = who(tenant, token, &by, Role::Admin, "kill off").await?;
            if !store.kill_off(&scope, &who, now).await.map_err(words)? {
                return Err(format!("{scope} was not stopped; see `mailwright kill list`"));
            }
            let released = Signal::Released.to_json().map_err(words)?;
            let woken = store.release_killed(&released, now).await.map_err(words)?;
            json!({ "scope": scope, "on": false, "woken": woken })
        }
        Command::Cancel { run, by, reason } => {
            let who = who(tenant, token, &by, Role::Marketer, "runs cancel").await?;
            tenant.cancel_run(&run, &who, &reason).await.map_err(words)?;
            json!({ "run": run })
        }
        Command::Trigger { source, topic, event_id, body } => {
            let source: Source = source.parse().map_err(words)?;
            let body = hex::decode(body).map_err(words)?;
            let delivery = Delivery {
                source,
                topic: &topic,
                body: &body,
                event_id: event_id.as_deref(),
                triggered_at: Some(now),
                received_at: now,
            };
            json!(tenant.take_in(&delivery).await.map_err(words)?)
        }
    })
}

/// Why a run cannot be called off or taken up again.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// No such run.
    #[error("there is no run {0}; see `mailwright runs list`")]
    Unknown(kit::RunId),
    /// It is over.
    #[error("run {run} is over ({state}): nothing is left to do about it")]
    Over {
        /// The run.
        run: kit::RunId,
        /// Where it stands.
        state: &'static str,
    },
    /// Storage.
    #[error(transparent)]
    Store(#[from] kit::StoreError),
}

impl Tenant {
    /// Lets a run that was parked because a step failed too often try again. One that ended parked stays as it ended.
    ///
    /// # Errors
    /// [`CancelError`] when there is no such run, or it is over.
    pub async fn resume_run(&self, id: &kit::RunId) -> Result<(), CancelError> {
        use crate::store::RunState;
        let run = self.store.run(id).await?.ok_or_else(|| CancelError::Unknown(id.clone()))?;
        if run.state == RunState::Done || run.outcome.is_some() {
            return Err(CancelError::Over { run: id.clone(), state: run.state.as_str() });
        }
        self.store.unpark(id, self.clock.now()).await?;
        Ok(())
    }

    /// Calls a run off, whatever it is doing: a message that is not handed over yet will not be. A parked one ends at once,
    /// any other when it is driven next.
    ///
    /// # Errors
    /// [`CancelError`].
    pub async fn cancel_run(&self, id: &kit::RunId, who: &Principal, reason: &str) -> Result<(), CancelError> {
        use crate::store::RunState;
        let run = self.store.run(id).await?.ok_or_else(|| CancelError::Unknown(id.clone()))?;
        let reason = NoSend { code: "cancelled".to_owned(), reason: format!("called off by {who}: {reason}") };
        let words = reason.reason.clone();
        match run.state {
            RunState::Done => return Err(CancelError::Over { run: id.clone(), state: run.state.as_str() }),
            RunState::Parked => {
                self.close_run(id, reason).await?;
                self.store.audit(who, "run.cancelled", id.as_str(), &words, self.clock.now()).await?;
            }
            RunState::Delayed | RunState::Ready | RunState::Waiting => {
                self.store.call_off(id, Signal::Cancel(reason).to_json()?, who, &words, self.clock.now()).await?;
            }
        }
        Ok(())
    }
}
