//! The full-text index: its fields, how it is built, and where it is kept.
//!
//! Words of a title count three times, by being indexed three times into the one field that all words share: a plain
//! form of BM25F, and one posting list to read for a word where per-field scoring reads one for each field. No text is
//! stored: the products are in memory.

use std::fs;
use std::io;
use std::path::Path;

use kit::Digest;
use tantivy::directory::{Directory, MmapDirectory, RamDirectory};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexBuilder, ReloadPolicy, Searcher, TantivyDocument, Term};

use super::catalog::CatalogError;
use super::words::{STEMS, WHOLE, Words};
use crate::product::Product;

/// Raised whenever fields, analysers or terms change, so that indexes of older code are built anew.
const FORMAT: &str = "catalog-index/1";
/// How often a title's words count.
const TITLE_WEIGHT: usize = 3;
/// Sizes the writer's first hash table; the writer grows as it needs.
const WRITER_BYTES: usize = 15_000_000;

/// The fields of a product's document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// Stems of all words, scored.
    pub(super) stems: Field,
    /// The whole words, for spelling.
    pub(super) whole: Field,
    /// Category prefixes, attributes and tags, each one term; see [`category_term`].
    pub(super) exact: Field,
}

/// An index of one segment in which document numbers are ordinals. A clone shares it.
#[derive(Clone)]
pub(super) struct TextIndex {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    pub(super) words: Words,
}

impl TextIndex {
    /// Builds in memory.
    pub(super) fn in_memory<'a>(products: impl Iterator<Item = &'a Product>) -> tantivy::Result<Self> {
        let words = Words::new();
        let (schema, fields) = schema();
        let index = write(Box::new(RamDirectory::create()), schema, fields, &words, products)?;
        Ok(Self { searcher: searcher(&index)?, fields, words })
    }

    /// Opens the index of exactly these products under `dir`, or builds it.
    ///
    /// Indexes are named by their content and moved into place when complete: a crash leaves an old one or none, and
    /// a process that still reads the old one keeps its open files.
    pub(super) fn open<'a>(
        dir: &Path,
        digest: Digest,
        products: impl ExactSizeIterator<Item = &'a Product>,
    ) -> Result<Self, CatalogError> {
        let home = dir.join(format!("index-{digest}"));
        let count = products.len();
        // An index that cannot be read is as good as none: it holds nothing that the products do not.
        if home.is_dir()
            && let Ok(found) = Self::load(&home)
            && found.holds(count)
        {
            return Ok(found);
        }
        let building = dir.join(format!("building-{digest}"));
        remove(&building)?;
        at(&building, fs::create_dir_all(&building))?;
        let (schema, fields) = schema();
        let place = MmapDirectory::open(&building).map_err(tantivy::TantivyError::from)?;
        write(Box::new(place), schema, fields, &Words::new(), products)?;
        remove(&home)?;
        at(&home, fs::rename(&building, &home))?;
        let built = Self::load(&home)?;
        sweep(dir, &home);
        Ok(built)
    }

    fn load(home: &Path) -> Result<Self, CatalogError> {
        let words = Words::new();
        let mut index = Index::open_in_dir(home)?;
        index.set_tokenizers(words.manager());
        let (_, fields) = schema();
        Ok(Self { searcher: searcher(&index)?, fields, words })
    }

    fn holds(&self, count: usize) -> bool {
        self.searcher.num_docs() == count as u64 && self.searcher.segment_readers().len() <= 1
    }

    /// How many products have this stem.
    pub(super) fn frequency(&self, stem: &str) -> tantivy::Result<u64> {
        self.searcher.doc_freq(&Term::from_field_text(self.fields.stems, stem))
    }
}

/// The digest of everything the index is made from. Price and stock are not in it: they may change without a rebuild.
pub(super) fn digest<'a>(products: impl Iterator<Item = &'a Product>) -> Digest {
    Digest::of_parts(std::iter::once(FORMAT).chain(products.flat_map(|product| {
        let properties = product.attributes.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let lists = [&product.tags, &product.highlights].into_iter().flat_map(|list| list_parts(list));
        let local = product.i18n.values().flat_map(|l| [l.title.as_str()].into_iter().chain(list_parts(&l.highlights)));
        [product.id.as_str(), &product.title, product.category.as_str(), &product.description]
            .into_iter()
            .chain(properties)
            .chain(lists)
            .chain(local)
    })))
}

/// A list with a mark at its end, so that an item cannot move to the next list unnoticed.
fn list_parts(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str).chain(std::iter::once("\u{1f}"))
}

/// The term of a category and of all below it.
pub(super) fn category_term(path: &str) -> String {
    format!("c:{}", path.trim_matches('/').to_lowercase())
}
/// The term of one attribute value.
pub(super) fn attribute_term(name: &str, value: &str) -> String {
    format!("a:{}\u{1f}{}", name.to_lowercase(), value.to_lowercase())
}
/// The term of a tag.
pub(super) fn tag_term(tag: &str) -> String {
    format!("t:{}", tag.to_lowercase())
}

fn schema() -> (Schema, Fields) {
    let text = |analyser: &str, record: IndexRecordOption, norms: bool| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default().set_tokenizer(analyser).set_index_option(record).set_fieldnorms(norms),
        )
    };
    let mut schema = Schema::builder();
    let fields = Fields {
        stems: schema.add_text_field("stems", text(STEMS, IndexRecordOption::WithFreqs, true)),
        whole: schema.add_text_field("whole", text(WHOLE, IndexRecordOption::Basic, false)),
        exact: schema.add_text_field("exact", text("raw", IndexRecordOption::Basic, false)),
    };
    (schema.build(), fields)
}

/// Writes one segment in the order given, without threads: what makes a document number an ordinal.
fn write<'a>(
    place: Box<dyn Directory>,
    schema: Schema,
    fields: Fields,
    words: &Words,
    products: impl Iterator<Item = &'a Product>,
) -> tantivy::Result<Index> {
    let mut writer = IndexBuilder::new()
        .schema(schema)
        .tokenizers(words.manager())
        .single_segment_index_writer::<TantivyDocument>(place, WRITER_BYTES)?;
    for product in products {
        writer.add_document(document(product, fields))?;
    }
    writer.finalize()
}

fn document(product: &Product, fields: Fields) -> TantivyDocument {
    let mut doc = TantivyDocument::new();
    let titles = std::iter::once(&product.title).chain(product.i18n.values().map(|l| &l.title));
    for title in titles {
        for _ in 0..TITLE_WEIGHT {
            doc.add_text(fields.stems, title);
        }
        doc.add_text(fields.whole, title);
    }
    let properties = product.attributes.iter().flat_map(|(name, value)| [name, value]);
    let local = product.i18n.values().flat_map(|l| &l.highlights);
    let rest = product.highlights.iter().chain(&product.tags).chain(properties).chain(local);
    for text in rest.map(String::as_str).chain([product.category.as_str(), product.description.as_str()]) {
        doc.add_text(fields.stems, text);
        doc.add_text(fields.whole, text);
    }
    // Ids can be searched for but are no help in spelling.
    doc.add_text(fields.stems, product.id.as_str());

    let path = product.category.as_str().trim_matches('/');
    let cuts = path.match_indices('/').map(|(at, _)| at).chain(std::iter::once(path.len()));
    for prefix in cuts.filter_map(|cut| path.get(..cut)) {
        doc.add_text(fields.exact, category_term(prefix));
    }
    for (name, value) in &product.attributes {
        doc.add_text(fields.exact, attribute_term(name, value));
    }
    for tag in &product.tags {
        doc.add_text(fields.exact, tag_term(tag));
    }
    doc
}

fn searcher(index: &Index) -> tantivy::Result<Searcher> {
    Ok(index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?.searcher())
}

fn at<T>(path: &Path, outcome: io::Result<T>) -> Result<T, CatalogError> {
    outcome.map_err(|source| CatalogError::Disk { path: path.to_owned(), source })
}

fn remove(dir: &Path) -> Result<(), CatalogError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => at(dir, Err(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes other indexes. Best effort: one that stays behind costs space, nothing else.
fn sweep(dir: &Path, keep: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path != keep) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let digest = name.strip_prefix("index-").or_else(|| name.strip_prefix("building-"));
        if digest.is_some_and(|digest| digest.parse::<Digest>().is_ok()) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
