//! What a run tried, by hash, and what it can prove.
//!
//! A model that reads no prompts (the offline one, a script) shows that the code does what it should with that model's
//! proposals. It shows nothing about prompts. So a result names what the model was told, and a gate asks: is that what the
//! baseline was told? If not, only a model that has read it counts.

use std::collections::BTreeMap;

use kit::Digest;
use serde::{Deserialize, Serialize};

use crate::release::Files;

/// Hashes of what was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Standing instructions of runs, conversations and classes; flows and voice.
    pub prompts: Digest,
    /// Names, descriptions and schemas of the tools.
    pub tools: Digest,
    /// Content rules, claims, policy, offers.
    pub rules: Digest,
    /// The model.
    pub model: Model,
}

/// The model that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its profile.
    pub profile: String,
    /// The names that it gave itself.
    pub names: Vec<String>,
    /// Whether its answers depend on the words it is told.
    pub reads_prompts: bool,
    /// What stands for the model: for the offline one its sentences, for another one its names.
    pub hash: Digest,
}

/// What the difference to a baseline means for the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unproven {
    /// What differs: `prompts`, `tools`, `model`.
    pub differs: Vec<&'static str>,
}

impl Proof {
    /// The proof of a release, tools and a model.
    pub fn of(
        files: &Files,
        tools: &serde_json::Value,
        profile: &str,
        reads_prompts: bool,
        mut names: Vec<String>,
    ) -> Self {
        names.sort();
        names.dedup();
        let sentences = |path: &str| {
            path.starts_with("prompts/offline/") || (path.starts_with("prompts/classes/") && path.ends_with(".toml"))
        };
        let told =
            |path: &str| (path.starts_with("prompts/") && !sentences(path)) || path == "knowledge/brand/voice.md";
        let rules = |path: &str| {
            let policy = ["knowledge/brand/", "knowledge/policy/", "knowledge/offers/"];
            policy.iter().any(|folder| path.starts_with(folder)) && !told(path)
        };
        let hash = if reads_prompts {
            Digest::of_parts(std::iter::once(profile).chain(names.iter().map(String::as_str)))
        } else {
            let sentences = hash_of(files, sentences).to_string();
            Digest::of_parts([profile, sentences.as_str()])
        };
        Self {
            prompts: hash_of(files, told),
            tools: Digest::of_bytes(tools.to_string().as_bytes()),
            rules: hash_of(files, rules),
            model: Model { profile: profile.to_owned(), names, reads_prompts, hash },
        }
    }

    /// Why this result proves nothing about what a language model would do, compared with a baseline; `None` when it does
    /// or when nothing that a model is told has changed.
    pub fn unproven(&self, baseline: &Self) -> Option<Unproven> {
        if self.model.reads_prompts {
            return None;
        }
        let parts = [
            ("prompts", self.prompts != baseline.prompts),
            ("tools", self.tools != baseline.tools),
            ("model", self.model.hash != baseline.model.hash),
        ];
        let differs: Vec<&'static str> =
            parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
        (!differs.is_empty()).then_some(Unproven { differs })
    }
}

fn hash_of(files: &Files, wanted: impl Fn(&str) -> bool) -> Digest {
    let chosen: BTreeMap<&String, &String> = files.iter().filter(|(path, _)| wanted(path)).collect();
    Digest::of_parts(chosen.into_iter().flat_map(|(path, text)| [path.as_str(), text.as_str()]))
}
