//! A shop on which cases are played: a copy of one that was set up for its terms, shared by every case that wants no other.

use std::collections::BTreeMap;
use std::sync::Arc;

use agent::ChatModel;
use catalog::Product;
use kit::campaign::CampaignId;
use kit::message::{Ledger, LedgerStore};
use kit::tool::Registry;
use kit::{BoxFuture, Principal, ProductId, StoreError, Timestamp};
use tempfile::TempDir;
use testkit::{Captured, RecordingEsp};

use super::template::Template;
use crate::clock::{Clock as _, SetClock};
use crate::delivery::Delivery;
use crate::intake::product_rows;
use crate::release::{Files, Release};
use crate::runs::Deliverer;
use crate::store::{OpenError, ProductRow, Store};
use crate::tenant::{Parts, Tenant, TenantError};
use crate::toolbox;

/// Makes the model under test, knowing the release that a shop runs.
pub type MakeModel = Arc<dyn Fn(&Release) -> Arc<dyn ChatModel> + Send + Sync>;

/// How the parts of a shop are put together on a stage. The default changes nothing. What a proof of the suite itself
/// changes (one gate that says yes to everything), it changes here, outside of the product.
pub trait Wiring: Send + Sync {
    /// The files of the release.
    fn files(&self, _files: &mut Files) {}
    /// The ledger's store.
    fn ledger(&self, store: Arc<dyn LedgerStore>) -> Arc<dyn LedgerStore> {
        store
    }
    /// The hand-over.
    fn deliverer(&self, deliverer: Arc<dyn Deliverer>) -> Arc<dyn Deliverer> {
        deliverer
    }
    /// The tools.
    fn tools(&self, tools: Registry) -> Registry {
        tools
    }
    /// What happens to a scheduled campaign before it is sent: nothing.
    fn before_sending<'a>(&'a self, _: &'a Tenant, _: &'a CampaignId) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// What moves a story without changing the time of day or the day of the week.
const WEEK: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 7);

/// As the product is.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsBuilt;

impl Wiring for AsBuilt {}

/// Why a stage cannot be set up, or a case cannot be played on it: never the product's verdict, always ours to mend.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The folder.
    #[error("no folder for the eval's shop can be made: {0}")]
    Folder(#[from] std::io::Error),
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The shop.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the release that terms change.
    #[error("{file} cannot be changed for a case: {why}")]
    File {
        /// Which.
        file: &'static str,
        /// Why.
        why: String,
    },
}

/// What all stages are made from.
#[derive(Clone)]
pub struct Props {
    /// The release under test.
    pub files: Files,
    /// What the shop sells.
    pub products: Arc<Vec<Product>>,
    rows: Vec<ProductRow>,
    /// The model under test.
    pub model: MakeModel,
    /// How parts are put together.
    pub wiring: Arc<dyn Wiring>,
}

impl Props {
    /// Props of a release and the sample shop's range.
    ///
    /// # Errors
    /// When the products cannot be written.
    pub fn new(files: Files, products: Vec<Product>, model: MakeModel) -> Result<Self, StoreError> {
        let rows = product_rows(&products)?;
        Ok(Self { files, products: Arc::new(products), rows, model, wiring: Arc::new(AsBuilt) })
    }

    /// With the products as they are now, after a change to them.
    ///
    /// # Errors
    /// When the products cannot be written.
    pub fn restocked(self) -> Result<Self, StoreError> {
        let rows = product_rows(&self.products)?;
        Ok(Self { rows, ..self })
    }

    /// The products as the store keeps them.
    pub(super) fn rows(&self) -> &[ProductRow] {
        &self.rows
    }

    /// Put together in another way.
    #[must_use]
    pub fn wired(self, wiring: Arc<dyn Wiring>) -> Self {
        Self { wiring, ..self }
    }
}

/// A shop, open, with everything that a case looks at afterwards.
pub struct Stage {
    /// The shop.
    pub tenant: Arc<Tenant>,
    /// Its clock.
    pub clock: Arc<SetClock>,
    /// What it handed over.
    pub esp: Arc<RecordingEsp>,
    /// The model, whose requests are looked at.
    pub model: Arc<Captured>,
    /// Its release's files, terms included, as they were meant: the oracle is told of these, whatever the wiring made of them.
    pub files: Files,
    /// Products whose price or stock stories have changed, and when last.
    touched: BTreeMap<ProductId, Timestamp>,
    props: Arc<Props>,
    store: Store,
    // Removed with everything in it at the end.
    folder: TempDir,
}

impl Stage {
    /// Opens a copy of a shop that was set up.
    ///
    /// # Errors
    /// [`StageError`].
    pub async fn open(template: &Template, now: Timestamp) -> Result<Self, StageError> {
        let (folder, props) = (template.copy()?, template.props.clone());
        let store = Store::open_scratch(folder.path()).await?;
        let (clock, esp) = (Arc::new(SetClock::at(now)), Arc::new(RecordingEsp::default()));
        let parts = Parts::new(clock.clone(), esp.clone(), Vec::new());
        let tenant = Tenant::open_copy(&store, &template.shop, &template.fixtures, parts).await?;
        let (tenant, model) = put_together(&props, &store, tenant)?;
        let files = template.files.clone();
        Ok(Self { tenant, clock, esp, model, files, touched: BTreeMap::new(), props, store, folder })
    }

    /// Puts other files in force, as a release does, and opens the shop again.
    ///
    /// # Errors
    /// [`StageError`].
    pub async fn release(&mut self, change: impl FnOnce(&mut Files), now: Timestamp) -> Result<(), StageError> {
        change(&mut self.files);
        let mut wired = self.files.clone();
        self.props.wiring.files(&mut wired);
        let shop = Tenant::set_up(&self.store, wired, now).await?;
        let parts = Parts::new(self.clock.clone(), self.esp.clone(), Vec::new());
        let tenant = Tenant::open(&self.store, &shop, parts).await?;
        let (tenant, model) = put_together(&self.props, &self.store, tenant)?;
        (self.tenant, self.model) = (tenant, model);
        Ok(())
    }

    /// The first moment from `at` on, in whole weeks, at which these products may be changed: the shop believes no news that
    /// is older than what it knows.
    pub fn free_from(&self, products: &[&ProductId], at: Timestamp) -> Timestamp {
        let last = products.iter().filter_map(|id| self.touched.get(*id)).max();
        let mut from = at;
        while last.is_some_and(|last| *last >= from) {
            match from.checked_add(WEEK) {
                Ok(later) => from = later,
                Err(_) => break,
            }
        }
        from
    }

    /// Undoes what a story has changed about the shop itself.
    ///
    /// # Errors
    /// When storage cannot write.
    pub async fn restore(&mut self, products: &[&ProductId], killed: bool) -> Result<(), StageError> {
        let now = self.clock.now();
        let (store, catalog) = (&self.tenant.store, &self.tenant.catalog);
        for row in self.props.rows.iter().filter(|row| products.contains(&&row.id)) {
            store.set_stock(&row.id, row.stock, now).await?;
            store.set_price(&row.id, row.price.minor, now).await?;
            // A product that the store knows, the catalogue knows.
            let _ = catalog.set_stock(&row.id, row.stock);
            let _ = catalog.set_price(&row.id, row.price);
            self.touched.insert(row.id.clone(), now);
        }
        if killed {
            store.kill_off("shop", &Principal::System, now).await?;
        }
        Ok(())
    }

    /// What happens before a campaign is sent.
    pub async fn before_sending(&self, campaign: &CampaignId) {
        self.props.wiring.before_sending(&self.tenant, campaign).await;
    }

    /// The hand-over of its runs.
    pub fn deliverer(&self) -> Arc<dyn Deliverer> {
        self.props.wiring.deliverer(self.tenant.delivery.clone())
    }

    /// Ends it.
    pub async fn close(self) {
        let Self { tenant, store, folder, .. } = self;
        drop(tenant);
        store.close().await;
        drop(folder);
    }
}

/// The shop with what the wiring changes, and its model with an ear on it.
fn put_together(props: &Props, store: &Store, mut tenant: Tenant) -> Result<(Arc<Tenant>, Arc<Captured>), StageError> {
    let model = Arc::new(Captured::checking((props.model)(&tenant.release)));
    let built = &tenant.delivery;
    let delivery = Arc::new(Delivery {
        store: built.store.clone(),
        ledger: Ledger::new(props.wiring.ledger(Arc::new(store.clone()))),
        esp: built.esp.clone(),
        release: built.release.clone(),
        unsubscribe: crate::delivery::UnsubscribeKey::open(store.dir()).map_err(TenantError::Key)?,
        clock: built.clock.clone(),
    });
    let Tenant { release, catalog, learned, .. } = &tenant;
    let tools = toolbox::registry(&tenant.store, release, catalog, learned, &delivery).map_err(TenantError::Tools)?;
    tenant.registry = props.wiring.tools(tools);
    tenant.delivery = delivery;
    // No model stands in for the one under test.
    Ok((Arc::new(tenant.with_models(vec![model.clone()])), model))
}
