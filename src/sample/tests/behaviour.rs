//! People behave: seasons, accessories, refills, visits.

use super::*;

/// Days from one time to another.
fn days(from: Timestamp, to: Timestamp) -> i64 {
    from.duration_until(to).as_hours() / 24
}

fn sold(category: &str, months: &[i8]) -> usize {
    let in_months =
        WORLD.orders.iter().filter(|order| months.contains(&order.placed_at.to_zoned(jiff::tz::TimeZone::UTC).month()));
    in_months.flat_map(|order| &order.lines).filter(|line| line.category.as_str() == category).count()
}

#[test]
fn tents_sell_before_summer_and_down_before_winter() {
    assert!(sold("camping/tents", &[5, 6, 7]) > 2 * sold("camping/tents", &[11, 12, 1]));
    assert!(sold("camping/sleeping-bags", &[5, 6, 7]) > 2 * sold("camping/sleeping-bags", &[11, 12, 1]));
    assert!(sold("clothing/insulation", &[10, 11, 12]) > 4 * sold("clothing/insulation", &[5, 6, 7]));
}

/// Of those who bought `from`, the share that bought `to` with it or later; and the share of all buyers that has `to`.
fn lift(pairs: &[(ProductId, ProductId, f32)]) -> (f64, f64) {
    let mut first = BTreeMap::<&ProductId, BTreeMap<&CustomerId, Timestamp>>::new();
    let mut last = BTreeMap::<&ProductId, BTreeMap<&CustomerId, Timestamp>>::new();
    let mut buyers = BTreeSet::new();
    for order in WORLD.orders.iter().filter(|order| order.cancelled_at.is_none()) {
        buyers.insert(&order.customer);
        for line in order.lines.iter().filter(|line| !line.returned) {
            first.entry(&line.product).or_default().entry(&order.customer).or_insert(order.placed_at);
            last.entry(&line.product).or_default().insert(&order.customer, order.placed_at);
        }
    }
    let (mut owners, mut followers, mut base) = (0, 0, 0.0);
    for (from, to, _) in pairs {
        let (Some(from), Some(to)) = (first.get(from), last.get(to)) else { continue };
        owners += from.len();
        followers += from.iter().filter(|(customer, at)| to.get(*customer).is_some_and(|then| then >= at)).count();
        base += from.len() as f64 * share(to.len(), buyers.len());
    }
    (share(followers, owners), base / owners as f64)
}

#[test]
fn accessories_follow_what_they_belong_to() {
    let (after, base) = lift(&RELATIONS.accessory);
    assert!(after > 2.5 * base, "{after} against {base}");
    let (after, base) = lift(&RELATIONS.next);
    assert!(after > 1.5 * base, "{after} against {base}");
}

#[test]
fn consumables_come_again_on_the_customers_own_cycle() {
    let mut times = BTreeMap::<(&CustomerId, &ProductId), Vec<Timestamp>>::new();
    for order in WORLD.orders.iter().filter(|order| order.cancelled_at.is_none()) {
        for line in &order.lines {
            times.entry((&order.customer, &line.product)).or_default().push(order.placed_at);
        }
    }
    let label = |id: &ProductId| CATALOGUE.iter().find(|item| item.id == *id).and_then(|item| item.consumable_days);
    let (mut near, mut all) = (0, 0);
    for ((_, product), bought) in times {
        let Some(label) = label(product).map(i64::from) else { continue };
        for pair in bought.windows(2) {
            all += 1;
            near += usize::from((label / 2..=label * 2 + 8).contains(&days(pair[0], pair[1])));
        }
    }
    assert!(all > 400 && share(near, all) > 0.75, "{near} of {all}");
}

#[test]
fn durable_things_are_kept_not_bought_again() {
    let mut kept = BTreeSet::new();
    let mut again = 0;
    for order in WORLD.orders.iter().filter(|order| order.cancelled_at.is_none()) {
        for line in
            order.lines.iter().filter(|line| !line.returned && line.category.as_str().starts_with("camping/tents"))
        {
            again += usize::from(!kept.insert((&order.customer, &line.product)));
        }
    }
    assert_eq!(again, 0);
}

#[test]
fn visits_gather_before_orders() {
    let mut visits = BTreeMap::<&CustomerId, Vec<&Activity>>::new();
    for event in &WORLD.activity {
        visits.entry(&event.customer).or_default().push(event);
    }
    let ordinary = WORLD.orders.iter().filter(|order| order.customer.as_str().starts_with("C-0"));
    for order in ordinary {
        let here = &visits[&order.customer];
        let just_before = here.iter().filter(|event| {
            let ahead = event.at.duration_until(order.placed_at).as_secs();
            (0..3_600).contains(&ahead)
        });
        let kinds: BTreeSet<_> = just_before.map(|event| event.kind.as_str()).collect();
        assert!(kinds.contains("cart") && kinds.contains("checkout"), "{} {kinds:?}", order.id);
    }
    let kinds: BTreeSet<_> = WORLD.activity.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["viewed", "searched", "cart", "checkout", "wishlist"]));
    assert!(WORLD.activity.iter().all(|event| event.dwell_s <= 300));
}

#[test]
fn a_few_dozen_carts_are_open() {
    let last: BTreeMap<_, _> = WORLD.orders.iter().map(|order| (&order.customer, order.placed_at)).collect();
    let recent = WORLD.activity.iter().filter(|e| e.kind == "cart" && days(e.at, SAMPLE_NOW) < 3);
    let open: BTreeSet<_> =
        recent.filter(|e| last.get(&e.customer).is_none_or(|at| *at < e.at)).map(|e| &e.customer).collect();
    assert!((24..=90).contains(&open.len()), "{}", open.len());
}

#[test]
fn people_shop_when_people_are_awake() {
    let zones: BTreeMap<_, _> =
        WORLD.customers.iter().map(|c| (&c.id, calendar::zone(&c.time_zone).unwrap())).collect();
    let hour = |order: &crate::store::Order| order.placed_at.to_zoned(zones[&order.customer].clone()).hour();
    let at_night = WORLD.orders.iter().filter(|order| (1..6).contains(&hour(order))).count();
    let in_the_evening = WORLD.orders.iter().filter(|order| (18..23).contains(&hour(order))).count();
    assert_eq!(at_night, 0);
    assert!(share(in_the_evening, WORLD.orders.len()) > 0.35);
}

#[test]
fn vips_spend_most() {
    let mut spent = BTreeMap::<&CustomerId, i64>::new();
    for order in WORLD.orders.iter().filter(|order| order.cancelled_at.is_none()) {
        *spent.entry(&order.customer).or_default() += order.total.minor;
    }
    let mean = |vip: bool| {
        let amounts: Vec<i64> =
            WORLD.customers.iter().filter(|c| c.vip == vip).filter_map(|c| spent.get(&c.id).copied()).collect();
        amounts.iter().sum::<i64>() / i64::try_from(amounts.len()).unwrap()
    };
    assert!(mean(true) > 5 * mean(false), "{} against {}", mean(true), mean(false));
}

#[test]
fn some_have_drifted_away() {
    let mut seen = BTreeMap::<&CustomerId, Timestamp>::new();
    for event in &WORLD.activity {
        seen.insert(&event.customer, event.at);
    }
    let lapsed = seen.values().filter(|at| days(**at, SAMPLE_NOW) > 90).count();
    assert!((0.10..0.35).contains(&share(lapsed, WORLD.customers.len())), "{lapsed}");
}
