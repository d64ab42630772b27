//! The profile: stages by the customer's own clock, intent, taste, rhythm, and what holds for every customer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{ago, category, customer, did, now, order, orders, product};
use kit::{Currency, Money};
use mailwright_profile::ActivityKind::{Cart, Checkout, Searched, Viewed, Wished};
use mailwright_profile::{
    CustomerSnapshot, IntentLevel, PriceLevel, Profile, Reason, Stage, StoreNorms, Thresholds, explain,
};
use proptest::prelude::*;

fn profile(snapshot: &CustomerSnapshot) -> Profile {
    explain(snapshot, &StoreNorms::unknown(), &Thresholds::default(), now())
}

fn stage(days: &[f64]) -> Stage {
    profile(&orders(days)).stage
}

#[test]
fn one_time_buyers_are_measured_by_the_shops_second_purchases() {
    assert_eq!(stage(&[]), Stage::New);
    for (days, expected) in [
        (0.0, Stage::FirstTime),
        (89.0, Stage::FirstTime),
        (91.0, Stage::Due),
        (136.0, Stage::AtRisk),
        (226.0, Stage::Lapsed),
        (2_000.0, Stage::Lapsed),
    ] {
        assert_eq!(stage(&[days]), expected, "{days}");
    }
}

#[test]
fn repeat_buyers_are_measured_by_their_own_rhythm() {
    // Every 28 days for a year: 30 days of silence is due, not active; 50 at risk; for the shop's average both were nothing.
    let every_28 = |last: f64| (0..12).map(|n| last + 28.0 * f64::from(n)).collect::<Vec<_>>();
    assert_eq!(stage(&every_28(20.0)), Stage::Active);
    assert_eq!(stage(&every_28(35.0)), Stage::Due);
    assert_eq!(stage(&every_28(55.0)), Stage::AtRisk);
    assert_eq!(stage(&every_28(120.0)), Stage::Lapsed);
    let slow = |last: f64| (0..6).map(|n| last + 200.0 * f64::from(n)).collect::<Vec<_>>();
    assert_eq!(stage(&slow(120.0)), Stage::Active);
    let rhythm = profile(&orders(&every_28(20.0))).rhythm;
    assert!((rhythm.expected_days - 28.0).abs() < 4.0 && rhythm.steady, "{rhythm:?}");
}

#[test]
fn a_silent_winter_of_a_summer_buyer_means_nothing_until_a_summer_is_missed() {
    // Bought in August, every year.
    assert_eq!(stage(&[310.0, 675.0, 1_040.0]), Stage::Seasonal);
    assert_eq!(stage(&[310.0 + 365.0, 310.0 + 730.0]), Stage::Lapsed);
    // The turn of a year is no second season.
    assert_eq!(stage(&[225.0, 228.0]), Stage::Lapsed);
}

#[test]
fn cancelled_future_and_same_day_orders_are_no_purchases() {
    let mut snapshot = orders(&[10.0]);
    snapshot.orders[0].cancelled_at = Some(ago(9.0));
    snapshot.orders[0].cancel_reason = Some("inventory".into());
    let profile_of = profile(&snapshot);
    assert_eq!(profile_of.stage, Stage::New);
    assert_eq!(profile_of.reasons[0].text, "Their last order was cancelled because we ran out of stock.");
    assert_eq!(stage(&[-3.0]), Stage::New);
    assert_eq!(profile(&orders(&[10.0, 10.2])).rhythm.purchases, 1);
}

#[test]
fn intent_grows_from_a_glance_to_a_checkout_and_ends_with_a_purchase() {
    let level = |activity: Vec<mailwright_profile::Activity>| {
        profile(&CustomerSnapshot { activity, ..customer() }).intent.level
    };
    let glance = did(Viewed, 2.0, Some("tent"), "tents", 3);
    let steps = [
        (vec![], IntentLevel::None),
        (vec![glance.clone()], IntentLevel::Glance),
        (vec![did(Viewed, 2.0, Some("tent"), "tents", 25)], IntentLevel::Looking),
        (vec![did(Searched, 2.0, None, "tents", 0)], IntentLevel::Looking),
        (vec![glance.clone(), did(Viewed, 1.0, Some("tent"), "tents", 3)], IntentLevel::Returning),
        (vec![glance.clone(), did(Wished, 3.0, Some("tent"), "tents", 0)], IntentLevel::Wished),
        (vec![glance.clone(), did(Cart, 3.0, Some("tent"), "tents", 0)], IntentLevel::Cart),
        (vec![did(Cart, 1.0, None, "tents", 0), did(Checkout, 3.0, Some("tent"), "tents", 0)], IntentLevel::Checkout),
    ];
    for (activity, expected) in &steps {
        assert_eq!(level(activity.clone()), *expected, "{activity:?}");
    }
    assert!(steps.is_sorted_by_key(|(_, level)| *level));
    assert_eq!(level(vec![did(Checkout, 15.0, Some("tent"), "tents", 0)]), IntentLevel::None, "two weeks are not now");
    let bought = CustomerSnapshot {
        activity: vec![did(Checkout, 1.0, Some("tent"), "tents", 0)],
        orders: vec![order(0.9, "tent", "tents")],
        ..customer()
    };
    assert_eq!(profile(&bought).intent.level, IntentLevel::None);
}

#[test]
fn taste_forgets_slowly_and_leaves_out_what_came_back_or_is_owned() {
    let mut snapshot = CustomerSnapshot {
        orders: vec![
            order(20.0, "gas", "cooking/gas"),
            order(60.0, "gas", "cooking/gas"),
            order(30.0, "tent", "tents"),
        ],
        activity: vec![did(Wished, 1.0, Some("lamp"), "camp/lamps", 0)],
        ..customer()
    };
    let mut boots = order(40.0, "boots", "footwear/hiking-boots");
    boots.lines[0].returned = true;
    snapshot.orders.push(boots);
    let profile = profile(&snapshot);
    assert_eq!(profile.categories, [category("cooking/gas"), category("tents"), category("camp/lamps")]);
    assert_eq!(profile.favourites, [product("gas")], "a tent that is owned is not wanted again, a look is no purchase");
    assert_eq!(profile.looked_at, [product("lamp")]);
    assert_eq!(profile.returned, [product("boots")]);
    let texts: Vec<&str> = profile.reasons.iter().map(|r| r.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Keeps lamps on the wish list.",
            "A customer who comes back.",
            "Mostly buys gas and tents.",
            "Sent something from hiking boots back: not a category to push."
        ]
    );
}

#[test]
fn what_code_needs_is_computed_apart() {
    let mut snapshot = orders(&[10.0, 40.0, 70.0, 100.0]);
    snapshot.tags = vec!["VIP ".into()];
    for order in &mut snapshot.orders[..2] {
        order.discount = Money::new(500, Currency::EUR);
    }
    let internal = profile(&snapshot).internal;
    assert!(internal.vip);
    assert_eq!((internal.discounts_in_a_row, internal.price_level), (2, Some(PriceLevel::Middle)));
    assert!((internal.discount_affinity - 4.0 / 12.0).abs() < 1e-9, "(2 + 2) / (2 + 6 + 4)");
    assert_eq!(internal.spent, Some(Money::new(4 * 7_777, Currency::EUR)));
    let next = internal.next_year.unwrap().minor;
    let gone = profile(&orders(&[800.0, 830.0, 860.0, 890.0])).internal.next_year.unwrap().minor;
    assert!(next > 10 * gone, "{next} {gone}");
}

fn any_customer() -> impl Strategy<Value = CustomerSnapshot> {
    let path = prop::sample::select(vec!["tents", "camp/lamps", "<b>4ever</b>", "call 0871234567", "Süßes & Salziges"]);
    let orders =
        prop::collection::vec((-10.0..3_000f64, path.clone(), any::<bool>(), any::<bool>(), 0i64..900_000), 0..12);
    let kinds = prop::sample::select(vec![Viewed, Searched, Wished, Cart, Checkout]);
    let activity = prop::collection::vec((kinds, -5.0..100f64, path, 0u32..200), 0..12);
    (orders, activity, 0u32..3, prop::collection::vec(-2.0..40f64, 0..6)).prop_map(
        |(orders, activity, tickets, sent)| {
            let orders = orders.into_iter().enumerate().map(|(n, (days, path, cancelled, returned, total))| {
                let mut order = order(days, ["gas", "tent", "lamp"][n % 3], path);
                order.total = Money::new(total, Currency::EUR);
                order.cancelled_at = cancelled.then(|| ago(days / 2.0));
                order.lines[0].returned = returned;
                order
            });
            CustomerSnapshot {
                orders: orders.collect(),
                activity: activity.into_iter().map(|(k, d, path, s)| did(k, d, Some("tent"), path, s)).collect(),
                open_tickets: tickets,
                sent: sent.into_iter().map(ago).collect(),
                ..customer()
            }
        },
    )
}

proptest! {
    #[test]
    fn every_reason_is_plain_words_and_every_value_is_sane(snapshot in any_customer()) {
        let profile = profile(&snapshot);
        for Reason { text, .. } in &profile.reasons {
            prop_assert!(!text.chars().any(|c| c.is_ascii_digit() || "<>€$%@/".contains(c)), "{}", text);
            prop_assert!(text.chars().count() <= 180, "{}", text);
        }
        prop_assert!((0.0..=1.0).contains(&profile.internal.discount_affinity));
        prop_assert!((0.0..=1.0).contains(&profile.rhythm.silence_probability));
        prop_assert!(profile.rhythm.expected_days.is_finite() && profile.rhythm.expected_days > 0.0);
        prop_assert!(profile.internal.next_year.is_none_or(|m| m.minor >= 0));
        prop_assert!(profile.favourites.iter().all(|p| !profile.returned.contains(p)));
        let bought = |p: &kit::ProductId| snapshot.orders.iter().filter(|o| o.lines.iter().any(|l| l.product == *p)).count();
        prop_assert!(profile.favourites.iter().all(|p| bought(p) > 1));
    }

    #[test]
    fn the_order_of_rows_does_not_matter(snapshot in any_customer()) {
        let mut turned = snapshot.clone();
        turned.orders.reverse();
        turned.activity.reverse();
        let (a, b) = (profile(&snapshot), profile(&turned));
        prop_assert_eq!(a.stage, b.stage);
        prop_assert_eq!(a.intent.level, b.intent.level);
        prop_assert_eq!(a.rhythm.purchases, b.rhythm.purchases);
    }
}
