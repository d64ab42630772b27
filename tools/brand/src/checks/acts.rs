//! What a message says its reader did: in the cart, ordered, bought. Nothing of it may stand without a fact that proves it, and
//! beside a named product the fact must name that product.

use std::collections::BTreeSet;

use kit::placeholder::Slot;
use kit::{FactKind, ProductId};

use super::{Scene, strong};
use crate::book::Role;
use crate::phrases::Hit;
use crate::text::Text;

/// Words between a product and the cart or order that set the two apart: `{{f2.title}} goes with the boots in your cart`. Folded.
const APART: [&str; 34] = [
    " goes with ",
    " go with ",
    " goes well with ",
    " fits ",
    " fit ",
    " matches ",
    " along with ",
    " zusammen mit ",
    " schliesst an ",
    " dazu passt ",
    " kann fur ",
    " together with ",
    " beside ",
    " next to ",
    " instead of ",
    " in place of ",
    " takes the place of ",
    " take the place of ",
    " stands in for ",
    " stand in for ",
    " could do the same work ",
    " same kind as ",
    " same purpose as ",
    " same use as ",
    " after ",
    " follows on from ",
    " passt zu ",
    " passen zu ",
    " passend zu ",
    " ersetzt ",
    " anstelle ",
    " statt ",
    " wie ",
    " nach ",
];
/// Words straight before the cart or order that do the same: `With your order: {{f2.title}}`. Folded.
const BESIDE: [&str; 15] = [
    "with",
    "beside",
    "alongside",
    "after",
    "for",
    "like",
    "zu",
    "zum",
    "zur",
    "fur",
    "fuer",
    "neben",
    "nach",
    "statt",
    "wie",
];

/// True when facts of this run prove what `hit` says of the reader.
pub(super) fn proven(scene: &Scene<'_>, text: &Text<'_>, role: Role, hit: &Hit) -> bool {
    let proof = proof(scene, role);
    if proof.is_empty() {
        return false;
    }
    let (start, end) = strong::sentence(hit, text.raw, &text.forms);
    let beside = words_within(text, start, hit.start).last().is_some_and(|word| BESIDE.contains(&word.as_str()));
    let mut named = text.slots.iter().filter(|slot| start <= slot.at && slot.end <= end).filter_map(|placed| {
        let Slot::Fact { id, .. } = &placed.slot else { return None };
        let fact = scene.facts.get(id).filter(|fact| fact.kind == FactKind::Product)?;
        Some((fact.subject.as_str(), (placed.at, placed.end)))
    });
    let first = named.next();
    // A card's sentence is about its product when it names no other.
    let about = text.about.as_deref().filter(|_| first.is_none()).map(|product| (product, (start, start)));
    let apart = |(from, to): (usize, usize)| {
        let (left, right) = if to <= hit.start { (to, hit.start) } else { (hit.end, from) };
        let between = format!(" {} ", words_within(text, left, right).join(" "));
        APART.iter().any(|words| between.contains(words))
    };
    let holds = |(product, at): (&str, (usize, usize))| {
        proof.iter().any(|known| known.as_str() == product) || beside || apart(at)
    };
    first.into_iter().chain(named).chain(about).all(holds)
}

/// Products that the words are true of.
fn proof<'a>(scene: &Scene<'a>, role: Role) -> BTreeSet<&'a ProductId> {
    let of = |kind: FactKind, field: &'static str| {
        let facts = scene.facts.iter().chain(scene.learned.iter()).filter(move |fact| fact.kind == kind);
        facts.filter_map(move |fact| fact.products(field)).flatten()
    };
    match role {
        Role::Cart => of(FactKind::Cart, "products").collect(),
        Role::Ordered => of(FactKind::Order, "ordered").collect(),
        Role::Bought => of(FactKind::Order, "bought").collect(),
        Role::Chosen => of(FactKind::Cart, "products").chain(of(FactKind::Order, "ordered")).collect(),
        Role::Plain
        | Role::Claim
        | Role::Health
        | Role::Scarcity
        | Role::Deadline
        | Role::Today
        | Role::SocialProof
        | Role::Discount
        | Role::Shipping
        | Role::Code => BTreeSet::new(),
    }
}

/// The folded words within a stretch of the source.
fn words_within(text: &Text<'_>, start: usize, end: usize) -> Vec<String> {
    strong::words(&text.forms, start, end).into_iter().map(|(_, _, word)| word).collect()
}
