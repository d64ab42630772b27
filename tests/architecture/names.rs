//! What may be named only in one place.

use super::rust::{Source, lines_with};
use super::tree::Tree;
use super::{Violation, catches, holds};

/// How a name is looked for.
enum Find {
    /// As a whole word of code.
    Word(&'static str),
    /// As a part of code or of a string, in any letter case.
    Anywhere(&'static str),
}

/// Names and where they are at home.
struct Confined {
    names: &'static [Find],
    /// Where they are looked for.
    scope: &'static [&'static str],
    /// Where they may be: a folder `a/b/`, a file `a/b.rs`, or a module `a/b` (file and folder).
    homes: &'static [&'static str],
    /// What to do about it.
    instead: &'static str,
}

const SHIPPED: &[&str] = &["src/", "tools/"];

const SQL: Confined = Confined {
    names: &[Find::Word("sqlx"), Find::Word("rusqlite")],
    scope: &["src/", "tools/", "benches/", "xtask/"],
    homes: &["src/store"],
    instead: "only src/store knows SQL: add a method to a repository there",
};

/// Repositories are handed the time: a row may not be dated by the database.
const SQL_CLOCK: Confined = Confined {
    names: &[Find::Anywhere("current_timestamp"), Find::Anywhere("'now'"), Find::Anywhere("unixepoch(")],
    scope: SHIPPED,
    homes: &[],
    instead: "the clock is passed in: bind the time as a value",
};

const MODEL_WIRE: Confined = Confined {
    names: &[Find::Word("async_openai"), Find::Anywhere("chat/completions")],
    scope: SHIPPED,
    homes: &["src/model"],
    instead: "only src/model knows a wire format of models: go through its trait",
};

const VENDORS: Confined = Confined {
    names: &[
        Find::Anywhere("bigcommerce"),
        Find::Anywhere("braze"),
        Find::Anywhere("gorgias"),
        Find::Anywhere("hubspot"),
        Find::Anywhere("klaviyo"),
        Find::Anywhere("magento"),
        Find::Anywhere("mailchimp"),
        Find::Anywhere("mailgun"),
        Find::Anywhere("omnisend"),
        Find::Anywhere("postmark"),
        Find::Anywhere("salesforce"),
        Find::Anywhere("sendgrid"),
        Find::Anywhere("shopify"),
        Find::Anywhere("sparkpost"),
        Find::Anywhere("woocommerce"),
        Find::Anywhere("zendesk"),
    ],
    scope: &["tools/"],
    // The importer reads a file format that carries the name of the shop system it comes from; it calls nobody.
    homes: &["tools/esp/", "tools/shop/", "tools/catalog/src/import"],
    instead: "only tools/esp and tools/shop know vendors: say it in terms of their traits",
};

const CLOCK: Confined = Confined {
    names: &[
        Find::Word("Timestamp::now"),
        Find::Word("Zoned::now"),
        Find::Word("SystemTime::now"),
        Find::Word("Instant::now"),
        Find::Word("UNIX_EPOCH.elapsed"),
    ],
    scope: SHIPPED,
    // The transport measures its own waiting and the demo its own length: stopwatches, no dates.
    homes: &["src/clock.rs", "src/cli/demo.rs", "src/model/openai/transport.rs"],
    instead: "the clock is passed in, never read: take a `Timestamp` or a `&dyn Clock`",
};

impl Confined {
    fn check(&self, tree: &Tree) -> Vec<Violation> {
        let shipped = tree.rust().filter(|(file, _)| !file.is_test());
        let in_scope = shipped.filter(|(file, _)| self.scope.iter().any(|scope| file.path.starts_with(scope)));
        let abroad = in_scope.filter(|(file, _)| !self.homes.iter().any(|home| lies_in(&file.path, home)));
        abroad.flat_map(|(file, source)| self.names_in(&file.path, source)).collect()
    }

    fn names_in(&self, path: &str, source: &Source) -> Vec<Violation> {
        let mut found: Vec<(usize, &str)> = Vec::new();
        for name in self.names {
            match name {
                Find::Word(word) => found.extend(lines_with(&source.code, word).map(|line| (line, *word))),
                Find::Anywhere(part) => {
                    let lines = source.code_and_strings.lines().enumerate();
                    let with = lines.filter(|(_, line)| line.to_lowercase().contains(part));
                    found.extend(with.map(|(index, _)| (index + 1, *part)));
                }
            }
        }
        found.sort_unstable();
        found.iter().map(|(line, name)| Violation::at(path, *line, format!("`{name}`: {}", self.instead))).collect()
    }
}

fn lies_in(path: &str, home: &str) -> bool {
    if home.ends_with('/') {
        return path.starts_with(home);
    }
    path == home || path.strip_prefix(home).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[test]
fn only_the_store_knows_sql() {
    holds(|tree| SQL.check(tree));
}

#[test]
fn only_the_model_module_knows_its_wire() {
    holds(|tree| MODEL_WIRE.check(tree));
}

#[test]
fn only_esp_and_shop_know_vendors() {
    holds(|tree| VENDORS.check(tree));
}

#[test]
fn the_clock_is_passed_in() {
    holds(|tree| CLOCK.check(tree));
    holds(|tree| SQL_CLOCK.check(tree));
}

/// An exception that nobody needs any more is an open door.
#[test]
fn every_home_is_lived_in() {
    for confined in [&SQL, &MODEL_WIRE, &CLOCK] {
        for home in confined.homes {
            let residents = Tree::of_repository().rust().filter(|(file, _)| lies_in(&file.path, home));
            let used = residents.filter(|(file, source)| !confined.names_in(&file.path, source).is_empty()).count();
            assert!(used > 0, "nothing in {home} uses its exception any more ({}): remove it", confined.instead);
        }
    }
}

#[test]
fn a_name_abroad_is_caught() {
    let planted = [
        ("src/store/x.rs", "use sqlx::Row;"),
        ("src/store.rs", "use sqlx::Row;"),
        ("src/stores.rs", "use sqlx::Row; // a neighbour by name only"),
        ("src/telemetry.rs", "/// sqlx is loud\nfn f() -> &'static str { \"sqlx=warn\" }"),
        ("tests/e2e.rs", "use sqlx::Row;"),
        ("tools/brand/src/a.rs", "#[cfg(test)]\nmod tests {\n    use sqlx::Row;\n}\nfn f() { sqlx::query(); }"),
    ];
    catches(|tree| SQL.check(tree), &planted, &["src/stores.rs:1", "tools/brand/src/a.rs:5"]);

    let planted = [
        ("src/model/openai.rs", "use async_openai::Client;"),
        ("src/model.rs", "use async_openai::Client;"),
        ("src/runs.rs", "let url = \"/v1/chat/completions\";"),
        ("tools/esp/src/a.rs", "use async_openai::Client;"),
    ];
    catches(|tree| MODEL_WIRE.check(tree), &planted, &["src/runs.rs:1", "tools/esp/src/a.rs:1"]);

    let planted = [
        ("tools/brand/src/a.rs", "/// Like Klaviyo's flows.\nstruct KlaviyoFlow;\nconst X: &str = \"Mailchimp\";"),
        ("tools/esp/src/a.rs", "struct Klaviyo;"),
        ("tools/shop/src/shopify.rs", "struct Shopify;"),
    ];
    catches(|tree| VENDORS.check(tree), &planted, &["tools/brand/src/a.rs:2", "tools/brand/src/a.rs:3"]);

    let planted = [
        ("src/clock.rs", "Timestamp::now()"),
        ("src/runs.rs", "let a = std::time::Instant::now();\nlet b = clock.now();\nlet c = jiff::Timestamp::now();"),
        ("tools/esp/src/mail.rs", "SystemTime::from(now); // not SystemTime::now()"),
        ("tools/esp/tests/mail.rs", "Timestamp::now()"),
    ];
    catches(|tree| CLOCK.check(tree), &planted, &["src/runs.rs:1", "src/runs.rs:3"]);

    let planted = [("src/store/runs.rs", "query(\"INSERT INTO runs VALUES (CURRENT_TIMESTAMP)\")")];
    catches(|tree| SQL_CLOCK.check(tree), &planted, &["src/store/runs.rs:1"]);
}
