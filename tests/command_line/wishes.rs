//! Wishes beyond the offer ladder on the command line.

use super::*;
use crate::engine::{tamper, waiting};

#[test]
fn a_wish_beyond_the_ladder_is_answered_once_and_grants_nothing() {
    let (folder, run, _) = waiting();
    tamper(
        &folder,
        "INSERT INTO offer_requests (shop_id, run_id, step, reason, asked_at)
         SELECT shop_id, run_id, 'ninety-percent', 'they would buy', 1 FROM runs",
    );
    let wishes = ["offers", "wishes"];
    let told = folder.run(AFTERNOON, &[&wishes[..], &["list"]].concat());
    assert!(told.out.contains("ninety-percent") && told.out.contains("they would buy"), "{told:?}");
    let shown = folder.json(AFTERNOON, &[&wishes[..], &["show", &run, "ninety-percent"]].concat());
    assert_eq!(shown["flow"], json!("abandoned-checkout"));
    folder
        .run(AFTERNOON, &[&wishes[..], &["show", &run, "half"]].concat())
        .failed(1, &[&run, "has no wish for `half`", "offers wishes list"]);

    let answer = |word: &str| {
        let args = ["offers", "wishes", "answer", &run, "ninety-percent", word, "--as", "mira", "--note", "below cost"];
        folder.run(AFTERNOON, &args)
    };
    answer("perhaps").failed(2, &["refuse"]);
    let before = folder.rows("SELECT COUNT(*) || '' FROM offers_granted");
    assert!(answer("refuse").status.success());
    answer("adopt").failed(1, &["was answered already by user:mira"]);
    assert_eq!(folder.rows("SELECT answer FROM offer_requests"), ["refused"]);
    assert_eq!(folder.rows("SELECT COUNT(*) || '' FROM offers_granted"), before);
    assert_eq!(folder.json(AFTERNOON, &["offers", "wishes", "list"]), json!([]));
    assert_eq!(folder.json(AFTERNOON, &["offers", "wishes", "list", "--all"])[0]["note"], json!("below cost"));
    folder.json(AFTERNOON, &["audit", "verify"]);
}
