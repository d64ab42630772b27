//! Something was bought: how to look after it first, what goes with it second. The product itself is never sold again.

use kit::message::Confidence;

use super::{Cast, Table};
use crate::model::offline::patterns::{Shape, Target};
use crate::model::offline::plan::{Code, NoSend};
use crate::model::offline::reading::{Product, Relation};

/// Accessories beside a care tip, at most.
const BESIDE_CARE: usize = 2;
/// Accessories on their own, at most.
const ALONE: usize = 3;

pub(super) fn choose<'a>(table: &Table<'a>) -> Result<Cast<'a>, NoSend> {
    // A sold-out product may not be cited, not even to its owner.
    let citable = || table.run.iter().copied().filter(|product| product.is_there());
    let tipped = citable().find(|product| product.care.is_some());
    let guided = tipped.into_iter().chain(table.run.iter().copied()).find_map(|product| table.guide(product));
    match (tipped, guided) {
        (None, None) => accessory(table, citable().next()),
        (Some(_), _) | (None, Some(_)) => care(table, tipped, guided),
    }
}

fn care<'a>(
    table: &Table<'a>,
    product: Option<&'a Product>,
    guide: Option<&'a super::Guide>,
) -> Result<Cast<'a>, NoSend> {
    let company = if table.person.heard_enough() { 0 } else { BESIDE_CARE };
    let cards: Vec<_> = table.related(&[Relation::Accessory, Relation::Next]).into_iter().take(company).collect();
    let first_card = cards.first().map(|card| (&card.product.fact, Target::Product));
    let button = guide.map(|guide| (&guide.fact, Target::Guide)).or(first_card);
    let button = button.or(product.map(|product| (&product.fact, Target::Product)));
    Ok(Cast {
        shape: Shape::Care,
        angle: table.angle(&["care"])?,
        product,
        owned: None,
        cards,
        guide,
        review: None,
        offer: None,
        button: button.ok_or_else(nothing)?,
        has_first_name: table.person.has_first_name,
        confidence: Confidence::High,
    })
}

fn accessory<'a>(table: &Table<'a>, owned: Option<&'a Product>) -> Result<Cast<'a>, NoSend> {
    let mut cards = table.related(&[Relation::Accessory, Relation::Next]);
    // The one that the catalogue says something about leads.
    cards.sort_by_key(|card| card.product.highlight.is_none());
    cards.truncate(ALONE);
    let lead = cards.first().map(|card| card.product).filter(|lead| lead.highlight.is_some()).ok_or_else(nothing)?;
    Ok(Cast {
        shape: Shape::Accessory,
        angle: table.angle(&["accessory"])?,
        product: Some(lead),
        owned,
        cards,
        guide: None,
        review: None,
        offer: None,
        button: (&lead.fact, Target::Product),
        has_first_name: table.person.has_first_name,
        confidence: Confidence::Medium,
    })
}

fn nothing() -> NoSend {
    NoSend::new(
        Code::NothingToSay,
        "There is no care tip and no guide for what they bought, and no accessory that the catalogue says anything about.",
    )
}
