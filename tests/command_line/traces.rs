//! What the house writes about a run beside the data it keeps of people: journals, traces, reports, errors. None of it holds what
//! a stranger wrote into a field.

use sqlx::{AssertSqlSafe, Connection};

use super::*;

/// Values that stand in every field of the webhook that people write.
const PLANTED: [&str; 6] = [
    "maeve.planted@example.ie",
    "+353 87 555 1234",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "203.0.113.77",
    "078-05-1120",
];
/// Tables about what was done. Those about people and what they sent (`customers`, `activity`, `inbox` …) keep their data.
const RECORDS: [&str; 10] = [
    "journal",
    "parked_states",
    "signals",
    "runs",
    "timers",
    "approvals",
    "audit",
    "spend",
    "offer_requests",
    "declined_rules",
];

/// Every column of every row, as text.
fn dump(folder: &Folder, table: &str) -> String {
    crate::binary::block_on(async {
        let mut connection = folder.connect().await;
        let columns: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')")))
                .fetch_all(&mut connection)
                .await
                .unwrap();
        assert!(!columns.is_empty(), "there is no table {table}");
        // A blob as the text it may be: `quote` would show it in hexadecimal digits.
        let columns: Vec<String> = columns.iter().map(|name| format!("coalesce(CAST({name} AS TEXT), '')")).collect();
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT {} FROM {table}", columns.join(" || ' ' || "))))
                .fetch_all(&mut connection)
                .await
                .unwrap();
        connection.close().await.unwrap();
        rows.join("\n")
    })
}

#[test]
fn what_a_stranger_writes_stands_in_no_journal_no_trace_and_no_report() {
    let folder = Folder::new();
    let mut body: Value =
        serde_json::from_slice(&std::fs::read(webhook("shopify-checkouts-update-ada")).unwrap()).unwrap();
    let words = format!("Leave it with Maeve, {}.", PLANTED.join(", "));
    body["note"] = json!(words);
    for item in body["line_items"].as_array_mut().unwrap() {
        item["title"] = json!(words);
        item["presentment_title"] = json!(words);
    }
    let file = folder.file("planted.json", body.to_string());
    let mut told = vec![folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &file])];
    let run = folder.rows("SELECT run_id FROM runs ORDER BY updated_at DESC").remove(0);
    let approval = folder.rows("SELECT approval_id FROM approvals").pop().unwrap();
    let commands: [&[&str]; 12] = [
        &["runs", "list"],
        &["runs", "show", &run],
        &["runs", "replay", &run],
        &["runs", "diff", &run],
        &["approvals", "list"],
        &["approvals", "show", &approval],
        &["approvals", "reject", &approval, "--as", "nora", "--reason", "too soon"],
        &["brand", "proposals", "list"],
        &["brand", "dry-run", concat!(env!("CARGO_MANIFEST_DIR"), "/knowledge/brand/rules.toml")],
        &["inbox", "list"],
        &["audit", "list"],
        &["sends", "list"],
    ];
    for command in commands {
        told.push(folder.run(AFTERNOON, command));
        let json = [command, &["--json"]].concat();
        told.push(folder.run(AFTERNOON, &json));
    }
    let mut records: Vec<(&str, String)> = RECORDS.into_iter().map(|table| (table, dump(&folder, table))).collect();
    // What is sealed in those tables, opened.
    records.push(("runs, opened", format!("{:#?}", folder.opened())));
    assert!(records.iter().any(|(table, rows)| *table == "runs, opened" && rows.contains("lookup_profile")));
    for value in PLANTED.into_iter().chain(["555 1234", "with Maeve"]) {
        for (table, rows) in &records {
            assert!(!rows.contains(value), "{value} stands in {table}");
        }
        for told in &told {
            assert!(!told.out.contains(value) && !told.err.contains(value), "{value} in {told:?}");
        }
    }
    // The data itself was kept: what is asserted above did not hold because nothing arrived.
    let bodies = folder.events().into_iter().map(|event| String::from_utf8(event.body).unwrap());
    assert!(bodies.collect::<String>().contains(PLANTED[0]));
}

#[test]
fn a_person_is_masked_until_somebody_says_who_they_are_and_why() {
    let folder = Folder::new();
    let masked = folder.run(AFTERNOON, &["profile", "show", "C-ADA"]);
    let address = folder.rows("SELECT email FROM customers WHERE customer_id = 'C-ADA'").remove(0);
    assert!(masked.status.success() && !masked.out.contains(&address), "{masked:?}");
    let unnamed = folder.run(AFTERNOON, &["profile", "show", "C-ADA", "--unmask"]);
    assert_eq!(unnamed.code(), Some(2), "{unnamed:?}");
    assert!(!unnamed.out.contains(&address) && !unnamed.err.contains(&address), "{unnamed:?}");
    let audited = "SELECT subject || ' ' || who || ' ' || detail FROM audit WHERE action = 'person.unmask'";
    assert_eq!(folder.rows(audited), Vec::<String>::new());

    let unmask = ["profile", "show", "C-ADA", "--unmask", "--as", "nora", "--reason", "she wrote to us"];
    assert_eq!(folder.json(AFTERNOON, &unmask)["email"], json!(address));
    assert_eq!(folder.rows(audited), ["C-ADA user:nora she wrote to us"]);
}
