//! What is a person's own stands in nothing that leaves the house or is kept about it: no request to a model, no log line at any
//! level, no recording, no list of the API, no report (issue 5, mission 78). Mails to the person may hold it, and the tables.
//!
//! One customer with planted values lives through every flow, an outage, broken and forged webhooks, a marketer's chat that
//! names them, and a campaign. [`stories`] has what happens; here is what is looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod process;
mod reports;
mod stories;

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

/// What is planted: what it is, and as it is written somewhere.
const PLANTED: &[(&str, &str)] = &[
    ("e-mail", "quintessa.planted@mailbox.example"),
    ("e-mail, encoded", "quintessa.planted%40mailbox.example"),
    ("first name", "Quintessa"),
    ("last name", "Zwetschkenbaum"),
    ("phone", "+353 87 555 1234"),
    ("phone as kept", "+353875551234"),
    ("street", "14 Plantedheron Row"),
    ("postcode", "H91 PL4N"),
    ("card", "4111 1111 1111 1111"),
    ("IBAN", "DE89 3704 0044 0532 0130 00"),
    ("IP address", "203.0.113.77"),
    ("words of a note", "under the plantedblue door"),
    ("words of a ticket", "the plantedzip burst"),
    ("order number", "PLANTED-90017"),
    ("way back to the cart", "plantedwayback"),
    ("key of a webhook", crate::server::SECRET),
];

/// Names of planted values in a text, each with where it stands.
fn found(place: &str, text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let hits = PLANTED.iter().filter_map(|(name, value)| lower.find(&value.to_lowercase()).map(|at| (name, at)));
    hits.map(|(name, at)| {
        let before: String = lower[..at].chars().rev().take(160).collect::<Vec<_>>().into_iter().rev().collect();
        format!("{name} in {place}, after: {before}")
    })
    .collect()
}

/// Every line that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// Keeps what this thread logs, at every level.
    ///
    /// While tracing knows of one subscriber alone, a line that another thread (without one) meets first is switched off for all:
    /// a second one stands beside it.
    fn keep(&self) -> (tracing::subscriber::DefaultGuard, tracing::Dispatch) {
        let second = tracing::Dispatch::new(tracing_subscriber::registry());
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(self.clone());
        (tracing::subscriber::set_default(all.with_ansi(false).finish()), second)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn a_planted_value_is_found() {
    assert_eq!(found("x", "quintessa wrote"), ["first name in x, after: "]);
    assert_eq!(found("x", "nobody wrote"), Vec::<String>::new());
}
