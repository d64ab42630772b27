//! The engine: runs replayed and rehearsed, timers, the lease, the audit chain, and what any engine must withstand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod audit;
mod beside;
mod conformance;
mod provider;
mod rehearsal;
mod replay;
mod timers;
mod upgrade;

use serde_json::Value;

use crate::binary::{AFTERNOON, Folder, MORNING, webhook};

/// A folder in which one checkout was left, with its run and the approval that its message waits for.
pub(crate) fn waiting() -> (Folder, String, String) {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    let told = folder.json(MORNING, &["trigger", "shopify", "checkouts/update", &ada]);
    let run = text(&told["intake"]["runs"][0]["run"]);
    let approval = text(&folder.json(MORNING, &["approvals", "list"])[0]["approval"]);
    (folder, run, approval)
}

/// The same with the approval given and the mail gone out.
pub(crate) fn delivered() -> (Folder, String) {
    let (folder, run, approval) = waiting();
    folder.json(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
    assert_eq!(folder.mails().len(), 1);
    (folder, run)
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Changes the folder's database behind the program's back.
pub(crate) fn tamper(folder: &Folder, sql: &'static str) {
    crate::binary::block_on(async {
        let mut connection = folder.connect().await;
        let done = sqlx::query(sql).execute(&mut connection).await.unwrap();
        assert_ne!(done.rows_affected(), 0, "{sql}");
        sqlx::Connection::close(connection).await.unwrap();
    });
}
