//! The shop's clock: a file that the server reads. It runs fast, and jumps under a server that is at work.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;

use crate::Failure;

/// How often the time is written.
const BEAT: Duration = Duration::from_millis(50);
/// How much of the shop's time passes with each beat: twenty times as fast as ours.
const PASSES: SignedDuration = SignedDuration::from_secs(1);

/// The clock, and the task that keeps it going.
pub(crate) struct ShopClock {
    face: Arc<Mutex<Face>>,
    path: PathBuf,
    beats: JoinHandle<()>,
}

struct Face {
    /// The time without jumps.
    time: Timestamp,
    /// How far it is wrong at the moment.
    jump: SignedDuration,
}

impl Face {
    fn shown(&self) -> Timestamp {
        self.time.checked_add(self.jump).unwrap_or(self.time)
    }
}

impl ShopClock {
    pub(crate) fn start(path: &Path, time: Timestamp) -> Result<Self, Failure> {
        let face = Arc::new(Mutex::new(Face { time, jump: SignedDuration::ZERO }));
        write(path, time)?;
        let (own, file) = (face.clone(), path.to_owned());
        let beats = tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                let shown = {
                    let mut face = own.lock().unwrap_or_else(PoisonError::into_inner);
                    face.time = face.time.checked_add(PASSES).unwrap_or(face.time);
                    face.shown()
                };
                // The server keeps the time before where it cannot be read; the next beat writes it again.
                let _ = write(&file, shown);
            }
        });
        Ok(Self { face, path: path.to_owned(), beats })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The time without jumps: what the world outside the server goes by.
    pub(crate) fn now(&self) -> Timestamp {
        self.face.lock().unwrap_or_else(PoisonError::into_inner).time
    }

    /// Makes it wrong by so much until the next jump; zero makes it right.
    pub(crate) fn jump(&self, by: SignedDuration) {
        self.face.lock().unwrap_or_else(PoisonError::into_inner).jump = by;
    }

    /// Lets time pass at once, for everybody; never back.
    pub(crate) fn forward(&self, to: Timestamp) {
        let mut face = self.face.lock().unwrap_or_else(PoisonError::into_inner);
        face.time = face.time.max(to);
    }
}

impl Drop for ShopClock {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

/// Written beside and renamed: nobody reads half of it.
fn write(path: &Path, time: Timestamp) -> std::io::Result<()> {
    let beside = path.with_extension("next");
    std::fs::write(&beside, time.to_string())?;
    std::fs::rename(beside, path)
}
