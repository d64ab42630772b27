//! What the API says and takes, as types: the OpenAPI document is made from them.

use kit::message::{LedgerRow, SendState};
use kit::{CustomerId, EventId, FlowId, RunId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{InboxRow, JournalRow, KillSwitch, Run, SendRow};

/// A run: one execution of a flow for one customer.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct RunView {
    run: RunId,
    flow: FlowId,
    customer: CustomerId,
    /// What makes it distinct, such as the cart.
    occasion: String,
    /// `delayed`, `ready`, `waiting`, `parked` or `done`.
    state: String,
    /// What it waits for, in words.
    waits_for: Option<String>,
    /// When it goes on by itself (RFC 3339).
    wake_at: Option<String>,
    /// How it ended.
    outcome: Option<Value>,
    /// RFC 3339.
    created_at: String,
}

impl RunView {
    pub(super) fn of(run: &Run) -> Self {
        Self {
            run: run.id.clone(),
            flow: run.flow.clone(),
            customer: run.customer.clone(),
            occasion: run.occasion.clone(),
            state: run.state.as_str().to_owned(),
            waits_for: run.wait_for.clone(),
            wake_at: run.wake_at.map(|at| at.to_string()),
            outcome: run.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok()),
            created_at: run.created_at.to_string(),
        }
    }
}

/// A run with its journal.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct RunDetail {
    #[serde(flatten)]
    pub(super) run: RunView,
    pub(super) steps: Vec<StepView>,
}

/// One journaled step.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct StepView {
    /// Position, from 1.
    seq: u32,
    /// The step's kind.
    step: String,
    /// Hash over everything up to and with this step.
    hash: String,
    /// RFC 3339.
    at: String,
    /// What happened.
    input: Value,
}

impl StepView {
    pub(super) fn of(row: &JournalRow) -> Self {
        Self {
            seq: row.seq,
            step: row.step.clone(),
            hash: row.input_hash.to_string(),
            at: row.at.to_string(),
            input: serde_json::from_str(&row.body).unwrap_or(Value::Null),
        }
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// A send: no content, no address.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct SendView {
    /// The dedupe key.
    key: String,
    run: RunId,
    customer: CustomerId,
    flow: String,
    /// `reserved`, `sent`, `unknown` or `refused`.
    state: String,
    /// The approval that cleared it; absent when policy did.
    approval: Option<String>,
    /// RFC 3339.
    reserved_at: String,
    /// RFC 3339.
    settled_at: Option<String>,
}

impl SendView {
    pub(super) fn of(row: &SendRow) -> Self {
        Self {
            key: row.key.clone(),
            run: row.run.clone(),
            customer: row.customer.clone(),
            flow: row.flow.clone(),
            state: row.state.as_str().to_owned(),
            approval: row.approval.clone(),
            reserved_at: row.reserved_at.to_string(),
            settled_at: row.settled_at.map(|at| at.to_string()),
        }
    }
}

/// A send with what went out.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct SendDetail {
    key: String,
    /// `reserved`, `sent`, `unknown` or `refused`.
    state: String,
    /// What the provider called it, or why it did not go out.
    detail: Option<String>,
    /// A text message has none.
    subject: Option<String>,
    text: String,
}

impl SendDetail {
    pub(super) fn of(row: &LedgerRow) -> Self {
        let detail = match &row.state {
            SendState::Reserved => None,
            SendState::Sent { provider_id, .. } => Some(provider_id.clone()),
            SendState::Unknown { why } | SendState::Refused { why } => Some(why.clone()),
        };
        Self {
            key: row.key.to_string(),
            state: row.state.as_str().to_owned(),
            detail,
            subject: row.message.mail().map(|mail| mail.subject.clone()),
            text: row.message.text().to_owned(),
        }
    }
}

/// An event of a shop system, without its body.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct InboxView {
    event: EventId,
    source: String,
    topic: String,
    /// `received`, `done` or `parked`.
    state: Value,
    /// What became of it.
    note: Option<String>,
    /// RFC 3339.
    triggered_at: String,
    /// RFC 3339.
    received_at: String,
}

impl InboxView {
    pub(super) fn of(row: InboxRow) -> Self {
        Self {
            event: row.id,
            source: row.source,
            topic: row.topic,
            state: json(&row.state),
            note: row.note,
            triggered_at: row.triggered_at.to_string(),
            received_at: row.received_at.to_string(),
        }
    }
}

/// A kill switch that is on.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::server) struct KillView {
    /// `global`, `shop`, `flow:ID`, `segment:NAME` or `esp:NAME`.
    scope: String,
    reason: String,
    by: String,
    /// RFC 3339.
    since: String,
}

impl KillView {
    pub(super) fn of(switch: KillSwitch) -> Self {
        Self { scope: switch.scope, reason: switch.reason, by: switch.set_by, since: switch.at.to_string() }
    }
}

/// Why sending is stopped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct KillReason {
    pub(super) reason: String,
}
