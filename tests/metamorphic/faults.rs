//! Things break: models that do not answer, and shops that are the same but for what nobody may see.

use std::sync::Arc;

use agent::{FinishReason, ModelReply, ModelRequest, RawCall, Usage};
use kit::BoxFuture;
use kit::tool::ToolSpec;
use mailwright::model::{ChatModel, ModelError};

use super::{Scene, in_every_shop};
use crate::world::{Fate, Terms};

/// A model that fails, babbles, or asks for what it may not have.
struct Broken(fn() -> Result<ModelReply, ModelError>);

impl ChatModel for Broken {
    fn profile(&self) -> &str {
        "broken"
    }

    fn complete<'a>(
        &'a self,
        _: &'a ModelRequest<'a>,
        _: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        Box::pin(std::future::ready((self.0)()))
    }
}

fn reply(text: Option<&str>, calls: &[(&str, &str)], finish: FinishReason) -> Result<ModelReply, ModelError> {
    let calls = calls.iter().map(|(name, arguments)| RawCall {
        id: String::new(),
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
    });
    Ok(ModelReply {
        text: text.map(str::to_owned),
        calls: calls.collect(),
        finish,
        usage: Usage::default(),
        model: "broken".to_owned(),
    })
}

#[test]
fn a_model_that_cannot_be_asked_is_stood_in_for() {
    in_every_shop(async |seed| {
        let faults: [fn() -> Result<ModelReply, ModelError>; 5] = [
            || Err(ModelError::Timeout { seconds: 30 }),
            || Err(ModelError::Server { status: 503 }),
            || Err(ModelError::Malformed("half an answer".to_owned())),
            || reply(Some("I would rather talk about something else."), &[], FinishReason::Stop),
            || reply(None, &[], FinishReason::Refused),
        ];
        for fault in faults {
            let mut scene = Scene::of(Terms::of(seed).model(Arc::new(Broken(fault)))).await;
            scene.settle().await.mail();
            scene.plain_mail_left(seed).await;
        }
    });
}

#[test]
fn a_model_that_asks_for_what_it_may_not_have_sends_nothing_of_its_own() {
    in_every_shop(async |seed| {
        let wishes: [fn() -> Result<ModelReply, ModelError>; 4] = [
            || reply(None, &[("queue_send", r#"{"draft":"0000"}"#)], FinishReason::ToolCalls),
            || reply(None, &[("send_email", r#"{"to":"all@evil.example","body":"hi"}"#)], FinishReason::ToolCalls),
            || reply(None, &[("approve", r#"{}"#), ("queue_send", "not json")], FinishReason::ToolCalls),
            || reply(None, &[("propose_message", r#"{"subjects":["90 % off"],"blocks":[]}"#)], FinishReason::ToolCalls),
        ];
        for wish in wishes {
            let mut scene = Scene::of(Terms::of(seed).model(Arc::new(Broken(wish)))).await;
            match scene.settle().await {
                Fate::Sent(_) => scene.plain_mail_left(seed).await,
                Fate::Parked(_) | Fate::NoSend(_) => scene.nothing_left(),
                other => panic!("{other}"),
            }
        }
    });
}

#[test]
fn the_same_shop_twice_sends_the_same_mail_with_another_way_out() {
    in_every_shop(async |seed| {
        let mut links = Vec::new();
        for _ in 0..2 {
            let mut scene = Scene::plain(seed).await;
            let mail = scene.settle().await.mail();
            scene.plain_mail_left(seed).await;
            links.push(mail.header("List-Unsubscribe").unwrap());
        }
        // The secret behind the link belongs to the installation.
        assert_ne!(links[0], links[1]);
    });
}

#[test]
fn what_a_thing_costs_the_shop_changes_no_word() {
    in_every_shop(async |seed| {
        let terms = Terms::of(seed).shelf(|shelf| {
            for product in &mut shelf.products {
                product.cost = None;
            }
        });
        let mut scene = Scene::of(terms).await;
        let mail = scene.settle().await.mail();
        assert!(mail.shows(&scene.title(&scene.lead)));
    });
}

#[test]
fn a_product_with_nothing_to_say_about_it_is_not_written_about() {
    in_every_shop(async |seed| {
        let terms = Terms::of(seed).shelf(|shelf| {
            let lead = shelf.lead_mut();
            lead.highlights.clear();
            lead.reviews.clear();
            lead.i18n.clear();
        });
        let mut scene = Scene::of(terms).await;
        assert_eq!(scene.settle().await, Fate::NoSend("nothing_to_say".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn a_product_without_a_picture_is_shown_without_one() {
    in_every_shop(async |seed| {
        let terms = Terms::of(seed).shelf(|shelf| shelf.lead_mut().image = None);
        let mut scene = Scene::of(terms).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_picture_on_another_host_is_never_loaded() {
    in_every_shop(async |seed| {
        let terms =
            Terms::of(seed).shelf(|shelf| shelf.lead_mut().image = Some("https://tracker.example/p.gif".to_owned()));
        let mut scene = Scene::of(terms).await;
        let fate = scene.settle().await;
        assert!(scene.world.outbox().iter().all(|mail| !mail.raw.contains("tracker.example")), "{fate:?}");
    });
}
