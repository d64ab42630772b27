//! What the transcript says, as types: the task, what tools answered, what became of proposals.
//!
//! Everything here was written by others: a former model, tools, customers behind them. Nothing is believed to be there,
//! to be of the right type, or to be short; what cannot be read is as if it had not been said.

mod catalog;
mod proposals;

use std::collections::BTreeMap;

use agent::{Message, ToolCall};
use kit::{CallId, FactId};
use serde_json::Value;

pub(super) use catalog::{Guide, Product, Relation, Role};
pub(super) use proposals::{Finding, Outcome, Place, Proposal};

/// Names of the tools.
pub(super) mod tool {
    pub(in super::super) const LOOKUP_PROFILE: &str = "lookup_profile";
    pub(in super::super) const GET_PRODUCTS: &str = "get_products";
    pub(in super::super) const SEARCH_CATALOG: &str = "search_catalog";
    pub(in super::super) const EXPLORE_GRAPH: &str = "explore_graph";
    pub(in super::super) const QUOTE_OFFER: &str = "quote_offer";
    pub(in super::super) const PROPOSE_MESSAGE: &str = "propose_message";
    pub(in super::super) const REQUEST_APPROVAL: &str = "request_approval";
    pub(in super::super) const QUEUE_SEND: &str = "queue_send";
    pub(in super::super) const DECIDE_NO_SEND: &str = agent::DECIDE_NO_SEND;
}

/// The transcript, read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) task: Task,
    pub(super) profile: Profile,
    /// Products in the order in which they came up; each once, as it was seen last.
    pub(super) products: Vec<Product>,
    pub(super) guides: Vec<Guide>,
    pub(super) offer: Quote,
    /// Reads that were made.
    pub(super) looked: Looked,
    /// Proposals that a person sent back, or that were held and dropped.
    pub(super) sent_back: Vec<Proposal>,
    /// Proposals that were blocked before the last of those.
    pub(super) blocked_before: Vec<Proposal>,
    /// Proposals since then, oldest first.
    pub(super) proposals: Vec<Proposal>,
    /// The last draft was handed over, and still we are asked again.
    pub(super) handed_over: bool,
    /// The last words say that there will be no further turn.
    pub(super) last_turn: bool,
    /// Products by the facts that ever named them.
    named: BTreeMap<String, String>,
}

/// The lines at the head of the task.
#[derive(Debug, Default)]
pub(super) struct Task {
    pub(super) flow: Option<String>,
    pub(super) language: Option<String>,
    /// What makes this occasion another than the next; the whole task when no line says it.
    pub(super) occasion: String,
}

impl Task {
    fn read(text: &str) -> Self {
        let head = text.split("\n\n").next().unwrap_or_default();
        let line = |name: &str| {
            let value = head.lines().find_map(|line| line.trim().strip_prefix(name))?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        Self {
            flow: line("Flow:"),
            language: line("Language:"),
            occasion: line("Occasion:").unwrap_or_else(|| text.to_owned()),
        }
    }
}

/// What `lookup_profile` answered.
#[derive(Debug, Default)]
pub(super) enum Profile {
    /// Nobody asked.
    #[default]
    Unasked,
    /// It answered nothing that can be read.
    Unreadable,
    /// What it said.
    Known(Person),
}

/// What may be known of the reader.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) has_first_name: bool,
    pub(super) language: Option<String>,
    pub(super) stage: Option<String>,
    /// Statements with the data they rest on.
    reasons: Vec<(String, String)>,
    pub(super) angles: Vec<String>,
    pub(super) cart: Option<FactId>,
    pub(super) notes: Vec<String>,
}

/// Why the last order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// The shop had run out.
    RanOut,
    /// They changed their mind.
    ByReader,
    /// Another reason, or none given.
    Other,
}

impl Person {
    fn read(value: &Value) -> Option<Self> {
        let words = |key: &str| -> Vec<String> { list(value, key).filter_map(Value::as_str).map(clip).collect() };
        let reason = |r: &Value| Some((text(r, "text")?, text(r, "source").unwrap_or_default()));
        Some(Self {
            has_first_name: value.as_object()?.get("has_first_name").and_then(Value::as_bool).unwrap_or(false),
            language: text(value, "language"),
            stage: text(value, "stage"),
            reasons: list(value, "reasons").filter_map(reason).collect(),
            angles: words("angles"),
            cart: value.get("cart").and_then(|cart| fact(cart, "fact")),
            notes: words("notes"),
        })
    }

    /// Why their last order was cancelled, if it was.
    pub(super) fn cancelled(&self) -> Option<Cancelled> {
        let (words, _) = self.reasons.iter().find(|(_, source)| source == "cancellations")?;
        let words = words.to_lowercase();
        Some(match () {
            () if words.contains("ran out") || words.contains("out of stock") => Cancelled::RanOut,
            () if words.contains("themselves") => Cancelled::ByReader,
            () => Cancelled::Other,
        })
    }

    /// They have heard from us more than once lately.
    pub(super) fn heard_enough(&self) -> bool {
        self.reasons.iter().any(|(_, source)| source == "messages")
    }
}

/// What `quote_offer` answered.
#[derive(Debug, Default)]
pub(super) enum Quote {
    /// Nobody asked.
    #[default]
    Unasked,
    /// None, or nothing that can be read.
    None,
    /// One.
    Granted(FactId),
}

/// Reads that were made, answered or not.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Products, since the last draft was sent back.
    pub(super) products: bool,
    pub(super) recommend: bool,
    pub(super) accessories: bool,
    pub(super) substitutes: bool,
    pub(super) guides: bool,
}

impl Reading {
    /// Reads a transcript.
    pub(super) fn of(messages: &[Message]) -> Self {
        let mut reading = Self::default();
        let mut calls: BTreeMap<&CallId, &ToolCall> = BTreeMap::new();
        let mut tasked = false;
        for message in messages {
            match message {
                Message::System { .. } => {}
                Message::User { text } if !tasked => {
                    tasked = true;
                    reading.task = Task::read(text);
                }
                Message::User { .. } => reading.note(),
                Message::Assistant { calls: made, .. } => {
                    for call in made {
                        reading.called(call);
                        calls.insert(&call.id, call);
                    }
                }
                Message::Tool { call, name, content } => {
                    reading.answered(name, calls.get(call).map_or("", |call| call.arguments.as_str()), content);
                }
            }
        }
        let last = messages.last();
        reading.last_turn = matches!(last, Some(Message::User { text }) if text.contains("last turn"));
        reading
    }

    /// A word from outside after a draft stood: it was sent back.
    fn note(&mut self) {
        let stood = self.proposals.last().is_some_and(|proposal| matches!(proposal.outcome, Outcome::Recorded { .. }));
        if !stood {
            return;
        }
        self.sent_back.extend(self.proposals.pop());
        self.blocked_before.append(&mut self.proposals);
        self.handed_over = false;
        // Prices and stock may have changed while somebody made up their mind.
        self.looked.products = false;
    }

    fn called(&mut self, call: &ToolCall) {
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
        match call.name.as_str() {
            tool::GET_PRODUCTS => self.looked.products = true,
            tool::REQUEST_APPROVAL | tool::QUEUE_SEND => self.handed_over = true,
            tool::EXPLORE_GRAPH => {
                let any_or_accessory = matches!(text(&arguments, "relation").as_deref(), None | Some("accessory"));
                match text(&arguments, "question").as_deref() {
                    Some("recommend") => self.looked.recommend = true,
                    Some("neighbours") => self.looked.accessories |= any_or_accessory,
                    Some("substitutes") => self.looked.substitutes = true,
                    Some("guides") => self.looked.guides = true,
                    Some(_) | None => {}
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, name: &str, arguments: &str, content: &str) {
        let answer: Option<Value> = serde_json::from_str(content).ok().filter(Value::is_object);
        match (name, answer) {
            (tool::PROPOSE_MESSAGE, answer) => self.proposals.push(Proposal::read(arguments, content, answer.as_ref())),
            (tool::LOOKUP_PROFILE, Some(answer)) => {
                self.profile = Person::read(&answer).map_or(Profile::Unreadable, Profile::Known);
                list(&answer, "candidates").for_each(|product| self.saw(product));
            }
            (tool::LOOKUP_PROFILE, None) => {
                if !matches!(self.profile, Profile::Known(_)) {
                    self.profile = Profile::Unreadable;
                }
            }
            (tool::QUOTE_OFFER, answer) => {
                let granted = answer.filter(|a| text(a, "answer").as_deref() == Some("granted"));
                self.offer = granted.and_then(|a| fact(&a, "fact")).map_or(Quote::None, Quote::Granted);
            }
            (tool::GET_PRODUCTS | tool::SEARCH_CATALOG, Some(answer)) => {
                list(&answer, "products").for_each(|product| self.saw(product));
            }
            (tool::EXPLORE_GRAPH, Some(answer)) => {
                list(&answer, "items").for_each(|product| self.saw(product));
                for guide in list(&answer, "guides").filter_map(Guide::read) {
                    if !self.guides.iter().any(|known| known.fact == guide.fact) {
                        self.guides.push(guide);
                    }
                }
            }
            (_, _) => {}
        }
    }

    fn saw(&mut self, value: &Value) {
        let Some(product) = Product::read(value) else { return };
        self.named.insert(product.fact.as_str().to_owned(), product.id.clone());
        match self.products.iter_mut().find(|known| known.id == product.id) {
            Some(known) => known.seen_again(product),
            None => self.products.push(product),
        }
    }

    /// The product that a fact was about, also when it was seen again since.
    pub(super) fn product_of(&self, fact: &str) -> Option<&str> {
        self.named.get(fact).map(String::as_str)
    }

    /// Every proposal that must not be made again, oldest first.
    pub(super) fn past(&self) -> impl Iterator<Item = &Proposal> {
        self.blocked_before.iter().chain(&self.sent_back).chain(&self.proposals)
    }
}

/// Characters of a value that are read, at most.
const MAX_CHARS: usize = 400;

/// One line of bounded length.
fn clip(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_CHARS).collect()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(clip).filter(|words| !words.is_empty())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// A fact id that can stand in a placeholder.
fn fact(value: &Value, key: &str) -> Option<FactId> {
    let id = text(value, key)?;
    kit::placeholder::parse(&format!("{{{{{id}.title}}}}")).ok().filter(|pieces| pieces.len() == 1)?;
    FactId::new(id).ok()
}
