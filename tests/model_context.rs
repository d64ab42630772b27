//! What the model sees, as snapshots: the whole conversation of a run, and every tool as described to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use agent::{Message, ModelReply, ModelRequest};
use esp::Outbox;
use kit::BoxFuture;
use kit::tool::ToolSpec;
use mailwright::clock::SetClock;
use mailwright::model::offline::OfflineModel;
use mailwright::model::{ChatModel, ModelError};
use mailwright::release::{Release, defaults};
use mailwright::runs::Silent;
use mailwright::sample::{SAMPLE_NOW, SampleSpec};
use mailwright::sample_shop;
use mailwright::store::Store;
use mailwright::tenant::{Parts, Tenant};
use shop::{Delivery, Source};

/// The offline model, with every request written down as text.
struct Recorder {
    inner: OfflineModel,
    seen: Mutex<Vec<String>>,
}

impl ChatModel for Recorder {
    fn profile(&self) -> &str {
        "recorder"
    }

    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        self.seen.lock().unwrap().push(render(request));
        self.inner.complete(request, tools)
    }
}

fn render(request: &ModelRequest<'_>) -> String {
    let mut text = format!("tools on offer: {}\n", request.tools.join(", "));
    for message in request.messages {
        let _ = match message {
            // The system prompt has a snapshot of its own.
            Message::System { .. } => writeln!(text, "\n[system] …"),
            Message::User { text: words } => writeln!(text, "\n[user]\n{words}"),
            Message::Assistant { text: words, calls } => {
                let _ = writeln!(text, "\n[assistant] {}", words.as_deref().unwrap_or_default());
                calls.iter().try_for_each(|c| writeln!(text, "  {} {}", c.name, c.arguments))
            }
            Message::Tool { name, content, .. } => {
                let pretty: serde_json::Value =
                    serde_json::from_str(content).unwrap_or_else(|_| content.clone().into());
                writeln!(text, "\n[{name}]\n{pretty:#}")
            }
        };
    }
    text
}

async fn conversation(source: Source, topic: &str, webhook: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let spec = SampleSpec { customers: 60, ..SampleSpec::default() };
    let shop = sample_shop::set_up(&store, &spec, SAMPLE_NOW, &|_, _| {}).await.unwrap();
    let release = Release::read(kit::Digest::of_bytes(b"x"), &defaults()).unwrap();
    let recorder = Arc::new(Recorder { inner: OfflineModel::new(release.offline.clone()), seen: Mutex::default() });
    let clock = Arc::new(SetClock::at(SAMPLE_NOW));
    let outbox = Arc::new(Outbox::open(dir.path().join("outbox")).unwrap());
    let parts = Parts::new(clock.clone(), outbox, vec![recorder.clone()]);
    let tenant = Arc::new(Tenant::open(&store, &shop, parts).await.unwrap());
    let body = sample_shop::webhook(webhook).unwrap();
    let delivery = Delivery {
        source,
        topic,
        body: body.as_bytes(),
        event_id: None,
        triggered_at: Some(SAMPLE_NOW),
        received_at: SAMPLE_NOW,
    };
    let intake = tenant.take_in(&delivery).await.unwrap();
    clock.set(intake.runs[0].due);
    tenant.driver(Arc::new(Silent)).drive(&intake.runs[0].run).await.unwrap();
    let seen = recorder.seen.lock().unwrap();
    seen.last().unwrap().clone()
}

#[tokio::test]
async fn an_abandoned_checkout_as_the_model_sees_it() {
    insta::assert_snapshot!(conversation(Source::Shopify, "checkouts/update", "shopify-checkouts-update-ada").await);
}

#[tokio::test]
async fn a_german_post_purchase_run_as_the_model_sees_it() {
    insta::assert_snapshot!(conversation(Source::Shopify, "orders/fulfilled", "shopify-orders-fulfilled-jonas").await);
}

#[tokio::test]
async fn a_win_back_run_as_the_model_sees_it() {
    insta::assert_snapshot!(conversation(Source::Shopify, "orders/cancelled", "shopify-orders-cancelled-lapsed").await);
}

#[test]
fn the_standing_instructions() {
    let release = Release::read(kit::Digest::of_bytes(b"x"), &defaults()).unwrap();
    insta::assert_snapshot!(release.system);
}

#[test]
fn the_tools_as_described() {
    let described: Vec<String> =
        mailwright::toolbox::specs().unwrap().iter().map(|s| format!("## {}\n\n{}", s.name, s.description)).collect();
    insta::assert_snapshot!(described.join("\n\n"));
}
