//! A merge is byte for byte what a compile would have made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use kit::message::DraftRecord;
use kit::{FactBook, FactValue, Language};
use mailwright_content::{Press, render};
use proptest::prelude::*;
use support::*;

/// A letter with everything, its values replaced by words nobody planned for.
fn letter(language: Language, title: &str, reason: &str, was: bool, code: bool, picture: bool) -> DraftRecord {
    let mut record = everything(language);
    let mut facts = FactBook::new();
    for mut fact in record.facts.iter().cloned() {
        if fact.id == id("f201") {
            fact.fields.insert("title".into(), FactValue::text(title));
            if !picture {
                fact.fields.remove("image");
            }
        }
        if fact.id == id("f202") && !was {
            fact.fields.remove("was");
        }
        if fact.id == id("f401") && !code {
            fact.fields.remove("code");
        }
        facts.insert(fact);
    }
    record.facts = facts;
    for block in &mut record.draft.blocks {
        if let kit::message::Block::Product { reason: said, .. } = block {
            *said = reason.to_owned();
        }
    }
    record
}

#[test]
fn many_letters_of_one_shape_are_compiled_once() {
    let press = Press::new();
    for number in 0..20 {
        let record = letter(Language::EN, &format!("Boots {number}"), "they last", true, true, true);
        let reader = reader(Language::EN, if number % 2 == 0 { Some("Aoife") } else { None });
        let merged = press.render(&record, &shop(), &reader, &utm(), 0);
        assert_eq!(merged, render(&record, &shop(), &reader, &utm(), 0));
    }
    assert_eq!(press.shapes(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_merge_is_what_a_compile_makes(
        title in "[A-Za-zÄöß&<>\"'` 0-9é€-]{1,40}",
        reason in "[A-Za-zäöü&<>;:%#, ]{3,80}",
        german in any::<bool>(), was in any::<bool>(), code in any::<bool>(), picture in any::<bool>(),
        named in any::<bool>(),
    ) {
        let language = if german { Language::DE } else { Language::EN };
        let press = Press::new();
        // The shape is compiled from another letter: what is merged was never compiled itself.
        let other = letter(language.clone(), "Other boots", "for no reason", was, code, picture);
        let reader = reader(language.clone(), named.then_some("Jörg"));
        let _ = press.render(&other, &shop(), &reader, &utm(), 1);
        let record = letter(language, &title, &reason, was, code, picture);
        let merged = press.render(&record, &shop(), &reader, &utm(), 0);
        prop_assert_eq!(merged, render(&record, &shop(), &reader, &utm(), 0));
        prop_assert!(press.shapes() <= 1);
    }
}
