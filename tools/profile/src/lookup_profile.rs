//! The tool `lookup_profile`: what a model may know of the person it writes to.
//!
//! The shape of [`ProfileView`] is the privacy rule: there is no field for a name, an address, an amount paid, a date, a
//! value or a habit, nor for the words of a customer (notes, tickets), so none can get in. What they wrote about is one of the
//! sentences here.

use std::sync::Arc;

use kit::fact::{FactKind, FactValue};
use kit::gist::{Tone, Topic};
use kit::person::MergeName;
use kit::product::{ProductView, Shelf, StockLevel};
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError};
use kit::{FactId, Language, ProductId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::acts::Acts;
use crate::angle::{Angle, angles};
use crate::explain::{Profile, Reason, Stage, Thresholds, explain};
use crate::snapshot::{CustomerSnapshot, Profiles};

/// Reasons shown, at most (design section 4).
const MAX_REASONS: usize = 5;
/// Products of the occasion shown, at most.
const MAX_OCCASION: usize = 4;
/// Products shown in all, at most.
const MAX_CANDIDATES: usize = 6;

/// Looks up the person this run is about.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupProfileArgs {
    /// What you want to find out, in a few words; kept in the trace.
    #[schemars(length(min = 3, max = 120))]
    pub purpose: String,
}

/// What the model gets to see of a person.
#[derive(Debug, Serialize)]
pub struct ProfileView {
    /// Whether `{{customer.first_name}}` will be filled.
    pub has_first_name: bool,
    /// The language to write in.
    pub language: Language,
    /// Where they are in their journey.
    pub stage: Stage,
    /// At most five statements in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// What the message may be built on.
    pub angles: Vec<Angle>,
    /// The way back to the cart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cart: Option<CartView>,
    /// Products on the table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// What must be respected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The cart.
#[derive(Debug, Serialize)]
pub struct CartView {
    /// A cart fact with `url`.
    pub fact: FactId,
}

/// Why a product is on the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// In the cart or checkout that started the run.
    InCart,
    /// In the order that started the run, also when it was cancelled.
    Ordered,
    /// They seem to want it: from looks and wishes, which copy never mentions.
    Interest,
    /// They bought it more than once.
    Favourite,
}

/// A product on the table.
#[derive(Debug, Serialize)]
pub struct Candidate {
    /// Why.
    pub role: Role,
    /// The product.
    #[serde(flatten)]
    pub product: ProductView,
}

/// The tool.
pub struct LookupProfile {
    profiles: Arc<dyn Profiles>,
    shelf: Arc<dyn Shelf>,
    thresholds: Thresholds,
}

impl LookupProfile {
    /// Over a store, a catalogue, and the shop's thresholds.
    pub fn new(profiles: Arc<dyn Profiles>, shelf: Arc<dyn Shelf>, thresholds: Thresholds) -> Self {
        Self { profiles, shelf, thresholds }
    }
}

impl Tool for LookupProfile {
    type Args = LookupProfileArgs;
    type Output = ProfileView;

    const NAME: &'static str = "lookup_profile";
    const DESCRIPTION: &'static str = include_str!("lookup_profile.md");
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Gather];

    async fn call(&self, cx: &ToolContext, _: LookupProfileArgs) -> Result<ProfileView, ToolError> {
        let snapshot = self.profiles.snapshot(&cx.shop, &cx.subject.customer, cx.now).await?;
        let norms = self.profiles.norms(&cx.shop, cx.now).await?;
        let profile = snapshot.as_ref().map(|snapshot| explain(snapshot, &norms, &self.thresholds, cx.now));
        let known = snapshot.as_ref().zip(profile.as_ref());
        let mut notes = situation(cx, known);
        let acts = Acts::of(&cx.subject, snapshot.as_ref(), cx.now);
        let cart = cart(cx, &acts)?;
        let candidates = Table { cx, shelf: self.shelf.as_ref(), known, acts: &acts, notes: &mut notes }.lay()?;
        acts.prove_orders(cx)?;
        let sold_out = candidates.iter().any(|c| c.product.stock == StockLevel::Out);
        let stage = profile.as_ref().map_or(Stage::New, |profile| profile.stage);
        let bought_again = profile.as_ref().is_some_and(|profile| !profile.favourites.is_empty());
        Ok(ProfileView {
            has_first_name: snapshot.and_then(|s| s.first_name).is_some_and(|n| MergeName::parse(&n).is_some()),
            language: cx.subject.language.clone(),
            stage,
            reasons: profile.map(|p| p.reasons.into_iter().take(MAX_REASONS).collect()).unwrap_or_default(),
            angles: angles(&cx.subject.flow, stage, bought_again, sold_out),
            cart,
            candidates,
            notes,
        })
    }
}

type Known<'a> = Option<(&'a CustomerSnapshot, &'a Profile)>;

/// What about the person speaks against writing at all.
fn situation(cx: &ToolContext, known: Known<'_>) -> Vec<String> {
    let Some((snapshot, _)) = known else {
        return vec!["Nothing is stored about this person: write from the occasion alone.".to_owned()];
    };
    let mut notes = Vec::new();
    if snapshot.open_tickets > 0 {
        notes.push("A support request is open: nothing should be sent until it is closed.".to_owned());
    }
    let bought = snapshot.purchases(cx.now).any(|order| order.placed_at > cx.subject.triggered_at);
    if bought && cx.subject.stops_on_purchase {
        notes.push("They bought since this run was triggered: nothing should be sent.".to_owned());
    }
    notes.extend(said(snapshot).into_iter().map(str::to_owned));
    notes
}

/// What they wrote to the shop lately, as far as it bears on a message. None of their words are here.
fn said(snapshot: &CustomerSnapshot) -> Vec<&'static str> {
    let about = |topics: &[Topic]| snapshot.said.iter().any(|said| topics.iter().any(|t| said.gist.topics.contains(t)));
    let mut notes = Vec::new();
    if about(&[Topic::Health, Topic::Legal, Topic::Hardship]) {
        notes.push("They wrote about something serious lately: plain words, nothing cheerful, or nothing at all.");
    }
    if about(&[Topic::Gift]) {
        notes.push("They told us that something is a present: do not write as if they use it themselves.");
    }
    if about(&[Topic::Defect, Topic::Returns, Topic::Delivery, Topic::Payment]) {
        notes.push("They wrote about a parcel, a fault, a return or a payment lately: do not bring it up, and promise nothing about it.");
    }
    if snapshot.said.first().is_some_and(|said| said.gist.tone == Tone::Displeased) {
        notes.push("They sounded displeased when they last wrote: be brief and modest.");
    }
    notes
}

/// The cart as a fact to lead back to. What the customer wrote beside it is nothing that a model reads.
fn cart(cx: &ToolContext, acts: &Acts) -> Result<Option<CartView>, ToolError> {
    let subject = &cx.subject;
    let url = subject.cart_url.as_ref().map(|url| ("url", FactValue::url(url)));
    let held = (!acts.cart.is_empty()).then(|| ("products", FactValue::Products { products: acts.cart.clone() }));
    let minted = if url.is_some() || held.is_some() {
        let fields = url.into_iter().chain(held);
        Some(cx.mint(FactKind::Cart, &subject.occasion, "shop", subject.triggered_at, fields)?)
    } else {
        None
    };
    // Without a link there is nothing for a button to cite: the fact only proves what is in the cart.
    Ok(minted.filter(|_| subject.cart_url.is_some()).map(|fact| CartView { fact }))
}

/// Lays products on the table: those of the occasion, then what they want now, favourites, and what else they looked at.
struct Table<'a> {
    cx: &'a ToolContext,
    shelf: &'a dyn Shelf,
    known: Known<'a>,
    acts: &'a Acts,
    notes: &'a mut Vec<String>,
}

impl Table<'_> {
    fn lay(mut self) -> Result<Vec<Candidate>, ToolError> {
        let mut laid = Vec::new();
        for product in self.cx.subject.products.iter().take(MAX_OCCASION) {
            laid.extend(self.of_occasion(product)?);
        }
        let Some((_, profile)) = self.known else { return Ok(laid) };
        let wanted = profile.intent.product.iter().map(|product| (Role::Interest, product));
        let liked = profile.favourites.iter().map(|product| (Role::Favourite, product));
        let looked_at = profile.looked_at.iter().map(|product| (Role::Interest, product));
        for (role, product) in wanted.chain(liked).chain(looked_at) {
            let there = laid.iter().any(|c: &Candidate| c.product.product == *product)
                || self.cx.subject.products.contains(product);
            if laid.len() < MAX_CANDIDATES && !there && !profile.returned.contains(product) {
                laid.extend(self.in_stock(role, product)?);
            }
        }
        Ok(laid)
    }

    /// A product of the occasion is shown even when it ran out, with a note: the model must know why not to show it.
    fn of_occasion(&mut self, product: &ProductId) -> Result<Option<Candidate>, ToolError> {
        let cx = self.cx;
        let Some(card) = self.shelf.card(product, &cx.subject.language, cx.now) else {
            self.notes.push(format!("Product {product} of the occasion is no longer sold: do not mention it."));
            return Ok(None);
        };
        if self.known.is_some_and(|(_, profile)| profile.returned.contains(product)) {
            self.notes.push("They sent a product of the occasion back: do not bring it up.".to_owned());
            return Ok(None);
        }
        let product = card.mint(cx, "catalog")?;
        if product.stock == StockLevel::Out {
            let fact = &product.fact;
            self.notes
                .push(format!("{fact} is out of stock: do not show it; explore_graph knows what stands in for it."));
        }
        Ok(Some(Candidate { role: self.role(&product.product), product }))
    }

    fn in_stock(&self, role: Role, product: &ProductId) -> Result<Option<Candidate>, ToolError> {
        let card = self.shelf.card(product, &self.cx.subject.language, self.cx.now);
        let Some(card) = card.filter(|card| StockLevel::of(card.stock) != StockLevel::Out) else { return Ok(None) };
        Ok(Some(Candidate { role, product: card.mint(self.cx, "catalog")? }))
    }

    fn role(&self, product: &ProductId) -> Role {
        if self.acts.cart.contains(product) { Role::InCart } else { Role::Ordered }
    }
}
