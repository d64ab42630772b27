//! The embedded engine: the product's driver over its own journal, on SQLite or PostgreSQL.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;

use agent::Outcome;
use kit::tool::Subject;
use kit::{CustomerId, Digest, FlowId, Language, Principal, RunId, ShopId};
use mailwright::clock::{Clock as _, SetClock};
use mailwright::runs::{DriveError, Driver, RunPolicy, Seed, Signal, Silent};
use mailwright::spend::{Caps, Purse};
use mailwright::store::{NewRun, Place, ShopStore, Store};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::{Ended, Engine, Occasion, Outside, Process, Standing};
use crate::postgres;

/// A place for its tables.
pub(super) struct Embedded {
    dir: TempDir,
    place: Place,
}

impl Embedded {
    pub(super) fn sqlite() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), place: Place::Folder }
    }

    pub(super) fn postgres() -> Option<Self> {
        Some(Self { dir: tempfile::tempdir().unwrap(), place: postgres::shared()?.place() })
    }
}

impl Engine for Embedded {
    type Process = Life;

    fn start(&self, outside: &Outside) -> Life {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let store = runtime.block_on(Store::open_at(self.dir.path(), &self.place)).unwrap();
        let store = store.shop(&ShopId::new("shop").unwrap());
        let driver = Driver {
            registry: outside.registry(&store),
            deliverer: outside.deliverer(),
            models: vec![outside.model()],
            planner: outside.planner(),
            policy: Arc::new(RunPolicy::shipped().unwrap()),
            clock: outside.clock.clone(),
            observer: Arc::new(Silent),
            purse: Purse::new(store.clone(), Caps::default()),
            store: store.clone(),
        };
        Life {
            runtime: Some(runtime),
            driver: Arc::new(driver),
            store,
            outside: outside.clone(),
            hanging: RefCell::default(),
        }
    }
}

/// Drives what is due until nothing is.
async fn work(driver: Arc<Driver>, store: ShopStore, clock: Arc<SetClock>) {
    loop {
        let due = store.due_runs(clock.now()).await.unwrap();
        if due.is_empty() {
            return;
        }
        for run in due {
            match driver.drive_or_postpone(&run).await {
                Ok(_) | Err(DriveError::Diverged { .. } | DriveError::Elsewhere(_)) => {}
                Err(error) if error.is_retryable() => {}
                Err(error) => panic!("{run}: {error}"),
            }
        }
    }
}

/// A process: a runtime of its own, and everything that lives in it.
pub(super) struct Life {
    runtime: Option<Runtime>,
    driver: Arc<Driver>,
    store: ShopStore,
    outside: Outside,
    /// Work that hangs.
    hanging: RefCell<Option<JoinHandle<()>>>,
}

impl Life {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(future)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Every task ends where it stands, the one that writes among them.
            runtime.shutdown_background();
        }
    }
}

impl Process for Life {
    fn admit(&self, new: &Occasion) -> RunId {
        let (flow, customer) = (FlowId::new("abandoned-checkout").unwrap(), CustomerId::new("c1").unwrap());
        let subject = Subject {
            flow: flow.clone(),
            customer: customer.clone(),
            occasion: new.occasion.to_owned(),
            step: 1,
            triggered_at: self.outside.clock.now(),
            products: Vec::new(),
            cart_url: None,
            stops_on_purchase: false,
            language: Language::EN,
            release: Digest::of_bytes(b"release"),
        };
        let seed = Seed { subject, principal: Principal::Flow { flow: flow.clone() } };
        let new = NewRun {
            id: RunId::new(new.run).unwrap(),
            flow,
            customer,
            occasion: new.occasion.to_owned(),
            step: 1,
            due: new.due,
            cause: "test".to_owned(),
            supersede: None,
            release: Digest::of_bytes(b"release"),
            plan: serde_json::to_string(&seed).unwrap(),
        };
        self.block_on(self.store.admit(new, self.outside.clock.now())).unwrap().run
    }

    fn signal(&self, run: &RunId, signal: Signal) {
        self.block_on(self.store.signal(run, signal.to_json().unwrap(), self.outside.clock.now())).unwrap();
    }

    fn work(&self) -> Ended {
        let hanging = self.hanging.take();
        if let Some(work) = hanging {
            self.block_on(work).unwrap();
        }
        // In a task of the process, so that its death takes the work along.
        let (driver, store, clock) = (self.driver.clone(), self.store.clone(), self.outside.clock.clone());
        let mut work = self.runtime.as_ref().unwrap().spawn(work(driver, store, clock));
        self.block_on(async {
            tokio::select! {
                done = &mut work => {
                    done.unwrap();
                    return Ended::AtRest;
                }
                () = self.outside.hanging() => {}
            }
            self.hanging.replace(Some(work));
            Ended::Hanging
        })
    }

    fn unpark(&self, run: &RunId) {
        self.block_on(self.store.unpark(run, self.outside.clock.now())).unwrap();
    }

    fn standing(&self, run: &RunId) -> Standing {
        let run = self.block_on(self.store.run(run)).unwrap().unwrap();
        let outcome = run.outcome.map(|text| match serde_json::from_str(&text).unwrap() {
            Outcome::Delivered { state } => state.as_str().to_owned(),
            Outcome::NoSend(reason) => reason.code,
            other @ (Outcome::Written { .. } | Outcome::Held { .. } | Outcome::Parked(_)) => format!("{other:?}"),
        });
        Standing { state: run.state, wakes: run.wake_at, outcome }
    }

    fn journal(&self, run: &RunId) -> Vec<String> {
        self.block_on(self.store.journal(run)).unwrap().into_iter().map(|row| row.step).collect()
    }
}
