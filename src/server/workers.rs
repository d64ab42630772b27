//! What happens behind the answers: stored events are worked in, due runs are driven, scheduled campaigns are sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::SignedDuration;
use kit::{RunId, Timestamp};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::Server;
use crate::campaigns::CampaignError;
use crate::reading::Read;
use crate::runs::{DriveError, Silent};
use crate::store::CampaignState;

/// How often is looked for what has become due.
const TICK: Duration = Duration::from_millis(500);
/// How often is looked for what is too old.
const RETENTION: SignedDuration = SignedDuration::from_hours(1);
/// How often requests for approval are looked after.
const TENDING: SignedDuration = SignedDuration::from_secs(60);
/// How often scheduled campaigns are looked at.
const CAMPAIGNS: SignedDuration = SignedDuration::from_secs(10);
/// Scheduled campaigns that are looked at, newest first.
const MAX_CAMPAIGNS: u32 = 200;
/// How often is looked for texts that no model has read.
const LOOKING: SignedDuration = SignedDuration::from_secs(5);
/// How long a run that could not be driven, or a model that did not answer, is left alone.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Works until `stopped` says so, then lets runs under way end.
pub(super) async fn work(server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    // Events first: an order that came while nobody worked must stop what was about to be handed over.
    if let Err(error) = server.tenant().catch_up().await {
        tracing::error!(%error, "stored events could not be worked in");
    }
    if let Err(error) = server.tenant().delivery.recover().await {
        tracing::error!(%error, "half-done hand-overs could not be listed");
    }
    server.ready.store(true, Ordering::Release);
    // What the first run would wait for otherwise. What fails here fails there again, where somebody reads why.
    let tenant = server.tenant();
    tokio::spawn(async move { tenant.prepare().await });
    let mut runs = Runs::default();
    let mut retention = Retention::default();
    let mut tending = Tending::default();
    let mut sending = Sending::default();
    let mut fetching = Fetching::default();
    let mut reading = Reading::default();
    while !*stopped.borrow() {
        if let Err(error) = server.refresh().await {
            tracing::error!(%error, "the release in force cannot be taken up; the one before goes on");
        }
        if let Err(error) = server.tenant().catch_up().await {
            tracing::error!(%error, "stored events could not be worked in");
        }
        fetching.start(&server);
        reading.start(&server);
        if let Err(error) = tending.look(&server).await {
            tracing::error!(%error, "requests for approval could not be looked after");
        }
        if let Err(error) = retention.look(&server).await {
            tracing::error!(%error, "what is too old could not be let go");
        }
        if let Err(error) = runs.start_due(&server).await {
            tracing::error!(%error, "due runs could not be listed");
        }
        if let Err(error) = sending.start_due(&server).await {
            tracing::error!(%error, "scheduled campaigns could not be listed");
        }
        tokio::select! {
            () = server.wake.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            Some(ended) = runs.under_way.join_next() => runs.note(ended, server.parts.clock.now()),
            _ = stopped.changed() => {}
        }
    }
    sending.stop();
    fetching.stop();
    reading.stop();
    while let Some(ended) = runs.under_way.join_next().await {
        runs.note(ended, server.parts.clock.now());
    }
}

/// Details of stored events that are being fetched: beside everything else, since a shop's API may be slow.
#[derive(Default)]
struct Fetching {
    under_way: Option<JoinHandle<()>>,
}

impl Fetching {
    fn start(&mut self, server: &Arc<Server>) {
        if self.under_way.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let server = server.clone();
        self.under_way = Some(tokio::spawn(async move {
            match server.tenant().fetch_due().await {
                Ok(0) => {}
                Ok(_) => server.wake.notify_one(),
                Err(error) => tracing::error!(%error, "details of stored events could not be fetched"),
            }
        }));
    }

    /// What was fetched is on disk; the rest is fetched after the next start.
    fn stop(&mut self) {
        if let Some(task) = self.under_way.take() {
            task.abort();
        }
    }
}

/// Texts from outside that are being read by a model, where the shop has one for them: beside everything else, since nothing
/// waits for it.
#[derive(Default)]
struct Reading {
    under_way: Option<JoinHandle<Option<Timestamp>>>,
    next: Option<Timestamp>,
}

impl Reading {
    fn start(&mut self, server: &Arc<Server>) {
        match self.under_way.take() {
            Some(task) if !task.is_finished() => self.under_way = Some(task),
            // What it found out is the time of the next round.
            Some(task) => self.next = task.now_or_never().and_then(Result::ok).flatten(),
            None => {}
        }
        let now = server.parts.clock.now();
        let idle = server.parts.reader.is_none() || self.under_way.is_some();
        if idle || self.next.is_some_and(|next| next > now) {
            return;
        }
        let server = server.clone();
        self.under_way = Some(tokio::spawn(async move {
            let later = |pause: SignedDuration| server.parts.clock.now().checked_add(pause).ok();
            match server.tenant().read_unread().await {
                Ok(Read::Texts(0)) => later(LOOKING),
                Ok(Read::Texts(_)) => None,
                Ok(Read::Later) => later(PAUSE),
                Err(error) => {
                    tracing::error!(%error, "texts from outside could not be read");
                    later(PAUSE)
                }
            }
        }));
    }

    /// What was read is on disk; the rest is read after the next start.
    fn stop(&mut self) {
        if let Some(task) = self.under_way.take() {
            task.abort();
        }
    }
}

/// The campaign that is being sent: one at a time, so that the way out is shared with the flows.
#[derive(Default)]
struct Sending {
    under_way: Option<JoinHandle<()>>,
    next: Option<Timestamp>,
}

impl Sending {
    async fn start_due(&mut self, server: &Arc<Server>) -> Result<(), kit::StoreError> {
        let (now, tenant) = (server.parts.clock.now(), server.tenant());
        let busy = self.under_way.as_ref().is_some_and(|task| !task.is_finished());
        if busy || self.next.is_some_and(|next| next > now) {
            return Ok(());
        }
        self.next = now.checked_add(CAMPAIGNS).ok();
        for campaign in tenant.store.campaigns(MAX_CAMPAIGNS).await? {
            let scheduled = campaign.state == CampaignState::Scheduled;
            if !scheduled || tenant.store.next_recipient(&campaign.id).await?.is_none_or(|at| at > now) {
                continue;
            }
            self.under_way = Some(tokio::spawn(async move {
                match tenant.run_campaign(&campaign.id, &|_| ()).await {
                    // It is looked at again in the next round.
                    Ok(_) | Err(CampaignError::Recallable { .. }) => {}
                    Err(error) => tracing::error!(campaign = %campaign.id, %error, "a campaign could not be sent on"),
                }
            }));
            break;
        }
        Ok(())
    }

    /// Stops wherever it is: everybody's row says where to go on, as after a crash.
    fn stop(self) {
        if let Some(task) = self.under_way {
            task.abort();
        }
    }
}

/// Escalates and closes requests for approval.
#[derive(Default)]
struct Tending {
    next: Option<Timestamp>,
}

impl Tending {
    async fn look(&mut self, server: &Server) -> Result<(), kit::StoreError> {
        let now = server.parts.clock.now();
        if self.next.is_some_and(|next| next > now) {
            return Ok(());
        }
        self.next = now.checked_add(TENDING).ok();
        server.tenant().tend_approvals().await
    }
}

/// Lets go what is too old, as the release in force says.
#[derive(Default)]
struct Retention {
    next: Option<Timestamp>,
}

impl Retention {
    async fn look(&mut self, server: &Server) -> Result<(), kit::StoreError> {
        let (now, tenant) = (server.parts.clock.now(), server.tenant());
        if self.next.is_some_and(|next| next > now) {
            return Ok(());
        }
        self.next = now.checked_add(RETENTION).ok();
        tenant.let_go(&kit::Principal::System).await.map(|_| ())
    }
}

/// Runs under way, and those that are left alone for a while.
#[derive(Default)]
struct Runs {
    under_way: JoinSet<(RunId, Result<(), DriveError>)>,
    busy: BTreeMap<RunId, Option<Timestamp>>,
}

impl Runs {
    async fn start_due(&mut self, server: &Arc<Server>) -> Result<(), kit::StoreError> {
        let now = server.parts.clock.now();
        self.busy.retain(|_, until| until.is_none_or(|until| until > now));
        let tenant = server.tenant();
        for run in tenant.store.due_runs(now).await? {
            if self.under_way.len() >= server.limits.runs {
                break;
            }
            // Class runs have tools of their own; `campaigns write`, which may be at it beside us, drives them.
            if self.busy.contains_key(&run) || crate::campaigns::is_class_run(&run) {
                continue;
            }
            self.busy.insert(run.clone(), None);
            let driver = tenant.driver(Arc::new(Silent));
            self.under_way.spawn(async move {
                let driven = driver.drive_or_postpone(&run).await.map(|_| ());
                (run, driven)
            });
        }
        Ok(())
    }

    fn note(&mut self, ended: Result<(RunId, Result<(), DriveError>), tokio::task::JoinError>, now: Timestamp) {
        match ended {
            Ok((run, Ok(()))) => {
                self.busy.remove(&run);
            }
            // When the next try is stands in the run's row.
            Ok((run, Err(error))) if error.is_retryable() => {
                tracing::warn!(%run, %error, "a run is tried again later");
                self.busy.remove(&run);
            }
            Ok((run, Err(error))) => {
                tracing::error!(%run, %error, "a run could not be driven");
                self.busy.insert(run, now.checked_add(PAUSE).ok());
            }
            Err(error) => {
                tracing::error!(%error, "a run broke");
                // Which one it was is not known any more: all are looked at again.
                self.busy.retain(|_, until| until.is_some());
            }
        }
    }
}
