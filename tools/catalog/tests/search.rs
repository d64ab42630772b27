//! Search on a small shop: relevance, spelling, live columns, the index on disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{category, eur, id, product, shop};
use kit::product::Shelf;
use kit::{Currency, Language, Money, Timestamp};
use mailwright_catalog::{
    Catalog, CatalogError, CategoryCount, LiveState, PriceBand, PricePoint, Query, Results, SearchError, UpdateError,
};
use proptest::prelude::*;

fn ask(text: &str) -> Query {
    Query { text: text.to_owned(), ..Query::default() }
}

fn ids(results: &Results) -> Vec<&str> {
    results.hits.iter().map(|hit| hit.id.as_str()).collect()
}

fn found(catalog: &Catalog, query: &Query) -> Vec<String> {
    ids(&catalog.search(query).unwrap()).into_iter().map(str::to_owned).collect()
}

#[test]
fn words_are_found_wherever_they_stand_and_titles_count_most() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let cases = [
        // Stems, capitals, all words.
        ("hiking boots", vec!["TT-1001"]),
        ("BOOT", vec!["TT-1003", "TT-1001"]),
        // A title before anything else.
        ("waterproof", vec!["TT-2001", "TT-1003", "TT-1001"]),
        ("membrane", vec!["TT-2001", "TT-1001"]),
        // Stop words and what an apostrophe leaves restrict nothing.
        ("the hat for women's", vec!["TT-2002"]),
        // Category words, ids, other languages with and without their accents.
        ("tents", vec!["TT-3001"]),
        ("TT-4001", vec!["TT-4001"]),
        ("wanderstiefel", vec!["TT-1001"]),
        ("grosse", vec!["TT-1001"]),
        ("Größe", vec!["TT-1001"]),
    ];
    for (text, expected) in cases {
        let results = catalog.search(&ask(text)).unwrap();
        assert_eq!((ids(&results), results.corrected.as_deref(), results.relaxed), (expected, None, false), "{text}");
    }
}

#[test]
fn a_misspelt_word_is_replaced_by_the_closest_one_the_shop_has() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let cases = [
        ("hikng boots", Some("hiking boots"), vec!["TT-1001"]),
        // A swap of neighbours is one mistake; so is a wrong letter, a missing one, one too many.
        ("jakcet", Some("jacket"), vec!["TT-2001"]),
        ("tennt", Some("tent"), vec!["TT-3001"]),
        // Two mistakes only from eight letters on.
        ("wateproff", Some("waterproof"), vec!["TT-2001", "TT-1003", "TT-1001"]),
        ("jaccets", Some("jackets"), vec!["TT-2001"]),
        ("gaccet", None, vec![]),
        // Sizes are not misspelt sizes, and a known word is never corrected.
        ("backpack 46L", None, vec!["TT-4001", "TT-4002"]),
        ("wax", None, vec!["TT-1003"]),
    ];
    for (text, corrected, expected) in cases {
        let results = catalog.search(&ask(text)).unwrap();
        assert_eq!((results.corrected.as_deref(), ids(&results)), (corrected, expected), "{text}");
    }
}

#[test]
fn when_nothing_has_all_the_words_those_with_some_are_the_answer() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let results = catalog.search(&ask("merino tent")).unwrap();
    assert_eq!((ids(&results), results.total, results.relaxed), (vec!["TT-3001", "TT-2002"], 2, true));
    // A word that nothing resembles cannot be had, the others can.
    let results = catalog.search(&ask("zzzzzz tent")).unwrap();
    assert_eq!((ids(&results), results.relaxed), (vec!["TT-3001"], true));
    let results = catalog.search(&ask("zzzzzz")).unwrap();
    assert_eq!((ids(&results), results.total, results.relaxed), (vec![], 0, false));
}

#[test]
fn text_without_a_word_lists_by_id() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    for text in ["", "  ", "?!", "the"] {
        let page = Query { limit: 2, offset: 1, ..ask(text) };
        let results = catalog.search(&page).unwrap();
        assert_eq!((ids(&results), results.total), (vec!["TT-1001", "TT-1002"], 9), "{text:?}");
    }
}

#[test]
fn equal_scores_fall_in_order_of_id() {
    let twins = ["C", "A", "D", "B"].map(|name| product(name, "Twin lamp", "light", 10));
    let catalog = Catalog::in_memory(twins.to_vec()).unwrap();
    assert_eq!(found(&catalog, &Query { limit: 3, ..ask("lamp") }), ["A", "B", "C"]);
    assert_eq!(found(&catalog, &Query { limit: 3, offset: 3, ..ask("lamp") }), ["D"]);
}

#[test]
fn filters_cut_at_path_borders_and_in_any_letter_case() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let within = |path: &str| found(&catalog, &Query { category: Some(category(path)), ..ask("") });
    assert_eq!(within("footwear"), ["TT-1001", "TT-1002"]);
    assert_eq!(within("Footwear/Hiking-Boots/"), ["TT-1001"]);
    assert_eq!(within("foot"), Vec::<String>::new());
    let attributes = BTreeMap::from([("waterproof".to_owned(), "membrane".to_owned())]);
    assert_eq!(found(&catalog, &Query { attributes, ..ask("") }), ["TT-1001"]);
    assert_eq!(found(&catalog, &Query { tags: vec!["pfc-FREE".to_owned()], ..ask("") }), ["TT-2001"]);
    let priced = Query { min_price: Some(eur(139)), max_price: Some(eur(189)), ..ask("") };
    assert_eq!(found(&catalog, &priced), ["TT-1001", "TT-4001", "TT-4002"]);
    let dollars = Query { max_price: Some(Money::new(1, Currency::USD)), ..ask("") };
    assert!(matches!(catalog.search(&dollars), Err(SearchError::Currency { .. })));
}

#[test]
fn stock_and_price_are_seen_at_once_by_search_card_and_facets() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let boots = Query { in_stock_only: true, max_price: Some(eur(200)), facets: true, ..ask("hiking boots") };
    assert_eq!(found(&catalog, &boots), ["TT-1001"]);

    catalog.set_stock(&id("TT-1001"), 0).unwrap();
    let results = catalog.search(&boots).unwrap();
    assert_eq!((ids(&results), results.relaxed), (vec!["TT-1002", "TT-1003"], true), "sold out: the next best");
    catalog.set_stock(&id("TT-1001"), 3).unwrap();
    assert_eq!(found(&catalog, &boots), ["TT-1001"]);

    catalog.set_price(&id("TT-1001"), eur(150)).unwrap();
    assert_eq!(catalog.card(&id("TT-1001"), &Language::EN, Timestamp::UNIX_EPOCH).unwrap().was, None, "unproven");
    let point = |days_ago: i64, price| PricePoint {
        at: Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_hours(24 * days_ago),
        price,
    };
    catalog.set_history([(id("TT-1001"), vec![point(200, eur(219))])].into());
    catalog.note_price(&id("TT-1001"), point(3, eur(150)));
    let card = catalog.card(&id("TT-1001"), &Language::EN, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((card.price, card.was, card.stock), (eur(150), Some(eur(219)), 3));
    let band = PriceBand { from: Some(eur(100)), below: Some(eur(200)), count: 1 };
    assert_eq!(catalog.search(&boots).unwrap().facets.unwrap().prices, [band]);

    catalog.set_price(&id("TT-1001"), eur(219)).unwrap();
    assert_eq!(catalog.card(&id("TT-1001"), &Language::EN, Timestamp::UNIX_EPOCH).unwrap().was, None);
    assert_eq!(found(&catalog, &boots), ["TT-1002", "TT-1003"]);
    assert_eq!(catalog.live(&id("TT-1001")), Some(LiveState { price: eur(219), stock: 3 }));
    assert_eq!(catalog.get(&id("TT-1001")).unwrap().price, eur(189), "the product stays as imported");
}

#[test]
fn updates_that_make_no_sense_are_refused() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let (boot, none) = (id("TT-1001"), id("TT-0"));
    assert_eq!(catalog.set_stock(&none, 1), Err(UpdateError::Unknown(none.clone())));
    assert_eq!(catalog.set_price(&none, eur(1)), Err(UpdateError::Unknown(none)));
    let dollars = Money::new(100, Currency::USD);
    let foreign = UpdateError::Currency { product: boot.clone(), found: Currency::USD, expected: Currency::EUR };
    assert_eq!(catalog.set_price(&boot, dollars), Err(foreign));
    assert_eq!(catalog.set_price(&boot, eur(-1)), Err(UpdateError::Negative { product: boot.clone(), found: eur(-1) }));
    assert_eq!(catalog.live(&boot), Some(LiveState { price: eur(189), stock: 25 }));
}

#[test]
fn facets_count_all_matches_one_level_down() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let counts = |query: &Query| {
        let facets = catalog.search(query).unwrap().facets.unwrap();
        facets
            .categories
            .iter()
            .map(|CategoryCount { category, count }| format!("{category} {count}"))
            .collect::<Vec<_>>()
    };
    let all = Query { facets: true, limit: 0, ..ask("") };
    assert_eq!(counts(&all), ["camping 2", "clothing 2", "footwear 2", "packs 2", "footwear-care 1"]);
    let footwear = Query { category: Some(category("footwear")), ..all.clone() };
    assert_eq!(counts(&footwear), ["footwear/hiking-boots 1", "footwear/hiking-shoes 1"]);
    let boots = Query { category: Some(category("footwear/hiking-boots")), ..all.clone() };
    assert_eq!(counts(&boots), ["footwear/hiking-boots 1"]);
    let prices: u64 = catalog.search(&all).unwrap().facets.unwrap().prices.iter().map(|band| band.count).sum();
    assert_eq!(prices, 9);
    assert_eq!(catalog.search(&ask("")).unwrap().facets, None);
}

#[test]
fn cards_speak_one_language() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let card = |language| catalog.card(&id("TT-1001"), &language, Timestamp::UNIX_EPOCH).unwrap();
    let german = card(Language::DE);
    assert_eq!(german.title, "Clare Wanderstiefel für Größe und Halt");
    assert_eq!((german.highlights, german.care), (vec!["Zweimal neu besohlbar".to_owned()], None));
    assert_eq!(card(Language::parse("fr").unwrap()), card(Language::EN));
    assert_eq!(card(Language::EN).care.as_deref(), Some("Wax the leather twice a year."));
}

#[test]
fn a_wrong_id_leads_to_the_nearest_known_ones() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let nearest = |text: &str| catalog.nearest(text, 2).unwrap().iter().map(|id| id.to_string()).collect::<Vec<_>>();
    assert_eq!(nearest("tt-1001"), ["TT-1001"]);
    assert_eq!(nearest("Clare Mid Hiking Boot"), ["TT-1001"]);
    assert_eq!(nearest("TT-1009"), ["TT-1003", "TT-1002"]);
    assert_eq!(nearest("zzz"), Vec::<String>::new());
}

#[test]
fn products_that_do_not_go_together_make_no_catalogue() {
    let twice = vec![product("A", "x", "c", 1), product("B", "y", "c", 1), product("A", "z", "c", 1)];
    assert!(matches!(Catalog::in_memory(twice), Err(CatalogError::Duplicate(double)) if double == id("A")));
    let mut dear = product("B", "y", "c", 1);
    dear.price = Money::new(1, Currency::USD);
    let mixed = Catalog::in_memory(vec![product("A", "x", "c", 1), dear]);
    assert!(matches!(mixed, Err(CatalogError::Currency { product, .. }) if product == id("B")));
}

#[test]
fn a_shop_without_products_finds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for catalog in [Catalog::in_memory(Vec::new()).unwrap(), Catalog::open(dir.path(), Vec::new()).unwrap()] {
        for text in ["", "boots"] {
            let results = catalog.search(&Query { facets: true, ..ask(text) }).unwrap();
            assert_eq!((results.hits, results.total), (vec![], 0));
        }
        assert_eq!(catalog.currency(), None);
    }
}

#[test]
fn the_index_on_disk_is_used_again_until_a_word_changes() {
    let dir = tempfile::tempdir().unwrap();
    let indexes = || {
        let mut names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let in_memory = Catalog::in_memory(shop()).unwrap();
    let first = Catalog::open(dir.path(), shop()).unwrap();
    let made = indexes();
    assert_eq!(made.len(), 1);
    let written = std::fs::metadata(dir.path().join(&made[0]).join("meta.json")).unwrap().modified().unwrap();

    let mut cheaper = shop();
    cheaper.iter_mut().for_each(|p| p.price = eur(1));
    let again = Catalog::open(dir.path(), cheaper).unwrap();
    let untouched = std::fs::metadata(dir.path().join(&made[0]).join("meta.json")).unwrap().modified().unwrap();
    assert_eq!((indexes(), untouched), (made.clone(), written), "price and stock need no new index");
    assert_eq!(again.live(&id("TT-1001")).unwrap().price, eur(1));
    for text in ["hiking boots", "hikng", "merino tent", ""] {
        let expected = in_memory.search(&ask(text)).unwrap();
        assert_eq!(
            (first.search(&ask(text)).unwrap(), again.search(&ask(text)).unwrap()),
            (expected.clone(), expected)
        );
    }

    let mut renamed = shop();
    renamed[0].title = "Connemara Pavilion".to_owned();
    let renamed = Catalog::open(dir.path(), renamed).unwrap();
    assert_eq!(found(&renamed, &ask("pavilion")), ["TT-3001"]);
    assert_eq!((indexes().len(), indexes() == made), (1, false), "the old index is gone");
    assert_eq!(found(&first, &ask("tent")), ["TT-3001"], "a catalogue that is open goes on");
}

#[test]
fn a_damaged_index_is_built_anew_and_foreign_folders_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("index-of-mine")).unwrap();
    let digest = Catalog::open(dir.path(), shop()).unwrap().digest();
    let home = dir.path().join(format!("index-{digest}"));
    std::fs::write(home.join("meta.json"), "{").unwrap();
    std::fs::create_dir(dir.path().join(format!("building-{digest}"))).unwrap();
    let catalog = Catalog::open(dir.path(), shop()).unwrap();
    assert_eq!(found(&catalog, &ask("tent")), ["TT-3001"]);
    assert!(dir.path().join("index-of-mine").is_dir());
    assert!(!dir.path().join(format!("building-{digest}")).exists());
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    std::fs::write(&file, "").unwrap();
    let error = Catalog::open(&file, shop()).unwrap_err();
    assert!(matches!(&error, CatalogError::Disk { .. }), "{error}");
    assert!(error.to_string().contains("taken"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a model writes is words: never syntax, never an error.
    #[test]
    fn any_text_is_a_query(text in "[\\PC\t\n]{0,120}|([-+\"*:()\\[\\]{}^~\\\\/<>=]|AND|OR|NOT|title:|boot| ){0,30}") {
        thread_local!(static SHOP: Catalog = Catalog::in_memory(shop()).unwrap());
        SHOP.with(|catalog| {
            let results = catalog.search(&Query { facets: true, limit: 100, ..ask(&text) }).unwrap();
            assert_eq!(results.hits.len() as u64, results.total);
            catalog.nearest(&text, 3).unwrap();
        });
    }
}

#[test]
fn query_syntax_means_nothing() {
    let catalog = Catalog::in_memory(shop()).unwrap();
    let plain = catalog.search(&ask("hiking boot")).unwrap();
    for text in
        ["\"hiking boot\"", "hiking AND boot", "+hiking -boot", "(hiking) boot*", "hiking^ ~boot", "hiking: boot\\"]
    {
        assert_eq!(catalog.search(&ask(text)).unwrap(), plain, "{text}");
    }
}
