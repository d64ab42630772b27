//! A customer to bend, a shelf, a store, and a run around them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use kit::fact::{FactBook, Provenance};
use kit::product::{ProductCard, Shelf};
use kit::tool::{Registry, Subject, ToolContext};
use kit::{
    BoxFuture, CategoryId, Currency, CustomerId, Digest, FlowId, Language, Money, OrderId, Principal, ProductId, RunId,
    ShopId, StoreError,
};
use mailwright_profile::{
    Activity, ActivityKind, CustomerSnapshot, LookupProfile, OrderFacts, OrderLine, Profiles, StoreNorms, Thresholds,
};

pub fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

pub fn ago(days: f64) -> Timestamp {
    now().checked_sub(SignedDuration::from_secs((days * 86_400.0) as i64)).unwrap()
}

pub fn product(id: &str) -> ProductId {
    ProductId::new(id).unwrap()
}

pub fn category(path: &str) -> CategoryId {
    CategoryId::new(path).unwrap()
}

pub fn customer() -> CustomerSnapshot {
    CustomerSnapshot {
        id: CustomerId::new("k1").unwrap(),
        first_name: Some("Aoife".into()),
        language: Language::EN,
        country: Some("IE".into()),
        time_zone: Some("Europe/Dublin".into()),
        created_at: ago(900.0),
        tags: Vec::new(),
        loyalty_tier: None,
        consents: Vec::new(),
        orders: Vec::new(),
        activity: Vec::new(),
        open_tickets: 0,
        said: Vec::new(),
        sent: Vec::new(),
    }
}

/// An order of one line, placed so many days ago.
pub fn order(days: f64, what: &str, kind: &str) -> OrderFacts {
    OrderFacts {
        id: OrderId::new(format!("o-{days}")).unwrap(),
        placed_at: ago(days),
        total: Money::new(7_777, Currency::EUR),
        discount: Money::new(0, Currency::EUR),
        lines: vec![OrderLine {
            product: product(what),
            category: category(kind),
            quantity: 1,
            price: Money::new(7_777, Currency::EUR),
            returned: false,
        }],
        cancelled_at: None,
        cancel_reason: None,
        fulfilled_at: None,
    }
}

pub fn orders(days: &[f64]) -> CustomerSnapshot {
    CustomerSnapshot { orders: days.iter().map(|d| order(*d, "gas", "cooking/gas")).collect(), ..customer() }
}

pub fn did(kind: ActivityKind, days: f64, what: Option<&str>, category_path: &str, dwell_s: u32) -> Activity {
    Activity { kind, product: what.map(product), category: Some(category(category_path)), at: ago(days), dwell_s }
}

/// A shelf that holds everything except `gone`, with `out-…` sold out.
pub struct TestShelf;

impl Shelf for TestShelf {
    fn card(&self, id: &ProductId, _: &Language, now: Timestamp) -> Option<ProductCard> {
        (id.as_str() != "gone").then(|| ProductCard {
            id: id.clone(),
            title: format!("The {id}"),
            provenance: Provenance::Merchant,
            category: category("things"),
            price: Money::new(2_500, Currency::EUR),
            was: None,
            stock: if id.as_str().starts_with("out") { 0 } else { 40 },
            url: format!("https://shop.example/{id}"),
            image: format!("https://shop.example/{id}.jpg"),
            image_alt: "A thing".into(),
            highlights: vec!["Lasts".into()],
            care: None,
            regulated: None,
            considered: false,
            reviews: Vec::new(),
            as_of: now,
        })
    }
}

pub struct OneCustomer(pub Option<CustomerSnapshot>);

impl Profiles for OneCustomer {
    fn snapshot<'a>(
        &'a self,
        _: &'a ShopId,
        _: &'a CustomerId,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<CustomerSnapshot>, StoreError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
    fn norms<'a>(&'a self, _: &'a ShopId, _: Timestamp) -> BoxFuture<'a, Result<StoreNorms, StoreError>> {
        Box::pin(async { Ok(StoreNorms::unknown()) })
    }
}

pub fn registry(snapshot: Option<CustomerSnapshot>) -> Registry {
    let tool = LookupProfile::new(Arc::new(OneCustomer(snapshot)), Arc::new(TestShelf), Thresholds::default());
    Registry::new().with(tool).unwrap()
}

pub fn run(flow: &str, occasion: &str, products: &[&str], cart_url: Option<&str>) -> ToolContext {
    let subject = Subject {
        flow: FlowId::new(flow).unwrap(),
        customer: CustomerId::new("k1").unwrap(),
        occasion: occasion.into(),
        step: 1,
        triggered_at: ago(0.1),
        products: products.iter().map(|p| product(p)).collect(),
        cart_url: cart_url.map(str::to_owned),
        stops_on_purchase: flow != "post-purchase",
        language: Language::EN,
        release: Digest::of_bytes(b"release"),
    };
    let shop = ShopId::new("tarn").unwrap();
    let principal = Principal::Flow { flow: subject.flow.clone() };
    let facts = Arc::new(FactBook::new());
    ToolContext::new(shop, RunId::new("r1").unwrap(), principal, now(), Arc::new(subject), facts, None, 1)
}

/// The tool's answer as the model reads it.
pub fn answer(snapshot: Option<CustomerSnapshot>, cx: &ToolContext) -> String {
    let registry = registry(snapshot);
    let tool = registry.get("lookup_profile").unwrap();
    let mut call = tool.call(cx, r#"{"purpose":"who they are"}"#);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("nothing here waits"),
    }
}
