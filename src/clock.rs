//! The clock is passed in, never read: what happens when is decided by the [`Clock`] a caller brings.

use std::sync::atomic::{AtomicI64, Ordering};

use kit::Timestamp;

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
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
}
