//! Models that know one move.

use std::sync::Arc;

use agent::{ChatModel, ModelError, ModelReply, ModelRequest};
use kit::BoxFuture;
use kit::tool::ToolSpec;
use serde_json::{Value, json};

use super::{calls, product_facts, standing_draft};

type Answer = Result<ModelReply, ModelError>;

/// Gives up at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivesUp;

impl ChatModel for GivesUp {
    fn profile(&self) -> &str {
        "gives-up"
    }

    fn complete<'a>(&'a self, _: &'a ModelRequest<'a>, _: &'a [&'a ToolSpec]) -> BoxFuture<'a, Answer> {
        let no = json!({ "code": "nothing_to_say", "reason": "It is safer to say nothing." });
        Box::pin(std::future::ready(Ok(calls([("decide_no_send", no)]))))
    }
}

/// Writes as another model does, but never takes no for an answer: where the other would say nothing, it writes about
/// whatever it has seen; where a person is to be asked, it sends.
pub struct Sends(pub Arc<dyn ChatModel>);

/// Writes as another model does, and asks a person about all of it, on offer or not.
pub struct Asks(pub Arc<dyn ChatModel>);

impl ChatModel for Sends {
    fn profile(&self) -> &str {
        "always-sends"
    }

    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>, tools: &'a [&'a ToolSpec]) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let mut reply = self.0.complete(request, tools).await?;
            let moves = ["decide_no_send", "request_approval"];
            if reply.calls.iter().any(|call| moves.contains(&call.name.as_str())) || reply.calls.is_empty() {
                reply = match standing_draft(request) {
                    Some(draft) => calls([("queue_send", json!({ "draft": draft }))]),
                    None => something(request),
                };
            }
            Ok(reply)
        })
    }
}

/// Looks for something to write about, then writes about it.
fn something(request: &ModelRequest<'_>) -> ModelReply {
    let facts = product_facts(request);
    let Some(fact) = facts.last() else {
        let search = json!({ "query": "", "category": null, "max_price": null, "in_stock": null, "limit": null });
        let recommend = json!({ "question": "recommend", "products": [], "relation": null, "limit": null });
        return calls([("explore_graph", recommend), ("search_catalog", search)]);
    };
    let subject = |words: &str| format!("{words} {{{{{fact}.title}}}}");
    calls([(
        "propose_message",
        json!({
            "angle": "cart_reminder",
            "subjects": [subject("About the"), subject("A look at the"), subject("A word on the")],
            "preheader": "One thing from the shelf that you may want to look at twice.",
            "blocks": [
                { "type": "heading", "text": "Have a look at this" },
                { "type": "paragraph", "text": "Here is a thing from our shelf, shown as it is." },
                { "type": "product", "fact": fact, "reason": "It is on our shelf, and it may suit you." },
                { "type": "cta", "label": "Have a look", "fact": fact },
            ],
            "confidence": "high",
        }),
    )])
}

impl ChatModel for Asks {
    fn profile(&self) -> &str {
        "always-asks"
    }

    fn complete<'a>(&'a self, request: &'a ModelRequest<'a>, tools: &'a [&'a ToolSpec]) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let reply = self.0.complete(request, tools).await?;
            let queues = reply.calls.iter().any(|call| call.name == "queue_send");
            Ok(match standing_draft(request).filter(|_| queues) {
                Some(draft) => calls([("request_approval", ask(&draft))]),
                None => reply,
            })
        })
    }
}

fn ask(draft: &str) -> Value {
    json!({ "draft": draft, "summary": "A message that a person should look at.", "risk_notes": "Better safe than sorry." })
}
