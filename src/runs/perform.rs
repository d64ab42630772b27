//! Performing tool calls: through the registry, reads side by side, with bounded retries.

use std::sync::Arc;

use agent::{Machine, ToolAnswer, ToolCall};
use kit::message::{DraftRecord, Hold, SendState};
use kit::tool::{ErasedTool, NoSend, Registry, ToolContext, ToolError};
use kit::{ApprovalId, BoxFuture, FactBook, RunId, ShopId, StoreError, Timestamp};
use tokio::task::JoinSet;

use super::{RetryPolicy, Seed};
use crate::delivery::StandIn;
use crate::store::Approval;

/// Hands a drafted message to clearance and ledger. Implemented by [`crate::delivery`].
pub trait Deliverer: Send + Sync {
    /// Clears, reserves and dispatches; an approval stands in for policy when a person gave one.
    fn deliver<'a>(
        &'a self,
        run: &'a RunId,
        seed: &'a Seed,
        draft: &'a DraftRecord,
        approval: Option<&'a ApprovalId>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>>;

    /// True when the cause of a hold is gone, or the message is too late anyway: hand over again, the ledger decides.
    fn lifted<'a>(&'a self, seed: &'a Seed, hold: &'a Hold, now: Timestamp) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// What makes a message impossible anyway; asked before the first model call.
    fn admissible<'a>(&'a self, seed: &'a Seed, now: Timestamp) -> BoxFuture<'a, Result<Option<NoSend>, StoreError>>;

    /// What stands in for a message that nobody decided about in time; `facts` is what its run has learned. Nothing, where
    /// nothing is handed over either.
    fn stand_in<'a>(
        &'a self,
        _seed: &'a Seed,
        _expired: &'a Approval,
        _facts: &'a FactBook,
        _now: Timestamp,
    ) -> BoxFuture<'a, Result<StandIn, StoreError>> {
        Box::pin(async { Ok(StandIn::Nothing) })
    }
}

/// Why calls could not be answered.
pub(super) enum Failed {
    /// The run cannot go on by itself.
    Fatal(String),
    /// Not now.
    Retry(String),
}

/// What calls are run with.
pub(super) struct Bench<'a> {
    pub(super) registry: &'a Registry,
    pub(super) shop: &'a ShopId,
    pub(super) run: &'a RunId,
    pub(super) seed: &'a Seed,
    pub(super) retry: RetryPolicy,
}

/// Runs one batch. Reads come together in a batch and run side by side; anything else comes alone.
pub(super) async fn calls(
    bench: &Bench<'_>,
    machine: &Machine,
    batch: &[(u32, ToolCall)],
    now: Timestamp,
) -> Result<Vec<ToolAnswer>, Failed> {
    let Bench { registry, shop, run, seed, retry } = *bench;
    let subject = Arc::new(seed.subject.clone());
    let talk = machine.talk().map(Arc::new);
    let context = |ordinal| {
        ToolContext::new(
            shop.clone(),
            run.clone(),
            seed.principal.clone(),
            now,
            subject.clone(),
            machine.facts().clone(),
            machine.draft().cloned(),
            ordinal,
        )
        .in_talk(talk.clone())
    };
    if let [(ordinal, call)] = batch {
        return Ok(vec![one(registry.get(&call.name).cloned(), context(*ordinal), call.clone(), retry).await?]);
    }
    let mut running = JoinSet::new();
    for (position, (ordinal, call)) in batch.iter().enumerate() {
        let (tool, cx, call) = (registry.get(&call.name).cloned(), context(*ordinal), call.clone());
        running.spawn(async move { (position, one(tool, cx, call, retry).await) });
    }
    let mut answers = Vec::with_capacity(batch.len());
    while let Some(joined) = running.join_next().await {
        let (position, answer) = joined.map_err(|e| Failed::Fatal(format!("a tool stopped: {e}")))?;
        answers.push((position, answer?));
    }
    answers.sort_by_key(|(position, _)| *position);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

async fn one(
    tool: Option<Arc<dyn ErasedTool>>,
    cx: ToolContext,
    call: ToolCall,
    retry: RetryPolicy,
) -> Result<ToolAnswer, Failed> {
    let Some(tool) = tool else {
        return Ok(ToolAnswer::error(&call, format!("there is no tool `{}` in this release", call.name)));
    };
    let mut failed = 0;
    loop {
        let tried = tokio::time::timeout(retry.deadline.unsigned_abs(), tool.call(&cx, &call.arguments)).await;
        let error = match tried {
            Ok(Ok(content)) => {
                let (facts, disposition) = cx.finish();
                return Ok(ToolAnswer { facts, disposition, ..ToolAnswer::ok(&call, content) });
            }
            Ok(Err(error)) => error,
            Err(_) => ToolError::Retry(format!("it took longer than {:#}", retry.deadline)),
        };
        // Facts and dispositions of a call that failed never happened.
        cx.finish();
        match error {
            ToolError::ForModel(words) => return Ok(ToolAnswer::error(&call, words)),
            ToolError::Fatal(why) => return Err(Failed::Fatal(format!("{}: {why}", call.name))),
            ToolError::Retry(why) => {
                failed += 1;
                if failed >= retry.attempts {
                    return Err(Failed::Retry(format!("{}: {why}", call.name)));
                }
                tokio::time::sleep(retry.sleep(failed)).await;
            }
        }
    }
}
