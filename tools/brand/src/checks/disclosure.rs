//! Sentences that the law wants beside certain goods, offers and claims.

use kit::message::{Block, Draft, Place};

use super::Scene;
use crate::book::Disclosure;
use crate::fold::{Folded, Form};
use crate::text::Text;

pub(super) fn check(scene: &mut Scene<'_>, draft: &Draft, texts: &[Text<'_>]) {
    let book = scene.book;
    for rule in &book.disclosures {
        for place in owed(scene, rule, draft) {
            let there = |text: &&Text<'_>| !rule.same_block || same_block(&text.place, &place);
            let said = texts.iter().filter(there).any(|text| says(text, rule, scene));
            if !said {
                let mend = match rule.words(scene.lang).first() {
                    Some(words) => format!("{}: `{words}`", rule.mend),
                    None => rule.mend.clone(),
                };
                scene.record(rule.into(), &place, None, "", mend);
            }
        }
    }
}

/// Where the sentence is owed: nowhere when a condition does not hold.
fn owed(scene: &Scene<'_>, rule: &Disclosure, draft: &Draft) -> Vec<Place> {
    let when = &rule.when;
    let offer = draft.blocks.iter().position(|b| matches!(b, Block::Offer { .. }));
    let review = draft.blocks.iter().position(|b| matches!(b, Block::Review { .. }));
    let regulated = |law: &String| scene.cited.iter().any(|f| f.text("regulated") == Some(law));
    let tagged =
        |tag: &String| scene.cites_product(|id| scene.cx.product_tags.get(id).is_some_and(|t| t.contains(tag)));
    let holds = (!when.offer || offer.is_some())
        && (!when.review || review.is_some())
        && (when.regulated.is_empty() || when.regulated.iter().any(regulated))
        && when.product_tag.as_ref().is_none_or(tagged);
    if !holds {
        return Vec::new();
    }
    if when.found.is_empty() {
        let block = offer.filter(|_| when.offer).or(review.filter(|_| when.review));
        return vec![block.map_or(Place::Whole, |index| Place::Block { index, field: "text".to_owned() })];
    }
    let mut places: Vec<Place> = Vec::new();
    for (id, place) in &scene.hits {
        if when.found.contains(id) && !places.iter().any(|known| same_block(known, place)) {
            places.push(place.clone());
        }
    }
    places.truncate(if rule.same_block { places.len() } else { 1 });
    places
}

fn same_block(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::Block { index: one, .. }, Place::Block { index: other, .. }) => one == other,
        (Place::Whole, _) | (_, Place::Whole) => true,
        (one, other) => one == other,
    }
}

fn says(text: &Text<'_>, rule: &Disclosure, scene: &Scene<'_>) -> bool {
    let filled = Folded::of_words(&text.filled, Form::Plain);
    let padded = format!(" {} ", filled.words());
    rule.words(scene.lang).iter().any(|words| {
        let wanted = Folded::of_words(words, Form::Plain);
        padded.contains(&format!(" {} ", wanted.words()))
    })
}
