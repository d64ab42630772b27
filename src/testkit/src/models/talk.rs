//! Models with a bad habit in conversations about a brief.

use std::sync::Arc;

use agent::{ChatModel, Message, ModelError, ModelReply, ModelRequest};
use kit::BoxFuture;
use kit::tool::ToolSpec;
use serde_json::json;

use super::calls;

type Answer = Result<ModelReply, ModelError>;

/// Talks as another model does, and asks the marketer something at the end of every turn.
pub struct AsksAgain(pub Arc<dyn ChatModel>);

impl ChatModel for AsksAgain {
    fn profile(&self) -> &str {
        "asks-again"
    }

    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>, tools: &'a [&'a ToolSpec]) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let reply = self.0.complete(request, tools).await?;
            let may_ask = super::offers(request, "ask_marketer") && !asked_in_turn(request);
            Ok(if reply.calls.is_empty() && may_ask { ask() } else { reply })
        })
    }
}

/// True once a question was tried since the marketer spoke last.
fn asked_in_turn(request: &ModelRequest<'_>) -> bool {
    let since = request.messages.iter().rev().take_while(|message| !matches!(message, Message::User { .. }));
    since.into_iter().any(|message| match message {
        Message::Assistant { calls, .. } => calls.iter().any(|call| call.name == "ask_marketer"),
        Message::System { .. } | Message::User { .. } | Message::Tool { .. } => false,
    })
}

fn ask() -> ModelReply {
    let question = json!({
        "text": "And whom shall we leave out this time?",
        "changes": "audience",
        "options": ["nobody", "somebody"],
    });
    calls([("ask_marketer", json!({ "questions": [question] }))])
}
