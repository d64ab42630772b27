//! `mailwright catalog import|search`.

use std::path::PathBuf;

use catalog::{Product, Query, import};
use clap::{Args, Subcommand};
use kit::product::Shelf as _;
use kit::{CategoryId, Language, Provenance};

use super::app::App;
use super::out::{Out, short};
use super::{Failure, Global, failure};
use crate::intake::product_rows;

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright catalog search \"waterproof boot\"")]
pub(super) struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// Import products: .jsonl, .csv, or Shopify product JSON (.json). All of the file or nothing of it.
    #[command(after_help = "Example: mailwright catalog import products.jsonl")]
    Import {
        /// The file.
        file: PathBuf,
        /// Titles and descriptions come from a supplier's feed: treat them as third-party text.
        #[arg(long)]
        third_party: bool,
    },
    /// Search as `search_catalog` does.
    #[command(after_help = "Example: mailwright catalog search \"waterproof boot\" --in-stock")]
    Search {
        /// Words.
        text: String,
        /// Only this category and below.
        #[arg(long)]
        category: Option<CategoryId>,
        /// Only what can be bought now.
        #[arg(long)]
        in_stock: bool,
        /// How many.
        #[arg(long, default_value_t = 10)]
        limit: usize,
    },
}

pub(super) async fn run(global: &Global, args: CatalogArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let done = match args.command {
        CatalogCommand::Import { file, third_party } => put(&app, &file, third_party, out).await,
        CatalogCommand::Search { text, category, in_stock, limit } => {
            search(&app, text, category, in_stock, limit, out)
        }
    };
    app.close().await;
    done
}

async fn put(app: &App, file: &PathBuf, third_party: bool, out: &Out) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(|e| Failure::new(format!("{}: {e}", file.display())))?;
    let label = file.display().to_string();
    let provenance = if third_party { Provenance::ThirdParty } else { Provenance::Merchant };
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let products: Vec<Product> = match extension.as_str() {
        "jsonl" | "ndjson" => import::jsonl(&label, &bytes, provenance).map_err(failure)?,
        "csv" => import::csv(&label, &bytes, provenance).map_err(failure)?,
        "json" => import::shopify(&label, &bytes, &app.tenant.shopify_store()).map_err(failure)?,
        other => {
            return Err(Failure::new(format!(
                "{label}: `.{other}` is not read; use .jsonl, .csv, or .json for Shopify"
            )));
        }
    };
    let currency = app.tenant.release.shop.currency;
    if let Some(other) = products.iter().find(|p| p.price.currency != currency) {
        return Err(Failure::new(format!(
            "{label}: product {} is priced in {}, this shop sells in {currency} (knowledge/shop.toml); nothing was imported",
            other.id, other.price.currency
        )));
    }
    let rows = product_rows(&products).map_err(failure)?;
    let count = rows.len();
    app.tenant.store.put_products(rows, app.tenant.clock.now()).await.map_err(failure)?;
    out.line(&format!("{count} product(s) imported from {label}"));
    out.value(&serde_json::json!({ "imported": count }))
}

fn search(
    app: &App,
    text: String,
    category: Option<CategoryId>,
    in_stock: bool,
    limit: usize,
    out: &Out,
) -> Result<(), Failure> {
    let catalog = &app.tenant.catalog;
    let query = Query { text, category, in_stock_only: in_stock, limit: limit.clamp(1, 50), ..Query::default() };
    let results = catalog.search(&query).map_err(failure)?;
    let now = app.tenant.clock.now();
    let cards: Vec<_> = results.hits.iter().filter_map(|hit| catalog.card(&hit.id, &Language::EN, now)).collect();
    out.value(&serde_json::json!({ "total": results.total, "corrected": results.corrected, "hits": cards }))?;
    if let Some(corrected) = &results.corrected {
        out.line(&format!("Showing results for “{corrected}”."));
    }
    let rows: Vec<Vec<String>> = cards
        .iter()
        .map(|c| {
            vec![
                c.id.to_string(),
                short(&c.title, 44),
                c.category.to_string(),
                c.price.display_in(&Language::EN),
                c.stock.to_string(),
            ]
        })
        .collect();
    out.table(&["product", "title", "category", "price", "stock"], &rows);
    out.line(&format!("{} of {}", rows.len(), results.total));
    Ok(())
}
