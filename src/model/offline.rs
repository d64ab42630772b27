//! `offline`: a real, deterministic, rule-based model. It needs no server and no key.
//!
//! It reads the same transcript and tool answers that a language model would read, calls the same tools, and writes from
//! the sentence patterns in prompts/offline. It is the keyless default, the fallback in an outage, and the control arm of
//! experiments. It never pretends to be a language model and holds no canned results: what it knows of a shop, a product
//! or a person is what the tools of this run have said.
//!
//! In a conversation about a brief it asks form questions (`briefing`). Asked what a text from outside is about, it goes by the word
//! lists that code goes by.
//!
//! Where to look: `reading` is what the transcript says, `plan` the next move, `cast` who appears in a message and why,
//! `bans` what earlier drafts taught, `write` the message, `patterns` the words.

mod bans;
mod briefing;
mod cast;
mod classes;
mod patterns;
mod plan;
mod reading;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use agent::{FinishReason, Message, ModelReply, ModelRequest, RawCall, Usage};
use kit::gist::Gist;
use kit::tool::ToolSpec;
use kit::{BoxFuture, fence};

use super::{ChatModel, ModelError};
use crate::release::Release;
use plan::{Move, NoSend};
use reading::Reading;

pub use classes::{ClassPatternError, ClassPatterns};
pub use patterns::{Flaw, PatternError, Patterns, SCHEMA};

/// The name of the profile and of the model.
const NAME: &str = "offline";

/// The rule-based model.
#[derive(Debug, Clone)]
pub struct OfflineModel {
    patterns: Arc<Patterns>,
    classes: Arc<ClassPatterns>,
}

impl OfflineModel {
    /// A model that writes from these patterns.
    pub fn new(patterns: Arc<Patterns>) -> Self {
        Self { patterns, classes: Arc::default() }
    }

    /// The model of a release, with everything it has to say.
    pub fn of(release: &Release) -> Self {
        Self::new(release.offline.clone()).with_classes(release.classes.clone())
    }

    /// The same model that also writes message classes from these patterns.
    #[must_use]
    pub fn with_classes(self, classes: Arc<ClassPatterns>) -> Self {
        Self { classes, ..self }
    }

    /// The answer of a turn in a conversation about a brief.
    fn brief(request: &ModelRequest<'_>) -> ModelReply {
        let turn = request.messages.len();
        let (text, calls, finish) = match briefing::next(request.messages, &request.tools) {
            briefing::Turn::Words(text) => (Some(text), Vec::new(), FinishReason::Stop),
            briefing::Turn::Calls(calls) => {
                let call = |((name, arguments), n): ((&str, serde_json::Value), usize)| RawCall {
                    id: format!("{NAME}_{turn}_{n}"),
                    name: name.to_owned(),
                    arguments: arguments.to_string(),
                };
                (None, calls.into_iter().zip(1..).map(call).collect(), FinishReason::ToolCalls)
            }
        };
        ModelReply { text, calls, finish, usage: Usage::default(), model: NAME.to_owned() }
    }

    /// What the one text of a request is about, as code sees it.
    fn sorted(request: &ModelRequest<'_>) -> ModelReply {
        let text = request.messages.iter().rev().find_map(|message| match message {
            Message::User { text } => text.split_once(fence::OPEN),
            Message::System { .. } | Message::Assistant { .. } | Message::Tool { .. } => None,
        });
        let gist = Gist::by_code(text.map_or("", |(_, inside)| inside));
        let text = serde_json::to_string(&gist).ok();
        let (finish, model) = (FinishReason::Stop, NAME.to_owned());
        ModelReply { text, calls: Vec::new(), finish, usage: Usage::default(), model }
    }

    fn reply(&self, request: &ModelRequest<'_>) -> ModelReply {
        if request.form.is_some() {
            return Self::sorted(request);
        }
        if request.tools.iter().any(|tool| tool == "update_brief") {
            return Self::brief(request);
        }
        if let Some((name, arguments)) = classes::next(&self.classes, request.messages, &request.tools) {
            let id = format!("{NAME}_{}_1", request.messages.len());
            let call = RawCall { id, name: name.to_owned(), arguments: arguments.to_string() };
            let (finish, model) = (FinishReason::ToolCalls, NAME.to_owned());
            return ModelReply { text: None, calls: vec![call], finish, usage: Usage::default(), model };
        }
        let reading = Reading::of(request.messages);
        let chosen = plan::next(&self.patterns, &reading, &request.tools);
        let on_offer = |name: &str| request.tools.iter().any(|tool| tool == name);
        let turn = request.messages.len();
        let calls: Vec<RawCall> = chosen
            .calls()
            .into_iter()
            .filter(|(name, _)| on_offer(name))
            .zip(1..)
            .map(|((name, arguments), n)| RawCall {
                id: format!("{NAME}_{turn}_{n}"),
                name: name.to_owned(),
                arguments: arguments.to_string(),
            })
            .collect();
        let (text, finish) = match (calls.is_empty(), chosen) {
            (false, _) => (None, FinishReason::ToolCalls),
            // Only `decide_no_send` can be missing: every other move is chosen from the offer.
            (true, Move::NoSend(NoSend { reason, .. })) => (Some(reason), FinishReason::Stop),
            (true, _) => (Some("No tool on offer fits the next move.".to_owned()), FinishReason::Stop),
        };
        ModelReply { text, calls, finish, usage: Usage::default(), model: NAME.to_owned() }
    }
}

impl ChatModel for OfflineModel {
    fn profile(&self) -> &str {
        NAME
    }

    fn prices(&self) -> Option<(u64, u64)> {
        Some((0, 0))
    }

    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        _: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        Box::pin(std::future::ready(Ok(self.reply(request))))
    }
}
