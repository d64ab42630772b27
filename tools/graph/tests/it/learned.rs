//! Learned edges against a plain count of the same definition.

use std::collections::{BTreeMap, BTreeSet};

use kit::{CategoryId, Language, Timestamp};
use mailwright_graph::*;
use proptest::prelude::*;

use crate::shop::{DAY, euro, id, now};

const PRODUCTS: u32 = 8;

fn range() -> Vec<GraphProduct> {
    let product = |n| GraphProduct {
        id: id(&format!("p{n}")),
        category: CategoryId::new("all").unwrap(),
        attributes: vec![],
        tags: vec![],
        price: euro(1_000),
        margin_permille: None,
        consumable: false,
    };
    (0..PRODUCTS).map(product).collect()
}

/// Lines of up to ten customers; orders may share a day, but not a number.
fn lines() -> impl Strategy<Value = Vec<Interaction>> {
    let order = (0i64..250, proptest::collection::btree_set(0..PRODUCTS, 1..4));
    let customers = proptest::collection::vec(proptest::collection::vec(order, 1..5), 1..10);
    let lines = customers.prop_map(|customers| {
        let mut lines = Vec::new();
        for (customer, orders) in (0u32..).zip(customers) {
            for (number, (day, products)) in (0u32..).zip(orders) {
                let at = Timestamp::from_second(1_700_000_000 + day * DAY).unwrap();
                let basket = customer * 100 + number;
                lines.extend(products.into_iter().map(|product| Interaction { customer, product, basket, at }));
            }
        }
        lines
    });
    lines.prop_shuffle()
}

type Edges = BTreeMap<u32, Vec<(String, f32, u16)>>;

fn oracle(lines: &[Interaction], tuning: &Tuning) -> (Edges, Edges) {
    let mut customers: BTreeMap<u32, BTreeMap<(i64, u32), BTreeSet<u32>>> = BTreeMap::new();
    for line in lines {
        let orders = customers.entry(line.customer).or_default();
        orders.entry((line.at.as_second(), line.basket)).or_default().insert(line.product);
    }
    let mut buyers = BTreeMap::<u32, u32>::new();
    let (mut both, mut then) = (BTreeMap::<(u32, u32), u32>::new(), BTreeMap::<(u32, u32), u32>::new());
    for orders in customers.values() {
        let products: BTreeSet<u32> = orders.values().flatten().copied().collect();
        let mut followed = BTreeSet::new();
        let listed: Vec<_> = orders.iter().collect();
        for (i, ((earlier, _), first)) in listed.iter().enumerate() {
            for ((later, _), second) in &listed[i + 1..] {
                if later / DAY - earlier / DAY <= i64::from(tuning.next_within_days) {
                    followed.extend(first.iter().flat_map(|a| second.iter().map(move |b| (*a, *b))));
                }
            }
        }
        for a in &products {
            *buyers.entry(*a).or_default() += 1;
            for b in products.iter().filter(|b| *b != a) {
                *both.entry((*a, *b)).or_default() += 1;
                *then.entry((*a, *b)).or_default() += u32::from(followed.contains(&(*a, *b)));
            }
        }
    }
    let degree = |p: u32| buyers[&p] as f32;
    let all = customers.len() as f32;
    let cosine = |a, b, n: u32| n as f32 / (degree(a) * degree(b)).sqrt();
    let lift = |a, b, n: u32| {
        let expected = degree(a) * degree(b) / all;
        1.0 - 1.0 / ((n as f32 + tuning.pseudo_counts) / (expected + tuning.pseudo_counts))
    };
    (
        best(&both, cosine, tuning.min_support, tuning.together_per_product),
        best(&then, lift, tuning.min_support, tuning.next_per_product),
    )
}

fn best(pairs: &BTreeMap<(u32, u32), u32>, weight: impl Fn(u32, u32, u32) -> f32, min: u32, keep: usize) -> Edges {
    let mut edges = BTreeMap::<u32, Vec<(u32, f32, u16)>>::new();
    for ((a, b), n) in pairs.iter().filter(|(_, n)| **n >= min) {
        let weight = weight(*a, *b, *n);
        if weight > 0.0 {
            edges.entry(*a).or_default().push((*b, weight, *n as u16));
        }
    }
    let ranked = |mut list: Vec<(u32, f32, u16)>| {
        list.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
        list.into_iter().take(keep).map(|(b, w, n)| (format!("p{b}"), w, n)).collect()
    };
    edges.into_iter().map(|(a, list)| (a, ranked(list))).collect()
}

fn learned(graph: &ProductGraph, relation: Relation) -> Edges {
    let of = |p: u32| {
        let found = graph.neighbours(&NodeRef::Product(id(&format!("p{p}"))), Some(relation), 99, &Language::EN);
        let plain = found.into_iter().map(|n| match n.provenance {
            Provenance::Learned { support } => (n.step.to.to_string(), n.weight, support),
            Provenance::Catalogue | Provenance::Curated => panic!("{n:?} was not counted"),
        });
        (p, plain.collect::<Vec<_>>())
    };
    (0..PRODUCTS).map(of).filter(|(_, list)| !list.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn learned_edges_are_the_counts(lines in lines(), min_support in 1u32..4, keep in 1usize..5) {
        let tuning = Tuning {
            min_support, together_per_product: keep, next_per_product: keep, pseudo_counts: 2.0, ..Tuning::default()
        };
        let graph = GraphBuilder::new(range()).orders(lines.iter().copied()).tuning(tuning).build(now()).unwrap();
        let (together, next) = oracle(&lines, &tuning);
        prop_assert_eq!(learned(&graph, Relation::BoughtTogether), together);
        prop_assert_eq!(learned(&graph, Relation::BoughtNext), next);
    }
}

#[test]
fn learned_edges_are_as_old_as_the_newest_order() {
    let at = |day: i64| Timestamp::from_second(1_700_000_000 + day * DAY).unwrap();
    let lines = (0..3).flat_map(|customer| {
        [(0, 0), (1, 10)].map(|(product, day)| Interaction {
            customer,
            product,
            basket: customer * 2 + product,
            at: at(day),
        })
    });
    let graph = GraphBuilder::new(range()).orders(lines).build(now()).unwrap();
    assert_eq!(graph.as_of(Relation::BoughtNext), at(10));
    assert_eq!(graph.as_of(Relation::InCategory), now());
    let next = graph.neighbours(&NodeRef::Product(id("p0")), Some(Relation::BoughtNext), 9, &Language::EN);
    assert_eq!(next, [], "three of three customers is no more than chance");
}

#[test]
fn an_empty_shop_answers() {
    let graph = GraphBuilder::new([]).build(now()).unwrap();
    assert_eq!((graph.products(), graph.edges()), (0, 0));
    assert_eq!(graph.recommend(&crate::shop::request(), &crate::shop::Stand::default()), []);
}
