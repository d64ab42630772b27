//! Somebody went away: put right what we failed at, or bring one thing that fits what they used to do.

use kit::message::Confidence;

use super::{Card, Cast, Table};
use crate::model::offline::patterns::{Shape, Target, Why};
use crate::model::offline::plan::{Code, NoSend};
use crate::model::offline::reading::{Cancelled, Product, Relation, Role};

/// Cards, at most.
const CARDS: usize = 3;
/// Paths that are a reason.
const RELATED: [Relation; 5] =
    [Relation::Next, Relation::Accessory, Relation::BoughtNext, Relation::BoughtTogether, Relation::SamePurpose];

pub(super) fn choose<'a>(table: &Table<'a>) -> Result<Cast<'a>, NoSend> {
    let cancelled = table.person.cancelled();
    if cancelled.is_none()
        && matches!(table.person.stage.as_deref(), Some("new" | "first_time" | "active" | "seasonal"))
    {
        return Err(NoSend::new(
            Code::NothingToSay,
            "They have not gone away: the profile says that they are within their own rhythm, and no order was cancelled.",
        ));
    }
    if table.person.heard_enough() {
        return Err(NoSend::new(
            Code::WouldAnnoy,
            "They have heard from us more than once lately; silence costs nothing.",
        ));
    }
    let first = table.run.first().copied();
    let back = first.filter(|product| product.is_there() && has_fact(product));
    match (cancelled, back) {
        (Some(Cancelled::RanOut), Some(lead)) => {
            let card = table.own(lead, Why::Restock);
            cast(table, Shape::Restock, &["comeback", "alternatives"], card, Confidence::High)
        }
        (Some(Cancelled::RanOut), None) if table.stand_ins().any(has_fact) => {
            let lead = table.stand_ins().find(|product| has_fact(product)).ok_or_else(nothing)?;
            cast(table, Shape::Substitute, &["alternatives", "comeback"], table.card(lead), Confidence::Medium)
        }
        (Some(Cancelled::RanOut | Cancelled::ByReader | Cancelled::Other) | None, _) => {
            let pool = pool(table);
            let lead = pool.into_iter().find(|card| has_fact(card.product)).ok_or_else(nothing)?;
            let known = lead.why != Why::Other;
            let confidence = if known { Confidence::Medium } else { Confidence::Low };
            let angles = ["comeback", "new_arrivals", "favourites", "replenish"];
            cast(table, Shape::Fresh, &angles, lead, confidence)
        }
    }
}

fn has_fact(product: &Product) -> bool {
    product.highlight.is_some()
}

fn cast<'a>(
    table: &Table<'a>,
    shape: Shape,
    angles: &[&str],
    lead: Card<'a>,
    confidence: Confidence,
) -> Result<Cast<'a>, NoSend> {
    let product = lead.product;
    let mut cards = vec![lead];
    if shape == Shape::Substitute {
        // Two to compare are more use than one.
        cards.extend(table.stand_ins().filter(|other| other.id != product.id).map(|other| table.card(other)).take(1));
    }
    cards.extend(pool(table).into_iter().filter(|card| card.product.id != product.id));
    cards.truncate(CARDS);
    Ok(Cast {
        shape,
        angle: table.angle(angles)?,
        product: Some(product),
        owned: None,
        cards,
        guide: None,
        review: None,
        offer: table.offer,
        button: (&product.fact, Target::Product),
        has_first_name: table.person.has_first_name,
        confidence,
    })
}

/// What may be brought up, best reason first: never what the cancelled order held. A product that nothing leads to comes
/// last and alone.
fn pool<'a>(table: &Table<'a>) -> Vec<Card<'a>> {
    let plain = |p: &&&Product| !p.regulated && p.relation() == Relation::None;
    let of_role =
        |role: Option<Role>| table.others.iter().filter(plain).filter(move |p| p.role == role).map(|p| table.card(p));
    let mut cards = table.related(&RELATED);
    // They do not have what was cancelled: nothing is used with it or follows it. What serves the same purpose may still be
    // wanted, unless it was we who ran out: then what stands in for it is shown, and no more of the like.
    let of_run = |p: &Product| table.run.iter().any(|run| p.source() == Some(run.id.as_str()));
    let fits = |card: &Card<'_>| match table.person.cancelled() {
        None => true,
        Some(Cancelled::RanOut) => !of_run(card.product),
        Some(Cancelled::ByReader | Cancelled::Other) => card.why == Why::SamePurpose || !of_run(card.product),
    };
    cards.retain(fits);
    cards.extend(of_role(Some(Role::Favourite)));
    cards.extend(of_role(Some(Role::Interest)));
    cards.extend(of_role(None).take(1));
    cards
}

fn nothing() -> NoSend {
    NoSend::new(
        Code::NothingToSay,
        "The graph and the profile name nothing in stock that fits this reader and that the catalogue says anything about.",
    )
}
