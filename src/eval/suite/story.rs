//! What happens in a case, in order.

use std::collections::BTreeMap;

use kit::campaign::Field;
use kit::{FlowId, ProductId};
use serde::Deserialize;

use super::Consent;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A cart with these products is left; the same cart when it is told again.
    Cart(Vec<ProductId>),
    /// As `cart`, with what a platform may tell beside it.
    CartWith(CartWith),
    /// Another cart, beside the first.
    OtherCart(Vec<ProductId>),
    /// The last event arrives once more, as webhooks do.
    Again,
    /// The cart's checkout was completed.
    CheckoutCompleted,
    /// An order is placed.
    Buys(Vec<ProductId>),
    /// An order left the warehouse.
    Fulfilled(Vec<ProductId>),
    /// An order was cancelled.
    Cancelled(Cancelled),
    /// The last order is cancelled after all.
    CancelsOrder,
    /// A flow is begun by hand.
    Start(FlowId),
    /// A ticket is opened or closed.
    Ticket(Door),
    /// They say yes or no to mail.
    Consent(Consent),
    /// They ask to be forgotten.
    Erased,
    /// Their address bounced.
    Suppressed(String),
    /// Units in stock change.
    Stock(BTreeMap<ProductId, i64>),
    /// Prices change, as decimal amounts.
    Price(BTreeMap<ProductId, String>),
    /// Sending is switched off, or on again.
    Kill(Switch),
    /// The rules of the shop change: this phrase is forbidden now.
    Bans(String),
    /// Hours pass.
    Wait(i64),
    /// What is due is done; the clock goes on to its time first.
    Due,
    /// What is due at this moment is done, without the clock moving.
    Now,
    /// A person approves what is asked.
    Approve,
    /// The author of an edit tries to approve it.
    EditAndApproveOneself(String),
    /// A person rewrites the subject, and another approves.
    EditAndApprove(String),
    /// A person turns it down, for good.
    Reject(String),
    /// A person turns it down and wants another one.
    Revise(String),
    /// The provider fails once, like this.
    EspFails(EspFault),
    /// A marketer says something about a campaign; the first time begins a brief.
    Chat(String),
    /// Exactly these fields of the brief are other than they were before the marketer's last turn or edit.
    Changed(Vec<Field>),
    /// The marketer takes the last change back.
    Undo,
    /// The marketer flips an assumption, by its number.
    Flip(u32),
    /// The marketer takes a constraint back, by its number.
    TakeBack(u32),
    /// The marketer chooses one of the briefs on offer, counted from 1.
    Choose(usize),
    /// The marketer has the messages of the campaign written, and asks for the approval.
    Write,
    /// Whoever briefed the campaign tries to approve it.
    ApproveOneself,
}

/// A cart with more said about it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CartWith {
    /// What is in it.
    pub items: Vec<ProductId>,
    /// What the customer wrote into the note field.
    #[serde(default)]
    pub note: Option<String>,
    /// The title that the event gives the first product.
    #[serde(default)]
    pub title: Option<String>,
    /// Where the link back leads.
    #[serde(default)]
    pub url: Option<String>,
    /// The first name that the event gives the customer.
    #[serde(default)]
    pub first_name: Option<String>,
}

/// An order that was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancelled {
    /// What was in it.
    pub items: Vec<ProductId>,
    /// Why, by the platform's word: `inventory`, `customer`, `declined`, `fraud`, `other`.
    pub reason: String,
}

/// Opened or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Opened.
    Opened,
    /// Closed.
    Closed,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// The kill switch is on: nothing is sent.
    Engaged,
    /// It is off again.
    Lifted,
}

/// How the provider fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EspFault {
    /// It is over its limit: nothing was accepted.
    TooMany,
    /// It is broken: nothing was accepted.
    Broken,
    /// It accepted the message, and the connection was cut.
    AcceptsThenCuts,
    /// It will never take the message.
    Refuses,
}
