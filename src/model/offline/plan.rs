//! The next move, from what the transcript says and which tools are on offer. The same transcript always leads to the
//! same move.

use serde_json::{Value, json};

use super::bans::Bans;
use super::cast::{Cast, Flow};
use super::patterns::{Choice, Patterns};
use super::reading::{Cancelled, Finding, Outcome, Person, Profile, Quote, Reading, Role, tool};
use super::write::{self, Message};

/// Blocked proposals after which a run says nothing.
const MAX_BLOCKED: usize = 3;
/// Products that one call may ask for.
const MAX_PRODUCTS: usize = 8;

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Move {
    /// Look things up, side by side.
    Look(Vec<Look>),
    /// Ask for an offer.
    Quote {
        /// Why, for the people who review offers.
        reason: &'static str,
    },
    /// Propose a message.
    Propose(Box<Message>),
    /// Ask a person to look at the draft.
    RequestApproval {
        /// The draft's hash.
        draft: String,
        /// What it says and why.
        summary: String,
        /// What to look at twice.
        risk_notes: String,
    },
    /// Hand the draft over.
    QueueSend {
        /// The draft's hash.
        draft: String,
    },
    /// End without a message.
    NoSend(NoSend),
}

/// One question to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    Profile,
    Products(Vec<String>),
    Recommend,
    Accessories,
    Substitutes(Vec<String>),
    Guides,
}

/// Why nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoSend {
    pub(super) code: Code,
    pub(super) reason: String,
}

/// The codes of `decide_no_send` that a rule can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    NothingToSay,
    JustBought,
    WouldAnnoy,
    OutOfStock,
    FactsInsufficient,
    Other,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::NothingToSay => "nothing_to_say",
            Self::JustBought => "just_bought",
            Self::WouldAnnoy => "would_annoy",
            Self::OutOfStock => "out_of_stock",
            Self::FactsInsufficient => "facts_insufficient",
            Self::Other => "other",
        }
    }
}

impl NoSend {
    pub(super) fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl Move {
    /// The calls it makes: tool and arguments.
    pub(super) fn calls(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Look(looks) => looks.iter().map(Look::call).collect(),
            Self::Quote { reason } => vec![(tool::QUOTE_OFFER, json!({ "step": null, "reason": reason }))],
            Self::Propose(message) => vec![(tool::PROPOSE_MESSAGE, json!(message))],
            Self::RequestApproval { draft, summary, risk_notes } => {
                vec![(tool::REQUEST_APPROVAL, json!({ "draft": draft, "summary": summary, "risk_notes": risk_notes }))]
            }
            Self::QueueSend { draft } => vec![(tool::QUEUE_SEND, json!({ "draft": draft }))],
            Self::NoSend(NoSend { code, reason }) => {
                let reason: String = reason.chars().take(300).collect();
                vec![(tool::DECIDE_NO_SEND, json!({ "code": code.as_str(), "reason": reason }))]
            }
        }
    }
}

impl Look {
    fn tool(&self) -> &'static str {
        match self {
            Self::Profile => tool::LOOKUP_PROFILE,
            Self::Products(_) => tool::GET_PRODUCTS,
            Self::Recommend | Self::Accessories | Self::Substitutes(_) | Self::Guides => tool::EXPLORE_GRAPH,
        }
    }

    fn call(&self) -> (&'static str, Value) {
        let graph = |question: &str, products: &[String], relation: Option<&str>| json!({ "question": question, "products": products, "relation": relation, "limit": null });
        let arguments = match self {
            Self::Profile => json!({ "purpose": "who they are, and what this run is about" }),
            Self::Products(ids) => json!({ "products": ids }),
            Self::Recommend => graph("recommend", &[], None),
            Self::Accessories => graph("neighbours", &[], Some("accessory")),
            Self::Substitutes(ids) => graph("substitutes", ids, None),
            Self::Guides => graph("guides", &[], None),
        };
        (self.tool(), arguments)
    }
}

/// Chooses the next move. A move whose tool is not on offer is never chosen.
pub(super) fn next(patterns: &Patterns, reading: &Reading, offer: &[String]) -> Move {
    let planner = Planner { patterns, reading, offer };
    planner.decide().unwrap_or_else(Move::NoSend)
}

struct Planner<'a> {
    patterns: &'a Patterns,
    reading: &'a Reading,
    offer: &'a [String],
}

impl Planner<'_> {
    fn decide(&self) -> Result<Move, NoSend> {
        let reading = self.reading;
        let standing = reading.proposals.last();
        if let Some(Outcome::Recorded { draft, approval }) = standing.map(|proposal| &proposal.outcome) {
            return self.hand_over(draft, approval.as_deref());
        }
        if let Some(Outcome::Unreadable) = standing.map(|proposal| &proposal.outcome) {
            return Err(NoSend::new(
                Code::Other,
                "The answer to the proposed message could not be read, so nothing stands to be sent.",
            ));
        }
        if reading.last_turn {
            return Err(NoSend::new(
                Code::Other,
                "The limits of this run are nearly used up, and no checked draft stands.",
            ));
        }
        let person = match &reading.profile {
            Profile::Unasked => return self.look_at_person(),
            Profile::Unreadable => {
                return Err(NoSend::new(
                    Code::FactsInsufficient,
                    "The profile could not be read, so nothing is known about the reader.",
                ));
            }
            Profile::Known(person) => person,
        };
        speaks_against(person)?;
        self.write_to(person)
    }

    fn look_at_person(&self) -> Result<Move, NoSend> {
        if self.offers(tool::LOOKUP_PROFILE) {
            return Ok(Move::Look(vec![Look::Profile]));
        }
        Err(NoSend::new(Code::FactsInsufficient, "The profile is not on offer, so nothing is known about the reader."))
    }

    fn write_to(&self, person: &Person) -> Result<Move, NoSend> {
        let reading = self.reading;
        let flow = Flow::of(reading.task.flow.as_deref(), person).ok_or_else(|| {
            NoSend::new(
                Code::Other,
                "The offline model has no sentence patterns for this flow; another model or a person must write it.",
            )
        })?;
        let language = person.language.as_deref().or(reading.task.language.as_deref());
        let parsed = language.and_then(|language| kit::Language::parse(language).ok());
        let book = parsed.and_then(|language| self.patterns.book(&language)).ok_or_else(|| {
            NoSend::new(Code::Other, "The offline model has no sentence patterns in the reader's language; another model or a person must write it.")
        })?;

        let looks = self.looks(flow, person);
        if !looks.is_empty() {
            return Ok(Move::Look(looks));
        }
        if let [.., last] = reading.proposals.as_slice()
            && reading.proposals.len() >= MAX_BLOCKED
        {
            return Err(given_up(&last.outcome));
        }
        let bans = Bans::of(reading);
        let cast = Cast::choose(flow, reading, person, &bans)?;
        if !self.offers(tool::PROPOSE_MESSAGE) {
            return Err(NoSend::new(Code::Other, "Proposing a message is not on offer at this point of the run."));
        }
        if flow == Flow::WinBack && matches!(reading.offer, Quote::Unasked) && self.offers(tool::QUOTE_OFFER) {
            return Ok(Move::Quote { reason: offer_reason(person) });
        }
        let message = write::compose(book, &cast, &bans, &self.choice(flow)).ok_or_else(|| {
            NoSend::new(Code::Other, "The sentence patterns hold no further wording that the content rules and the people at the shop have not turned down.")
        })?;
        let arguments = json!(message);
        if reading.past().any(|proposal| proposal.arguments == arguments) {
            return Err(NoSend::new(
                Code::Other,
                "The sentence patterns lead to a message that was turned down already.",
            ));
        }
        Ok(Move::Propose(Box::new(message)))
    }

    /// What is still to be looked up for this flow, with tools on offer.
    fn looks(&self, flow: Flow, person: &Person) -> Vec<Look> {
        let reading = self.reading;
        let run = || reading.products.iter().filter(|product| product.role == Some(Role::Run));
        let ids: Vec<String> = run().map(|product| product.id.clone()).take(MAX_PRODUCTS).collect();
        let out: Vec<String> = run().filter(|p| !p.is_there()).map(|p| p.id.clone()).take(MAX_PRODUCTS).collect();
        let looked = &reading.looked;
        let mut looks = Vec::new();
        let again = self.to_see_again(ids.clone());
        if !looked.products && !again.is_empty() {
            looks.push(Look::Products(again));
        }
        let stands_in = match flow {
            Flow::AbandonedCheckout => true,
            Flow::WinBack => person.cancelled() == Some(Cancelled::RanOut),
            Flow::PostPurchase => false,
        };
        if stands_in && !out.is_empty() && !looked.substitutes {
            looks.push(Look::Substitutes(out));
        }
        match flow {
            Flow::AbandonedCheckout | Flow::WinBack if !looked.recommend => looks.push(Look::Recommend),
            Flow::PostPurchase if !looked.accessories && !ids.is_empty() => looks.push(Look::Accessories),
            Flow::AbandonedCheckout | Flow::WinBack | Flow::PostPurchase => {}
        }
        if flow != Flow::WinBack && !looked.guides && !ids.is_empty() {
            looks.push(Look::Guides);
        }
        looks.retain(|look| self.offers(look.tool()));
        looks
    }

    /// The run's products, and after a draft was sent back also those it showed.
    fn to_see_again(&self, mut ids: Vec<String>) -> Vec<String> {
        let shown = self.reading.sent_back.last().and_then(|proposal| proposal.arguments.get("blocks")?.as_array());
        let facts = shown.into_iter().flatten().filter_map(|block| block.get("fact")?.as_str());
        for product in facts.filter_map(|fact| self.reading.product_of(fact)) {
            if !ids.iter().any(|id| id == product) {
                ids.push(product.to_owned());
            }
        }
        ids.truncate(MAX_PRODUCTS);
        ids
    }

    fn hand_over(&self, draft: &str, approval: Option<&[String]>) -> Result<Move, NoSend> {
        if self.reading.handed_over {
            return Err(NoSend::new(
                Code::Other,
                "Handing the checked draft over did not work, and the run was asked to go on.",
            ));
        }
        let draft = draft.to_owned();
        match approval {
            None if self.offers(tool::QUEUE_SEND) => Ok(Move::QueueSend { draft }),
            Some(reasons) if self.offers(tool::REQUEST_APPROVAL) => {
                let short = draft.chars().take(12).collect();
                Ok(Move::RequestApproval { draft: short, summary: self.summary(), risk_notes: risk_notes(reasons) })
            }
            None | Some(_) => Err(NoSend::new(
                Code::Other,
                "A checked draft stands, but the tool that takes it further is not on offer.",
            )),
        }
    }

    /// What the approver reads beside the message.
    fn summary(&self) -> String {
        let arguments = self.reading.proposals.last().map(|proposal| &proposal.arguments);
        let blocks = arguments.and_then(|a| a.get("blocks")).and_then(Value::as_array);
        let shows = |kind: &str| {
            blocks.is_some_and(|blocks| blocks.iter().any(|b| b.get("type").and_then(Value::as_str) == Some(kind)))
        };
        let person = match &self.reading.profile {
            Profile::Known(person) => person,
            Profile::Unasked | Profile::Unreadable => &Person::default(),
        };
        let about = match Flow::of(self.reading.task.flow.as_deref(), person) {
            Some(Flow::AbandonedCheckout) => "A cart was left: one fact from the catalogue, and the way on.",
            Some(Flow::PostPurchase) => "After a purchase: how to look after it, or what goes with it.",
            Some(Flow::WinBack) => "To somebody who went away: one thing in stock that fits, with its reason.",
            None => "A message about what the profile says they may want.",
        };
        let offer = if shows("offer") { "It holds the offer that policy granted." } else { "It holds no offer." };
        format!("{about} {offer} Written by rule from the shop's sentence patterns, without a language model.")
    }

    /// Fixed by what the run is about, so that the same run reads the same and another one does not.
    fn choice(&self, flow: Flow) -> Choice {
        let run = self.reading.products.iter().filter(|product| product.role == Some(Role::Run));
        let products = run.map(|product| product.id.as_str());
        Choice::new([flow.name(), &self.reading.task.occasion].into_iter().chain(products))
    }

    fn offers(&self, name: &str) -> bool {
        self.offer.iter().any(|offered| offered == name)
    }
}

/// What the profile says against writing at all.
fn speaks_against(person: &Person) -> Result<(), NoSend> {
    let says_nothing = |note: &&String| note.to_lowercase().contains("nothing should be sent");
    let Some(note) = person.notes.iter().find(says_nothing) else { return Ok(()) };
    let lower = note.to_lowercase();
    let code = match () {
        () if lower.contains("support") || lower.contains("ticket") => Code::WouldAnnoy,
        () if lower.contains("bought") => Code::JustBought,
        () => Code::Other,
    };
    Err(NoSend::new(code, format!("The profile says: {note}")))
}

fn offer_reason(person: &Person) -> &'static str {
    match person.cancelled() {
        Some(Cancelled::RanOut) => "Their order was cancelled because we had run out: an offer may put it right.",
        Some(Cancelled::ByReader | Cancelled::Other) => "Their last order was cancelled: an offer may bring them back.",
        None => "They have been silent for longer than their own rhythm: an offer may bring them back.",
    }
}

fn given_up(outcome: &Outcome) -> NoSend {
    let rule = match outcome {
        Outcome::Blocked(findings) => findings.first().map(|Finding { rule, .. }| rule.as_str()),
        Outcome::Recorded { .. } | Outcome::Unreadable => None,
    };
    let rule = rule.unwrap_or("no finding was named");
    NoSend::new(Code::Other, format!("Every wording that was tried was blocked; the last finding: {rule}"))
}

/// Why policy asks, as far as it can be said without figures or addresses: the approver sees the rest beside the message.
fn risk_notes(reasons: &[String]) -> String {
    let personal = |reason: &&String| !reason.contains(['@', '/']) && !reason.chars().any(char::is_numeric);
    let said: Vec<&str> = reasons.iter().filter(personal).map(String::as_str).collect();
    let notes: String = said.join("; ").chars().take(300).collect();
    if notes.chars().count() < 4 { "None".to_owned() } else { notes }
}
