//! Phrases found, and what makes them hold: approved claims, stock, offers, reviews.

use jiff::SignedDuration;
use kit::fact::FactValue;
use kit::product::LOW_STOCK;
use kit::{Fact, FactKind};

use super::{Scene, acts, service_moment, strong};
use crate::book::{Claim, PhraseRule, Role, Scope};
use crate::phrases::{Hit, Owner};
use crate::rules;
use crate::text::Text;

/// An offer that ends within so many hours may be said to end today.
const TODAY_HOURS: i64 = 24;

/// Checks the words of one text and returns the spans of approved claims in force.
pub(super) fn check(scene: &mut Scene<'_>, text: &Text<'_>) -> Vec<(usize, usize)> {
    let book = scene.book;
    let hits = scene.matchers.phrases.find(&text.forms, scene.lang);
    let claims: Vec<(Hit, &Claim)> = hits
        .iter()
        .filter_map(|hit| match hit.owner {
            Owner::Claim(index) => Some((*hit, book.claims.get(index)?)),
            Owner::Rule(_) | Owner::Weak(_) | Owner::Near(_) | Owner::Except(_) => None,
        })
        .collect();
    for (index, hit) in merged(&strong::of(&hits, text.raw, &text.forms, book)) {
        let Some(rule) = book.rules.get(index) else { continue };
        let harmless = hits.iter().any(|h| h.owner == Owner::Except(index) && h.overlaps(&hit));
        if harmless || !(rule.scope.contains(&Scope::All) || rule.scope.contains(&text.scope)) {
            continue;
        }
        scene.hits.push((rule.id.clone(), text.place.clone()));
        judge(scene, text, rule, hit, &claims);
    }
    claims.into_iter().filter(|(_, c)| in_force(scene, c)).map(|(hit, _)| (hit.start, hit.end)).collect()
}

/// Hits per rule, overlapping ones as one.
fn merged(hits: &[Hit]) -> Vec<(usize, Hit)> {
    let mut merged: Vec<(usize, Hit)> = Vec::new();
    for hit in hits {
        let Owner::Rule(index) = hit.owner else { continue };
        match merged.last_mut() {
            Some((last, found)) if *last == index && found.overlaps(hit) => found.end = found.end.max(hit.end),
            Some(_) | None => merged.push((index, *hit)),
        }
    }
    merged
}

fn judge(scene: &mut Scene<'_>, text: &Text<'_>, rule: &PhraseRule, hit: Hit, claims: &[(Hit, &Claim)]) {
    let span = Some((hit.start, hit.end));
    let excerpt = text.excerpt((hit.start, hit.end));
    let offers = scene.offers.clone();
    let holds = match rule.role {
        Role::Plain => false,
        Role::Claim | Role::Health => {
            return claim(scene, text, rule, hit, claims);
        }
        Role::Scarcity => !service_moment(scene, &text.place, span, excerpt) && low_stock(scene),
        Role::Deadline => {
            !service_moment(scene, &text.place, span, excerpt) && offers.iter().any(|o| ends(scene, o, None))
        }
        Role::Today => {
            !service_moment(scene, &text.place, span, excerpt)
                && offers.iter().any(|o| ends(scene, o, Some(TODAY_HOURS)))
        }
        Role::SocialProof => !scene.reviews.is_empty(),
        Role::Discount => offers.iter().any(|o| o.count("percent").is_some()),
        Role::Shipping => offers.iter().any(|o| o.count("percent").is_none()),
        Role::Code => !offers.is_empty(),
        Role::Cart | Role::Ordered | Role::Bought | Role::Chosen => acts::proven(scene, text, rule.role, &hit),
    };
    if !holds {
        scene.record(rule.into(), &text.place, span, excerpt, rule.mend.clone());
    }
}

/// Closed world: what looks like a claim must lie inside an approved one that is in force.
fn claim(scene: &mut Scene<'_>, text: &Text<'_>, rule: &PhraseRule, hit: Hit, claims: &[(Hit, &Claim)]) {
    let span = Some((hit.start, hit.end));
    let excerpt = text.excerpt((hit.start, hit.end));
    let regulated = scene.cited.iter().any(|f| f.text("regulated").is_some());
    if rule.role == Role::Health && regulated {
        return scene.find(&rules::REGULATED_HEALTH, &text.place, span, excerpt);
    }
    let covering = || claims.iter().filter(|(c, _)| c.start <= hit.start && hit.end <= c.end).map(|(_, claim)| claim);
    if covering().any(|c| in_force(scene, c)) {
        return;
    }
    let mend = match covering().next() {
        Some(c) if c.expires <= scene.cx.now => format!("the approved claim `{}` has expired: leave it out", c.id),
        Some(c) => format!("the approved claim `{}` does not hold for a product in this message: leave it out", c.id),
        None => rule.mend.clone(),
    };
    scene.record(rule.into(), &text.place, span, excerpt, mend);
}

/// True when the claim holds now for a product in this message. A claim without products holds for the shop.
pub(super) fn in_force(scene: &Scene<'_>, claim: &Claim) -> bool {
    if claim.expires <= scene.cx.now {
        return false;
    }
    let tags = scene.cx.product_tags;
    match &claim.product_tag {
        Some(tag) => scene.cites_product(|id| tags.get(id).is_some_and(|t| t.contains(tag))),
        None if claim.products.is_empty() => true,
        None => scene.cites_product(|id| claim.products.iter().any(|p| p == id)),
    }
}

fn low_stock(scene: &Scene<'_>) -> bool {
    scene
        .cited
        .iter()
        .any(|f| f.kind == FactKind::Product && f.count("stock").is_some_and(|stock| (1..=LOW_STOCK).contains(&stock)))
}

/// True when the offer has an end that lies ahead, within so many hours if asked.
fn ends(scene: &Scene<'_>, offer: &Fact, within_hours: Option<i64>) -> bool {
    let Some(FactValue::Time { at }) = offer.field("ends") else { return false };
    let left = at.duration_since(scene.cx.now);
    left.is_positive() && within_hours.is_none_or(|hours| left <= SignedDuration::from_hours(hours))
}
