//! Search: plain words and filters to the best products.

use std::collections::BTreeMap;
use std::sync::Arc;

use kit::{CategoryId, Currency, Money, ProductId};
use tantivy::Term;
use tantivy::query::{AllQuery, BooleanQuery, ConstScoreQuery, Occur, TermQuery};
use tantivy::schema::IndexRecordOption;

use super::catalog::Catalog;
use super::collect::{Collect, Collected};
use super::facets::Facets;
use super::live::LiveFilter;
use super::text::{Fields, TextIndex, attribute_term, category_term, tag_term};

/// What to look for. All parts must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Plain words, never a query language. Text without a word (blank, punctuation, stop words) restricts nothing.
    pub text: String,
    /// This category path and all below it.
    pub category: Option<CategoryId>,
    /// The lowest price of now, inclusive.
    pub min_price: Option<Money>,
    /// The highest price of now, inclusive.
    pub max_price: Option<Money>,
    /// Only what can be sold now.
    pub in_stock_only: bool,
    /// Attributes with their value, whole, in any letter case.
    pub attributes: BTreeMap<String, String>,
    /// Tags, all of them, in any letter case.
    pub tags: Vec<String>,
    /// How many hits to return.
    pub limit: usize,
    /// How many of the best to skip.
    pub offset: usize,
    /// True to count facets.
    pub facets: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: String::new(),
            category: None,
            min_price: None,
            max_price: None,
            in_stock_only: false,
            attributes: BTreeMap::new(),
            tags: Vec::new(),
            limit: 10,
            offset: 0,
            facets: false,
        }
    }
}

/// One product found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The product.
    pub id: ProductId,
    /// BM25; 0 when the query has no words. Comparable within one answer only.
    pub score: f32,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// By falling score, then by id.
    pub hits: Vec<Hit>,
    /// All matches, before limit and offset.
    pub total: u64,
    /// Counts over all matches, when asked for.
    pub facets: Option<Facets>,
    /// The words searched for, when the spelling of one was corrected.
    pub corrected: Option<String>,
    /// True when no product has all the words, so that these have at least one of them.
    pub relaxed: bool,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A price filter in another currency than the catalogue's.
    #[error("price filter in {found}, the catalogue is in {expected}")]
    Currency {
        /// The filter's currency.
        found: Currency,
        /// The catalogue's.
        expected: Currency,
    },
    /// The index could not be read: open the catalogue again.
    #[error("the catalogue index cannot be read: {0}")]
    Index(#[from] tantivy::TantivyError),
}

/// Words beyond this many are ignored: nobody names a product with more.
const MAX_WORDS: usize = 16;

/// How the text was understood.
#[derive(Debug, Default)]
struct Reading {
    /// Stems that some product has.
    stems: Vec<String>,
    /// True when a word is in no product and resembles none that is.
    unknown_word: bool,
    corrected: Option<String>,
}

impl Reading {
    fn has_words(&self) -> bool {
        !self.stems.is_empty() || self.unknown_word
    }
}

impl Catalog {
    /// Finds the products that have all the words and fit all filters, by price and stock of now.
    ///
    /// A word that no product has is replaced by the closest one that some product has. When no product fits with all
    /// the words, those with at least one of them are the answer, marked `relaxed`.
    ///
    /// # Errors
    /// [`SearchError::Currency`] for a price filter in a foreign currency, [`SearchError::Index`] when the index cannot
    /// be read.
    pub fn search(&self, query: &Query) -> Result<Results, SearchError> {
        let filter = self.live_filter(query)?;
        let index = self.index()?;
        let reading = read(index, &query.text)?;
        let collect = Collect {
            live: Arc::clone(&self.live),
            filter,
            facets: query.facets.then(|| Arc::clone(&self.facets)),
            keep: query.offset.saturating_add(query.limit),
            scored: reading.has_words(),
        };
        let run = |occur: Occur| index.searcher.search(&*compile(index.fields, query, &reading.stems, occur), &collect);
        let mut relaxed = false;
        let found = if !reading.has_words() {
            run(Occur::Must)?
        } else if reading.stems.is_empty() {
            Collected { best: Vec::new(), total: 0, counts: None }
        } else {
            let strict = if reading.unknown_word { None } else { Some(run(Occur::Must)?) };
            match strict {
                Some(found) if found.total > 0 || reading.stems.len() == 1 => found,
                Some(_) | None => {
                    relaxed = true;
                    run(Occur::Should)?
                }
            }
        };
        Ok(self.results(query, found, reading.corrected, relaxed))
    }

    fn results(&self, query: &Query, found: Collected, corrected: Option<String>, relaxed: bool) -> Results {
        let page = found.best.iter().skip(query.offset);
        let hits = page.filter_map(|c| Some(Hit { id: self.at(c.ordinal)?.id.clone(), score: c.score })).collect();
        let facets = query.facets.then(|| match (&found.counts, self.currency()) {
            (Some(counts), Some(currency)) => self.facets.roll_up(counts, query.category.as_ref(), currency),
            (None, _) | (_, None) => Facets { categories: Vec::new(), prices: Vec::new() },
        });
        Results { hits, total: found.total, facets, corrected, relaxed }
    }

    fn live_filter(&self, query: &Query) -> Result<LiveFilter, SearchError> {
        let minor = |price: Option<Money>| match (price, self.currency()) {
            (Some(price), Some(expected)) if price.currency != expected => {
                Err(SearchError::Currency { found: price.currency, expected })
            }
            (price, _) => Ok(price.map(|p| p.minor)),
        };
        Ok(LiveFilter {
            min_price: minor(query.min_price)?.unwrap_or(LiveFilter::OPEN.min_price),
            max_price: minor(query.max_price)?.unwrap_or(LiveFilter::OPEN.max_price),
            min_stock: if query.in_stock_only { 1 } else { LiveFilter::OPEN.min_stock },
        })
    }
}

fn read(index: &TextIndex, text: &str) -> Result<Reading, SearchError> {
    let mut words = index.words.clone();
    let mut reading = Reading::default();
    let mut searched = Vec::new();
    let mut corrected = false;
    for word in words.whole(text).into_iter().take(MAX_WORDS) {
        let stem = words.stem(&word).unwrap_or_else(|| word.clone());
        if index.frequency(&stem)? > 0 {
            reading.stems.push(stem);
            searched.push(word);
            continue;
        }
        match index.correct(&word)? {
            Some(meant) => {
                reading.stems.push(words.stem(&meant).unwrap_or_else(|| meant.clone()));
                searched.push(meant);
                corrected = true;
            }
            None => {
                reading.unknown_word = true;
                searched.push(word);
            }
        }
    }
    reading.stems.sort_unstable();
    reading.stems.dedup();
    reading.corrected = corrected.then(|| searched.join(" "));
    Ok(reading)
}

/// Words are joined by `occur`; filters that the index answers always hold and count nothing.
fn compile(fields: Fields, query: &Query, stems: &[String], occur: Occur) -> Box<dyn tantivy::query::Query> {
    let category = query.category.iter().map(|path| category_term(path.as_str()));
    let attributes = query.attributes.iter().map(|(name, value)| attribute_term(name, value));
    let tags = query.tags.iter().map(|tag| tag_term(tag));
    let filters = category.chain(attributes).chain(tags).map(|term| -> Box<dyn tantivy::query::Query> {
        let term = TermQuery::new(Term::from_field_text(fields.exact, &term), IndexRecordOption::Basic);
        Box::new(ConstScoreQuery::new(Box::new(term), 0.0))
    });
    let words = stems.iter().map(|stem| -> Box<dyn tantivy::query::Query> {
        Box::new(TermQuery::new(Term::from_field_text(fields.stems, stem), IndexRecordOption::WithFreqs))
    });
    let mut clauses: Vec<Box<dyn tantivy::query::Query>> = filters.collect();
    match occur {
        Occur::Should => clauses.push(Box::new(BooleanQuery::union(words.collect()))),
        Occur::Must | Occur::MustNot => clauses.extend(words),
    }
    match clauses.len() {
        0 => Box::new(AllQuery),
        1 => clauses.remove(0),
        _ => Box::new(BooleanQuery::intersection(clauses)),
    }
}
