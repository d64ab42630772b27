//! What happens behind the answers: stored events are worked in, due runs are driven.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use kit::{RunId, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Server;
use crate::runs::{DriveError, Silent};

/// How often is looked for what has become due.
const TICK: Duration = Duration::from_millis(500);
/// How often old journals are looked for.
const RETENTION: SignedDuration = SignedDuration::from_hours(1);
/// How long a run that could not be driven is left alone.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Works until `stopped` says so, then lets runs under way end.
pub(super) async fn work(server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    if let Err(error) = server.tenant().delivery.recover().await {
        tracing::error!(%error, "half-done hand-overs could not be listed");
    }
    server.ready.store(true, Ordering::Release);
    let mut runs = Runs::default();
    let mut retention = Retention::default();
    while !*stopped.borrow() {
        if let Err(error) = server.refresh().await {
            tracing::error!(%error, "the release in force cannot be taken up; the one before goes on");
        }
        if let Err(error) = server.tenant().catch_up().await {
            tracing::error!(%error, "stored events could not be worked in");
        }
        if let Err(error) = retention.look(&server).await {
            tracing::error!(%error, "old journals could not be pruned");
        }
        if let Err(error) = runs.start_due(&server).await {
            tracing::error!(%error, "due runs could not be listed");
        }
        tokio::select! {
            () = server.wake.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            Some(ended) = runs.under_way.join_next() => runs.note(ended, server.parts.clock.now()),
            _ = stopped.changed() => {}
        }
    }
    while let Some(ended) = runs.under_way.join_next().await {
        runs.note(ended, server.parts.clock.now());
    }
}

/// Prunes journals as the release in force says.
#[derive(Default)]
struct Retention {
    next: Option<Timestamp>,
}

impl Retention {
    async fn look(&mut self, server: &Server) -> Result<(), kit::StoreError> {
        let (now, tenant) = (server.parts.clock.now(), server.tenant());
        let Some(keep) = tenant.release.runs.keep_journals.filter(|_| self.next.is_none_or(|next| next <= now)) else {
            return Ok(());
        };
        self.next = now.checked_add(RETENTION).ok();
        let before = now.checked_sub(keep).unwrap_or(now);
        tenant.store.prune_journals(before, &kit::Principal::System, now).await.map(|_| ())
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
            if self.busy.contains_key(&run) {
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
