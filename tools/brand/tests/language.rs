//! A message is in the reader's language, in every part of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{BOOK, check, context, facts, found, good, good_de};
use kit::Language;
use kit::message::Severity::Block as Blocked;
use kit::message::{Draft, Place};

#[test]
fn the_language_is_the_readers() {
    let german = good_de();
    let english_reader = Language::EN;
    let findings = BOOK.check(&german, &facts(), &context(&english_reader));
    assert_eq!(found(&findings), [("language.wanted", Blocked)]);
    let mixed = Draft { language: Language::EN, ..german };
    let findings = check(&mixed);
    assert!(findings.iter().any(|f| f.rule == "language.mismatch" && f.severity == Blocked), "{findings:?}");
    let french = Draft { language: Language::parse("fr").unwrap(), ..good() };
    assert_eq!(found(&check(&french)), [("language.wanted", Blocked)]);
    // A subject alone tells its language with one word; goods and places do not.
    for (draft, subject) in [(good(), "Passt das Zelt?"), (good_de(), "Does your tent fit?")] {
        let findings = check(&Draft {
            subjects: vec![subject.into(), draft.subjects[1].clone(), draft.subjects[2].clone()],
            ..draft
        });
        assert!(
            findings.iter().any(|f| f.rule == "language.mismatch" && f.place == (Place::Subject { index: 0 })),
            "{findings:?}"
        );
    }
    let mut one_line = good();
    one_line.subjects[1] = "Das ist noch nicht alles, und wir sind da".into();
    assert_eq!(found(&check(&one_line)), [("language.mismatch", Blocked)]);
}
