//! A cart was left: its own products first, or what stands in for the one that sold out.

use kit::message::Confidence;

use super::{Card, Cast, Table};
use crate::model::offline::patterns::{Shape, Target, Why};
use crate::model::offline::plan::{Code, NoSend};
use crate::model::offline::reading::{Product, Relation};

/// Cards of the cart itself, at most.
const OWN: usize = 3;
/// Cards in all, at most.
const ALL: usize = 4;
/// What may be shown beside a cart: things that are used with it.
const BESIDE: [Relation; 4] = [Relation::Accessory, Relation::Next, Relation::BoughtTogether, Relation::BoughtNext];

pub(super) fn choose<'a>(table: &Table<'a>) -> Result<Cast<'a>, NoSend> {
    let there: Vec<&Product> = table.run.iter().copied().filter(|product| product.is_there()).collect();
    let first_is_out = table.run.first().is_some_and(|product| !product.is_there());
    match (table.stand_ins().next(), there.first()) {
        (Some(stand_in), _) if first_is_out => substitute(table, stand_in, &there),
        (_, Some(lead)) => cart(table, lead, &there),
        (Some(_), None) | (None, None) => Err(NoSend::new(
            Code::OutOfStock,
            "Nothing of the cart can be bought now, and the graph names nothing in stock to stand in for it.",
        )),
    }
}

fn cart<'a>(table: &Table<'a>, lead: &'a Product, there: &[&'a Product]) -> Result<Cast<'a>, NoSend> {
    let guide = table.guide(lead);
    let review = table.review(lead).filter(|_| guide.is_none());
    if lead.highlight.is_none() && guide.is_none() && review.is_none() {
        return Err(NoSend::new(
            Code::NothingToSay,
            "The catalogue has no highlight, guide or review for the product in the cart: a message could only repeat what they know.",
        ));
    }
    // What has a guide is a purchase to think over: it gets company. An impulse gets brevity.
    let company = match (table.person.heard_enough(), guide) {
        (true, _) => 0,
        (false, Some(_)) => 2,
        (false, None) => 1,
    };
    let mut cards: Vec<Card<'a>> = there.iter().take(OWN).map(|product| table.own(product, Why::Own)).collect();
    cards.extend(table.related(&BESIDE).into_iter().take(company));
    cards.truncate(ALL);
    let wanted = match (guide, review) {
        (None, None) => ["cart_reminder", "reassurance", "welcome"],
        (Some(_), _) | (None, Some(_)) => ["reassurance", "cart_reminder", "welcome"],
    };
    Ok(Cast {
        shape: Shape::Cart,
        angle: table.angle(&wanted)?,
        product: Some(lead),
        owned: None,
        cards,
        guide,
        review,
        offer: None,
        button: table.cart.map_or((&lead.fact, Target::Product), |cart| (cart, Target::Cart)),
        has_first_name: table.person.has_first_name,
        // A guide or a review alone hardly carries the words above it.
        confidence: if lead.highlight.is_some() { Confidence::High } else { Confidence::Low },
    })
}

fn substitute<'a>(table: &Table<'a>, lead: &'a Product, there: &[&'a Product]) -> Result<Cast<'a>, NoSend> {
    let review = table.review(lead);
    if lead.highlight.is_none() && review.is_none() {
        return Err(NoSend::new(
            Code::NothingToSay,
            "The cart's product is sold out, and the catalogue says nothing about the one that could stand in for it.",
        ));
    }
    let mut cards = vec![table.card(lead)];
    cards.extend(there.iter().take(OWN - 1).map(|product| table.own(product, Why::Own)));
    let curated = cards.first().is_some_and(|card| card.why == Why::Substitute);
    Ok(Cast {
        shape: Shape::CartSubstitute,
        angle: table.angle(&["alternatives", "cart_reminder"])?,
        product: Some(lead),
        owned: None,
        cards,
        guide: None,
        review,
        offer: None,
        // The cart still holds what is gone.
        button: (&lead.fact, Target::Product),
        has_first_name: table.person.has_first_name,
        confidence: if curated { Confidence::High } else { Confidence::Medium },
    })
}
