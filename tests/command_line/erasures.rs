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
    assert!(folder.run(AFTERNOON, &["trigger", "shopify", "customers/redact", &body]).status.success());
    std::fs::remove_file(body).unwrap();
    (who, address, backup)
}

fn people(folder: &Folder, who: &str) -> Vec<String> {
    folder.rows(format!("SELECT customer_id FROM customers WHERE customer_id = '{who}'").leak())
}

fn previews(folder: &Folder) -> usize {
    std::fs::read_dir(folder.path().join("previews")).map_or(0, Iterator::count)
}

#[test]
fn whoever_was_erased_after_the_backup_is_erased_again_by_its_restore() {
    let (folder, copies) = (Folder::new(), Folder::empty());
    let (who, address, backup) = erased_after_a_backup(&folder, &copies);
    assert_eq!((people(&folder, &who).len(), folder.mails().len(), previews(&folder)), (0, 0, 0));
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
