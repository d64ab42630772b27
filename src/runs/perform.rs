//! Performing tool calls: through the registry, reads side by side, with bounded retries.

use std::sync::Arc;
use std::time::Duration;

use agent::{Machine, ToolAnswer, ToolCall};
use kit::message::{DraftRecord, Hold, SendState};
use kit::tool::{ErasedTool, NoSend, Registry, ToolContext, ToolError};
use kit::{ApprovalId, BoxFuture, RunId, ShopId, StoreError, Timestamp};
use tokio::task::JoinSet;

use super::Seed;

/// How often a tool that says "try again later" is tried again within one step.
const MAX_TOOL_RETRIES: u32 = 3;

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
}

/// Why calls could not be answered.
pub(super) enum Failed {
    /// The run cannot go on by itself.
    Fatal(String),
    /// Not now.
    Retry(String),
}

/// Runs one batch. Reads come together in a batch and run side by side; anything else comes alone.
pub(super) async fn calls(
    registry: &Registry,
    shop: &ShopId,
    run: &RunId,
    seed: &Seed,
    machine: &Machine,
    batch: &[(u32, ToolCall)],
    now: Timestamp,
) -> Result<Vec<ToolAnswer>, Failed> {
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
        return Ok(vec![one(registry.get(&call.name).cloned(), context(*ordinal), call.clone()).await?]);
    }
    let mut running = JoinSet::new();
    for (position, (ordinal, call)) in batch.iter().enumerate() {
        let (tool, cx, call) = (registry.get(&call.name).cloned(), context(*ordinal), call.clone());
        running.spawn(async move { (position, one(tool, cx, call).await) });
    }
    let mut answers = Vec::with_capacity(batch.len());
    while let Some(joined) = running.join_next().await {
        let (position, answer) = joined.map_err(|e| Failed::Fatal(format!("a tool stopped: {e}")))?;
        answers.push((position, answer?));
    }
    answers.sort_by_key(|(position, _)| *position);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

async fn one(tool: Option<Arc<dyn ErasedTool>>, cx: ToolContext, call: ToolCall) -> Result<ToolAnswer, Failed> {
    let Some(tool) = tool else {
        return Ok(ToolAnswer::error(&call, format!("there is no tool `{}` in this release", call.name)));
    };
    let mut attempt = 0;
    loop {
        match tool.call(&cx, &call.arguments).await {
            Ok(content) => {
                let (facts, disposition) = cx.finish();
                return Ok(ToolAnswer { facts, disposition, ..ToolAnswer::ok(&call, content) });
            }
            Err(ToolError::ForModel(words)) => {
                // Facts and dispositions of a call that failed never happened.
                cx.finish();
                return Ok(ToolAnswer::error(&call, words));
            }
            Err(ToolError::Fatal(why)) => return Err(Failed::Fatal(format!("{}: {why}", call.name))),
            Err(ToolError::Retry(why)) if attempt >= MAX_TOOL_RETRIES => {
                return Err(Failed::Retry(format!("{}: {why}", call.name)));
            }
            Err(ToolError::Retry(_)) => {
                cx.finish();
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
                attempt += 1;
            }
        }
    }
}
