//! Placeholders: every one must name a printable field of a fact of this run.

use kit::fact::FactValue;
use kit::placeholder::{PlaceholderError, Slot};
use kit::{Fact, FactId, FactKind};

use super::Scene;
use crate::rules;
use crate::text::{Placed, Text};

/// Words that may stand before a first name and still read well when both are dropped.
const GREETINGS: [&str; 9] = ["hi", "hello", "hey", "dear", "hallo", "moin", "servus", "liebe", "lieber"];

/// Capitalised words after a greeting that are no names.
const NO_NAMES: [&str; 6] = ["There", "Again", "All", "Moin", "Zusammen", "Grüße"];
const SYNTAX: &str =
    "write {{fNNN.field}} of a fact you were given, {{customer.first_name}} or {{shop.name}}, with both braces closed";

/// Words that tell the reader, in the same text, that a product cannot be bought. Folded.
const SOLD_OUT: [&str; 33] = [
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
    " run out ",
    " ran out ",
    " none left ",
    " no longer available ",
    " shelf empty ",
    " shelf is empty ",
    " shelf was empty ",
    " empty shelf ",
    " had to cancel ",
    " ausgegangen ",
    " keine mehr ",
    " keinen mehr ",
    " keines mehr ",
    " nicht verfuegbar ",
    " nicht mehr lieferbar ",
    " nicht mehr verfugbar ",
    " nicht mehr verfuegbar ",
    " nicht mehr vorratig ",
    " regal leer ",
    " regal ist leer ",
    " leeres regal ",
];
const NAME_SOLD_OUT: &str = "say in the same text that it is sold out (`sold out`, `out of stock`, `run out`, `none left`, `no longer \
    available`, `had to cancel`; `ausverkauft`, `ausgegangen`, `nicht mehr lieferbar`, `keine mehr da`, `mussten stornieren`) and show \
    a substitute, or name another product";

pub(super) fn check(scene: &mut Scene<'_>, text: &Text<'_>) {
    typed_name(scene, text);
    if let Some(error) = &text.error {
        scene.find_with(&rules::SLOT_SYNTAX, &text.place, None, &near(error, text.raw), SYNTAX);
    }
    for placed in &text.slots {
        match &placed.slot {
            Slot::Fact { id, field } => fact(scene, text, placed, id, field),
            Slot::FirstName => first_name(scene, text, placed),
            Slot::ShopName => {}
        }
    }
}

/// The words at which a placeholder cannot be read: writers see words, not bytes.
fn near(error: &PlaceholderError, raw: &str) -> String {
    let (PlaceholderError::Unbalanced { at } | PlaceholderError::Unknown { at, .. }) = error;
    raw.get(*at..).unwrap_or_default().to_owned()
}

/// `Hi Maeve,`: a name that no fact filled in.
fn typed_name(scene: &mut Scene<'_>, text: &Text<'_>) {
    for (offset, words) in text.written() {
        for found in scene.matchers.patterns.greeting.captures_iter(words).filter_map(|c| c.get(1)) {
            let span = (offset + found.start(), offset + found.end());
            if !NO_NAMES.contains(&found.as_str()) {
                scene.find(&rules::NAME_TYPED, &text.place, Some(span), found.as_str());
            }
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
        let fields = printable(fact);
        let mend = if fields.is_empty() {
            format!("{id} has no words, only a link: cite it in the cta block")
        } else {
            format!("{id} has: {}", fields.join(", "))
        };
        return scene.find_with(&rules::SLOT_FIELD, &text.place, Some(span), excerpt, mend);
    };
    let sold_out = fact.kind == FactKind::Product && fact.count("stock").is_some_and(|stock| stock <= 0);
    if sold_out && !says_sold_out(text.forms.plain.text()) {
        scene.find_with(&rules::OUT_OF_STOCK, &text.place, Some(span), excerpt, NAME_SOLD_OUT);
    }
    let rule = match (fact.kind, value) {
        (_, FactValue::Url { .. } | FactValue::Products { .. }) => &rules::SLOT_LINK,
        (FactKind::Review, _) => &rules::SLOT_REVIEW,
        (FactKind::Offer, _) if !scene.offers.iter().any(|o| o.id == fact.id) => &rules::SLOT_OFFER,
        (FactKind::Product, _) if field == "was" => &rules::SLOT_WAS,
        _ => return,
    };
    scene.find(rule, &text.place, Some(span), excerpt);
}

fn says_sold_out(folded: &str) -> bool {
    let cancelled = folded.contains(" mussten ") && (folded.contains(" stornieren ") || folded.contains(" absagen "));
    cancelled || SOLD_OUT.iter().any(|words| folded.contains(words))
}

fn printable(fact: &Fact) -> Vec<String> {
    let fields = fact.fields.iter().filter(|(_, v)| v.is_printable());
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
