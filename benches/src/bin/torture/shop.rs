//! The shop under torture: the sample shop, with a flow that waits seconds and a policy that lets most messages go.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kit::ShopId;
use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::server::Secrets;
use mailwright::store::{Address, Connection, InboxState, Place, RunState, Store};
use mailwright::tenant::Tenant;
use mailwright_bench::random::Random;

use crate::life::Life;
use crate::platform::Platform;
use crate::{Args, Failure};

/// The connection that webhooks come in by, and what signs them.
pub(crate) const CONNECTION: &str = "any";
pub(crate) const SECRET: &str = "torture_secret";

/// How far the clock goes on from life to life.
const STEP: SignedDuration = SignedDuration::from_secs(20);
/// Lives that everything may take to come to its end, once nobody kills any more.
const LAST_LIVES: u32 = 80;

/// The data folder with what is needed to serve it.
pub(crate) struct Shop {
    pub(crate) dir: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) store: Option<String>,
    pub(crate) id: ShopId,
    began: Timestamp,
}

/// How the end was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    /// Lives without a kill until nothing was open any more.
    pub(crate) lives: u32,
    /// From the last of the forced ends until then.
    pub(crate) took: Duration,
}

impl Shop {
    pub(crate) async fn set_up(args: &Args, dir: &Path, provider: &str) -> Result<Self, Failure> {
        let began: Timestamp = "2026-11-17T09:00:00Z".parse()?;
        let config = dir.with_extension("toml");
        let lookup = !args.blind;
        std::fs::create_dir_all(dir.parent().unwrap_or(dir))?;
        std::fs::write(
            &config,
            format!("[esp]\nbase_url = \"http://{provider}\"\ntimeout_s = 1\nlookup = {lookup}\n"),
        )?;
        let store = open(dir, args.store.as_deref()).await?;
        let spec = SampleSpec { customers: 60, ..SampleSpec::default() };
        let id = sample_shop::set_up(&store, &spec, began, &|_, _| {}).await?;
        let shop = store.shop(&id);
        let (_, mut files) = shop.active_release().await?.ok_or("the sample shop has no release")?;
        for (file, from, to) in [
            (
                "prompts/flows/abandoned-checkout.md",
                "wait = \"1h\"\nconsidered_wait = \"4h\"",
                "wait = \"30s\"\nconsidered_wait = \"30s\"",
            ),
            (
                "knowledge/policy/risk.toml",
                "[flow.abandoned-checkout]\ntrust = \"first\"\nfirst_sends = 20",
                "[flow.abandoned-checkout]\ntrust = \"open\"",
            ),
            ("knowledge/policy/sending.toml", "holdout_percent = 5", "holdout_percent = 0"),
            ("knowledge/policy/sending.toml", "from = 21", "from = 3"),
            ("knowledge/policy/approvals.toml", "seconds = 60", "seconds = 0"),
            ("knowledge/policy/sending.toml", "to = 8", "to = 4"),
        ] {
            let text = files.get_mut(file).ok_or("a file of the release is gone")?;
            if !text.contains(from) {
                return Err(format!("{file} does not say `{from}` any more").into());
            }
            *text = text.replace(from, to);
        }
        Tenant::set_up(&store, files, began).await?;
        Secrets::of(dir).keep(&id, CONNECTION, shop::Source::Generic, SECRET)?;
        let connection = Connection {
            id: CONNECTION.to_owned(),
            source: "generic".to_owned(),
            domain: String::new(),
            secret_env: None,
            api_base: None,
            api_token_env: None,
            created_at: began,
        };
        shop.add_connection(connection, "torture").await?;
        store.close().await;
        Ok(Self { dir: dir.to_owned(), server: args.server.clone(), config, store: args.store.clone(), id, began })
    }

    /// The time of a life. Now and then the clock has jumped: an hour ahead for one life, or ten minutes back.
    pub(crate) fn time_of(&self, round: u32, random: &mut Random) -> Timestamp {
        let usual = self.usual(round);
        let jump = match random.below(25) {
            0 => SignedDuration::from_hours(1),
            1 => SignedDuration::from_mins(-10),
            _ => SignedDuration::ZERO,
        };
        usual.checked_add(jump).unwrap_or(usual)
    }

    fn usual(&self, round: u32) -> Timestamp {
        let passed = STEP.checked_mul(i32::try_from(round).unwrap_or(i32::MAX)).unwrap_or(SignedDuration::ZERO);
        self.began.checked_add(passed).unwrap_or(self.began)
    }

    pub(crate) async fn open(&self) -> Result<Store, Failure> {
        open(&self.dir, self.store.as_deref()).await
    }

    /// Lets everything come to its end: lives that are stopped, not killed, each some time later.
    pub(crate) async fn settle(&self, platform: &mut Platform, rounds: u32) -> Result<Settled, Failure> {
        let began = Instant::now();
        for life in 0..LAST_LIVES {
            let hour = SignedDuration::from_hours(1);
            let later = hour.checked_mul(i32::try_from(life / 4).unwrap_or(0)).unwrap_or(hour);
            let now = self.usual(rounds + 200 + life).checked_add(later)?;
            let process = Life::start(self, now, None).await?;
            platform.send_what_is_owed(&process).await;
            platform.approve_all(&process, &self.dir).await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
            process.stop().await?;
            if platform.owes_nothing() && self.is_at_rest().await? {
                return Ok(Settled { lives: life + 1, took: began.elapsed() });
            }
        }
        Ok(Settled { lives: LAST_LIVES, took: began.elapsed() })
    }

    /// No event waits, no run is open, no row of the ledger is reserved.
    async fn is_at_rest(&self) -> Result<bool, Failure> {
        let store = self.open().await?;
        let shop = store.shop(&self.id);
        let received = shop.inbox(Some(InboxState::Received), 1).await?.len();
        let open = shop
            .runs(1_000_000)
            .await?
            .into_iter()
            .filter(|run| !matches!(run.state, RunState::Done | RunState::Parked))
            .count();
        let reserved = shop.unsettled_sends().await?.len();
        store.close().await;
        Ok(received + open + reserved == 0)
    }
}

async fn open(dir: &Path, store: Option<&str>) -> Result<Store, Failure> {
    let place = match store {
        Some(url) => Place::Postgres(Address::parse(url, std::env::var("MAILWRIGHT_STORE_PASSWORD").ok().as_deref())?),
        None => Place::Folder,
    };
    Ok(Store::open_at(dir, &place).await?)
}
