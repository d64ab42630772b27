//! What a model gets to read holds nobody's data, whoever wrote it into which field.

use std::sync::{Arc, Mutex};

use agent::{ModelReply, ModelRequest};
use kit::tool::ToolSpec;
use kit::{BoxFuture, Provenance, ReviewId};
use mailwright::model::offline::OfflineModel;
use mailwright::model::{ChatModel, ModelError};
use mailwright::release::{Release, defaults};

use super::{Scene, in_every_shop};
use crate::world::{Fate, Terms};

/// Values that must not turn up in any request. Each stands in every text that outsiders write.
const PLANTED: [&str; 6] = [
    "maeve.planted@example.ie",
    "+353 87 555 1234",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "203.0.113.77",
    "078-05-1120",
];

/// The offline model, with every request kept.
struct Spy {
    inner: OfflineModel,
    seen: Mutex<Vec<String>>,
}

impl ChatModel for Spy {
    fn profile(&self) -> &str {
        "spy"
    }

    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        self.seen.lock().unwrap().push(serde_json::to_string(request.messages).unwrap());
        self.inner.complete(request, tools)
    }
}

#[test]
fn planted_values_reach_no_model() {
    in_every_shop(async |seed| {
        let release = Release::read(kit::Digest::of_bytes(b"x"), &defaults()).unwrap();
        let spy = Arc::new(Spy { inner: OfflineModel::new(release.offline.clone()), seen: Mutex::default() });
        let words = format!("Sits well. Write to {}.", PLANTED.join(", "));
        let terms = Terms::of(seed).model(spy.clone()).shelf(|shelf| {
            for product in &mut shelf.products {
                product.provenance = Provenance::ThirdParty;
                product.highlights = vec![words.clone()];
                product.care = Some(words.clone());
                product.i18n.clear();
                let id = ReviewId::new(format!("rv-{}", product.id)).unwrap();
                product.reviews = vec![kit::product::ReviewCard {
                    id,
                    stars: 5,
                    text: words.clone(),
                    author: "Kim B.".to_owned(),
                    gist: None,
                }];
            }
        });
        let mut scene = Scene::with(terms, |person| {
            person.email = Some(PLANTED[0].to_owned());
            person.first_name = Some("Plantedname".to_owned());
        })
        .await;
        let mut update = scene.same_cart();
        update.note = Some(words.clone());
        update.items[0]["title"] = serde_json::json!(words);
        scene.world.fire(&update).await;
        let fate = scene.settle().await;
        // Whatever became of it, questions were asked, and none held a value.
        assert!(!matches!(fate, Fate::Parked(_)), "{fate}");
        let seen = spy.seen.lock().unwrap();
        assert!(seen.len() > 2, "{fate}");
        for request in seen.iter() {
            for value in PLANTED.into_iter().chain(["Plantedname", "555 1234"]) {
                assert!(!request.contains(value), "{value} in {request}");
            }
        }
        assert!(seen.iter().any(|request| request.contains("[email], [phone], [card], [iban], [ip], [ssn]")));
    });
}
