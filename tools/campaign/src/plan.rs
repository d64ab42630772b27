//! Who belongs to which class. Every class costs model calls, so there is a bound: what lies beyond it joins the class that
//! is nearest, which has the same language and offer in any case.

use std::collections::BTreeMap;

use kit::campaign::{Angle, ClassKey, Stage};
use kit::{CustomerId, Language, OfferStepId, ProductId};

/// Classes of one campaign, unless the shop says otherwise.
pub const MAX_CLASSES: usize = 12;

/// What decides about a person's class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The person.
    pub customer: CustomerId,
    /// The language they read.
    pub language: Language,
    /// Where they are in their journey.
    pub stage: Stage,
    /// Products of the brief they may be shown, best for them first; empty when they have all of them.
    pub leads: Vec<ProductId>,
    /// The offer they get.
    pub offer: Option<OfferStepId>,
}

/// What the brief leaves to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Angles, best first.
    pub angles: Vec<Angle>,
    /// The tone.
    pub tone: Option<String>,
    /// Classes at most.
    pub most: usize,
}

/// The classes with their people, largest first, and who has none because there is nothing to show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Key and people.
    pub classes: Vec<(ClassKey, Vec<CustomerId>)>,
    /// People without a product.
    pub nothing_to_show: Vec<CustomerId>,
    /// True when classes were joined to stay within the bound.
    pub joined: bool,
}

/// Assigns everybody. The same people and choices always make the same classes.
pub fn assign(people: &[Candidate], choices: &Choices) -> Assignment {
    let mut classes: BTreeMap<ClassKey, Vec<CustomerId>> = BTreeMap::new();
    let mut nothing_to_show = Vec::new();
    for person in people {
        let Some(lead) = person.leads.first() else {
            nothing_to_show.push(person.customer.clone());
            continue;
        };
        let key = ClassKey {
            lead: lead.clone(),
            angle: angle_for(person.stage, person.offer.is_some(), &choices.angles),
            tone: choices.tone.clone(),
            language: person.language.clone(),
            offer: person.offer.clone(),
        };
        classes.entry(key).or_default().push(person.customer.clone());
    }
    let joined = classes.len() > choices.most.max(1);
    let mut classes: Vec<_> = classes.into_iter().collect();
    order(&mut classes);
    while classes.len() > choices.most.max(1) && join_one(&mut classes) {
        order(&mut classes);
    }
    Assignment { classes, nothing_to_show, joined }
}

/// Joins the smallest class that can be joined with the one nearest to it. Language and offer are the person's own: only a
/// class that has both takes them in, and where there is none the bound gives way.
fn join_one(classes: &mut Vec<(ClassKey, Vec<CustomerId>)>) -> bool {
    for smallest in (0..classes.len()).rev() {
        let Some(key) = classes.get(smallest).map(|(key, _)| key.clone()) else { continue };
        let home = classes
            .iter()
            .enumerate()
            .filter(|(at, (other, _))| *at != smallest && other.language == key.language && other.offer == key.offer)
            .max_by_key(|(_, (other, people))| (other.lead == key.lead, other.angle == key.angle, people.len()))
            .map(|(_, (other, _))| other.clone());
        let Some(home) = home else { continue };
        let (_, people) = classes.remove(smallest);
        if let Some((_, members)) = classes.iter_mut().find(|(other, _)| *other == home) {
            members.extend(people);
        }
        return true;
    }
    false
}

fn order(classes: &mut [(ClassKey, Vec<CustomerId>)]) {
    classes.sort_by(|(a, x), (b, y)| y.len().cmp(&x.len()).then_with(|| a.cmp(b)));
}

/// The angle for a stage, among those the brief allows.
fn angle_for(stage: Stage, offered: bool, allowed: &[Angle]) -> Angle {
    let fits: &[Angle] = match stage {
        Stage::Lapsed | Stage::AtRisk => &[Angle::Comeback, Angle::NewArrivals],
        Stage::New => &[Angle::Advice, Angle::Review],
        Stage::FirstTime => &[Angle::Advice, Angle::Benefit],
        Stage::Active | Stage::Due | Stage::Seasonal => &[Angle::Occasion, Angle::NewArrivals],
    };
    let offer_first = allowed.first() == Some(&Angle::Offer) && offered;
    if offer_first {
        return Angle::Offer;
    }
    let usable = |angle: &&Angle| offered || **angle != Angle::Offer;
    let fitting = fits.iter().find(|angle| allowed.contains(angle));
    fitting.or_else(|| allowed.iter().find(usable)).copied().unwrap_or(Angle::Benefit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn person(n: usize, language: &str, stage: Stage, leads: &[&str], offer: bool) -> Candidate {
        Candidate {
            customer: CustomerId::new(format!("c-{n}")).unwrap(),
            language: Language::parse(language).unwrap(),
            stage,
            leads: leads.iter().map(|id| ProductId::new(*id).unwrap()).collect(),
            offer: offer.then(|| OfferStepId::new("ten-percent").unwrap()),
        }
    }

    fn choices(most: usize) -> Choices {
        Choices { angles: vec![Angle::Occasion, Angle::Comeback, Angle::Advice], tone: None, most }
    }

    #[test]
    fn people_with_the_same_in_common_are_one_class() {
        let people = [
            person(1, "en", Stage::Lapsed, &["p-1"], true),
            person(2, "en", Stage::AtRisk, &["p-1", "p-2"], true),
            person(3, "de", Stage::Lapsed, &["p-1"], true),
            person(4, "en", Stage::Active, &["p-1"], false),
            person(5, "en", Stage::New, &[], false),
        ];
        let found = assign(&people, &choices(12));
        let sizes: Vec<_> = found.classes.iter().map(|(key, people)| (key.angle, people.len())).collect();
        assert_eq!(sizes, vec![(Angle::Comeback, 2), (Angle::Occasion, 1), (Angle::Comeback, 1)]);
        assert_eq!(found.nothing_to_show, vec![people[4].customer.clone()]);
        assert!(!found.joined);
    }

    proptest! {
        #[test]
        fn everybody_is_in_one_class_in_their_language_with_their_offer(
            kinds in proptest::collection::vec((0..2_usize, 0..7_usize, 0..6_usize, any::<bool>()), 0..60), most in 1..8_usize,
        ) {
            let stages = [Stage::New, Stage::FirstTime, Stage::Active, Stage::Due, Stage::AtRisk, Stage::Lapsed, Stage::Seasonal];
            let leads = [&[][..], &["p-1"], &["p-2"], &["p-3"], &["p-4"], &["p-5"]];
            let people: Vec<Candidate> = kinds.iter().enumerate()
                .map(|(n, (language, stage, lead, offer))| person(n, ["en", "de"][*language], stages[*stage], leads[*lead], *offer))
                .collect();
            let found = assign(&people, &choices(most));
            let placed: usize = found.classes.iter().map(|(_, people)| people.len()).sum();
            prop_assert_eq!(placed + found.nothing_to_show.len(), people.len());
            // At most one class beyond the bound for each language and offer that must stay apart.
            prop_assert!(found.classes.len() <= most.max(4));
            for (key, members) in &found.classes {
                for member in members {
                    let person = people.iter().find(|p| p.customer == *member).unwrap();
                    prop_assert_eq!((&key.language, &key.offer), (&person.language, &person.offer));
                }
            }
        }
    }
}
