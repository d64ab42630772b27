//! What a release is asked before it goes in force, beyond being readable: that nothing in it is there by mistake.
//!
//! A file under a name that nothing reads, a placeholder that nothing fills or a rule for a flow that does not exist would
//! be accepted in silence and do nothing. Only a release that is about to go in force is asked: one that was in force before
//! these questions existed must stay readable.

use kit::FlowId;
use kit::placeholder::{self, PlaceholderError};

use super::{Files, Release, defaults};

/// Folders in which a shop may add files, with the ending that is read there.
const OPEN: [(&str, &str); 4] = [
    ("prompts/flows/", ".md"),
    ("prompts/controls/", ".toml"),
    ("prompts/offline/", ".toml"),
    ("knowledge/graph/", ".toml"),
];
/// Texts that a model reads as they are.
const PROMPTS: [&str; 2] = ["prompts/agent/", "knowledge/brand/voice.md"];

/// A release with something in it that can only be a mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VetError {
    /// A name that nothing reads.
    #[error("{file}: nothing reads a file of this name; is the name misspelt? There are {known}")]
    UnknownFile {
        /// The file.
        file: String,
        /// Names in the same folder that are read.
        known: String,
    },
    /// A text without a word in it.
    #[error("{file}: the file is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// A placeholder that nothing fills.
    #[error("{file}, line {line}: {why}")]
    Placeholder {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// What is wrong with it.
        why: PlaceholderError,
    },
    /// Rules that no check can run.
    #[error("knowledge/brand/rules.toml: {0}")]
    Rules(String),
    /// A rule about a flow that the release does not have.
    #[error("knowledge/policy/risk.toml: [flow.{flow}]: there is no such flow; there are {known}")]
    UnknownFlow {
        /// The flow.
        flow: FlowId,
        /// The flows there are.
        known: String,
    },
}

pub(super) fn vet(files: &Files, release: &Release) -> Result<(), VetError> {
    let shipped = defaults();
    for (file, text) in files {
        let added = OPEN.iter().any(|(dir, ending)| file.starts_with(dir) && file.ends_with(ending));
        if !added && !shipped.contains_key(file) && file != super::TOOLS {
            return Err(VetError::UnknownFile { file: file.clone(), known: neighbours(file, &shipped) });
        }
        if PROMPTS.iter().any(|known| file.starts_with(known)) || file.starts_with("prompts/flows/") {
            if text.trim().is_empty() {
                return Err(VetError::Empty { file: file.clone() });
            }
            placeholders(file, text)?;
        }
    }
    release.rules.prepare().map_err(VetError::Rules)?;
    match release.risk.flows().find(|flow| !release.flows.contains_key(*flow)) {
        None => Ok(()),
        Some(flow) => {
            let known: Vec<&str> = release.flows.keys().map(FlowId::as_str).collect();
            Err(VetError::UnknownFlow { flow: flow.clone(), known: known.join(", ") })
        }
    }
}

/// Files as shipped beside this one, or all when its folder is unknown too.
fn neighbours(file: &str, shipped: &Files) -> String {
    let dir = file.rsplit_once('/').map_or("", |(dir, _)| dir);
    let beside = |name: &&String| name.rsplit_once('/').is_some_and(|(own, _)| own == dir);
    let near: Vec<&str> = shipped.keys().filter(beside).map(String::as_str).collect();
    let all = || shipped.keys().map(String::as_str).collect::<Vec<_>>();
    (if near.is_empty() { all() } else { near }).join(", ")
}

/// `{{a.b}}` must be a placeholder that something fills. Other braces, such as those of JSON in an example, are words.
fn placeholders(file: &str, text: &str) -> Result<(), VetError> {
    for (line, words) in text.lines().enumerate() {
        for piece in words.split("{{").skip(1) {
            let Some((name, _)) = piece.split_once("}}") else { continue };
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | ' ');
            if name.contains('.') && name.chars().all(is_name) {
                placeholder::parse(&format!("{{{{{name}}}}}")).map_err(|why| VetError::Placeholder {
                    file: file.to_owned(),
                    line: line + 1,
                    why,
                })?;
            }
        }
    }
    Ok(())
}
