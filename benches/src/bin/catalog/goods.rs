//! A synthetic catalogue with words by Zipf's law, and queries that find something in it.

use std::collections::BTreeMap;

use catalog::Product;
use kit::{CategoryId, Currency, InvalidId, Money, ProductId, Provenance};
use mailwright_bench::random::{Random, Zipf};

/// Distinct words.
const WORDS: u32 = 60_000;
/// Leaf categories, under a tenth as many parents.
const CATEGORIES: u32 = 300;
const COLOURS: u32 = 12;
const MATERIALS: u32 = 30;
/// One product in so many is sold out.
const SOLD_OUT: u32 = 5;

/// Makes products one by one.
pub(super) struct Factory {
    random: Random,
    law: Zipf,
}

impl Factory {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), law: Zipf::new(WORDS, 1.0) }
    }

    /// This many products in order of id, about 410 bytes of text each.
    pub(super) fn products(&mut self, count: u32) -> Result<Vec<Product>, InvalidId> {
        (0..count).map(|number| self.product(number)).collect()
    }

    fn product(&mut self, number: u32) -> Result<Product, InvalidId> {
        let category = self.random.below(CATEGORIES);
        let (title_words, description_words) = (3 + self.random.below(6), 30 + self.random.below(30));
        let attributes =
            [("colour", "shade", self.random.below(COLOURS)), ("material", "stuff", self.random.below(MATERIALS))];
        let price = 500 + i64::from(self.random.below(50_000));
        let stock = if self.random.below(SOLD_OUT) == 0 { 0 } else { 1 + i64::from(self.random.below(200)) };
        Ok(Product {
            id: ProductId::new(format!("p{number:07}"))?,
            title: self.text(title_words),
            category: CategoryId::new(format!("range{}/shelf{category}", category / 10))?,
            description: self.text(description_words),
            price: Money::new(price, Currency::EUR),
            compare_at: None,
            cost: None,
            stock,
            attributes: attributes
                .map(|(name, value, which)| (name.to_owned(), format!("{value}{which}")))
                .into_iter()
                .collect(),
            tags: Vec::new(),
            url: None,
            image: None,
            image_alt: None,
            highlights: Vec::new(),
            care: None,
            regulated: None,
            consumable_days: None,
            considered: false,
            i18n: BTreeMap::new(),
            reviews: Vec::new(),
            provenance: Provenance::Merchant,
        })
    }

    fn text(&mut self, words: u32) -> String {
        let words: Vec<String> = (0..words).map(|_| word(self.law.draw(&mut self.random))).collect();
        words.join(" ")
    }
}

/// A word that is in no dictionary and that a stemmer leaves alone: syllables, then a letter that ends no English form.
fn word(rank: u32) -> String {
    const ONSETS: [char; 16] = ['b', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'r', 't', 'v', 'w', 'z'];
    const NUCLEI: [char; 4] = ['a', 'i', 'o', 'u'];
    let base = u32::try_from(ONSETS.len() * NUCLEI.len()).unwrap_or(1);
    let mut word = String::new();
    let mut rest = rank + base;
    while rest > 0 {
        let syllable = (rest % base) as usize;
        word.extend(ONSETS.get(syllable / NUCLEI.len()));
        word.extend(NUCLEI.get(syllable % NUCLEI.len()));
        rest /= base;
    }
    word.push('k');
    word
}

/// What somebody looks for.
pub(super) struct Wanted {
    /// One to three words.
    pub(super) text: String,
    pub(super) category: CategoryId,
    /// Minor units.
    pub(super) prices: (i64, i64),
}

/// Queries of 1, 2 and 3 words in turn. The words, category and price of each are those of a product that can be
/// bought, so that no query comes back empty.
pub(super) fn wanted<'a>(products: impl Fn(u32) -> Option<&'a Product>, count: u32, among: u32) -> Vec<Wanted> {
    let mut random = Random::new(0x5EED);
    let mut queries = Vec::new();
    while queries.len() < count as usize {
        let Some(product) = products(random.below(among)).filter(|product| product.stock > 0) else { continue };
        let known: Vec<&str> = product.title.split(' ').chain(product.description.split(' ')).collect();
        let length = u32::try_from(known.len()).unwrap_or(0);
        let words = (0..=queries.len() % 3).filter_map(|_| known.get(random.below(length) as usize).copied());
        queries.push(Wanted {
            text: words.collect::<Vec<_>>().join(" "),
            category: product.category.clone(),
            prices: (product.price.minor / 2, product.price.minor * 3 / 2),
        });
    }
    queries
}
