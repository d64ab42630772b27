//! `mailwright serve`: webhooks, the API, unsubscribe links, and the workers.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::app::App;
use super::out::Out;
use super::{Failure, Global, failure};
use crate::clock::SystemClock;
use crate::control::{Door, Lease};
use crate::server::{Limits, Server, first_admin};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright serve --listen 0.0.0.0:8080")]
pub(super) struct ServeArgs {
    /// Where to listen. Put a proxy that speaks TLS before it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

pub(super) async fn run(global: &Global, args: ServeArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    // One process drives the runs of a database; the others say so and go.
    let lease = Lease::take(&app.store, Arc::new(SystemClock)).await.map_err(failure)?;
    let (store, parts) = (app.store.clone(), app.parts());
    let shop = app.tenant.store.id().clone();
    if let Some(file) = first_admin(&app.tenant.store, parts.clock.now()).await.map_err(failure)? {
        out.note(&format!("The admin's token for the API is in {}.", file.display()));
    }
    let server = Server::of(app.tenant.clone(), parts, Limits::default());
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|e| Failure::new(format!("{}: {e}; choose another address with --listen", args.listen)))?;
    let address = listener.local_addr().map_err(failure)?;
    let stopped = stopped()?;
    out.note(&format!("Serving {shop} on http://{address}; stop with Ctrl-C."));
    let door = Door::open(store.dir()).map_err(failure)?;
    let served = tokio::select! {
        () = server.clone().run(listener, stopped) => Ok(()),
        lost = lease.keep() => return Err(failure(lost)),
        never = door.answer(server) => never,
    };
    drop(door);
    lease.give_back().await.map_err(failure)?;
    app.close().await;
    served
}

/// Ctrl-C, or the word of a service manager. It is listened for from the call on, not from the first poll.
fn stopped() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failure)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failure)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
