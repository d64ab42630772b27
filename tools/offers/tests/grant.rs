//! The ladder through its public door: who gets what, and that nothing gets past a limit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use kit::{CategoryId, Currency, Language, Money, OfferStepId, ProductId, Timestamp};
use mailwright_offers::{BasketLine, Concession, Denied, Ladder, OfferHistory, OfferRequest};
use proptest::prelude::*;

const FILE: &str = include_str!("../../../knowledge/offers/ladder.toml");

fn ladder() -> Ladder {
    Ladder::parse("ladder.toml", FILE).unwrap()
}
fn step(id: &str) -> Option<OfferStepId> {
    Some(OfferStepId::new(id).unwrap())
}
fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}
fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
fn line(id: &str, category: &str, price: i64, cost: i64) -> BasketLine {
    BasketLine {
        product: ProductId::new(id).unwrap(),
        category: CategoryId::new(category).unwrap(),
        price: eur(price),
        cost: Some(eur(cost)),
        quantity: 1,
        reduced: false,
        tags: Vec::new(),
        regulated: false,
    }
}
/// A customer with three full-price orders and a tent of healthy margin in the basket.
fn request(asked: Option<OfferStepId>) -> OfferRequest {
    OfferRequest {
        flow: kit::FlowId::new("win-back").unwrap(),
        step: asked,
        basket: vec![line("TT-1501", "camping/tents", 20_000, 9_000)],
        history: OfferHistory { orders: 3, ..OfferHistory::default() },
        vip: false,
        triggered_at: at("2026-11-21T10:00:00Z"),
        now: at("2026-11-21T12:00:00Z"),
    }
}
fn product(id: &str) -> ProductId {
    ProductId::new(id).unwrap()
}

#[test]
fn the_smallest_step_is_granted_and_ends_with_a_day_in_the_shops_zone() {
    let offer = ladder().grant(&request(None)).unwrap();
    assert_eq!(offer.step(), &step("free-shipping").unwrap());
    assert_eq!(offer.concession(), Concession::FreeShipping);
    assert_eq!(offer.cost(), eur(690));
    assert_eq!(offer.ends(), at("2026-11-28T23:59:59Z"));
    assert!(!offer.requires_approval());

    // In summer Galway is an hour ahead of UTC; a late evening there is still that day.
    let summer = OfferRequest {
        triggered_at: at("2026-07-01T22:30:00Z"),
        now: at("2026-07-01T22:30:00Z"),
        ..request(step("ten-percent"))
    };
    let offer = ladder().grant(&summer).unwrap();
    assert_eq!(offer.ends(), at("2026-07-08T22:59:59Z"));
    assert_eq!(offer.cost(), eur(2_000));
    assert!(offer.requires_approval());
    assert_eq!(offer.label(&Language::DE), "10 % auf deine Bestellung");
}

#[test]
fn the_end_is_the_same_however_late_it_is_quoted_until_it_is_too_late() {
    let later = OfferRequest { now: at("2026-11-25T09:00:00Z"), ..request(None) };
    assert_eq!(ladder().grant(&later).unwrap().ends(), at("2026-11-28T23:59:59Z"));
    let too_late = OfferRequest { now: at("2026-11-28T08:00:00Z"), ..request(None) };
    assert_eq!(ladder().grant(&too_late), Err(Denied::TooLate { ends: at("2026-11-28T23:59:59Z") }));
}

#[test]
fn every_limit_has_its_own_denial() {
    type Change = fn(&mut OfferRequest);
    let cases: Vec<(&str, Change, Denied)> = vec![
        ("ten-percent", |r| r.vip = true, Denied::Vip),
        ("ten-percent", |r| r.history.orders = 0, Denied::NewCustomer),
        ("none", |_| {}, Denied::NoneAsked),
        ("twenty-percent", |_| {}, Denied::OffLadder(step("twenty-percent").unwrap())),
        (
            "ten-percent",
            |r| r.flow = kit::FlowId::new("abandoned-checkout").unwrap(),
            Denied::NotInFlow { step: step("ten-percent"), flow: kit::FlowId::new("abandoned-checkout").unwrap() },
        ),
        ("five-percent", |r| r.history.granted_in_window = 2, Denied::TooMany { granted: 2, max: 2, days: 90 }),
        ("five-percent", |r| r.history.last_orders_discounted = 2, Denied::DiscountedInARow { orders: 2 }),
        (
            "five-percent",
            |r| {
                r.history.abandoned_carts_90d = 4;
                r.history.last_orders_discounted = 1;
            },
            Denied::RepeatAbandoner { carts: 4 },
        ),
        (
            "ten-percent",
            |r| {
                r.history.discount_affinity_percentile = Some(90);
                r.history.last_step = step("five-percent");
            },
            Denied::DeeperThanLast { last: step("five-percent").unwrap() },
        ),
        ("five-percent", |r| r.basket.clear(), Denied::EmptyBasket),
        (
            "five-percent",
            |r| r.basket.push(line("TT-9", "food/supplements", 2_000, 500)),
            Denied::Excluded { product: product("TT-9") },
        ),
        ("five-percent", |r| r.basket[0].reduced = true, Denied::Reduced { product: product("TT-1501") }),
        ("five-percent", |r| r.basket[0].regulated = true, Denied::Excluded { product: product("TT-1501") }),
        ("five-percent", |r| r.basket[0].cost = None, Denied::CostUnknown { product: product("TT-1501") }),
        (
            "five-percent",
            |r| r.basket[0].price = Money::new(20_000, Currency::USD),
            Denied::OtherCurrency { product: product("TT-1501"), found: Currency::USD, expected: Currency::EUR },
        ),
        (
            "fifteen-percent",
            |r| r.basket[0].cost = Some(eur(12_751)),
            Denied::LineMargin { product: product("TT-1501") },
        ),
        ("fifteen-percent", |r| r.basket[0].quantity = 2, Denied::OverAbsolute { cost: eur(6_000), max: eur(4_000) }),
        ("free-shipping", |r| r.basket[0] = line("TT-2", "care/wax", 900, 400), Denied::TotalMargin),
    ];
    for (asked, change, expected) in cases {
        let mut request = request(step(asked));
        change(&mut request);
        assert_eq!(ladder().grant(&request), Err(expected.clone()), "{asked}");
        let words = expected.for_model();
        assert!(!words.is_empty() && !words.to_lowercase().contains("margin") && !words.contains("VIP"), "{words}");
    }
}

#[test]
fn the_margin_floor_is_exact_to_the_cent() {
    // 15 % off 200.00 leaves 170.00; a quarter of that is 42.50, so 127.50 is the dearest cost.
    let mut request = request(step("fifteen-percent"));
    request.basket[0].cost = Some(eur(12_750));
    assert_eq!(ladder().grant(&request).unwrap().cost(), eur(3_000));
}

#[test]
fn a_reduced_or_excluded_product_may_still_travel_free() {
    let mut request = request(None);
    request.basket[0].reduced = true;
    assert_eq!(ladder().permitted(&request), vec![step("free-shipping").unwrap()]);
    assert_eq!(ladder().grant(&request).unwrap().step().as_str(), "free-shipping");
}

#[test]
fn a_new_shopper_who_hesitates_often_is_not_punished_without_an_earlier_offer() {
    let mut request = request(None);
    request.history = OfferHistory { abandoned_carts_90d: 9, ..OfferHistory::default() };
    assert_eq!(ladder().permitted(&request), vec![step("free-shipping").unwrap(), step("five-percent").unwrap()]);
}

#[test]
fn a_broken_ladder_is_refused_with_places() {
    let broken = FILE
        .replace("percent = 10\n", "percent = 16\n")
        .replace("id = \"fifteen-percent\"", "id = \"five-percent\"")
        .replace("vip = \"none\"", "vip = \"gold\"")
        .replace("max_absolute = \"40.00\"", "max_absolute = \"40,00\"")
        .replace("Europe/Dublin", "Europe/Galway");
    insta::assert_snapshot!(Ladder::parse("ladder.toml", &broken).unwrap_err());
    let unknown = FILE.replace("requires_approval = false", "require_approval = false");
    insta::assert_snapshot!(Ladder::parse("ladder.toml", &unknown).unwrap_err());
    insta::assert_snapshot!(Ladder::parse("ladder.toml", "schema = [").unwrap_err());
}

#[test]
fn any_edit_is_another_version() {
    let other = Ladder::parse("other-name.toml", FILE).unwrap();
    assert_eq!(other.version(), ladder().version());
    let edited = Ladder::parse("ladder.toml", &FILE.replace("max_percent = 15", "max_percent = 16")).unwrap();
    assert_ne!(edited.version(), ladder().version());
}

fn any_ladder() -> impl Strategy<Value = (String, Limits)> {
    (1_u32..=40, 0_i64..20_000, 0_u32..=60, 0_u32..=3, proptest::collection::btree_set(1_u32..=40, 1..5)).prop_map(
        |(max_percent, max_absolute, floor, per_customer, percents)| {
            let mut text = format!(
                "schema = \"mailwright.ladder/1\"\ncurrency = \"EUR\"\nzone = \"UTC\"\n[limits]\nmax_percent = {max_percent}\n\
                 max_absolute = \"{}\"\nmin_margin_percent = {floor}\nshipping_cost = \"5.00\"\n\
                 per_customer = {{ max = {per_customer}, days = 90 }}\nexclude_categories = [\"a\"]\n\
                 [limits.addiction]\ndiscounted_in_a_row = 2\nabandoned_carts = 3\nhigh_affinity_percentile = 90\n\
                 [limits.ceiling]\nvip = \"none\"\nnew_customer = \"ship\"\n[[step]]\nid = \"none\"\n\
                 [[step]]\nid = \"ship\"\nfree_shipping = true\nlabel = \"S\"\nlabel_de = \"S\"\ncode_prefix = \"ABC\"\n\
                 valid_days = 7\nrequires_approval = false\nflows = [\"win-back\"]\n",
                eur(max_absolute).decimal()
            );
            for percent in percents.into_iter().filter(|p| *p <= max_percent) {
                text.push_str(&format!(
                    "[[step]]\nid = \"p{percent}\"\npercent = {percent}\nlabel = \"P\"\nlabel_de = \"P\"\n\
                     code_prefix = \"ABC\"\nvalid_days = 7\nrequires_approval = false\nflows = [\"win-back\"]\n"
                ));
            }
            (text, Limits { max_percent, max_absolute, floor: i128::from(floor), per_customer })
        },
    )
}

#[derive(Debug, Clone)]
struct Limits {
    max_percent: u32,
    max_absolute: i64,
    floor: i128,
    per_customer: u32,
}

fn any_line() -> impl Strategy<Value = BasketLine> {
    (-10_i64..40_000, proptest::option::of(-10_i64..40_000), 0_u32..4, any::<bool>(), 0_u8..4).prop_map(
        |(price, cost, quantity, reduced, category)| BasketLine {
            product: product("p"),
            category: CategoryId::new(["a", "a/b", "ab", "c"][usize::from(category)]).unwrap(),
            price: eur(price),
            cost: cost.map(eur),
            quantity,
            reduced,
            tags: Vec::new(),
            regulated: false,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// Recomputed here from the raw numbers, not with the code under test.
    #[test]
    fn no_grant_ever_exceeds_a_limit(
        (text, limits) in any_ladder(),
        basket in proptest::collection::vec(any_line(), 0..5),
        asked in 0_u32..45,
        orders in 0_u32..3, granted in 0_u32..4, row in 0_u32..4, carts in 0_u32..6, vip in any::<bool>(),
    ) {
        let ladder = Ladder::parse("l", &text).unwrap();
        let mut request = request(match asked { 0 => None, 41.. => step("ship"), p => step(&format!("p{p}")) });
        request.basket = basket.clone();
        request.vip = vip;
        request.history = OfferHistory {
            orders,
            granted_in_window: granted,
            last_orders_discounted: row,
            abandoned_carts_90d: carts,
            ..OfferHistory::default()
        };
        let Ok(offer) = ladder.grant(&request) else { return Ok(()) };
        prop_assert!(!vip && granted < limits.per_customer && row < 2);
        prop_assert!(!basket.is_empty());
        let percent = match offer.concession() {
            Concession::Percent(p) => i128::from(p),
            Concession::FreeShipping => 0,
        };
        prop_assert!(percent <= i128::from(limits.max_percent));
        prop_assert!(orders > 0 || percent == 0);
        let (mut paid, mut cost, mut given) = (0_i128, 0_i128, 0_i128);
        for line in &basket {
            let full = i128::from(line.price.minor) * i128::from(line.quantity);
            let line_cost = i128::from(line.cost.unwrap().minor) * i128::from(line.quantity);
            let line_given = full * percent / 100;
            prop_assert!(full > 0 && line_cost >= 0);
            prop_assert!(percent == 0 || !(line.reduced || matches!(line.category.as_str(), "a" | "a/b")));
            prop_assert!((full - line_given - line_cost) * 100 >= limits.floor * (full - line_given));
            paid += full - line_given;
            cost += line_cost;
            given += line_given;
        }
        if percent == 0 {
            given = 500;
            cost += 500;
        }
        prop_assert!((paid - cost) * 100 >= limits.floor * paid);
        prop_assert_eq!(given, i128::from(offer.cost().minor));
        prop_assert!(given <= i128::from(limits.max_absolute));
        prop_assert!(ladder.permitted(&request).contains(offer.step()));
    }
}

#[test]
fn what_a_brand_forbids_to_discount_is_not_and_may_still_travel_free() {
    let mut asked = request(step("ten-percent"));
    asked.basket[0].tags = vec!["tent".to_owned(), "map".to_owned()];
    assert_eq!(ladder().grant(&asked), Err(Denied::Excluded { product: product("TT-1501") }));
    asked.step = None;
    assert_eq!(ladder().grant(&asked).unwrap().concession(), Concession::FreeShipping);
    let limits = ladder().limits().clone();
    assert_eq!((limits.budget_month, limits.budget_customer_month), (Some(eur(250_000)), Some(eur(6_000))));
}
