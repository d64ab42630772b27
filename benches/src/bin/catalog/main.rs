//! Catalogue search beside raw tantivy: the same words, the same filters, the same answers.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

mod floor;
mod goods;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog::{Catalog, Product, Query};
use clap::Parser;
use kit::{Currency, Money, ProductId};
use mailwright_bench::meter::{forget_peak, peak_kb, resident_kb, thread_cpu, timed};
use mailwright_bench::random::Random;
use mailwright_bench::stats::{Millis, median_by_item};
use serde::Serialize;
use serde_json::json;

use floor::{Answer, Floor};
use goods::{Factory, Wanted, wanted};

/// Stock updates measured on our side, and on the floor's, where each takes a commit.
const UPDATES: u32 = 200;
const FLOOR_UPDATES: u32 = 5;

/// Catalogue search beside raw tantivy
#[derive(Debug, Parser)]
#[command(after_help = "Example: cargo xtask bench catalog --products 1000000")]
struct Args {
    /// Size of the catalogue; design.md speaks of 1,000,000
    #[arg(long, default_value_t = 100_000)]
    products: u32,
    /// Queries of each kind
    #[arg(long, default_value_t = 600)]
    queries: u32,
    /// Rounds; the median of a query's times counts
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seed of the catalogue
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What a query filters by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Words,
    Category,
    PriceAndStock,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Words, Self::Category, Self::PriceAndStock];

    const fn label(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Category => "words, category",
            Self::PriceAndStock => "words, price, stock",
        }
    }
}

/// What building an index took.
#[derive(Debug, Serialize)]
struct Build {
    cpu_s: f64,
    disk_bytes: u64,
    rss_kb: i64,
    peak_kb: i64,
}

/// One kind of query, ours and the floor's.
#[derive(Debug, Serialize)]
struct Row {
    kind: Kind,
    ours_ms: Millis,
    floor_ms: Millis,
    ratio: Millis,
    /// Matches of all queries together.
    matches: usize,
    /// Queries that both answered alike: the same count, the same ten.
    same_answers: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let home = tempfile::tempdir()?;
    let (ours_dir, floor_dir) = (home.path().join("ours"), home.path().join("floor"));
    fs::create_dir_all(&ours_dir)?;
    fs::create_dir_all(&floor_dir)?;

    let products = Factory::new(args.seed).products(args.products)?;
    let products_kb = resident_kb();
    let (catalog, ours_build) = built(&ours_dir, || Catalog::open(&ours_dir, products))?;
    let products: Vec<Arc<Product>> = catalog.products().cloned().collect();
    let (floor, floor_build) = built(&floor_dir, || Floor::build(&floor_dir, &products))?;

    let at = |number: u32| products.get(number as usize).map(Arc::as_ref);
    let queries = wanted(at, args.queries, args.products);
    let rows = Kind::ALL.map(|kind| compare(&catalog, &floor, &queries, kind, args.rounds));
    let rows: Vec<Row> = rows.into_iter().collect::<Result<_, _>>()?;
    let ours_update = our_updates(&catalog, &products)?;
    let floor_update = floor_updates(&floor, &products)?;

    println!(
        "{} products ({} MB in memory), {} queries of 1-3 words a kind, median of {} rounds, one thread, CPU time",
        args.products,
        products_kb / 1024,
        args.queries,
        args.rounds
    );
    println!(
        "{:<20} {:>26}   {:>26}   {:>20}",
        "", "ours ms: p50   p99  mean", "tantivy: p50   p99  mean", "ratio: p50  p99 mean"
    );
    for row in &rows {
        let (ours, floor, ratio) = (row.ours_ms, row.floor_ms, row.ratio);
        println!(
            "{:<20} {:>12.3} {:>6.2} {:>6.3}   {:>12.3} {:>6.2} {:>6.3}   {:>10.2} {:>4.2} {:>4.2}",
            row.kind.label(),
            ours.p50,
            ours.p99,
            ours.mean,
            floor.p50,
            floor.p99,
            floor.mean,
            ratio.p50,
            ratio.p99,
            ratio.mean
        );
    }
    for (whose, build) in [("ours", &ours_build), ("tantivy", &floor_build)] {
        let (mb, rss, peak) = (build.disk_bytes / 1_000_000, build.rss_kb / 1024, build.peak_kb / 1024);
        println!(
            "index {whose:<8} {:>6.1} CPU s, {mb} MB on disk, {rss} MB more memory, {peak} MB at the peak",
            build.cpu_s
        );
    }
    println!(
        "stock update until a search sees it, wall ms: ours p50 {:.4} p99 {:.4}, tantivy with a commit p50 {:.1}",
        ours_update.p50, ours_update.p99, floor_update.p50
    );
    let unlike: usize = rows.iter().map(|row| queries.len() - row.same_answers).sum();
    println!("answers that differ from tantivy's: {unlike}");
    println!(
        "{}",
        json!({
            "bench": "catalog", "products": args.products, "queries": args.queries, "rounds": args.rounds,
            "kinds": rows, "ours_index": ours_build, "floor_index": floor_build, "products_rss_kb": products_kb,
            "ours_update_visible_ms": ours_update, "floor_update_visible_ms": floor_update, "unlike_answers": unlike,
        })
    );
    Ok(())
}

fn built<T, E: Error + 'static>(
    dir: &Path,
    build: impl FnOnce() -> Result<T, E>,
) -> Result<(T, Build), Box<dyn Error>> {
    forget_peak();
    let before = resident_kb();
    let (index, cpu) = timed(build);
    let (rss_kb, peak_kb) = (resident_kb() - before, peak_kb() - before);
    Ok((index?, Build { cpu_s: cpu.as_secs_f64(), disk_bytes: size(dir)?, rss_kb, peak_kb }))
}

/// Bytes of all files below a folder.
fn size(dir: &Path) -> std::io::Result<u64> {
    fs::read_dir(dir)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        let kind = entry.file_type()?;
        Ok(sum + if kind.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() })
    })
}

/// Ours and the floor in turn, query by query, so that what disturbs one disturbs the other. The first round warms up.
fn compare(
    catalog: &Catalog,
    floor: &Floor,
    queries: &[Wanted],
    kind: Kind,
    rounds: u32,
) -> Result<Row, Box<dyn Error>> {
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    let (mut matches, mut same_answers) = (0, 0);
    for round in 0..=rounds {
        let (mut our_times, mut floor_times) = (Vec::new(), Vec::new());
        for wanted in queries {
            let query = query(wanted, kind);
            let start = thread_cpu();
            let found = catalog.search(&query)?;
            our_times.push(thread_cpu().saturating_sub(start));
            let start = thread_cpu();
            let expected = floor.search(wanted, kind)?;
            floor_times.push(thread_cpu().saturating_sub(start));
            if round == 0 {
                let best = found.hits.iter().filter_map(|hit| number(&hit.id)).collect();
                let answer = Answer { total: usize::try_from(found.total)?, best };
                matches += answer.total;
                same_answers += usize::from(answer == expected);
            }
        }
        if round > 0 {
            ours.push(our_times);
            floors.push(floor_times);
        }
    }
    let (ours_ms, floor_ms) = (Millis::of(median_by_item(&ours)), Millis::of(median_by_item(&floors)));
    Ok(Row { kind, ours_ms, floor_ms, ratio: ours_ms.over(&floor_ms), matches, same_answers })
}

fn query(wanted: &Wanted, kind: Kind) -> Query {
    let text = Query { text: wanted.text.clone(), ..Query::default() };
    match kind {
        Kind::Words => text,
        Kind::Category => Query { category: Some(wanted.category.clone()), ..text },
        Kind::PriceAndStock => {
            let (low, high) = wanted.prices;
            let price = |minor| Some(Money::new(minor, Currency::EUR));
            Query { min_price: price(low), max_price: price(high), in_stock_only: true, ..text }
        }
    }
}

/// The number in an id such as `p0000017`.
fn number(id: &ProductId) -> Option<u32> {
    id.as_str().strip_prefix('p')?.parse().ok()
}

/// From the call that sets the stock to 0 to the end of the first search that no longer finds the product.
fn our_updates(catalog: &Catalog, products: &[Arc<Product>]) -> Result<Millis, Box<dyn Error>> {
    let mut times = Vec::new();
    for product in some_in_stock(products, UPDATES) {
        let query = Query { text: product.id.to_string(), in_stock_only: true, ..Query::default() };
        let found = || catalog.search(&query).map(|results| results.total > 0);
        if !found()? {
            return Err(format!("{} is not found before the update", product.id).into());
        }
        let start = Instant::now();
        catalog.set_stock(&product.id, 0)?;
        if found()? {
            return Err(format!("{} is still found after the update", product.id).into());
        }
        times.push(start.elapsed());
        catalog.set_stock(&product.id, product.stock)?;
    }
    Ok(Millis::of(times))
}

fn floor_updates(floor: &Floor, products: &[Arc<Product>]) -> Result<Millis, Box<dyn Error>> {
    let mut writer = floor.writer()?;
    let mut times: Vec<Duration> = Vec::new();
    for product in some_in_stock(products, FLOOR_UPDATES) {
        let start = Instant::now();
        floor.set_stock(&mut writer, product, 0)?;
        if floor.in_stock(product)? {
            return Err(format!("{} is still found after the commit", product.id).into());
        }
        times.push(start.elapsed());
    }
    Ok(Millis::of(times))
}

fn some_in_stock(products: &[Arc<Product>], count: u32) -> impl Iterator<Item = &Product> {
    let mut random = Random::new(0x0DD5);
    let among = u32::try_from(products.len()).unwrap_or(u32::MAX);
    let draws = std::iter::repeat_with(move || random.below(among) as usize).take(count as usize * 10);
    let drawn = draws.filter_map(|place| products.get(place)).map(Arc::as_ref);
    drawn.filter(|product| product.stock > 0).take(count as usize)
}
