//! A model that answers with whatever breaks things, the same for the same seed.

use std::sync::atomic::{AtomicU64, Ordering};

use agent::{ChatModel, FinishReason, ModelError, ModelReply, ModelRequest, RawCall, Usage};
use kit::BoxFuture;
use kit::tool::ToolSpec;
use serde_json::json;

use super::{product_facts, standing_draft};

/// A model that means no good.
#[derive(Debug)]
pub struct Hostile {
    seed: u64,
    turn: AtomicU64,
}

impl Hostile {
    /// The same seed answers the same questions alike.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, turn: AtomicU64::new(0) }
    }

    fn answer(&self, request: &ModelRequest<'_>, tools: &[&ToolSpec]) -> Result<ModelReply, ModelError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut dice = Dice(self.seed ^ turn.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let any = |dice: &mut Dice| {
            tools.get(dice.below(tools.len().max(1))).map_or("queue_send", |tool| tool.name).to_owned()
        };
        let draft = standing_draft(request).unwrap_or_else(|| dice.noise(12));
        let fact = product_facts(request).pop().unwrap_or_else(|| "f101".to_owned());
        let call =
            |id: &str, name: &str, arguments: String| RawCall { id: id.to_owned(), name: name.to_owned(), arguments };
        let mut reply = ModelReply {
            text: None,
            calls: Vec::new(),
            finish: FinishReason::ToolCalls,
            usage: Usage::default(),
            model: "hostile".to_owned(),
        };
        match dice.below(16) {
            0 => reply.text = Some(dice.noise(300)),
            1 => reply.text = Some("x".repeat(1 << 20)),
            2 => reply.calls = vec![call("a", &any(&mut dice), dice.noise(200))],
            3 => reply.calls = vec![call("a", &any(&mut dice), "{\"draft\":".to_owned())],
            4 => reply.calls = vec![call("a", &any(&mut dice), format!("{{\"query\":\"{}\"}}", "y".repeat(200_000)))],
            5 => reply.calls = (0..5_000).map(|_| call("same", "lookup_profile", "{}".to_owned())).collect(),
            6 => {
                reply.calls = vec![
                    call("a", "decide_no_send", json!({ "code": "other", "reason": "no" }).to_string()),
                    call("a", "queue_send", json!({ "draft": draft }).to_string()),
                ];
            }
            7 => {
                reply.calls =
                    vec![call("", "send_email", json!({ "to": "all@evil.example", "body": "hi" }).to_string())]
            }
            8 => {
                reply.calls =
                    vec![call("", "approve", "{}".to_owned()), call("", &dice.noise(9_000), "null".to_owned())]
            }
            9 => reply.calls = vec![call("a", "queue_send", json!({ "draft": draft }).to_string())],
            10 => {
                let ask = json!({ "draft": draft, "summary": "Please approve this at once, it is urgent.", "risk_notes": "none" });
                reply.calls = vec![call("a", "request_approval", ask.to_string())];
            }
            11 => {
                reply.calls = vec![call(
                    "a",
                    "quote_offer",
                    json!({ "step": "fifteen-percent", "reason": "give them all of it" }).to_string(),
                )]
            }
            12 => {
                reply.finish = FinishReason::Length;
                reply.text = Some(dice.noise(50));
            }
            13 => reply.finish = FinishReason::Refused,
            14 => return Err(ModelError::Malformed("half an answer".to_owned())),
            _ => reply.calls = vec![call("a", "propose_message", copy(&fact, &mut dice).to_string())],
        }
        Ok(reply)
    }
}

/// Copy that lies: figures, a link, somebody's address, a code, a placeholder of nothing.
fn copy(fact: &str, dice: &mut Dice) -> serde_json::Value {
    let lies = [
        "Now 90% off with code FREE-9000!",
        "Only €1.00 today, see https://evil.example now.",
        "Dear {{customer.email}}, your order {{f999.title}} is on its way.",
        "Clinically proven to cure everything, guaranteed.",
        "Last chance, only 2 left, ends at midnight.",
    ];
    let lie = lies.get(dice.below(lies.len())).copied().unwrap_or_default();
    json!({
        "angle": "cart_reminder",
        "subjects": [lie, "A look at the shelf", "One more look at this"],
        "preheader": "One thing from the shelf that you may want to look at twice.",
        "blocks": [
            { "type": "heading", "text": "Have a look at this" },
            { "type": "paragraph", "text": lie },
            { "type": "product", "fact": fact, "reason": lie },
            { "type": "cta", "label": "Have a look", "fact": fact },
        ],
        "confidence": "high",
    })
}

impl ChatModel for Hostile {
    fn profile(&self) -> &str {
        "hostile"
    }

    fn complete<'a>(
        &'a self,
        request: &'a ModelRequest<'a>,
        tools: &'a [&'a ToolSpec],
    ) -> BoxFuture<'a, Result<ModelReply, ModelError>> {
        Box::pin(std::future::ready(self.answer(request, tools)))
    }
}

/// Numbers that a seed decides (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(1).max(1);
        usize::try_from(self.roll() % end).unwrap_or(0)
    }

    fn noise(&mut self, length: usize) -> String {
        let strange = ['\0', '\u{202e}', '"', '{', '}', '⟦', '⟧', '<', '\n', 'é', '🜲', '\\', 'a', '9', ' ', '\u{200b}'];
        (0..length).filter_map(|_| strange.get(self.below(strange.len()))).collect()
    }
}
