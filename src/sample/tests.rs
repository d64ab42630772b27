//! The world as a reader of it would check it, on the sample shop's own catalogue, relations and personas.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod behaviour;
mod personas;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

use kit::message::ConsentState;
use kit::person::MergeName;
use kit::{Currency, Money};

use super::*;

fn knowledge(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("knowledge/sample-shop").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(knowledge(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The products as JSON, in order of id.
static PRODUCTS: LazyLock<BTreeMap<String, serde_json::Value>> = LazyLock::new(|| {
    let files = std::fs::read_dir(knowledge("products")).unwrap().map(|file| file.unwrap().path());
    let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let products = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    products.map(|product| (product["id"].as_str().unwrap().to_owned(), product)).collect()
});

static CATALOGUE: LazyLock<Vec<CatalogueItem>> = LazyLock::new(|| {
    let money = |text: &serde_json::Value| Money::parse(text.as_str().unwrap(), Currency::EUR).unwrap();
    let item = |(id, product): (&String, &serde_json::Value)| CatalogueItem {
        id: ProductId::new(id).unwrap(),
        category: CategoryId::new(product["category"].as_str().unwrap()).unwrap(),
        price: money(&product["price"]),
        cost: Some(money(&product["cost"])),
        consumable_days: product["consumable_days"].as_u64().map(|days| u32::try_from(days).unwrap()),
        tags: product["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect(),
        stock: product["stock"].as_i64().unwrap(),
    };
    PRODUCTS.iter().map(item).collect()
});

static RELATIONS: LazyLock<Relations> = LazyLock::new(|| {
    let mut relations = Relations::default();
    for file in ["graph/camp.toml", "graph/gear.toml"] {
        let table: toml::Table = read(file).parse().unwrap();
        for edge in table["edge"].as_array().unwrap() {
            let id = |key: &str| ProductId::new(edge[key].as_str().unwrap()).unwrap();
            let relation = (id("from"), id("to"), edge["weight"].as_float().unwrap() as f32);
            match edge["relation"].as_str().unwrap() {
                "accessory" => relations.accessory.push(relation),
                "next" => relations.next.push(relation),
                _ => {}
            }
        }
    }
    relations
});

static PERSONAS: LazyLock<Personas> =
    LazyLock::new(|| Personas::parse("personas.toml", &read("personas.toml")).unwrap());

/// The default world.
static WORLD: LazyLock<SampleWorld> = LazyLock::new(|| world(&SampleSpec::default()));

fn world(spec: &SampleSpec) -> SampleWorld {
    generate(spec, &PERSONAS, &CATALOGUE, &RELATIONS).unwrap()
}

fn small(seed: u64) -> SampleWorld {
    world(&SampleSpec { seed, customers: 150, ..SampleSpec::default() })
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[test]
fn a_seed_is_a_world() {
    assert_eq!(small(7), small(7));
    assert_ne!(small(7).orders, small(8).orders);
}

#[test]
fn more_customers_leave_the_others_as_they_are() {
    let (few, many) = (world(&SampleSpec { customers: 40, ..SampleSpec::default() }), small(1));
    let history = |world: &SampleWorld, id: &str| {
        let orders = world.orders.iter().filter(|order| order.customer.as_str() == id);
        orders.map(|order| (order.placed_at, order.lines.clone())).collect::<Vec<_>>()
    };
    for n in 1..=28 {
        let id = format!("C-{n:06}");
        assert_eq!(history(&few, &id), history(&many, &id), "{id}");
    }
}

#[test]
fn there_are_as_many_as_asked_and_never_less_than_the_cast() {
    assert_eq!(WORLD.customers.len(), 2_400);
    assert_eq!(world(&SampleSpec { customers: 0, ..SampleSpec::default() }).customers.len(), 12);
}

#[test]
fn proportions_are_those_of_a_shop() {
    let customers = WORLD.customers.len();
    let mut orders = BTreeMap::<&CustomerId, usize>::new();
    for order in &WORLD.orders {
        *orders.entry(&order.customer).or_default() += 1;
    }
    let within =
        |name: &str, value: f64, low: f64, high: f64| assert!((low..=high).contains(&value), "{name}: {value}");
    within("never bought", 1.0 - share(orders.len(), customers), 0.22, 0.28);
    within("bought once", share(orders.values().filter(|n| **n == 1).count(), orders.len()), 0.3, 0.65);
    within("VIPs", share(WORLD.customers.iter().filter(|c| c.vip).count(), customers), 0.015, 0.025);
    let all = WORLD.orders.len();
    within("cancelled", share(WORLD.orders.iter().filter(|o| o.cancelled_at.is_some()).count(), all), 0.008, 0.025);
    within("discounted", share(WORLD.orders.iter().filter(|o| o.discount.minor > 0).count(), all), 0.15, 0.35);
    let lines: Vec<_> = WORLD.orders.iter().flat_map(|order| &order.lines).collect();
    let returned = |prefix: &str| {
        let here: Vec<_> = lines.iter().filter(|line| line.category.as_str().starts_with(prefix)).collect();
        share(here.iter().filter(|line| line.returned).count(), here.len())
    };
    within("returned lines", returned(""), 0.04, 0.08);
    assert!(returned("footwear/") > 1.5 * returned(""));
    let mut newest = BTreeMap::new();
    newest.extend(WORLD.consents.iter().map(|(customer, consent)| (customer, consent.state)));
    let state = |state| newest.values().filter(|s| **s == state).count();
    within("subscribed", share(state(ConsentState::Subscribed), customers), 0.75, 0.81);
    within("withdrawn", share(state(ConsentState::Withdrawn), customers), 0.06, 0.10);
    within("with a ticket", share(WORLD.tickets.len(), customers), 0.02, 0.04);
    let open = WORLD.tickets.iter().filter(|ticket| ticket.closed_at.is_none()).count();
    assert!((15..=35).contains(&open), "open tickets: {open}");
}

#[test]
fn money_is_exact() {
    for order in &WORLD.orders {
        let sum: i64 = order.lines.iter().map(|line| line.price.minor * i64::from(line.quantity)).sum();
        assert_eq!(order.total.minor, sum - order.discount.minor, "{}", order.id);
        assert!(order.discount.minor >= 0 && order.discount.minor * 100 <= sum * 15, "{}", order.id);
        for line in &order.lines {
            let item = CATALOGUE.iter().find(|item| item.id == line.product).unwrap();
            assert_eq!((item.price, &item.category), (line.price, &line.category));
            assert!(line.quantity >= 1);
        }
    }
}

#[test]
fn time_runs_forward() {
    let created: BTreeMap<_, _> = WORLD.customers.iter().map(|c| (&c.id, c.created_at)).collect();
    for order in &WORLD.orders {
        let ends = [order.fulfilled_at, order.cancelled_at];
        assert!(created[&order.customer] <= order.placed_at && order.placed_at <= SAMPLE_NOW, "{order:?}");
        assert!(ends.iter().flatten().all(|at| order.placed_at < *at && *at <= SAMPLE_NOW), "{order:?}");
        assert!(order.fulfilled_at.is_none() || order.cancelled_at.is_none());
        assert_eq!(order.cancelled_at.is_some(), order.cancel_reason.is_some());
        if let Some(at) = order.fulfilled_at {
            assert!((0..=5 * 24).contains(&order.placed_at.duration_until(at).as_hours()), "{order:?}");
        }
    }
    assert!(WORLD.orders.is_sorted_by_key(|order| order.placed_at));
    for event in &WORLD.activity {
        assert!(created[&event.customer] <= event.at && event.at <= SAMPLE_NOW, "{event:?}");
    }
    for (customer, consent) in &WORLD.consents {
        assert!(created[customer] <= consent.at && consent.at <= SAMPLE_NOW, "{customer}");
    }
    for ticket in &WORLD.tickets {
        assert!(
            ticket.opened_at <= SAMPLE_NOW
                && ticket.closed_at.is_none_or(|at| ticket.opened_at < at && at <= SAMPLE_NOW)
        );
    }
}

#[test]
fn a_withdrawal_follows_a_consent() {
    let mut given = BTreeSet::new();
    for (customer, consent) in &WORLD.consents {
        assert_eq!(consent.wording, CONSENT_WORDING);
        match consent.state {
            ConsentState::Subscribed => assert!(given.insert((customer, consent.at))),
            ConsentState::Withdrawn => {
                assert!(given.iter().any(|(c, at)| *c == customer && *at < consent.at), "{customer}")
            }
            ConsentState::None => panic!("{customer} has a row that says nothing"),
        }
    }
}

#[test]
fn some_have_agreed_to_text_messages_and_no_number_is_anybodys() {
    let numbers: BTreeSet<&str> = WORLD.phones.iter().map(|entry| entry.phone.reveal()).collect();
    assert_eq!(numbers.len(), WORLD.phones.len());
    assert!(numbers.iter().all(|number| number.starts_with("+999")));
    let customers = WORLD.customers.len();
    assert!((0.40..0.50).contains(&share(WORLD.phones.len(), customers)));
    let mut newest = BTreeMap::new();
    newest.extend(WORLD.sms_consents.iter().map(|(customer, consent)| (customer, consent.state)));
    let agreed = newest.values().filter(|state| **state == ConsentState::Subscribed).count();
    assert!((0.22..0.32).contains(&share(agreed, customers)), "{}", share(agreed, customers));
    assert!(newest.values().any(|state| *state == ConsentState::Withdrawn));
    for (customer, consent) in &WORLD.sms_consents {
        assert_eq!(consent.channel, kit::message::Channel::Sms);
        assert!(WORLD.phones.iter().any(|entry| entry.customer == *customer), "{customer} has no number");
    }
}

#[test]
fn addresses_are_unique_and_nobodys() {
    let mut seen = BTreeSet::new();
    for customer in &WORLD.customers {
        let email = customer.email.as_ref().unwrap().normalised();
        let domain = email.split_once('@').unwrap().1;
        assert!(["example.com", "example.org", "example.net"].contains(&domain), "{email}");
        assert!(seen.insert(email.clone()), "{email}");
    }
    let ids: BTreeSet<_> = WORLD.orders.iter().map(|order| &order.id).collect();
    assert_eq!(ids.len(), WORLD.orders.len());
}

#[test]
fn places_languages_and_zones_agree() {
    for customer in &WORLD.customers {
        let german = matches!(customer.country.as_deref(), Some("DE" | "AT"));
        assert_eq!(customer.language.as_str() == "de", german, "{}", customer.id);
        let continent = if customer.country.as_deref() == Some("US") { "America/" } else { "Europe/" };
        assert!(customer.time_zone.starts_with(continent), "{}", customer.id);
    }
}

#[test]
fn edge_customers_have_names_that_need_care() {
    let names: Vec<_> = WORLD
        .customers
        .iter()
        .filter(|c| c.id.as_str().starts_with("C-EDGE-"))
        .map(|c| c.first_name.as_deref())
        .collect();
    assert_eq!(names.len(), 5);
    assert_eq!(names.iter().flatten().filter(|name| MergeName::parse(name).is_none()).count(), 3, "{names:?}");
    assert_eq!(names.iter().flatten().map(|name| name.chars().count()).max(), Some(60));
}

#[test]
fn the_cast_is_there_for_twenty_seeds() {
    let cast = cast(&CATALOGUE).unwrap();
    let members = [&cast.ada, &cast.jonas, &cast.vip, &cast.ticket, &cast.optout, &cast.lapsed, &cast.bought];
    let first = small(0);
    for seed in 0..20 {
        let world = small(seed);
        for member in members {
            let customer = world.customers.iter().find(|c| c.id == member.customer).unwrap();
            assert_eq!(customer.email.as_ref(), Some(&member.email));
            let rows = |world: &SampleWorld| {
                let orders = world.orders.iter().filter(|order| order.customer == member.customer);
                orders.map(|order| (order.placed_at, order.total, order.lines.clone())).collect::<Vec<_>>()
            };
            assert_eq!(rows(&world), rows(&first), "{} at seed {seed}", member.customer);
        }
    }
}

#[test]
fn the_cast_can_play_its_stories() {
    let cast = cast(&CATALOGUE).unwrap();
    let orders =
        |who: &CastMember| WORLD.orders.iter().filter(|order| order.customer == who.customer).collect::<Vec<_>>();
    let consent = |who: &CastMember| WORLD.consents.iter().rfind(|(id, _)| *id == who.customer).map(|(_, c)| c.state);
    let stock = |id: &ProductId| CATALOGUE.iter().find(|item| item.id == *id).unwrap().stock;
    let owns_boots =
        |who| orders(who).iter().flat_map(|o| &o.lines).any(|line| line.category.as_str().starts_with("footwear/"));
    assert_eq!((orders(&cast.ada).len(), owns_boots(&cast.ada)), (3, false));
    assert!(cast.ada.products.iter().all(|id| stock(id) > 20));
    let tent = orders(&cast.jonas).last().copied().unwrap();
    assert_eq!(
        (tent.id.as_str(), tent.fulfilled_at.unwrap().to_string()),
        (JONAS_ORDER, "2026-11-14T08:30:00Z".to_owned())
    );
    assert!(tent.lines[0].category.as_str() == "camping/tents" && orders(&cast.jonas).len() == 5);
    let vip = WORLD.customers.iter().find(|c| c.id == cast.vip.customer).unwrap();
    let owned: Vec<_> =
        orders(&cast.vip).iter().flat_map(|o| o.lines.iter().map(|line| line.product.clone())).collect();
    assert!(vip.vip && orders(&cast.vip).len() == 11 && cast.vip.products.iter().all(|id| !owned.contains(id)));
    assert!(WORLD.tickets.iter().any(|t| t.customer == cast.ticket.customer && t.closed_at.is_none()));
    assert_eq!(consent(&cast.optout), Some(ConsentState::Withdrawn));
    let cancelled = orders(&cast.lapsed).last().copied().unwrap();
    assert_eq!((cancelled.id.as_str(), cancelled.cancel_reason.as_deref()), (LAPSED_ORDER, Some("inventory")));
    assert_eq!(stock(&cast.lapsed.products[0]), 0);
    for who in [&cast.ada, &cast.jonas, &cast.vip, &cast.ticket, &cast.lapsed, &cast.bought] {
        assert_eq!(consent(who), Some(ConsentState::Subscribed), "{}", who.customer);
    }
}

#[test]
fn what_cannot_be_made_is_named() {
    let spec = SampleSpec { customers: 20, ..SampleSpec::default() };
    let none = Relations::default();
    let make =
        |catalogue: &[CatalogueItem], relations: &Relations| generate(&spec, &PERSONAS, catalogue, relations).map(drop);
    assert_eq!(make(&[], &none), Err(SampleError::EmptyCatalogue));
    let no_tents: Vec<_> = CATALOGUE.iter().filter(|item| item.category.as_str() != "camping/tents").cloned().collect();
    assert_eq!(make(&no_tents, &none), Err(SampleError::NoProduct("camping/tents")));
    assert!(matches!(make(&no_tents, &RELATIONS), Err(SampleError::UnknownProduct(_))));
    let mut dollars = CATALOGUE.clone();
    dollars[3].price.currency = Currency::USD;
    assert!(matches!(make(&dollars, &RELATIONS), Err(SampleError::Currency { .. })));
    let endless = SampleSpec { months: 600, ..spec.clone() };
    assert_eq!(generate(&endless, &PERSONAS, &CATALOGUE, &RELATIONS).map(drop), Err(SampleError::Months(600)));
}

#[tokio::test]
async fn planting_twice_is_planting_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(dir.path()).await.unwrap();
    let shop = store.shop(&kit::ShopId::new("tarn-and-trail").unwrap());
    let world = small(3);
    let (orders, told) = (world.orders.clone(), std::sync::Mutex::new(Vec::new()));
    plant(world.clone(), &shop, &|done, total| told.lock().unwrap().push((done, total))).await.unwrap();
    plant(world.clone(), &shop, &|_, _| ()).await.unwrap();
    let (done, total) = *told.lock().unwrap().last().unwrap();
    assert_eq!(done, total);
    let someone = orders[0].customer.clone();
    let mine: Vec<_> = orders.into_iter().filter(|order| order.customer == someone).collect();
    assert_eq!(shop.orders_of(&someone).await.unwrap(), mine);
    let visits: Vec<_> = world.activity.into_iter().filter(|event| event.customer == someone).collect();
    assert_eq!(shop.activity_of(&someone, Timestamp::UNIX_EPOCH).await.unwrap(), visits);
    store.close().await;
}
