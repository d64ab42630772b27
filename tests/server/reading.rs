//! Texts of customers, read by a model behind a server while everything else goes on.

use std::sync::Arc;
use std::time::Duration;

use kit::gist::{Gist, Tone, Topic};
use mailwright::server::Limits;
use serde_json::json;
use testkit::Captured;
use testkit::models::{Scripted, words};

use super::Served;
use crate::world::Terms;

#[test]
fn a_server_has_texts_read_that_came_while_it_worked() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let script = Scripted::replies([words(r#"{"topics":["fit"],"tone":"displeased"}"#)]);
        let model = Arc::new(Captured::keeping(Arc::new(script)));
        let terms = Terms::of(11).reader(model.clone()).shelf(|shelf| {
            shelf.products.iter_mut().for_each(|product| product.reviews.clear());
        });
        let served = Served::with(terms.open().await, Limits::default()).await;
        let reader = served.world.reader().await;
        let payload = json!({ "ticket_id": "T-1", "customer": { "id": reader }, "subject": "Za małe, rozczarowanie" });
        let at = served.world.now();
        let body = json!({ "event": "ticket.opened", "triggered_at": at, "payload": payload }).to_string();
        assert!(served.standard("reading-1", body.as_bytes()).send().await.unwrap().status().is_success());
        served.settled().await;
        let store = served.world.tenant.store.clone();
        let mut said = Vec::new();
        for _ in 0..600 {
            // The round that finds nothing waits a little.
            served.world.later(1);
            said = store.said_by(&reader, kit::Timestamp::UNIX_EPOCH).await.unwrap();
            if said.iter().any(|said| said.read_by.is_some()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        served.stop().await;
        let gist = Gist { topics: [Topic::Fit].into_iter().collect(), tone: Tone::Displeased };
        assert_eq!(
            said.into_iter().map(|said| (said.gist, said.read_by)).collect::<Vec<_>>(),
            [(gist, Some("scripted".to_owned()))]
        );
        assert_eq!(model.asked().len(), 1);
    });
}
