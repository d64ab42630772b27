//! Placeholders: every one must name a printable field of a fact of this run.

use kit::fact::FactValue;
use kit::placeholder::Slot;
use kit::{Fact, FactId, FactKind};

use super::Scene;
use crate::rules;
use crate::text::{Placed, Text};

/// Words that may stand before a first name and still read well when both are dropped.
const GREETINGS: [&str; 9] = ["hi", "hello", "hey", "dear", "hallo", "moin", "servus", "liebe", "lieber"];

/// Words that tell the reader, in the same text, that a product cannot be bought. Folded.
const SOLD_OUT: [&str; 12] = [
    " out of stock ",
    " sold out ",
    " not in stock ",
    " unavailable ",
    " not available ",
    " has gone ",
    " is gone ",
    " ausverkauft ",
    " vergriffen ",
    " nicht lieferbar ",
    " nicht verfugbar ",
    " nicht mehr da ",
];
const NAME_SOLD_OUT: &str = "say in the same text that it is sold out and show a substitute, or name another product";

pub(super) fn check(scene: &mut Scene<'_>, text: &Text<'_>) {
    if let Some(error) = &text.error {
        scene.find_with(&rules::SLOT_SYNTAX, &text.place, None, "", error.to_string());
    }
    for placed in &text.slots {
        match &placed.slot {
            Slot::Fact { id, field } => fact(scene, text, placed, id, field),
            Slot::FirstName => first_name(scene, text, placed),
            Slot::ShopName => {}
        }
    }
}

fn fact(scene: &mut Scene<'_>, text: &Text<'_>, placed: &Placed, id: &FactId, field: &str) {
    let span = (placed.at, placed.end);
    let excerpt = text.excerpt(span);
    let facts = scene.facts;
    let Some(fact) = facts.get(id) else {
        return scene.find(&rules::SLOT_FACT, &text.place, Some(span), excerpt);
    };
    let Some(value) = fact.field(field) else {
        let mend = format!("{id} has: {}", printable(fact).join(", "));
        return scene.find_with(&rules::SLOT_FIELD, &text.place, Some(span), excerpt, mend);
    };
    let sold_out = fact.kind == FactKind::Product && fact.count("stock").is_some_and(|stock| stock <= 0);
    if sold_out && !SOLD_OUT.iter().any(|words| text.forms.plain.text().contains(words)) {
        scene.find_with(&rules::OUT_OF_STOCK, &text.place, Some(span), excerpt, NAME_SOLD_OUT);
    }
    let rule = match (fact.kind, value) {
        (_, FactValue::Url { .. }) => &rules::SLOT_LINK,
        (FactKind::Review, _) => &rules::SLOT_REVIEW,
        (FactKind::Offer, _) if !scene.offers.iter().any(|o| o.id == fact.id) => &rules::SLOT_OFFER,
        (FactKind::Product, _) if field == "was" => &rules::SLOT_WAS,
        _ => return,
    };
    scene.find(rule, &text.place, Some(span), excerpt);
}

fn printable(fact: &Fact) -> Vec<String> {
    let fields = fact.fields.iter().filter(|(_, v)| !matches!(v, FactValue::Url { .. }));
    fields.map(|(name, _)| format!("{{{{{}.{name}}}}}", fact.id)).collect()
}

/// The nameless form of a text drops a leading `name, ` or a greeting with the name. Anywhere else it leaves a hole.
fn first_name(scene: &mut Scene<'_>, text: &Text<'_>, placed: &Placed) {
    let span = (placed.at, placed.end);
    if !text.may_name {
        return scene.find(&rules::NAME_PLACE, &text.place, Some(span), text.excerpt(span));
    }
    let before = text.raw.get(..placed.at).unwrap_or_default().trim();
    let after = text.raw.get(placed.end..).unwrap_or_default();
    let closes = after.trim().is_empty() || after.starts_with([',', '!', ':', ';', '.']);
    let greeted = GREETINGS.iter().any(|g| before.eq_ignore_ascii_case(g)) && closes;
    let leads = before.is_empty() && after.starts_with(',');
    if !greeted && !leads {
        scene.find(&rules::NAME_FORM, &text.place, Some(span), text.excerpt(span));
    }
}
