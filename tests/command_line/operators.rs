//! What the people do who keep a shop running: parked runs, lost secrets, a binary that is too old.

use super::*;

fn exec(folder: &Folder, sql: &'static str) {
    crate::binary::block_on(async {
        use sqlx::Connection as _;
        let mut connection = folder.connect().await;
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// A folder whose run waited and was then parked, and the run.
fn parked() -> (Folder, String) {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    exec(&folder, "UPDATE runs SET state = 'parked', wait_for = 'its journal does not fit'");
    let run = folder.rows("SELECT run_id FROM runs").pop().unwrap();
    (folder, run)
}

#[test]
fn a_parked_run_is_taken_up_once_more() {
    let (folder, run) = parked();
    let again = folder.json(AFTERNOON, &["runs", "retry", &run, "--as", "nora"]);
    assert_eq!(again["instead_of"], json!(run));
    assert!(again["rest"].as_str().unwrap().starts_with("waits for approval"), "{again}");
    folder.run(AFTERNOON, &["runs", "retry", &run, "--as", "nora"]).failed(1, &[&run, "is done, not parked"]);
    let id = folder.rows("SELECT approval_id FROM approvals WHERE state = 'pending'");
    assert_eq!(id.len(), 1, "nobody is asked about the run that was given up: {id:?}");
    assert!(folder.run(AFTERNOON, &["approvals", "approve", &id[0], "--as", "nora"]).status.success());
    assert_eq!(folder.mails().len(), 1);
    let told = folder.run(AFTERNOON, &["runs", "list"]).out;
    assert!(told.contains("no message: retried") && told.contains("delivered (sent)") && !told.contains('{'), "{told}");
}

#[test]
fn a_run_can_be_called_off_with_a_reason_parked_or_not() {
    let (folder, run) = parked();
    let end = ["runs", "cancel", &run, "--as", "nora", "--reason", "a test of ours"];
    assert!(folder.run(AFTERNOON, &end).status.success());
    folder.run(AFTERNOON, &end).failed(1, &[&run, "is over (done)"]);
    let ada = webhook("shopify-checkouts-update-vip");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada, "--wait"]).status.success());
    let waiting = folder.rows("SELECT run_id FROM runs WHERE state = 'delayed'").pop().unwrap();
    let told = folder.run(MORNING, &["runs", "cancel", &waiting, "--as", "nora", "--reason", "a test of ours"]);
    assert!(told.status.success(), "{told:?}");
    assert_eq!(folder.rows("SELECT run_id FROM runs WHERE state <> 'done'"), [""; 0]);
    let who = "SELECT who || ' ' || action || ' ' || detail FROM audit WHERE action = 'run.cancelled'";
    assert_eq!(folder.rows(who), ["user:nora run.cancelled called off by user:nora: a test of ours"; 2]);
    assert!(folder.mails().is_empty());
}

#[test]
fn a_lost_secret_is_said_and_not_made_anew_under_mail_that_needs_it() {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let id = folder.rows("SELECT approval_id FROM approvals").pop().unwrap();
    assert!(folder.run(AFTERNOON, &["approvals", "approve", &id, "--as", "nora"]).status.success());
    let key = folder.path().join("unsubscribe.key");
    std::fs::remove_file(&key).unwrap();
    folder.run(AFTERNOON, &["runs", "resume"]).failed(1, &["unsubscribe.key", "it is missing", "from a backup"]);
    assert!(!key.exists());
    assert!(folder.run(AFTERNOON, &["sends", "list"]).status.success());
}

#[test]
fn a_database_of_a_newer_binary_is_left_alone_with_advice() {
    let folder = Folder::new();
    exec(
        &folder,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 1)",
    );
    folder.run(AFTERNOON, &["runs", "list"]).failed(1, &["a newer mailwright", "version 9999", "backup"]);
}

#[test]
fn what_others_read_holds_no_hidden_characters() {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let id = folder.rows("SELECT approval_id FROM approvals").pop().unwrap();
    for reason in ["too\u{202e}soon", "too\x1b[2Jsoon", "too\nsoon"] {
        let told = folder.run(AFTERNOON, &["approvals", "reject", &id, "--as", "nora", "--reason", reason]);
        told.failed(1, &["hidden characters"]);
        let told = folder.run(AFTERNOON, &["kill", "on", "shop", "--as", "nora", "--reason", reason]);
        told.failed(1, &["hidden characters"]);
    }
}

#[test]
fn an_empty_cart_is_called_empty() {
    let folder = Folder::new();
    let body = json!({ "event": "cart.updated", "triggered_at": MORNING, "payload": { "cart_id": "cart-9",
        "customer": { "id": "C-ADA" }, "cart": { "total_value": 0, "items": [] } } });
    let file = folder.file("empty.json", body.to_string());
    let told = folder.run(MORNING, &["trigger", "generic", "cart.updated", &file]);
    assert!(told.out.contains("does not begin: the cart is empty"), "{told:?}");
}
