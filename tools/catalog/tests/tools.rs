//! Both tools through the registry, as a model calls them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use common::{id, shop};
use kit::tool::{Registry, Subject, ToolContext, ToolError};
use kit::{CustomerId, Digest, FlowId, Language, Principal, RunId, ShopId, Timestamp};
use mailwright_catalog::{Catalog, Catalogs, GetProducts, SearchCatalog};

struct OneShop(Arc<Catalog>);

impl Catalogs for OneShop {
    fn catalog(&self, shop: &ShopId) -> Option<Arc<Catalog>> {
        (shop.as_str() == "tarn").then(|| Arc::clone(&self.0))
    }
}

fn registry(catalog: Catalog) -> Registry {
    let catalogs = Arc::new(OneShop(Arc::new(catalog)));
    Registry::new().with(SearchCatalog::new(catalogs.clone())).unwrap().with(GetProducts::new(catalogs)).unwrap()
}

fn context(shop: &str, language: Language) -> ToolContext {
    let subject = Subject {
        flow: FlowId::new("abandoned-checkout").unwrap(),
        customer: CustomerId::new("c-1").unwrap(),
        occasion: "cart-1".to_owned(),
        step: 1,
        triggered_at: Timestamp::UNIX_EPOCH,
        products: Vec::new(),
        cart_url: None,
        language,
        release: Digest::of_bytes(b""),
        stops_on_purchase: true,
    };
    ToolContext::new(
        ShopId::new(shop).unwrap(),
        RunId::new("r-1").unwrap(),
        Principal::System,
        Timestamp::UNIX_EPOCH,
        Arc::new(subject),
        Arc::default(),
        None,
        2,
    )
}

fn call(registry: &Registry, cx: &ToolContext, tool: &str, arguments: &str) -> Result<String, ToolError> {
    let mut future = registry.get(tool).unwrap().call(cx, arguments);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the catalogue never waits"),
    }
}

/// The answer, indented for the reader of a snapshot, and the facts it minted.
fn told(tool: &str, language: Language, arguments: &str) -> String {
    let cx = context("tarn", language);
    let answer = call(&registry(Catalog::in_memory(shop()).unwrap()), &cx, tool, arguments);
    let answer = match answer {
        Ok(json) => serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&json).unwrap()).unwrap(),
        Err(error) => format!("{error:?}"),
    };
    let facts = cx.finish().0;
    let facts: Vec<String> = facts
        .iter()
        .map(|f| {
            format!("{} {:?} {}: {}", f.id, f.kind, f.subject, f.fields.keys().cloned().collect::<Vec<_>>().join(" "))
        })
        .collect();
    format!("{answer}\n{}", facts.join("\n"))
}

#[test]
fn schemas_are_those_checked_in() {
    for spec in registry(Catalog::in_memory(shop()).unwrap()).specs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{}.schema.json", spec.name));
        let schema = format!("{}\n", serde_json::to_string_pretty(&*spec.parameters).unwrap());
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), schema, "UPDATE_SCHEMAS=1 writes {}", path.display());
        assert!(spec.description.lines().count() <= 40, "{}", spec.name);
    }
}

#[test]
fn a_search_shows_products_as_facts_and_how_the_rest_spreads() {
    insta::assert_snapshot!(told("search_catalog", Language::EN, r#"{"query":"waterprof","limit":2}"#));
}

#[test]
fn a_search_in_german_shows_german_and_leaves_out_what_is_sold_out() {
    insta::assert_snapshot!(told("search_catalog", Language::DE, r#"{"query":"wanderstiefel hat","max_price":300}"#));
}

#[test]
fn a_feeds_words_are_fenced() {
    insta::assert_snapshot!(told("search_catalog", Language::EN, r#"{"query":"","category":"camping/lanterns"}"#));
}

#[test]
fn a_search_that_finds_nothing_says_what_to_do() {
    insta::assert_snapshot!(told("search_catalog", Language::EN, r#"{"query":"tent","max_price":10}"#));
}

#[test]
fn what_is_sold_out_is_shown_only_when_asked_for() {
    let registry = registry(Catalog::in_memory(shop()).unwrap());
    let total = |arguments: &str| {
        let answer = call(&registry, &context("tarn", Language::EN), "search_catalog", arguments).unwrap();
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()["total"].as_u64().unwrap()
    };
    assert_eq!(total(r#"{"query":"hat"}"#), 0);
    assert_eq!(total(r#"{"query":"hat","in_stock":true}"#), 0);
    assert_eq!(total(r#"{"query":"hat","in_stock":false}"#), 1);
}

#[test]
fn wrong_arguments_are_answered_with_the_mend() {
    insta::assert_snapshot!(
        [
            r#"{"query":"boots","category":"footwear/sandals"}"#,
            r#"{"query":"boots","category":"garden"}"#,
            r#"{"query":"boots","limit":50,"max_price":0,"sort":"price"}"#,
        ]
        .map(|arguments| told("search_catalog", Language::EN, arguments))
        .join("\n")
    );
}

#[test]
fn products_come_with_a_review_and_unknown_ids_with_the_nearest() {
    insta::assert_snapshot!(told(
        "get_products",
        Language::EN,
        r#"{"products":["TT-1001","TT-1001","tt-2001","DS-1"]}"#
    ));
    insta::assert_snapshot!(told("get_products", Language::EN, r#"{"products":["TT-9","zzz"]}"#));
}

#[test]
fn get_products_sees_stock_and_price_of_now() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    catalog.set_stock(&id("TT-1001"), 0).unwrap();
    catalog.set_price(&id("TT-1001"), common::eur(100)).unwrap();
    let cx = context("tarn", Language::DE);
    let answer = call(&registry(catalog), &cx, "get_products", r#"{"products":["TT-1001"]}"#).unwrap();
    let product = &serde_json::from_str::<serde_json::Value>(&answer).unwrap()["products"][0];
    assert_eq!((product["price"].as_str(), product["stock"].as_str()), (Some("100,00 €"), Some("out")));
    let fact = cx.finish().0.remove(0);
    assert_eq!((fact.money("price"), fact.count("stock"), fact.as_of), (Some(common::eur(100)), Some(0), cx.now));
}

#[test]
fn another_shop_sees_nothing() {
    let registry = registry(Catalog::in_memory(shop()).unwrap());
    for (tool, arguments) in
        [("search_catalog", r#"{"query":"boots"}"#), ("get_products", r#"{"products":["TT-1001"]}"#)]
    {
        let answer = call(&registry, &context("other", Language::EN), tool, arguments);
        let expected = "shop other has no catalogue: import one with `mailwright catalog import FILE`";
        assert_eq!(answer, Err(ToolError::Fatal(expected.to_owned())));
    }
}
