//! Former prices against the history that proves them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use jiff::SignedDuration;
use kit::{Currency, Money, Timestamp};
use mailwright_catalog::{PricePoint, former_price};
use proptest::prelude::*;

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}
fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}
/// Prices by how many days ago they began.
fn points(list: &[(i64, i64)]) -> Vec<PricePoint> {
    let at = |days: i64| now() - SignedDuration::from_hours(24 * days);
    list.iter().map(|(days, minor)| PricePoint { at: at(*days), price: eur(*minor) }).collect()
}
fn former(list: &[(i64, i64)]) -> Option<i64> {
    former_price(&points(list), now()).map(|m| m.minor)
}

#[test]
fn a_price_asked_for_months_may_stand_beside_the_lower_one() {
    assert_eq!(former(&[(200, 21_900), (5, 18_900)]), Some(21_900));
}

#[test]
fn the_lowest_of_thirty_days_counts_not_the_highest() {
    // Raised for a fortnight just before the sale: the price before the rise is the reference.
    assert_eq!(former(&[(200, 19_900), (19, 24_900), (5, 18_900)]), Some(19_900));
    // A dip within the thirty days: nobody asked that price for long, so no former price may be shown at all.
    assert_eq!(former(&[(200, 21_900), (20, 17_900), (18, 21_900), (5, 16_900)]), None);
    // A dip below the price of now: it is no reduction.
    assert_eq!(former(&[(200, 21_900), (20, 17_900), (18, 21_900), (5, 18_900)]), None);
}

#[test]
fn what_is_not_proven_is_not_shown() {
    assert_eq!(former(&[]), None);
    assert_eq!(former(&[(5, 18_900)]), None, "no history");
    assert_eq!(former(&[(20, 21_900), (5, 18_900)]), None, "known for a fortnight only");
    assert_eq!(former(&[(200, 18_900), (5, 21_900)]), None, "it rose");
    assert_eq!(former(&[(300, 21_900), (120, 18_900)]), None, "the low price is the usual one by now");
    let mut mixed = points(&[(200, 21_900), (5, 18_900)]);
    mixed[0].price = Money::new(21_900, Currency::GBP);
    assert_eq!(former_price(&mixed, now()), None, "another currency");
    assert_eq!(former(&[(200, 21_900), (-2, 18_900)]), None, "a price of the future");
}

proptest! {
    #[test]
    fn a_former_price_was_asked_and_nothing_in_thirty_days_was_lower(
        changes in proptest::collection::vec((1_i64..150, 1_i64..40), 1..8),
    ) {
        let mut list = changes;
        list.sort_by_key(|(days, _)| std::cmp::Reverse(*days));
        list.dedup_by_key(|(days, _)| *days);
        if let Some(was) = former(&list) {
            let (current_days, current) = list[list.len() - 1];
            prop_assert!(was > current);
            prop_assert!(list.iter().any(|(_, minor)| *minor == was));
            let in_force = list.windows(2).filter(|w| w[1].0 < current_days + 30).map(|w| w[0].1);
            prop_assert!(in_force.into_iter().all(|minor| minor >= was));
        }
    }
}
