//! The floor: tantivy as its manual shows it, over the same terms.
//!
//! One segment, the fields and the analyser of our engine, price and stock as fast fields, the ten best by score and
//! the count of all matches. What our engine does besides (spelling, facets, live price and stock) is not here.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use catalog::Product;
use tantivy::collector::{Count, TopDocs};
use tantivy::directory::MmapDirectory;
use tantivy::query::{BooleanQuery, ConstScoreQuery, Query, RangeQuery, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer,
    TokenizerManager,
};
use tantivy::{Index, IndexBuilder, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};

use super::Kind;
use super::goods::Wanted;

const MEMORY: usize = 50_000_000;

#[derive(Clone, Copy)]
struct Fields {
    stems: Field,
    whole: Field,
    exact: Field,
    price: Field,
    stock: Field,
}

pub(super) struct Floor {
    index: Index,
    reader: IndexReader,
    fields: Fields,
    stems: TextAnalyzer,
}

/// An answer: all matches, and document numbers of the best.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) total: usize,
    pub(super) best: Vec<u32>,
}

impl Floor {
    pub(super) fn build(dir: &Path, products: &[Arc<Product>]) -> tantivy::Result<Self> {
        let (schema, fields) = schema();
        let tokenizers = TokenizerManager::default();
        let (whole, stems) = analysers();
        tokenizers.register("words", whole);
        tokenizers.register("stems", stems.clone());
        let directory = MmapDirectory::open(dir)?;
        let mut writer = IndexBuilder::new()
            .schema(schema)
            .tokenizers(tokenizers)
            .single_segment_index_writer::<TantivyDocument>(directory, MEMORY)?;
        for product in products {
            writer.add_document(document(fields, product, product.stock))?;
        }
        let index = writer.finalize()?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, fields, stems })
    }

    pub(super) fn search(&self, wanted: &Wanted, kind: Kind) -> tantivy::Result<Answer> {
        let mut clauses: Vec<Box<dyn Query>> = Vec::new();
        match kind {
            Kind::Words => {}
            Kind::Category => clauses.push(self.category(&format!("c:{}", wanted.category))),
            Kind::PriceAndStock => {
                let (low, high) = wanted.prices;
                clauses.push(self.range(self.fields.price, low, high));
                clauses.push(self.range(self.fields.stock, 1, i64::MAX));
            }
        }
        let mut stems = self.stems(&wanted.text);
        stems.sort_unstable();
        stems.dedup();
        clauses.extend(stems.iter().map(|stem| self.stem(stem)));
        let query = BooleanQuery::intersection(clauses);
        let (best, total) =
            self.reader.searcher().search(&query, &(TopDocs::with_limit(10).order_by_score(), Count))?;
        Ok(Answer { total, best: best.into_iter().map(|(_, address)| address.doc_id).collect() })
    }

    /// Changes a stock the way an index does it: the document is written anew, committed, and the reader told.
    pub(super) fn set_stock(&self, writer: &mut IndexWriter, product: &Product, units: i64) -> tantivy::Result<()> {
        writer.delete_term(Term::from_field_text(self.fields.stems, product.id.as_str()));
        writer.add_document(document(self.fields, product, units))?;
        writer.commit()?;
        self.reader.reload()
    }

    pub(super) fn writer(&self) -> tantivy::Result<IndexWriter> {
        self.index.writer_with_num_threads(1, MEMORY)
    }

    /// True when the product is found by its id and can be bought.
    pub(super) fn in_stock(&self, product: &Product) -> tantivy::Result<bool> {
        let clauses = vec![self.stem(product.id.as_str()), self.range(self.fields.stock, 1, i64::MAX)];
        let count = self.reader.searcher().search(&BooleanQuery::intersection(clauses), &Count)?;
        Ok(count > 0)
    }

    fn stem(&self, stem: &str) -> Box<dyn Query> {
        Box::new(TermQuery::new(Term::from_field_text(self.fields.stems, stem), IndexRecordOption::WithFreqs))
    }

    fn category(&self, term: &str) -> Box<dyn Query> {
        let term = TermQuery::new(Term::from_field_text(self.fields.exact, term), IndexRecordOption::Basic);
        Box::new(ConstScoreQuery::new(Box::new(term), 0.0))
    }

    fn range(&self, field: Field, low: i64, high: i64) -> Box<dyn Query> {
        let bound = |value| Bound::Included(Term::from_field_i64(field, value));
        Box::new(ConstScoreQuery::new(Box::new(RangeQuery::new(bound(low), bound(high))), 0.0))
    }

    fn stems(&self, text: &str) -> Vec<String> {
        let mut stems = Vec::new();
        self.stems.clone().token_stream(text).process(&mut |token| stems.push(token.text.clone()));
        stems
    }
}

/// Whole words and stems, as our engine makes them.
fn analysers() -> (TextAnalyzer, TextAnalyzer) {
    let plain = || {
        let stop_words = StopWordFilter::new(Language::English)
            .unwrap_or_else(|| StopWordFilter::remove(std::iter::empty::<String>()));
        TextAnalyzer::builder(SimpleTokenizer::default())
            .filter(RemoveLongFilter::limit(40))
            .filter(LowerCaser)
            .filter(AsciiFoldingFilter)
            .filter(stop_words)
    };
    (plain().build(), plain().filter(Stemmer::new(Language::English)).build())
}

fn schema() -> (Schema, Fields) {
    let text = |analyser: &str, record: IndexRecordOption, norms: bool| {
        let indexing = TextFieldIndexing::default();
        TextOptions::default()
            .set_indexing_options(indexing.set_tokenizer(analyser).set_index_option(record).set_fieldnorms(norms))
    };
    let mut schema = Schema::builder();
    let fields = Fields {
        stems: schema.add_text_field("stems", text("stems", IndexRecordOption::WithFreqs, true)),
        whole: schema.add_text_field("whole", text("words", IndexRecordOption::Basic, false)),
        exact: schema.add_text_field("exact", text("raw", IndexRecordOption::Basic, false)),
        price: schema.add_i64_field("price", FAST),
        stock: schema.add_i64_field("stock", FAST),
    };
    (schema.build(), fields)
}

/// The same words as often as in our engine: those of the title three times.
fn document(fields: Fields, product: &Product, stock: i64) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    for _ in 0..3 {
        document.add_text(fields.stems, &product.title);
    }
    let properties = product.attributes.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    for text in properties.chain([product.category.as_str(), &product.description]) {
        document.add_text(fields.stems, text);
        document.add_text(fields.whole, text);
    }
    document.add_text(fields.whole, &product.title);
    document.add_text(fields.stems, product.id.as_str());
    let path = product.category.as_str();
    let cuts = path.match_indices('/').map(|(at, _)| at).chain(std::iter::once(path.len()));
    for prefix in cuts.filter_map(|cut| path.get(..cut)) {
        document.add_text(fields.exact, format!("c:{prefix}"));
    }
    for (name, value) in &product.attributes {
        document.add_text(fields.exact, format!("a:{name}={value}"));
    }
    document.add_i64(fields.price, product.price.minor);
    document.add_i64(fields.stock, stock);
    document
}
