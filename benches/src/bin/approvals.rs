//! Ten thousand requests wait: how long the list takes, over HTTP and on the command line.
//!
//! A real request (a checkout of the sample shop, drafted by the offline model) is put there again and again. The list stands
//! beside an answer that reads nothing, and the command beside the same program saying its version.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use esp::Outbox;
use kit::message::ApprovalState;
use kit::{ApprovalId, Digest, RunId, Timestamp};
use mailwright::clock::SetClock;
use mailwright::runs::Silent;
use mailwright::sample::SampleSpec;
use mailwright::store::{NewApproval, NewRun, Store};
use mailwright::tenant::{Parts, Tenant};
use mailwright_bench::stats::{millis, percentile};
use serde::Serialize;

/// The webhook that is drafted about.
const CHECKOUT: &str = include_str!("../../../knowledge/sample-shop/webhooks/shopify-checkouts-update-ada.json");

/// A list of many requests for approval
#[derive(Debug, Parser)]
#[command(after_help = "Example: cargo xtask bench approvals --pending 10000")]
struct Args {
    /// Requests that wait
    #[arg(long, default_value_t = 10_000)]
    pending: u32,
    /// How often each is asked
    #[arg(long, default_value_t = 60)]
    times: usize,
    /// The program to start as a server; the one beside this benchmark if not given
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

fn fails(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

/// The last line; milliseconds.
#[derive(Debug, Serialize)]
struct Report {
    pending: u32,
    http_p50_ms: f64,
    http_p95_ms: f64,
    /// The page behind the five-thousandth.
    http_deep_p95_ms: f64,
    /// An answer that reads nothing.
    http_floor_p95_ms: f64,
    command_p95_ms: f64,
    /// The same program, saying its version.
    command_floor_p95_ms: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let dir = tempfile::tempdir().map_err(fails)?;
    let deep = fill(dir.path(), args.pending).await?;
    let program = match args.server {
        Some(program) => program,
        None => std::env::current_exe().map_err(fails)?.with_file_name("mailwright"),
    };
    let address = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(fails)?;
    let mut serve = Command::new(&program);
    serve.arg("--data").arg(dir.path()).args(["serve", "--listen", &address.to_string()]);
    let server = Killed(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(fails)?);
    let began = Instant::now();
    while get(address, "/readyz", "").is_err() {
        if began.elapsed() > Duration::from_secs(120) {
            return Err(Failure(format!("{} does not get ready", program.display())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let token = std::fs::read_to_string(dir.path().join("admin.token")).map_err(fails)?;
    let token = token.trim();
    let asked = |path: &str| -> Result<Vec<Duration>, Failure> {
        let mut times = Vec::with_capacity(args.times);
        for _ in 0..args.times {
            let began = Instant::now();
            get(address, path, token)?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        Ok(times)
    };
    let list = asked("/api/v1/approvals")?;
    let behind = asked(&format!("/api/v1/approvals?after={deep}"))?;
    let floor = asked("/healthz")?;
    drop(server);
    let told = |args: &[&str], times: usize| -> Result<Vec<Duration>, Failure> {
        let mut spent = Vec::with_capacity(times);
        for _ in 0..times {
            let began = Instant::now();
            let status = Command::new(&program).args(args).arg("--data").arg(dir.path()).stdout(Stdio::null()).status();
            if !status.map_err(fails)?.success() {
                return Err(Failure(format!("{args:?} failed")));
            }
            spent.push(began.elapsed());
        }
        spent.sort_unstable();
        Ok(spent)
    };
    // Once before it is measured: what is escalated is noted then.
    told(&["approvals", "list", "--json"], 1)?;
    let command = told(&["approvals", "list", "--json"], args.times.div_ceil(3))?;
    let version = told(&["tokens", "list", "--json"], args.times.div_ceil(3))?;
    let report = Report {
        pending: args.pending,
        http_p50_ms: millis(percentile(&list, 50)),
        http_p95_ms: millis(percentile(&list, 95)),
        http_deep_p95_ms: millis(percentile(&behind, 95)),
        http_floor_p95_ms: millis(percentile(&floor, 95)),
        command_p95_ms: millis(percentile(&command, 95)),
        command_floor_p95_ms: millis(percentile(&version, 95)),
    };
    println!("{}", serde_json::to_string(&report).map_err(fails)?);
    Ok(())
}

/// A sample shop in which so many requests wait; the name of the one in the middle.
async fn fill(dir: &Path, pending: u32) -> Result<ApprovalId, Failure> {
    let (now, store) = (Timestamp::now(), Store::open(dir).await.map_err(fails)?);
    let shop = mailwright::sample_shop::set_up(&store, &SampleSpec::default(), now, &|_, _| {}).await.map_err(fails)?;
    let clock = Arc::new(SetClock::at(now));
    let esp = Arc::new(Outbox::open(dir.join("outbox")).map_err(fails)?);
    let parts = Parts::new(clock.clone(), esp, Vec::new());
    let tenant = Arc::new(Tenant::open(&store, &shop, parts).await.map_err(fails)?);
    let delivery = shop::Delivery {
        source: shop::Source::Shopify,
        topic: "checkouts/update",
        body: CHECKOUT.as_bytes(),
        event_id: None,
        triggered_at: Some(now),
        received_at: now,
    };
    let intake = tenant.take_in(&delivery).await.map_err(fails)?;
    let run = intake.runs.first().map(|begun| begun.run.clone()).ok_or_else(|| fails("no run was begun"))?;
    clock.set(now.checked_add(jiff::SignedDuration::from_hours(5)).map_err(fails)?);
    tenant.driver(Arc::new(Silent)).drive(&run).await.map_err(fails)?;
    let asked = tenant.store.approvals(ApprovalState::Pending, 1).await.map_err(fails)?;
    let real = asked.into_iter().next().ok_or_else(|| fails("nothing waits for a person"))?;
    let waiting = tenant.store.run(&run).await.map_err(fails)?.ok_or_else(|| fails("its run is not stored"))?;
    let mut middle = real.record.id.clone();
    for number in 1..pending {
        let name = Digest::of_bytes(&number.to_be_bytes());
        let later = jiff::SignedDuration::from_millis(i64::from(number));
        // A request is sealed under the key of its run's customer, and no server takes this run up meanwhile.
        let new = NewRun {
            id: RunId::from_digest("run", &name),
            flow: waiting.flow.clone(),
            customer: waiting.customer.clone(),
            occasion: format!("bench:{number}"),
            step: 1,
            due: real.record.expires_at,
            cause: "bench".to_owned(),
            supersede: None,
            release: tenant.release.digest,
            plan: waiting.plan.clone(),
        };
        let run = tenant.store.admit(new, now).await.map_err(fails)?.run;
        let new = NewApproval {
            id: ApprovalId::from_digest("apr", &name),
            run,
            terms: real.terms.clone(),
            draft: real.draft.clone(),
            summary: real.summary.clone(),
            reasons: real.reasons.clone(),
            expires_at: real.record.expires_at.checked_add(later).map_err(fails)?,
        };
        if number == pending / 2 {
            middle = new.id.clone();
        }
        tenant.store.open_approval(new, real.created_at).await.map_err(fails)?;
    }
    drop(tenant);
    store.close().await;
    Ok(middle)
}

/// One question, answered with 200.
fn get(address: SocketAddr, path: &str, token: &str) -> Result<(), Failure> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).map_err(fails)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(fails)?;
    let ask =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).map_err(fails)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(fails)?;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err(Failure(format!("{path} is not answered with 200"))) }
}

/// A process that ends with its measurement.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
