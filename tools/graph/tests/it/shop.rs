//! A small outdoor shop with known stories.

use std::collections::{BTreeMap, BTreeSet};

use kit::product::{ProductCard, Shelf};
use kit::{CategoryId, Currency, Language, Money, ProductId, Provenance, Timestamp};
use mailwright_graph::*;

pub const DAY: i64 = 86_400;

pub fn now() -> Timestamp {
    "2026-03-02T09:30:00Z".parse().unwrap()
}

pub fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - days * DAY).unwrap()
}

pub fn id(text: &str) -> ProductId {
    ProductId::new(text).unwrap()
}

pub fn euro(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

/// id, title, category, price, margin, consumable.
const RANGE: [(&str, &str, &str, i64, u16, bool); 12] = [
    ("boot", "Clare Mid Hiking Boot", "footwear/hiking-boots", 17_990, 450, false),
    ("boot-low", "Burren Low Hiking Shoe", "footwear/hiking-boots", 14_990, 430, false),
    ("boot-light", "Moher Light Boot", "footwear/hiking-boots", 17_490, 440, false),
    ("sandal", "Aran Sandal", "footwear/sandals", 6_990, 400, false),
    ("spray", "Alder Waterproofing Spray", "care/shoe-care", 1_490, 620, true),
    ("insole", "Heel-Cup Insole", "footwear/insoles", 2_990, 580, false),
    ("socks", "Merino Hiking Socks", "apparel/socks", 2_190, 550, false),
    ("poles", "Folding Trekking Poles", "gear/poles", 8_990, 380, false),
    ("pack", "Day Pack 28", "packs/day-packs", 9_990, 420, false),
    ("salts", "Electrolyte Tablets", "nutrition/drinks", 990, 500, true),
    ("map", "Walking Map West", "gear/maps", 1_290, 300, false),
    ("bottle", "Steel Bottle", "gear/bottles", 2_490, 350, false),
];

pub const CURATED: &str = r#"
[[intent]]
id = "first-multi-day-hike"
label = "a first multi-day hike"
label_de = "die erste Mehrtagestour"
products = ["boot", "pack", "poles"]

[[edge]]
from = "boot"
to = "spray"
relation = "accessory"
weight = 0.9
why = "keeps the membrane breathing"
why_de = "hält die Membran atmungsaktiv"

[[edge]]
from = "boot"
to = "insole"
relation = "accessory"
weight = 0.5
why = "holds the heel on long descents"

[[edge]]
from = "boot"
to = "boot-light"
relation = "substitute"
weight = 0.8
why = "the same last, a lighter shaft"
why_de = "derselbe Leisten, leichterer Schaft"

[[edge]]
from = "pack"
to = "poles"
relation = "next"
weight = 0.7
why = "with weight on your back, knees are glad of poles"

[[guide]]
id = "membranes"
title = "Caring for membranes"
title_de = "Membranen pflegen"
url = "https://fern.example/guides/membranes"
summary = "Wash, dry, re-proof: three steps a season."
products = ["boot"]

[[guide]]
id = "first-tour"
title = "Your first tour"
url = "https://fern.example/guides/first-tour"
summary = "Plan three short days before one long one."
intent = "first-multi-day-hike"
products = []
"#;

pub fn products() -> Vec<GraphProduct> {
    let attributes = |name: &str| match name {
        "boot" | "boot-light" => vec![("upper".to_owned(), "leather".to_owned()), ("membrane".into(), "yes".into())],
        "boot-low" => vec![("upper".to_owned(), "mesh".to_owned()), ("membrane".into(), "yes".into())],
        _ => Vec::new(),
    };
    RANGE
        .iter()
        .map(|(name, _, category, price, margin, consumable)| GraphProduct {
            id: id(name),
            category: CategoryId::new(*category).unwrap(),
            attributes: attributes(name),
            tags: vec!["outdoor".into()],
            price: euro(*price),
            margin_permille: Some(*margin),
            consumable: *consumable,
        })
        .collect()
}

pub fn position(name: &str) -> u32 {
    RANGE.iter().position(|row| row.0 == name).unwrap() as u32
}

/// Twelve customers buy boots, socks a month later; four of them a bottle with the socks; salts every 28 days by three.
pub fn orders() -> Vec<Interaction> {
    let mut lines = Vec::new();
    let mut basket = 0;
    let mut order = |customer: u32, ago: i64, names: &[&str]| {
        basket += 1;
        let line = |name: &&str| Interaction { customer, product: position(name), basket, at: days_ago(ago) };
        lines.extend(names.iter().map(line));
    };
    for customer in 0..12 {
        order(customer, 200, &["boot"]);
        order(customer, 170, if customer < 4 { &["socks", "bottle"] } else { &["socks"] });
    }
    for customer in 20..23 {
        for month in 0..4 {
            order(customer, 150 - 28 * month, &["salts"]);
        }
    }
    for customer in 30..32 {
        order(customer, 20, &["map"]);
    }
    lines
}

pub fn graph() -> ProductGraph {
    let curated = Curated::parse("graph.toml", CURATED).unwrap();
    GraphBuilder::new(products()).curated(curated).orders(orders()).build(days_ago(1)).unwrap()
}

/// The live side: everything is in stock at list price unless said otherwise.
#[derive(Default)]
pub struct Stand {
    pub out: BTreeSet<ProductId>,
    pub regulated: BTreeSet<ProductId>,
    pub third_party: BTreeSet<ProductId>,
    pub prices: BTreeMap<ProductId, Money>,
}

impl Live for Stand {
    fn availability(&self, product: &ProductId) -> Availability {
        if self.out.contains(product) {
            return Availability::Unavailable;
        }
        let listed = || RANGE.iter().find(|row| row.0 == product.as_str()).map(|row| euro(row.3));
        let Some(price) = self.prices.get(product).copied().or_else(listed) else { return Availability::Unavailable };
        Availability::Sellable { price, regulated: self.regulated.contains(product) }
    }

    fn title(&self, product: &ProductId) -> Option<String> {
        RANGE.iter().find(|row| row.0 == product.as_str()).map(|row| row.1.to_owned())
    }
}

impl Shelf for Stand {
    fn card(&self, product: &ProductId, _: &Language, now: Timestamp) -> Option<ProductCard> {
        let (name, title, category, price, ..) = RANGE.iter().find(|row| row.0 == product.as_str())?;
        Some(ProductCard {
            id: product.clone(),
            title: (*title).to_owned(),
            provenance: if self.third_party.contains(product) { Provenance::ThirdParty } else { Provenance::Merchant },
            category: CategoryId::new(*category).unwrap(),
            price: euro(*price),
            was: None,
            stock: if self.out.contains(product) { 0 } else { 50 },
            url: format!("https://fern.example/p/{name}"),
            image: format!("https://fern.example/i/{name}.jpg"),
            image_alt: (*title).to_owned(),
            highlights: vec![],
            care: None,
            regulated: self.regulated.contains(product).then(|| "supplement".to_owned()),
            considered: false,
            reviews: vec![],
            as_of: now,
        })
    }
}

/// A request with nothing known.
pub fn request<'a>() -> Request<'a> {
    Request {
        basket: &[],
        exclude: &[],
        history: &[],
        favourites: &[],
        k: 4,
        language: &Language::EN,
        now: now(),
        regulated: false,
        price_band: None,
    }
}

pub fn owned(name: &str, days: i64) -> Owned {
    Owned { product: id(name), last_bought: days_ago(days), returned: false, due_at: None }
}

/// Product, path and reason, a line each.
pub fn shown(found: &[Recommendation]) -> String {
    found.iter().map(|r| format!("{}: {} [{}]\n", r.product, r.reason, compact(&r.path))).collect()
}
