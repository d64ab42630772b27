//! What is learned from everything that was sold: the graph, and what is usual in the shop. All orders are read for it, so it is
//! made when it is first needed; a server makes it once it is ready.

use std::sync::Arc;

use catalog::Catalog;
use graph::{Curated, ProductGraph};
use kit::{StoreError, Timestamp};
use offers::affinity::Affinities;
use profile::StoreNorms;
use tokio::sync::OnceCell;

use super::read::{affinities, build_graph, fit_norms};
use crate::store::ShopStore;

/// What a shop's orders teach.
pub struct Learned {
    store: ShopStore,
    catalog: Arc<Catalog>,
    /// Relations whose names are all in the catalogue.
    curated: Vec<Curated>,
    /// When the shop was opened: what is old is so from here.
    now: Timestamp,
    lessons: OnceCell<Lessons>,
}

struct Lessons {
    graph: Arc<ProductGraph>,
    norms: Arc<StoreNorms>,
    affinities: Arc<Affinities>,
}

impl std::fmt::Debug for Learned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Learned").field("made", &self.lessons.initialized()).finish_non_exhaustive()
    }
}

impl Learned {
    pub(super) fn new(store: ShopStore, catalog: Arc<Catalog>, curated: Vec<Curated>, now: Timestamp) -> Arc<Self> {
        Arc::new(Self { store, catalog, curated, now, lessons: OnceCell::new() })
    }

    /// The product-knowledge graph.
    ///
    /// # Errors
    /// When the orders cannot be read; the next call tries again.
    pub async fn graph(&self) -> Result<Arc<ProductGraph>, StoreError> {
        Ok(self.lessons().await?.graph.clone())
    }

    /// What is usual in the shop.
    ///
    /// # Errors
    /// As [`Learned::graph`].
    pub async fn norms(&self) -> Result<Arc<StoreNorms>, StoreError> {
        Ok(self.lessons().await?.norms.clone())
    }

    /// How much the shop's customers buy at a discount.
    ///
    /// # Errors
    /// As [`Learned::graph`].
    pub async fn affinities(&self) -> Result<Arc<Affinities>, StoreError> {
        Ok(self.lessons().await?.affinities.clone())
    }

    async fn lessons(&self) -> Result<&Lessons, StoreError> {
        self.lessons.get_or_try_init(|| self.learn()).await
    }

    async fn learn(&self) -> Result<Lessons, StoreError> {
        let sold = self.store.sold().await?;
        let (catalog, curated, now) = (self.catalog.clone(), self.curated.clone(), self.now);
        // A large shop's takes seconds.
        let learning = tokio::task::spawn_blocking(move || {
            build_graph(&sold, &catalog, &curated, now).map(|graph| {
                let norms = fit_norms(&sold);
                let affinities = affinities(&sold, &norms);
                (graph, norms, affinities)
            })
        });
        let learnt = learning.await.map_err(|e| StoreError::Unavailable(format!("the graph: {e}")))?;
        let (graph, norms, affinities) =
            learnt.map_err(|e| StoreError::Corrupt { what: "graph".to_owned(), why: e.to_string() })?;
        Ok(Lessons { graph: Arc::new(graph), norms: Arc::new(norms), affinities: Arc::new(affinities) })
    }
}
