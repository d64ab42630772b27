//! One shop, alive: its store, release, catalogue, graph, tools and models, put together once.

mod learned;
mod read;

use std::sync::Arc;

use agent::RunPlan;
use catalog::Catalog;
use esp::Esp;
use kit::message::Ledger;
use kit::tool::Registry;
use kit::{BoxFuture, Currency, Digest, Principal, ProductId, RunId, ShopId, StoreError, Timestamp};

use crate::clock::Clock;
use crate::delivery::{Delivery, UnsubscribeKey};
use crate::model::ChatModel;
use crate::model::offline::OfflineModel;
use crate::reading::recall_reviews;
use crate::release::{self, Files, Release, ReleaseError};
use crate::runs::task;
use crate::runs::{DriveError, Driver, Observer, Planner, Rest, Seed};
use crate::spend::{Caps, Purse};
use crate::store::{ProductRow, ShopStore, Store};
use crate::toolbox;
pub use learned::Learned;
use read::{builder, fitting, leave_out_other_currencies, open_catalog, read_products};

/// One shop, ready to take in events and to drive runs.
pub struct Tenant {
    /// The shop's store.
    pub store: ShopStore,
    /// The release in force.
    pub release: Arc<Release>,
    /// The catalogue, with live price and stock.
    pub catalog: Arc<Catalog>,
    /// What its orders teach: the product-knowledge graph, and what is usual in this shop.
    pub learned: Arc<Learned>,
    /// The tools on offer.
    pub registry: Registry,
    /// The way out.
    pub delivery: Arc<Delivery>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What was left out so that the shop opens all the same, in words; empty in a shop that is whole.
    pub left_out: Vec<String>,
    models: Vec<Arc<dyn ChatModel>>,
    caps: Caps,
    reader: Option<Arc<dyn ChatModel>>,
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tenant").field("shop", self.store.id()).finish_non_exhaustive()
    }
}

/// Why a shop cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The shop was never set up.
    #[error("the shop {0} is not set up in this data folder; run `mailwright demo` for the sample shop")]
    NoShop(ShopId),
    /// Its release.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Its catalogue.
    #[error("the catalogue of {shop} cannot be opened: {why}")]
    Catalog {
        /// The shop.
        shop: ShopId,
        /// Why.
        why: String,
    },
    /// Its graph.
    #[error(transparent)]
    Graph(#[from] graph::BuildError),
    /// A release in another currency than the products it would sell.
    #[error(
        "knowledge/shop.toml: currency {wanted}, but {product} and {others} other product(s) of the catalogue are priced in {found}; import them in {wanted} first, or keep {found}"
    )]
    Currency {
        /// What the release says.
        wanted: Currency,
        /// A product of another currency.
        product: ProductId,
        /// How many more there are.
        others: usize,
        /// What it is priced in.
        found: Currency,
    },
    /// Its tools.
    #[error(transparent)]
    Tools(#[from] kit::tool::RegistryError),
    /// Its secret.
    #[error(transparent)]
    Key(#[from] crate::keyfile::KeyFileError),
}

/// What a shop is opened from and only a release, an import or an order changes: read once, it serves every shop that is a
/// copy of the first.
#[derive(Clone)]
pub(crate) struct Fixtures {
    release: Arc<Release>,
    catalog: Arc<Catalog>,
    learned: Arc<Learned>,
}

/// What a tenant is given from outside.
#[derive(Clone)]
pub struct Parts {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who sends.
    pub esp: Arc<dyn Esp>,
    /// Models before the offline one, in order of preference.
    pub models: Vec<Arc<dyn ChatModel>>,
    /// What its models may cost.
    pub caps: Caps,
    /// The model that reads what customers and reviewers wrote, if one does beside code.
    pub reader: Option<Arc<dyn ChatModel>>,
}

impl Parts {
    /// Without caps, and with nothing read by a model.
    pub fn new(clock: Arc<dyn Clock>, esp: Arc<dyn Esp>, models: Vec<Arc<dyn ChatModel>>) -> Self {
        Self { clock, esp, models, caps: Caps::default(), reader: None }
    }
}

impl Tenant {
    /// Opens a shop that was set up before.
    ///
    /// # Errors
    /// [`TenantError`] with what to do.
    pub async fn open(store: &Store, shop: &ShopId, parts: Parts) -> Result<Self, TenantError> {
        let store = store.shop(shop);
        let (digest, files) = store.active_release().await?.ok_or_else(|| TenantError::NoShop(shop.clone()))?;
        // The release is read beside the tables: neither needs the other.
        let reading = tokio::task::spawn_blocking(move || Release::read(digest, &files));
        let mut rows = store.products().await?;
        let history = store.price_history().await?;
        let release = Arc::new(reading.await.map_err(|e| StoreError::Unavailable(format!("the release: {e}")))??);
        let mut left_out = leave_out_other_currencies(&mut rows, release.shop.currency);
        let catalog = Arc::new(open_catalog(shop, &rows)?);
        catalog.set_history(history);
        if parts.reader.is_some() {
            recall_reviews(&catalog, &store.review_gists().await?);
        }
        let now = parts.clock.now();
        let curated = fitting(&catalog, &release, &mut left_out)?;
        for what in &left_out {
            tracing::error!(%shop, what, "left out so that the shop opens");
        }
        let learned = Learned::new(store.clone(), catalog.clone(), curated, now);
        Self::furnish(store, Fixtures { release, catalog, learned }, left_out, parts).await
    }

    /// Opens a shop that is an exact copy of another one, with what was read of that one. Prices and stock are its own.
    ///
    /// # Errors
    /// When storage or the tools fail.
    pub(crate) async fn open_copy(
        store: &Store,
        shop: &ShopId,
        fixtures: &Fixtures,
        parts: Parts,
    ) -> Result<Self, TenantError> {
        let fixtures = Fixtures { catalog: Arc::new(fixtures.catalog.twin()), ..fixtures.clone() };
        Self::furnish(store.shop(shop), fixtures, Vec::new(), parts).await
    }

    /// Makes what is costly and not needed to open the shop: what its orders teach, the search index, and what looks for
    /// phrases. Who needs them makes them otherwise.
    pub async fn prepare(&self) {
        let (catalog, release) = (self.catalog.clone(), self.release.clone());
        let made = tokio::task::spawn_blocking(move || {
            if let Err(error) = catalog.prepare() {
                tracing::error!(%error, "the catalogue cannot be searched");
            }
            if let Err(why) = release.rules.prepare() {
                tracing::error!(why, "the rules cannot be checked");
            }
        });
        if let Err(error) = self.learned.graph().await {
            tracing::error!(%error, "what was sold cannot be learned from");
        }
        if let Err(error) = made.await {
            tracing::error!(%error, "the catalogue and the rules could not be prepared");
        }
    }

    /// What was read to open it, and what its orders teach.
    ///
    /// # Errors
    /// When the orders cannot be read.
    pub(crate) async fn fixtures(&self) -> Result<Fixtures, StoreError> {
        // A copy has no orders to read it from that are this shop's.
        self.learned.graph().await?;
        let Self { release, catalog, learned, .. } = self;
        Ok(Fixtures { release: release.clone(), catalog: catalog.clone(), learned: learned.clone() })
    }

    async fn furnish(
        store: ShopStore,
        fixtures: Fixtures,
        left_out: Vec<String>,
        parts: Parts,
    ) -> Result<Self, TenantError> {
        let Fixtures { release, catalog, learned } = fixtures;
        let delivery = Arc::new(Delivery {
            ledger: Ledger::new(Arc::new(store.store().clone())),
            unsubscribe: UnsubscribeKey::open_for(store.store().dir(), !store.sends(1).await?.is_empty())?,
            store: store.clone(),
            esp: parts.esp,
            release: release.clone(),
            clock: parts.clock.clone(),
        });
        let registry = toolbox::registry(&store, &release, &catalog, &learned, &delivery)?;
        let mut models = parts.models;
        models.push(Arc::new(OfflineModel::of(&release)));
        let Parts { clock, caps, reader, .. } = parts;
        Ok(Self { store, release, catalog, learned, registry, delivery, clock, left_out, models, caps, reader })
    }

    /// The same shop with these models and no others.
    #[must_use]
    pub(crate) fn with_models(self, models: Vec<Arc<dyn ChatModel>>) -> Self {
        Self { models, ..self }
    }

    /// Makes a release from files, checks all of it, and puts it in force.
    ///
    /// # Errors
    /// [`ReleaseError`] naming file and line; the release in force stays.
    pub async fn set_up(store: &Store, files: Files, now: Timestamp) -> Result<ShopId, TenantError> {
        Self::put_in_force(store, files, &Principal::System, now).await.map(|(shop, _)| shop)
    }

    /// As [`Tenant::set_up`], in somebody's name: the release is checked by itself and against the catalogue it would sell.
    ///
    /// # Errors
    /// [`TenantError`] naming what is wrong; the release in force stays.
    pub async fn put_in_force(
        store: &Store,
        mut files: Files,
        who: &Principal,
        now: Timestamp,
    ) -> Result<(ShopId, Digest), TenantError> {
        files.insert(release::TOOLS.to_owned(), toolbox::to_openai()?.to_string());
        let draft = Release::read(Digest::of_bytes(b""), &files)?;
        draft.vet(&files)?;
        let shop = draft.shop.id.clone();
        let own = store.shop(&shop);
        let rows = own.products().await?;
        // A shop that is being set up has no products yet: there is nothing to compare with.
        if !rows.is_empty() {
            let other = |row: &&ProductRow| row.price.currency != draft.shop.currency;
            if let Some(row) = rows.iter().find(other) {
                return Err(TenantError::Currency {
                    wanted: draft.shop.currency,
                    product: row.id.clone(),
                    others: rows.iter().filter(other).count().saturating_sub(1),
                    found: row.price.currency,
                });
            }
            let products = read_products(&shop, &rows)?;
            let products: Vec<_> = products.iter().map(toolbox::graph_product).collect();
            builder(&products, &draft.curated).check()?;
        }
        let digest = own.activate_release(&draft.shop.identity.name, &files, draft.limits(), who, now).await?;
        Ok((shop, digest))
    }

    /// A driver for this shop's runs.
    pub fn driver(self: &Arc<Self>, observer: Arc<dyn Observer>) -> Driver {
        Driver {
            store: self.store.clone(),
            registry: self.registry.clone(),
            deliverer: self.delivery.clone(),
            models: self.models.clone(),
            planner: self.clone(),
            policy: self.release.runs.clone(),
            clock: self.clock.clone(),
            observer,
            purse: Purse::new(self.store.clone(), self.caps.clone()),
        }
    }

    /// After a start: ends half-done hand-overs, works in stored events, drives every run that is due.
    ///
    /// # Errors
    /// When storage fails; a single run that cannot be driven is logged and left for the next start.
    pub async fn recover(self: &Arc<Self>, observer: Arc<dyn Observer>) -> Result<Vec<(RunId, Rest)>, DriveError> {
        // Events first: an order that came while nobody worked must stop what was about to be handed over.
        if let Err(error) = self.catch_up().await {
            tracing::error!(%error, "stored events could not be worked in");
        }
        self.delivery.recover().await?;
        let driver = self.driver(observer);
        let mut rests = Vec::new();
        for run in self.store.due_runs(self.clock.now()).await? {
            // Class runs have tools of their own; `campaigns write` goes on with them.
            if crate::campaigns::is_class_run(&run) {
                continue;
            }
            match driver.drive(&run).await {
                Ok(rest) => rests.push((run, rest)),
                Err(error) => tracing::error!(%run, %error, "a run could not be driven"),
            }
        }
        Ok(rests)
    }

    /// The shop's customers, as profile and graph see them.
    pub fn people(&self) -> toolbox::People {
        toolbox::People { store: self.store.clone(), learned: self.learned.clone() }
    }

    /// What the tools of a brief ask: for edits that come without a model.
    pub(crate) fn brief_desk(&self) -> toolbox::briefs::Briefs {
        toolbox::briefs::Briefs {
            store: self.store.clone(),
            release: self.release.clone(),
            catalog: self.catalog.clone(),
            learned: self.learned.clone(),
        }
    }

    /// What a customer has bought.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn owned_by(&self, customer: &kit::CustomerId) -> Result<Vec<graph::Owned>, StoreError> {
        graph::History::owned(&self.people(), self.store.id(), customer).await
    }

    /// Models in order of preference; the offline one is the last.
    pub(crate) fn models(&self) -> &[Arc<dyn ChatModel>] {
        &self.models
    }

    /// The model that reads what customers and reviewers wrote, if one does.
    pub(crate) fn reader(&self) -> Option<&Arc<dyn ChatModel>> {
        self.reader.as_ref()
    }

    /// What its models may cost.
    pub(crate) fn caps(&self) -> &Caps {
        &self.caps
    }

    /// What the first model that would be asked costs, when that is known.
    pub fn prices(&self) -> Option<(u64, u64)> {
        self.models.first().and_then(|model| model.prices())
    }

    /// The first model that would be asked.
    pub fn model(&self) -> &str {
        self.models.first().map_or("none", |model| model.profile())
    }
}

impl Planner for Tenant {
    fn plan<'a>(
        &'a self,
        release: Digest,
        seed: &'a Seed,
        started_at: Timestamp,
    ) -> BoxFuture<'a, Result<RunPlan, String>> {
        Box::pin(async move {
            if release == self.release.digest {
                return task::plan(&self.release, &self.registry, seed, started_at);
            }
            let files = self.store.release(release).await.map_err(|e| e.to_string())?;
            let files = files.ok_or_else(|| format!("release {} is not stored", release.short()))?;
            let pinned = Release::read(release, &files).map_err(|e| e.to_string())?;
            task::plan(&pinned, &self.registry, seed, started_at)
        })
    }
}
