//! The provider: writes down every message it takes, and answers as badly as providers do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mailwright_bench::random::Random;
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;
use crate::http;

/// Longer than the server waits for an answer.
const HANG: Duration = Duration::from_millis(2500);

/// How it is disposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temper {
    /// Takes everything at once.
    Good,
    /// Whatever chance says.
    Bad,
}

/// A message taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) key: String,
    pub(crate) to: String,
    /// Of which life of the server, from 0.
    pub(crate) life: u64,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) answers: BTreeMap<&'static str, u64>,
    /// Calls whose outcome the server could not see: cut, hung, or 500.
    pub(crate) cut: u64,
}

#[derive(Debug)]
struct Book {
    taken: Vec<Taken>,
    counts: Counts,
    random: Random,
}

#[derive(Debug)]
struct Inner {
    book: Mutex<Book>,
    temper: AtomicU8,
    life: AtomicU64,
}

/// A provider that listens.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    inner: Arc<Inner>,
    address: String,
}

/// What it does with a call.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Take,
    Busy,
    Break,
    BreakAfterTaking,
    Hang,
    HangAfterTaking,
    CutAfterTaking,
    Cut,
}

impl Provider {
    pub(crate) async fn start(seed: u64) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let book = Book { taken: Vec::new(), counts: Counts::default(), random: Random::new(seed ^ 0xe5b) };
        let inner = Arc::new(Inner { book: Mutex::new(book), temper: AtomicU8::new(1), life: AtomicU64::new(0) });
        let own = inner.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(own.clone(), stream));
            }
        });
        Ok(Self { inner, address })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn temper(&self, temper: Temper) {
        self.inner.temper.store(u8::from(temper == Temper::Bad), Ordering::SeqCst);
    }

    pub(crate) fn next_life(&self) {
        self.inner.life.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.inner.book().taken.clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.inner.book().counts.clone()
    }
}

impl Inner {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mood(&self) -> Mood {
        if self.temper.load(Ordering::SeqCst) == 0 {
            return Mood::Take;
        }
        match self.book().random.below(20) {
            0..=10 => Mood::Take,
            11 | 12 => Mood::Busy,
            13 => Mood::Break,
            14 => Mood::BreakAfterTaking,
            15 => Mood::Hang,
            16 => Mood::HangAfterTaking,
            17 | 18 => Mood::CutAfterTaking,
            _ => Mood::Cut,
        }
    }

    fn take(&self, key: &str, to: &str) {
        let life = self.life.load(Ordering::SeqCst);
        self.book().taken.push(Taken { key: key.to_owned(), to: to.to_owned(), life });
    }

    fn count(&self, what: &'static str, cut: bool) {
        let mut book = self.book();
        book.counts.calls += 1;
        *book.counts.answers.entry(what).or_default() += 1;
        book.counts.cut += u64::from(cut);
    }
}

async fn serve(inner: Arc<Inner>, mut stream: TcpStream) {
    // A connection that breaks is the server's end or its timeout: nothing to be done about it here.
    let _ = talk(&inner, &mut stream).await;
}

async fn talk(inner: &Inner, stream: &mut TcpStream) -> std::io::Result<()> {
    let Some(request) = http::read(stream).await? else { return Ok(()) };
    let mut words = request.line.split(' ');
    let (verb, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if verb == "GET" {
        let key = path.rsplit('/').next().unwrap_or_default();
        if matches!(inner.mood(), Mood::Busy | Mood::Break) {
            return http::answer(stream, 503, "{}").await;
        }
        let known = inner.book().taken.iter().any(|taken| taken.key == key);
        return if known {
            http::answer(stream, 200, &format!("{{\"id\":\"m-{key}\"}}")).await
        } else {
            http::answer(stream, 404, "{}").await
        };
    }
    let key = request.header("idempotency-key").unwrap_or_default().to_owned();
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let to = body.get("to").and_then(|to| to.as_str()).unwrap_or_default().to_owned();
    let taken = format!("{{\"id\":\"m-{key}\"}}");
    match inner.mood() {
        Mood::Take => {
            inner.take(&key, &to);
            inner.count("200", false);
            http::answer(stream, 200, &taken).await
        }
        Mood::Busy => {
            inner.count("429", false);
            http::answer(stream, 429, "{}").await
        }
        Mood::Break => {
            inner.count("500", true);
            http::answer(stream, 500, "{}").await
        }
        Mood::BreakAfterTaking => {
            inner.take(&key, &to);
            inner.count("500 after taking", true);
            http::answer(stream, 500, "{}").await
        }
        Mood::Hang => {
            inner.count("hang", true);
            tokio::time::sleep(HANG).await;
            Ok(())
        }
        Mood::HangAfterTaking => {
            inner.take(&key, &to);
            inner.count("hang after taking", true);
            tokio::time::sleep(HANG).await;
            Ok(())
        }
        Mood::CutAfterTaking => {
            inner.take(&key, &to);
            inner.count("cut after taking", true);
            Ok(())
        }
        Mood::Cut => {
            inner.count("cut", true);
            Ok(())
        }
    }
}
