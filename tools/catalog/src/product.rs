//! What a shop knows about a product.

use std::collections::BTreeMap;

use kit::product::{ProductCard, ReviewCard};
use kit::{CategoryId, Language, Money, ProductId, Provenance, Timestamp};
use serde::{Deserialize, Serialize};

/// A product as imported. Price and stock are those of the import: [`crate::Catalog::live`] has those of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The id, as the shop platform names it.
    pub id: ProductId,
    /// The name, in the shop's default language.
    pub title: String,
    /// The category path, such as `footwear/hiking-boots`.
    pub category: CategoryId,
    /// What the shop says about it, plain text; may be empty.
    pub description: String,
    /// The price at import.
    pub price: Money,
    /// The price before a reduction, as the shop keeps it (some keep one that is not higher).
    pub compare_at: Option<Money>,
    /// What it costs the shop. Never shown to a model.
    pub cost: Option<Money>,
    /// Units that could be sold at import; 0 or less is out of stock.
    pub stock: i64,
    /// Properties by name, such as `waterproof` → `membrane`.
    pub attributes: BTreeMap<String, String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Absolute https link to the product page.
    pub url: Option<String>,
    /// Absolute https link to the picture.
    pub image: Option<String>,
    /// What the picture shows.
    pub image_alt: Option<String>,
    /// Facts worth a sentence, best first.
    pub highlights: Vec<String>,
    /// One care or set-up tip.
    pub care: Option<String>,
    /// `supplement`, `cosmetic`, `biocide` when a law regulates what may be said.
    pub regulated: Option<String>,
    /// Days after which a typical buyer needs it again.
    pub consumable_days: Option<u32>,
    /// A purchase people think over.
    pub considered: bool,
    /// The words in other languages.
    pub i18n: BTreeMap<Language, Localised>,
    /// Customer reviews, best first.
    pub reviews: Vec<ReviewCard>,
    /// Who wrote the words: the shop, its platform, or a third party's feed.
    pub provenance: Provenance,
}

/// The words of a product in one language. What is empty here is left out in that language, never shown in another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Localised {
    /// The name.
    pub title: String,
    /// Facts worth a sentence, best first.
    pub highlights: Vec<String>,
    /// One care or set-up tip.
    pub care: Option<String>,
}

impl Product {
    /// The card in `language`, or in the shop's default language when there is no translation.
    ///
    /// `was` is set only when the shop's former price is above `price`, the price of now.
    pub fn card(&self, language: &Language, price: Money, stock: i64, as_of: Timestamp) -> ProductCard {
        let (title, highlights, care) = match self.i18n.get(language) {
            Some(local) => (&local.title, &local.highlights, &local.care),
            None => (&self.title, &self.highlights, &self.care),
        };
        ProductCard {
            id: self.id.clone(),
            title: title.clone(),
            provenance: self.provenance,
            category: self.category.clone(),
            price,
            was: self.compare_at.filter(|was| was.currency == price.currency && was.minor > price.minor),
            stock,
            url: self.url.clone().unwrap_or_default(),
            image: self.image.clone().unwrap_or_default(),
            image_alt: self.image_alt.clone().unwrap_or_else(|| title.clone()),
            highlights: highlights.clone(),
            care: care.clone(),
            regulated: self.regulated.clone(),
            considered: self.considered,
            reviews: self.reviews.clone(),
            as_of,
        }
    }
}
