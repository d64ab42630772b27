//! What is too old goes, class by class: listed first, then let go, and what proves what happened stays.

use super::*;
use crate::engine::delivered;

const YEARS_LATER: &str = "2030-01-15T12:00:00Z";

fn items(told: &Value) -> Vec<(String, u64)> {
    let class = |due: &Value| (due["class"].as_str().unwrap().to_owned(), due["items"].as_u64().unwrap());
    told.as_array().unwrap().iter().map(class).collect()
}

#[test]
fn what_is_too_old_is_listed_then_goes_and_the_proof_stays() {
    let (folder, run) = delivered();
    let dry = ["data", "retention", "--dry-run"];
    assert!(items(&folder.json(AFTERNOON, &dry)).iter().all(|(_, items)| *items == 0), "nothing is old yet");

    let visits: u64 = folder.rows("SELECT COUNT(*) || '' FROM activity")[0].parse().unwrap();
    let wrote = "INSERT INTO gists (shop_id, kind, source_id, customer_id, words, at, topics, tone)
         SELECT shop_id, 'note', 'cart/1', customer_id, ?, created_at, 'gift', 'neutral' FROM runs";
    folder.write(wrote, &"0".repeat(64));
    let before = folder.state();
    let listed = items(&folder.json(YEARS_LATER, &dry));
    let one = |class: &str| (class.to_owned(), 1);
    let expected = [
        one("webhooks"),
        ("activity".to_owned(), visits),
        one("said"),
        one("messages"),
        one("previews"),
        ("conversations".to_owned(), 0),
        one("journals"),
    ];
    assert_eq!(listed, expected);
    assert_eq!(folder.state(), before, "looking changes nothing");

    folder.run(YEARS_LATER, &["data", "retention"]).failed(2, &["--as <NAME>"]);
    assert_eq!(items(&folder.json(YEARS_LATER, &["data", "retention", "--as", "ada"])), expected);
    assert!(items(&folder.json(YEARS_LATER, &dry)).iter().all(|(_, items)| *items == 0), "all of it went");

    // The words are nowhere: not in the ledger, not in the outbox, not in a page, not in the inbox or a journal.
    assert_eq!(folder.mails(), []);
    assert_eq!(std::fs::read_dir(folder.path().join("previews")).unwrap().count(), 0);
    assert_eq!(folder.rows("SELECT COUNT(*) || '' FROM activity"), ["0"]);
    assert_eq!(folder.rows("SELECT COUNT(*) || '' FROM gists WHERE customer_id IS NOT NULL"), ["0"]);
    assert_eq!(folder.rows("SELECT COUNT(*) || '' FROM journal"), ["0"]);
    assert_eq!(folder.rows("SELECT LENGTH(body) || '' FROM inbox"), ["0"]);
    assert!(folder.rows("SELECT request FROM sends").iter().all(|request| !request.contains("<html")));
    // What proves what happened stays, and is sound.
    assert_eq!(folder.rows("SELECT state FROM sends"), ["sent"]);
    assert_eq!(folder.rows("SELECT state FROM approvals"), ["approved"]);
    assert_eq!(folder.rows("SELECT state FROM runs"), ["done"]);
    assert!(folder.rows("SELECT COUNT(*) || '' FROM consents")[0] != "0");
    folder.json(YEARS_LATER, &["audit", "verify"]);
    folder.run(YEARS_LATER, &["runs", "replay", &run]).failed(1, &["was pruned at"]);
    // The same webhook is known all the same, and nothing goes out twice.
    let ada = webhook("shopify-checkouts-update-ada");
    let again = folder.json(YEARS_LATER, &["trigger", "shopify", "checkouts/update", &ada]);
    assert_eq!(again["intake"]["repeated"], json!(true));
    assert_eq!(folder.mails(), []);
}
