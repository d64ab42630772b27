//! Connections: how many at a time, how slowly a request may come in, and how all of it ends.
//!
//! A sender that trickles its headers or its body keeps one connection busy for a bounded time; one connection more than
//! there may be waits in the system's queue until another ends.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use super::{Limits, Server};

/// How long nothing is accepted after the system refused a connection: it is out of file handles or memory.
const REST: Duration = Duration::from_secs(1);
/// The largest body of a request that is no webhook, in bytes.
const MAX_REQUEST_BYTES: usize = 2 << 20;

/// Serves until `shutdown` comes, then lets the requests under way end, for as long as [`Limits::drain`] says.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let (open, under_way) = (Arc::new(Semaphore::new(limits.connections)), GracefulShutdown::new());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &open) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        // What answers wait for is the next request, not more bytes.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = under_way.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A sender that breaks off, or was too slow: nothing of ours is wrong.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, under_way.shutdown()).await.is_err() {
        tracing::warn!("requests under way did not end in time; they are broken off");
    }
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, open: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    // Nobody closes this semaphore.
    let place = open.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) if went_away(&error) => None,
        Err(error) => {
            tracing::error!(%error, "no connection can be accepted; raise the limit of open files");
            tokio::time::sleep(REST).await;
            None
        }
    }
}

fn went_away(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Reads a body whole, or says what is wrong with how it came.
pub(super) async fn read(body: Body, most: usize, patience: Duration) -> Result<Bytes, Problem> {
    match tokio::time::timeout(patience, axum::body::to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if too_long(&error) => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {most} bytes")))
        }
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "the body broke off; send it whole")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long; send it again")),
    }
}

/// Reads a request's body before anything looks at it: within its time, or not at all.
pub(super) async fn whole(
    State(server): State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let bytes = read(body, MAX_REQUEST_BYTES, server.limits.body).await?;
    Ok(next.run(Request::from_parts(head, Body::from(bytes))).await)
}

fn too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}
