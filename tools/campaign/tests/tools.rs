//! The class tools through the registry: what a model learns, what is recorded, what comes back to be mended.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use kit::campaign::{Angle, ClassCopy, ClassKey};
use kit::message::{Channel, CheckReport, Draft, Finding, Place, Severity};
use kit::product::ProductCard;
use kit::tool::{Disposition, Registry, Subject, ToolContext, ToolError};
use kit::{
    BoxFuture, CategoryId, Currency, CustomerId, Digest, FactBook, FlowId, Language, Money, Principal, ProductId,
    Provenance, RunId, ShopId, StoreError, Timestamp,
};
use mailwright_campaign::{ClassDesk, ClassFacts, ClassOffer, LookupClass, PreviewFault, ProposeClass};

fn now() -> Timestamp {
    "2026-11-17T10:00:00Z".parse().unwrap()
}

struct Desk {
    offer: bool,
    channels: Vec<Channel>,
}

impl ClassDesk for Desk {
    fn facts<'a>(&'a self, _: &'a ToolContext) -> BoxFuture<'a, Result<ClassFacts, StoreError>> {
        let offer = self.offer.then(|| ClassOffer {
            step: "ten-percent".parse().unwrap(),
            label: "10% off your order".into(),
            percent: Some(10),
            ends: "2026-11-26T23:59:59Z".parse().unwrap(),
            sample_code: "TARN-7K3Q9M".into(),
        });
        let facts = ClassFacts {
            key: ClassKey {
                lead: ProductId::new("p-1").unwrap(),
                angle: Angle::Comeback,
                tone: None,
                language: Language::EN,
                offer: offer.as_ref().map(|o| o.step.clone()),
            },
            objective: "Sell packs".into(),
            audience: "lapsed".into(),
            lead: card(),
            offer,
            angles: vec![Angle::Comeback, Angle::Benefit, Angle::Advice, Angle::Occasion],
            channels: self.channels.clone(),
        };
        Box::pin(async { Ok(facts) })
    }

    /// One rule: nobody says "epic".
    fn check<'a>(
        &'a self,
        _: &'a ToolContext,
        draft: &'a Draft,
        facts: &'a FactBook,
    ) -> BoxFuture<'a, Result<CheckReport, StoreError>> {
        let hit = |(place, text): (Place, &str)| {
            text.contains("epic").then(|| Finding {
                rule: "brand.banned-words".into(),
                severity: Severity::Block,
                place,
                span: None,
                excerpt: "epic".into(),
                why: "everybody says it".into(),
                mend: "name the detail".into(),
                owner: "brand".into(),
            })
        };
        let report = CheckReport {
            content: draft.content_hash(facts).unwrap(),
            rules_version: Digest::of_bytes(b"rules"),
            findings: draft.texts().into_iter().filter_map(hit).collect(),
            checked_at: now(),
        };
        Box::pin(async { Ok(report) })
    }

    fn preview<'a>(&'a self, _: &'a ToolContext, copy: &'a ClassCopy) -> BoxFuture<'a, Result<(), PreviewFault>> {
        let long = copy.sms.as_ref().is_some_and(|sms| sms.draft.texts().iter().any(|(_, t)| t.len() > 200));
        let answer = if long { Err(PreviewFault::Mendable("sms: it takes 4 parts".into())) } else { Ok(()) };
        Box::pin(async { answer })
    }
}

fn card() -> ProductCard {
    ProductCard {
        id: ProductId::new("p-1").unwrap(),
        title: "Ridge Pack".into(),
        provenance: Provenance::Merchant,
        category: CategoryId::new("packs").unwrap(),
        price: Money::new(12_900, Currency::EUR),
        was: None,
        stock: 40,
        url: "https://shop.example/p/1".into(),
        image: String::new(),
        image_alt: String::new(),
        highlights: vec!["The hip belt comes off in one pull".into()],
        care: None,
        regulated: None,
        considered: true,
        reviews: Vec::new(),
        as_of: now(),
    }
}

fn registry(desk: Desk) -> Registry {
    let desk = Arc::new(desk);
    Registry::new().with(LookupClass::new(desk.clone())).unwrap().with(ProposeClass::new(desk)).unwrap()
}

fn context(facts: FactBook, call: u32) -> ToolContext {
    let flow = FlowId::new("campaign-class").unwrap();
    let subject = Subject {
        flow: flow.clone(),
        customer: CustomerId::new("nobody").unwrap(),
        occasion: "cmp-1/cls-1".into(),
        step: 1,
        triggered_at: now(),
        products: Vec::new(),
        cart_url: None,
        stops_on_purchase: false,
        language: Language::EN,
        release: Digest::of_bytes(b"release"),
    };
    ToolContext::new(
        ShopId::new("s").unwrap(),
        RunId::new("r").unwrap(),
        Principal::Flow { flow },
        now(),
        Arc::new(subject),
        Arc::new(facts),
        None,
        call,
    )
}

fn call(registry: &Registry, name: &str, cx: &ToolContext, args: &serde_json::Value) -> Result<String, ToolError> {
    let tool = registry.get(name).unwrap();
    let text = args.to_string();
    let mut future = tool.call(cx, &text);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut task) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

/// What the class run learned.
fn learned(registry: &Registry) -> (FactBook, String) {
    let cx = context(FactBook::new(), 1);
    let told = call(registry, "lookup_class", &cx, &serde_json::json!({ "purpose": "what they share" })).unwrap();
    let mut book = FactBook::new();
    for fact in cx.finish().0 {
        book.insert(fact);
    }
    (book, told)
}

fn proposal() -> serde_json::Value {
    let lines = [
        ("Back to the trail", "comeback"),
        ("Where you left off", "comeback"),
        ("{{f101.title}}, up close", "benefit"),
        ("One detail that matters", "benefit"),
        ("How to choose without regret", "advice"),
        ("Ask this of any gear", "advice"),
        ("Before the first weekend", "occasion"),
        ("Packing early pays", "occasion"),
        ("A belt that comes off", "benefit"),
        ("Good reasons for going outside", "comeback"),
    ];
    let subjects: Vec<_> = lines.iter().map(|(t, a)| serde_json::json!({ "text": t, "angle": a })).collect();
    serde_json::json!({
        "subjects": subjects,
        "preheader": "What a hip belt is for, and when to leave it at home.",
        "blocks": [
            { "type": "heading", "text": "Carry less of it" },
            { "type": "paragraph", "text": "One thing worth knowing: {{f101.highlight}}" },
            { "type": "product", "fact": "f101", "reason": "For days that end on a hill." },
            { "type": "cta", "fact": "f101", "label": "See the pack" }
        ],
        "sms": "{{f101.title}}: {{f101.highlight}}",
        "confidence": "high"
    })
}

fn mail_and_sms() -> Desk {
    Desk { offer: false, channels: vec![Channel::Email, Channel::Sms] }
}

#[test]
fn a_class_is_looked_up_without_a_person_and_written_whole() {
    let registry = registry(mail_and_sms());
    let (facts, told) = learned(&registry);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let keys: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["language", "angle", "objective", "audience", "product", "subject_angles", "channels"]);
    let cx = context(facts, 2);
    let answer = call(&registry, "propose_class", &cx, &proposal()).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    // The best of three different angles, in the writer's order.
    assert_eq!(
        answer["chosen"],
        serde_json::json!(["Back to the trail", "{{f101.title}}, up close", "How to choose without regret"])
    );
    let Some(Disposition::Written { copy }) = cx.finish().1 else { panic!("nothing was written") };
    assert_eq!((copy.subjects.len(), copy.tested), (10, 2));
    let (mail, sms) = (copy.mail.unwrap(), copy.sms.unwrap());
    assert_eq!((mail.draft.channel, sms.draft.channel), (Channel::Email, Channel::Sms));
    assert!(sms.draft.subjects.is_empty() && sms.draft.preheader.is_empty());
}

#[test]
fn everything_that_is_wrong_comes_back_at_once_and_nothing_is_recorded() {
    let registry = registry(mail_and_sms());
    let (facts, _) = learned(&registry);
    let wrong = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut args = proposal();
        change(&mut args);
        let cx = context(facts.clone(), 2);
        let error = call(&registry, "propose_class", &cx, &args).unwrap_err();
        assert_eq!(cx.finish().1, None);
        let ToolError::ForModel(words) = error else { panic!("{error:?}") };
        words
    };
    let twins = wrong(&|args| {
        args["subjects"][1]["text"] = "Back to the trails".into();
        args["blocks"][1]["text"] = "An epic pack.".into();
        args["subjects"][9]["text"] = "An epic walk".into();
        args["sms"] = serde_json::Value::Null;
    });
    for told in [
        "subjects[1]: nearly the same as subjects[0]",
        "subjects[9]: brand.banned-words `epic`",
        "blocks[1].text: brand.banned-words",
        "sms: `channels` names sms",
    ] {
        assert!(twins.contains(told), "{told} in {twins}");
    }
    let narrow = wrong(&|args| {
        for subject in args["subjects"].as_array_mut().unwrap() {
            subject["angle"] = "benefit".into();
        }
    });
    assert!(narrow.contains("they spread over 1 angle(s); at least 4"), "{narrow}");
    assert!(wrong(&|args| args["subjects"][0]["angle"] = "urgency".into()).contains("subjects[0].angle"));
    let offer = serde_json::json!({ "type": "offer", "fact": "f101", "text": "Something towards it." });
    assert!(wrong(&|args| args["blocks"].as_array_mut().unwrap().push(offer.clone())).contains("has no offer"));
    assert!(
        wrong(&|args| {
            args["blocks"].as_array_mut().unwrap().remove(2);
        })
        .contains("exactly one product block")
    );
    assert!(wrong(&|args| args["sms"] = "too long ".repeat(25).into()).contains("sms: it takes 4 parts"));
}

#[test]
fn a_class_with_an_offer_shows_it_and_one_without_sms_has_none() {
    let registry = registry(Desk { offer: true, channels: vec![Channel::Email] });
    let (facts, told) = learned(&registry);
    assert!(told.contains("\"label\":\"10% off your order\"") && !told.contains("TARN-"), "{told}");
    let mut args = proposal();
    let cx = context(facts.clone(), 2);
    let ToolError::ForModel(words) = call(&registry, "propose_class", &cx, &args).unwrap_err() else { panic!() };
    assert!(words.contains("exactly one offer block") && words.contains("set it to null"), "{words}");
    args["sms"] = serde_json::Value::Null;
    let offer = serde_json::json!({ "type": "offer", "fact": "f102", "text": "Something towards it." });
    args["blocks"].as_array_mut().unwrap().insert(3, offer);
    let cx = context(facts, 3);
    call(&registry, "propose_class", &cx, &args).unwrap();
    assert!(matches!(cx.finish().1, Some(Disposition::Written { copy }) if copy.sms.is_none()));
}

#[test]
fn the_schemas_are_the_checked_in_ones() {
    let registry = registry(mail_and_sms());
    for name in ["lookup_class", "propose_class"] {
        let spec = registry.get(name).unwrap().spec();
        let now = format!("{:#}\n", spec.parameters);
        let file = format!("{}/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&file, &now).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), now, "run with UPDATE_SCHEMAS=1 and review");
    }
}
