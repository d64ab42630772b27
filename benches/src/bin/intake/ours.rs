//! Ours: the sample shop's server on a loopback port, and callers that keep their connections.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use esp::Outbox;
use jiff::Timestamp;
use mailwright::clock::SystemClock;
use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::server::{Limits, Secrets, Server};
use mailwright::store::{Connection, ShopStore, Store};
use mailwright::tenant::Parts;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::events::{CONNECTION, Event, SECRET};
use crate::{Failure, Round, drive};

/// Customers of the shop: it is not what is measured.
const CUSTOMERS: u32 = 60;

/// A shop that is served.
pub(crate) struct Served {
    address: SocketAddr,
    shop: ShopStore,
}

impl Served {
    pub(crate) async fn start(dir: &Path, workers: bool) -> Result<Self, Failure> {
        let now = Timestamp::now();
        let store = Store::open(dir).await?;
        let spec = SampleSpec { customers: CUSTOMERS, now, ..SampleSpec::default() };
        let id = sample_shop::set_up(&store, &spec, now, &|_, _| {}).await?;
        let shop = store.shop(&id);
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
        shop.add_connection(connection, "bench").await?;
        let outbox = Arc::new(Outbox::open(dir.join("outbox"))?);
        let parts = Parts::new(Arc::new(SystemClock), outbox, Vec::new());
        let server = Server::open(&store, &id, parts, Limits::default()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        // It ends with the process.
        if workers {
            tokio::spawn(server.run(listener, std::future::pending()));
        } else {
            tokio::spawn(server.answer(listener, std::future::pending()));
        }
        Ok(Self { address, shop })
    }

    pub(crate) async fn round(&self, events: &Arc<Vec<Event>>, callers: usize) -> Result<Round, Failure> {
        let address = self.address;
        drive(events, callers, |events, first| async move {
            let mut line = Line::open(address).await?;
            let mut times = Vec::new();
            for event in events.iter().skip(first).step_by(callers) {
                let began = Instant::now();
                line.ask(&event.request).await?;
                times.push(began.elapsed());
            }
            Ok(times)
        })
        .await
    }

    /// Events in the inbox.
    pub(crate) async fn stored(&self) -> Result<u64, Failure> {
        Ok(self.shop.inbox(None, 10_000_000).await?.len() as u64)
    }
}

/// One connection that stays open.
struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Line {
    async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::new() })
    }

    /// Sends a request, and passes when it is acknowledged.
    async fn ask(&mut self, request: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        while !self.answer.ends_with(b"stored\n") {
            let read = tokio::time::timeout(Duration::from_secs(30), self.stream.read_buf(&mut self.answer)).await??;
            let refused = self.answer.len() > 12 && !self.answer.starts_with(b"HTTP/1.1 200");
            if read == 0 || refused {
                return Err(format!("not acknowledged: {}", String::from_utf8_lossy(&self.answer)).into());
            }
        }
        Ok(())
    }
}
