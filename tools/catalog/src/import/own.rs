//! The shop's own product object: the line of a JSONL file, and what a CSV row is turned into.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use kit::product::ReviewCard;
use kit::{Currency, Language, ProductId, Provenance, ReviewId};
use serde_json::{Map, Value};

use super::check;
use super::faults::{Faults, ImportErrors, Place};
use super::fields::{Fields, show};
use crate::product::{Localised, Product};

/// All keys of a product object.
const KEYS: [&str; 20] = [
    "id",
    "title",
    "category",
    "description",
    "price",
    "compare_at",
    "currency",
    "cost",
    "stock",
    "attributes",
    "tags",
    "url",
    "image",
    "image_alt",
    "highlights",
    "care",
    "regulated",
    "consumable_days",
    "considered",
    "i18n",
];
const REVIEWS: &str = "reviews";

/// Gathers the products of one file and what must hold among them.
pub(super) struct Importer {
    provenance: Provenance,
    products: Vec<Product>,
    seen: HashMap<ProductId, Place>,
    reviews: HashMap<ReviewId, Place>,
    currency: Option<Currency>,
}

impl Importer {
    pub(super) fn new(provenance: Provenance) -> Self {
        Self { provenance, products: Vec::new(), seen: HashMap::new(), reviews: HashMap::new(), currency: None }
    }

    /// Reads one product object of the shop's own format.
    pub(super) fn add(&mut self, object: &Map<String, Value>, place: Place, faults: &mut Faults) {
        let mut fields = Fields::new(object, place, "", faults);
        let keys: Vec<&str> = KEYS.into_iter().chain([REVIEWS]).collect();
        fields.only(&keys);
        let product = product(&mut fields, self.provenance);
        // An id is checked against the others even when its product has other faults.
        let id = product.as_ref().map(|p| p.id.clone()).or_else(|| fields.value("id")?.as_str()?.parse().ok());
        if let Some(id) = id {
            self.note_id(id, place, faults);
        }
        if let Some(product) = product {
            self.check_among(&product, place, faults);
            self.products.push(product);
        }
    }

    /// Takes a product that another format's reader made.
    pub(super) fn add_product(&mut self, product: Product, place: Place, faults: &mut Faults) {
        self.note_id(product.id.clone(), place, faults);
        self.check_among(&product, place, faults);
        self.products.push(product);
    }

    /// The products, or all faults.
    pub(super) fn finish(self, faults: Faults) -> Result<Vec<Product>, ImportErrors> {
        faults.finish(self.products)
    }

    fn note_id(&mut self, id: ProductId, place: Place, faults: &mut Faults) {
        let found = format!("{id} again");
        match self.seen.entry(id) {
            Entry::Occupied(first) => {
                faults.add(place, "id", &found, &format!("an id of its own; {} has this one", name_of(*first.get())));
            }
            Entry::Vacant(free) => {
                free.insert(place);
            }
        }
    }

    fn check_among(&mut self, product: &Product, place: Place, faults: &mut Faults) {
        let currency = *self.currency.get_or_insert(product.price.currency);
        if product.price.currency != currency {
            let expected = format!("{currency}, as in the products before: a catalogue has one currency");
            faults.add(place, "currency", product.price.currency.as_str(), &expected);
        }
        for review in &product.reviews {
            if let Some(first) = self.reviews.insert(review.id.clone(), place) {
                let found = format!("review {} again", review.id);
                faults.add(place, REVIEWS, &found, &format!("an id of its own; {} has this one", name_of(first)));
            }
        }
    }
}

fn name_of(place: Place) -> String {
    match place {
        Place::File => "the file".to_owned(),
        Place::Line(line) => format!("line {line}"),
        Place::Product(index) => format!("products[{index}]"),
    }
}

/// Reads all fields before it gives up on any, so that all faults of a product show at once.
fn product(fields: &mut Fields<'_>, provenance: Provenance) -> Option<Product> {
    let id = fields.required_id("id");
    let title = fields.required_text("title");
    let category = category(fields);
    let currency = currency(fields);
    // With a faulty currency amounts are still read, so that their faults show as well.
    let unit = currency.unwrap_or(Currency::EUR);
    let price = fields.required_money("price", unit);
    let compare_at = fields.money("compare_at", unit);
    let cost = fields.money("cost", unit);
    let stock = fields.required_integer("stock");
    let product = Product {
        description: fields.text("description").unwrap_or_default(),
        compare_at,
        cost,
        attributes: attributes(fields),
        tags: fields.texts("tags"),
        url: fields.url("url"),
        image: fields.url("image"),
        image_alt: fields.text("image_alt"),
        highlights: fields.texts("highlights"),
        care: fields.text("care"),
        regulated: fields.text("regulated"),
        consumable_days: days(fields),
        considered: fields.flag("considered").unwrap_or(false),
        i18n: translations(fields),
        reviews: reviews(fields),
        provenance,
        id: id?,
        title: title?,
        category: category?,
        price: price?,
        stock: stock?,
    };
    currency.map(|_| product)
}

fn category(fields: &mut Fields<'_>) -> Option<kit::CategoryId> {
    let path = fields.required_text("category")?;
    let category = check::category(&path);
    if category.is_none() {
        fields.fault("category", &format!("\"{path}\""), "names between slashes, such as footwear/hiking-boots");
    }
    category
}

fn currency(fields: &mut Fields<'_>) -> Option<Currency> {
    let code = fields.required_text("currency")?;
    let currency = check::currency(&code);
    if currency.is_none() {
        fields.fault("currency", &format!("\"{code}\""), "an ISO 4217 code such as EUR");
    }
    currency
}

fn attributes(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for (name, value) in fields.entries("attributes") {
        match value {
            Value::String(text) if !name.trim().is_empty() => {
                attributes.insert(name.trim().to_owned(), text.trim().to_owned());
            }
            other => fields.fault(&format!("attributes.{name}"), &show(other), "a name with text in quotes"),
        }
    }
    attributes
}

fn days(fields: &mut Fields<'_>) -> Option<u32> {
    let days = fields.integer("consumable_days")?;
    let whole_days = u32::try_from(days).ok().filter(|days| *days > 0);
    if whole_days.is_none() {
        fields.fault("consumable_days", &days.to_string(), "a number of days above zero");
    }
    whole_days
}

fn translations(fields: &mut Fields<'_>) -> BTreeMap<Language, Localised> {
    let mut translations = BTreeMap::new();
    for (tag, value) in fields.entries("i18n") {
        let name = format!("i18n.{tag}");
        let Ok(language) = Language::parse(tag) else {
            fields.fault(&name, "an unknown language", "a language tag such as de");
            continue;
        };
        let Some(mut local) = fields.within(&name, value) else { continue };
        local.only(&["title", "highlights", "care"]);
        let (title, highlights, care) = (local.required_text("title"), local.texts("highlights"), local.text("care"));
        if let Some(title) = title
            && translations.insert(language, Localised { title, highlights, care }).is_some()
        {
            fields.fault(&name, "the same language again", "each language once");
        }
    }
    translations
}

fn reviews(fields: &mut Fields<'_>) -> Vec<ReviewCard> {
    let mut reviews = Vec::new();
    for (i, value) in fields.list(REVIEWS, "a list of reviews").iter().enumerate() {
        let Some(mut review) = fields.within(&format!("{REVIEWS}[{i}]"), value) else { continue };
        review.only(&["id", "stars", "text", "author"]);
        let id = review.required_id("id");
        let text = review.required_text("text");
        let author = review.text("author").unwrap_or_default();
        let stars = review.required_integer("stars").and_then(|stars| {
            let stars_given = u8::try_from(stars).ok().filter(|stars| (1..=5).contains(stars));
            if stars_given.is_none() {
                review.fault("stars", &stars.to_string(), "1 to 5");
            }
            stars_given
        });
        if let (Some(id), Some(text), Some(stars)) = (id, text, stars) {
            reviews.push(ReviewCard { id, stars, text, author, gist: None });
        }
    }
    reviews
}
