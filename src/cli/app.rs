//! Opening the data folder and its shop for a command.

use std::path::PathBuf;
use std::sync::Arc;

use esp::{Esp, Outbox};
use kit::{Principal, Role, ShopId, Timestamp};

use super::{Failure, Global, failure, out::Out};
use crate::cassette::{Cassette, Scrub};
use crate::clock::{Clock, SetClock, SystemClock};
use crate::config::{Config, SpendConfig};
use crate::model::ChatModel;
use crate::model::openai::{OpenAi, Profile, Secret};
use crate::model::prices::Prices;
use crate::sample::SampleSpec;
use crate::sample_shop;
use crate::store::{Address, Place, ShopStore, Store};
use crate::tenant::{Parts, Tenant};

/// The folder within a data folder into which the outbox writes.
pub(super) const OUTBOX: &str = "outbox";

/// An opened data folder with its shop.
pub(super) struct App {
    pub(super) store: Store,
    pub(super) tenant: Arc<Tenant>,
    pub(super) outbox: Arc<Outbox>,
    parts: Parts,
}

impl App {
    /// What the shop was opened with: a server opens it again when its release changes.
    pub(super) fn parts(&self) -> Parts {
        self.parts.clone()
    }

    /// Opens the folder; when it is new, sets up the sample shop in it first.
    pub(super) async fn open(global: &Global, out: &Out) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = match global.at {
            Some(time) => Arc::new(SetClock::at(time)),
            None => Arc::new(SystemClock),
        };
        Self::with_clock(global, out, clock).await
    }

    pub(super) async fn with_clock(global: &Global, out: &Out, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let dir = data_dir(global)?;
        let store = Store::open_at(&dir, &place(global)?).await.map_err(failure)?;
        let shop = Self::shop(global, &store, clock.as_ref(), out).await?;
        let outbox = Arc::new(Outbox::open(dir.join(OUTBOX)).map_err(failure)?);
        let (models, spend) = models(global)?;
        let parts = Parts { clock, esp: provider(global, &outbox)?, models };
        let tenant = Tenant::open(&store, &shop, parts.clone()).await.map_err(failure)?.with_caps(spend.into());
        Ok(Self { store, tenant: Arc::new(tenant), outbox, parts })
    }

    async fn shop(global: &Global, store: &Store, clock: &dyn Clock, out: &Out) -> Result<ShopId, Failure> {
        let known =
            store.shop(&ShopId::from_digest("none", &kit::Digest::of_bytes(b""))).shop_ids().await.map_err(failure)?;
        match (&global.shop, known.as_slice()) {
            (Some(id), _) if known.contains(id) => ShopId::new(id.clone()).map_err(failure),
            (Some(id), _) => {
                Err(Failure::new(format!("this data folder has no shop `{id}`; it has: {}", known.join(", "))))
            }
            (None, [only]) => ShopId::new(only.clone()).map_err(failure),
            (None, []) => {
                out.note("This data folder is new: setting up the sample shop.");
                let spec = SampleSpec { now: clock.now(), ..SampleSpec::default() };
                let progress = |done: usize, of: usize| {
                    if done == of {
                        out.note(&format!("  {of} records written"));
                    }
                };
                sample_shop::set_up(store, &spec, clock.now(), &progress).await.map_err(failure)
            }
            (None, many) => Err(Failure::new(format!(
                "this data folder has several shops; say which with --shop: {}",
                many.join(", ")
            ))),
        }
    }

    /// Ends the command: everything acknowledged is on disk.
    pub(super) async fn close(self) {
        let Self { store, tenant, outbox: _, parts: _ } = self;
        drop(tenant);
        store.close().await;
    }
}

/// The shop's store alone, with the time: for what must work when the rest of the shop does not.
pub(super) async fn open_store(global: &Global, out: &Out) -> Result<(ShopStore, Timestamp), Failure> {
    let now = global.at.unwrap_or_else(|| SystemClock.now());
    let store = Store::open_at(&data_dir(global)?, &place(global)?).await.map_err(failure)?;
    let shop = App::shop(global, &store, &SetClock::at(now), out).await?;
    Ok((store.shop(&shop), now))
}

/// Who decides on the command line: a person, named, with a role.
pub(super) fn person(name: &str, role: Role) -> Result<Principal, Failure> {
    Principal::person(name, role).ok_or_else(|| Failure::new("say who you are: --as NAME"))
}

/// Where the tables are: the command line before the configuration file before the data folder.
pub(super) fn place(global: &Global) -> Result<Place, Failure> {
    let config = global.config.as_deref().map(Config::read).transpose().map_err(failure)?;
    let config = config.and_then(|config| config.store);
    let url = global.store.clone().or_else(|| config.as_ref().map(|store| store.url.clone()));
    let Some(url) = url else { return Ok(Place::Folder) };
    let password = match &config {
        Some(store) => store.password().map_err(failure)?,
        None => None,
    };
    let password = password.or_else(|| std::env::var("MAILWRIGHT_STORE_PASSWORD").ok());
    Ok(Place::Postgres(Address::parse(&url, password.as_deref()).map_err(failure)?))
}

pub(super) fn data_dir(global: &Global) -> Result<PathBuf, Failure> {
    if let Some(dir) = &global.data {
        return Ok(dir.clone());
    }
    let dirs = directories::ProjectDirs::from("", "", "mailwright");
    dirs.map(|d| d.data_dir().to_owned())
        .ok_or_else(|| Failure::new("this system names no data directory; choose one with --data DIR"))
}

/// Who sends: the provider of the configuration file, else the outbox.
fn provider(global: &Global, outbox: &Arc<Outbox>) -> Result<Arc<dyn Esp>, Failure> {
    let config = global.config.as_deref().map(Config::read).transpose().map_err(failure)?;
    match config.and_then(|config| config.esp) {
        Some(esp) => Ok(Arc::new(esp.open().map_err(failure)?)),
        None => Ok(outbox.clone()),
    }
}

/// The models in order of preference, and what they may cost.
pub(super) fn models(global: &Global) -> Result<(Vec<Arc<dyn ChatModel>>, SpendConfig), Failure> {
    let mut models: Vec<Arc<dyn ChatModel>> = Vec::new();
    let mut add = |profile: Profile| -> Result<(), Failure> {
        models.push(Arc::new(OpenAi::with(profile, global.tape.clone()).map_err(failure)?));
        Ok(())
    };
    if let Some(url) = &global.base_url {
        let mut profile = Profile { tool_mode: global.tool_mode, ..Profile::new(&global.model, url, &global.model) };
        if let Ok(key) = std::env::var("MAILWRIGHT_API_KEY") {
            profile.api_key = Secret::new(key);
        }
        profile.price = Prices::shipped().map_err(failure)?.find(profile.provider, &profile.model);
        add(profile)?;
    }
    let mut spend = SpendConfig::default();
    if let Some(file) = &global.config {
        let config = Config::read(file).map_err(failure)?;
        config.profiles().map_err(failure)?.into_iter().try_for_each(&mut add)?;
        spend = config.spend;
    }
    Ok((models, spend))
}

/// The cassette that records requests to models, or stands in for their servers.
pub(super) fn tape(global: &Global) -> Result<Option<Arc<Cassette>>, Failure> {
    let tape = match (&global.cassette, global.record) {
        (Some(file), true) => Some(Cassette::record(file, Scrub::default())),
        (Some(file), false) => Some(Cassette::replay(file, Scrub::default())),
        (None, _) => None,
    };
    Ok(tape.transpose().map_err(failure)?.map(Arc::new))
}
