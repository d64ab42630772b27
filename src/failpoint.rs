//! Named places at which a test makes the process die, to show that a start after any crash ends in exactly one mail.
//!
//! Set `MAILWRIGHT_FAILPOINT` to a name and the process aborts there: no destructor runs, nothing is flushed, just as with
//! `kill -9`. Only builds with debug assertions look at the variable; in a release build [`hit`] is empty, so that nobody's
//! environment can stop a shop.
//!
//! | name | the process dies |
//! |---|---|
//! | `after_receive` | after a webhook is stored, before it is looked at |
//! | `after_apply` | after the event's data are written, before runs are called off or begun |
//! | `after_admit` | after a run is admitted, before the event is settled |
//! | `before_append.N`, `after_append.N` | around the journal row at position `N` |
//! | `after_model` | after a model's answer, before it is journaled |
//! | `after_tools` | after tools' answers, before they are journaled |
//! | `after_open` | after an approval is opened, before its tool has answered |
//! | `after_decide` | after a person's decision is written, before the run goes on |
//! | `before_reserve`, `after_reserve` | around the ledger row of a message |
//! | `after_begin_attempt` | after the hand-over is noted, before the ESP is called |
//! | `after_deliver` | after the ESP has the message (the outbox: after the file is linked into `new/`), before that is noted |
//! | `after_settle` | after the ledger row is settled, before the run knows |
//! | `campaign_before_note` | after a chunk of a campaign is sent, before its recipients' rows say so |
//! | `before_finish` | before a run's end is noted |
//!
//! `MAILWRIGHT_CLOCK_FILE` names a file that holds the time (RFC 3339), read whenever somebody asks what time it is: so a
//! clock jumps under a process that runs. It, too, is for builds with debug assertions alone ([`clock`]).

use std::fmt::Display;
use std::sync::Arc;

use crate::clock::Clock;

/// Aborts the process when `MAILWRIGHT_FAILPOINT` is this name.
#[cfg(debug_assertions)]
pub fn hit(name: impl Display) {
    use std::sync::LazyLock;
    static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("MAILWRIGHT_FAILPOINT").ok());
    if CHOSEN.as_deref().is_some_and(|chosen| name.to_string() == chosen) {
        std::process::abort();
    }
}

/// Does nothing: release builds have no failpoints.
#[cfg(not(debug_assertions))]
pub fn hit(_: impl Display) {}

/// The clock of the file that `MAILWRIGHT_CLOCK_FILE` names, if it names one.
#[cfg(debug_assertions)]
pub fn clock() -> Option<Arc<dyn Clock>> {
    std::env::var_os("MAILWRIGHT_CLOCK_FILE").map(|path| Arc::new(FileClock::of(path.into())) as Arc<dyn Clock>)
}

/// None: the time of a release build is nobody's environment's.
#[cfg(not(debug_assertions))]
pub fn clock() -> Option<Arc<dyn Clock>> {
    None
}

/// How often a file is read while somebody waits for its time.
#[cfg(debug_assertions)]
const LOOKS_AGAIN: std::time::Duration = std::time::Duration::from_millis(20);

#[cfg(debug_assertions)]
struct FileClock {
    path: std::path::PathBuf,
    /// What it says where the file cannot be read: the time that was read last.
    last: crate::clock::SetClock,
}

#[cfg(debug_assertions)]
impl FileClock {
    fn of(path: std::path::PathBuf) -> Self {
        Self { path, last: crate::clock::SetClock::at(kit::Timestamp::UNIX_EPOCH) }
    }
}

#[cfg(debug_assertions)]
impl Clock for FileClock {
    fn now(&self) -> kit::Timestamp {
        let read = std::fs::read_to_string(&self.path).ok().and_then(|text| text.trim().parse().ok());
        if let Some(time) = read {
            self.last.set(time);
        }
        self.last.now()
    }

    fn steady(&self) -> std::time::Duration {
        crate::clock::passed()
    }

    fn wait(&self, until: kit::Timestamp) -> kit::BoxFuture<'_, ()> {
        Box::pin(async move {
            while self.now() < until {
                tokio::time::sleep(LOOKS_AGAIN).await;
            }
        })
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_clock_of_a_file_says_what_was_written_last() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clock");
        let clock = FileClock::of(path.clone());
        let says = |text: &str| {
            std::fs::write(&path, text).unwrap();
            clock.now().to_string()
        };
        assert_eq!(says("2026-11-17T09:00:00Z"), "2026-11-17T09:00:00Z");
        assert_eq!(says("2026-11-17T08:50:00Z\n"), "2026-11-17T08:50:00Z");
        assert_eq!(says("half a wri"), "2026-11-17T08:50:00Z");
    }
}
