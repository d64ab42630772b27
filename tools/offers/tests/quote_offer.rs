//! The tool as a model meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use kit::fact::FactBook;
use kit::tool::{Registry, Subject, ToolContext, ToolError};
use kit::{
    BoxFuture, Currency, CustomerId, Digest, Fact, FlowId, Language, Money, OfferStepId, Principal, ProductId, RunId,
    ShopId, StoreError, Timestamp,
};
use mailwright_offers::{BasketLine, Held, Ladder, Offer, OfferDesk, OfferHistory, OfferRequest, QuoteOffer};
use serde_json::{Value, json};

struct Desk {
    ladder: Option<Arc<Ladder>>,
    fails: bool,
    vip: bool,
    /// The budget is used up.
    spent: bool,
    wishes: Arc<Mutex<Vec<(String, String)>>>,
    /// Codes that were asked to be held, with their step.
    asked: Arc<Mutex<Vec<(String, String)>>>,
    /// How many of them are somebody else's.
    taken: usize,
    /// What the run holds already.
    holds: Option<(&'static str, &'static str)>,
}

impl OfferDesk for Desk {
    fn ladder(&self, _: &ShopId) -> Option<Arc<Ladder>> {
        self.ladder.clone()
    }
    fn request<'a>(
        &'a self,
        cx: &'a ToolContext,
        step: Option<OfferStepId>,
    ) -> BoxFuture<'a, Result<OfferRequest, StoreError>> {
        Box::pin(async move {
            if self.fails {
                return Err(StoreError::Unavailable("locked".into()));
            }
            Ok(OfferRequest {
                flow: cx.subject.flow.clone(),
                step,
                basket: vec![BasketLine {
                    product: ProductId::new("TT-1501").unwrap(),
                    category: "camping/tents".parse().unwrap(),
                    price: Money::new(20_000, Currency::EUR),
                    cost: Some(Money::new(9_000, Currency::EUR)),
                    quantity: 1,
                    reduced: false,
                    tags: Vec::new(),
                    regulated: false,
                }],
                history: OfferHistory { orders: 3, ..OfferHistory::default() },
                vip: self.vip,
                triggered_at: cx.subject.triggered_at,
                now: cx.now,
            })
        })
    }
    fn hold<'a>(
        &'a self,
        _: &'a ToolContext,
        offer: &'a Offer,
        code: &'a str,
    ) -> BoxFuture<'a, Result<Held, StoreError>> {
        let mut asked = self.asked.lock().unwrap();
        asked.push((offer.step().to_string(), code.to_owned()));
        let held = match self.holds {
            Some((step, held)) if held != code => {
                Held::Stands { step: OfferStepId::new(step).unwrap(), code: held.to_owned() }
            }
            Some(_) => Held::Held,
            None if asked.len() <= self.taken => Held::CodeTaken,
            None if self.spent => Held::Over { budget: "month:2026-11".to_owned() },
            None => Held::Held,
        };
        Box::pin(async move { Ok(held) })
    }
    fn beyond<'a>(
        &'a self,
        _: &'a ToolContext,
        step: &'a OfferStepId,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.wishes.lock().unwrap().push((step.to_string(), reason.to_owned()));
        Box::pin(async { Ok(()) })
    }
}

fn desk() -> Desk {
    let ladder = Ladder::parse("ladder.toml", include_str!("../../../knowledge/offers/ladder.toml")).unwrap();
    let (wishes, asked) = (Arc::default(), Arc::default());
    Desk {
        ladder: Some(Arc::new(ladder)),
        fails: false,
        vip: false,
        spent: false,
        wishes,
        asked,
        taken: 0,
        holds: None,
    }
}

fn context(language: Language, customer: &str) -> ToolContext {
    context_with(language, customer, FactBook::new())
}

/// A run that has learned these facts.
fn context_with(language: Language, customer: &str, facts: FactBook) -> ToolContext {
    let subject = Subject {
        flow: FlowId::new("win-back").unwrap(),
        customer: CustomerId::new(customer).unwrap(),
        occasion: "2026-11".into(),
        step: 1,
        triggered_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        products: Vec::new(),
        cart_url: Some("https://www.tarnandtrail.example/cart/abc".into()),
        language,
        stops_on_purchase: true,
        release: Digest::of_bytes(b"r"),
    };
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    ToolContext::new(
        ShopId::new("tarn-and-trail").unwrap(),
        RunId::new("r1").unwrap(),
        Principal::Flow { flow: FlowId::new("win-back").unwrap() },
        now,
        Arc::new(subject),
        Arc::new(facts),
        None,
        3,
    )
}

/// The tool never waits by itself, so one poll is enough.
fn call(desk: Desk, cx: &ToolContext, args: &Value) -> (Result<Value, ToolError>, Vec<Fact>) {
    let registry = Registry::new().with(QuoteOffer::new(Arc::new(desk))).unwrap();
    let tool = Arc::clone(registry.get("quote_offer").unwrap());
    let args = args.to_string();
    let mut future = pin!(tool.call(cx, &args));
    let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { panic!("waited") };
    (answer.map(|json| serde_json::from_str(&json).unwrap()), cx.finish().0)
}

const WHY: &str = "They waited for free delivery before.";

#[test]
fn a_granted_step_becomes_a_fact_in_the_readers_language() {
    let (answer, facts) = call(desk(), &context(Language::DE, "c1"), &json!({"step": "ten-percent", "reason": WHY}));
    insta::assert_json_snapshot!(json!({"answer": answer.unwrap(), "facts": facts}));
}

#[test]
fn a_run_has_one_grant_and_every_further_call_returns_it() {
    let (first, facts) = call(desk(), &context(Language::EN, "c1"), &json!({"step": null, "reason": WHY}));
    let mut held = FactBook::new();
    facts.into_iter().for_each(|fact| held.insert(fact));
    let mut standing = first.unwrap();
    standing["note"] = json!("This run has its offer: one grant per run, and this one stands.");
    // Another step, a step that does not exist, a customer who would get none by now: the grant stands.
    for (step, desk) in [
        (json!(null), desk()),
        (json!("ten-percent"), desk()),
        (json!("forty-percent"), desk()),
        (json!(null), Desk { vip: true, ..desk() }),
        (json!(null), Desk { fails: true, ..desk() }),
    ] {
        let cx = context_with(Language::EN, "c1", held.clone());
        let (again, minted) = call(desk, &cx, &json!({"step": step, "reason": WHY}));
        assert_eq!((again.unwrap(), minted), (standing.clone(), Vec::new()));
    }
    // The ladder is gone: a person looks. The offer is over: no second one.
    let cx = context_with(Language::EN, "c1", held.clone());
    let (orphan, _) = call(Desk { ladder: None, ..desk() }, &cx, &json!({"step": null, "reason": WHY}));
    assert_eq!(orphan.unwrap()["needs_approval"], true);
    let mut cx = context_with(Language::EN, "c1", held);
    cx.now = "2027-11-21T12:00:00Z".parse().unwrap();
    let (over, minted) = call(desk(), &cx, &json!({"step": null, "reason": WHY}));
    assert_eq!((over.unwrap()["answer"].clone(), minted), (json!("none"), Vec::new()));
}

#[test]
fn what_is_not_granted_says_what_to_do() {
    let cx = context(Language::EN, "c1");
    let (off_ladder, facts) = call(desk(), &cx, &json!({"step": "forty-percent", "reason": WHY}));
    assert!(facts.is_empty());
    let (vip, _) = call(Desk { vip: true, ..desk() }, &cx, &json!({"step": null, "reason": WHY}));
    let (no_ladder, _) = call(Desk { ladder: None, ..desk() }, &cx, &json!({"step": null, "reason": WHY}));
    insta::assert_json_snapshot!(json!([off_ladder.unwrap(), vip.unwrap(), no_ladder.unwrap()]));
    let (locked, _) = call(Desk { fails: true, ..desk() }, &cx, &json!({"step": null, "reason": WHY}));
    assert!(locked.unwrap_err().is_retryable());
}

#[test]
fn codes_are_stable_per_occasion_and_differ_between_customers() {
    let code = |customer: &str| {
        call(desk(), &context(Language::EN, customer), &json!({"step": null, "reason": WHY})).0.unwrap()["code"].clone()
    };
    assert_eq!(code("c1"), code("c1"));
    assert_ne!(code("c1"), code("c2"));
    let text = code("anna.smith@example.org");
    let (prefix, tail) = text.as_str().unwrap().split_once('-').unwrap();
    assert_eq!((prefix, tail.len()), ("TRAIL", 6));
}

#[test]
fn free_amounts_are_no_argument() {
    let (answer, _) = call(desk(), &context(Language::EN, "c1"), &json!({"step": null, "reason": WHY, "percent": 50}));
    assert!(matches!(answer, Err(ToolError::ForModel(_))));
}

#[test]
fn the_checked_in_schema_is_what_the_model_gets() {
    let registry = Registry::new().with(QuoteOffer::new(Arc::new(desk()))).unwrap();
    let spec = registry.get("quote_offer").unwrap().spec();
    assert!(spec.description.lines().count() <= 40);
    let schema = format!("{}\n", serde_json::to_string_pretty(&*spec.parameters).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/quote_offer.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema);
}

#[test]
fn a_budget_that_is_used_up_grants_nothing_and_a_wish_beyond_the_ladder_reaches_a_person() {
    let spent = Desk { spent: true, ..desk() };
    let (answer, facts) = call(spent, &context(Language::EN, "c1"), &json!({"step": null, "reason": WHY}));
    let none = json!({
        "answer": "none",
        "reason": "Policy permits no such offer for this customer now.",
        "permitted": [],
        "next": "No discount is a good answer: write the message without an offer and without hinting at one.",
    });
    assert_eq!((answer.unwrap(), facts), (none, vec![]));
    let asked = desk();
    let wishes = asked.wishes.clone();
    call(asked, &context(Language::EN, "c1"), &json!({"step": "half-price", "reason": WHY})).0.unwrap();
    assert_eq!(*wishes.lock().unwrap(), [("half-price".to_owned(), WHY.to_owned())]);
}

#[test]
fn a_code_that_is_somebody_elses_is_drawn_again_and_not_for_ever() {
    let cx = context(Language::EN, "c1");
    let unlucky = Desk { taken: 2, ..desk() };
    let asked = unlucky.asked.clone();
    let (answer, _) = call(unlucky, &cx, &json!({"step": "ten-percent", "reason": WHY}));
    let codes: Vec<String> = asked.lock().unwrap().iter().map(|(_, code)| code.clone()).collect();
    assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    assert_eq!(answer.unwrap()["code"], json!(codes[2]));
    let (none, facts) = call(Desk { taken: 99, ..desk() }, &cx, &json!({"step": "ten-percent", "reason": WHY}));
    assert_eq!((none.unwrap()["answer"].clone(), facts), (json!("none"), vec![]));
}

#[test]
fn what_a_run_holds_takes_the_place_of_what_it_asks_after_a_crash() {
    let holds = Desk { holds: Some(("five-percent", "TRAIL-222222")), ..desk() };
    let asked = holds.asked.clone();
    let (answer, _) = call(holds, &context(Language::EN, "c1"), &json!({"step": "fifteen-percent", "reason": WHY}));
    let answer = answer.unwrap();
    assert_eq!((&answer["step"], &answer["code"]), (&json!("five-percent"), &json!("TRAIL-222222")));
    assert_eq!(asked.lock().unwrap()[1], ("five-percent".to_owned(), "TRAIL-222222".to_owned()));
}
