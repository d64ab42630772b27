//! `mailwright serve`: webhooks in, the API, unsubscribe links, and the workers that drive what is due.
//!
//! | path | module |
//! | --- | --- |
//! | `POST /webhooks/{source}/{connection}` | [`webhooks`]: verified, stored, answered; worked in afterwards |
//! | `/api/v1/…` | [`api`], its document in [`openapi`], who may what in [`auth`] |
//! | `/u/{token}` | [`unsubscribe`]: links in mails |
//! | `/s/{code}`, `/s/stop` | [`short_links`]: links in text messages |
//! | `POST /sms/{connection}` | [`replies`]: STOP holds when it is answered |
//! | `/healthz`, `/readyz` | here, without a key |
//!
//! [`listen`] bounds connections and what comes in by them. [`workers`] works stored events in and drives due runs; a
//! shutdown lets them finish what they are at.

mod api;
mod auth;
mod desk;
mod listen;
mod openapi;
mod problem;
mod replies;
mod secrets;
mod short_links;
mod tokens;
mod unsubscribe;
mod webhooks;
mod workers;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use kit::{ShopId, StoreError};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, watch};

use crate::briefs::Turns;
use crate::store::Store;
use crate::tenant::{Parts, Tenant, TenantError};

pub use openapi::document;
pub use secrets::{Secrets, SecretsError};
pub use tokens::{NewToken, TokenError, digest as token_digest, first_admin, first_token, new_token};

/// How much the server takes on at a time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections that may be open; one more waits until another ends.
    pub connections: usize,
    /// Webhooks that may wait for their commit; one more is told to come again.
    pub webhooks: usize,
    /// Of these, how many of one shop's connection: a shop that floods does not keep the others out.
    pub share: usize,
    /// Runs that are driven at the same time.
    pub runs: usize,
    /// How long a sender may take for the head of a request, and how long a connection may be idle.
    pub head: Duration,
    /// How long a sender may take for a body.
    pub body: Duration,
    /// How long a shutdown waits for what is under way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            webhooks: 1024,
            share: 512,
            runs: 4,
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            drain: Duration::from_secs(30),
        }
    }
}

/// One shop, served.
pub struct Server {
    tenant: RwLock<Arc<Tenant>>,
    store: Store,
    shop: ShopId,
    parts: Parts,
    secrets: Secrets,
    limits: Limits,
    webhooks: Semaphore,
    connections: webhooks::Known,
    wake: Notify,
    ready: AtomicBool,
    /// Turns of conversations under way.
    turns: Turns,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("shop", &self.shop).finish_non_exhaustive()
    }
}

impl Server {
    /// Puts a shop that was set up behind a server.
    ///
    /// # Errors
    /// As for [`Tenant::open`].
    pub async fn open(store: &Store, shop: &ShopId, parts: Parts, limits: Limits) -> Result<Arc<Self>, TenantError> {
        let tenant = Tenant::open(store, shop, parts.clone()).await?;
        Ok(Self::of(Arc::new(tenant), parts, limits))
    }

    /// Puts a shop that is open already behind a server; `parts` are what it was opened with.
    pub fn of(tenant: Arc<Tenant>, parts: Parts, limits: Limits) -> Arc<Self> {
        let store = tenant.store.store().clone();
        Arc::new(Self {
            shop: tenant.store.id().clone(),
            tenant: RwLock::new(tenant),
            parts,
            secrets: Secrets::of(store.dir()),
            webhooks: Semaphore::new(limits.webhooks),
            limits,
            connections: webhooks::Known::default(),
            wake: Notify::new(),
            ready: AtomicBool::new(false),
            turns: Turns::default(),
            store,
        })
    }

    /// Serves until `shutdown` comes, then lets requests and runs under way end.
    pub async fn run(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) {
        let (stop, stopped) = watch::channel(false);
        let workers = tokio::spawn(workers::work(self.clone(), stopped));
        self.clone().answer(listener, shutdown).await;
        // Only after the last answer: what was stored until then is at least looked at by the next start.
        let _ = stop.send(true);
        if tokio::time::timeout(self.limits.drain, workers).await.is_err() {
            tracing::warn!("runs under way did not end in time; the next start takes them up");
        }
    }

    /// Answers until `shutdown` comes, without working anything in or driving anything: [`Server::run`] does both.
    pub async fn answer(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        listen::serve(listener, self.clone().router(), &self.limits, shutdown).await;
    }

    /// The routes.
    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/s/{code}", get(short_links::follow).post(short_links::stop))
            .route("/u/{token}", get(unsubscribe::page).post(unsubscribe::stop))
            .nest("/api/v1", api::router())
            // Webhooks read their own bodies, after a look at what waits already.
            .layer(from_fn_with_state(self.clone(), listen::whole))
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(ready))
            .route("/webhooks/{source}/{connection}", post(webhooks::take))
            .route("/sms/{connection}", post(replies::take))
            .fallback(problem::nowhere)
            .with_state(self)
    }

    /// The shop as it is now: a release that was put in force meanwhile counts from its next look on.
    pub(crate) fn tenant(&self) -> Arc<Tenant> {
        self.tenant.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes up a release that was put in force by another process.
    pub(crate) async fn refresh(&self) -> Result<(), TenantError> {
        let tenant = self.tenant();
        if tenant.store.active_digest().await? == Some(tenant.release.digest) {
            return Ok(());
        }
        let fresh = Arc::new(Tenant::open(&self.store, &self.shop, self.parts.clone()).await?);
        *self.tenant.write().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        // It is in force at once; what is costly about it is made meanwhile.
        tokio::spawn(async move { fresh.prepare().await });
        Ok(())
    }
}

async fn ready(State(server): State<Arc<Server>>) -> (StatusCode, &'static str) {
    let store: Result<_, StoreError> = server.tenant().store.active_digest().await;
    match store {
        Ok(_) if server.ready.load(Ordering::Acquire) => (StatusCode::OK, "ready\n"),
        Ok(_) => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "storage does not answer\n"),
    }
}
