//! Soak: a server at work for a long time, and whether its memory stays as it was.
//!
//! Carts, orders and repeats come in at a steady rate; time runs sixty times as fast, so that carts are left, written to and
//! delivered all the while. The memory of this process, which is the server's, is looked at every few seconds; the slope of
//! the line through what was seen after the first third is what counts.
//!
//! The exit code is 1 when memory grows faster than allowed, or a webhook was not acknowledged.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use clap::Parser;
use esp::Outbox;
use jiff::{SignedDuration, Timestamp};
use mailwright::clock::{Clock as _, SetClock};
use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::server::{Limits, Secrets, Server};
use mailwright::store::{Connection, Place, ShopStore, Store};
use mailwright::tenant::{Parts, Tenant};
use mailwright_bench::meter::{peak_kb, resident_kb};
use mailwright_bench::random::Random;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &str = "soak_secret";
const CONNECTION: &str = "any";
/// The shop's seconds in one of ours.
const FAST: i64 = 60;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// A Tuesday morning.
const BEGAN: &str = "2026-11-17T09:00:00Z";

/// A server at work for a long time: does its memory stay as it was?
#[derive(Debug, Clone, Parser)]
#[command(after_help = "Example: cargo xtask bench soak --minutes 15")]
struct Args {
    /// How long
    #[arg(long, default_value_t = 15)]
    minutes: u32,
    /// Webhooks a second
    #[arg(long, default_value_t = 10)]
    rate: u32,
    /// The most that memory may grow, in kB a minute
    #[arg(long, default_value_t = 512.0)]
    allowed: f64,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let args = Args::parse();
    let dir = tempfile::tempdir()?;
    let clock = Arc::new(SetClock::at(BEGAN.parse()?));
    let (address, shop) = serve(dir.path(), clock.clone()).await?;
    let (began, length) = (Instant::now(), Duration::from_secs(u64::from(args.minutes) * 60));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let mut load = Load { address, key, random: Random::new(1), last: Vec::new() };
    let (mut seen, mut sent, mut refused, mut next) = (Vec::new(), 0_u64, 0_u64, LOOK);
    while began.elapsed() < length {
        let second = Instant::now();
        for _ in 0..args.rate {
            sent += 1;
            refused += u64::from(!load.one(sent, clock.now()).await.unwrap_or(false));
        }
        tokio::time::sleep(Duration::from_secs(1).saturating_sub(second.elapsed())).await;
        let passed = i64::try_from(second.elapsed().as_millis())?.saturating_mul(FAST);
        clock.set(clock.now().checked_add(SignedDuration::from_millis(passed))?);
        if began.elapsed() >= next {
            next += LOOK;
            seen.push((began.elapsed().as_secs_f64() / 60.0, resident_kb()));
            if seen.len() % 12 == 0 {
                println!("{:>5.1} min  {sent} webhooks  {} kB", began.elapsed().as_secs_f64() / 60.0, resident_kb());
            }
        }
    }
    let after_first_third: Vec<_> = seen.iter().skip(seen.len() / 3).copied().collect();
    let growth = slope(&after_first_third);
    let delivered = shop.sends(10_000_000).await?.len();
    let clean = growth <= args.allowed && refused == 0;
    println!(
        "{sent} webhooks, {refused} not acknowledged, {delivered} messages; memory {} kB, at most {} kB; it grows by {growth:.0} kB a minute (allowed {:.0})",
        resident_kb(),
        peak_kb(),
        args.allowed
    );
    println!(
        "{}",
        json!({ "webhooks": sent, "refused": refused, "messages": delivered, "rss_kb": resident_kb(), "peak_kb": peak_kb(),
                "kb_a_minute": growth, "minutes": args.minutes, "clean": clean })
    );
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The sample shop with messages that nobody must sign, served.
async fn serve(dir: &Path, clock: Arc<SetClock>) -> Result<(SocketAddr, ShopStore), Failure> {
    let now = clock.now();
    let store = Store::open_at(dir, &Place::Folder).await?;
    let id = sample_shop::set_up(&store, &SampleSpec { customers: 200, now, ..SampleSpec::default() }, now, &|_, _| {})
        .await?;
    let shop = store.shop(&id);
    let (_, mut files) = shop.active_release().await?.ok_or("the sample shop has no release")?;
    let policy = files.get_mut("knowledge/policy/risk.toml").ok_or("the release has no policy")?;
    let open = policy.replace("trust = \"first\"\nfirst_sends = 20", "trust = \"open\"");
    if open == *policy {
        return Err("the policy does not say `trust = \"first\"` any more".into());
    }
    *policy = open;
    Tenant::set_up(&store, files, now).await?;
    Secrets::of(dir).keep(&id, CONNECTION, shop::Source::Generic, SECRET)?;
    let connection = Connection {
        id: CONNECTION.to_owned(),
        source: "generic".to_owned(),
        domain: String::new(),
        secret_env: None,
        api_base: None,
        api_token_env: None,
        created_at: now,
    };
    shop.add_connection(connection, "soak").await?;
    let parts = Parts::new(clock, Arc::new(Outbox::open(dir.join("outbox"))?), Vec::new());
    let server = Server::open(&store, &id, parts, Limits::default()).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(server.run(listener, std::future::pending()));
    Ok((address, shop))
}

/// Who sends.
struct Load {
    address: SocketAddr,
    key: hmac::Key,
    random: Random,
    /// The body sent last.
    last: Vec<u8>,
}

impl Load {
    /// A new cart, an order for one of late, or the last event once more; true when it is acknowledged.
    async fn one(&mut self, number: u64, now: Timestamp) -> Result<bool, Failure> {
        let (kind, back) = (self.random.below(10), u64::from(self.random.below(40)));
        if kind == 0 && !self.last.is_empty() {
            return self.post(&self.last).await;
        }
        let is_order = kind == 1 || kind == 2;
        let person = if is_order { number.saturating_sub(back) } else { number };
        let customer = json!({
            "id": format!("S-{person}"), "email": format!("s{person}@soak.example"), "language": "en",
            "accepts_email_marketing": true,
        });
        let items = json!([{ "product_id": "TT-1001", "title": "Boots", "price": "189.00", "quantity": 1 }]);
        let content = json!({ "currency": "EUR", "total_value": "189.00", "items": items });
        let cart = format!("K-{person}");
        let (event, payload) = if is_order {
            let order = format!("O-{number}");
            ("order.created", json!({ "order_id": order, "cart_id": cart, "customer": customer, "order": content }))
        } else {
            ("cart.updated", json!({ "cart_id": cart, "customer": customer, "cart": content }))
        };
        let body = json!({ "event": event, "id": format!("evt-{number}"), "triggered_at": now, "payload": payload });
        self.last = body.to_string().into_bytes();
        self.post(&self.last).await
    }

    async fn post(&self, body: &[u8]) -> Result<bool, Failure> {
        let mut stream = TcpStream::connect(self.address).await?;
        let head = format!(
            "POST /webhooks/generic/{CONNECTION} HTTP/1.1\r\nhost: soak\r\nconnection: close\r\ncontent-type: application/json\r\n\
             x-webhook-signature: sha256={}\r\ncontent-length: {}\r\n\r\n",
            hex::encode(hmac::sign(&self.key, body)),
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    }
}

/// The slope of the line through these points by least squares, in units of y for one of x; zero for fewer than two.
fn slope(points: &[(f64, i64)]) -> f64 {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| *y as f64).sum::<f64>() / count;
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (*y as f64 - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if variance > 0.0 { covariance / variance } else { 0.0 }
}
