//! Recordings: of models and of a sender, replayed without a server, failing loudly when a request changed.

use std::path::PathBuf;
use std::sync::Arc;

use mailwright::cassette::{Cassette, CassetteError, Scrub};
use mailwright::egress::{Egress, EgressError, Outgoing, Reach};
use mailwright::model::openai::{OpenAi, Profile};
use mailwright::model::{ChatModel as _, ModelError};
use mailwright::runs::Silent;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::runs::{Shop, Thinking, one_good_mail};
use super::wire::nobody;
use super::{KEY, profile, server};

struct Tape {
    _folder: TempDir,
    file: PathBuf,
}

impl Tape {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tape.jsonl");
        Self { _folder: folder, file }
    }

    fn record(&self, scrub: Scrub) -> Arc<Cassette> {
        Arc::new(Cassette::record(&self.file, scrub).unwrap())
    }

    fn replay(&self, scrub: Scrub) -> Arc<Cassette> {
        Arc::new(Cassette::replay(&self.file, scrub).unwrap())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }
}

/// A whole run with the model on a cassette; another host stands for another day.
async fn run(
    base_url: &str,
    cassette: Arc<Cassette>,
    change: impl FnOnce(&mut Profile),
) -> (Shop, mailwright::runs::Rest) {
    let mut profile = profile(base_url);
    change(&mut profile);
    let shop = Shop::open(OpenAi::with(profile, Some(cassette)).unwrap()).await;
    let rest = shop.sell_boots(Arc::new(Silent)).await;
    (shop, rest)
}

#[tokio::test]
async fn a_run_is_recorded_and_replayed_without_a_server() {
    let tape = Tape::new();
    let model = MockServer::start().await;
    Mock::given(method("POST")).respond_with(Thinking(Thinking::model())).mount(&model).await;
    let recorder = tape.record(Scrub::default());
    let (shop, rest) = run(&format!("{}/v1", model.uri()), recorder.clone(), |_| {}).await;
    one_good_mail(&shop, &rest);
    recorder.finish().unwrap();
    let asked = model.received_requests().await.unwrap().len();
    assert_eq!(tape.text().lines().count(), asked + 1);
    assert!(!tape.text().contains(KEY));

    let recording = tape.replay(Scrub::default());
    let (shop, rest) = run(&nobody().await, recording.clone(), |_| {}).await;
    one_good_mail(&shop, &rest);
    recording.finish().unwrap();

    // A changed request is no request of that recording: the run ends, nothing stands in, and the place is named.
    let recording = tape.replay(Scrub::default());
    let (_, rest) = run(&nobody().await, recording.clone(), |profile| profile.max_tokens = 400).await;
    let mailwright::runs::Rest::Done(agent::Outcome::Parked(why)) = &rest else { panic!("{rest:?}") };
    let place = "body.max_completion_tokens: recorded 512, now 400";
    assert!(why.text.contains("does not hold this request") && why.text.contains(place), "{}", why.text);
    let failed = recording.finish().unwrap_err();
    assert!(failed.to_string().contains(place), "{failed}");
}

#[tokio::test]
async fn a_recording_proves_prompts_only_while_it_holds_every_request_whole() {
    let tape = Tape::new();
    let model = MockServer::start().await;
    Mock::given(method("POST")).respond_with(Thinking(Thinking::model())).mount(&model).await;
    let reads = |base_url: &str, cassette: Option<Arc<Cassette>>| {
        OpenAi::with(profile(base_url), cassette).unwrap().reads_prompts()
    };
    let url = format!("{}/v1", model.uri());
    assert!(reads(&url, None), "a server reads");
    let recorder = tape.record(Scrub::default());
    run(&url, recorder.clone(), |_| {}).await;
    assert!(reads(&url, Some(recorder)), "and does so while it is recorded");

    let (nobody, recording) = (nobody().await, tape.replay(Scrub::default()));
    assert!(!reads(&nobody, Some(recording.clone())), "nothing was answered yet");
    run(&nobody, recording.clone(), |_| {}).await;
    assert!(reads(&nobody, Some(recording)));

    let recording = tape.replay(Scrub::default());
    run(&nobody, recording.clone(), |profile| profile.max_tokens = 400).await;
    assert!(!reads(&nobody, Some(recording)), "a request had changed");
}

/// A sender's call with a person in it.
fn send(egress: &Egress, to: &str, subject: &str) -> Outgoing {
    let body = json!({ "to": [{ "email": to, "name": "Ada Quill" }], "phone": "+43 660 1234567", "subject": subject, "api_key": "sk-in-body" });
    let mut key = HeaderValue::from_str(&format!("Bearer {KEY}")).unwrap();
    key.set_sensitive(true);
    Outgoing {
        method: Method::POST,
        url: egress.url("messages/ada@planted.example?token=t0ps3cret&lang=de").unwrap(),
        headers: vec![
            (AUTHORIZATION, key),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("send-1")),
        ],
        body: body.to_string().into_bytes(),
    }
}

async fn answer(egress: &Egress, outgoing: Outgoing) -> Result<(u16, Value), EgressError> {
    let mut answer = egress.send(outgoing).await?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        body.extend(piece);
    }
    Ok((answer.status, serde_json::from_slice(&body).unwrap()))
}

fn names() -> Scrub {
    Scrub::names(["Ada Quill".to_owned()])
}

#[tokio::test]
async fn a_sender_is_recorded_without_the_person() {
    let tape = Tape::new();
    let said = json!({ "id": "m-1", "accepted": ["ada@planted.example"], "note": "for Ada Quill" });
    let esp =
        server(ResponseTemplate::new(202).set_body_json(&said).insert_header("x-request-id", "secret-trace")).await;
    let recorder = tape.record(names());
    let live = Egress::to(&esp.uri(), Reach::Public).unwrap().with(Some(recorder.clone()));
    assert_eq!(answer(&live, send(&live, "ada@planted.example", "Hello")).await, Ok((202, said)));
    recorder.finish().unwrap();
    // What went over the wire is what was meant, and what is kept names nobody.
    let received: Value = esp.received_requests().await.unwrap()[0].body_json().unwrap();
    assert_eq!(received["to"][0]["email"], "ada@planted.example");
    insta::assert_snapshot!(tape.text());

    // Replayed for another person of another day, at another host.
    let recording = tape.replay(names());
    let replayed = Egress::to("https://api.elsewhere.example", Reach::Public).unwrap().with(Some(recording.clone()));
    let clean = json!({ "id": "m-1", "accepted": ["somebody@redacted.invalid"], "note": "for [name]" });
    assert_eq!(answer(&replayed, send(&replayed, "bo@planted.example", "Hello")).await, Ok((202, clean)));
    recording.finish().unwrap();
    // Each exchange answers once.
    let again = answer(&replayed, send(&replayed, "ada@planted.example", "Hello")).await.unwrap_err();
    assert!(again.to_string().ends_with("everything recorded was asked for already"), "{again}");
}

#[tokio::test]
async fn a_changed_request_says_where_it_differs() {
    let tape = Tape::new();
    let esp = server(ResponseTemplate::new(202).set_body_json(json!({}))).await;
    let live = Egress::to(&esp.uri(), Reach::Public).unwrap().with(Some(tape.record(names())));
    answer(&live, send(&live, "ada@planted.example", "Your boots are waiting for you, still")).await.unwrap();
    let recording = tape.replay(names());
    let replayed = Egress::to(&esp.uri(), Reach::Public).unwrap().with(Some(recording.clone()));
    let mut changed = send(&replayed, "ada@planted.example", "Your boots are waiting for you, again");
    changed.method = Method::PUT;
    changed.headers.retain(|(name, _)| name != "idempotency-key");
    let error = answer(&replayed, changed).await.unwrap_err();
    let EgressError::Cassette(CassetteError::NotRecorded { what, .. }) = error else { panic!("{error}") };
    insta::assert_snapshot!(what);
    assert_eq!(esp.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_never_asked_for_is_said_at_the_end() {
    let tape = Tape::new();
    let esp = server(ResponseTemplate::new(202).set_body_json(json!({}))).await;
    let live = Egress::to(&esp.uri(), Reach::Public).unwrap().with(Some(tape.record(names())));
    for subject in ["One", "Two"] {
        answer(&live, send(&live, "ada@planted.example", subject)).await.unwrap();
    }
    let recording = tape.replay(names());
    let replayed = Egress::to(&esp.uri(), Reach::Public).unwrap().with(Some(recording.clone()));
    // In any order.
    answer(&replayed, send(&replayed, "ada@planted.example", "Two")).await.unwrap();
    let left = vec!["POST /messages/somebody@redacted.invalid?token=[secret]&lang=de".to_owned()];
    assert_eq!(recording.finish(), Err(CassetteError::Unused { file: tape.file.clone(), left }));
}

#[tokio::test]
async fn a_broken_connection_is_recorded_as_one() {
    let tape = Tape::new();
    let bad = super::wire::Bad::start(super::wire::Manner::CutsOff).await;
    let ask = |base_url: String, cassette| async move {
        let profile = Profile { retries: 0, ..profile(&base_url) };
        let model = OpenAi::with(profile, Some(cassette)).unwrap();
        let messages = super::conversation();
        let request = agent::ModelRequest {
            messages: &messages,
            tools: Vec::new(),
            tool_choice: agent::ToolChoice::Auto,
            form: None,
        };
        mailwright::model::ChatModel::complete(&model, &request, &[]).await
    };
    let broke = Err(ModelError::Connect("the connection broke".to_owned()));
    assert_eq!(ask(bad.url(), tape.record(Scrub::default())).await, broke);
    assert_eq!(ask(bad.url(), tape.replay(Scrub::default())).await, broke);
}

/// Whoever reads along hears the same from the recording.
#[tokio::test]
async fn a_stream_is_replayed_as_one() {
    let chunk = |delta: Value, finish: Value| {
        format!("data: {}\n\n", json!({ "model": "m", "choices": [{ "delta": delta, "finish_reason": finish }] }))
    };
    let words =
        [chunk(json!({ "content": "Hel" }), Value::Null), chunk(json!({ "content": "lo" }), json!("stop"))].concat();
    let model = server(ResponseTemplate::new(200).set_body_raw(words, "text/event-stream")).await;
    let tape = Tape::new();
    let listen = async |base_url: &str, cassette| {
        let profile = Profile { stream: true, ..profile(base_url) };
        super::streams::listen_to(&OpenAi::with(profile, Some(cassette)).unwrap()).await
    };
    let live = listen(&model.uri(), tape.record(Scrub::default())).await;
    assert_eq!((live.0.as_ref().unwrap().text.as_deref(), live.1.concat()), (Some("Hello"), "Hello".to_owned()));
    let recording = tape.replay(Scrub::default());
    assert_eq!(listen(&nobody().await.replace("/v1", ""), recording.clone()).await, live);
    recording.finish().unwrap();
}

#[test]
fn a_file_that_is_no_cassette_is_named_with_its_line() {
    let tape = Tape::new();
    let says = |text: &str| {
        std::fs::write(&tape.file, text).unwrap();
        Cassette::replay(&tape.file, Scrub::default())
            .unwrap_err()
            .to_string()
            .replace(&tape.file.display().to_string(), "FILE")
    };
    assert_eq!(says(""), "FILE, line 1: it is empty");
    assert!(says("{}\n").starts_with("FILE, line 1: it is no cassette: "));
    assert_eq!(
        says("{\"cassette\":\"mailwright.cassette/9\"}\n"),
        "FILE, line 1: it is `mailwright.cassette/9`; this program reads `mailwright.cassette/1`"
    );
    assert!(says("{\"cassette\":\"mailwright.cassette/1\"}\n\n{\"asked\":{}}\n").starts_with("FILE, line 3: "));
    // A recording is never written over.
    let there = Cassette::record(&tape.file, Scrub::default()).unwrap_err().to_string();
    assert!(there.ends_with("it is there already; delete it to record anew"), "{there}");
    std::fs::remove_file(&tape.file).unwrap();
    assert!(matches!(Cassette::replay(&tape.file, Scrub::default()), Err(CassetteError::Open { .. })));
}

#[tokio::test]
async fn the_way_out_leads_to_one_host_only() {
    let egress = Egress::to("https://api.example", Reach::Public).unwrap();
    let mut outgoing = send(&egress, "a@b.example", "x");
    outgoing.url = "https://other.example/messages".parse().unwrap();
    assert_eq!(egress.send(outgoing).await.unwrap_err(), EgressError::Elsewhere);
    for address in ["ftp://a.example", "https://user:pass@a.example", "https://a.example/?x=1", "a.example"] {
        assert_eq!(Egress::to(address, Reach::Public).unwrap_err(), EgressError::Address, "{address}");
    }
}
