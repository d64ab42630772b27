//! The clock is passed in, never read: what happens when is decided by the [`Clock`] a caller brings.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use kit::{BoxFuture, Timestamp};

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;

    /// What has passed since a fixed moment of this process, however the time is set meanwhile. A clock that is set by hand
    /// lets pass what it is set forward by.
    fn steady(&self) -> Duration;

    /// Waits until it is this time. A clock that is set by hand is set: nobody else would move it.
    fn wait(&self, until: Timestamp) -> BoxFuture<'_, ()>;
}

/// When somebody first asked what has passed.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What has passed in this process, whatever its clock says.
pub(crate) fn passed() -> Duration {
    BEGAN.elapsed()
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn steady(&self) -> Duration {
        passed()
    }

    fn wait(&self, until: Timestamp) -> BoxFuture<'_, ()> {
        let left = until.duration_since(self.now()).unsigned_abs();
        Box::pin(async move {
            if until > Timestamp::now() {
                tokio::time::sleep(left).await;
            }
        })
    }
}

/// A clock that is set by hand: the demo's, the tests', `--at TIME`.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock that stands at this time.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_microsecond()))
    }

    /// Moves it.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_microsecond(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn steady(&self) -> Duration {
        self.now().duration_since(Timestamp::UNIX_EPOCH).try_into().unwrap_or_default()
    }

    fn wait(&self, until: Timestamp) -> BoxFuture<'_, ()> {
        self.set(until.max(self.now()));
        Box::pin(std::future::ready(()))
    }
}
