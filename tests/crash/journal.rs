//! The journal tells when somebody has been at it.

use mailwright::clock::SetClock;
use mailwright::runs::{Planner as _, Seed, replay};
use mailwright::store::{JournalRow, Run, Store};
use mailwright::tenant::{Parts, Tenant};
use std::sync::Arc;

use super::*;
use crate::binary::block_on;

/// A folder in which the story has come to its end.
fn told_to_the_end() -> (Folder, String) {
    let (folder, _) = waiting();
    go_on(&folder);
    let run = folder.rows("SELECT run_id FROM runs").pop().unwrap();
    (folder, run)
}

async fn open(folder: &Folder) -> (Arc<Tenant>, Store) {
    let store = Store::open(folder.path()).await.unwrap();
    let shop = folder_shop(&store).await;
    let clock = Arc::new(SetClock::at(AFTERNOON.parse().unwrap()));
    let outbox = esp::Outbox::open(folder.path().join("outbox")).unwrap();
    let parts = Parts::new(clock, Arc::new(outbox), Vec::new());
    (Arc::new(Tenant::open(&store, &shop, parts).await.unwrap()), store)
}

async fn folder_shop(store: &Store) -> kit::ShopId {
    let any = store.shop(&kit::ShopId::new("any").unwrap());
    kit::ShopId::new(any.shop_ids().await.unwrap().pop().unwrap()).unwrap()
}

async fn journal(tenant: &Tenant) -> (Run, Vec<JournalRow>) {
    let run = tenant.store.runs(1).await.unwrap().pop().unwrap();
    let rows = tenant.store.journal(&run.id).await.unwrap();
    (run, rows)
}

#[test]
fn an_untouched_journal_replays_to_the_same_end() {
    let (folder, id) = told_to_the_end();
    let shown = folder.json(AFTERNOON, &["runs", "show", &id]);
    assert_eq!(folder.json(AFTERNOON, &["runs", "show", &id]), shown);
    let outcome: serde_json::Value = serde_json::from_str(folder.opened()[0].outcome()).unwrap();
    assert_eq!(shown["outcome"], outcome);
    let stored: Vec<serde_json::Value> =
        folder.opened()[0].journal.iter().skip(1).map(|row| serde_json::from_str(&row.body).unwrap()).collect();
    let told: Vec<serde_json::Value> =
        shown["steps"].as_array().unwrap().iter().map(|step| step["input"].clone()).collect();
    assert_eq!(told, stored);
}

/// Whichever byte of whichever row changes in what it says, and whether it is still JSON or not: the row is named.
#[test]
fn a_changed_byte_is_found_in_its_row() {
    let (folder, _) = told_to_the_end();
    block_on(async {
        let (tenant, store) = open(&folder).await;
        let (run, rows) = journal(&tenant).await;
        let seed: Seed = serde_json::from_str(&run.plan).unwrap();
        let plan = tenant.plan(run.release, &seed, rows[0].at).await.unwrap();
        let replayed = |rows: &[JournalRow]| replay(&run.plan, rows, |_| plan.clone());
        assert_eq!(replayed(&rows).unwrap().len(), rows.len() - 1);
        for (index, row) in rows.iter().enumerate() {
            for place in [0, row.body.len() / 3, row.body.len() / 2, row.body.len() - 2, row.body.len() - 1] {
                let mut changed = rows.clone();
                changed[index].body = flipped(&row.body, place);
                let found = replayed(&changed).map(|_| ()).unwrap_err();
                assert_eq!(found.seq, row.seq, "byte {place}: {found}");
            }
            let mut without = rows.clone();
            without.remove(index);
            // Nothing follows the last row: that it is gone shows only in the run, which says that it is done.
            if index + 1 < rows.len() {
                assert!(replayed(&without).is_err(), "row {} is missing", row.seq);
            }
        }
        store.close().await;
    });
}

/// The text with one ASCII byte changed.
fn flipped(text: &str, place: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let place = (place..bytes.len()).chain(0..place).find(|at| bytes[*at].is_ascii()).unwrap();
    bytes[place] ^= 1;
    String::from_utf8(bytes).unwrap()
}

/// A byte of what stands in the table, which is sealed.
#[test]
fn whoever_looks_at_a_changed_run_is_told_where() {
    let (folder, id) = told_to_the_end();
    let last = folder.rows("SELECT step FROM journal").len();
    for seq in [1, 3, last] {
        let folder = folder.copy();
        block_on(async {
            let mut connection = folder.connect().await;
            let body: String = sqlx::query_scalar("SELECT body FROM journal WHERE seq = $1")
                .bind(i64::try_from(seq).unwrap())
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert!(body.starts_with("sealed:1:"), "{body}");
            sqlx::query("UPDATE journal SET body = $2 WHERE seq = $1")
                .bind(i64::try_from(seq).unwrap())
                .bind(flipped(&body, body.len() / 2))
                .execute(&mut connection)
                .await
                .unwrap();
        });
        folder.run(AFTERNOON, &["runs", "show", &id]).failed(1, &[&format!("the journal diverges at step {seq}: ")]);
    }
}

/// A run that was changed while it waited is not driven on.
#[test]
fn a_changed_run_is_parked_and_sends_nothing() {
    let (folder, approval) = waiting();
    let row = folder.opened().remove(0).journal.into_iter().find(|row| row.body.contains("nubuck")).unwrap();
    let changed = format!("UPDATE journal SET body = $1 WHERE seq = {}", row.seq);
    folder.write(changed.leak(), &row.body.replace("nubuck", "velvet"));
    let approved = folder.run(AFTERNOON, &["approvals", "approve", &approval, "--as", "nora"]);
    approved.failed(1, &["the journal diverges at step", "it is parked for an operator"]);
    assert_eq!(folder.mails(), []);
    assert_eq!(folder.rows("SELECT state FROM runs"), ["parked"]);
    assert_eq!(folder.json(AFTERNOON, &["runs", "resume"]), serde_json::json!([]));
}
