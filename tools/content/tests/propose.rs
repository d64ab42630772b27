//! The tool `propose_message` through the registry, as a model meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::sync::{Arc, Mutex};

use kit::message::{CheckReport, Draft, DraftRecord, Finding, Place, RiskAssessment, RiskReason, Severity};
use kit::tool::{Disposition, Registry, Subject, ToolContext, ToolError};
use kit::{BoxFuture, Digest, FactBook, FactId, Language, Principal, RunId, ShopId, StoreError};
use mailwright_content::{ContentGate, PreviewFault, ProposeMessage, RenderError, render};
use serde_json::{Value, json};
use support::*;

/// A gate whose every answer a test sets.
#[derive(Default)]
struct Gate {
    findings: Vec<Finding>,
    reasons: Vec<RiskReason>,
    check_error: Option<StoreError>,
    assess_error: Option<StoreError>,
    other_content: bool,
    broken_setting: bool,
    previewed: Mutex<Vec<DraftRecord>>,
}

impl ContentGate for Gate {
    fn check<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        facts: &'a FactBook,
    ) -> BoxFuture<'a, Result<CheckReport, StoreError>> {
        Box::pin(async move {
            if let Some(error) = &self.check_error {
                return Err(error.clone());
            }
            let content =
                if self.other_content { Digest::of_bytes(b"other") } else { draft.content_hash(facts).unwrap() };
            let rules_version = Digest::of_bytes(b"rules");
            Ok(CheckReport { content, rules_version, findings: self.findings.clone(), checked_at: cx.now })
        })
    }

    fn assess<'a>(
        &'a self,
        _: &'a ToolContext,
        _: &'a Draft,
        _: &'a CheckReport,
    ) -> BoxFuture<'a, Result<RiskAssessment, StoreError>> {
        Box::pin(async move {
            match &self.assess_error {
                Some(error) => Err(error.clone()),
                None => Ok(RiskAssessment { reasons: self.reasons.clone(), policy: Digest::of_bytes(b"policy") }),
            }
        })
    }

    fn preview<'a>(&'a self, cx: &'a ToolContext, record: &'a DraftRecord) -> BoxFuture<'a, Result<(), PreviewFault>> {
        Box::pin(async move {
            self.previewed.lock().unwrap().push(record.clone());
            let mut identity = shop();
            if self.broken_setting {
                identity.site = "nowhere".into();
            }
            let reader = reader(cx.subject.language.clone(), None);
            for subject in 0..record.draft.subjects.len() {
                render(record, &identity, &reader, &utm(), subject).map_err(PreviewFault::from)?;
            }
            Ok(())
        })
    }
}

fn context() -> ToolContext {
    let subject = Subject {
        flow: "abandoned-checkout".parse().unwrap(),
        customer: "c-7".parse().unwrap(),
        occasion: "cart-1".into(),
        step: 1,
        stops_on_purchase: true,
        triggered_at: now(),
        products: vec!["ridgeline-boots".parse().unwrap()],
        cart_url: None,
        language: Language::EN,
        release: Digest::of_bytes(b"release"),
    };
    let principal = Principal::Flow { flow: "abandoned-checkout".parse().unwrap() };
    let (shop, run) = (ShopId::new("fern").unwrap(), RunId::new("run-1").unwrap());
    ToolContext::new(shop, run, principal, now(), Arc::new(subject), Arc::new(facts()), None, 4)
}

/// One call; the future never waits, so one poll ends it.
fn call(gate: Arc<Gate>, arguments: &Value) -> (Result<Value, ToolError>, Option<Disposition>) {
    let registry = Registry::new().with(ProposeMessage::new(gate)).unwrap();
    let cx = context();
    let text = arguments.to_string();
    let mut future = registry.get("propose_message").unwrap().call(&cx, &text);
    let mut waker = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(answer) = future.as_mut().poll(&mut waker) else { panic!("it waits") };
    (answer.map(|text: String| serde_json::from_str(&text).unwrap()), cx.finish().1)
}

fn good() -> Value {
    json!({
        "angle": "cart_built_to_last",
        "subjects": ["Your {{f201.title}} can be resoled", "Still thinking?", "What an owner says"],
        "preheader": "A sole that can be replaced.",
        "blocks": [
            {"type": "heading", "text": "Boots you can keep"},
            {"type": "paragraph", "text": "Hi {{customer.first_name}}, {{f201.highlight}}."},
            {"type": "product", "fact": "f201", "reason": "The pair you put in your cart."},
            {"type": "review", "fact": "f204"},
            {"type": "cta", "fact": "f101", "label": "Back to your cart"}
        ],
        "confidence": "high"
    })
}

fn finding(severity: Severity) -> Finding {
    Finding {
        rule: "phrase.opener".into(),
        severity,
        place: Place::Subject { index: 1 },
        span: Some((0, 5)),
        excerpt: "Still".into(),
        why: "it says nothing".into(),
        mend: "name the product".into(),
        owner: "marketing ops".into(),
    }
}

fn for_model(answer: Result<Value, ToolError>) -> String {
    match answer {
        Err(ToolError::ForModel(text)) => text,
        other => panic!("not for the model: {other:?}"),
    }
}

#[test]
fn a_clean_draft_is_recorded_with_only_the_facts_it_cites() {
    let gate = Arc::new(Gate::default());
    let (answer, disposition) = call(gate.clone(), &good());
    let Some(Disposition::Drafted { draft, needs_approval }) = disposition else { panic!("{disposition:?}") };
    let short = draft.report.content.short();
    assert_eq!(
        answer,
        Ok(json!({"status": "ok", "draft": short, "next": format!("call queue_send with draft {short}")}))
    );
    assert!(needs_approval.is_empty());
    let cited: Vec<FactId> = draft.facts.iter().map(|f| f.id.clone()).collect();
    assert_eq!(cited, ["f101", "f201", "f204"].map(id));
    assert_eq!(draft.authors.iter().collect::<Vec<_>>(), ["flow:abandoned-checkout"]);
    assert_eq!(draft.draft.language, Language::EN);
    assert_eq!(gate.previewed.lock().unwrap().as_slice(), std::slice::from_ref(draft.as_ref()));
    assert!(kit::message::Checked::new(*draft).is_ok());
}

#[test]
fn policy_and_findings_send_it_to_a_person() {
    let gate = Gate {
        findings: vec![finding(Severity::Approve), finding(Severity::Warn)],
        reasons: vec![RiskReason { code: "vip".into(), text: "the customer is a VIP".into() }],
        ..Gate::default()
    };
    let (answer, disposition) = call(Arc::new(gate), &good());
    let answer = answer.unwrap();
    let reasons = json!(["vip: the customer is a VIP", "phrase.opener: it says nothing"]);
    assert_eq!((&answer["status"], &answer["reasons"]), (&json!("needs_approval"), &reasons));
    assert_eq!(answer["next"], "call request_approval");
    assert_eq!(
        answer["findings"][1],
        json!({
            "rule": "phrase.opener", "severity": "warn", "place": "subjects[1]", "excerpts": ["Still"], "why": "it says nothing", "mend": "name the product"
        })
    );
    let Some(Disposition::Drafted { needs_approval, .. }) = disposition else { panic!() };
    assert_eq!(json!(needs_approval), reasons);
}

#[test]
fn a_blocking_finding_comes_back_to_be_mended_and_nothing_is_recorded() {
    let gate = Arc::new(Gate { findings: vec![finding(Severity::Block)], ..Gate::default() });
    let (answer, disposition) = call(gate.clone(), &good());
    let answer = answer.unwrap();
    assert_eq!((&answer["status"], answer.get("draft")), (&json!("blocked"), None));
    assert_eq!(answer["findings"][0]["mend"], "name the product");
    assert_eq!(disposition, None);
    assert!(gate.previewed.lock().unwrap().is_empty());
}

#[test]
fn the_same_rule_in_the_same_place_is_told_once_with_every_excerpt() {
    let hit =
        |excerpt: &str, mend: &str| Finding { excerpt: excerpt.into(), mend: mend.into(), ..finding(Severity::Block) };
    let elsewhere = Finding { place: Place::Whole, ..finding(Severity::Warn) };
    let findings =
        vec![hit("12", "use {{f201.price}}"), hit("30", "leave it out"), hit("12", "leave it out"), elsewhere];
    let (answer, _) = call(Arc::new(Gate { findings, ..Gate::default() }), &good());
    assert_eq!(
        answer.unwrap()["findings"],
        json!([
            {"rule": "phrase.opener", "severity": "block", "place": "subjects[1]", "excerpts": ["12", "30"],
             "why": "it says nothing", "mend": "use {{f201.price}}; leave it out"},
            {"rule": "phrase.opener", "severity": "warn", "place": "message", "excerpts": ["Still"],
             "why": "it says nothing", "mend": "name the product"}
        ])
    );
}

#[test]
fn faults_of_form_and_what_the_rules_forbid_come_in_one_answer() {
    let mut arguments = good();
    arguments["blocks"][1]["text"] = json!("Your cart holds {{f101.title}}. {{f201.highlight");
    let also = Finding { rule: "structure.cta".into(), ..finding(Severity::Block) };
    let gate = Gate { findings: vec![finding(Severity::Block), also, finding(Severity::Warn)], ..Gate::default() };
    let (answer, disposition) = call(Arc::new(gate), &arguments);
    insta::assert_snapshot!(for_model(answer));
    assert_eq!(disposition, None);
}

#[test]
fn a_gate_that_fails_is_never_a_go() {
    let busy = || Some(StoreError::Unavailable("locked".into()));
    let corrupt = Some(StoreError::Corrupt { what: "rules".into(), why: "no TOML".into() });
    for (gate, retry) in [
        (Gate { check_error: busy(), ..Gate::default() }, true),
        (Gate { check_error: corrupt, ..Gate::default() }, false),
        (Gate { assess_error: busy(), ..Gate::default() }, true),
        (Gate { other_content: true, ..Gate::default() }, false),
        (Gate { broken_setting: true, ..Gate::default() }, false),
    ] {
        let (answer, disposition) = call(Arc::new(gate), &good());
        let error = answer.unwrap_err();
        assert_eq!((error.is_retryable(), disposition), (retry, None), "{error}");
        assert!(!matches!(error, ToolError::ForModel(_)), "{error}");
    }
}

#[test]
fn what_does_not_render_for_this_reader_comes_back() {
    let mut arguments = good();
    arguments["blocks"][0]["text"] = json!("Picked for {{customer.first_name}}");
    let (answer, disposition) = call(Arc::default(), &arguments);
    let fault = RenderError::NameBound { place: Place::Block { index: 0, field: "text".into() } };
    assert_eq!((for_model(answer), disposition), (format!("it does not render: {fault}"), None));
}

#[test]
fn facts_and_placeholders_are_checked_with_what_exists() {
    let mut arguments = good();
    arguments["blocks"] = json!([
        {"type": "paragraph", "text": "Only {{f201.was}} instead of {{f999.price}}, see {{f201.url}} {{customer.city}}"},
        {"type": "product", "fact": "f301", "reason": "Because."},
        {"type": "offer", "fact": "f777", "text": "A thank-you."},
        {"type": "cta", "fact": "f204", "label": "Buy"},
        {"type": "cta", "fact": "f101", "label": "Buy"}
    ]);
    arguments["subjects"][1] = json!("your {{F201.title}} ");
    arguments["subjects"][2] = json!("Your {{f201.title}} can be resoled ");
    let (answer, disposition) = call(Arc::default(), &arguments);
    insta::assert_snapshot!(for_model(answer));
    assert_eq!(disposition, None);
}

#[test]
fn bounds_of_the_schema_hold() {
    let mut arguments = good();
    arguments["subjects"] = json!(["One", "x"]);
    arguments["to"] = json!("x@example.com");
    arguments["blocks"] = json!([{"type": "html", "text": "<b>"}]);
    insta::assert_snapshot!(for_model(call(Arc::default(), &arguments).0));
}

#[test]
fn the_schema_is_the_one_checked_in() {
    let registry = Registry::new().with(ProposeMessage::new(Arc::new(Gate::default()))).unwrap();
    let found =
        serde_json::to_string_pretty(&*registry.get("propose_message").unwrap().spec().parameters).unwrap() + "\n";
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/propose_message.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(file, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(file).unwrap(), "run with UPDATE_SCHEMAS=1 and review the change");
}

#[test]
fn the_examples_of_the_description_fit_the_schema() {
    let registry = Registry::new().with(ProposeMessage::new(Arc::new(Gate::default()))).unwrap();
    let spec = registry.get("propose_message").unwrap().spec().clone();
    assert!(spec.description.lines().count() <= 90);
    let examples: Vec<&str> =
        spec.description.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), 2);
    assert!(spec.description.len() <= 8_000);
    for example in &examples {
        kit::tool::validate::arguments::<mailwright_content::ProposeArgs>(&spec.parameters, example).unwrap();
    }
    let written = |text: &str| text.chars().any(|c| c.is_ascii_digit());
    for example in &examples {
        let args: mailwright_content::ProposeArgs = serde_json::from_str(example).unwrap();
        let texts = args.blocks.iter().flat_map(|b| b.texts()).map(|(_, text)| text.to_owned());
        for text in texts.chain(args.subjects.clone()).chain([args.preheader.clone()]) {
            let pieces = kit::placeholder::parse(&text).unwrap();
            let typed = pieces.iter().any(|p| matches!(p, kit::placeholder::Piece::Text { text, .. } if written(text)));
            assert!(!typed, "a good example types a figure: {text}");
        }
        assert!(args.subjects.iter().all(|s| s.chars().count() <= 60));
    }
}
