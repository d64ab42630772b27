//! `explore_graph` as a model meets it.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kit::tool::{Registry, Subject, ToolContext, ToolError, ToolSpec};
use kit::{BoxFuture, CustomerId, Digest, FactBook, FlowId, Language, Principal, RunId, ShopId, StoreError};
use mailwright_graph::*;
use serde_json::{Value, json};

use crate::shop::*;

struct Shop {
    graph: Option<Arc<ProductGraph>>,
    history: Result<Vec<Owned>, StoreError>,
}

impl Graphs for Shop {
    fn graph<'a>(&'a self, _: &'a ShopId) -> BoxFuture<'a, Result<Option<Arc<ProductGraph>>, StoreError>> {
        Box::pin(std::future::ready(Ok(self.graph.clone())))
    }
}

impl History for Shop {
    fn owned<'a>(&'a self, _: &'a ShopId, _: &'a CustomerId) -> BoxFuture<'a, Result<Vec<Owned>, StoreError>> {
        Box::pin(std::future::ready(self.history.clone()))
    }
}

fn shop() -> Shop {
    Shop { graph: Some(Arc::new(graph())), history: Ok(vec![owned("boot", 3), owned("insole", 90)]) }
}

fn registry(shop: Shop, stand: Stand) -> Registry {
    let shop = Arc::new(shop);
    Registry::new().with(ExploreGraph::new(shop.clone(), shop, Arc::new(stand))).unwrap()
}

fn context(products: &[&str]) -> ToolContext {
    let subject = Subject {
        flow: FlowId::new("post-purchase").unwrap(),
        customer: CustomerId::new("c1").unwrap(),
        occasion: "order-1".into(),
        step: 1,
        triggered_at: now(),
        products: products.iter().map(|p| id(p)).collect(),
        cart_url: None,
        stops_on_purchase: false,
        language: Language::EN,
        release: Digest::of_bytes(b"release"),
    };
    ToolContext::new(
        ShopId::new("fern").unwrap(),
        RunId::new("r1").unwrap(),
        Principal::System,
        now(),
        Arc::new(subject),
        Arc::new(FactBook::new()),
        None,
        2,
    )
}

fn call(registry: &Registry, cx: &ToolContext, args: Value) -> Result<Value, ToolError> {
    let (tool, args) = (registry.get("explore_graph").unwrap(), args.to_string());
    let mut future = tool.call(cx, &args);
    let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
    answer.map(|text| serde_json::from_str(&text).unwrap())
}

fn ask(question: &str) -> Value {
    json!({ "question": question, "products": [], "relation": null, "limit": null })
}

#[test]
fn the_run_s_own_order_is_meant_when_no_product_is_named() {
    let cx = context(&["boot"]);
    let answer = call(&registry(shop(), Stand::default()), &cx, ask("recommend")).unwrap();
    insta::assert_json_snapshot!(answer);
    let (facts, disposition) = cx.finish();
    let minted: Vec<_> = facts.iter().map(|f| (f.id.as_str(), f.subject.as_str(), f.source.as_str())).collect();
    let shown: Vec<_> = answer["items"].as_array().unwrap().iter().map(|i| (&i["fact"], &i["product"])).collect();
    assert_eq!(minted.len(), shown.len());
    assert!(
        minted
            .iter()
            .zip(shown)
            .all(|((fact, product, source), (f, p))| f == fact && p == product && *source == "graph")
    );
    assert_eq!(disposition, None);
}

#[test]
fn neighbours_follow_one_relation_and_the_order_at_hand_stays_out() {
    let registry = registry(shop(), Stand::default());
    let summary = |products: &[&str], relation: Value| {
        let args = json!({ "question": "neighbours", "products": products, "relation": relation, "limit": 8 });
        let answer = call(&registry, &context(&["boot"]), args).unwrap();
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let paths: Vec<_> = items.iter().map(|i| i["path"].as_str().unwrap().to_owned()).collect();
        (paths, answer["note"].as_str().map(str::to_owned))
    };
    assert_eq!(summary(&[], json!("accessory")), (vec!["boot -accessory-> spray".into()], None));
    assert_eq!(
        summary(&["poles"], json!("same_intent")).0,
        ["poles -serves_intent-> first-multi-day-hike <-serves_intent- pack"]
    );
    let (none, note) = summary(&["map"], json!("next"));
    assert_eq!(none, Vec::<String>::new());
    assert_eq!(note.as_deref(), Some("nothing that may be offered lies there; try another relation or recommend"));
}

#[test]
fn guides_are_facts() {
    let cx = context(&["boot"]);
    let answer = call(&registry(shop(), Stand::default()), &cx, ask("guides")).unwrap();
    assert_eq!(
        answer,
        json!({ "guides": [
            { "fact": "f201", "title": "Caring for membranes", "summary": "Wash, dry, re-proof: three steps a season.",
              "path": "boot <-explains- membranes" },
            { "fact": "f202", "title": "Your first tour", "summary": "Plan three short days before one long one.",
              "path": "boot -serves_intent-> first-multi-day-hike <-serves_intent- first-tour" },
        ] })
    );
    let (facts, _) = cx.finish();
    assert_eq!(facts[0].kind, kit::FactKind::Guide);
    assert_eq!(facts[0].text("url"), Some("https://fern.example/guides/membranes"));
    assert_eq!(facts[0].as_of, days_ago(1));
}

#[test]
fn a_third_party_title_stays_fenced_inside_a_reason() {
    let stand = Stand { third_party: [id("boot")].into(), ..Stand::default() };
    let mut args = ask("neighbours");
    args["relation"] = json!("accessory");
    let answer = call(&registry(shop(), stand), &context(&["boot"]), args).unwrap();
    assert_eq!(
        answer["items"][0]["because"],
        "goes with ⟦third-party: Clare Mid Hiking Boot⟧: keeps the membrane breathing"
    );
}

#[test]
fn substitutes_of_several_products_take_turns_and_regulated_goods_replace_only_their_like() {
    let stand =
        || Stand { regulated: [id("salts"), id("bottle")].into(), out: [id("poles")].into(), ..Stand::default() };
    let found = |question: &str, products: &[&str]| {
        let args = json!({ "question": question, "products": products, "relation": null, "limit": 8 });
        let shop = Shop { history: Ok(vec![]), ..shop() };
        let answer = call(&registry(shop, stand()), &context(&[]), args).unwrap();
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|i| i["product"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("substitutes", &["boot", "boot-low"]), ["boot-light"]);
    assert_eq!(found("substitutes", &["boot"]), ["boot-light", "boot-low"]);
    assert!(!found("recommend", &["socks"]).contains(&"bottle".to_owned()), "regulated goods are not volunteered");
}

#[test]
fn what_the_model_got_wrong_is_said_so_that_it_can_mend_it() {
    let registry = registry(shop(), Stand::default());
    let said = |products: &[&str], args: Value| match call(&registry, &context(products), args) {
        Err(ToolError::ForModel(text)) => text,
        other => panic!("{other:?}"),
    };
    let unknown = json!({ "question": "recommend", "products": ["boot", "x9"], "relation": null, "limit": null });
    assert_eq!(
        said(&[], unknown),
        "this shop has no x9; use product ids from earlier results, or an empty list for this run's own products"
    );
    let stray = json!({ "question": "recommend", "products": [], "relation": "next", "limit": null });
    assert_eq!(said(&[], stray), "`relation` is for neighbours only; set it to null or ask neighbours");
    assert_eq!(
        said(&[], ask("substitutes")),
        "this run has no products of its own; name at least one in `products`, or ask recommend"
    );
    let many = json!({ "question": "recommend", "products": [], "relation": null, "limit": 20 });
    assert!(said(&[], many).contains("limit"));
}

#[test]
fn trouble_below_is_passed_on_as_what_it_is() {
    let failing = |error: StoreError| Shop { history: Err(error), ..shop() };
    let answer = |shop: Shop| call(&registry(shop, Stand::default()), &context(&["boot"]), ask("recommend"));
    assert!(matches!(answer(failing(StoreError::Unavailable("busy".into()))), Err(ToolError::Retry(_))));
    let corrupt = StoreError::Corrupt { what: "orders".into(), why: "no JSON".into() };
    assert!(matches!(answer(failing(corrupt)), Err(ToolError::Fatal(_))));
    let without = Shop { graph: None, ..shop() };
    assert_eq!(
        answer(without),
        Err(ToolError::ForModel("this shop has no product graph yet; choose products with search_catalog".into()))
    );
}

#[test]
fn the_schema_is_the_one_checked_in() {
    let spec = ToolSpec::of::<ExploreGraph>().unwrap();
    let found = serde_json::to_string_pretty(&*spec.parameters).unwrap() + "\n";
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/explore_graph.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(file, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(file).unwrap(), "run with UPDATE_SCHEMAS=1 and review the change");
    assert!(spec.description.lines().count() <= 40);
}
