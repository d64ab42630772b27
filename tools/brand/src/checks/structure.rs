//! The shape of a message: subjects, preheader, blocks.

use std::collections::BTreeSet;

use kit::message::{Block, Channel, Draft, Place};
use kit::{FactId, FactKind};

use super::{Scene, service_moment};
use crate::book::Scope;
use crate::fold::{Folded, Form};
use crate::phrases::Lang;
use crate::rules;
use crate::text::Text;

/// Shared words, as a share of all words of both, above which two lines say the same.
const ALIKE: f64 = 0.8;

pub(super) fn check(scene: &mut Scene<'_>, draft: &Draft, texts: &[Text<'_>]) {
    if draft.language != *scene.cx.language || !scene.lang.is_some_and(|l| scene.book.languages.contains(&l)) {
        let mend = format!("write in `{}`", scene.cx.language);
        scene.find_with(&rules::LANGUAGE, &Place::Whole, None, draft.language.as_str(), mend);
    }
    match draft.channel {
        Channel::Email => {
            subjects(scene, texts);
            preheader(scene, texts);
            order(scene, draft);
            products(scene, draft);
            one_idea(scene, draft, texts);
        }
        Channel::Sms => text_message(scene, draft),
    }
    for (index, block) in draft.blocks.iter().enumerate() {
        kind(scene, index, block);
    }
}

/// One text and one link. How many parts it takes is counted when it is rendered, frame and all.
fn text_message(scene: &mut Scene<'_>, draft: &Draft) {
    let shaped = matches!(draft.blocks.as_slice(), [Block::Paragraph { .. }, Block::Cta { .. }]);
    if !shaped || !draft.subjects.is_empty() || !draft.preheader.is_empty() {
        scene.find(&rules::SMS_SHAPE, &Place::Whole, None, "");
    }
    let products: BTreeSet<&str> =
        scene.cited.iter().filter(|f| f.kind == FactKind::Product).map(|f| f.subject.as_str()).collect();
    let most = scene.book.style.sms.products_max;
    if products.len() > most {
        let mend = format!("{} products; at most {most}", products.len());
        scene.find_with(&rules::SMS_PRODUCTS, &Place::Whole, None, "", mend);
    }
}

fn subjects(scene: &mut Scene<'_>, texts: &[Text<'_>]) {
    let limits = scene.book.structure;
    let subjects: Vec<&Text<'_>> = texts.iter().filter(|t| t.scope == Scope::Subject).collect();
    let [least, most] = limits.subjects;
    if !(least..=most).contains(&subjects.len()) {
        let mend = format!("write {least} to {most} subjects; there are {}", subjects.len());
        scene.find_with(&rules::SUBJECTS, &Place::Whole, None, "", mend);
    }
    for (index, text) in subjects.iter().enumerate() {
        let chars = text.filled_chars();
        if chars > limits.subject_chars_max || chars == 0 {
            let mend = format!("{chars} characters with values filled in; at most {}", limits.subject_chars_max);
            scene.find_with(&rules::SUBJECT_LENGTH, &text.place, None, "", mend);
        }
        if text.title_at.is_some_and(|at| at > limits.subject_meaning_chars) {
            scene.find(&rules::SUBJECT_MEANING, &text.place, None, "");
        }
        let twin = subjects.iter().take(index).position(|other| alike(&other.filled, &text.filled));
        if let Some(twin) = twin {
            let mend = format!("it repeats subjects[{twin}]; give it another angle");
            scene.find_with(&rules::SUBJECTS_ALIKE, &text.place, None, text.raw, mend);
        }
    }
}

fn preheader(scene: &mut Scene<'_>, texts: &[Text<'_>]) {
    let Some(text) = texts.iter().find(|t| t.scope == Scope::Preheader) else { return };
    let [least, most] = scene.book.structure.preheader_chars;
    let chars = text.filled_chars();
    if !(least..=most).contains(&chars) {
        let mend = format!("{chars} characters with values filled in; write {least} to {most}");
        scene.find_with(&rules::PREHEADER_LENGTH, &text.place, None, "", mend);
    }
    if texts.first().is_some_and(|first| first.scope == Scope::Subject && alike(&first.filled, &text.filled)) {
        scene.find(&rules::PREHEADER_REPEATS, &text.place, None, text.raw);
    }
}

/// Jaccard similarity of the words.
fn alike(one: &str, other: &str) -> bool {
    let (one, other) = (Folded::of_words(one, Form::Plain), Folded::of_words(other, Form::Plain));
    let words = |f: &'_ Folded| f.words().split(' ').map(str::to_owned).collect::<BTreeSet<String>>();
    let (one, other) = (words(&one), words(&other));
    let shared = one.intersection(&other).count();
    let all = one.union(&other).count();
    one == other || shared as f64 > ALIKE * all as f64
}

fn order(scene: &mut Scene<'_>, draft: &Draft) {
    let headings: Vec<usize> = positions(draft, |b| matches!(b, Block::Heading { .. }));
    if headings != [0] {
        scene.find(&rules::HEADING, &Place::Whole, None, "");
    }
    let ctas = positions(draft, |b| matches!(b, Block::Cta { .. }));
    match ctas.as_slice() {
        [at] => {
            let after = draft.blocks.iter().skip(at + 1);
            if !after.into_iter().all(|b| matches!(b, Block::Guide { .. } | Block::Review { .. })) {
                scene.find(&rules::CTA_PLACE, &block_place(*at, "label"), None, "");
            }
        }
        _ => scene.find(&rules::CTA_COUNT, &Place::Whole, None, ""),
    }
    let offers = positions(draft, |b| matches!(b, Block::Offer { .. }));
    if offers.len() > 1 {
        scene.find(&rules::OFFER_COUNT, &Place::Whole, None, "");
    }
    if let Some(first) = offers.first() {
        service_moment(scene, &block_place(*first, "fact"), None, "");
    }
}

fn positions(draft: &Draft, wanted: impl Fn(&Block) -> bool) -> Vec<usize> {
    draft.blocks.iter().enumerate().filter(|(_, b)| wanted(b)).map(|(i, _)| i).collect()
}

fn block_place(index: usize, field: &str) -> Place {
    Place::Block { index, field: field.to_owned() }
}

fn products(scene: &mut Scene<'_>, draft: &Draft) {
    let (least, most) = scene.flow.products;
    let shown = positions(draft, |b| matches!(b, Block::Product { .. }));
    if !(least..=most).contains(&shown.len()) {
        let mend = format!("this flow shows {least} to {most} products; there are {}", shown.len());
        scene.find_with(&rules::PRODUCTS, &Place::Whole, None, "", mend);
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for index in shown {
        let fact = draft.blocks.get(index).and_then(Block::fact).and_then(|id| scene.facts.get(id));
        if let Some(fact) = fact
            && !seen.insert(&fact.subject)
        {
            scene.find(&rules::PRODUCT_TWICE, &block_place(index, "fact"), None, &fact.subject);
        }
    }
}

fn one_idea(scene: &mut Scene<'_>, draft: &Draft, texts: &[Text<'_>]) {
    let limits = scene.book.structure;
    let paragraphs = positions(draft, |b| matches!(b, Block::Paragraph { .. }));
    let chars: usize = texts
        .iter()
        .filter(|t| matches!(&t.place, Place::Block { index, .. } if paragraphs.contains(index)))
        .map(Text::filled_chars)
        .sum();
    if paragraphs.len() > limits.paragraphs_max || chars > limits.paragraph_chars_max {
        let (most, most_chars) = (limits.paragraphs_max, limits.paragraph_chars_max);
        let found = paragraphs.len();
        let mend = format!("{found} paragraphs with {chars} characters; at most {most} with {most_chars}");
        scene.find_with(&rules::ONE_IDEA, &Place::Whole, None, "", mend);
    }
}

/// Each block shows a fact of its own kind.
fn kind(scene: &mut Scene<'_>, index: usize, block: &Block) {
    let (id, wanted) = match block {
        Block::Heading { .. } | Block::Paragraph { .. } => return,
        Block::Product { fact, .. } => (fact, FactKind::Product),
        Block::Guide { fact } => (fact, FactKind::Guide),
        Block::Review { fact } => (fact, FactKind::Review),
        Block::Offer { fact, .. } => (fact, FactKind::Offer),
        Block::Cta { fact, label } => return cta(scene, index, fact, label),
    };
    match scene.facts.get(id) {
        None => scene.find(&rules::SLOT_FACT, &block_place(index, "fact"), None, id.as_str()),
        Some(fact) if fact.kind != wanted => {
            let mend = format!("{id} is a {:?} fact; cite a {wanted:?} fact", fact.kind);
            scene.find_with(&rules::FACT_KIND, &block_place(index, "fact"), None, id.as_str(), mend);
        }
        Some(_) => {}
    }
}

fn cta(scene: &mut Scene<'_>, index: usize, id: &FactId, label: &str) {
    match scene.facts.get(id) {
        None => scene.find(&rules::SLOT_FACT, &block_place(index, "fact"), None, id.as_str()),
        Some(fact) if fact.field("url").is_none() => {
            scene.find(&rules::CTA_LINK, &block_place(index, "fact"), None, id.as_str());
        }
        Some(fact) if fact.kind == FactKind::Offer && !scene.offers.iter().any(|o| o.id == fact.id) => {
            scene.find(&rules::SLOT_OFFER, &block_place(index, "fact"), None, id.as_str());
        }
        Some(_) => {}
    }
    if !starts_with_verb(label, scene.lang) {
        scene.find(&rules::CTA_VERB, &block_place(index, "label"), None, label);
    }
}

/// English labels start with an imperative. German ones hold an infinitive or imperative anywhere ("Zelt ansehen",
/// "Zurück zum Warenkorb").
fn starts_with_verb(label: &str, lang: Option<Lang>) -> bool {
    const ENGLISH: [&str; 69] = [
        "add", "answer", "ask", "book", "browse", "build", "buy", "call", "change", "check", "choose", "claim",
        "collect", "compare", "complete", "confirm", "continue", "cook", "discover", "download", "explore", "fill",
        "find", "finish", "fit", "get", "give", "go", "grab", "have", "join", "keep", "learn", "leave", "let", "log",
        "look", "make", "meet", "move", "open", "order", "pack", "pick", "plan", "prepare", "rate", "read", "reply",
        "return", "review", "save", "see", "send", "shop", "show", "sign", "start", "stay", "take", "tell", "track",
        "try", "use", "view", "visit", "watch", "wear", "write",
    ];
    const GERMAN: [&str; 12] =
        ["zuruck", "schau", "sieh", "hol", "finde", "lies", "wahle", "entdecke", "zum", "zur", "zu", "jetzt"];
    let folded = Folded::of_words(label, Form::Plain);
    let mut words = folded.words().split(' ');
    match lang {
        Some(Lang::De) => words.any(|w| GERMAN.contains(&w) || (w.len() > 4 && w.ends_with("en"))),
        Some(Lang::En) | None => words.next().is_some_and(|w| ENGLISH.contains(&w)),
    }
}
