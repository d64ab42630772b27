//! The tool `queue_send` through the registry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::sync::Arc;

use kit::message::{Channel, DraftRecord, Hold, SendState};
use kit::tool::{Disposition, Registry, ToolContext, ToolError};
use kit::{BoxFuture, Principal, RunId, ShopId, StoreError};
use mailwright_esp::{Handover, QueueSend};
use serde_json::{Value, json};
use support::*;

struct Way(Result<Result<SendState, Hold>, StoreError>);

impl Handover for Way {
    fn hand_over<'a>(
        &'a self,
        _: &'a ToolContext,
        _: &'a DraftRecord,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>> {
        Box::pin(async { self.0.clone() })
    }
}

fn registry(way: Way) -> Registry {
    Registry::new().with(QueueSend::new(Arc::new(way))).unwrap()
}

fn context(draft: Option<DraftRecord>) -> ToolContext {
    let principal = Principal::Flow { flow: "cart".parse().unwrap() };
    let (shop, run) = (ShopId::new("fern").unwrap(), RunId::new("run-1").unwrap());
    let (subject, facts) = (Arc::new(subject("one")), Arc::default());
    ToolContext::new(shop, run, principal, now(), subject, facts, draft.map(Arc::new), 5)
}

fn call(way: Way, draft: Option<DraftRecord>, named: &str) -> (Result<Value, ToolError>, Option<Disposition>) {
    let cx = context(draft);
    let arguments = json!({ "draft": named }).to_string();
    let answer = finish(registry(way).get("queue_send").unwrap().call(&cx, &arguments));
    (answer.map(|text| serde_json::from_str(&text).unwrap()), cx.finish().1)
}

fn recorded() -> (DraftRecord, String) {
    let record = record(Channel::Email);
    let short = record.report.content.short();
    (record, short)
}

#[test]
fn every_state_and_hold_is_said_in_words_that_a_model_may_know() {
    let states = [
        SendState::Reserved,
        SendState::Sent { provider_id: "x.eml".into(), at: now() },
        SendState::Unknown { why: "timeout for aoife@example.com".into() },
        SendState::Refused { why: "550 aoife@example.com".into() },
    ];
    let holds = [
        Hold::Holdout,
        Hold::Suppressed { reason: "aoife@example.com bounced".into() },
        Hold::TicketOpen { count: 2 },
        Hold::Killed { scope: "shop".into() },
        Hold::Quiet { until: now() },
        Hold::FactsChanged { what: vec!["price of Ridgeline Boots".into()] },
    ];
    let mut told = Vec::new();
    for state in states {
        let (record, short) = recorded();
        let (answer, disposition) = call(Way(Ok(Ok(state.clone()))), Some(record), &short);
        assert_eq!(disposition, Some(Disposition::Queued { state }));
        told.push(answer.unwrap().to_string());
    }
    for hold in holds {
        let (record, short) = recorded();
        let (answer, disposition) = call(Way(Ok(Err(hold.clone()))), Some(record), &short);
        assert_eq!(disposition, Some(Disposition::Held { hold }));
        told.push(answer.unwrap().to_string());
    }
    let told = told.join("\n");
    assert!(!told.contains("holdout") && !told.contains('@'));
    insta::assert_snapshot!(told);
}

#[test]
fn only_the_recorded_draft_can_be_named() {
    let sent = || Way(Ok(Ok(SendState::Reserved)));
    let (record, short) = recorded();
    for (draft, named) in
        [(None, short.as_str()), (Some(record.clone()), "000000000000"), (Some(record.clone()), "short")]
    {
        let (answer, disposition) = call(sent(), draft, named);
        assert!(matches!(answer, Err(ToolError::ForModel(_))) && disposition.is_none(), "{answer:?}");
    }
    // The words were changed after the check: the old name does not fit any more.
    let mut edited = record;
    edited.draft.subjects[0] = "Other words".into();
    let (answer, disposition) = call(sent(), Some(edited), &short);
    assert!(matches!(answer, Err(ToolError::ForModel(_))) && disposition.is_none());
}

#[test]
fn storage_that_fails_is_no_send() {
    let damaged = StoreError::Corrupt { what: "sends".into(), why: "no JSON".into() };
    let full = StoreError::Unwritable("disk full".into());
    for (error, retry) in [(StoreError::Unavailable("busy".into()), true), (full, true), (damaged, false)] {
        let (record, short) = recorded();
        let (answer, disposition) = call(Way(Err(error)), Some(record), &short);
        assert_eq!((answer.unwrap_err().is_retryable(), disposition), (retry, None));
    }
}

#[test]
fn the_schema_is_the_one_checked_in() {
    let registry = registry(Way(Ok(Ok(SendState::Reserved))));
    let found = serde_json::to_string_pretty(&*registry.get("queue_send").unwrap().spec().parameters).unwrap() + "\n";
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/queue_send.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(file, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(file).unwrap(), "run with UPDATE_SCHEMAS=1 and review the change");
    assert!(registry.get("queue_send").unwrap().spec().description.lines().count() <= 40);
}
