//! Filters and words against a naive scan of random shops.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{category, eur, product};
use mailwright_catalog::{Catalog, Product, Query};
use proptest::prelude::*;

/// Words so unlike each other that none is a misspelt other, and which have no ending to strip.
const WORDS: [&str; 5] = ["alpha", "bravo", "tango", "quartz", "fjord"];
const CATEGORIES: [&str; 5] = ["x", "x/one", "x/one/deep", "x/onetwo", "y"];
const COLOURS: [&str; 2] = ["Red", "blue"];
const TAGS: [&str; 2] = ["New", "sale"];

fn products() -> impl Strategy<Value = Vec<Product>> {
    let one = (
        proptest::sample::subsequence(WORDS.to_vec(), 0..=WORDS.len()),
        0..CATEGORIES.len(),
        0..50_i64,
        -2..4_i64,
        proptest::option::of(0..COLOURS.len()),
        proptest::sample::subsequence(TAGS.to_vec(), 0..=TAGS.len()),
    );
    proptest::collection::vec(one, 0..40).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(i, (words, path, price, stock, colour, tags))| {
                let mut product = product(&format!("P{}", (i * 17) % 41), "thing", CATEGORIES[path], price);
                product.description = words.join(" ");
                product.stock = stock;
                product.attributes.extend(colour.map(|c| ("Colour".to_owned(), COLOURS[c].to_owned())));
                product.tags = tags.into_iter().map(str::to_owned).collect();
                product
            })
            .collect()
    })
}

fn queries() -> impl Strategy<Value = Query> {
    (
        proptest::sample::subsequence(WORDS.to_vec(), 0..=2),
        proptest::option::of(0..CATEGORIES.len()),
        proptest::option::of(0..50_i64),
        proptest::option::of(0..50_i64),
        any::<bool>(),
        proptest::option::of(0..COLOURS.len()),
        proptest::sample::subsequence(TAGS.to_vec(), 0..=1),
        (0..6_usize, 0..6_usize),
    )
        .prop_map(|(words, path, min, max, in_stock_only, colour, tags, (limit, offset))| Query {
            text: words.join(" "),
            category: path.map(|p| category(CATEGORIES[p])),
            min_price: min.map(eur),
            max_price: max.map(eur),
            in_stock_only,
            attributes: colour.map(|c| ("colour".to_owned(), COLOURS[c].to_lowercase())).into_iter().collect(),
            tags: tags.into_iter().map(str::to_uppercase).collect(),
            limit,
            offset,
            facets: true,
        })
}

/// Price and stock of now, by id.
type Live = BTreeMap<String, (i64, i64)>;

fn fits(product: &Product, live: &Live, query: &Query) -> bool {
    let (price, stock) = live[product.id.as_str()];
    let path = product.category.as_str();
    let colour = product.attributes.get("Colour").map(|c| c.to_lowercase());
    query.category.as_ref().is_none_or(|c| path == c.as_str() || path.starts_with(&format!("{c}/")))
        && query.min_price.is_none_or(|min| price >= min.minor)
        && query.max_price.is_none_or(|max| price <= max.minor)
        && (!query.in_stock_only || stock > 0)
        && query.attributes.get("colour").is_none_or(|wanted| colour.as_ref() == Some(wanted))
        && query.tags.iter().all(|wanted| product.tags.iter().any(|tag| tag.to_uppercase() == *wanted))
}

/// The ids that fit, by a scan; all words first, any word when that finds none.
fn scan(products: &[Product], live: &Live, query: &Query) -> (BTreeSet<String>, bool) {
    let words: Vec<&str> = query.text.split_whitespace().collect();
    let has = |product: &Product, word: &str| product.description.split_whitespace().any(|own| own == word);
    let those = |wanted: &dyn Fn(&Product) -> bool| -> BTreeSet<String> {
        products.iter().filter(|p| fits(p, live, query) && wanted(p)).map(|p| p.id.to_string()).collect()
    };
    let all = those(&|p| words.iter().all(|word| has(p, word)));
    let sold = |word: &str| products.iter().any(|p| has(p, word));
    if !all.is_empty() || words.is_empty() || !words.iter().any(|word| sold(word)) {
        return (all, false);
    }
    match words.len() {
        1 => (all, false),
        _ => (those(&|p| words.iter().any(|word| has(p, word))), true),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn search_equals_a_naive_scan(
        products in products(),
        queries in proptest::collection::vec(queries(), 1..12),
        updates in proptest::collection::vec((0..40_usize, 0..50_i64, -2..4_i64), 0..12),
    ) {
        let catalog = Catalog::in_memory(products.clone()).unwrap();
        let mut live: Live = products.iter().map(|p| (p.id.to_string(), (p.price.minor, p.stock))).collect();
        for (at, price, stock) in updates {
            if let Some(product) = products.get(at) {
                catalog.set_price(&product.id, eur(price)).unwrap();
                catalog.set_stock(&product.id, stock).unwrap();
                live.insert(product.id.to_string(), (eur(price).minor, stock));
            }
        }
        for query in queries {
            let (expected, relaxed) = scan(&products, &live, &query);
            let everything = Query { limit: usize::MAX, offset: 0, ..query.clone() };
            let results = catalog.search(&everything).unwrap();
            let ids: BTreeSet<String> = results.hits.iter().map(|hit| hit.id.to_string()).collect();
            prop_assert_eq!(&ids, &expected, "{:?}", &query);
            prop_assert_eq!((results.total, results.relaxed), (expected.len() as u64, relaxed), "{:?}", &query);

            // Order: score, then id. Pages are cuts of the whole.
            let ordered = results.hits.windows(2).all(|pair| match pair {
                [a, b] => a.score > b.score || (a.score == b.score && a.id < b.id),
                _ => true,
            });
            prop_assert!(ordered, "{:?}", results.hits);
            let page = catalog.search(&query).unwrap();
            let cut: Vec<_> = results.hits.iter().skip(query.offset).take(query.limit).cloned().collect();
            prop_assert_eq!((page.hits, page.total), (cut, results.total));

            // Every match is in one band and one category, every band holds what it says.
            let facets = results.facets.unwrap();
            prop_assert_eq!(facets.categories.iter().map(|c| c.count).sum::<u64>(), results.total);
            for band in &facets.prices {
                let inside = expected.iter().filter(|id| {
                    let price = live[*id].0;
                    band.from.is_none_or(|from| price >= from.minor) && band.below.is_none_or(|below| price < below.minor)
                });
                prop_assert_eq!(inside.count() as u64, band.count, "{:?}", band);
            }
            prop_assert_eq!(facets.prices.iter().map(|b| b.count).sum::<u64>(), results.total);
        }
    }
}
