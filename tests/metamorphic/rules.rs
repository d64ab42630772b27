//! A candidate rule file tried on what was written before.

use brand::RuleBook;

use super::{Scene, in_every_shop};

#[test]
fn a_candidate_is_tried_on_every_message_and_changes_none() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let mail = scene.settle().await.mail();
        let files = scene.world.files.clone();
        let (rules, claims) = (&files["knowledge/brand/rules.toml"], &files["knowledge/brand/claims.toml"]);
        let book = |rules: &str| RuleBook::parse("candidate.toml", rules, "claims.toml", claims).unwrap();
        let tenant = scene.world.tenant.clone();
        let same = tenant.try_rules(&book(rules), 7, scene.world.now()).await.unwrap();
        assert_eq!((same.messages, same.changed.len(), same.unread.len()), (1, 0, 0));
        // A rule against a word of the letter that is the writer's own.
        let word = mail
            .words()
            .split_whitespace()
            .map(|w| w.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase())
            .find(|w| ["cart", "still", "your", "the"].contains(&w.as_str()))
            .unwrap();
        let phrase = format!(
            "\n[[phrase]]\nid = \"own.word\"\nseverity = \"block\"\nwhy = \"w\"\nmend = \"m\"\nowner = \"o\"\nsource = \"s\"\nany = [\"{word}\"]\n"
        );
        let stricter = tenant.try_rules(&book(&format!("{rules}{phrase}")), 7, scene.world.now()).await.unwrap();
        assert_eq!((stricter.messages, stricter.changed.len()), (1, 1));
        let changed = &stricter.changed[0];
        assert!(changed.blocks() && changed.run == scene.run && changed.score_then < changed.score_now, "{changed:?}");
        assert!(changed.added.iter().all(|f| f.rule == "own.word") && changed.dropped.is_empty());
        // Trying is not doing.
        assert_eq!(scene.world.outbox().len(), 1);
        let later = scene.world.now() + jiff::SignedDuration::from_hours(24 * 30);
        assert_eq!(tenant.try_rules(&book(rules), 7, later).await.unwrap().messages, 0);
    });
}
