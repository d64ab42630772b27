//! Import: what good files become, and how every fault of a bad one is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{category, eur, id};
use kit::product::ReviewCard;
use kit::{Currency, Language, Money, Provenance, ReviewId};
use mailwright_catalog::import::{self, ImportErrors, MAX_SHOWN, ShopifyStore};
use mailwright_catalog::{Localised, Product};

const BOOT: &str = r#"{"id":"TT-1001","title":"Clare Mid Hiking Boot","category":"footwear/hiking-boots","description":"A boot.","price":"189.00","compare_at":"219.00","currency":"EUR","cost":"97.00","stock":34,"attributes":{"waterproof":"membrane"},"tags":["membrane"],"url":"https://www.tarnandtrail.example/p/x","image":"https://www.tarnandtrail.example/i/x.jpg","image_alt":"A boot","highlights":["One","Two"],"care":"Wax it.","regulated":"cosmetic","consumable_days":90,"considered":true,"i18n":{"de":{"title":"Wanderstiefel","highlights":["Eins"],"care":"Wachsen."}},"reviews":[{"id":"rv-1","stars":5,"text":"Dry.","author":"Aoife M."}]}"#;
const CSV: &str = "id,title,category,description,price,compare_at,currency,cost,stock,tags,url,image,image_alt,highlights,care,regulated,consumable_days,considered,attr.waterproof,i18n.de.title,i18n.de.highlights,i18n.de.care\n\
    TT-1001,Clare Mid Hiking Boot,footwear/hiking-boots,A boot.,189.00,219.00,EUR,97.00,34,membrane,https://www.tarnandtrail.example/p/x,https://www.tarnandtrail.example/i/x.jpg,A boot,One|Two,Wax it.,cosmetic,90,true,membrane,Wanderstiefel,Eins,Wachsen.\n";
const LEAST: &str = r#"{"id":"A","title":"A lamp","category":"light","price":"5","currency":"EUR","stock":0}"#;

fn boot() -> Product {
    Product {
        id: id("TT-1001"),
        title: "Clare Mid Hiking Boot".to_owned(),
        category: category("footwear/hiking-boots"),
        description: "A boot.".to_owned(),
        price: eur(189),
        compare_at: Some(eur(219)),
        cost: Some(eur(97)),
        stock: 34,
        attributes: BTreeMap::from([("waterproof".to_owned(), "membrane".to_owned())]),
        tags: vec!["membrane".to_owned()],
        url: Some("https://www.tarnandtrail.example/p/x".to_owned()),
        image: Some("https://www.tarnandtrail.example/i/x.jpg".to_owned()),
        image_alt: Some("A boot".to_owned()),
        highlights: vec!["One".to_owned(), "Two".to_owned()],
        care: Some("Wax it.".to_owned()),
        regulated: Some("cosmetic".to_owned()),
        consumable_days: Some(90),
        considered: true,
        i18n: BTreeMap::from([(
            Language::DE,
            Localised {
                title: "Wanderstiefel".to_owned(),
                highlights: vec!["Eins".to_owned()],
                care: Some("Wachsen.".to_owned()),
            },
        )]),
        reviews: vec![ReviewCard {
            id: ReviewId::new("rv-1").unwrap(),
            stars: 5,
            text: "Dry.".to_owned(),
            author: "Aoife M.".to_owned(),
            gist: None,
        }],
        provenance: Provenance::Merchant,
    }
}

fn jsonl(text: &str) -> Result<Vec<Product>, ImportErrors> {
    import::jsonl("shop.jsonl", text.as_bytes(), Provenance::Merchant)
}

fn csv(text: &str) -> Result<Vec<Product>, ImportErrors> {
    import::csv("shop.csv", text.as_bytes(), Provenance::Merchant)
}

fn lines(outcome: Result<Vec<Product>, ImportErrors>) -> Vec<String> {
    outcome.unwrap_err().faults.iter().map(ToString::to_string).collect()
}

#[test]
fn every_key_of_both_formats_arrives() {
    assert_eq!(jsonl(BOOT), Ok(vec![boot()]));
    assert_eq!(csv(CSV), Ok(vec![Product { reviews: Vec::new(), ..boot() }]));
}

#[test]
fn only_six_keys_are_needed() {
    let lamp = jsonl(LEAST).unwrap();
    assert_eq!(csv("id,title,category,price,currency,stock\nA,A lamp,light,5,EUR,0\n"), Ok(lamp.clone()));
    let expected = Product { stock: 0, url: None, image: None, ..common::product("A", "A lamp", "light", 5) };
    assert_eq!(lamp, [expected]);
}

#[test]
fn byte_order_marks_and_windows_line_ends_do_no_harm() {
    let rows = format!("\u{feff}{BOOT}\r\n\r\n{LEAST}\r\n");
    assert_eq!(jsonl(&rows).unwrap().len(), 2);
    assert_eq!(csv(&format!("\u{feff}{}", CSV.replace('\n', "\r\n"))).unwrap(), csv(CSV).unwrap());
}

#[test]
fn a_feed_of_somebody_else_is_labelled() {
    let product = &import::jsonl("feed", LEAST.as_bytes(), Provenance::ThirdParty).unwrap()[0];
    assert_eq!(product.provenance, Provenance::ThirdParty);
}

#[test]
fn products_are_stored_and_read_back_whole() {
    let stored = serde_json::to_string(&boot()).unwrap();
    assert_eq!(serde_json::from_str::<Product>(&stored).unwrap(), boot());
}

#[test]
fn every_fault_tells_its_place_what_is_there_and_what_should_be() {
    let with = |key: &str, value: &str| {
        let mut object: serde_json::Value = serde_json::from_str(LEAST).unwrap();
        object[key] = serde_json::from_str(value).unwrap();
        lines(jsonl(&object.to_string()))
    };
    let cases = [
        ("price", r#""12,50""#),
        ("price", r#""€12""#),
        ("price", r#""1e3""#),
        ("price", "12.5"),
        ("price", r#""-3""#),
        ("price", r#""1.005""#),
        ("price", "null"),
        ("compare_at", r#""x""#),
        ("cost", r#""99999999999999999999""#),
        ("stock", "3.5"),
        ("stock", r#""3""#),
        ("stock", "null"),
        ("currency", r#""EURO""#),
        ("currency", r#""XYZ""#),
        ("id", r#""""#),
        ("id", "1e30"),
        ("id", "-1"),
        ("id", r#"" x""#),
        ("title", "null"),
        ("title", r#""  ""#),
        ("category", r#""a//b""#),
        ("url", r#""http://x.example/""#),
        ("url", r#""https://""#),
        ("url", r#""https://a.example/\"><b>""#),
        ("url", r#""https://u@evil.example/""#),
        ("image", r#""/i.jpg""#),
        ("tags", r#""a""#),
        ("tags", "[1]"),
        ("attributes", "[]"),
        ("attributes", r#"{"a":1}"#),
        ("considered", r#""yes""#),
        ("consumable_days", "0"),
        ("i18n", r#"{"german":{"title":"x"}}"#),
        ("i18n", r#"{"de":{"titel":"x"}}"#),
        ("i18n", r#"{"de":7}"#),
        ("reviews", r#"[{"id":"r","stars":6,"text":"x"},{"stars":1,"text":"y"}]"#),
        ("prize", "1"),
    ];
    let told: Vec<String> =
        cases.iter().map(|(key, value)| format!("{key} = {value}\n  {}", with(key, value).join("\n  "))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn all_faults_of_a_file_are_told_at_once_and_nothing_is_imported() {
    let file = format!(
        "{LEAST}\n{{\"id\": \n[1]\n{}\n{LEAST}\n{}",
        LEAST.replace("\"A\"", "\"B\"").replace("EUR", "USD"),
        LEAST.replace("\"5\"", "\"5 \"").replace("\"light\"", "7")
    );
    insta::assert_snapshot!(jsonl(&file).unwrap_err());
    let many = jsonl(&"{}\n".repeat(10)).unwrap_err();
    assert_eq!((many.faults.len(), many.total), (MAX_SHOWN, 60));
    assert!(many.to_string().ends_with("and 40 more"), "{many}");
}

#[test]
fn reviews_and_ids_are_unique_in_a_file() {
    let twin = BOOT.replace("TT-1001", "TT-1002");
    assert_eq!(
        lines(jsonl(&format!("{BOOT}\n{twin}"))),
        ["shop.jsonl:2: reviews: found review rv-1 again, expected an id of its own; line 1 has this one"]
    );
}

#[test]
fn what_is_no_text_is_refused() {
    let bytes = |bytes: &[u8]| lines(import::jsonl("shop.jsonl", bytes, Provenance::Merchant));
    assert_eq!(bytes(b""), ["shop.jsonl: found an empty file, expected at least one product"]);
    assert_eq!(bytes(b"\xef\xbb\xbf \r\n"), ["shop.jsonl: found an empty file, expected at least one product"]);
    assert_eq!(
        bytes(b"{}\n{\"id\":\"\xe4\"}"),
        [
            "shop.jsonl:2: found bytes that are not UTF-8 (at byte 10), expected UTF-8: save the file again in that encoding"
        ]
    );
    assert_eq!(
        bytes(b"\xff\xfe{\0}\0"),
        ["shop.jsonl: found UTF-16, expected UTF-8: save the file again in that encoding"]
    );
}

#[test]
fn faults_of_csv_name_line_and_column() {
    let head = "id,title,category,price,currency,stock";
    let cases = [
        ("nothing but a header", format!("{head}\n")),
        ("semicolons", "id;title;category\nA;x;y\n".to_owned()),
        ("columns missing, unknown, twice", "id,id,titel,attr.,i18n.de.url\nA,A,x,y,z\n".to_owned()),
        ("rows too short and too long", format!("{head}\nA,A lamp,light,5,EUR\nB,Lamp, bright,light,5,EUR,0\n")),
        (
            "cells",
            format!(
                "{head},considered,consumable_days\nA,\"A\nlamp\",light,\"5,00\",EUR,many,yes,soon\nA,,light,5,EUR,1,,\n"
            ),
        ),
    ];
    let told: Vec<String> =
        cases.iter().map(|(name, file)| format!("{name}\n  {}", lines(csv(file)).join("\n  "))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

fn store() -> ShopifyStore {
    ShopifyStore { currency: Currency::EUR, site: "https://www.shop.example/".to_owned() }
}

fn shopify(body: &str) -> Result<Vec<Product>, ImportErrors> {
    import::shopify("products_update.json", body.as_bytes(), &store())
}

const SHOPIFY: &str = r#"{"id":9223372036854775809,"title":"Trail Sock","handle":"trail-sock","status":"active","published_at":"2026-01-01T00:00:00Z",
    "body_html":"<p>Warm &amp; dry.</p><ul><li>Merino</li><li>Flat <b>toe</b></li></ul>","vendor":"Acme","product_type":"Socks & More",
    "tags":"wool, sale","options":[{"name":"Size","values":["S","M"]}],"images":[{"src":"https://cdn.shop.example/s.jpg","alt":null}],"image":null,
    "variants":[
      {"id":9007199254740993,"price":"9.00","compare_at_price":"12.00","inventory_quantity":0,"inventory_policy":"deny"},
      {"id":9007199254740995,"price":"11.00","compare_at_price":null,"inventory_quantity":7,"inventory_policy":"deny"},
      {"id":9007199254740997,"price":"10.50","compare_at_price":"14.00","inventory_quantity":-2,"inventory_policy":"continue"}]}"#;

#[test]
fn a_shopify_product_is_its_cheapest_variant_that_can_be_bought() {
    let expected = Product {
        description: "Warm & dry. Merino Flat toe".to_owned(),
        price: Money::new(1050, Currency::EUR),
        compare_at: Some(eur(14)),
        stock: 7,
        attributes: BTreeMap::from([
            ("size".to_owned(), "S, M".to_owned()),
            ("variant_ids".to_owned(), "9007199254740993,9007199254740995,9007199254740997".to_owned()),
            ("vendor".to_owned(), "Acme".to_owned()),
        ]),
        tags: vec!["wool".to_owned(), "sale".to_owned()],
        url: Some("https://www.shop.example/products/trail-sock".to_owned()),
        image: Some("https://cdn.shop.example/s.jpg".to_owned()),
        highlights: vec!["Merino".to_owned(), "Flat toe".to_owned()],
        provenance: Provenance::Platform,
        ..common::product("9223372036854775809", "Trail Sock", "socks-more", 0)
    };
    assert_eq!(shopify(SHOPIFY), Ok(vec![expected.clone()]));
    assert_eq!(shopify(&format!("{{\"product\":{SHOPIFY}}}")), Ok(vec![expected.clone()]));
    assert_eq!(shopify(&format!("{{\"products\":[{SHOPIFY}]}}")), Ok(vec![expected]));

    let sold_out = SHOPIFY.replace("\"inventory_quantity\":7", "\"inventory_quantity\":0").replace("continue", "deny");
    let cheapest = &shopify(&sold_out).unwrap()[0];
    assert_eq!((cheapest.price, cheapest.stock), (eur(9), 0));
    let untracked =
        sold_out.replace("\"inventory_quantity\":0,", "\"inventory_quantity\":null,\"inventory_management\":null,");
    assert!(shopify(&untracked).unwrap()[0].stock > kit::product::LOW_STOCK);
}

#[test]
fn what_shopify_does_not_sell_online_is_left_out() {
    for (from, to) in
        [("\"active\"", "\"draft\""), ("\"active\"", "\"archived\""), ("\"2026-01-01T00:00:00Z\"", "null")]
    {
        assert_eq!(shopify(&SHOPIFY.replace(from, to)), Ok(vec![]), "{to}");
    }
    assert_eq!(shopify(r#"{"products":[]}"#), Ok(vec![]));
}

#[test]
fn faults_of_shopify_name_product_and_field() {
    let bad = SHOPIFY
        .replace("\"9.00\"", "\"9,00\"")
        .replace("\"inventory_quantity\":7", "\"inventory_quantity\":7.5")
        .replace("9223372036854775809", "9.2e18")
        .replace("https://cdn", "http://cdn")
        .replace("\"id\":9007199254740997,", "")
        .replace("trail-sock", "trail sock");
    let bodies = [
        format!("{{\"products\":[{SHOPIFY},{bad},{SHOPIFY}]}}"),
        "{\"products\":7}".to_owned(),
        "[1]".to_owned(),
        "{\"id\":1,\n\"title\"".to_owned(),
        r#"{"id":1,"title":"x","handle":"x","variants":[]}"#.to_owned(),
    ];
    let told: Vec<String> = bodies.iter().map(|body| lines(shopify(body)).join("\n")).collect();
    insta::assert_snapshot!(told.join("\n---\n"));
    let nowhere = ShopifyStore { site: "shop.example".to_owned(), ..store() };
    let told = import::shopify("x.json", SHOPIFY.as_bytes(), &nowhere).unwrap_err().to_string();
    assert!(told.contains("x.json: site: found shop.example"), "{told}");
}

/// A file of the shared specs, which a checkout may lack.
fn shared(path: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

#[test]
fn shopifys_own_sample_is_imported() {
    let Some(body) = shared("specs/shopify/samples/products_update.json") else { return };
    let expected = Product {
        description: "An example T-Shirt".to_owned(),
        price: Money::new(1999, Currency::EUR),
        compare_at: Some(Money::new(2499, Currency::EUR)),
        stock: 125,
        attributes: BTreeMap::from([
            ("variant_ids".to_owned(), "642667041472714000,757650484644203900".to_owned()),
            ("vendor".to_owned(), "Acme".to_owned()),
        ]),
        tags: vec!["example".to_owned(), "mens".to_owned(), "t-shirt".to_owned()],
        url: Some("https://www.shop.example/products/example-t-shirt".to_owned()),
        image: None,
        provenance: Provenance::Platform,
        ..common::product("788032119674292900", "Example T-Shirt", "shirts", 0)
    };
    assert_eq!(import::shopify("sample", &body, &store()), Ok(vec![expected]));
}

/// The exemplar is a delivery whose texts were replaced: unpublished as it stands; published, it has faults to tell.
#[test]
fn an_anonymised_delivery_is_left_out_or_told_about() {
    let Some(body) = shared("specs/shopify/exemplars/2025-04_products_1.json") else { return };
    let body = String::from_utf8(body).unwrap();
    let published = body.replace("\"published_at\":null", "\"published_at\":\"2019-01-01\"");
    assert_eq!(
        lines(shopify(&published)),
        [
            "products_update.json: products[0]: status: found \"example string\", expected active, archived, draft or unlisted",
            "products_update.json: products[0]: variants[0].price: found \"example string\", expected digits and one point, such as 19.90",
            "products_update.json: products[0]: handle: found \"example string\", expected letters, digits and hyphens",
        ]
    );
}

/// The sample shop, when its files are there.
#[test]
fn the_sample_shop_is_imported() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge/sample-shop/products");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
    {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let outcome = import::jsonl(&name, &std::fs::read(&path).unwrap(), Provenance::Merchant);
        assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = import::jsonl("x", &bytes, Provenance::Merchant);
        let _ = import::csv("x", &bytes, Provenance::Merchant);
        let _ = import::shopify("x", &bytes, &store());
    }

    #[test]
    fn any_csv_cell_is_answered(cells in proptest::collection::vec("[\\PC\",\n|]{0,20}", 6)) {
        let _ = csv(&format!("id,title,category,price,currency,stock\n{}\n", cells.join(",")));
    }
}
