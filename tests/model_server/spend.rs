//! What a model may cost, in whole runs: the call that would pass a cap is not made, and the run goes on without it.

use std::sync::Arc;

use mailwright::model::openai::{OpenAi, Profile};
use mailwright::model::prices::Price;
use mailwright::spend::Caps;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer};

use super::profile;
use super::runs::{Shop, Switches, Thinking, one_good_mail};

const PRICE: Price = Price { input: 1_000_000, cached_input: None, output: 10_000_000 };

/// The run's shop, how often the server was asked, and what was switched to.
async fn run(price: Option<Price>, caps: Caps) -> (Shop, usize, Vec<String>) {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(Thinking(Thinking::model())).mount(&server).await;
    let model = OpenAi::new(Profile { price, ..profile(&server.uri()) }).unwrap();
    let shop = Shop::capped(model, caps).await;
    let switches = Arc::new(Switches::default());
    let rest = shop.sell_boots(switches.clone()).await;
    // Whatever the models may cost: the mail is right.
    one_good_mail(&shop, &rest);
    let asked = server.received_requests().await.unwrap().len();
    let switched = switches.0.lock().unwrap().clone();
    (shop, asked, switched)
}

/// What each call of the only run cost, and what counts against the shop today.
async fn spent(shop: &Shop) -> (Vec<Option<u64>>, u64) {
    let store = &shop.tenant.store;
    let run = store.runs(1).await.unwrap().remove(0);
    let calls = store.spend_of(&run.id).await.unwrap();
    let day = shop.tenant.clock.now().strftime("%Y-%m-%d").to_string();
    let total = store.spent_in(&format!("shop/{day}")).await.unwrap();
    (calls.into_iter().map(|call| call.settled).collect(), total)
}

#[tokio::test]
async fn every_paid_call_is_settled_at_what_it_cost() {
    let (shop, asked, switched) = run(Some(PRICE), Caps::default()).await;
    let (calls, total) = spent(&shop).await;
    // 100 prompt tokens at $1 and 20 of the answer at $10 a million.
    assert_eq!(calls, vec![Some(300); asked]);
    assert_eq!((total, switched), (300 * u64::try_from(asked).unwrap(), Vec::new()));
}

#[tokio::test]
async fn a_cap_that_is_reached_leaves_the_run_to_the_offline_model() {
    let tight = Caps { run: Some(1), ..Caps::default() };
    let flow =
        Caps { flows: [("abandoned-checkout".to_owned(), 1)].into(), flow_day: Some(u64::MAX), ..Caps::default() };
    let shop_day = Caps { shop_day: Some(1), ..Caps::default() };
    for caps in [tight, flow, shop_day] {
        let (shop, asked, switched) = run(Some(PRICE), caps.clone()).await;
        assert_eq!((asked, switched), (0, vec!["offline".to_owned()]), "{caps:?}");
        assert_eq!(spent(&shop).await, (Vec::new(), 0), "{caps:?}");
    }
    // Another flow's cap is another flow's.
    let other = Caps { flows: [("win-back".to_owned(), 1)].into(), ..Caps::default() };
    assert_eq!(run(Some(PRICE), other).await.2, Vec::<String>::new());
}

#[tokio::test]
async fn a_model_without_a_price_is_asked_only_where_no_cap_holds() {
    let (shop, asked, switched) = run(None, Caps::default()).await;
    assert!(asked > 2 && switched.is_empty());
    assert_eq!(spent(&shop).await, (Vec::new(), 0));
    let (_, asked, switched) = run(None, Caps { run: Some(u64::MAX), ..Caps::default() }).await;
    assert_eq!((asked, switched), (0, vec!["offline".to_owned()]));
    // A model that is known to cost nothing passes every cap.
    let (_, asked, switched) = run(Some(Price::FREE), Caps { run: Some(0), ..Caps::default() }).await;
    assert!(asked > 2 && switched.is_empty());
}
