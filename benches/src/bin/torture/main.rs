//! Torture: a server under load that is killed again and again, and a provider that answers as badly as providers do.
//!
//! A round is one life of the server process: it starts at its own time of the shop (the clock jumps between lives, back as
//! well), gets webhooks (new, repeated, out of order, and those nobody had acknowledged), and dies: by `kill -9` after a
//! random time, or at a named failpoint. Then everything is allowed to come to its end, and three accounts must agree: what
//! the platform was told, what the ledger says, and what the provider itself wrote down.
//!
//! The last line is one JSON object; the exit code is 1 when an account does not agree.
#![allow(clippy::print_stdout, reason = "torture prints its result")]

mod esp;
mod http;
mod life;
mod platform;
mod shop;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use mailwright_bench::random::Random;

use esp::{Provider, Temper};
use life::{Death, Life};
use platform::Platform;
use shop::Shop;

/// A server under load, killed again and again
#[derive(Debug, Clone, Parser)]
#[command(after_help = "Example: cargo xtask torture --kills 1000")]
pub(crate) struct Args {
    /// Lives of the server that end by force
    #[arg(long, default_value_t = 40)]
    kills: u32,
    /// Which course of chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// New carts a life, at most
    #[arg(long, default_value_t = 6)]
    carts: u32,
    /// The provider cannot be asked for a key: outcomes may stay unknown
    #[arg(long)]
    blind: bool,
    /// The server's tables in this PostgreSQL database (empty, without password in the address) instead of the data folder
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The server program, built with debug assertions: without them there are no failpoints
    #[arg(long, default_value = "target/debug/mailwright")]
    server: PathBuf,
    /// Keep the data folder here (it must not exist)
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// What stops torture itself.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let args = Args::parse();
    let began = Instant::now();
    let temporary = tempfile::tempdir()?;
    let dir = args.keep.clone().unwrap_or_else(|| temporary.path().join("data"));
    let provider = Provider::start(args.seed).await?;
    let shop = Shop::set_up(&args, &dir, provider.address()).await?;
    let mut platform = Platform::new();
    let mut random = Random::new(args.seed);
    let mut deaths = Vec::new();
    for round in 0..args.kills {
        provider.temper(Temper::Bad);
        let death = Death::choose(round, &mut random);
        let now = shop.time_of(round, &mut random);
        let life = Life::start(&shop, now, death.failpoint()).await?;
        platform.load(&life, now, args.carts, &mut random).await;
        platform.approve_all(&life, &dir).await;
        let died = life.die(&death, &provider, &mut random).await?;
        deaths.push(died);
        if (round + 1) % 50 == 0 {
            println!(
                "{} of {} lives, {} carts, {} s",
                round + 1,
                args.kills,
                platform.carts(),
                began.elapsed().as_secs()
            );
        }
    }
    provider.temper(Temper::Good);
    let settled = shop.settle(&mut platform, args.kills).await?;
    let verdict = verdict::judge(&shop, &platform, &provider, &deaths, settled).await?;
    verdict.print(began.elapsed());
    Ok(if verdict.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
