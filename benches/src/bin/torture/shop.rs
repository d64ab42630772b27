//! The shop under torture: the sample shop, with a flow that waits seconds and a policy that lets most messages go.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kit::ShopId;
use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::server::Secrets;
use mailwright::store::{Address, Connection, InboxState, Place, RunState, ShopStore, Store};
use mailwright::tenant::Tenant;

use crate::Failure;
use crate::campaign;
use crate::clock::ShopClock;
use crate::life::Life;
use crate::platform::{Platform, approve_all};

/// The connection that webhooks come in by, and what signs them.
pub(crate) const CONNECTION: &str = "any";
pub(crate) const SECRET: &str = "torture_secret";

/// How long everything may take to come to its end, once nobody kills any more (issue 4).
pub(crate) const ALLOWED: Duration = Duration::from_secs(60);
/// How far time is moved on while everything comes to its end, now and then.
const LATER: SignedDuration = SignedDuration::from_mins(20);

/// When the shop opens: two days before its campaign.
pub(crate) const BEGAN: &str = "2026-11-17T09:00:00Z";

/// What a shop is served with.
pub(crate) struct Setting<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) provider: &'a str,
    /// The provider can be asked for a key.
    pub(crate) lookup: bool,
    pub(crate) store: Option<String>,
    pub(crate) server: &'a Path,
    /// The file with the time.
    pub(crate) clock: &'a Path,
}

/// The data folder with what is needed to serve it.
pub(crate) struct Shop {
    pub(crate) dir: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) clock: PathBuf,
    pub(crate) store: Option<String>,
    pub(crate) id: ShopId,
}

impl Shop {
    pub(crate) async fn set_up(setting: Setting<'_>) -> Result<Self, Failure> {
        let Setting { dir, provider, lookup, store: url, server, clock } = setting;
        let began: Timestamp = BEGAN.parse()?;
        let config = clock.with_extension("toml");
        std::fs::write(
            &config,
            format!("[esp]\nbase_url = \"http://{provider}\"\ntimeout_s = 1\nlookup = {lookup}\n"),
        )?;
        let store = open(dir, url.as_deref()).await?;
        let spec = SampleSpec { customers: 60, now: began, ..SampleSpec::default() };
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
        campaign::schedule(&store, &id, &dir.join("outbox"), began).await?;
        store.close().await;
        let (dir, server, clock) = (dir.to_owned(), server.to_owned(), clock.to_owned());
        Ok(Self { dir, server, config, clock, store: url, id })
    }

    pub(crate) async fn open(&self) -> Result<Store, Failure> {
        open(&self.dir, self.store.as_deref()).await
    }

    /// Hand-overs that have begun and are not settled.
    pub(crate) async fn in_flight(&self) -> Result<Vec<String>, Failure> {
        let store = self.open().await?;
        let shop = store.shop(&self.id);
        let mut in_flight = Vec::new();
        for key in shop.unsettled_sends().await? {
            if shop.sent_message(key).await?.is_some_and(|row| row.attempted_at.is_some()) {
                in_flight.push(key.to_string());
            }
        }
        store.close().await;
        Ok(in_flight)
    }

    /// The last life, which nobody ends by force: how long it takes until nothing is open any more, while time goes on.
    pub(crate) async fn settle(&self, platform: &mut Platform, clock: &ShopClock) -> Result<Duration, Failure> {
        let began = Instant::now();
        let life = Life::start(self, None).await?;
        if life.address.is_empty() {
            return Err(format!("the server does not start any more: {}", life.said).into());
        }
        let store = self.open().await?;
        let mut took = began.elapsed();
        while took <= ALLOWED {
            platform.send_what_is_owed(&life.address).await;
            approve_all(&life.address, &self.dir).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            took = began.elapsed();
            if platform.owes_nothing() && is_at_rest(&store.shop(&self.id)).await? {
                break;
            }
            clock.forward(clock.now().checked_add(LATER)?);
        }
        store.close().await;
        life.stop().await?;
        Ok(took)
    }
}

/// No event waits, no run is open, no row of the ledger is reserved, nobody of a campaign waits.
async fn is_at_rest(shop: &ShopStore) -> Result<bool, Failure> {
    let received = shop.inbox(Some(InboxState::Received), 1).await?.len();
    let runs = shop.runs(1_000_000).await?;
    let open = runs.iter().filter(|run| !matches!(run.state, RunState::Done | RunState::Parked)).count();
    let reserved = shop.unsettled_sends().await?.len();
    let waiting = campaign::waiting(shop).await?;
    Ok(received + open + reserved + waiting == 0)
}

async fn open(dir: &Path, store: Option<&str>) -> Result<Store, Failure> {
    let place = match store {
        Some(url) => Place::Postgres(Address::parse(url, std::env::var("MAILWRIGHT_STORE_PASSWORD").ok().as_deref())?),
        None => Place::Folder,
    };
    Ok(Store::open_at(dir, &place).await?)
}
