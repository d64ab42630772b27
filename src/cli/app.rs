//! Opening the data folder and its shop for a command.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use esp::{Esp, Outbox};
use kit::{Principal, Role, ShopId, Timestamp};

use super::out::{Ink, Out, clean};
use super::{Failure, Global, failure};
use crate::access::{self, Shown};
use crate::cassette::{Cassette, Scrub};
use crate::clock::{Clock, SetClock, SystemClock};
use crate::config::{Config, SpendConfig};
use crate::model::ChatModel;
use crate::model::openai::{OpenAi, Profile, Secret};
use crate::model::prices::Prices;
use crate::sample::SampleSpec;
use crate::sample_shop;
use crate::store::{Address, DATABASE, Place, ShopStore, Store};
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
        Self::with_clock(global, out, clock(global)).await
    }

    /// Opens a folder that holds a shop: what decides or lists has nothing to do in a new one.
    pub(super) async fn existing(global: &Global, out: &Out) -> Result<Self, Failure> {
        must_exist(global)?;
        Self::open(global, out).await
    }

    pub(super) async fn with_clock(global: &Global, out: &Out, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let dir = data_dir(global)?;
        let store = Store::open_at(&dir, &place(global)?).await.map_err(failure)?;
        let shop = match shop(global, &store).await? {
            Some(shop) => shop,
            None => set_up(&store, clock.as_ref(), out).await?,
        };
        let outbox = Arc::new(Outbox::open(dir.join(OUTBOX)).map_err(failure)?);
        let Models { list, spend, reader } = models(global)?;
        let parts = Parts { caps: spend.into(), reader, ..Parts::new(clock, provider(global, &outbox)?, list) };
        let tenant = Tenant::open(&store, &shop, parts.clone()).await.map_err(failure)?;
        for what in &tenant.left_out {
            out.note(&format!("{} left out: {what}", out.ink(Ink::Warn, "warning:")));
        }
        Ok(Self { store, tenant: Arc::new(tenant), outbox, parts })
    }

    /// Who decides, as [`who`].
    pub(super) async fn who(&self, name: &str, needed: Role, what: &str) -> Result<Principal, Failure> {
        who(&self.tenant.store, Some(name), needed, what, self.tenant.clock.now()).await
    }

    /// Ends the command: everything acknowledged is on disk.
    pub(super) async fn close(self) {
        let Self { store, tenant, outbox: _, parts: _ } = self;
        drop(tenant);
        store.close().await;
    }
}

/// The shop's store alone, with the time: for what must work when the rest of the shop does not.
pub(super) async fn open_store(global: &Global) -> Result<(ShopStore, Timestamp), Failure> {
    must_exist(global)?;
    let store = Store::open_at(&data_dir(global)?, &place(global)?).await.map_err(failure)?;
    let shop = shop(global, &store).await?.ok_or_else(|| no_shop(store.dir()))?;
    Ok((store.shop(&shop), clock(global).now()))
}

/// The options that lead another command to the same shop at the same time, ready to stand behind it.
pub(super) fn again(global: &Global) -> String {
    let data = global.data.as_ref().map(|dir| format!(" --data {}", dir.display()));
    let shop = global.shop.as_ref().map(|shop| format!(" --shop {shop}"));
    let at = global.at.map(|at| format!(" --at {at}"));
    [data, shop, at].into_iter().flatten().collect()
}

/// Words that a person gives as a reason: read by others on their terminals, in the trail, by the writer.
pub(super) fn reason(text: &str) -> Result<&str, Failure> {
    if text != clean(text) {
        return Err(Failure::new("the reason holds line breaks or hidden characters; write one line of plain words"));
    }
    Ok(text)
}

fn clock(global: &Global) -> Arc<dyn Clock> {
    match (global.at, crate::failpoint::clock()) {
        (Some(time), _) => Arc::new(SetClock::at(time)),
        (None, Some(clock)) => clock,
        (None, None) => Arc::new(SystemClock),
    }
}

/// Opening would make the folder: a mistyped one is named instead.
fn must_exist(global: &Global) -> Result<(), Failure> {
    let dir = data_dir(global)?;
    let here = matches!(place(global)?, Place::Folder);
    // A folder that cannot be looked into is the store's to report.
    if here && matches!(dir.join(DATABASE).try_exists(), Ok(false)) { Err(no_shop(&dir)) } else { Ok(()) }
}

fn no_shop(dir: &Path) -> Failure {
    Failure::new(format!(
        "there is no shop in {}; name another folder with --data DIR, or begin with `mailwright demo`",
        dir.display()
    ))
}

/// The shop that is meant; `None` when there is none yet.
async fn shop(global: &Global, store: &Store) -> Result<Option<ShopId>, Failure> {
    let known =
        store.shop(&ShopId::from_digest("none", &kit::Digest::of_bytes(b""))).shop_ids().await.map_err(failure)?;
    let known_as = |id: &String| ShopId::new(id.clone()).map(Some).map_err(failure);
    match (&global.shop, known.as_slice()) {
        (Some(id), _) if known.contains(id) => known_as(id),
        (Some(id), _) => {
            Err(Failure::new(format!("this data folder has no shop `{id}`; it has: {}", known.join(", "))))
        }
        (None, [only]) => known_as(only),
        (None, []) => Ok(None),
        (None, many) => {
            Err(Failure::new(format!("this data folder has several shops; say which with --shop: {}", many.join(", "))))
        }
    }
}

async fn set_up(store: &Store, clock: &dyn Clock, out: &Out) -> Result<ShopId, Failure> {
    out.note("This data folder is new: setting up the sample shop.");
    let spec = SampleSpec { now: clock.now(), ..SampleSpec::default() };
    let progress = |done: usize, of: usize| {
        if done == of {
            out.note(&format!("  {of} records written"));
        }
    };
    sample_shop::set_up(store, &spec, clock.now(), &progress).await.map_err(failure)
}

/// Who decides on the command line, when they may do what takes this role: by a token of the environment, or as the owner of
/// the data folder while the shop has no users. `what` names the command in the audit trail.
pub(super) async fn who(
    store: &ShopStore,
    name: Option<&str>,
    needed: Role,
    what: &str,
    now: Timestamp,
) -> Result<Principal, Failure> {
    let token = access::token_of_environment().map_err(failure)?;
    access::known(store, Shown { token: token.as_deref(), name }, needed, what, now).await.map_err(failure)
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
pub(super) fn provider(global: &Global, outbox: &Arc<Outbox>) -> Result<Arc<dyn Esp>, Failure> {
    let config = global.config.as_deref().map(Config::read).transpose().map_err(failure)?;
    match config.and_then(|config| config.esp) {
        Some(esp) => Ok(Arc::new(esp.open(global.tape.clone()).map_err(failure)?)),
        None => Ok(outbox.clone()),
    }
}

/// The models of a command, and what they may cost.
#[derive(Default)]
pub(super) struct Models {
    /// In order of preference.
    pub(super) list: Vec<Arc<dyn ChatModel>>,
    pub(super) spend: SpendConfig,
    /// Who reads texts from outside.
    pub(super) reader: Option<Arc<dyn ChatModel>>,
}

/// The models of the command line and the configuration file.
pub(super) fn models(global: &Global) -> Result<Models, Failure> {
    let open = |profile: Profile| -> Result<Arc<dyn ChatModel>, Failure> {
        Ok(Arc::new(OpenAi::with(profile, global.tape.clone()).map_err(failure)?))
    };
    let mut models = Models::default();
    if let Some(url) = &global.base_url {
        let mut profile = Profile { tool_mode: global.tool_mode, ..Profile::new(&global.model, url, &global.model) };
        if let Ok(key) = std::env::var("MAILWRIGHT_API_KEY") {
            profile.api_key = Secret::new(key);
        }
        profile.price = Prices::shipped().map_err(failure)?.find(profile.provider, &profile.model);
        models.list.push(open(profile)?);
    }
    if let Some(file) = &global.config {
        let config = Config::read(file).map_err(failure)?;
        let configured =
            config.profiles().map_err(failure)?.into_iter().map(open).collect::<Result<Vec<_>, Failure>>()?;
        models.reader = config.reader().map_err(failure)?.and_then(|place| configured.get(place).cloned());
        models.list.extend(config.writers().filter_map(|place| configured.get(place).cloned()));
        models.spend = config.spend;
    }
    Ok(models)
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
