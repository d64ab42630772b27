//! Who may depend on whom: `src` → tool crates → `kit`.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::tree::Tree;
use super::{Violation, catches, holds};

/// What a tool crate may not link: the network, a runtime, a database, a server.
const OUTSIDE: [&str; 9] =
    ["async-openai", "axum", "hyper", "reqwest", "rusqlite", "sqlx", "tokio", "tower", "tracing-subscriber"];
/// All that the agent machine links: what keeps it pure.
const AGENT: [&str; 5] = ["kit", "serde", "serde_json", "jiff", "thiserror"];
/// Only the orchestrator reaches the database.
const DATABASES: [&str; 2] = ["rusqlite", "sqlx"];
/// What code that gets everything handed to it has no use for.
const AMBIENT: [&str; 4] = ["std::env", "std::net", "std::process", "std::thread"];
/// A pure machine has no use for these either.
const AMBIENT_FOR_AGENT: [&str; 3] = ["std::fs", "std::io", "std::time"];

/// One `Cargo.toml`.
struct Manifest<'a> {
    path: &'a str,
    /// Its folder, without a slash at the end; empty for the root.
    folder: &'a str,
    table: Table,
}

/// One line of a dependency table.
struct Dependency {
    /// The key: what the source calls it.
    key: String,
    /// The package behind it.
    package: String,
    for_tests: bool,
}

fn manifests(tree: &Tree) -> Vec<Manifest<'_>> {
    let all = tree.files().filter_map(|file| Some((file, file.path.strip_suffix("Cargo.toml")?)));
    all.map(|(file, folder)| Manifest {
        path: &file.path,
        folder: folder.trim_end_matches('/'),
        table: file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path)),
    })
    .collect()
}

impl Manifest<'_> {
    fn dependencies(&self) -> Vec<Dependency> {
        let targets = self.table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let tables = std::iter::once(&self.table).chain(targets.filter_map(Value::as_table));
        let kinds = [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
        let lists = tables.flat_map(|table| kinds.map(|(kind, for_tests)| (table.get(kind), for_tests)));
        let listed = lists.filter_map(|(list, for_tests)| Some((list?.as_table()?, for_tests)));
        let mut all: Vec<Dependency> = listed
            .flat_map(|(list, for_tests)| list.iter().map(move |(key, how)| dependency(key, how, for_tests)))
            .collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }
}

fn dependency(key: &str, how: &Value, for_tests: bool) -> Dependency {
    let package = how.get("package").and_then(Value::as_str).unwrap_or(key);
    Dependency { key: key.to_owned(), package: package.to_owned(), for_tests }
}

/// The keys and package names of our own crates.
fn house(manifests: &[Manifest<'_>]) -> BTreeSet<String> {
    let root = manifests.iter().find(|m| m.folder.is_empty());
    let shared = root.and_then(|m| m.table.get("workspace")?.get("dependencies")?.as_table());
    let ours = shared.into_iter().flatten().filter(|(_, how)| how.get("path").is_some());
    let keys = ours.map(|(key, _)| key.clone());
    let packages = manifests.iter().filter_map(|m| Some(m.table.get("package")?.get("name")?.as_str()?.to_owned()));
    keys.chain(packages).collect()
}

/// Why this crate may not have this dependency.
fn refusal(folder: &str, dependency: &Dependency, house: &BTreeSet<String>) -> Option<&'static str> {
    let named = |list: &[&str]| list.contains(&dependency.key.as_str()) || list.contains(&dependency.package.as_str());
    let is_ours = house.contains(&dependency.key) || house.contains(&dependency.package);
    let is_kit = named(&["kit", "mailwright-kit"]);
    if named(&DATABASES) && !folder.is_empty() {
        return Some("only the root package may depend on a database: declare a trait and implement it in src/store");
    }
    match folder {
        "tools/kit" if is_ours => Some("kit is the ground floor and depends on no crate of the house"),
        "src/agent" if is_ours && !is_kit => Some("the agent machine depends on no crate of the house but kit"),
        "src/agent" if !dependency.for_tests && !named(&AGENT) => {
            Some("the agent machine is pure by its dependency list: kit, serde, serde_json, jiff, thiserror")
        }
        "src/eval/oracle" if is_ours => {
            Some("the oracle judges the product: it imports nothing of it, or a mistake would hide itself")
        }
        "src/testkit" if named(&["mailwright"]) => {
            Some("the test kit knows the traits, not the orchestrator whose tests and evals use it")
        }
        "xtask" if is_ours => Some("xtask must build without the product"),
        tool if tool.starts_with("tools/") && is_ours && !is_kit => {
            Some("a tool crate depends on no crate of the house but kit: declare a trait, src implements it")
        }
        tool if tool.starts_with("tools/") && !dependency.for_tests && named(&OUTSIDE) => {
            Some("a tool crate does no network, runtime or server: declare a trait, src implements it")
        }
        _ => None,
    }
}

fn one_way(tree: &Tree) -> Vec<Violation> {
    let manifests = manifests(tree);
    let house = house(&manifests);
    let refused = |manifest: &Manifest<'_>| {
        let refused = |d: &Dependency| {
            let why = refusal(manifest.folder, d, &house)?;
            Some(Violation::new(format!("{} {}", manifest.path, d.key), why))
        };
        manifest.dependencies().iter().filter_map(refused).collect::<Vec<_>>()
    };
    manifests.iter().flat_map(refused).collect()
}

/// Code of tools and of the agent machine takes environment, network and threads from nowhere.
fn nothing_ambient(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| !file.is_test()) {
        let is_agent = file.path.starts_with("src/agent/src/");
        let is_tool = file.path.starts_with("tools/") && file.path.contains("/src/");
        if !is_agent && !is_tool {
            continue;
        }
        let more: &[&str] = if is_agent { &AMBIENT_FOR_AGENT } else { &[] };
        for name in AMBIENT.iter().chain(more) {
            let what = format!("`{name}` has no place here: what is needed from outside comes in through a trait");
            found.extend(super::rust::lines_with(&source.code, name).map(|l| Violation::at(&file.path, l, &what)));
        }
    }
    found
}

#[test]
fn imports_run_one_way() {
    holds(one_way);
}

#[test]
fn tools_and_agent_take_nothing_from_their_surroundings() {
    holds(nothing_ambient);
}

#[test]
fn every_crate_is_looked_at() {
    let manifests = manifests(Tree::of_repository());
    let folders: Vec<&str> = manifests.iter().map(|m| m.folder).collect();
    for folder in ["", "src/agent", "tools/kit", "tools/esp", "xtask", "benches"] {
        assert!(folders.contains(&folder), "{folder}");
    }
    assert!(manifests.iter().filter(|m| m.folder != "xtask").all(|m| !m.dependencies().is_empty()));
}

#[test]
fn a_wrong_import_is_caught() {
    let root = r#"
        [workspace.dependencies]
        kit = { package = "mailwright-kit", path = "tools/kit" }
        esp = { package = "mailwright-esp", path = "tools/esp" }
        sqlx = "1"
        [package]
        name = "mailwright"
        [dependencies]
        sqlx.workspace = true
        esp.workspace = true
    "#;
    let tool = r#"
        [package]
        name = "mailwright-brand"
        [dependencies]
        kit.workspace = true
        esp.workspace = true
        regex.workspace = true
        serde = { package = "mailwright-esp", version = "1" }
        [target.'cfg(unix)'.dependencies]
        reqwest.workspace = true
        [build-dependencies]
        axum.workspace = true
        [dev-dependencies]
        tokio.workspace = true
        sqlx.workspace = true
        mailwright.workspace = true
    "#;
    let agent = r#"
        [dependencies]
        kit.workspace = true
        serde.workspace = true
        regex.workspace = true
        esp.workspace = true
        [dev-dependencies]
        proptest.workspace = true
    "#;
    let planted = [
        ("Cargo.toml", root),
        ("src/agent/Cargo.toml", agent),
        ("src/eval/oracle/Cargo.toml", "[dependencies]\nkit.workspace = true\njiff.workspace = true"),
        ("src/testkit/Cargo.toml", "[dependencies]\nkit.workspace = true\nmailwright.workspace = true"),
        ("tools/brand/Cargo.toml", tool),
        ("tools/esp/Cargo.toml", "[package]\nname = \"mailwright-esp\""),
        ("tools/kit/Cargo.toml", "[dependencies]\nesp.workspace = true"),
        ("xtask/Cargo.toml", "[dependencies]\nkit.workspace = true\nclap.workspace = true"),
    ];
    catches(
        one_way,
        &planted,
        &[
            "src/agent/Cargo.toml esp",
            "src/agent/Cargo.toml regex",
            "src/eval/oracle/Cargo.toml kit",
            "src/testkit/Cargo.toml mailwright",
            "tools/brand/Cargo.toml axum",
            "tools/brand/Cargo.toml esp",
            "tools/brand/Cargo.toml mailwright",
            "tools/brand/Cargo.toml reqwest",
            "tools/brand/Cargo.toml serde",
            "tools/brand/Cargo.toml sqlx",
            "tools/kit/Cargo.toml esp",
            "xtask/Cargo.toml kit",
        ],
    );
}

#[test]
fn a_look_around_is_caught() {
    let planted = [
        ("src/agent/src/lib.rs", "use std::fs;\nuse std::collections::BTreeMap;"),
        ("src/agent/tests/x.rs", "use std::fs;"),
        ("src/store.rs", "use std::env;"),
        ("tools/brand/src/lib.rs", "// std::env is not used\nlet x = std::env::var(\"X\");\nuse std::fs;"),
    ];
    catches(nothing_ambient, &planted, &["src/agent/src/lib.rs:1", "tools/brand/src/lib.rs:2"]);
}
