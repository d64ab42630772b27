//! What somebody meets who has only read the README.

use super::*;

/// A cart of the sample shop's wares, of somebody the shop does not know.
fn stranger(folder: &Folder) -> String {
    let body = json!({ "event": "cart.updated", "triggered_at": MORNING, "payload": {
        "cart_id": "cart-77", "customer": { "id": "C-NEW", "email": "sky.new@mailbox.example", "first_name": "Sky" },
        "cart": { "total_value": 189.00, "items": [{ "product_id": "TT-1001", "title": "Clare Mid", "price": 189.00, "quantity": 1 }] },
    } });
    folder.file("cart.json", body.to_string())
}

#[test]
fn a_body_can_be_tried_again_with_an_assumed_yes() {
    let folder = Folder::new();
    let body = stranger(&folder);
    let trigger = |more: &[&str]| {
        let told = folder.run(MORNING, &[&["trigger", "generic", "cart.updated", &body], more].concat());
        assert!(told.status.success(), "{told:?}");
        told.out
    };
    let first = trigger(&[]);
    assert!(first.contains("no message: no_consent") && first.contains("--assume-consent records"), "{first}");
    // The very same body: it is known, and its run is shown with how it ended.
    let again = trigger(&["--wait"]);
    assert!(again.contains("came before"), "{again}");
    let folder_later = folder.copy();
    let told =
        folder_later.run("2026-11-17T10:05:00Z", &["trigger", "generic", "cart.updated", &body, "--assume-consent"]);
    assert!(told.out.contains("came before") && told.out.contains("waits for approval"), "{told:?}");
    // And once more: the run that waits is shown, and nothing is begun twice.
    let told = folder_later.run("2026-11-17T10:06:00Z", &["trigger", "generic", "cart.updated", &body]);
    assert!(told.out.contains("came before") && told.out.contains("waits for approval"), "{told:?}");
    assert!(!told.out.contains("run now"), "{told:?}");
    assert_eq!(folder_later.rows("SELECT run_id FROM runs WHERE state <> 'done'").len(), 1);
}

#[test]
fn a_body_that_began_nothing_begins_once_its_products_are_there() {
    let folder = Folder::new();
    let body = stranger(&folder);
    let text = std::fs::read_to_string(&body).unwrap().replace("TT-1001", "NEW-1");
    let body = folder.file("other.json", text);
    let trigger = ["trigger", "generic", "cart.updated", &body, "--assume-consent"];
    let told = folder.run(MORNING, &trigger);
    assert!(told.out.contains("none of its products is in the catalogue"), "{told:?}");
    assert!(told.out.contains("knowledge/sample-shop/webhooks"), "{told:?}");
    let line = include_str!("../../knowledge/sample-shop/products/packs.jsonl").lines().next().unwrap();
    let line = line.replace("\"TT-1301\"", "\"NEW-1\"").replace("R-1301", "R-NEW");
    let products = folder.file("new.jsonl", line);
    let told = folder.run(MORNING, &["catalog", "import", &products]);
    assert!(told.status.success(), "{told:?}");
    let told = folder.run("2026-11-17T10:05:00Z", &trigger);
    assert!(told.out.contains("came before") && told.out.contains("waits for approval"), "{told:?}");
}

#[test]
fn what_is_shown_to_an_approver_is_what_goes_out() {
    let folder = Folder::new();
    for name in ["shopify-checkouts-update-ada", "shopify-orders-fulfilled-jonas"] {
        let topic = if name.contains("orders") { "orders/fulfilled" } else { "checkouts/update" };
        assert!(folder.run(MORNING, &["trigger", "shopify", topic, &webhook(name)]).status.success());
    }
    let waiting = folder.json(AFTERNOON, &["approvals", "list"]);
    let waiting = waiting.as_array().unwrap();
    assert_eq!(waiting.len(), 2);
    // The same in pages of one: behind the first stands the second, behind that nothing.
    let behind =
        |id: &Value| folder.json(AFTERNOON, &["approvals", "list", "--limit", "1", "--after", id.as_str().unwrap()]);
    assert_eq!(folder.json(AFTERNOON, &["approvals", "list", "--limit", "1"]), json!([waiting[0]]));
    assert_eq!(behind(&waiting[0]["approval"]), json!([waiting[1]]));
    assert_eq!(behind(&waiting[1]["approval"]), json!([]));
    folder
        .run(AFTERNOON, &["approvals", "list", "--after", "apr-000000000000"])
        .failed(1, &["there is no approval apr-000000000000 to go on behind; begin at the first page"]);
    for approval in waiting {
        let id = approval["approval"].as_str().unwrap();
        let shown = folder.json(AFTERNOON, &["approvals", "show", id]);
        let told = folder.run(AFTERNOON, &["approvals", "show", id]).out;
        let page = std::fs::read_to_string(shown["preview"].as_str().unwrap()).unwrap();
        let approved = folder.json(AFTERNOON, &["approvals", "approve", id, "--as", "nora"]);
        assert_eq!(approved["rest"], json!("delivered (sent)"));
        let sends = folder.json(AFTERNOON, &["sends", "list"]);
        let send = sends.as_array().unwrap().iter().find(|send| send["run"] == shown["run"]).unwrap();
        let sent = folder.json(AFTERNOON, &["sends", "show", &send["key"].as_str().unwrap()[..12]]);
        assert_eq!((&shown["text"], &shown["subject"]), (&sent["text"], &sent["subject"]));
        assert_eq!(page, sent["html"].as_str().unwrap());
        for line in sent["text"].as_str().unwrap().lines() {
            assert!(told.contains(line), "`{line}` is not shown:\n{told}");
        }
    }
    assert_eq!(folder.mails().len(), 2);
}

#[test]
fn nobody_decides_under_the_name_of_a_flow() {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let id = folder.rows("SELECT approval_id FROM approvals").pop().unwrap();
    for name in ["flow:abandoned-checkout", "user:nora", "System", "no\u{202e}ra"] {
        let told = folder.run(AFTERNOON, &["approvals", "approve", &id, "--as", name]);
        told.failed(1, &["say who you are: --as NAME"]);
    }
    let late = folder.run("2026-11-29T15:00:00Z", &["approvals", "list"]);
    assert!(late.out.contains("lapsed 2026-11-19"), "{late:?}");
    assert!(folder.mails().is_empty());
}

#[test]
fn what_decides_or_lists_sets_up_no_shop() {
    let folder = Folder::empty();
    let none = folder.path().join("mistyped");
    for args in [
        &["approvals", "list"][..],
        &["approvals", "approve", "apr-3f2a91c04d7e", "--as", "nora"],
        &["runs", "list"],
        &["runs", "resume"],
        &["sends", "list"],
        &["audit", "list"],
        &["release", "show"],
        &["kill", "on", "shop", "--as", "nora", "--reason", "wrong prices"],
    ] {
        let told = told(bare(args).arg("--data").arg(&none));
        told.failed(1, &["there is no shop in", "mistyped", "--data DIR"]);
        assert!(!none.exists(), "{args:?}");
    }
}

/// Shopify names a product by a number of its own; the catalogue goes by the stock-keeping unit, as carts do.
#[test]
fn a_product_update_reaches_the_product_of_its_stock_keeping_unit() {
    let folder = Folder::new();
    let row = "SELECT product_id || ' ' || price_minor || ' ' || stock FROM products WHERE product_id IN ('TT-1001', '8514000001001')";
    let update = |status: &str, price: &str, at: &str| {
        let body = json!({ "id": 8_514_000_001_001_u64, "title": "Clare Mid Hiking Boot", "handle": "clare-mid", "status": status,
            "published_at": MORNING, "updated_at": at, "body_html": "", "tags": "", "product_type": "Footwear",
            "variants": [{ "id": 1, "sku": "TT-1001", "price": price, "inventory_quantity": 7 }], "options": [], "images": [] });
        let file = folder.file("product.json", body.to_string());
        let told = folder.run(at, &["trigger", "shopify", "products/update", &file]);
        assert!(told.status.success(), "{told:?}");
    };
    update("active", "149.00", "2026-11-17T10:01:00Z");
    assert_eq!(folder.rows(row), ["TT-1001 14900 7"]);
    update("archived", "149.00", "2026-11-17T10:02:00Z");
    assert_eq!(folder.rows(row), ["TT-1001 14900 0"]);
    let found = folder.json(AFTERNOON, &["catalog", "search", "Clare Mid"]);
    assert_eq!(found["hits"][0]["id"], json!("TT-1001"));
}
