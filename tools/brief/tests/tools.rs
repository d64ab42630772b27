//! The tools as a model meets them, over a small shop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::tz::TimeZone;
use kit::campaign::{
    AudienceCount, Brief, BriefContext, BriefProduct, OfferChoice, OfferCost, Question, RiskTier, VipTreatment,
};
use kit::fact::FactBook;
use kit::message::Channel;
use kit::tool::{Disposition, Registry, Subject, ToolContext, ToolError};
use kit::{
    BoxFuture, CategoryId, Currency, CustomerId, Digest, FlowId, Language, Money, OfferStepId, Principal, ProductId,
    Role, RunId, ShopId, StoreError, Timestamp,
};
use mailwright_brief::{
    AskMarketer, BriefDesk, Figures, Goods, ProposeBriefs, Rung, ShopFacts, ShownProduct, UpdateBrief, flip,
};
use serde_json::{Value, json};

/// Thursday, 26 November 2026.
const NOW: &str = "2026-11-26T10:00:00Z";

struct Desk;

struct Shelf;

impl Goods for Shelf {
    fn has_category(&self, category: &CategoryId) -> bool {
        ["packs", "packs/daypacks", "footwear"].contains(&category.as_str())
    }

    fn product(&self, id: &ProductId, others: &[ProductId], _: Timestamp) -> Option<ShownProduct> {
        let category = match id.as_str() {
            "P1" | "P2" | "P3" | "OUT" => "packs/daypacks",
            "B1" => "footwear",
            _ => return None,
        };
        let path = others.first().map(|other| format!("{other} -bought_together-> {id}")).unwrap_or_default();
        Some(ShownProduct {
            product: BriefProduct {
                product: id.clone(),
                title: format!("Pack {id}"),
                category: CategoryId::new(category).unwrap(),
                because: "bought by the same people".to_owned(),
                path,
                regulated: None,
            },
            in_stock: id.as_str() != "OUT",
            cost_known: id.as_str() != "P3",
        })
    }
}

impl BriefDesk for Desk {
    fn facts(&self, _: &ShopId) -> ShopFacts {
        let rung = |id: &str, percent, needs_approval| Rung {
            step: OfferStepId::new(id).unwrap(),
            label: id.to_owned(),
            percent,
            needs_approval,
        };
        ShopFacts {
            zone: TimeZone::get("Europe/Dublin").unwrap(),
            languages: vec![Language::EN, Language::DE],
            channels: vec![Channel::Email, Channel::Sms],
            ladder: vec![
                rung("free-shipping", None, false),
                rung("ten-percent", Some(10), true),
                rung("fifteen-percent", Some(15), true),
            ],
            vips_get_offers: false,
        }
    }

    fn goods<'a>(&'a self, _: &'a ShopId) -> BoxFuture<'a, Result<Arc<dyn Goods>, StoreError>> {
        Box::pin(async { Ok(Arc::new(Shelf) as Arc<dyn Goods>) })
    }

    fn figures<'a>(
        &'a self,
        _: &'a ShopId,
        _: &'a str,
        brief: &'a Brief,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Figures, StoreError>> {
        let eur = |minor| Money::new(minor, Currency::EUR);
        let audience = (!brief.audience.is_empty()).then(|| AudienceCount {
            customers: 2_000,
            matched: 200,
            recipients: 170,
            vips: u32::from(brief.vip != VipTreatment::Excluded) * 4,
            excluded: Vec::new(),
            as_of: now,
        });
        let cost = matches!(brief.offer.choice, OfferChoice::Step { .. }).then(|| OfferCost {
            recipients: 170,
            typical_basket: eur(8_000),
            per_basket: eur(800),
            maximum: eur(136_000),
            would_buy_anyway: 5,
            margin_at_risk: eur(4_000),
            as_of: now,
        });
        Box::pin(std::future::ready(Ok(Figures { audience, cost })))
    }
}

/// A conversation under test.
struct Talk {
    registry: Registry,
    brief: Brief,
    turn: u32,
    said: String,
    answered_before: String,
    asked: Vec<Question>,
}

impl Talk {
    fn new() -> Self {
        let desk: Arc<dyn BriefDesk> = Arc::new(Desk);
        let registry = Registry::new()
            .with(UpdateBrief::new(desk.clone()))
            .unwrap()
            .with(AskMarketer)
            .unwrap()
            .with(ProposeBriefs::new(desk))
            .unwrap();
        let (brief, said, answered_before) = (Brief::default(), String::new(), String::new());
        Self { registry, brief, turn: 0, said, answered_before, asked: Vec::new() }
    }

    fn say(&mut self, said: &str) -> &mut Self {
        self.turn += 1;
        self.said = said.to_owned();
        self
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Result<(Value, Option<Disposition>), String> {
        let subject = Subject {
            flow: FlowId::new("brief").unwrap(),
            customer: CustomerId::new("nobody").unwrap(),
            occasion: "b1".into(),
            step: 1,
            triggered_at: NOW.parse().unwrap(),
            products: Vec::new(),
            cart_url: None,
            stops_on_purchase: false,
            language: Language::EN,
            release: Digest::of_bytes(b"r"),
        };
        let talk = BriefContext {
            brief: Arc::new(self.brief.clone()),
            turn: self.turn,
            said: self.said.clone(),
            answered_before: self.answered_before.clone(),
            asked: self.asked.clone(),
        };
        let marketer = Principal::User { name: "mia".into(), role: Role::Marketer };
        let cx = ToolContext::new(
            ShopId::new("shop").unwrap(),
            RunId::new("b1").unwrap(),
            marketer,
            NOW.parse().unwrap(),
            Arc::new(subject),
            Arc::new(FactBook::new()),
            None,
            1,
        )
        .in_talk(Some(Arc::new(talk)));
        let tool = self.registry.get(tool).unwrap();
        let arguments = arguments.to_string();
        let mut future = pin!(tool.call(&cx, &arguments));
        let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the desk answers at once")
        };
        match answer {
            Ok(text) => Ok((serde_json::from_str(&text).unwrap(), cx.finish().1)),
            Err(ToolError::ForModel(words)) => Err(words),
            Err(other) => panic!("{other}"),
        }
    }

    /// A patch with everything else null.
    fn update(&mut self, patch: Value) -> Result<Value, String> {
        let mut all = json!({
            "title": null, "objective": null, "success": null, "failure": null, "include": null, "exclude": null,
            "vip": null, "offer": null, "products": null, "channels": null, "send": null, "holdout_percent": null,
            "angles": null, "tone": null, "languages": null, "legal": null, "rules": null, "take_back": null, "assume": null
        });
        for (key, value) in patch.as_object().unwrap() {
            all[key] = value.clone();
        }
        let (answer, disposition) = self.call("update_brief", &all)?;
        let Some(Disposition::Briefed { brief }) = disposition else { panic!("{disposition:?}") };
        self.brief = *brief;
        Ok(answer)
    }
}

fn lapsed() -> Value {
    json!([{"is": "stage", "any": ["lapsed"]}])
}

#[test]
fn the_worked_example_becomes_a_brief_with_one_question_open() {
    let mut talk = Talk::new();
    talk.say("back to school, backpacks, 20 % for lapsed, nothing for VIP, Thursday");
    let answer = talk
        .update(json!({
            "title": "Back to school", "objective": "Sell backpacks to lapsed customers before school starts",
            "include": lapsed(), "products": ["P1", "P2"],
            "offer": {"choice": "beyond_ladder", "asked": "20 %"},
            "send": {"on": "Thursday", "at": null, "zone": null, "last_day": null},
            "rules": [{"quote": "nothing for VIP", "rule": {"kind": "vip"}}],
        }))
        .unwrap();
    insta::assert_json_snapshot!("the_worked_example_as_answered", answer);
    insta::assert_snapshot!("the_worked_example_as_restated", kit::campaign::words::restate(&talk.brief));
    let schedule = talk.brief.schedule.as_ref().unwrap();
    assert_eq!((schedule.on.to_string().as_str(), schedule.said.as_deref()), ("2026-12-03", Some("thursday")));
    assert_eq!(talk.brief.owner.as_deref(), Some("user:mia"));

    talk.say("VIPs at full price, and fifteen percent then");
    let answer = talk
        .update(json!({
            "vip": {"treatment": "undiscounted", "quote": "VIPs at full price"},
            "offer": {"choice": "step", "step": "fifteen-percent"},
        }))
        .unwrap();
    assert_eq!(answer["ready"], json!(true), "{answer}");
    assert_eq!((talk.brief.vip, talk.brief.risk.tier), (VipTreatment::Undiscounted, RiskTier::High));
    assert!(talk.brief.offer.cost.is_some());
    let told = serde_json::to_string(&answer).unwrap() + &kit::campaign::words::restate(&talk.brief);
    assert!(!told.contains("EUR") && !told.contains("margin at risk"), "no money is for a model: {told}");
}

#[test]
fn what_vips_get_is_never_guessed() {
    let mut talk = Talk::new();
    talk.say("lapsed, nothing for VIP");
    let guess =
        |treatment: &str, quote: &str| json!({"include": lapsed(), "vip": {"treatment": treatment, "quote": quote}});
    let told = talk.update(guess("excluded", "nothing for VIP")).unwrap_err();
    assert!(told.contains("can mean more than one thing"), "{told}");
    let told = talk.update(guess("excluded", "exclude VIPs")).unwrap_err();
    assert!(told.contains("the marketer did not write"), "{told}");
    talk.update(json!({"include": lapsed(), "rules": [{"quote": "nothing for VIP", "rule": {"kind": "words"}}]}))
        .unwrap();
    assert!(
        talk.brief.gaps.iter().any(|g| g.blocks && g.text.contains("do VIPs get no message at all")),
        "{:?}",
        talk.brief.gaps
    );
    // Once they were asked, a short answer is one.
    talk.asked = vec![Question {
        text: "VIPs: no message, or no offer?".into(),
        changes: kit::campaign::Changes::Audience,
        options: vec!["no message".into(), "no offer".into()],
    }];
    talk.say("the first");
    talk.update(json!({"vip": {"treatment": "excluded", "quote": "the first"}})).unwrap();
    assert_eq!(talk.brief.vip, VipTreatment::Excluded);
}

#[test]
fn rules_stand_until_they_are_taken_back_in_words() {
    let mut talk = Talk::new();
    talk.say("lapsed, but no SMS");
    talk.update(
        json!({"include": lapsed(), "rules": [{"quote": "no SMS", "rule": {"kind": "no_channel", "channel": "sms"}}]}),
    )
    .unwrap();
    assert!(!talk.brief.assumptions.iter().any(|a| a.text.contains("SMS") && a.flipped));
    talk.say("send it by SMS as well");
    let both = json!({"channels": ["email", "sms"]});
    let told = talk.update(both.clone()).unwrap_err();
    insta::assert_snapshot!("a_rule_in_the_way", told);
    let told = talk
        .update(
            json!({"channels": ["email", "sms"], "take_back": [{"constraint": 1, "quote": "send it by SMS as well"}]}),
        )
        .unwrap_err();
    assert!(told.contains("does not take"), "{told}");
    talk.answered_before = "C1 says no SMS. Do you take it back?".into();
    talk.say("yes");
    talk.update(json!({"channels": ["email", "sms"], "take_back": [{"constraint": 1, "quote": "yes"}]})).unwrap();
    assert_eq!(talk.brief.channels, [Channel::Email, Channel::Sms]);
    assert_eq!((talk.brief.standing().count(), talk.brief.constraints[0].taken_back), (0, Some(3)));
}

#[test]
fn everything_wrong_with_a_patch_is_told_at_once_and_nothing_changes() {
    let mut talk = Talk::new();
    talk.say("sell tents");
    let before = talk.brief.clone();
    let told = talk
        .update(json!({
            "include": [{"is": "bought_category", "category": "tents", "within_days": 0}, {"is": "country", "any": ["ireland"]}],
            "exclude": [{"is": "vip"}],
            "products": ["P1", "NOPE", "OUT"],
            "offer": {"choice": "step", "step": "half-price"},
            "languages": ["fr"],
            "send": {"on": "2026-11-01", "at": "10:00", "zone": null, "last_day": null},
            "rules": [{"quote": "no tents", "rule": {"kind": "words"}}],
            "take_back": [{"constraint": 4, "quote": "sell tents"}],
        }))
        .unwrap_err();
    insta::assert_snapshot!("everything_wrong", told);
    assert_eq!(talk.brief, before);
    let told = talk.update(json!({"legal": "marketing"}));
    assert!(told.is_ok(), "the first update fills in what can be assumed: {told:?}");
    assert_eq!(
        talk.update(json!({"legal": "marketing"})),
        Err("the brief says that already; nothing was changed".to_owned())
    );
}

#[test]
fn a_plan_that_breaks_a_rule_of_the_same_turn_is_mended_in_the_same_call() {
    let mut talk = Talk::new();
    talk.say("no discount at all, backpacks, and nothing after Friday");
    let rules = json!([
        {"quote": "no discount at all", "rule": {"kind": "no_offer"}},
        {"quote": "nothing after Friday", "rule": {"kind": "not_after", "day": "2026-11-27"}},
    ]);
    let told = talk.update(json!({"offer": {"choice": "step", "step": "ten-percent"}, "rules": rules})).unwrap_err();
    assert!(told.contains("change the plan in the same call"), "{told}");
    talk.update(json!({"offer": {"choice": "none"}, "rules": rules})).unwrap();
    talk.say("Friday then");
    talk.update(json!({"send": {"on": "friday", "at": "08:00", "zone": null, "last_day": null}})).unwrap();
    let schedule = talk.brief.schedule.clone().unwrap();
    assert_eq!(schedule.not_after, schedule.on, "the rule bounds the day after");
    talk.say("rather Monday");
    let told = talk.update(json!({"send": {"on": "monday", "at": null, "zone": null, "last_day": null}})).unwrap_err();
    assert!(told.contains("Only the marketer can take it back"), "{told}");
}

#[test]
fn assumptions_hold_flip_and_go_when_they_are_overtaken() {
    let mut talk = Talk::new();
    talk.say("lapsed, Friday");
    talk.update(json!({"include": lapsed(), "send": {"on": "friday", "at": null, "zone": null, "last_day": null}}))
        .unwrap();
    let words: Vec<String> = talk.brief.assumptions.iter().map(kit::campaign::Assumption::words).collect();
    insta::assert_debug_snapshot!("assumptions", words);
    let find = |brief: &Brief, text: &str| brief.assumptions.iter().find(|a| a.text.contains(text)).map(|a| a.id);
    let sms = find(&talk.brief, "SMS").unwrap();
    let flipped = flip(&talk.brief, sms, &Desk.facts(&ShopId::new("s").unwrap())).unwrap();
    assert_eq!(flipped.channels, [Channel::Email, Channel::Sms]);
    assert_eq!(flip(&flipped, sms, &Desk.facts(&ShopId::new("s").unwrap())).unwrap().channels, [Channel::Email]);
    assert_eq!(
        flip(&flipped, 99, &Desk.facts(&ShopId::new("s").unwrap())).unwrap_err().to_string(),
        "the brief has no assumption A99; /show lists them"
    );
    talk.say("at eight");
    talk.update(json!({"send": {"on": "friday", "at": "08:00", "zone": null, "last_day": null}})).unwrap();
    assert_eq!(find(&talk.brief, "nobody said a time"), None);
}

#[test]
fn questions_are_asked_once_at_most_three_and_only_about_what_matters() {
    let mut talk = Talk::new();
    talk.say("lapsed, nothing for VIP, ten percent, Friday");
    talk.update(json!({
        "include": lapsed(), "offer": {"choice": "step", "step": "ten-percent"},
        "send": {"on": "friday", "at": null, "zone": null, "last_day": null},
        "rules": [{"quote": "nothing for VIP", "rule": {"kind": "vip"}}],
    }))
    .unwrap();
    let ask = |questions: Value| json!({"questions": questions});
    let question = |text: &str, changes: &str| json!({"text": text, "changes": changes, "options": ["yes", "no"]});
    let vip = question("VIPs: no message or no offer?", "audience");
    let mut told = |questions: Value| talk.call("ask_marketer", &ask(questions)).unwrap_err();
    assert!(told(json!([question("Which day suits you best?", "date"), vip])).contains("the brief has a date"));
    assert!(told(json!([question("Is ten percent enough?", "offer"), vip])).contains("the offer is decided"));
    assert!(told(json!([question("Lapsed for how long?", "audience")])).contains("speaks of VIPs"));
    let odd = question("VIPs: no message or no offer?", "legal_class");
    assert!(told(json!([odd])).contains("changes audience or offer"));
    let four = json!([vip, vip, vip, vip]);
    assert!(told(four).contains("questions"), "the schema bounds them");
    assert!(told(json!([question("Which tone do you like?", "tone")])).contains("changes"), "tone is not asked");
    let (answer, disposition) = talk.call("ask_marketer", &ask(json!([vip]))).unwrap();
    assert_eq!(answer, json!({"asked": 1}));
    let Some(Disposition::Asked { questions }) = disposition else { panic!("{disposition:?}") };
    talk.asked = questions;
    let told = talk.call("ask_marketer", &ask(json!([vip]))).unwrap_err();
    assert!(told.contains("there is one chance"), "{told}");
}

fn sketch(title: &str, include: Value, offer: Value, products: Value) -> Value {
    json!({
        "title": title, "why": "Goes about it in its own way.", "include": include, "exclude": [], "offer": offer,
        "products": products, "success": {"measure": "second_purchases", "within_days": 30}, "angles": ["advice"], "send": null
    })
}

#[test]
fn a_goal_alone_gives_three_different_briefs() {
    let mut talk = Talk::new();
    talk.say("I want more second purchases");
    let first_time = json!([{"is": "stage", "any": ["first_time"]}]);
    let none = json!({"choice": "none"});
    let ship = json!({"choice": "step", "step": "free-shipping"});
    let a = sketch("Care", first_time.clone(), none.clone(), json!(["P1"]));
    let b = sketch("Parcel", first_time.clone(), ship, json!(["P2"]));
    let c = sketch("Due", json!([{"is": "stage", "any": ["due"]}]), none.clone(), json!(["B1"]));
    let args = |briefs: Value| json!({"goal": "I want more second purchases", "briefs": briefs});
    let told = talk.call("propose_briefs", &args(json!([a, a, c]))).unwrap_err();
    assert!(told.starts_with("briefs 1 and 2 are too much alike"), "{told}");
    let bad = sketch("Bad", first_time, none, json!(["NOPE"]));
    let told = talk.call("propose_briefs", &args(json!([a, b, bad]))).unwrap_err();
    assert!(told.starts_with("brief 3: nothing was changed"), "{told}");
    assert!(talk.call("propose_briefs", &args(json!([a, b]))).is_err());
    let (answer, disposition) = talk.call("propose_briefs", &args(json!([a, b, c]))).unwrap();
    assert_eq!(answer["briefs"].as_array().unwrap().len(), 3);
    let Some(Disposition::Offered { choices }) = disposition else { panic!("{disposition:?}") };
    assert!(choices.iter().all(|c| c.brief.version == 1 && c.brief.objective.is_some()));
    talk.update(json!({"include": lapsed()})).unwrap();
    let told = talk.call("propose_briefs", &args(json!([a, b, c]))).unwrap_err();
    assert!(told.contains("change it with update_brief"), "{told}");
}

#[test]
fn the_checked_in_schemas_are_what_the_model_gets() {
    let talk = Talk::new();
    for spec in talk.registry.specs() {
        assert!(spec.description.lines().count() <= 45, "{}", spec.name);
        let schema = format!("{}\n", serde_json::to_string_pretty(&*spec.parameters).unwrap());
        let path = format!("{}/{}.schema.json", env!("CARGO_MANIFEST_DIR"), spec.name);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), schema, "{}", spec.name);
    }
}

#[test]
fn a_tool_of_briefs_in_another_run_is_our_own_fault() {
    let talk = Talk::new();
    let tool = talk.registry.get("ask_marketer").unwrap();
    let subject = Subject {
        flow: FlowId::new("win-back").unwrap(),
        customer: CustomerId::new("c").unwrap(),
        occasion: "o".into(),
        step: 1,
        triggered_at: NOW.parse().unwrap(),
        products: Vec::new(),
        cart_url: None,
        stops_on_purchase: false,
        language: Language::EN,
        release: Digest::of_bytes(b"r"),
    };
    let cx = ToolContext::new(
        ShopId::new("shop").unwrap(),
        RunId::new("r").unwrap(),
        Principal::System,
        NOW.parse().unwrap(),
        Arc::new(subject),
        Arc::new(FactBook::new()),
        None,
        1,
    );
    let arguments =
        json!({"questions": [{"text": "Who is it for?", "changes": "audience", "options": ["a", "b"]}]}).to_string();
    let mut future = pin!(tool.call(&cx, &arguments));
    let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
    assert_eq!(answer, Err(ToolError::Fatal("this run is no conversation about a brief".into())));
}
