//! The server over real HTTP, on a port of its own: every answer it gives, and what stands behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod api;
mod details;
mod intake;
mod limits;
mod links;
mod pages;
mod privacy;
mod reading;
mod refusals;
mod replies;

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kit::{EventId, Role};
use mailwright::server::{Limits, Secrets, Server, new_token};
use mailwright::store::{Connection, InboxEvent, InboxRow, InboxState};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use shop::Source;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::world::{Terms, World};

pub(crate) const SECRET: &str = "hush_client_secret";
const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const DOMAIN: &str = "demo-shop.myshopify.com";

/// A shop behind a server.
pub(crate) struct Served {
    pub(crate) world: World,
    url: String,
    client: Client,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Served {
    async fn start() -> Self {
        Self::with(Terms::of(11).open().await, Limits::default()).await
    }

    pub(crate) async fn with(world: World, limits: Limits) -> Self {
        let shop = world.tenant.store.id().clone();
        for (name, source, secret, domain) in [
            ("main", Source::Shopify, SECRET, DOMAIN),
            ("woo", Source::WooCommerce, SECRET, ""),
            ("big", Source::BigCommerce, SECRET, "abc123"),
            ("std", Source::Standard, STANDARD, ""),
            ("any", Source::Generic, SECRET, ""),
        ] {
            Secrets::of(world.folder()).keep(&shop, name, source, secret).unwrap();
            let connection = Connection {
                id: name.to_owned(),
                source: source.as_str().to_owned(),
                domain: domain.to_owned(),
                secret_env: None,
                api_base: None,
                api_token_env: None,
                created_at: world.now(),
            };
            world.tenant.store.add_connection(connection, "test").await.unwrap();
        }
        Self::again(world, limits).await
    }

    /// Of a shop that was served before.
    pub(crate) async fn again(world: World, limits: Limits) -> Self {
        let (store, shop) = (world.store(), world.tenant.store.id().clone());
        let server = Server::open(store, &shop, world.parts(), limits).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.run(listener, async move {
            let _ = stopped.await;
        }));
        Self { world, url, client: Client::new(), stop, ended }
    }

    /// Stops the server: what was under way has ended after that.
    pub(crate) async fn stop(self) -> World {
        let _ = self.stop.send(());
        drop(self.client);
        self.ended.await.unwrap();
        self.world
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).header("content-type", "application/json")
    }

    /// A Shopify webhook, signed as Shopify signs.
    pub(crate) fn shopify(&self, topic: &str, id: &str, body: &[u8]) -> RequestBuilder {
        self.post("/webhooks/shopify/main")
            .header("X-Shopify-Topic", topic)
            .header("X-Shopify-Event-Id", id)
            .header("X-Shopify-Shop-Domain", DOMAIN)
            .header("X-Shopify-Hmac-Sha256", sign(SECRET.as_bytes(), body))
            .body(body.to_vec())
    }

    /// A generic webhook, signed as Standard Webhooks are.
    fn standard(&self, id: &str, body: &[u8]) -> RequestBuilder {
        let at = self.world.now().as_second();
        let key = BASE64.decode(STANDARD.strip_prefix("whsec_").unwrap()).unwrap();
        let message = [format!("{id}.{at}.").as_bytes(), body].concat();
        self.post("/webhooks/standard/std")
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", format!("v1,AAAA v1,{}", sign(&key, &message)))
            .body(body.to_vec())
    }

    pub(crate) async fn token(&self, role: Role) -> String {
        let made = new_token(&self.world.tenant.store, "nora", role, "test", self.world.now()).await.unwrap();
        made.secret
    }

    /// What a path answers, in words.
    pub(crate) async fn get(&self, path: &str, token: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.url)).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn inbox(&self) -> Vec<InboxRow> {
        let mut rows = self.world.tenant.store.inbox(None, 100).await.unwrap();
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows
    }

    /// Waits until no stored event waits to be worked in.
    pub(crate) async fn settled(&self) {
        for _ in 0..1200 {
            let store = &self.world.tenant.store;
            let waiting = store.inbox(Some(InboxState::Received), 10).await.unwrap();
            if waiting.is_empty() && store.inbox(Some(InboxState::Fetching), 10).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("events are not worked in");
    }

    async fn event(&self, id: &str) -> InboxEvent {
        self.world.tenant.store.event(&EventId::new(id).unwrap()).await.unwrap().unwrap()
    }
}

fn sign(key: &[u8], message: &[u8]) -> String {
    BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message))
}

/// The answer's status and its problem's detail, after a look at its form.
async fn problem(sent: RequestBuilder) -> (StatusCode, String) {
    let response = sent.send().await.unwrap();
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["status"], status.as_u16());
    (status, body["detail"].as_str().unwrap().to_owned())
}

async fn accepted(sent: RequestBuilder) {
    let response: Response = sent.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{}", response.text().await.unwrap());
}

/// A test with a server of its own; requests and workers share two threads.
fn served(story: impl AsyncFnOnce(Served)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { story(Served::start().await).await });
}

/// The same with other limits.
fn limited(limits: Limits, story: impl AsyncFnOnce(Served)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { story(Served::with(Terms::of(11).open().await, limits).await).await });
}
