//! The two tools through the registry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::sync::{Arc, Mutex};

use common::{call, draft, now, run};
use kit::message::DraftRecord;
use kit::tool::{Disposition, NoSend, Phase, Registry, ToolContext, ToolError};
use kit::{ApprovalId, BoxFuture, StoreError};
use mailwright_approval::{ApprovalDesk, DecideNoSend, Opened, RequestApproval};

/// A desk that keeps what it was told, or fails.
#[derive(Default)]
struct Desk {
    told: Mutex<Vec<String>>,
    fails: Option<StoreError>,
}

fn opened() -> Opened {
    Opened { approval: ApprovalId::new("apr-1").unwrap(), expires_at: now() }
}

impl ApprovalDesk for Desk {
    fn open<'a>(
        &'a self,
        _: &'a ToolContext,
        _: &'a DraftRecord,
        summary: &'a str,
    ) -> BoxFuture<'a, Result<Opened, StoreError>> {
        self.told.lock().unwrap().push(summary.to_owned());
        let answer = self.fails.clone().map_or(Ok(opened()), Err);
        Box::pin(async { answer })
    }
}

fn registry(desk: Arc<Desk>) -> Registry {
    Registry::new().with(RequestApproval::new(desk)).unwrap().with(DecideNoSend).unwrap()
}

fn request(draft: &str, summary: &str, notes: &str) -> String {
    serde_json::json!({ "draft": draft, "summary": summary, "risk_notes": notes }).to_string()
}

const SUMMARY: &str = "Care tips for the boots that arrived, no offer.";

#[test]
fn asking_opens_a_request_and_parks_the_run() {
    let desk = Arc::new(Desk::default());
    let registry = registry(desk.clone());
    let hash = draft().report.content.short();
    let cx = run(Some(draft()));
    let answer = call(&registry, "request_approval", &cx, &request(&hash, SUMMARY, "The tip is for leather.")).unwrap();
    assert_eq!(
        answer,
        r#"{"approval":"apr-1","expires_at":"2026-06-15T12:00:00Z","next":"the run waits for a person; you are done"}"#
    );
    let Opened { approval, expires_at } = opened();
    assert_eq!(cx.finish(), (Vec::new(), Some(Disposition::AwaitApproval { approval, expires_at })));
    call(&registry, "request_approval", &run(Some(draft())), &request(&hash, SUMMARY, "None.")).unwrap();
    assert_eq!(
        *desk.told.lock().unwrap(),
        [format!("{SUMMARY}\nLook twice: The tip is for leather."), SUMMARY.to_owned()]
    );
}

#[test]
fn what_cannot_be_asked_changes_nothing_and_says_how_to_mend_it() {
    let desk = Arc::new(Desk::default());
    let registry = registry(desk.clone());
    let hash = draft().report.content.short();
    let refused = |draft_of_run: Option<DraftRecord>, args: &str| {
        let cx = run(draft_of_run);
        let ToolError::ForModel(why) = call(&registry, "request_approval", &cx, args).unwrap_err() else { panic!() };
        assert_eq!(cx.finish().1, None);
        why
    };
    let told = [
        refused(None, &request(&hash, SUMMARY, "None")),
        refused(Some(draft()), &request("0123456789ab", SUMMARY, "None")).replace(&hash, "HASH"),
        refused(Some(draft()), &request(&hash, "For Ada at ada@example.ie, care tips.", "None")),
        refused(Some(draft()), &request(&hash, SUMMARY, "Call them on 087 555 12 34 first")),
        refused(Some(draft()), &request(&hash, "too short", "None")),
        refused(Some(draft()), &request(&hash, "Care tips for boots.\u{1b}[2J", "None")),
        refused(Some(draft()), &request(&hash, "Care tips for boots.\nLook twice: no", "None")),
        refused(Some(draft()), &request(&hash, SUMMARY, "The tip \u{202e}rehtael rof si")),
    ];
    insta::assert_snapshot!(told.join("\n"));
    assert!(desk.told.lock().unwrap().is_empty());
}

#[test]
fn a_desk_that_is_busy_is_asked_again_a_broken_one_is_not() {
    let hash = draft().report.content.short();
    let fail = |error: StoreError| {
        let registry = registry(Arc::new(Desk { fails: Some(error), ..Desk::default() }));
        call(&registry, "request_approval", &run(Some(draft())), &request(&hash, SUMMARY, "None")).unwrap_err()
    };
    assert!(fail(StoreError::Unavailable("locked".into())).is_retryable());
    let corrupt = StoreError::Corrupt { what: "approvals".into(), why: "no JSON".into() };
    assert!(matches!(fail(corrupt), ToolError::Fatal(_)));
}

#[test]
fn silence_is_decided_with_a_code_and_a_reason() {
    let registry = registry(Arc::default());
    let cx = run(None);
    let args = r#"{"code":"offer_would_train_discounts","reason":"  Only a discount would argue for it.  "}"#;
    assert_eq!(call(&registry, "decide_no_send", &cx, args).unwrap(), r#"{"outcome":"no_send"}"#);
    let no_send =
        NoSend { code: "offer_would_train_discounts".into(), reason: "Only a discount would argue for it.".into() };
    assert_eq!(cx.finish().1, Some(Disposition::NoSend(no_send)));
    // A reason that says little is no reason to write after all.
    for (reason, kept) in [("No stock.", "No stock."), (" ", "other")] {
        let cx = run(None);
        let args = format!(r#"{{"code":"other","reason":"{reason}"}}"#);
        assert_eq!(call(&registry, "decide_no_send", &cx, &args).unwrap(), r#"{"outcome":"no_send"}"#);
        let no_send = NoSend { code: "other".into(), reason: kept.into() };
        assert_eq!(cx.finish().1, Some(Disposition::NoSend(no_send)));
    }
    for bad in [r#"{"code":"bored","reason":"Nothing to say today."}"#, r#"{"code":"other"}"#] {
        let cx = run(None);
        assert!(matches!(call(&registry, "decide_no_send", &cx, bad), Err(ToolError::ForModel(_))), "{bad}");
        assert_eq!(cx.finish().1, None);
    }
}

#[test]
fn the_tools_are_offered_when_they_make_sense_and_their_schemas_are_the_checked_in_ones() {
    let registry = registry(Arc::default());
    let phases = |name: &str| registry.get(name).unwrap().spec().phases.to_vec();
    assert_eq!(phases("request_approval"), [Phase::Clear]);
    assert_eq!(phases("decide_no_send"), [Phase::Gather, Phase::Compose, Phase::Clear, Phase::Deliver]);
    for spec in registry.specs() {
        let file = format!("{}/{}.schema.json", env!("CARGO_MANIFEST_DIR"), spec.name);
        let now = serde_json::to_string_pretty(&*spec.parameters).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&file, &now).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), now, "run with UPDATE_SCHEMAS=1 and review");
        assert!(spec.description.lines().count() <= 40);
    }
}
