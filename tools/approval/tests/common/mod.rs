//! A run with a draft, and a way to call a tool of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kit::message::{Block, Channel, CheckReport, Confidence, Draft, DraftRecord};
use kit::tool::{Registry, Subject, ToolContext, ToolError};
use kit::{CustomerId, Digest, FactBook, FlowId, Language, Principal, RunId, ShopId, Timestamp};

pub fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

pub fn flow(name: &str) -> FlowId {
    FlowId::new(name).unwrap()
}

pub fn draft() -> DraftRecord {
    let draft = Draft {
        channel: Channel::Email,
        language: Language::EN,
        angle: "care".into(),
        subjects: vec!["Keep them dry".into()],
        preheader: "A minute of care after the bog".into(),
        blocks: vec![Block::Heading { text: "After the bog".into() }],
        confidence: Confidence::High,
    };
    let facts = FactBook::new();
    let content = draft.content_hash(&facts).unwrap();
    let report =
        CheckReport { content, rules_version: Digest::of_bytes(b"rules"), findings: Vec::new(), checked_at: now() };
    DraftRecord { draft, facts, report, authors: BTreeSet::from(["flow:post-purchase".to_owned()]) }
}

pub fn run(draft: Option<DraftRecord>) -> ToolContext {
    let subject = Subject {
        flow: flow("post-purchase"),
        customer: CustomerId::new("k1").unwrap(),
        occasion: "o1".into(),
        step: 1,
        triggered_at: now(),
        products: Vec::new(),
        cart_url: None,
        stops_on_purchase: false,
        language: Language::EN,
        release: Digest::of_bytes(b"release"),
    };
    let principal = Principal::Flow { flow: flow("post-purchase") };
    let (shop, run) = (ShopId::new("tarn").unwrap(), RunId::new("r1").unwrap());
    ToolContext::new(shop, run, principal, now(), Arc::new(subject), Arc::default(), draft.map(Arc::new), 3)
}

pub fn call(registry: &Registry, name: &str, cx: &ToolContext, args: &str) -> Result<String, ToolError> {
    let mut call = registry.get(name).unwrap().call(cx, args);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("nothing here waits"),
    }
}
