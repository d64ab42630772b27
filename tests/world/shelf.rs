//! What an invented shop sells, how its things go together, and who it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use catalog::{Localised, Product};
use kit::product::ReviewCard;
use kit::{CategoryId, Currency, Language, Money, ProductId, Provenance, ReviewId};

use super::tongue::{CARE, COMES_NEXT, Dice, GOES_WITH, GUIDES, HIGHLIGHTS, Pair, REVIEWS, STANDS_IN};

/// Products of one category, the supplement aside.
const ROW: usize = 6;

/// An invented shop's range.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    /// The shop's name.
    pub(crate) name: String,
    /// Its domain.
    pub(crate) domain: String,
    pub(crate) currency: Currency,
    /// In rows of one category each; the regulated product comes last.
    pub(crate) products: Vec<Product>,
    rows: usize,
    prefix: String,
}

impl Shelf {
    pub(crate) fn invented(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let name = dice.word();
        let rows = 4 + dice.below(3);
        let mut shelf = Self {
            domain: format!("{}.example", name.to_lowercase()),
            prefix: name.chars().take(2).collect::<String>().to_uppercase(),
            name,
            currency: Currency::EUR,
            products: Vec::new(),
            rows,
        };
        for row in 0..rows {
            let category = format!("{}/{}", dice.word().to_lowercase(), dice.word().to_lowercase());
            for place in 0..ROW {
                let product = shelf.product(&mut dice, &category, row * ROW + place);
                shelf.products.push(product);
            }
        }
        let category = format!("{}/powders", dice.word().to_lowercase());
        let mut powder = shelf.product(&mut dice, &category, rows * ROW);
        powder.regulated = Some("supplement".to_owned());
        powder.consumable_days = Some(30);
        shelf.products.push(powder);
        shelf
    }

    fn product(&self, dice: &mut Dice, category: &str, number: usize) -> Product {
        let id = ProductId::new(format!("{}-{:03}", self.prefix, number + 1)).unwrap();
        let title = loop {
            let mut title = format!("{} {}", dice.word(), dice.word());
            if dice.below(5) == 0 {
                let _ = write!(title, " {}", 2 + dice.below(8));
            }
            let known = |p: &Product| p.title.contains(&title) || title.contains(&p.title);
            if !self.products.iter().any(known) {
                break title;
            }
        };
        let (row, place) = (number / ROW, number % ROW);
        // The first of the second row is one to think over, and has a guide.
        let considered = (row, place) == (1, 0);
        let minor = if considered { 15_000 + dice.below(9_000) } else { 600 + dice.below(9_000) };
        let minor = i64::try_from(minor / 10 * 10 + 5).unwrap();
        let (highlight, second, care) = (dice.one_of(&HIGHLIGHTS), dice.one_of(&HIGHLIGHTS), dice.one_of(&CARE));
        let slug = title.to_lowercase().replace(' ', "-");
        let german = Localised {
            title: title.clone(),
            highlights: vec![highlight.1.to_owned(), second.1.to_owned()],
            care: Some(care.1.to_owned()),
        };
        let review = (place == 1 || considered).then(|| ReviewCard {
            id: ReviewId::new(format!("rv-{}", id.as_str())).unwrap(),
            stars: 5,
            text: dice.one_of(&REVIEWS).to_owned(),
            author: format!("{} {}.", dice.word(), dice.one_of(&["B", "K", "T"])),
            gist: None,
        });
        Product {
            category: CategoryId::new(category).unwrap(),
            description: format!("{} A thing for the house.", highlight.0),
            price: Money::new(minor, self.currency),
            compare_at: None,
            cost: Some(Money::new(minor * i64::try_from(35 + dice.below(20)).unwrap() / 100, self.currency)),
            stock: 20 + i64::try_from(dice.below(80)).unwrap(),
            attributes: BTreeMap::new(),
            tags: Vec::new(),
            url: Some(format!("https://www.{}/p/{slug}", self.domain)),
            image: Some(format!("https://www.{}/i/{slug}.jpg", self.domain)),
            image_alt: Some("The thing on a plain table".to_owned()),
            highlights: vec![highlight.0.to_owned(), second.0.to_owned()],
            care: Some(care.0.to_owned()),
            regulated: None,
            consumable_days: (place == 4).then_some(45),
            considered,
            i18n: BTreeMap::from([(Language::DE, german)]),
            reviews: review.into_iter().collect(),
            provenance: Provenance::Merchant,
            title,
            id,
        }
    }

    pub(crate) fn at(&self, row: usize, place: usize) -> &Product {
        &self.products[(row % self.rows) * ROW + place % ROW]
    }

    /// The plain product that most carts of the tests hold: no guide, nothing to think over.
    pub(crate) fn lead(&self) -> ProductId {
        self.at(0, 0).id.clone()
    }

    pub(crate) fn lead_mut(&mut self) -> &mut Product {
        &mut self.products[0]
    }

    /// Another plain product, of another row, that nothing curated connects with the lead.
    pub(crate) fn other(&self) -> ProductId {
        self.at(2, 3).id.clone()
    }

    pub(crate) fn considered(&self) -> ProductId {
        self.at(1, 0).id.clone()
    }

    pub(crate) fn regulated(&self) -> ProductId {
        self.products.last().unwrap().id.clone()
    }

    /// What the merchandiser would take instead, best first.
    pub(crate) fn substitutes(&self, row: usize, place: usize) -> [ProductId; 2] {
        [self.at(row, place + 1).id.clone(), self.at(row, place + 2).id.clone()]
    }

    /// What the merchandiser puts beside it.
    pub(crate) fn accessories(&self, row: usize, place: usize) -> [ProductId; 2] {
        [self.at(row + 1, place + 1).id.clone(), self.at(row + 2, place + 1).id.clone()]
    }

    pub(crate) fn product_of(&self, id: &ProductId) -> &Product {
        self.products.iter().find(|p| p.id == *id).unwrap()
    }

    /// Everything of the same category.
    pub(crate) fn row_of(&self, id: &ProductId) -> Vec<ProductId> {
        let category = &self.product_of(id).category;
        self.products.iter().filter(|p| p.category == *category).map(|p| p.id.clone()).collect()
    }

    /// `knowledge/shop.toml`.
    pub(crate) fn settings(&self, zone: &str) -> String {
        let Self { name, domain, currency, .. } = self;
        let id = domain.replace('.', "-");
        format!(
            "schema = \"mailwright.shop/1\"\nid = \"{id}\"\nname = \"{name}\"\ncurrency = \"{currency}\"\ndefault_language = \"en\"\n\
             languages = [\"en\", \"de\"]\ntime_zone = \"{zone}\"\nsite = \"https://www.{domain}\"\n\
             link_hosts = [\"www.{domain}\", \"help.{domain}\"]\n\n[sender]\nfrom_name = \"{name}\"\n\
             from_address = \"post@mail.{domain}\"\nreply_to = \"answers@{domain}\"\n\
             postal_address = \"{}\"\nunsubscribe_base = \"https://out.{domain}/stop\"\n",
            self.postal_address(),
        )
    }

    pub(crate) fn postal_address(&self) -> String {
        format!("{} GmbH, 7 Mill Lane, 4020 Linz, Austria", self.name)
    }

    /// `knowledge/graph/all.toml`.
    pub(crate) fn graph(&self, seed: u64) -> String {
        let mut dice = Dice::of(seed ^ 0xE06E);
        let mut out = String::new();
        let edge = |out: &mut String, from: &ProductId, to: &ProductId, relation: &str, weight: f32, why: Pair| {
            let _ = write!(
                out,
                "[[edge]]\nfrom = \"{from}\"\nto = \"{to}\"\nrelation = \"{relation}\"\nweight = {weight:.1}\nwhy = \"{}\"\nwhy_de = \"{}\"\n\n",
                why.0, why.1
            );
        };
        for row in 0..self.rows {
            for place in 0..ROW {
                let from = &self.at(row, place).id;
                for (to, weight) in self.accessories(row, place).iter().zip([0.9, 0.7]) {
                    edge(&mut out, from, to, "accessory", weight, dice.one_of(&GOES_WITH));
                }
                for (to, weight) in self.substitutes(row, place).iter().zip([0.9, 0.6]) {
                    edge(&mut out, from, to, "substitute", weight, dice.one_of(&STANDS_IN));
                }
                let next = &self.at(row + 3, place + 2).id;
                if next != from {
                    edge(&mut out, from, next, "next", 0.6, dice.one_of(&COMES_NEXT));
                }
            }
        }
        let (first, second) = (&self.at(0, 0).id, &self.at(1, 1).id);
        let _ = write!(
            out,
            "[[intent]]\nid = \"tidy-hall\"\nlabel = \"A tidy hall\"\nlabel_de = \"Ein aufgeräumter Flur\"\nproducts = [\"{first}\", \"{second}\"]\n\n"
        );
        let owners = [vec![self.considered()], vec![self.at(1, 2).id.clone()]];
        for (((title, summary), products), number) in GUIDES.iter().zip(owners).zip(1..) {
            let ids: Vec<String> = products.iter().map(|id| format!("\"{id}\"")).collect();
            let _ = write!(
                out,
                "[[guide]]\nid = \"guide-{number}\"\ntitle = \"{}\"\ntitle_de = \"{}\"\nurl = \"https://help.{}/read/{number}\"\n\
                 summary = \"{}\"\nsummary_de = \"{}\"\nproducts = [{}]\n\n",
                title.0,
                title.1,
                self.domain,
                summary.0,
                summary.1,
                ids.join(", ")
            );
        }
        out
    }
}
