//! What no error and no log may hold: bodies and keys, at any log level.

use std::io::Write;
use std::sync::{Arc, Mutex};

use mailwright::model::openai::{OpenAi, Profile};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use wiremock::ResponseTemplate;

use super::wire::nobody;
use super::{KEY, ask, profile, server, words};

/// A customer's name and address, as a server may quote them.
const PLANTED: &str = "Zenobia Quillfeather <zenobia@planted.example>";
/// Pieces that must not show up; the conversation's own words are private too.
const PRIVATE: [&str; 6] = [KEY, "Zenobia", "planted.example", "Be brief", "What is in stock", "TT-1"];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Every kind of answer that could tempt somebody to log it.
fn answers() -> Vec<ResponseTemplate> {
    let quoting = json!({ "error": { "message": PLANTED, "type": PLANTED, "param": PLANTED, "code": PLANTED } });
    let failing = [400, 401, 404, 408, 422, 429, 500, 503].into_iter().flat_map(|status| {
        let text = ResponseTemplate::new(status).set_body_string(PLANTED);
        [ResponseTemplate::new(status).set_body_json(&quoting), text]
    });
    let mut wrong_type = words(PLANTED);
    wrong_type["choices"][0]["message"]["tool_calls"] = json!([{ "id": 7, "function": PLANTED }]);
    let unreadable = [
        ResponseTemplate::new(200).set_body_string(PLANTED),
        ResponseTemplate::new(200).set_body_string(format!("{{\"choices\": [\"{PLANTED}\"")),
        ResponseTemplate::new(200).set_body_json(json!({ "choices": PLANTED })),
        ResponseTemplate::new(200).set_body_json(json!({ "choices": [], "note": PLANTED })),
        ResponseTemplate::new(200).set_body_json(wrong_type),
        ResponseTemplate::new(302).insert_header("location", "http://planted.example/Zenobia"),
    ];
    failing.chain(unreadable).collect()
}

#[tokio::test]
async fn no_error_and_no_log_holds_a_body_or_a_key() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    // The test's runtime has one thread: everything the client does is seen.
    let watching = tracing::subscriber::set_default(subscriber);
    let mut errors = Vec::new();
    for answer in answers() {
        let server = server(answer).await;
        errors.push(ask(profile(&server.uri())).await.unwrap_err());
    }
    let secret_in_url = format!("{}?key={KEY}", nobody().await);
    errors.push(ask(profile(&secret_in_url)).await.unwrap_err());
    let good = server(ResponseTemplate::new(200).set_body_json(words(PLANTED))).await;
    ask(profile(&good.uri())).await.unwrap();
    drop(watching);

    let log = log.text();
    assert!(log.contains("model call will be repeated"), "the log was not captured:\n{log}");
    let said = format!("{log}\n{errors:?}\n{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    for private in PRIVATE {
        let line = said.lines().find(|line| line.contains(private));
        assert!(line.is_none(), "{private}: {}", line.unwrap_or_default());
    }
}

#[test]
fn a_profile_does_not_show_its_key() {
    let profile: Profile = profile("https://api.example/v1");
    let model = OpenAi::new(profile.clone()).unwrap();
    let shown = format!("{profile:?} {model:?}");
    assert!(shown.contains("gpt-test") && !shown.contains(KEY), "{shown}");
}
