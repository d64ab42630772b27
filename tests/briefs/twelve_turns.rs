//! Twelve turns with two changes of mind and one contradiction end in the right brief.

use jiff::civil::{date, time};
use kit::campaign::{
    AudienceSpec, Brief, Constraint, LegalClass, OfferChoice, Predicate, Rule, Schedule, SendZone, Stage,
    SuccessMeasure, SuccessMetric, VipTreatment,
};
use kit::message::Channel;
use kit::{Language, OfferStepId};

use super::*;
use crate::binary::block_on;

/// What the marketer says, and what a good model makes of it.
pub(crate) fn story() -> Vec<(&'static str, Vec<Says>)> {
    let rule = |quote: &str, rule: Value| json!([{"quote": quote, "rule": rule}]);
    vec![
        (
            "back to school, backpacks for lapsed customers",
            vec![
                Says::Call(
                    "search_catalog",
                    json!({"query": "rucksack", "category": null, "max_price": null, "in_stock": null, "limit": 4}),
                ),
                update(
                    json!({"title": "Back to school", "objective": "Sell backpacks to lapsed customers before school starts",
                "include": lapsed(), "products": ["TT-1301", "TT-1302"]}),
                ),
                Says::Call("preview_audience", json!({"include": null, "exclude": null})),
                Says::Words("Two packs for lapsed customers. Which offer, and which day?"),
            ],
        ),
        (
            "20 %, and nothing for VIP",
            vec![
                update(
                    json!({"offer": {"choice": "beyond_ladder", "asked": "20 %"}, "rules": rule("nothing for VIP", json!({"kind": "vip"}))}),
                ),
                Says::Call(
                    "ask_marketer",
                    json!({"questions": [
                {"text": "Nothing for VIPs: no message, or no offer?", "changes": "audience", "options": ["no message", "no offer"]},
                {"text": "The ladder ends at 15 %. Take that, or none?", "changes": "offer", "options": ["15 %", "none"]}]}),
                ),
            ],
        ),
        (
            "15 then, and they get the mail without the discount",
            vec![
                update(json!({"offer": {"choice": "step", "step": "fifteen-percent"},
                "vip": {"treatment": "undiscounted", "quote": "they get the mail without the discount"}})),
                Says::Words("Fifteen per cent, VIPs at full price."),
            ],
        ),
        (
            "Thursday morning at nine",
            vec![update(json!({"send": send("thursday", Some("09:00"))})), Says::Words("Thursday at nine.")],
        ),
        (
            "absolutely no SMS",
            vec![
                update(json!({"rules": rule("absolutely no SMS", json!({"kind": "no_channel", "channel": "sms"}))})),
                Says::Words("No SMS."),
            ],
        ),
        // The first change of mind.
        ("rather Friday", vec![update(json!({"send": send("friday", None)})), Says::Words("Friday at nine then.")]),
        (
            "friendly, no jargon",
            vec![
                update(json!({"tone": "friendly, no jargon", "rules": rule("no jargon", json!({"kind": "words"}))})),
                Says::Words("Noted."),
            ],
        ),
        // The contradiction: the model tries to obey, code does not.
        (
            "let's add a text message for everybody too",
            vec![
                update(json!({"channels": ["email", "sms"]})),
                update(
                    json!({"channels": ["email", "sms"], "take_back": [{"constraint": 2, "quote": "add a text message"}]}),
                ),
                Says::Words("C2 says no SMS. Do you take it back?"),
            ],
        ),
        ("right, leave it: e-mail only", vec![Says::Words("E-mail only.")]),
        // The second change of mind.
        (
            "at risk customers as well, and 10 % is enough",
            vec![
                update(
                    json!({"include": [{"is": "stage", "any": ["lapsed", "at_risk"]}], "offer": {"choice": "step", "step": "ten-percent"}}),
                ),
                Says::Call("preview_audience", json!({"include": null, "exclude": null})),
                Says::Words("Wider audience, ten per cent."),
            ],
        ),
        (
            "success is revenue per recipient in ten days",
            vec![
                update(json!({"success": {"measure": "revenue_per_recipient", "within_days": 10}})),
                Says::Words("Measured over ten days."),
            ],
        ),
        ("anything missing?", vec![Says::Words("Nothing is missing.")]),
    ]
}

#[test]
fn a_brief_of_twelve_turns_ends_right() {
    block_on(async {
        let shop = Shop::new().await;
        let script = Script::of(story().into_iter().flat_map(|(_, lines)| lines));
        let chat = shop.chat(&script).await;
        let id = chat.start(&mia()).await.unwrap().id;
        for (n, (said, _)) in (1..).zip(story()) {
            let view = chat.say(&id, said).await.unwrap();
            assert_eq!(view.turn, n, "{said}: {:?}", view.ended);
            assert!(!matches!(view.ended, agent::TurnEnd::Failed { .. }), "{said}: {:?}", view.ended);
        }
        let view = chat.view(&id).await.unwrap();
        let brief = &view.brief;
        let expected = Brief {
            title: Some("Back to school".to_owned()),
            objective: Some("Sell backpacks to lapsed customers before school starts".to_owned()),
            success: Some(SuccessMetric { measure: SuccessMeasure::RevenuePerRecipient, within_days: 10 }),
            audience: AudienceSpec {
                include: vec![Predicate::Stage { any: vec![Stage::Lapsed, Stage::AtRisk] }],
                exclude: vec![],
            },
            vip: VipTreatment::Undiscounted,
            channels: vec![Channel::Email],
            schedule: Some(Schedule {
                on: date(2026, 11, 27),
                at: time(9, 0, 0, 0),
                zone: SendZone::Recipient,
                not_after: date(2026, 11, 28),
                said: Some("friday".to_owned()),
            }),
            holdout_percent: 10,
            tone: Some("friendly, no jargon".to_owned()),
            languages: vec![Language::EN, Language::DE],
            legal: LegalClass::Marketing,
            owner: Some("user:mia".to_owned()),
            constraints: vec![
                constraint(1, "nothing for VIP", Rule::Vip, 2),
                constraint(2, "absolutely no SMS", Rule::NoChannel { channel: Channel::Sms }, 5),
                constraint(3, "no jargon", Rule::Words, 7),
            ],
            // What code assumed or computed is looked at below.
            version: brief.version,
            failure: brief.failure,
            offer: kit::campaign::OfferPlan {
                choice: OfferChoice::Step { step: OfferStepId::new("ten-percent").unwrap() },
                beyond_ladder: None,
                cost: brief.offer.cost.clone(),
            },
            products: brief.products.clone(),
            angles: brief.angles.clone(),
            assumptions: brief.assumptions.clone(),
            gaps: brief.gaps.clone(),
            risk: brief.risk.clone(),
            ..Brief::default()
        };
        assert_eq!(*brief, expected);
        assert!(brief.is_ready(), "{:?}", brief.gaps);
        let shown: Vec<&str> = brief.products.iter().map(|p| p.product.as_str()).collect();
        assert_eq!(shown, ["TT-1301", "TT-1302"]);
        assert!(brief.products.iter().all(|p| p.path.contains(p.product.as_str())), "{:?}", brief.products);
        let cost = brief.offer.cost.as_ref().unwrap();
        assert_eq!(cost.maximum.minor, cost.per_basket.minor * i64::from(cost.recipients));
        assert!(chat.ready(&id).await.is_ok());

        // Every version is kept, and the table is what the journal says.
        let kept = shop.store.shop(&shop.shop).brief_versions(&id).await.unwrap();
        assert_eq!(kept[1..], view.versions[..]);
        assert_eq!(kept.last().unwrap().brief.digest().unwrap(), brief.digest().unwrap());

        let seen = script.seen();
        insta::assert_snapshot!("what_the_model_sees_in_the_last_turn", without_heads(seen.last().unwrap()));
        let told = seen.join("\n");
        for secret in ["margin at risk", "maximum cost", "usual basket", "@"] {
            assert!(!told.contains(secret), "{secret} is not for a model");
        }
    });
}

fn constraint(id: u32, quote: &str, rule: Rule, turn: u32) -> Constraint {
    Constraint { id, quote: quote.to_owned(), rule, turn, taken_back: None }
}

#[test]
fn a_constraint_holds_thirty_turns_later_whatever_a_model_remembers() {
    block_on(async {
        let shop = Shop::new().await;
        let mut lines = vec![
            update(
                json!({"include": lapsed(), "rules": [{"quote": "never by SMS", "rule": {"kind": "no_channel", "channel": "sms"}}]}),
            ),
            Says::Words("Noted."),
        ];
        lines.extend((2..=30).map(|_| Says::Words("Yes.")));
        lines.extend([update(json!({"channels": ["sms"]})), Says::Words("C1 stands in the way.")]);
        let script = Script::of(lines);
        let chat = shop.chat(&script).await;
        let id = chat.start(&mia()).await.unwrap().id;
        chat.say(&id, "lapsed, never by SMS").await.unwrap();
        for turn in 2..=30 {
            chat.say(&id, &format!("thought number {turn}")).await.unwrap();
        }
        let view = chat.say(&id, "send it by SMS").await.unwrap();
        assert_eq!(view.turn, 31);
        assert_eq!((view.brief.channels.as_slice(), view.brief.standing().count()), ([Channel::Email].as_slice(), 1));
        let seen = script.seen();
        for request in &seen[2..seen.len() - 1] {
            assert_eq!(request.matches("C1 (turn 1): \"never by SMS\" [no SMS]").count(), 1, "{request}");
        }
        let last = seen.last().unwrap();
        assert!(last.contains("C1 (turn 1): \"never by SMS\" [no SMS] stands, and the channels hold SMS"), "{last}");
        assert!(!last.contains("thought number 15") && last.len() < 12_000, "old turns shrink: {} bytes", last.len());
    });
}

/// Who is in the holdout follows from the brief's id, which is drawn by lot: how many are left is not the same twice.
fn without_heads(text: &str) -> String {
    let mut out = text.to_owned();
    for before in ["\"recipients\":", "only ", "\"holdout\",\"people\":"] {
        let mut parts = out.split(before);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
            kept.push_str(before);
            kept.push_str(if rest.len() == part.len() { "" } else { "N" });
            kept.push_str(rest);
        }
        out = kept;
    }
    out
}
