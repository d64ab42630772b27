//! When runs begin, and what moves, ends or takes the place of that.

use mailwright::store::RunState;

use super::*;

/// A cart of Ada's, in the generic shape.
fn cart(folder: &Folder, cart: &str, at: &str) -> String {
    let body = serde_json::json!({
        "event": "cart.updated", "id": format!("evt-{cart}-{at}"), "triggered_at": at,
        "payload": {
            "cart_id": cart, "customer": { "id": "C-ADA" },
            "cart": {
                "currency": "EUR", "total_value": "189.00",
                "items": [{ "product_id": "TT-1001", "title": "Boots", "price": "189.00", "quantity": 1 }],
            },
        },
    });
    folder.file(&format!("{cart}-{}.json", at.replace(':', "")), body.to_string())
}

fn update(folder: &Folder, id: &str, at: &str) -> Value {
    let file = cart(folder, id, at);
    folder.json(at, &["trigger", "generic", "cart.updated", &file, "--wait"])
}

fn timers(folder: &Folder) -> Vec<String> {
    folder.rows("SELECT version || ' ' || COALESCE(ended, 'stands') FROM timers ORDER BY set_at, run_id, version")
}

#[test]
fn a_cart_update_restarts_the_timer_and_the_order_ends_it() {
    let folder = Folder::new();
    let first = update(&folder, "cart-7", "2026-11-17T10:00:00Z");
    let run = text(&first["intake"]["runs"][0]["run"]);
    update(&folder, "cart-7", "2026-11-17T10:20:00Z");
    assert_eq!(timers(&folder), ["1 moved", "2 stands"]);
    // At the first time nothing is due any more; at the second it is.
    assert_eq!(folder.json("2026-11-17T11:05:00Z", &["runs", "resume"]), serde_json::json!([]));
    let due = text(&folder.json("2026-11-17T11:05:00Z", &["runs", "list"])[0]["wake_at"]);
    let done = folder.copy();
    let resumed = done.json("2026-11-17T16:00:00Z", &["runs", "resume"]);
    assert_eq!(text(&resumed[0]["run"]), run);
    assert_eq!(timers(&done), ["1 moved", "2 fired"]);
    assert!(due.as_str() > "2026-11-17T11:05:00Z", "{due}");
    // An older update that comes late moves nothing.
    update(&folder, "cart-7", "2026-11-17T10:10:00Z");
    assert_eq!(timers(&folder), ["1 moved", "2 stands"]);

    let cancelled =
        folder.json("2026-11-17T10:40:00Z", &["runs", "cancel", &run, "--as", "nora", "--reason", "by phone"]);
    assert!(text(&cancelled["rest"]).contains("no message: cancelled"), "{cancelled}");
    assert_eq!(timers(&folder), ["1 moved", "2 early"]);
    let audited = folder.rows("SELECT who || ' ' || detail FROM audit WHERE action = 'run.cancelled'");
    assert_eq!(audited, ["user:nora called off by user:nora: by phone"]);
    folder
        .run("2026-11-17T10:41:00Z", &["runs", "cancel", &run, "--as", "nora", "--reason", "again"])
        .failed(1, &[&run, "is over (done)"]);
}

/// Two carts of one person within the flow's debounce: the later one is written about, the earlier one is not.
#[test]
fn the_newest_of_carts_that_come_close_together_counts() {
    let folder = Folder::new();
    let first = update(&folder, "cart-1", "2026-11-17T10:00:00Z");
    let first = text(&first["intake"]["runs"][0]["run"]);
    let second = update(&folder, "cart-2", "2026-11-17T10:30:00Z");
    assert_eq!(second["intake"]["cancelled"], serde_json::json!([first]));
    let runs = folder.opened();
    let ended: Vec<&str> = runs.iter().filter(|run| run.run.state == RunState::Done).map(|run| run.outcome()).collect();
    assert_eq!(ended.len(), 1);
    assert!(ended[0].contains("superseded"), "{ended:?}");
    // One that comes after the debounce is an occasion of its own.
    update(&folder, "cart-3", "2026-11-17T11:45:00Z");
    assert_eq!(folder.rows("SELECT state FROM runs ORDER BY created_at"), ["done", "delayed", "delayed"]);
}

/// Between the reading of a run and its beginning its timer is moved: whoever holds the old one begins nothing.
#[test]
fn a_timer_that_was_moved_does_not_fire() {
    use mailwright::store::{JournalRow, Store};
    let folder = Folder::new();
    update(&folder, "cart-7", "2026-11-17T10:00:00Z");
    let shop = kit::ShopId::new(folder.rows("SELECT shop_id FROM shops").pop().unwrap()).unwrap();
    crate::binary::block_on(async {
        let store = Store::open(folder.path()).await.unwrap();
        let runs = store.shop(&shop);
        let read = runs.runs(1).await.unwrap().pop().unwrap();
        update_again(&folder);
        let at: kit::Timestamp = "2026-11-17T16:00:00Z".parse().unwrap();
        let row = || JournalRow {
            seq: 1,
            step: "start".to_owned(),
            input_hash: kit::Digest::of_bytes(b"x"),
            body: "{}".to_owned(),
            at,
        };
        assert!(!runs.begin_run(&read.id, read.timer, row()).await.unwrap());
        assert_eq!(runs.journal(&read.id).await.unwrap(), []);
        let now = runs.run(&read.id).await.unwrap().unwrap();
        assert_eq!((read.timer, now.timer), (1, 2));
        assert!(runs.begin_run(&read.id, now.timer, row()).await.unwrap());
        store.close().await;
    });
    assert_eq!(timers(&folder), ["1 moved", "2 fired"]);
}

fn update_again(folder: &Folder) {
    update(folder, "cart-7", "2026-11-17T10:20:00Z");
}

/// The deadline of a run is data of the release: past it, a run that still waits ends.
#[test]
fn a_run_that_is_past_its_deadline_ends() {
    let folder = Folder::new();
    let files = folder.path().join("given-release");
    let files = files.to_str().unwrap();
    assert!(folder.run(MORNING, &["release", "export", files]).status.success());
    let policy = std::path::Path::new(files).join("knowledge/policy/runs.toml");
    let shipped = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, shipped.replace("deadline = \"720h\"", "deadline = \"3h\"")).unwrap();
    assert!(folder.run(MORNING, &["release", "apply", files, "--as", "nora"]).status.success());
    let ada = webhook("shopify-checkouts-update-ada");
    folder.json(MORNING, &["trigger", "shopify", "checkouts/update", &ada]);
    assert_eq!(folder.rows("SELECT state FROM runs"), ["waiting"]);
    let run = folder.rows("SELECT run_id FROM runs").pop().unwrap();
    folder.json("2026-11-18T15:00:00Z", &["runs", "resume", &run]);
    let ended = folder.opened().remove(0);
    assert_eq!(ended.run.state, RunState::Done);
    assert!(ended.outcome().contains("run_deadline"), "{ended:?}");
    assert_eq!(folder.rows("SELECT state FROM approvals"), ["expired"]);
    assert_eq!(folder.rows("SELECT detail FROM audit WHERE action = 'approval.expired'"), ["its run is over"]);
}

#[test]
fn a_switch_over_one_provider_holds_and_lets_go() {
    let (folder, run, approval) = waiting();
    let at = AFTERNOON;
    folder.json(at, &["kill", "on", "esp:outbox", "--as", "nora", "--reason", "the provider is broken"]);
    let approved = folder.json(at, &["approvals", "approve", &approval, "--as", "nora"]);
    assert!(
        text(&approved["rest"]).contains("the kill switch is on (esp:outbox: the provider is broken)"),
        "{approved}"
    );
    assert_eq!(folder.mails(), []);
    folder.json(at, &["runs", "resume"]);
    assert_eq!(folder.rows("SELECT state FROM runs"), ["waiting"]);
    folder.json(at, &["kill", "off", "esp:outbox", "--as", "nora"]);
    let resumed = folder.json(at, &["runs", "resume"]);
    assert_eq!(resumed, serde_json::json!([{ "run": run, "rest": "delivered (sent)" }]));
    folder
        .run(at, &["kill", "on", "esp:nobody", "--as", "nora", "--reason", "x"])
        .failed(1, &["`esp:nobody` is no scope; there are global, shop, esp:outbox, esp:http"]);
}

/// Platforms send nothing in order: the order of a cart may come before the cart's last update.
#[test]
fn a_cart_whose_order_came_first_is_not_written_about() {
    let folder = Folder::new();
    let at = "2026-11-17T10:00:00Z";
    let order = serde_json::json!({
        "event": "order.created", "id": "evt-order", "triggered_at": at,
        "payload": {
            "order_id": "O-77", "cart_id": "cart-7", "customer": { "id": "C-ADA" },
            "order": {
                "currency": "EUR", "total_value": "189.00",
                "items": [{ "product_id": "TT-1001", "title": "Boots", "price": "189.00", "quantity": 1 }],
            },
        },
    });
    let order = folder.file("order.json", order.to_string());
    folder.json(at, &["trigger", "generic", "order.created", &order]);
    let told = update(&folder, "cart-7", "2026-11-17T10:00:02Z");
    assert_eq!(told["intake"]["runs"], serde_json::json!([]));
    assert_eq!(told["intake"]["skipped"][0]["reason"], "the cart was ordered");
}
