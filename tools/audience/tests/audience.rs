//! Audiences through their public door: who gets a message, and that the numbers add up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kit::campaign::{AudienceSpec, Brief, BriefContext, ExclusionReason, Predicate, Stage, VipTreatment};
use kit::fact::FactBook;
use kit::message::Channel;
use kit::tool::{Registry, Subject, ToolContext, ToolError};
use kit::{
    BoxFuture, CategoryId, CustomerId, Digest, FlowId, Language, Principal, ProductId, RunId, ShopId, StoreError,
    Timestamp,
};
use mailwright_audience::{
    Crowd, Member, Policy, PreviewAudience, Purchase, Question, Reach, Verdict, View, count, in_campaign_holdout, judge,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const POLICY: Policy = Policy { cap_day: 1, cap_week: 3, bought_within_days: 7 };

fn now() -> Timestamp {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

fn ago(days: i64) -> Timestamp {
    now().checked_sub(jiff::SignedDuration::from_hours(24 * days)).unwrap()
}

fn shop() -> ShopId {
    ShopId::new("shop").unwrap()
}

/// A lapsed customer who can be written to.
fn member(id: &str) -> Member {
    Member {
        customer: CustomerId::new(id).unwrap(),
        stage: Stage::Lapsed,
        vip: false,
        language: Language::EN,
        country: Some("IE".into()),
        loyalty_tier: Some("gold".into()),
        orders: 2,
        last_order: Some(ago(300)),
        purchases: vec![Purchase {
            product: ProductId::new("P1").unwrap(),
            category: CategoryId::new("packs/daypacks").unwrap(),
            at: ago(300),
        }],
        views: vec![View { category: CategoryId::new("footwear").unwrap(), at: ago(3) }],
        reach: vec![(Channel::Email, Reach::Open)],
        open_ticket: false,
        sent_day: 0,
        sent_week: 0,
        holdout: false,
    }
}

fn spec(include: Vec<Predicate>, exclude: Vec<Predicate>) -> AudienceSpec {
    AudienceSpec { include, exclude }
}

fn lapsed() -> Predicate {
    Predicate::Stage { any: vec![Stage::Lapsed] }
}

fn brief(audience: AudienceSpec, vip: VipTreatment) -> Brief {
    Brief { audience, vip, channels: vec![Channel::Email], languages: vec![Language::EN], ..Brief::default() }
}

fn verdict(brief: &Brief, member: &Member) -> Verdict {
    let shop = shop();
    judge(&Question::of(&shop, "b1", brief, POLICY, now()), member)
}

#[test]
fn each_predicate_is_true_of_whom_it_says() {
    let category = |c: &str| CategoryId::new(c).unwrap();
    let true_of = [
        lapsed(),
        Predicate::BoughtCategory { category: category("packs"), within_days: None },
        Predicate::BoughtCategory { category: category("packs/daypacks"), within_days: Some(300) },
        Predicate::BoughtProduct { product: ProductId::new("P1").unwrap(), within_days: None },
        Predicate::BoughtWithin { days: 300 },
        Predicate::OrdersAtLeast { orders: 2 },
        Predicate::OrdersAtMost { orders: 2 },
        Predicate::Browsed { category: category("footwear"), within_days: Some(3) },
        Predicate::Language { any: vec![Language::DE, Language::EN] },
        Predicate::Country { any: vec!["IE".into()] },
        Predicate::LoyaltyTier { any: vec!["Gold".into()] },
        Predicate::Consent { channel: Channel::Email },
    ];
    let false_of = [
        Predicate::Stage { any: vec![Stage::Active, Stage::New] },
        Predicate::Vip,
        Predicate::NeverBought,
        Predicate::BoughtCategory { category: category("pack"), within_days: None },
        Predicate::BoughtCategory { category: category("packs"), within_days: Some(299) },
        Predicate::BoughtProduct { product: ProductId::new("P2").unwrap(), within_days: None },
        Predicate::BoughtWithin { days: 299 },
        Predicate::OrdersAtLeast { orders: 3 },
        Predicate::OrdersAtMost { orders: 1 },
        Predicate::Browsed { category: category("footwear"), within_days: Some(2) },
        Predicate::Language { any: vec![Language::DE] },
        Predicate::Country { any: vec!["DE".into()] },
        Predicate::LoyaltyTier { any: vec!["silver".into()] },
        Predicate::Consent { channel: Channel::Sms },
    ];
    for predicate in true_of {
        let got = verdict(&brief(spec(vec![predicate.clone()], vec![]), VipTreatment::Unstated), &member("c"));
        assert_eq!(got, Verdict::Recipient { channel: Some(Channel::Email), offered: true }, "{predicate:?}");
    }
    for predicate in false_of {
        let got = verdict(&brief(spec(vec![predicate.clone()], vec![]), VipTreatment::Unstated), &member("c"));
        assert_eq!(got, Verdict::Outside, "{predicate:?}");
    }
}

#[test]
fn nobody_is_in_an_audience_that_nobody_described() {
    assert_eq!(verdict(&brief(spec(vec![], vec![]), VipTreatment::Included), &member("c")), Verdict::Outside);
}

#[test]
fn each_reason_keeps_somebody_out_and_the_first_counts() {
    let base = brief(spec(vec![lapsed()], vec![Predicate::Country { any: vec!["FR".into()] }]), VipTreatment::Excluded);
    let mut worse = member("c");
    // From the last reason to the first: each new one takes over from those after it.
    type Step = (ExclusionReason, fn(&mut Member));
    let steps: [Step; 9] = [
        (ExclusionReason::Holdout, |m| m.holdout = true),
        (ExclusionReason::Language, |m| m.language = Language::DE),
        (ExclusionReason::Cap, |m| m.sent_week = 3),
        (ExclusionReason::BoughtRecently, |m| m.last_order = Some(ago(7))),
        (ExclusionReason::OpenTicket, |m| m.open_ticket = true),
        (ExclusionReason::Suppressed, |m| m.reach = vec![(Channel::Email, Reach::Suppressed)]),
        (ExclusionReason::NoConsent, |m| m.reach = vec![(Channel::Sms, Reach::Open)]),
        (ExclusionReason::Vip, |m| m.vip = true),
        (ExclusionReason::Brief, |m| m.country = Some("FR".into())),
    ];
    for (reason, change) in steps {
        change(&mut worse);
        assert_eq!(verdict(&base, &worse), Verdict::Excluded(reason));
    }
}

#[test]
fn vips_get_what_the_brief_says() {
    let vip = Member { vip: true, ..member("c") };
    let of = |treatment| verdict(&brief(spec(vec![lapsed()], vec![]), treatment), &vip);
    let gets = |offered| Verdict::Recipient { channel: Some(Channel::Email), offered };
    assert_eq!(of(VipTreatment::Excluded), Verdict::Excluded(ExclusionReason::Vip));
    assert_eq!(of(VipTreatment::Undiscounted), gets(false));
    assert_eq!(of(VipTreatment::Included), gets(true));
}

#[test]
fn the_first_open_channel_is_taken() {
    let mut brief = brief(spec(vec![lapsed()], vec![]), VipTreatment::Unstated);
    brief.channels = vec![Channel::Sms, Channel::Email];
    assert_eq!(verdict(&brief, &member("c")), Verdict::Recipient { channel: Some(Channel::Email), offered: true });
    brief.channels = vec![Channel::Sms];
    assert_eq!(verdict(&brief, &member("c")), Verdict::Excluded(ExclusionReason::NoConsent));
    brief.channels = vec![];
    assert_eq!(verdict(&brief, &member("c")), Verdict::Recipient { channel: None, offered: true });
}

/// Hands out members in pages of three.
struct People(Vec<Member>);

impl Crowd for People {
    fn page<'a>(
        &'a self,
        _: &'a ShopId,
        after: Option<&'a CustomerId>,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Member>, StoreError>> {
        let page = self.0.iter().filter(|m| after.is_none_or(|after| m.customer > *after)).take(3).cloned().collect();
        Box::pin(std::future::ready(Ok(page)))
    }

    fn policy(&self, _: &ShopId) -> Policy {
        POLICY
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the crowd answers at once"),
    }
}

prop_compose! {
    fn people()(wild in prop::collection::vec((0u8..7, any::<bool>(), 0u8..3, any::<bool>(), 0u32..4, 0i64..20), 0..40)) -> Vec<Member> {
        let stages = [Stage::New, Stage::FirstTime, Stage::Active, Stage::Due, Stage::AtRisk, Stage::Lapsed, Stage::Seasonal];
        wild.into_iter().enumerate().map(|(n, (stage, vip, reach, ticket, sent, bought))| Member {
            stage: stages[usize::from(stage)],
            vip,
            reach: match reach { 0 => vec![], 1 => vec![(Channel::Email, Reach::Suppressed)], _ => vec![(Channel::Email, Reach::Open)] },
            open_ticket: ticket,
            sent_week: sent,
            last_order: Some(ago(bought)),
            ..member(&format!("c{n:03}"))
        }).collect()
    }
}

proptest! {
    #[test]
    fn the_numbers_add_up_whatever_the_pages(people in people(), holdout in 0u8..=50, vip in any::<bool>()) {
        let treatment = if vip { VipTreatment::Excluded } else { VipTreatment::Included };
        let all = Predicate::Stage { any: vec![Stage::Lapsed, Stage::AtRisk, Stage::Due, Stage::Active] };
        let brief = Brief { holdout_percent: holdout, ..brief(spec(vec![all], vec![]), treatment) };
        let (shop, len) = (shop(), people.len());
        let question = Question::of(&shop, "b1", &brief, POLICY, now());
        let mut seen = Vec::new();
        let tally = ready(count(&People(people), &question, |member, verdict| seen.push((member.clone(), verdict)))).unwrap();
        let counted = tally.count(now());
        prop_assert_eq!(usize::try_from(counted.customers).unwrap(), len);
        prop_assert_eq!(counted.excluded.iter().map(|e| e.people).sum::<u32>() + counted.recipients, counted.matched);
        prop_assert!(counted.vips <= counted.recipients && tally.offered() <= counted.recipients);
        for (member, verdict) in seen {
            // Never-events, told without the engine's own words.
            if let Verdict::Recipient { .. } = verdict {
                prop_assert!(!member.open_ticket && member.sent_week < 3);
                prop_assert!(member.reach == vec![(Channel::Email, Reach::Open)]);
                prop_assert!(!(member.vip && vip));
                prop_assert!(member.last_order.unwrap() < ago(7));
            }
        }
    }

    #[test]
    fn a_larger_holdout_holds_out_the_same_people_and_more(id in "[a-z0-9]{1,12}", small in 0u8..50, more in 0u8..50) {
        let customer = CustomerId::new(id).unwrap();
        let held = |percent| in_campaign_holdout(&shop(), "b1", &customer, percent);
        prop_assert!(!held(0) && held(100));
        prop_assert!(!held(small) || held(small + more));
    }
}

#[test]
fn campaigns_hold_out_different_people_in_the_share_that_was_asked() {
    let ids: Vec<CustomerId> = (0..4_000).map(|n| CustomerId::new(format!("c{n}")).unwrap()).collect();
    let held =
        |campaign: &str| -> Vec<bool> { ids.iter().map(|id| in_campaign_holdout(&shop(), campaign, id, 10)).collect() };
    let (a, b) = (held("b1"), held("b2"));
    let share = a.iter().filter(|h| **h).count();
    assert!((340..=460).contains(&share), "{share} of 4000");
    assert_ne!(a, b);
}

fn call(people: Vec<Member>, brief: Brief, arguments: &Value) -> Result<Value, ToolError> {
    let registry = Registry::new().with(PreviewAudience::new(Arc::new(People(people)))).unwrap();
    let subject = Subject {
        flow: FlowId::new("brief").unwrap(),
        customer: CustomerId::new("nobody").unwrap(),
        occasion: "b1".into(),
        step: 1,
        triggered_at: now(),
        products: Vec::new(),
        cart_url: None,
        stops_on_purchase: false,
        language: Language::EN,
        release: Digest::of_bytes(b"r"),
    };
    let talk = BriefContext {
        brief: Arc::new(brief),
        turn: 1,
        said: "lapsed".into(),
        answered_before: String::new(),
        asked: Vec::new(),
    };
    let cx = ToolContext::new(
        shop(),
        RunId::new("b1").unwrap(),
        Principal::System,
        now(),
        Arc::new(subject),
        Arc::new(FactBook::new()),
        None,
        1,
    )
    .in_talk(Some(Arc::new(talk)));
    let arguments = arguments.to_string();
    ready(registry.get("preview_audience").unwrap().call(&cx, &arguments))
        .map(|text| serde_json::from_str(&text).unwrap())
}

#[test]
fn a_model_sees_numbers_and_what_is_odd_about_them() {
    let mut people: Vec<Member> = (0..30).map(|n| member(&format!("c{n:02}"))).collect();
    people[0].reach.clear();
    people[1].open_ticket = true;
    people[2].stage = Stage::Active;
    let stands = brief(spec(vec![lapsed()], vec![]), VipTreatment::Unstated);
    let as_it_stands = json!({"include": null, "exclude": null});
    let answer = call(people.clone(), stands.clone(), &as_it_stands).unwrap();
    assert_eq!(
        answer,
        json!({"customers": 30, "matched": 29, "recipients": 27, "excluded": [
            {"reason": "no_consent", "people": 1}, {"reason": "open_ticket", "people": 1}]})
    );
    let tried = call(
        people.clone(),
        stands.clone(),
        &json!({"include": [{"is": "stage", "any": ["active"]}], "exclude": null}),
    );
    assert_eq!(
        tried.unwrap(),
        json!({"customers": 30, "matched": 1, "recipients": 1,
            "note": "very few people: a campaign learns nothing from so few; widen the audience"})
    );
    let nobody = call(people.clone(), stands.clone(), &json!({"include": [{"is": "vip"}], "exclude": null})).unwrap();
    assert_eq!(nobody["note"], "nobody fits: check category paths with search_catalog, or widen the audience");
    people.iter_mut().for_each(|m| m.sent_day = 1);
    let capped = call(people.clone(), stands, &as_it_stands).unwrap();
    assert_eq!(capped["note"], "nobody is left: most fall out because they have had their messages for now");
    let empty = call(people, Brief::default(), &as_it_stands).unwrap_err();
    assert!(matches!(empty, ToolError::ForModel(words) if words.contains("includes nobody yet")));
}

#[test]
fn the_checked_in_schema_is_what_the_model_gets() {
    let registry = Registry::new().with(PreviewAudience::new(Arc::new(People(vec![])))).unwrap();
    let spec = registry.get("preview_audience").unwrap().spec();
    assert!(spec.description.lines().count() <= 40);
    let schema = format!("{}\n", serde_json::to_string_pretty(&*spec.parameters).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/preview_audience.schema.json");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema);
}
