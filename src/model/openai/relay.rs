//! From a service that must own what it holds to a listener that is only lent.
//!
//! What is said while an answer is being read is put down here and handed on after each poll. So it is the asker's own task
//! that reads: a listener that takes its time holds the server back, and nothing goes on reading once the asker is gone.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent::ReplySink;

#[derive(Clone, Default)]
pub(super) struct Relay(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    said: Vec<Said>,
    streamed: bool,
}

enum Said {
    Words(String),
    Call(String),
}

impl Relay {
    /// Waits for an answer and hands on what is said meanwhile.
    pub(super) async fn listen<T>(&self, sink: &dyn ReplySink, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        poll_fn(|context| {
            let polled = answer.as_mut().poll(context);
            // Taken out first: no lock is held while somebody listens.
            let said = std::mem::take(&mut self.state().said);
            for piece in said {
                match piece {
                    Said::Words(words) => sink.text(&words),
                    Said::Call(name) => sink.call(&name),
                }
            }
            polled
        })
        .await
    }

    /// The answer came as a stream: whoever reads along has heard it.
    pub(super) fn set_streamed(&self) {
        self.state().streamed = true;
    }

    pub(super) fn streamed(&self) -> bool {
        self.state().streamed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReplySink for Relay {
    fn text(&self, delta: &str) {
        self.state().said.push(Said::Words(delta.to_owned()));
    }

    fn call(&self, name: &str) {
        self.state().said.push(Said::Call(name.to_owned()));
    }
}
