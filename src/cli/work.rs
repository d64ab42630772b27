//! `mailwright work`: drives what is due until it is stopped, and answers the command line beside it.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use kit::BoxFuture;
use tokio::sync::watch;

use super::app::App;
use super::out::Out;
use super::trace::Trace;
use super::{Failure, Global, failure};
use crate::clock::SystemClock;
use crate::control::{Desk, Door, Lease, Reply, Request, perform};
use crate::tenant::Tenant;
use crate::worker::Worker;

/// How often it looks whether another release is in force.
const LOOK: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright work")]
pub(super) struct WorkArgs {
    /// Runs driven at a time.
    #[arg(long, default_value_t = 8, value_name = "N")]
    hands: usize,
}

/// What the command line asks of this process.
struct Front {
    tenant: Arc<Tenant>,
    worker: Worker,
}

impl Desk for Front {
    fn perform<'a>(&'a self, request: Request) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if let Some(other) = request.shop.filter(|shop| shop != self.tenant.store.id()) {
                return Reply::Failed(format!("the process drives shop {}, not {other}", self.tenant.store.id()));
            }
            let reply = perform(&self.tenant, request.command).await;
            self.worker.wake();
            reply
        })
    }
}

/// Why a round of work ended.
enum Ended {
    Stopped,
    OtherRelease,
}

pub(super) async fn run(global: &Global, args: WorkArgs, out: &Out) -> Result<(), Failure> {
    let mut app = App::open(global, out).await?;
    let lease = Lease::take(&app.store, Arc::new(SystemClock)).await.map_err(failure)?;
    let mut stopped = std::pin::pin!(stop_signal());
    out.line("Working. Stop with Ctrl-C; the command line beside it talks to this process.");
    loop {
        let ended = tokio::select! {
            lost = lease.keep() => return Err(failure(lost)),
            ended = round(&app, &args, out, stopped.as_mut()) => ended?,
        };
        match ended {
            Ended::Stopped => break,
            Ended::OtherRelease => {
                out.note("Another release is in force: starting with it.");
                app.reopen(global, out).await?;
            }
        }
    }
    lease.give_back().await.map_err(failure)?;
    app.close().await;
    Ok(())
}

async fn round(
    app: &App,
    args: &WorkArgs,
    out: &Out,
    mut stopped: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> Result<Ended, Failure> {
    let door = Door::open(app.store.dir()).map_err(failure)?;
    let worker = Worker::new(app.tenant.clone(), Arc::new(Trace::new(*out)), args.hands);
    let front = Arc::new(Front { tenant: app.tenant.clone(), worker: worker.clone() });
    let (stop, told) = watch::channel(false);
    let working = worker.run(told);
    let mut working = std::pin::pin!(working);
    let ended = tokio::select! {
        () = &mut working => Ended::Stopped,
        () = door.answer(front) => Ended::Stopped,
        () = &mut stopped => Ended::Stopped,
        () = another_release(&app.tenant) => Ended::OtherRelease,
    };
    // Nothing new is begun; what is under way comes to its next rest.
    let _ = stop.send(true);
    working.await;
    Ok(ended)
}

async fn another_release(tenant: &Tenant) {
    loop {
        tokio::time::sleep(LOOK).await;
        match tenant.store.active_release().await {
            Ok(Some((digest, _))) if digest != tenant.release.digest => return,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the release in force cannot be read"),
        }
    }
}

/// Returns when the process is asked to stop.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else { return wait_for_ctrl_c().await };
        tokio::select! {
            _ = terminated.recv() => {}
            () = wait_for_ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    wait_for_ctrl_c().await;
}

async fn wait_for_ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // No signal can come here: work until killed.
        std::future::pending::<()>().await;
    }
}
