//! Sets up the sample shop in a data folder: release, catalogue, people. What a newcomer sees first.

use kit::{Provenance, ShopId, StoreError, Timestamp};

use crate::intake::product_rows;
use crate::release::{self, ShopSettings, ShopSettingsError};
use crate::sample::{self, CatalogueItem, Personas, Relations, SampleSpec};
use crate::store::Store;
use crate::tenant::{Tenant, TenantError};

/// Why the sample shop could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The shop itself.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// Its settings.
    #[error(transparent)]
    Settings(#[from] ShopSettingsError),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its products.
    #[error(transparent)]
    Products(#[from] catalog::ImportErrors),
    /// Its people.
    #[error(transparent)]
    Personas(#[from] sample::PersonaError),
    /// Its stories.
    #[error(transparent)]
    World(#[from] sample::SampleError),
    /// A file that should be compiled in is not.
    #[error("the sample shop has no file {0}")]
    Missing(&'static str),
}

/// Where a release keeps the shop's settings.
const SETTINGS: &str = "knowledge/shop.toml";

/// The sample shop's products, as shipped.
///
/// # Errors
/// When a product file is wrong: a fault of the build.
pub fn products() -> Result<Vec<catalog::Product>, catalog::ImportErrors> {
    let mut all = String::new();
    for (path, text) in release::sample_files() {
        if path.starts_with("products/") {
            all.push_str(text.trim_end());
            all.push('\n');
        }
    }
    catalog::import::jsonl("knowledge/sample-shop/products", all.as_bytes(), Provenance::Merchant)
}

/// A webhook body of the sample shop.
pub fn webhook(name: &str) -> Option<String> {
    release::sample_files().remove(&format!("webhooks/{name}.json"))
}

/// What the reduced products of the sample shop cost before: the former price for months, the present one for ten days.
fn past_prices(products: &[catalog::Product], now: Timestamp) -> Vec<(kit::ProductId, catalog::PricePoint)> {
    let ago = |days: i64| now.checked_sub(jiff::SignedDuration::from_hours(24 * days)).unwrap_or(now);
    let reduced = products.iter().filter_map(|p| Some((p, p.compare_at.filter(|was| was.minor > p.price.minor)?)));
    let points = |(p, was): (&catalog::Product, kit::Money)| {
        [(200, was), (10, p.price)].map(|(days, price)| (p.id.clone(), catalog::PricePoint { at: ago(days), price }))
    };
    reduced.flat_map(points).collect()
}

/// Sets up the shop with people made from `spec`, reporting how far it is.
///
/// # Errors
/// [`SetUpError`].
pub async fn set_up(
    store: &Store,
    spec: &SampleSpec,
    now: Timestamp,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<ShopId, SetUpError> {
    let files = release::defaults();
    let settings = files.get(SETTINGS).ok_or(SetUpError::Missing(SETTINGS))?;
    let shop = ShopSettings::parse(SETTINGS, settings)?.id;
    let products = products()?;
    let own = store.shop(&shop);
    own.put_prices(past_prices(&products, now)).await?;
    own.put_products(product_rows(&products)?, now).await?;
    let data = release::sample_files();
    let text = data.get("personas.toml").ok_or(SetUpError::Missing("personas.toml"))?;
    let personas = Personas::parse("knowledge/sample-shop/personas.toml", text)?;
    let world = sample::generate(spec, &personas, &items(&products), &relations())?;
    sample::plant(world, &own, progress).await?;
    // Last: a shop is there once it has a release, so a set-up that was cut off is begun again and not taken for whole.
    Ok(Tenant::set_up(store, files, now).await?)
}

/// The catalogue as the generator sees it.
pub fn items(products: &[catalog::Product]) -> Vec<CatalogueItem> {
    products
        .iter()
        .map(|p| CatalogueItem {
            id: p.id.clone(),
            category: p.category.clone(),
            price: p.price,
            cost: p.cost,
            consumable_days: p.consumable_days,
            tags: p.tags.clone(),
            stock: p.stock,
        })
        .collect()
}

/// Curated relations as the generator sees them: what goes with what, what comes next.
fn relations() -> Relations {
    #[derive(serde::Deserialize)]
    struct File {
        #[serde(default)]
        edge: Vec<Edge>,
    }
    #[derive(serde::Deserialize)]
    struct Edge {
        from: kit::ProductId,
        to: kit::ProductId,
        relation: String,
        weight: f32,
    }
    let mut relations = Relations::default();
    for (path, text) in release::sample_files() {
        // The files were read and checked with the release; here only two kinds of edges matter.
        let Some(file) = path.starts_with("graph/").then(|| toml::from_str::<File>(&text).ok()).flatten() else {
            continue;
        };
        for edge in file.edge {
            match edge.relation.as_str() {
                "accessory" => relations.accessory.push((edge.from, edge.to, edge.weight)),
                "next" => relations.next.push((edge.from, edge.to, edge.weight)),
                _ => {}
            }
        }
    }
    relations
}
