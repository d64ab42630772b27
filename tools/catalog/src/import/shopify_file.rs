//! Shopify product JSON (REST and webhook form, API versions 2023 to 2026).
//!
//! Ids are 64-bit integers and kept digit for digit. A currency and a link are not in the body; the shop's settings
//! have them.

use std::collections::BTreeMap;

use kit::{CategoryId, Money, ProductId, Provenance};
use serde_json::{Map, Value};

use super::check;
use super::faults::{Faults, Place};
use super::fields::{Fields, show};
use super::own::Importer;
use super::{ShopifyStore, StockedAs, html};
use crate::product::Product;

/// What a variant counts whose stock the shop does not track: enough never to be called scarce.
const UNTRACKED_STOCK: i64 = 1_000;
/// The category of products that have none.
const UNCATEGORISED: &str = "uncategorised";
/// List items of a description that become highlights.
const MAX_HIGHLIGHTS: usize = 6;

pub(super) fn read(body: &str, store: &ShopifyStore, importer: &mut Importer, faults: &mut Faults) {
    if !check::is_https(&store.site) {
        faults.add(Place::File, "site", &store.site, "the shop's address that begins with https://");
    }
    let body: Value = match serde_json::from_str(body) {
        Ok(body) => body,
        Err(error) => {
            let found = format!("broken JSON at column {}", error.column());
            return faults.add(Place::Line(error.line() as u64), "", &found, "one JSON object");
        }
    };
    let products = match &body {
        Value::Object(object) if object.contains_key("products") => match object.get("products") {
            Some(Value::Array(products)) => products.iter().collect(),
            other => return faults.add(Place::File, "products", &show(other.unwrap_or(&Value::Null)), "a list"),
        },
        Value::Object(object) if object.contains_key("product") => object.get("product").into_iter().collect(),
        other => vec![other],
    };
    for (index, product) in products.into_iter().enumerate() {
        let place = Place::Product(index);
        match product {
            Value::Object(object) => {
                if let Some(product) = read_product(object, place, store, faults) {
                    importer.add_product(product, place, faults);
                }
            }
            other => faults.add(place, "", &show(other), "a product object"),
        }
    }
}

/// The variants of one product that the shop has a name of its own for.
pub(super) fn units(body: &str, store: &ShopifyStore, faults: &mut Faults) -> Vec<StockedAs> {
    let Ok(Value::Object(body)) = serde_json::from_str(body) else { return Vec::new() };
    let product = body.get("product").and_then(Value::as_object).unwrap_or(&body);
    let mut fields = Fields::new(product, Place::Product(0), "", faults);
    let on_sale = is_on_sale(&mut fields) == Some(true);
    let named = variants(&mut fields, store).into_iter().filter_map(|v| Some((v.sku?, v.price, v.stock)));
    named.map(|(sku, price, stock)| StockedAs { sku, price, stock: if on_sale { stock.max(0) } else { 0 } }).collect()
}

/// `None` for a product with faults, or one that is not on sale online.
fn read_product(
    object: &Map<String, Value>,
    place: Place,
    store: &ShopifyStore,
    faults: &mut Faults,
) -> Option<Product> {
    let mut fields = Fields::new(object, place, "", faults);
    let on_sale = is_on_sale(&mut fields);
    if on_sale == Some(false) {
        return None;
    }
    let id: Option<ProductId> = fields.required_id("id");
    let title = fields.required_text("title");
    let handle = fields.required_text("handle");
    let description_html = fields.text("body_html").unwrap_or_default();
    let category = category(&mut fields);
    let tags = tags(&mut fields);
    let (image, image_alt) = image(&mut fields);
    let variants = variants(&mut fields, store);
    let attributes = attributes(&mut fields, &variants);
    let offered = offered(&variants);
    let url = handle.and_then(|handle| link(&mut fields, &store.site, &handle));
    on_sale?;
    let offered = offered?;
    Some(Product {
        id: id?,
        title: title?,
        category: category?,
        description: html::to_text(&description_html),
        price: offered.price,
        compare_at: offered.compare_at,
        cost: None,
        stock: variants.iter().map(|v| v.stock.max(0)).fold(0, i64::saturating_add),
        attributes,
        tags,
        url: Some(url?),
        image,
        image_alt,
        highlights: html::list_items(&description_html).into_iter().take(MAX_HIGHLIGHTS).collect(),
        care: None,
        regulated: None,
        consumable_days: None,
        considered: false,
        i18n: BTreeMap::new(),
        reviews: Vec::new(),
        provenance: Provenance::Platform,
    })
}

/// Active and published in the online store. Bodies without these keys are of products on sale. `None` when the status
/// is unknown.
fn is_on_sale(fields: &mut Fields<'_>) -> Option<bool> {
    let published = !fields.is_null("published_at");
    match fields.text("status").as_deref() {
        None | Some("active") => Some(published),
        Some("draft" | "archived" | "unlisted") => Some(false),
        Some(other) => {
            fields.fault("status", &format!("\"{other}\""), "active, archived, draft or unlisted");
            None
        }
    }
}

fn link(fields: &mut Fields<'_>, site: &str, handle: &str) -> Option<String> {
    let url = format!("{}/products/{handle}", site.trim_end_matches('/'));
    if check::is_https(&url) {
        return Some(url);
    }
    fields.fault("handle", &format!("\"{handle}\""), "letters, digits and hyphens");
    None
}

/// Shopify's taxonomy when the product has it, else the shop's own product type, as a path.
fn category(fields: &mut Fields<'_>) -> Option<CategoryId> {
    let taxonomy = match fields.value("category") {
        Some(category) => fields.within("category", category)?.text("full_name"),
        None => None,
    };
    let name = taxonomy.or_else(|| fields.text("product_type")).unwrap_or_default();
    let levels: Vec<String> = name.split('>').map(slug).filter(|level| !level.is_empty()).collect();
    let path = if levels.is_empty() { UNCATEGORISED.to_owned() } else { levels.join("/") };
    let category = check::category(&path);
    if category.is_none() {
        fields.fault("category", &format!("\"{name}\""), "a shorter name");
    }
    category
}

/// `Apparel & Accessories` → `apparel-accessories`.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// Comma-separated text in REST bodies, a list in exports.
fn tags(fields: &mut Fields<'_>) -> Vec<String> {
    match fields.value("tags") {
        Some(Value::String(tags)) => {
            tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
        }
        _ => fields.texts("tags"),
    }
}

/// Link and description of the main picture, else of the first.
fn image(fields: &mut Fields<'_>) -> (Option<String>, Option<String>) {
    let (name, image) = match fields.value("image") {
        Some(image) => ("image", Some(image)),
        None => ("images[0]", fields.list("images", "a list of pictures").first()),
    };
    match image.and_then(|image| fields.within(name, image)) {
        Some(mut image) => (image.url("src"), image.text("alt")),
        None => (None, None),
    }
}

/// What we need of a variant.
struct Variant {
    id: ProductId,
    sku: Option<String>,
    price: Money,
    compare_at: Option<Money>,
    /// Units on hand, or [`UNTRACKED_STOCK`].
    stock: i64,
    /// True when a customer can order it now.
    sellable: bool,
}

fn variants(fields: &mut Fields<'_>, store: &ShopifyStore) -> Vec<Variant> {
    let list = fields.list("variants", "a list of variants");
    if list.is_empty() {
        fields.fault("variants", "none", "at least one variant, which has the price");
    }
    let mut variants = Vec::new();
    for (i, value) in list.iter().enumerate() {
        if let Some(mut variant) = fields.within(&format!("variants[{i}]"), value) {
            variants.extend(read_variant(&mut variant, store));
        }
    }
    variants
}

fn read_variant(variant: &mut Fields<'_>, store: &ShopifyStore) -> Option<Variant> {
    let id = variant.required_id("id");
    let price = variant.required_money("price", store.currency);
    let compare_at = variant.money("compare_at_price", store.currency);
    // API versions up to 2024 send the key; null means that stock is not tracked.
    let untracked = variant.is_null("inventory_management");
    let stock = if untracked { Some(UNTRACKED_STOCK) } else { variant.required_integer("inventory_quantity") };
    let oversells = variant.text("inventory_policy").as_deref() == Some("continue");
    let stock = stock?;
    let sku = variant.text("sku").filter(|sku| !sku.is_empty());
    Some(Variant { id: id?, sku, price: price?, compare_at, stock, sellable: oversells || stock > 0 })
}

/// The cheapest variant that can be bought; of equals, the one listed first.
fn offered(variants: &[Variant]) -> Option<&Variant> {
    variants.iter().min_by_key(|v| (!v.sellable, v.price.minor))
}

fn attributes(fields: &mut Fields<'_>, variants: &[Variant]) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for (i, value) in fields.list("options", "a list of options").iter().enumerate() {
        let Some(mut option) = fields.within(&format!("options[{i}]"), value) else { continue };
        let (name, values) = (option.text("name"), option.texts("values"));
        // `Title: Default Title` is what Shopify writes for a product without options.
        if let Some(name) = name.filter(|name| name != "Title") {
            attributes.insert(name.to_lowercase(), values.join(", "));
        }
    }
    if let Some(vendor) = fields.text("vendor") {
        attributes.insert("vendor".to_owned(), vendor);
    }
    let ids: Vec<&str> = variants.iter().map(|v| v.id.as_str()).collect();
    attributes.insert("variant_ids".to_owned(), ids.join(","));
    attributes
}
