//! A provider that keeps the exact bytes of every hand-over, and can fail in the ways providers do.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use esp::{Accepted, Capabilities, Esp, EspError, Lookup};
use kit::message::{DedupeKey, Outgoing, Reserved};
use kit::{BoxFuture, Timestamp};

const NAME: &str = "recording";

/// What goes wrong with one hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429: nothing was accepted.
    TooMany,
    /// 500: nothing was accepted.
    Broken,
    /// 400: it will never be accepted.
    Refuses,
    /// No answer ever comes, and nothing was accepted. For callers that give up by themselves.
    Hangs,
    /// The message was accepted and the connection cut before the answer.
    AcceptsThenCuts,
}

/// One hand-over that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its key.
    pub key: DedupeKey,
    /// When, by the caller's clock.
    pub at: Timestamp,
    /// The mail, as a file `.eml` would hold it; a text message as JSON.
    pub bytes: Vec<u8>,
}

/// The provider. It recognises no key by itself, so that a message handed over twice is there twice.
#[derive(Debug, Default)]
pub struct RecordingEsp {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: Vec<Taken>,
    faults: VecDeque<Fault>,
    calls: u64,
}

impl RecordingEsp {
    /// The next hand-overs fail like this, one each.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// Everything accepted so far, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    /// Takes everything accepted so far out of it; faults that were not met are forgotten.
    pub fn drain(&self) -> Vec<Taken> {
        let mut state = self.state();
        state.faults.clear();
        std::mem::take(&mut state.taken)
    }

    /// How often it was called, whatever came of it.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever died with the lock had only pushed a value.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, message: &Reserved, now: Timestamp) -> Result<Accepted, EspError> {
        let refused = |why: String| EspError::Refused { esp: NAME.to_owned(), why };
        let bytes = match message.message() {
            Outgoing::Mail(mail) => {
                esp::to_rfc5322(message.key(), mail, now).map_err(|why| refused(why.to_string()))?
            }
            Outgoing::Sms(sms) => serde_json::to_vec(sms).map_err(|why| refused(why.to_string()))?,
        };
        let mut state = self.state();
        state.taken.push(Taken { key: message.key(), at: now, bytes });
        Ok(Accepted { provider_id: format!("{NAME}-{}", state.taken.len()) })
    }
}

impl Esp for RecordingEsp {
    fn name(&self) -> &str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            dedupes_by_key: false,
            can_lookup: true,
            can_create_draft: false,
            can_schedule: false,
            can_cancel: false,
            can_ab: false,
        }
    }

    fn deliver<'a>(&'a self, message: &'a Reserved, now: Timestamp) -> BoxFuture<'a, Result<Accepted, EspError>> {
        Box::pin(async move {
            let fault = {
                let mut state = self.state();
                state.calls += 1;
                state.faults.pop_front()
            };
            let esp = NAME.to_owned();
            match fault {
                None => self.take(message, now),
                Some(Fault::TooMany) => Err(EspError::Unavailable { esp, why: "429 Too Many Requests".to_owned() }),
                Some(Fault::Broken) => Err(EspError::Unavailable { esp, why: "500 Internal Server Error".to_owned() }),
                Some(Fault::Refuses) => Err(EspError::Refused { esp, why: "400 Bad Request".to_owned() }),
                Some(Fault::Hangs) => std::future::pending().await,
                Some(Fault::AcceptsThenCuts) => {
                    self.take(message, now)?;
                    Err(EspError::Unknown { esp, why: "the connection was cut before the answer".to_owned() })
                }
            }
        })
    }

    fn lookup<'a>(&'a self, key: DedupeKey) -> BoxFuture<'a, Result<Lookup, EspError>> {
        Box::pin(async move {
            let state = self.state();
            let position = state.taken.iter().position(|taken| taken.key == key);
            Ok(position
                .map_or(Lookup::Absent, |at| Lookup::Found(Accepted { provider_id: format!("{NAME}-{}", at + 1) })))
        })
    }
}
