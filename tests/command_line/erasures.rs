//! A backup older than an erasure brings nobody back.

use serde_json::json;

use super::*;

/// A message to a customer who was erased after a backup was taken; the customer, their address, the backup.
fn erased_after_a_backup(folder: &Folder, copies: &Folder) -> (String, String, String) {
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let id = folder.rows("SELECT approval_id FROM approvals WHERE state = 'pending'").pop().unwrap();
    // Looking at it leaves a preview beside the tables.
    assert!(folder.run(MORNING, &["approvals", "show", &id]).status.success());
    assert!(folder.run(MORNING, &["approvals", "approve", &id, "--as", "nora"]).status.success());
    assert_eq!(folder.mails().len(), 1);
    let who = folder.rows("SELECT customer_id FROM sends").pop().unwrap();
    let address = folder.rows(format!("SELECT email FROM customers WHERE customer_id = '{who}'").leak()).pop().unwrap();
    let backup = copies.path().join("backup").to_str().unwrap().to_owned();
    assert!(folder.run(MORNING, &["backup", &backup]).status.success());
    let body = json!({
        "shop_id": 1, "shop_domain": "demo-shop.myshopify.com", "customer": { "id": who, "email": address },
        "orders_to_redact": [],
    });
    let body = folder.file("redact.json", body.to_string());
    assert_eq!(keys(folder, &who), [who.as_str()]);
    assert!(folder.run(AFTERNOON, &["trigger", "shopify", "customers/redact", &body]).status.success());
    std::fs::remove_file(body).unwrap();
    (who, address, backup)
}

fn people(folder: &Folder, who: &str) -> Vec<String> {
    folder.rows(format!("SELECT customer_id FROM customers WHERE customer_id = '{who}'").leak())
}

/// Whose keys are there, of this person.
fn keys(folder: &Folder, who: &str) -> Vec<String> {
    folder.rows(format!("SELECT subject FROM sealing_keys WHERE subject = '{who}'").leak())
}

fn previews(folder: &Folder) -> usize {
    std::fs::read_dir(folder.path().join("previews")).map_or(0, Iterator::count)
}

/// Sentences of a value, at any depth.
fn sentences(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 30 && text.contains(' ') => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| sentences(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| sentences(value, found)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What the writer wrote and read, what the approver was shown, what was handed over: none of it stands in the database file.
/// Left out is what stood there before: prompts, products.
#[test]
fn nothing_that_was_written_to_a_person_stands_in_the_database() {
    let folder = Folder::new();
    let database = |folder: &Folder| std::fs::read(folder.path().join("mailwright.db")).unwrap();
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let before = database(&folder);
    let ada = webhook("shopify-checkouts-update-ada");
    folder.json(MORNING, &["trigger", "shopify", "checkouts/update", &ada]);
    let id = folder.rows("SELECT approval_id FROM approvals").remove(0);
    folder.json(AFTERNOON, &["approvals", "approve", &id, "--as", "nora"]);
    let key = folder.rows("SELECT dedupe_key FROM sends").remove(0);
    let mut told = Vec::new();
    for run in folder.opened() {
        for row in &run.journal {
            sentences(&serde_json::from_str(&row.body).unwrap(), &mut told);
        }
        for (_, signal) in &run.signals {
            sentences(&serde_json::from_str(signal).unwrap(), &mut told);
        }
        for approval in &run.approvals {
            sentences(&json!([approval.draft, approval.terms, approval.summary]), &mut told);
        }
    }
    let read = told.len();
    sentences(&folder.json(AFTERNOON, &["sends", "show", &key]), &mut told);
    assert!(told.len() > read, "the message is told");
    told.sort();
    told.dedup();
    told.retain(|text| !holds(&before, text));
    assert!(told.len() >= 10, "{told:#?}");
    let after = database(&folder);
    for text in told {
        assert!(!holds(&after, &text), "{text}");
    }
    // What is not sealed is found, so looking works.
    assert!(holds(&after, &id) && holds(&after, "C-ADA"));
}

#[test]
fn whoever_was_erased_after_the_backup_is_erased_again_by_its_restore() {
    let (folder, copies) = (Folder::new(), Folder::empty());
    let (who, address, backup) = erased_after_a_backup(&folder, &copies);
    assert_eq!((people(&folder, &who).len(), folder.mails().len(), previews(&folder)), (0, 0, 0));
    assert_eq!(keys(&folder, &who), [] as [&str; 0]);
    let run = folder.rows("SELECT run_id FROM runs").remove(0);
    for command in ["show", "replay", "diff"] {
        folder.run(AFTERNOON, &["runs", command, &run]).failed(1, &[&run, "its person was erased"]);
    }
    assert!(folder.run(AFTERNOON, &["audit", "verify"]).status.success());
    let log = folder.path().join("erasures.log");
    let noted = std::fs::read_to_string(&log).unwrap();
    assert!(noted.lines().count() >= 2 && !noted.contains(&address) && !noted.contains(&who), "{noted}");

    // Without the log the person is back, and the command says so.
    let without = Folder::empty();
    let told = without.run(AFTERNOON, &["restore", &backup]);
    assert!(told.out.contains("--erasures FILE"), "{told:?}");
    assert_eq!((people(&without, &who).len(), without.mails().len()), (1, 1));

    let fresh = Folder::empty();
    let told = fresh.json(AFTERNOON, &["restore", &backup, "--erasures", log.to_str().unwrap()]);
    assert_eq!(told["erased_again"], json!([{ "people": 1, "messages": 1, "files": 1, "left": 0 }]));
    assert_eq!((people(&fresh, &who).len(), fresh.mails().len(), previews(&fresh)), (0, 0, 0));
    assert_eq!(fresh.rows("SELECT customer_id FROM sends WHERE request <> ''"), [] as [&str; 0]);
    assert_eq!(keys(&fresh, &who), [] as [&str; 0]);
    assert!(fresh.run(AFTERNOON, &["audit", "verify"]).status.success());
    // A backup of what was restored, restored with the same log, knows of it by itself.
    let second = copies.path().join("second").to_str().unwrap().to_owned();
    assert!(fresh.run(AFTERNOON, &["backup", &second]).status.success());
    let again = Folder::empty();
    assert!(again.run(AFTERNOON, &["restore", &second]).status.success());
    assert_eq!(people(&again, &who), [] as [&str; 0]);
    // Their events change nothing there either.
    let ada = webhook("shopify-checkouts-update-ada");
    let _ = again.run(AFTERNOON, &["trigger", "shopify", "checkouts/update", &ada]);
    assert_eq!(people(&again, &who), [] as [&str; 0]);
}

/// Without its master key a backup is of no use, and that is said before anything is put back.
#[test]
fn a_backup_without_its_master_key_is_not_put_back() {
    let (folder, copies, fresh) = (Folder::new(), Folder::empty(), Folder::empty());
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let backup = copies.path().join("backup").to_str().unwrap().to_owned();
    let told = folder.run(MORNING, &["backup", &backup]);
    assert!(told.out.contains("Its master.key opens what is stored about customers"), "{told:?}");
    let key = copies.path().join("backup/master.key");
    let secret = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let refused = |words: &str| {
        fresh.run(AFTERNOON, &["restore", &backup]).failed(1, &[words, "copy it from the data folder or the backup"]);
        assert_eq!(std::fs::read_dir(fresh.path()).unwrap().count(), 0);
    };
    refused("master.key is not there");
    std::fs::write(&key, "cd".repeat(32)).unwrap();
    refused("master.key is another one");
    std::fs::write(&key, secret).unwrap();
    assert!(fresh.run(AFTERNOON, &["restore", &backup]).status.success());
    let run = folder.rows("SELECT run_id FROM runs").remove(0);
    assert_eq!(fresh.json(AFTERNOON, &["runs", "replay", &run])["equal"], json!(true));
}

#[test]
fn a_restore_that_was_cut_off_is_no_data_folder() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("RESTORING"), "").unwrap();
    folder.run(MORNING, &["runs", "list"]).failed(1, &["a restore that was cut off", "delete the folder"]);
    let broken = folder.file("log", "no json\n");
    let copies = Folder::empty();
    std::fs::remove_file(folder.path().join("RESTORING")).unwrap();
    let backup = copies.path().join("backup").to_str().unwrap().to_owned();
    assert!(folder.run(MORNING, &["backup", &backup]).status.success());
    let fresh = Folder::empty();
    fresh.run(MORNING, &["restore", &backup, "--erasures", &broken]).failed(1, &["line 1"]);
    // Nothing was begun: the same folder takes the restore with the right file.
    assert!(fresh.run(MORNING, &["restore", &backup]).status.success());
}
