//! Import: files of a shop into products, all of them or none.
//!
//! Every fault is reported with its place, what was found and what is expected, up to [`MAX_SHOWN`] at once, and
//! nothing is imported while there is one: half a catalogue sells what does not exist.

mod check;
mod csv_file;
mod faults;
mod fields;
mod html;
mod own;
mod shopify_file;

use kit::{Currency, Provenance};
use serde_json::Value;

pub use faults::{Fault, ImportErrors, MAX_SHOWN, Place};

use crate::product::Product;
use faults::Faults;
use own::Importer;

/// Reads the shop's own format, one JSON object a line. Blank lines, a byte order mark and CRLF are accepted.
///
/// `file` names the source in faults. `provenance` says who wrote the words: [`Provenance::Merchant`] for the shop's
/// own, [`Provenance::ThirdParty`] for a supplier's feed, whose words will be fenced.
///
/// # Errors
/// All faults, the first [`MAX_SHOWN`] in full.
pub fn jsonl(file: &str, bytes: &[u8], provenance: Provenance) -> Result<Vec<Product>, ImportErrors> {
    let mut faults = Faults::new(file);
    let mut importer = Importer::new(provenance);
    for (line, number) in text(bytes, &mut faults).lines().zip(1..) {
        if line.trim().is_empty() {
            continue;
        }
        let place = Place::Line(number);
        match serde_json::from_str(line) {
            Ok(Value::Object(object)) => importer.add(&object, place, &mut faults),
            Ok(other) => faults.add(place, "", &fields::show(&other), "one JSON object a line"),
            Err(error) => {
                let found = format!("broken JSON at column {}", error.column());
                faults.add(place, "", &found, "one whole JSON object a line");
            }
        }
    }
    importer.finish(faults)
}

/// Reads CSV with a header line: the columns of [`jsonl`], lists separated by `|`, attributes as `attr.<name>`,
/// translations as `i18n.<language>.title`, `.highlights` and `.care`. Reviews have no column. An empty cell is an
/// absent value.
///
/// # Errors
/// As [`jsonl`].
pub fn csv(file: &str, bytes: &[u8], provenance: Provenance) -> Result<Vec<Product>, ImportErrors> {
    let mut faults = Faults::new(file);
    let mut importer = Importer::new(provenance);
    csv_file::read(text(bytes, &mut faults), &mut importer, &mut faults);
    importer.finish(faults)
}

/// What Shopify's product JSON leaves unsaid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopifyStore {
    /// The shop's currency; prices come as bare decimals.
    pub currency: Currency,
    /// The shop front, such as `https://www.shop.example`; product links are made of it and the handle.
    pub site: String,
}

/// Reads Shopify product JSON: the body of a `products/create` or `products/update` webhook, `{"product": …}`, or an
/// export `{"products": […]}`.
///
/// A product is one of ours: price and former price of its cheapest variant that can be bought (of the cheapest, when
/// none can), stock summed over its variants, their ids in the attribute `variant_ids`. Products that are not on sale
/// in the online store (draft, archived, unpublished) are left out.
///
/// # Errors
/// As [`jsonl`].
pub fn shopify(file: &str, bytes: &[u8], store: &ShopifyStore) -> Result<Vec<Product>, ImportErrors> {
    let mut faults = Faults::new(file);
    let mut importer = Importer::new(Provenance::Platform);
    let body = text(bytes, &mut faults);
    if !body.is_empty() {
        shopify_file::read(body, store, &mut importer, &mut faults);
    }
    importer.finish(faults)
}

/// A variant of a Shopify product by the shop's own name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockedAs {
    /// The stock-keeping unit.
    pub sku: String,
    /// Its price.
    pub price: kit::Money,
    /// Units on hand; none for a product that is not on sale.
    pub stock: i64,
}

/// The variants of one Shopify product that have a stock-keeping unit, on sale or not: shops whose catalogue goes by these
/// units are told of price and stock this way.
///
/// # Errors
/// As [`jsonl`].
pub fn shopify_units(file: &str, bytes: &[u8], store: &ShopifyStore) -> Result<Vec<StockedAs>, ImportErrors> {
    let mut faults = Faults::new(file);
    let body = text(bytes, &mut faults);
    let units = shopify_file::units(body, store, &mut faults);
    Importer::new(Provenance::Platform).finish(faults).map(|_| units)
}

/// The bytes as text without a byte order mark; empty, with a fault, when they are none.
fn text<'a>(bytes: &'a [u8], faults: &mut Faults) -> &'a str {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        faults.add(Place::File, "", "UTF-16", "UTF-8: save the file again in that encoding");
        return "";
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => {
            faults.add(Place::File, "", "an empty file", "at least one product");
            ""
        }
        Ok(text) => text,
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count() as u64;
            let found = format!("bytes that are not UTF-8 (at byte {})", error.valid_up_to());
            faults.add(Place::Line(line), "", &found, "UTF-8: save the file again in that encoding");
            ""
        }
    }
}
