//! The product card: the one shape in which any tool shows a product to a model and cites it as a fact.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactKind, FactValue, Provenance};
use crate::gist::{Gist, Tone, Topic};
use crate::ids::{CategoryId, FactId, ProductId, ReviewId};
use crate::locale::Language;
use crate::money::Money;
use crate::tool::{ToolContext, ToolError};

/// What may be said about a product, in one language, with price and stock as of `as_of`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductCard {
    /// The product.
    pub id: ProductId,
    /// Its name.
    pub title: String,
    /// Who wrote title, description and highlights: the shop, or a feed (drop-shipping) that is third-party.
    pub provenance: Provenance,
    /// Its category path.
    pub category: CategoryId,
    /// The price now.
    pub price: Money,
    /// The price before a reduction, if it is reduced.
    pub was: Option<Money>,
    /// Units that can be sold now; 0 or less is out of stock.
    pub stock: i64,
    /// Absolute https link; empty when the product has no page.
    pub url: String,
    /// Absolute https link of the picture; empty when there is none.
    pub image: String,
    /// What the picture shows.
    pub image_alt: String,
    /// Catalogue facts worth a sentence, best first.
    pub highlights: Vec<String>,
    /// One care or set-up tip.
    pub care: Option<String>,
    /// `supplement`, `cosmetic`, `biocide` when a law regulates what may be said.
    pub regulated: Option<String>,
    /// A purchase people think over.
    pub considered: bool,
    /// Customer reviews, best first.
    pub reviews: Vec<ReviewCard>,
    /// When price and stock were true.
    pub as_of: Timestamp,
}

/// A customer review, word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCard {
    /// Its id.
    pub id: ReviewId,
    /// 1 to 5.
    pub stars: u8,
    /// The customer's words.
    pub text: String,
    /// As the customer signed.
    pub author: String,
    /// What a model that reads for the shop saw in it, where one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gist: Option<Gist>,
}

impl ReviewCard {
    /// What it is about: what code sees, and a model that reads for the shop, if one has.
    pub fn gist(&self) -> Gist {
        let seen = Gist::by_code(&self.text);
        self.gist.as_ref().map_or_else(|| seen.clone(), |gist| seen.with(gist))
    }
}

/// The review that messages may show, of those of a product, best first: one of four stars or more.
pub fn best_review(reviews: &[ReviewCard]) -> Option<&ReviewCard> {
    reviews.iter().find(|review| review.stars >= 4)
}

/// What the model sees of a product. Margin and cost are never here.
#[derive(Debug, Clone, Serialize)]
pub struct ProductView {
    /// Cite it by this id.
    pub fact: FactId,
    /// The product id, for tools.
    pub product: ProductId,
    /// The name; fenced when a third party wrote it.
    pub title: String,
    /// The category path.
    pub category: CategoryId,
    /// For your information; in copy write `{{fact.price}}`.
    pub price: String,
    /// The former price, when reduced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// `in_stock`, `low` (at most [`LOW_STOCK`]) or `out`.
    pub stock: StockLevel,
    /// What is worth a sentence; cite as `{{fact.highlight}}` or put in your own words without adding to it.
    pub highlights: Vec<String>,
    /// A tip for owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub care: Option<String>,
    /// Set when a law regulates what may be said: a person will look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regulated: Option<String>,
    /// A review fact to quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewView>,
}

/// A review as the model sees it: what it is about, never its words. Readers get those, by the fact.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewView {
    /// Cite it by this id.
    pub fact: FactId,
    /// 1 to 5.
    pub stars: u8,
    /// What it is about; nothing when that is not known.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub about: BTreeSet<Topic>,
    /// How it sounds.
    pub tone: Tone,
}

/// Stock in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockLevel {
    /// Enough.
    InStock,
    /// At most [`LOW_STOCK`]: scarcity may be said, from the fact.
    Low,
    /// None: never recommend it.
    Out,
}

/// At most this many units count as scarce.
pub const LOW_STOCK: i64 = 10;

impl StockLevel {
    /// The level of a number of units.
    pub fn of(stock: i64) -> Self {
        match stock {
            i64::MIN..=0 => Self::Out,
            1..=LOW_STOCK => Self::Low,
            _ => Self::InStock,
        }
    }
}

impl ProductCard {
    /// The fields of a product fact.
    pub fn fields(&self) -> Vec<(&'static str, FactValue)> {
        let words = |text: &str| FactValue::Text { text: text.to_owned(), provenance: self.provenance };
        let mut fields = vec![
            ("title", words(&self.title)),
            ("price", FactValue::money(self.price)),
            ("stock", FactValue::count(self.stock)),
        ];
        // A product without a page or a picture has no such field: an empty link would only be refused later.
        if !self.url.is_empty() {
            fields.push(("url", FactValue::url(&self.url)));
        }
        if !self.image.is_empty() {
            fields.push(("image", FactValue::url(&self.image)));
            fields.push(("image_alt", words(&self.image_alt)));
        }
        fields.extend(self.was.map(|was| ("was", FactValue::money(was))));
        fields.extend(self.highlights.first().map(|h| ("highlight", words(h))));
        fields.extend(self.care.as_deref().map(|c| ("care", words(c))));
        fields.extend(self.regulated.as_deref().map(|r| ("regulated", FactValue::text(r))));
        fields
    }

    /// Mints the product fact (and one of its best review) and returns what the model sees.
    pub fn mint(&self, cx: &ToolContext, source: &str) -> Result<ProductView, ToolError> {
        let fact = cx.mint(FactKind::Product, self.id.as_str(), source, self.as_of, self.fields())?;
        let review = match best_review(&self.reviews) {
            Some(review) => Some(self.mint_review(cx, review, source)?),
            None => None,
        };
        let shown = |text: &str| match self.provenance {
            Provenance::ThirdParty => crate::fence::ThirdParty::new(text).fenced(),
            Provenance::Platform | Provenance::Merchant | Provenance::Marketer => text.to_owned(),
        };
        let language = &cx.subject.language;
        Ok(ProductView {
            fact,
            product: self.id.clone(),
            title: shown(&self.title),
            category: self.category.clone(),
            price: self.price.display_in(language),
            was: self.was.map(|w| w.display_in(language)),
            stock: StockLevel::of(self.stock),
            highlights: self.highlights.iter().map(|h| shown(h)).collect(),
            care: self.care.as_deref().map(shown),
            regulated: self.regulated.clone(),
            review,
        })
    }

    fn mint_review(&self, cx: &ToolContext, review: &ReviewCard, source: &str) -> Result<ReviewView, ToolError> {
        let fact = cx.mint(
            FactKind::Review,
            review.id.as_str(),
            source,
            self.as_of,
            [
                ("text", FactValue::third_party(&review.text)),
                ("author", FactValue::third_party(&review.author)),
                ("stars", FactValue::count(i64::from(review.stars))),
                ("product", FactValue::text(self.id.as_str())),
            ],
        )?;
        let Gist { topics, tone } = review.gist();
        Ok(ReviewView { fact, stars: review.stars, about: topics, tone })
    }
}

/// Where tools get live product cards. Implemented by the orchestrator over the catalogue, so that a tool crate that
/// recommends products need not know the catalogue crate.
pub trait Shelf: Send + Sync {
    /// The product in this language, with price and stock of now; `None` when the shop does not have it.
    fn card(&self, product: &ProductId, language: &Language, now: Timestamp) -> Option<ProductCard>;
}
