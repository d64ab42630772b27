//! Runs as the product drives them: every step in the journal, committed with `synchronous=FULL` before it counts.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use agent::RunPlan;
use kit::message::{DraftRecord, Hold, SendState};
use kit::tool::NoSend;
use kit::{ApprovalId, BoxFuture, Digest, RunId, StoreError, Timestamp};
use mailwright::clock::{Clock as _, SystemClock};
use mailwright::model::ChatModel;
use mailwright::runs::{Deliverer, Driver, Planner, Rest, RunPolicy, Seed, Silent};
use mailwright::spend::{Caps, Purse};
use mailwright::store::{NewRun, ShopStore, Store};

use crate::scenario::{Scenario, ended_as_scripted};
use crate::subject::{principal, release, shop, subject};
use crate::{Ended, Failure};

/// The product's driver over a database of its own.
#[derive(Debug)]
pub(crate) struct Durable {
    store: Store,
    shop: ShopStore,
    driver: Driver,
}

impl Durable {
    pub(crate) async fn open(dir: &Path, scenario: Arc<Scenario>, model: Arc<dyn ChatModel>) -> Result<Self, Failure> {
        let store = Store::open(dir).await?;
        let shop = store.shop(&shop());
        let driver = Driver {
            policy: RunPolicy::shipped().map_err(|e| Failure::new(e.to_string()))?.into(),
            store: shop.clone(),
            registry: scenario.registry.clone(),
            deliverer: Arc::new(NoDelivery),
            models: vec![model],
            planner: Arc::new(Script(scenario)),
            clock: Arc::new(SystemClock),
            observer: Arc::new(Silent),
            purse: Purse::new(shop.clone(), Caps::default()),
        };
        Ok(Self { store, shop, driver })
    }

    /// Begins a run and drives it to its end, or to where it waits for a person.
    pub(crate) async fn play(&self, run: &RunId) -> Result<Ended, Failure> {
        let now = SystemClock.now();
        let subject = subject(run);
        let new = NewRun {
            id: run.clone(),
            flow: subject.flow.clone(),
            customer: subject.customer.clone(),
            occasion: subject.occasion.clone(),
            step: subject.step,
            due: now,
            cause: "bench".to_owned(),
            supersede: None,
            release: release(),
            plan: serde_json::to_string(&Seed { subject, principal: principal() })?,
        };
        self.shop.admit(new, now).await?;
        match self.driver.drive(run).await? {
            Rest::Done(outcome) => ended_as_scripted(&outcome).map(|()| Ended::Done),
            Rest::Approval { .. } => Ok(Ended::Waiting(None)),
            other @ (Rest::Held { .. } | Rest::Delayed { .. } | Rest::Marketer { .. }) => {
                Err(Failure::new(format!("the run did not follow the script: {other:?}")))
            }
        }
    }

    /// What the journal of a run takes as it stands in the tables, and the messages that the run added to its opening, as bytes
    /// of their JSON.
    pub(crate) async fn bytes_of(&self, run: &RunId) -> Result<(u64, u64), Failure> {
        let (machine, _) = self.driver.machine(run).await?;
        let journal = self.shop.journal_bytes(run).await?;
        let mut messages = 0;
        // The system prompt and the task are the release's and the seed's.
        for message in machine.transcript().iter().skip(2) {
            messages += serde_json::to_string(message)?.len();
        }
        Ok((journal, messages as u64))
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

/// What the database takes on disk, in bytes.
pub(crate) fn bytes_in(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

/// Every run has the same plan.
struct Script(Arc<Scenario>);

impl Planner for Script {
    fn plan<'a>(&'a self, _: Digest, _: &'a Seed, started_at: Timestamp) -> BoxFuture<'a, Result<RunPlan, String>> {
        Box::pin(std::future::ready(Ok(self.0.plan(started_at))))
    }
}

/// The script never comes to a hand-over.
struct NoDelivery;

impl Deliverer for NoDelivery {
    fn lifted<'a>(&'a self, _: &'a Seed, _: &'a Hold, _: Timestamp) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async { Ok(false) })
    }

    fn deliver<'a>(
        &'a self,
        _: &'a RunId,
        _: &'a Seed,
        _: &'a DraftRecord,
        _: Option<&'a ApprovalId>,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>> {
        let out_of_script = StoreError::Unavailable("the script delivers nothing".to_owned());
        Box::pin(std::future::ready(Err(out_of_script)))
    }

    fn admissible<'a>(&'a self, _: &'a Seed, _: Timestamp) -> BoxFuture<'a, Result<Option<NoSend>, StoreError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
