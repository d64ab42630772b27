//! Torture: a server under load that is killed again and again, and a provider that answers as badly as providers do.
//!
//! A round is one life of the server process: it gets webhooks (new, repeated, at once, out of order, unreadable, forged,
//! and those nobody had acknowledged), and dies: by `kill -9` after a random time, or at a named failpoint. Meanwhile the
//! clock jumps, the disk fills, the database server goes away and comes back. At the end a campaign is sent through the same
//! kills. Then everything is allowed to come to its end, and three accounts must agree: what the platform was told, what
//! the ledger says, and what the provider itself wrote down.
//!
//! The exit code is 1 when an account does not agree, or a failpoint was met too rarely.
#![allow(clippy::print_stdout, reason = "torture prints its result")]

mod campaign;
mod clock;
mod disk;
mod esp;
mod http;
mod life;
mod plan;
mod platform;
mod postgres;
mod progress;
mod report;
mod round;
mod shop;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use mailwright_bench::random::Random;

use clock::ShopClock;
use disk::Disk;
use esp::{Provider, Temper};
use plan::{CAMPAIGN, Means, Planner};
use platform::Platform;
use postgres::Postgres;
use progress::Progress;
use round::World;
use shop::{BEGAN, Setting, Shop};

/// A server under load, killed again and again
#[derive(Debug, Clone, Parser)]
#[command(after_help = "Example: cargo xtask torture --kills 1000 --postgres")]
pub(crate) struct Args {
    /// Lives of the server that end by force; what the failpoints lack after that is added
    #[arg(long, default_value_t = 40)]
    kills: u32,
    /// How often each failpoint is to be met; a fiftieth of the kills unless it is said
    #[arg(long)]
    quota: Option<u32>,
    /// Kill no more after so many minutes, whatever is lacking
    #[arg(long)]
    minutes: Option<u64>,
    /// Which course of chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// New carts a life, at most
    #[arg(long, default_value_t = 6)]
    carts: u32,
    /// The provider cannot be asked for a key: outcomes may stay unknown. The disk does not fill then
    #[arg(long)]
    blind: bool,
    /// The server's tables in a PostgreSQL server that is started for this, and crashes now and then
    #[arg(long, conflicts_with = "store")]
    postgres: bool,
    /// The server's tables in this PostgreSQL database (empty, without password in the address) instead of the data folder
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The server program, built with debug assertions: without them there are no failpoints
    #[arg(long, default_value = "target/debug/mailwright")]
    server: PathBuf,
    /// Keep the data folder here (it must not exist); its disk cannot be filled then
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print the result as one JSON object alone; progress goes to standard error in any case
    #[arg(long)]
    json: bool,
}

/// What stops torture itself.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<ExitCode, Failure> {
    let args = Args::parse();
    // Before any thread: the namespace is this process's own.
    if args.keep.is_none()
        && let Some(code) = disk::enter()?
    {
        return Ok(code);
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(torture(&args))
}

async fn torture(args: &Args) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let temporary = tempfile::tempdir()?;
    // Others than this user's programs look into it: the database server runs without rights.
    open_to_others(temporary.path())?;
    let disk = match &args.keep {
        Some(_) => None,
        None => Some(Disk::at(&temporary.path().join("disk"))?),
    };
    let root = args.keep.clone().unwrap_or_else(|| temporary.path().join("disk"));
    std::fs::create_dir_all(&root)?;
    let postgres = match args.postgres {
        true => Some(Postgres::start(&root.join("postgres")).await?),
        false => None,
    };
    let provider = Provider::start(args.seed).await?;
    let clock = ShopClock::start(&temporary.path().join("clock"), BEGAN.parse()?)?;
    let shop = Shop::set_up(Setting {
        dir: &root.join("data"),
        provider: provider.address(),
        lookup: !args.blind,
        store: postgres.as_ref().map(Postgres::url).or_else(|| args.store.clone()),
        server: &args.server,
        clock: clock.path(),
    })
    .await?;
    // Whether a call of a provider that cannot be asked was in flight when storage went away is nobody's to count.
    let disk = disk.filter(|disk| disk.is_own() && !args.blind);
    let means = Means { disk: disk.is_some(), store: postgres.is_some() && !args.blind };
    let quota = args.quota.unwrap_or(args.kills / 50);
    let mut world = World {
        platform: Platform::new(),
        random: Random::new(args.seed),
        planner: Planner::new(means, quota),
        deaths: Vec::new(),
        carts: args.carts,
        shop,
        provider,
        clock,
        disk,
        postgres,
    };
    let limit = args.minutes.map(|minutes| Duration::from_secs(minutes * 60));
    kill(&mut world, args.kills, quota, limit).await?;
    world.provider.temper(Temper::Good);
    let settled = world.shop.settle(&mut world.platform, &world.clock).await?;
    let verdict = verdict::judge(&world, quota, settled).await?;
    verdict.print(args.json, began.elapsed());
    Ok(if verdict.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All the lives that end by force.
async fn kill(world: &mut World, kills: u32, quota: u32, limit: Option<Duration>) -> Result<(), Failure> {
    let mut progress = Progress::start(kills);
    let began = Instant::now();
    let in_time = || limit.is_none_or(|limit| began.elapsed() < limit);
    for _ in 0..kills {
        if !in_time() {
            break;
        }
        let round = world.planner.next(&mut world.random);
        world.live(&round).await?;
        progress.tell(world);
    }
    // At most as many again, so that a place that nothing comes by any more does not keep this going for ever.
    for _ in 0..kills {
        if !world.planner.lacks_hits() || !in_time() {
            break;
        }
        let round = world.planner.at_a_place(&mut world.random);
        world.live(&round).await?;
        progress.tell(world);
    }
    world.clock.forward(campaign::EVENING.parse()?);
    // As often as it takes with a provider that hangs, and a few more.
    for lives in 0..6 * quota.max(2) {
        if lives >= quota + 4 && !world.planner.lacks(CAMPAIGN) {
            break;
        }
        let round = world.planner.next_with_campaign(&mut world.random);
        world.live(&round).await?;
        progress.tell(world);
    }
    progress.end(world);
    Ok(())
}

fn open_to_others(dir: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755))?)
}
