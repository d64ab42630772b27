//! The tool as a model meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kit::tool::{Registry, Subject, ToolContext, ToolError};
use kit::{CustomerId, Digest, Language, Principal, RunId, ShopId};
use mailwright_brand::{CheckBrandRules, RuleBook, RuleBooks};
use serde_json::{Value, json};

struct Books;

impl RuleBooks for Books {
    fn rules(&self, shop: &ShopId) -> Option<Arc<RuleBook>> {
        let book = || RuleBook::parse("rules.toml", common::RULES, "claims.toml", common::CLAIMS).unwrap();
        (shop.as_str() == "tarn-and-trail").then(|| Arc::new(book()))
    }
    fn product_tags(&self, _: &ShopId, product: &str) -> BTreeSet<String> {
        if product == "TT-1001" { BTreeSet::from(["membrane".to_owned()]) } else { BTreeSet::new() }
    }
}

fn call(shop: &str, args: &Value) -> Result<Value, ToolError> {
    let subject = Subject {
        flow: common::flow("abandoned-checkout"),
        customer: CustomerId::new("c1").unwrap(),
        occasion: "cart-1".into(),
        step: 1,
        triggered_at: common::now(),
        products: Vec::new(),
        cart_url: None,
        stops_on_purchase: true,
        language: Language::EN,
        release: Digest::of_bytes(b"r"),
    };
    let cx = ToolContext::new(
        ShopId::new(shop).unwrap(),
        RunId::new("r1").unwrap(),
        Principal::System,
        common::now(),
        Arc::new(subject),
        Arc::new(common::facts()),
        None,
        4,
    );
    let registry = Registry::new().with(CheckBrandRules::new(Arc::new(Books))).unwrap();
    let tool = Arc::clone(registry.get("check_brand_rules").unwrap());
    let args = args.to_string();
    let mut future = pin!(tool.call(&cx, &args));
    let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { panic!("waited") };
    answer.map(|json| serde_json::from_str(&json).unwrap())
}

#[test]
fn texts_are_tried_worst_finding_first() {
    let answer = call(
        "tarn-and-trail",
        &json!({"rule": null, "texts": [
            {"place": "preheader", "text": "The best boots, with a waterproof, breathable membrane."},
            {"place": "subject", "text": "Only 4 left: {{f102.title}}!"},
            {"place": "cta", "text": "Click here"},
            {"place": "body", "text": "Only a few left on the shelf."}
        ]}),
    );
    insta::assert_json_snapshot!(answer.unwrap());
}

#[test]
fn a_rule_is_explained() {
    insta::assert_json_snapshot!(call("tarn-and-trail", &json!({"texts": null, "rule": "brand.green-words"})).unwrap());
    let unknown = call("tarn-and-trail", &json!({"texts": null, "rule": "nope"})).unwrap_err();
    assert!(matches!(unknown, ToolError::ForModel(text) if text.contains("urgency.scarcity")));
    let nothing = call("tarn-and-trail", &json!({"texts": null, "rule": null})).unwrap_err();
    assert!(matches!(nothing, ToolError::ForModel(_)));
    let no_book = call("other-shop", &json!({"texts": null, "rule": "style.caps"})).unwrap_err();
    assert!(matches!(no_book, ToolError::Fatal(_)));
}

#[test]
fn the_checked_in_schema_is_what_the_model_gets() {
    let registry = Registry::new().with(CheckBrandRules::new(Arc::new(Books))).unwrap();
    let spec = registry.get("check_brand_rules").unwrap().spec();
    assert!(spec.description.lines().count() <= 40);
    let schema = format!("{}\n", serde_json::to_string_pretty(&*spec.parameters).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/check_brand_rules.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema);
}
