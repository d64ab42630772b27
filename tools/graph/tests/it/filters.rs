//! What is never offered, on random shops.

use std::collections::BTreeSet;

use kit::{CategoryId, Money, ProductId, Timestamp};
use mailwright_graph::*;
use proptest::prelude::*;

use crate::shop::{DAY, days_ago, euro, id, now};

const PRODUCTS: u32 = 14;

#[derive(Debug, Clone)]
struct Item {
    category: u8,
    consumable: bool,
    margin: Option<u16>,
    price: i64,
    in_stock: bool,
    regulated: bool,
}

#[derive(Debug, Clone)]
struct World {
    items: Vec<Item>,
    edges: Vec<(u32, u32, usize, u32)>,
    lines: Vec<(u32, u32, i64)>,
    basket: BTreeSet<u32>,
    exclude: BTreeSet<u32>,
    owned: Vec<(u32, i64, bool, Option<i64>)>,
    k: usize,
    regulated: bool,
    band: Option<(i64, i64)>,
}

fn world() -> impl Strategy<Value = World> {
    let item = (0u8..4, any::<bool>(), proptest::option::of(0u16..900), 100i64..2_000, any::<bool>(), 0u8..6);
    let item = item.prop_map(|(category, consumable, margin, price, in_stock, regulated)| Item {
        category,
        consumable,
        margin,
        price,
        in_stock,
        regulated: regulated == 0,
    });
    let some = || proptest::collection::btree_set(0..PRODUCTS, 0..4);
    (
        proptest::collection::vec(item, PRODUCTS as usize),
        proptest::collection::vec((0..PRODUCTS, 0..PRODUCTS, 0usize..3, 1u32..10), 0..25),
        proptest::collection::vec((0u32..8, 0..PRODUCTS, 0i64..300), 0..120),
        (some(), some()),
        proptest::collection::vec((0..PRODUCTS, 0i64..120, any::<bool>(), proptest::option::of(-20i64..20)), 0..6),
        1usize..6,
        any::<bool>(),
        proptest::option::of((100i64..800, 800i64..2_000)),
    )
        .prop_map(|(items, edges, lines, (basket, exclude), owned, k, regulated, band)| World {
            items,
            edges,
            lines,
            basket,
            exclude,
            owned,
            k,
            regulated,
            band,
        })
}

fn name(n: u32) -> ProductId {
    id(&format!("p{n:02}"))
}

fn number(product: &ProductId) -> u32 {
    product.as_str()[1..].parse().unwrap()
}

impl World {
    fn graph(&self, reversed: bool) -> ProductGraph {
        let products = (0u32..).zip(&self.items).map(|(n, item)| GraphProduct {
            id: name(n),
            category: CategoryId::new(format!("c{}", item.category)).unwrap(),
            attributes: vec![],
            tags: vec![],
            price: euro(item.price),
            margin_permille: item.margin,
            consumable: item.consumable,
        });
        let mut seen = BTreeSet::new();
        let edges = self.edges.iter().filter(|(a, b, r, _)| a != b && seen.insert((*a, *b, *r)));
        let text: String = edges
            .map(|(a, b, relation, weight)| {
                let relation = ["accessory", "substitute", "next"][*relation];
                format!(
                    "[[edge]]\nfrom = \"{}\"\nto = \"{}\"\nrelation = \"{relation}\"\nweight = 0.{weight}\nwhy = \"w\"\n",
                    name(*a),
                    name(*b)
                )
            })
            .collect();
        let mut lines: Vec<Interaction> = (0u32..)
            .zip(&self.lines)
            .map(|(basket, (customer, product, day))| Interaction {
                customer: *customer,
                product: *product,
                basket,
                at: Timestamp::from_second(1_700_000_000 + day * DAY).unwrap(),
            })
            .collect();
        if reversed {
            lines.reverse();
        }
        let tuning = Tuning { min_support: 1, pseudo_counts: 1.0, ..Tuning::default() };
        let curated = Curated::parse("x.toml", &text).unwrap();
        GraphBuilder::new(products).curated(curated).orders(lines).tuning(tuning).build(now()).unwrap()
    }

    fn may_be_offered(&self, n: u32) -> bool {
        let item = &self.items[n as usize];
        let owned = self.owned.iter().filter(|o| o.0 == n);
        let due = |(_, ago, returned, due): &(u32, i64, bool, Option<i64>)| {
            // Without a cycle of the customer's own, the graph knows an interval; 0 days ago is before any.
            item.consumable && !returned && due.map_or(*ago > 0, |due| due >= 0)
        };
        item.in_stock
            && (self.regulated || !item.regulated)
            && self.band.is_none_or(|(min, max)| (min..=max).contains(&item.price))
            && !self.basket.contains(&n)
            && !self.exclude.contains(&n)
            && owned.into_iter().all(due)
    }
}

impl Live for World {
    fn availability(&self, product: &ProductId) -> Availability {
        let item = &self.items[number(product) as usize];
        if !item.in_stock {
            return Availability::Unavailable;
        }
        Availability::Sellable { price: euro(item.price), regulated: item.regulated }
    }
    fn title(&self, _: &ProductId) -> Option<String> {
        None
    }
}

/// Follows the path: each step starts where the last ended, and the last ends at the product.
fn is_a_path_to(path: &[PathStep], product: &ProductId) -> bool {
    path.windows(2).all(|pair| pair[0].to == pair[1].from)
        && path.last().is_none_or(|step| step.to == NodeRef::Product(product.clone()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn nothing_forbidden_is_ever_offered(world in world()) {
        let graph = world.graph(false);
        let basket: Vec<ProductId> = world.basket.iter().map(|n| name(*n)).collect();
        let exclude: Vec<ProductId> = world.exclude.iter().map(|n| name(*n)).collect();
        let history: Vec<Owned> = world.owned.iter().map(|(n, ago, returned, due)| Owned {
            product: name(*n),
            last_bought: days_ago(*ago),
            returned: *returned,
            due_at: due.map(days_ago),
        }).collect();
        let favourites = [CategoryId::new("c1").unwrap()];
        let band = world.band.map(|(min, max)| PriceBand { min: euro(min), max: euro(max) });
        let request = Request {
            basket: &basket, exclude: &exclude, history: &history, favourites: &favourites, k: world.k,
            regulated: world.regulated, price_band: band, ..crate::shop::request()
        };
        let recommended = graph.recommend(&request, &world);
        let beside = graph.related_products(None, &request, &world);
        let instead = graph.substitutes(&name(0), &request, &world);
        for found in [&recommended, &beside, &instead] {
            prop_assert!(found.len() <= world.k);
            let distinct: BTreeSet<_> = found.iter().map(|r| &r.product).collect();
            prop_assert_eq!(distinct.len(), found.len());
            for r in found {
                prop_assert!(world.may_be_offered(number(&r.product)), "{} was offered", r.product);
                prop_assert!(is_a_path_to(&r.path, &r.product), "{:?}", r.path);
                prop_assert!(!r.reason.is_empty());
            }
        }
        let rivals: BTreeSet<u32> = world.edges.iter().filter(|e| e.2 == 1)
            .flat_map(|(a, b, ..)| [(*a, *b), (*b, *a)])
            .filter(|(a, _)| world.basket.contains(a)).map(|(_, b)| b).collect();
        prop_assert!(recommended.iter().all(|r| !rivals.contains(&number(&r.product))));
        prop_assert!(instead.iter().all(|r| r.product != name(0)));

        let again = world.graph(true);
        prop_assert_eq!(&recommended, &graph.recommend(&request, &world));
        prop_assert_eq!(&recommended, &again.recommend(&request, &world), "the order of order lines is told apart");
        prop_assert_eq!(&instead, &again.substitutes(&name(0), &request, &world));
    }
}

#[test]
fn a_price_band_holds_its_ends_and_no_other_currency() {
    let band = PriceBand { min: euro(100), max: euro(200) };
    let dollars = Money::new(150, kit::Currency::USD);
    assert_eq!(
        [euro(99), euro(100), euro(200), euro(201), dollars].map(|p| band.holds(p)),
        [false, true, true, false, false]
    );
}
