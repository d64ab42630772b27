//! The worker: drives what is due, some runs at a time, until it is told to stop.
//!
//! A run is driven by one task at a time. What fails for a cause that passes is tried again later and later, as
//! [`RetryPolicy`](crate::runs::RetryPolicy) says; nothing is dropped.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kit::RunId;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::runs::{Driver, Observer};
use crate::tenant::Tenant;

/// How often the worker looks for what is due when nobody wakes it.
const LOOK: Duration = Duration::from_millis(250);

/// Drives the runs of one shop.
#[derive(Clone)]
pub struct Worker {
    tenant: Arc<Tenant>,
    observer: Arc<dyn Observer>,
    /// Runs driven at a time.
    hands: usize,
    wake: Arc<Notify>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("shop", self.tenant.store.id())
            .field("hands", &self.hands)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker that drives this many runs at a time.
    pub fn new(tenant: Arc<Tenant>, observer: Arc<dyn Observer>, hands: usize) -> Self {
        Self { tenant, observer, hands: hands.max(1), wake: Arc::new(Notify::new()) }
    }

    /// Makes it look at once.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Works until `stop` is true, then ends what is under way.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        if let Err(error) = self.tenant.delivery.recover().await {
            tracing::error!(%error, "half-done hand-overs could not be listed");
        }
        let driver = Arc::new(self.tenant.driver(self.observer.clone()));
        let mut under_way: HashSet<RunId> = HashSet::new();
        let mut tasks: JoinSet<RunId> = JoinSet::new();
        while !*stop.borrow() {
            if let Err(error) = self.tenant.catch_up().await {
                tracing::error!(%error, "stored events could not be worked in");
            }
            match self.tenant.store.due_runs(self.tenant.clock.now()).await {
                Ok(due) => {
                    for run in due {
                        if under_way.len() >= self.hands {
                            break;
                        }
                        if under_way.insert(run.clone()) {
                            tasks.spawn(drive(driver.clone(), run));
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "due runs could not be listed"),
            }
            tokio::select! {
                Some(done) = tasks.join_next(), if !tasks.is_empty() => {
                    forget(&mut under_way, done);
                    while let Some(done) = tasks.try_join_next() {
                        forget(&mut under_way, done);
                    }
                }
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => {}
            }
        }
        // A hand-over that has begun is better ended than cut.
        while tasks.join_next().await.is_some() {}
    }
}

fn forget(under_way: &mut HashSet<RunId>, done: Result<RunId, tokio::task::JoinError>) {
    match done {
        Ok(run) => {
            under_way.remove(&run);
        }
        Err(error) => {
            tracing::error!(%error, "a driver stopped");
            // Which one is not known: nothing is lost by looking at all of them again, a run has one driver at a time.
            under_way.clear();
        }
    }
}

async fn drive(driver: Arc<Driver>, run: RunId) -> RunId {
    if let Err(error) = driver.drive_or_postpone(&run).await {
        tracing::error!(%run, %error, "a run could not be driven");
    }
    run
}
