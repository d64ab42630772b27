//! What a message shows that we know of its reader, and how it sounds at this moment of theirs.

use kit::FactKind;
use kit::message::{Draft, Place};

use super::Scene;
use crate::book::file::ToneBounds;
use crate::rules;
use crate::text::Text;

/// Words that show knowledge of earlier purchases, folded.
const PURCHASES: [&str; 14] = [
    " your last order ",
    " your previous order ",
    " your earlier order ",
    " you bought ",
    " you ordered ",
    " you own ",
    " your last purchase ",
    " you already have ",
    " deine letzte bestellung ",
    " du gekauft ",
    " du bestellt ",
    " du besitzt ",
    " hast du schon ",
    " dein letzter kauf ",
];
/// Of a loyalty scheme.
const LOYALTY: [&str; 10] = [
    " gold member ",
    " silver member ",
    " platinum member ",
    " your tier ",
    " your points ",
    " loyal customer ",
    " stammkunde ",
    " stammkundin ",
    " deine punkte ",
    " dein status ",
];
/// Of where somebody lives.
const PLACES: [&str; 10] = [
    " near you ",
    " in your town ",
    " in your city ",
    " where you live ",
    " your neighbourhood ",
    " your local weather ",
    " in deiner nahe ",
    " in deiner stadt ",
    " bei dir um die ecke ",
    " wo du wohnst ",
];

/// Words of pressure, folded. What is worse than pressing is found by its own rule.
const URGENT: [&str; 14] = [
    "now", "today", "soon", "quick", "quickly", "fast", "last", "before", "jetzt", "heute", "bald", "schnell",
    "letzte", "bevor",
];
/// Words of warmth.
const WARM: [&str; 18] = [
    "thank",
    "thanks",
    "glad",
    "welcome",
    "enjoy",
    "hope",
    "happy",
    "help",
    "lovely",
    "danke",
    "dank",
    "freuen",
    "freut",
    "willkommen",
    "gern",
    "gerne",
    "hilft",
    "viel",
];
/// The top of the scale.
const LEVELS: usize = 5;

pub(super) fn check(scene: &mut Scene<'_>, texts: &[Text<'_>], _draft: &Draft) {
    signals(scene, texts);
    if let Some(bounds) = scene.book.tone.get(scene.cx.flow.as_str()) {
        tone(scene, texts, bounds);
    }
}

/// Helpful, not creepy (mission 70): a message stays near one or two obvious things.
fn signals(scene: &mut Scene<'_>, texts: &[Text<'_>]) {
    let said = |list: &[&str]| texts.iter().any(|t| list.iter().any(|words| t.forms.plain.text().contains(words)));
    let cites = |kind: FactKind| scene.cited.iter().any(|f| f.kind == kind);
    let shown: Vec<&str> = [
        ("the cart", cites(FactKind::Cart)),
        ("an order", cites(FactKind::Order) || said(&PURCHASES)),
        ("loyalty", said(&LOYALTY)),
        ("where they live", said(&PLACES)),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect();
    if scene.book.max_signals.is_some_and(|most| shown.len() > most) {
        scene.find(&rules::SIGNALS, &Place::Whole, None, &shown.join(", "));
    }
}

/// Advice only: words are counted, tone is judged by people.
fn tone(scene: &mut Scene<'_>, texts: &[Text<'_>], bounds: &ToneBounds) {
    let level = |list: &[&str]| {
        let words = texts.iter().flat_map(|t| t.forms.plain.words().split(' '));
        words.filter(|w| list.contains(w)).count().min(LEVELS)
    };
    for (name, wanted, found) in [("urgent", bounds.urgent, level(&URGENT)), ("warm", bounds.warm, level(&WARM))] {
        let Some([least, most]) = wanted else { continue };
        if !(least..=most).contains(&found) {
            let mend =
                format!("this moment wants {name} {least} to {most} on a scale of {LEVELS}; the words come to {found}");
            scene.find_with(&rules::TONE, &Place::Whole, None, name, mend);
        }
    }
}
