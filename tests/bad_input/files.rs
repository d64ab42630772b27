//! Files that the command line is given: configuration, catalogue imports, edits.

use crate::binary::{AFTERNOON, Folder, MORNING, webhook};

#[test]
fn a_configuration_that_cannot_be_used_is_named_with_its_line() {
    let folder = Folder::new();
    let before = folder.state();
    let good = "[[model]]\nname = \"big\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodel = \"big\"\n";
    let cases: [(&str, String, &[&str]); 6] = [
        ("broken.toml", format!("{good}\n[[model]\n"), &["broken.toml, line 6: "]),
        ("unknown-key.toml", format!("{good}temperature = 1\n"), &["unknown-key.toml, line", "temperature"]),
        ("unknown-table.toml", format!("{good}\n[server]\nport = 1\n"), &["unknown-table.toml, line 6", "server"]),
        ("no-name.toml", good.replace("name = \"big\"\n", ""), &["no-name.toml, line 1", "name"]),
        ("type.toml", good.replace("\"big\"\nbase", "7\nbase"), &["type.toml, line 2", "string"]),
        (
            "secret.toml",
            format!("{good}api_key_env = \"MAILWRIGHT_TEST_NO_SUCH_KEY\"\n"),
            &["model `big`", "MAILWRIGHT_TEST_NO_SUCH_KEY is not set"],
        ),
    ];
    for (name, text, words) in cases {
        let file = folder.file(name, text);
        folder.run(MORNING, &["runs", "resume", "--config", &file]).failed(1, words);
    }
    let latin = folder.file("latin-1.toml", b"# Gr\xfc\xdfe\n");
    folder.run(MORNING, &["runs", "list", "--config", &latin]).failed(1, &["latin-1.toml: ", "UTF-8"]);
    folder.run(MORNING, &["runs", "list", "--config", "/no/such.toml"]).failed(1, &["/no/such.toml: No such file"]);
    assert_eq!(folder.state(), before);
}

const PRODUCT: &str = r#"{"id":"NEW-1","title":"Tin Mug","category":"camping/kitchen","description":"A mug.","price":"9.00","currency":"EUR","stock":3,"url":"https://www.tarnandtrail.example/p/tin-mug","image":"https://www.tarnandtrail.example/i/tin-mug.jpg","image_alt":"A tin mug"}"#;

#[test]
fn an_import_is_whole_or_nothing() {
    let folder = Folder::new();
    let before = folder.state();
    let second = |change: fn(&str) -> String| format!("{PRODUCT}\n{}\n", change(&PRODUCT.replace("NEW-1", "NEW-2")));
    let header = "id,title,category,description,price,currency,stock,url,image,image_alt\n";
    let row = "NEW-1,Tin Mug,camping/kitchen,A mug.,9.00,EUR,3,https://www.tarnandtrail.example/p/m,https://www.tarnandtrail.example/i/m.jpg,A mug\n";
    let cases: [(&str, String, &[&str]); 9] = [
        ("cut.jsonl", second(|line| line[..40].to_owned()), &["cut.jsonl:2", "broken JSON"]),
        ("price.jsonl", second(|line| line.replace("9.00", "9,00")), &["price.jsonl:2", "price"]),
        ("key.jsonl", second(|line| line.replace("\"stock\"", "\"stonk\"")), &["key.jsonl:2", "sto"]),
        ("twice.jsonl", second(|line| line.replace("NEW-2", "NEW-1")), &["twice.jsonl:2", "NEW-1"]),
        ("empty.jsonl", String::new(), &["empty.jsonl", "an empty file"]),
        (
            "stock.csv",
            format!("{header}{row}{}", row.replace(",3,", ",many,").replace("NEW-1", "NEW-2")),
            &["stock.csv:3", "stock"],
        ),
        ("short.csv", format!("{header}{row}NEW-2,Tin Mug\n"), &["short.csv:3"]),
        ("export.json", "{\"products\": [{\"id\": 1, \"variants\": ]}".to_owned(), &["export.json"]),
        ("products.xlsx", "PK".to_owned(), &["products.xlsx: `.xlsx` is not read", ".jsonl, .csv"]),
    ];
    for (name, text, words) in cases {
        let file = folder.file(name, text);
        let told = folder.run(MORNING, &["catalog", "import", &file]);
        told.failed(1, words);
        assert_eq!(folder.state(), before, "{name}");
    }
    let good = folder.file("good.jsonl", second(str::to_owned));
    assert_eq!(folder.json(MORNING, &["catalog", "import", &good]), serde_json::json!({ "imported": 2 }));
    assert_ne!(folder.state(), before);
}

/// The sender's product is wrong: the event is kept for a person, the catalogue stays.
#[test]
fn a_product_webhook_that_cannot_be_read_changes_no_product() {
    let folder = Folder::new();
    let products = "SELECT product_id || body || price_minor || stock FROM products ORDER BY product_id";
    let before = folder.rows(products);
    let file = folder.file("product.json", r#"{"id":8514000001001,"title":"Boot","handle":"boot","status":"active","variants":[{"id":1,"price":"cheap"}]}"#);
    let told = folder.run(MORNING, &["trigger", "shopify", "products/update", &file]);
    told.failed(1, &["product.json", "price"]);
    assert_eq!(folder.rows(products), before);
    assert_eq!(folder.rows("SELECT run_id FROM runs"), [""; 0]);
    assert_eq!(folder.rows("SELECT state FROM inbox"), ["parked"]);
}

#[test]
fn an_edit_that_cannot_be_used_changes_nothing() {
    let folder = Folder::new();
    let ada = webhook("shopify-checkouts-update-ada");
    assert!(folder.run(MORNING, &["trigger", "shopify", "checkouts/update", &ada]).status.success());
    let id = folder.rows("SELECT approval_id FROM approvals").pop().unwrap();
    let before = folder.state();
    let edit = |more: &[&str]| {
        let args: Vec<&str> =
            ["approvals", "edit", &id, "--as", "sam"].into_iter().chain(more.iter().copied()).collect();
        folder.run(AFTERNOON, &args)
    };
    let file = |name: &str, text: &str| folder.file(name, text);
    edit(&[]).failed(1, &["the edit changes nothing"]);
    edit(&["--subject", "Only 3 left at 12.50 EUR!!!"]).failed(1, &["breaks", "rule(s), nothing was changed"]);
    edit(&["--file", &file("broken.json", "{\"blocks\": [")]).failed(1, &["broken.json: EOF", "line 1"]);
    edit(&["--file", &file("key.json", "{\"body\": []}")]).failed(1, &["key.json: unknown field `body`"]);
    let invented = r#"{"blocks":[{"type":"product","fact":"f999","reason":"It is ours."}]}"#;
    edit(&["--file", &file("fact.json", invented)])
        .failed(1, &["f999 is no fact of this message; nothing was changed"]);
    assert_eq!(folder.state(), before);
}
