//! Recorded HTTP exchanges, of models and of senders alike.
//!
//! A [`Cassette`] either records what passes through an [`crate::egress::Egress`] or answers in the network's place. It
//! answers a request only when the whole of it was recorded: method, path with its query, the headers that carry meaning,
//! and the body; the host does not count. A changed request fails with the places where it differs from the nearest one
//! recorded, and [`Cassette::finish`] fails when something recorded was never asked for.
//!
//! Personal data and secrets are replaced before anything is written or compared ([`scrub`]). The file is JSON lines, one
//! exchange a line ([`tape`]), so that a change shows in review.

mod differ;
mod scrub;
mod tape;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::HeaderMap;

use crate::egress::Outgoing;

pub use scrub::Scrub;
pub use tape::{Asked, SCHEMA};

/// An answer as an egress gives it.
#[derive(Debug, Clone)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or what came of it.
    pub body: Vec<u8>,
    /// The connection broke before the body's end.
    pub cut: bool,
}

/// What is wrong with a cassette, or with a request for it. Excerpts are of what was scrubbed before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CassetteError {
    /// The file cannot be opened or made.
    #[error("the cassette {} cannot be opened: {why}", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A line is no exchange.
    #[error("{}, line {line}: {why}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A request that was not recorded, or changed since.
    #[error("the cassette {} does not hold this request: {what}", file.display())]
    NotRecorded {
        /// The file.
        file: PathBuf,
        /// Where it differs from the nearest one recorded.
        what: String,
    },
    /// Something recorded was never asked for.
    #[error("the cassette {} holds {} that nobody asked for: {}; record it anew", file.display(), count(left.len()), left.join(", "))]
    Unused {
        /// The file.
        file: PathBuf,
        /// Method and path of each.
        left: Vec<String>,
    },
    /// An exchange could not be written.
    #[error("the cassette {} could not be written ({why}): it is not complete", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
}

fn count(exchanges: usize) -> String {
    if exchanges == 1 { "one exchange".to_owned() } else { format!("{exchanges} exchanges") }
}

/// A recorder, or a recording.
#[derive(Debug)]
pub struct Cassette {
    file: PathBuf,
    scrub: Scrub,
    deck: Mutex<Deck>,
    replays: bool,
}

#[derive(Debug)]
enum Deck {
    Record { out: File, failed: Option<CassetteError> },
    Replay { exchanges: Vec<tape::Exchange>, used: Vec<bool>, missed: Option<CassetteError> },
}

impl Cassette {
    /// A recorder into a new file.
    ///
    /// # Errors
    /// When the file is there already or cannot be made: a recording is never written over.
    pub fn record(file: &Path, scrub: Scrub) -> Result<Self, CassetteError> {
        let open = |why: std::io::Error| {
            let there = why.kind() == std::io::ErrorKind::AlreadyExists;
            let why = if there { "it is there already; delete it to record anew".to_owned() } else { why.to_string() };
            CassetteError::Open { file: file.to_owned(), why }
        };
        let mut out = OpenOptions::new().write(true).create_new(true).open(file).map_err(open)?;
        writeln!(out, "{}", tape::head()).map_err(open)?;
        let deck = Mutex::new(Deck::Record { out, failed: None });
        Ok(Self { file: file.to_owned(), scrub, deck, replays: false })
    }

    /// A recording from a file.
    ///
    /// # Errors
    /// Names file and line.
    pub fn replay(file: &Path, scrub: Scrub) -> Result<Self, CassetteError> {
        let text = std::fs::read_to_string(file)
            .map_err(|e| CassetteError::Open { file: file.to_owned(), why: e.to_string() })?;
        let exchanges =
            tape::read(&text).map_err(|(line, why)| CassetteError::Line { file: file.to_owned(), line, why })?;
        let used = vec![false; exchanges.len()];
        let deck = Mutex::new(Deck::Replay { exchanges, used, missed: None });
        Ok(Self { file: file.to_owned(), scrub, deck, replays: true })
    }

    /// True when it answers in the network's place.
    pub fn replays(&self) -> bool {
        self.replays
    }

    /// True when its answers come from who has read the whole request: from the server that is being recorded, or from a
    /// recording that has answered, and has held every request so far.
    pub fn has_read_all(&self) -> bool {
        match &*self.deck() {
            Deck::Record { .. } => true,
            Deck::Replay { used, missed, .. } => missed.is_none() && used.contains(&true),
        }
    }

    /// A request as it is recorded and compared.
    pub fn asked(&self, outgoing: &Outgoing) -> Asked {
        Asked::of(outgoing, &self.scrub)
    }

    /// The recorded answer. Equal requests are answered in the order in which they were recorded, each once.
    ///
    /// # Errors
    /// [`CassetteError::NotRecorded`] with the places where the request differs.
    pub fn play(&self, asked: &Asked) -> Result<Answered, CassetteError> {
        let mut deck = self.deck();
        let Deck::Replay { exchanges, used, missed } = &mut *deck else {
            return Err(self.not_recorded("it is being recorded"));
        };
        let found = exchanges.iter().zip(used.iter_mut()).find(|(exchange, used)| !**used && exchange.asked == *asked);
        if let Some((exchange, used)) = found {
            *used = true;
            return Ok(exchange.answered.play());
        }
        let left = exchanges.iter().zip(used.iter()).filter(|(_, used)| !**used).map(|(exchange, _)| &exchange.asked);
        let error = self.not_recorded(&differ::nearest(asked, left));
        missed.get_or_insert_with(|| error.clone());
        Err(error)
    }

    /// Writes an exchange down.
    ///
    /// # Errors
    /// When it cannot be written; [`Cassette::finish`] then fails as well.
    pub fn keep(&self, asked: Asked, answered: Answered) -> Result<(), CassetteError> {
        let line = tape::Exchange { asked, answered: tape::Recorded::of(answered, &self.scrub) }.to_line();
        let mut deck = self.deck();
        let Deck::Record { out, failed } = &mut *deck else { return Ok(()) };
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| {
            let error = CassetteError::Write { file: self.file.clone(), why: e.to_string() };
            failed.get_or_insert(error).clone()
        })
    }

    /// At the end: says whether everything was written, or every recorded exchange asked for.
    ///
    /// # Errors
    /// The first failure on the way, or what was left over.
    pub fn finish(&self) -> Result<(), CassetteError> {
        match &*self.deck() {
            Deck::Record { failed: Some(error), .. } | Deck::Replay { missed: Some(error), .. } => Err(error.clone()),
            Deck::Record { failed: None, .. } => Ok(()),
            Deck::Replay { exchanges, used, missed: None } => {
                let left = exchanges.iter().zip(used).filter(|(_, used)| !**used);
                let left: Vec<String> = left.map(|(exchange, _)| exchange.asked.title()).collect();
                if left.is_empty() { Ok(()) } else { Err(CassetteError::Unused { file: self.file.clone(), left }) }
            }
        }
    }

    fn deck(&self) -> MutexGuard<'_, Deck> {
        self.deck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_recorded(&self, what: &str) -> CassetteError {
        CassetteError::NotRecorded { file: self.file.clone(), what: what.to_owned() }
    }
}
