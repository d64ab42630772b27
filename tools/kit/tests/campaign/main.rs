//! The brief's vocabulary: diffs, applying them, constraints, assumptions.
#![allow(clippy::unwrap_used)]

use mailwright_kit::campaign::{
    Angle, Assumption, AssumptionError, Brief, Change, ChangeError, Constraint, Field, Gap, GapKind, OfferChoice,
    OfferPlan, Predicate, Rule, Schedule, SendZone, Setting, Stage, VipTreatment,
};
use mailwright_kit::message::Channel;
use mailwright_kit::{CategoryId, Language, OfferStepId};
use proptest::prelude::*;

fn predicates() -> impl Strategy<Value = Vec<Predicate>> {
    let one = prop_oneof![
        Just(Predicate::Vip),
        Just(Predicate::NeverBought),
        prop::collection::vec(prop_oneof![Just(Stage::Lapsed), Just(Stage::AtRisk), Just(Stage::Active)], 1..3)
            .prop_map(|any| Predicate::Stage { any }),
        ("[a-z]{3,6}", prop::option::of(1u32..400)).prop_map(|(category, within_days)| Predicate::BoughtCategory {
            category: CategoryId::new(category).unwrap(),
            within_days
        }),
    ];
    prop::collection::vec(one, 0..4)
}

fn schedules() -> impl Strategy<Value = Option<Schedule>> {
    prop::option::of((1i8..28, 0i8..24, prop::bool::ANY).prop_map(|(day, hour, shop)| {
        let on = jiff::civil::date(2026, 11, day);
        Schedule {
            on,
            at: jiff::civil::time(hour, 0, 0, 0),
            zone: if shop { SendZone::Shop } else { SendZone::Recipient },
            not_after: on,
            said: shop.then(|| "thursday".to_owned()),
        }
    }))
}

fn constraints() -> impl Strategy<Value = Vec<Constraint>> {
    let one = (1u32..50, "[a-z ]{1,20}", 1u32..30, prop::option::of(1u32..30))
        .prop_map(|(id, quote, turn, back)| Constraint { id, quote, rule: Rule::Words, turn, taken_back: back });
    prop::collection::vec(one, 0..4)
}

prop_compose! {
    fn briefs()(
        title in prop::option::of("[a-z]{1,8}"),
        include in predicates(),
        exclude in predicates(),
        vip in prop_oneof![Just(VipTreatment::Unstated), Just(VipTreatment::Excluded), Just(VipTreatment::Undiscounted)],
        step in prop::option::of("[a-z]{3,8}"),
        channels in prop::collection::vec(prop_oneof![Just(Channel::Email), Just(Channel::Sms)], 0..3),
        schedule in schedules(),
        holdout_percent in 0u8..30,
        angles in prop::collection::vec(prop_oneof![Just(Angle::Occasion), Just(Angle::Benefit)], 0..3),
        constraints in constraints(),
        version in 0u32..40,
    ) -> Brief {
        let choice = step.map_or(OfferChoice::Undecided, |s| OfferChoice::Step { step: OfferStepId::new(s).unwrap() });
        Brief {
            version,
            title,
            audience: mailwright_kit::campaign::AudienceSpec { include, exclude },
            vip,
            offer: OfferPlan { choice, ..OfferPlan::default() },
            channels,
            schedule,
            holdout_percent,
            angles,
            languages: vec![Language::EN],
            constraints,
            ..Brief::default()
        }
    }
}

proptest! {
    #[test]
    fn applying_a_diff_gives_the_new_brief_and_its_inverse_the_old_one(old in briefs(), new in briefs()) {
        let diff = new.diff(&old);
        let applied = old.apply(&diff).unwrap();
        prop_assert_eq!(&applied, &Brief { version: old.version + 1, ..new.clone() });
        prop_assert_eq!(applied.digest().unwrap(), new.digest().unwrap());
        let back: Vec<Change> = diff.iter().map(Change::inverse).collect();
        prop_assert_eq!(applied.apply(&back).unwrap(), Brief { version: old.version + 2, ..old });
    }

    #[test]
    fn a_brief_survives_storage_and_equal_briefs_have_no_diff(brief in briefs()) {
        let stored = serde_json::to_string(&brief).unwrap();
        let read: Brief = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(read.diff(&brief), Vec::new());
        prop_assert_eq!(&read, &brief);
        let changes: Vec<Change> = brief.diff(&Brief::default());
        let stored = serde_json::to_string(&changes).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<Change>>(&stored).unwrap(), changes);
    }
}

#[test]
fn a_change_made_to_another_state_is_refused() {
    let brief = Brief { title: Some("spring".into()), ..Brief::default() };
    let late = Change { from: Setting::Title(None), to: Setting::Title(Some("autumn".into())) };
    assert_eq!(brief.apply(&[late]), Err(ChangeError::Stale(Field::Title)));
    let crossed = Change { from: Setting::Title(Some("spring".into())), to: Setting::Tone(None) };
    assert_eq!(brief.apply(&[crossed]), Err(ChangeError::TwoFields(Field::Title, Field::Tone)));
}

#[test]
fn a_stored_form_of_the_future_is_refused() {
    let mut stored = serde_json::to_value(Brief::default()).unwrap();
    stored["schema"] = "mailwright.brief/2".into();
    let error = serde_json::from_value::<Brief>(stored).unwrap_err().to_string();
    assert!(error.contains("mailwright.brief/2"), "{error}");
}

#[test]
fn the_digest_is_of_decisions_and_not_of_what_code_made_of_them() {
    let brief = Brief { title: Some("spring".into()), ..Brief::default() };
    let gap = Gap { kind: GapKind::Audience, text: "nobody yet".into(), blocks: true };
    let computed = Brief { gaps: vec![gap], version: 7, ..brief.clone() };
    assert_eq!(computed.digest().unwrap(), brief.digest().unwrap());
    assert_eq!((brief.is_ready(), computed.is_ready()), (true, false));
    let other = Brief { holdout_percent: 10, ..brief.clone() };
    assert_ne!(other.digest().unwrap(), brief.digest().unwrap());
}

#[test]
fn constraints_speak_of_vips_by_rule_or_by_word_until_taken_back() {
    let constraint =
        |quote: &str, rule: Rule| Constraint { id: 1, quote: quote.into(), rule, turn: 1, taken_back: None };
    let speaks = |c: Constraint| Brief { constraints: vec![c], ..Brief::default() }.speaks_of_vips().count() == 1;
    assert!(speaks(constraint("nothing for VIP", Rule::Words)));
    assert!(speaks(constraint("VIPs: later", Rule::Words)));
    assert!(speaks(constraint("spare our best people", Rule::Vip)));
    assert!(!speaks(constraint("no viper boots", Rule::Words)));
    assert!(!speaks(Constraint { taken_back: Some(4), ..constraint("nothing for VIP", Rule::Vip) }));
}

#[test]
fn an_assumption_has_two_sides_of_one_field() {
    let email = Setting::Channels(vec![Channel::Email]);
    let both = Setting::Channels(vec![Channel::Email, Channel::Sms]);
    let mut kept = Assumption::new(1, "e-mail only".into(), email.clone(), both.clone()).unwrap();
    assert_eq!(kept.holds(), &email);
    kept.flipped = true;
    assert_eq!(kept.holds(), &both);
    let wrong = |sets: Setting, otherwise: Setting| Assumption::new(1, "x".into(), sets, otherwise).unwrap_err();
    assert_eq!(wrong(email.clone(), email.clone()), AssumptionError::NoAlternative(Field::Channels));
    assert_eq!(wrong(email, Setting::Holdout(5)), AssumptionError::TwoFields(Field::Channels, Field::Holdout));
    assert_eq!(wrong(Setting::Gaps(vec![]), Setting::Gaps(vec![])), AssumptionError::NotAssumable(Field::Gaps));
}
