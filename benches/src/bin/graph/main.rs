//! The product graph beside a bare counter kernel: the same order lines, the same histories.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

mod floor;
mod orders;

use std::collections::HashMap;
use std::error::Error;

use clap::Parser;
use graph::{Availability, GraphBuilder, GraphProduct, Live, Owned, ProductGraph, Request};
use kit::{Currency, Language, Money, ProductId};
use mailwright_bench::meter::{forget_peak, peak_kb, resident_kb, thread_cpu, timed};
use mailwright_bench::stats::Millis;
use serde::Serialize;
use serde_json::json;

use floor::{Kernel, Sums};
use orders::{Taste, last_purchase, now, products};

/// Past purchases of a request, and products asked for.
const HISTORY: usize = 20;
const K: usize = 4;
/// One product in so many is sold out.
const SOLD_OUT: u32 = 10;

/// The product graph beside a bare counter kernel
#[derive(Debug, Parser)]
#[command(after_help = "Example: cargo xtask bench graph --products 20000 --interactions 900000")]
struct Args {
    /// Size of the catalogue
    #[arg(long, default_value_t = 100_000)]
    products: u32,
    /// Order lines to learn from
    #[arg(long, default_value_t = 4_500_000)]
    interactions: usize,
    /// Recommendations measured
    #[arg(long, default_value_t = 10_000)]
    requests: usize,
    /// Seed of orders and histories
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What building took.
#[derive(Debug, Serialize)]
struct Build {
    cpu_s: f64,
    /// More memory when it was done.
    rss_kb: i64,
    /// More memory at the worst moment.
    peak_kb: i64,
    edges: usize,
}

/// The live catalogue: one look-up by id, as in the real one.
struct Stock {
    sellable: HashMap<ProductId, bool>,
}

impl Live for Stock {
    fn availability(&self, product: &ProductId) -> Availability {
        match self.sellable.get(product) {
            Some(true) => Availability::Sellable { price: Money::new(1_990, Currency::EUR), regulated: false },
            Some(false) | None => Availability::Unavailable,
        }
    }

    fn title(&self, product: &ProductId) -> Option<String> {
        Some(product.to_string())
    }
}

/// One customer's past, as positions and as the graph takes it.
struct Past {
    positions: Vec<u32>,
    owned: Vec<Owned>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let catalogue = products(args.products)?;
    let mut taste = Taste::new(args.seed, args.products);
    let lines = taste.lines(args.interactions);
    let customers = lines.last().map_or(0, |line| line.customer + 1);
    let pasts = pasts(&mut taste, &catalogue, args.requests);
    let sellable: Vec<bool> = (0..args.products).map(|place| place % SOLD_OUT != 7).collect();
    let live = Stock { sellable: catalogue.iter().map(|p| p.id.clone()).zip(sellable.iter().copied()).collect() };

    let (kernel, floor_build) = built(|| Kernel::build(args.products, &lines), Kernel::len);
    let build = || GraphBuilder::new(catalogue.iter().cloned()).orders(lines.iter().copied()).build(now());
    let (graph, our_build) = built(build, |graph| graph.as_ref().map_or(0, ProductGraph::edges));
    let graph = graph?;

    let ours_ms = ours(&graph, &pasts, &live)?;
    let floor_ms = floors(&kernel, &pasts, &sellable, args.products);
    let (build_ratio, ratio) = (our_build.cpu_s / floor_build.cpu_s, ours_ms.over(&floor_ms));

    println!("{} products, {} order lines of {customers} customers, one thread, CPU time", args.products, lines.len());
    println!("{:<44} {:>10} {:>10} {:>8}", "", "ours", "floor", "ratio");
    println!("{:<44} {:>10.2} {:>10.2} {build_ratio:>8.2}", "build, CPU s", our_build.cpu_s, floor_build.cpu_s);
    println!("{:<44} {:>10} {:>10}", "  memory kept, MB", our_build.rss_kb / 1024, floor_build.rss_kb / 1024);
    println!("{:<44} {:>10} {:>10}", "  memory at the peak, MB", our_build.peak_kb / 1024, floor_build.peak_kb / 1024);
    println!("{:<44} {:>10} {:>10}", "  edges", our_build.edges, floor_build.edges);
    let title = format!("{K} products from {HISTORY} past ones, ms");
    println!("{title:<40} p50 {:>10.4} {:>10.4} {:>8.2}", ours_ms.p50, floor_ms.p50, ratio.p50);
    println!("{:<40} p99 {:>10.4} {:>10.4} {:>8.2}", "", ours_ms.p99, floor_ms.p99, ratio.p99);
    println!("the floor knows one relation of nine, no reasons, no variety, and one bit of what may be offered");
    println!(
        "{}",
        json!({
            "bench": "graph", "products": args.products, "interactions": lines.len(), "customers": customers,
            "requests": args.requests, "build": our_build, "floor_build": floor_build, "build_ratio": build_ratio,
            "recommend_ms": ours_ms, "floor_recommend_ms": floor_ms, "recommend_ratio": ratio,
        })
    );
    Ok(())
}

fn built<T>(build: impl FnOnce() -> T, edges: impl FnOnce(&T) -> usize) -> (T, Build) {
    forget_peak();
    let before = resident_kb();
    let (result, cpu) = timed(build);
    let (rss_kb, peak_kb) = (resident_kb() - before, peak_kb() - before);
    let edges = edges(&result);
    (result, Build { cpu_s: cpu.as_secs_f64(), rss_kb, peak_kb, edges })
}

/// Histories of people with the interests that the orders show.
fn pasts(taste: &mut Taste, catalogue: &[GraphProduct], count: usize) -> Vec<Past> {
    let last_bought = last_purchase();
    let past = |_| {
        let interests = taste.interests();
        let mut positions: Vec<u32> = (0..HISTORY).map(|_| taste.product(interests)).collect();
        positions.sort_unstable();
        positions.dedup();
        let products = positions.iter().filter_map(|place| catalogue.get(*place as usize));
        let owned = products.map(|p| Owned { product: p.id.clone(), last_bought, returned: false, due_at: None });
        Past { owned: owned.collect(), positions }
    };
    (0..count).map(past).collect()
}

fn ours(graph: &ProductGraph, pasts: &[Past], live: &Stock) -> Result<Millis, Box<dyn Error>> {
    let mut times = Vec::with_capacity(pasts.len());
    let mut short = 0;
    for round in 0..2 {
        for past in pasts {
            let request = Request {
                basket: &[],
                exclude: &[],
                history: &past.owned,
                favourites: &[],
                k: K,
                language: &Language::EN,
                now: now(),
                regulated: false,
                price_band: None,
            };
            let start = thread_cpu();
            let found = graph.recommend(&request, live);
            let took = thread_cpu().saturating_sub(start);
            // The first round warms up.
            if round > 0 {
                times.push(took);
                short += usize::from(found.len() < K);
            }
        }
    }
    if short > 0 {
        return Err(format!("{short} of {} requests got fewer than {K} products", pasts.len()).into());
    }
    Ok(Millis::of(times))
}

fn floors(kernel: &Kernel, pasts: &[Past], sellable: &[bool], products: u32) -> Millis {
    let (mut sums, mut times) = (Sums::new(products), Vec::with_capacity(pasts.len()));
    for round in 0..2 {
        for past in pasts {
            let start = thread_cpu();
            std::hint::black_box(sums.recommend(kernel, &past.positions, sellable));
            let took = thread_cpu().saturating_sub(start);
            if round > 0 {
                times.push(took);
            }
        }
    }
    Millis::of(times)
}
