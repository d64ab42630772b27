//! The database: the shop leads every primary key and every unique index, so that no key can name two shops' rows.

use super::tree::{File, Tree};
use super::{Violation, catches, holds};

const MIGRATIONS: &str = "src/store/migrations/";
/// The column that names the tenant.
const SHOP: &str = "shop_id";

/// A statement with the line it begins on.
struct Statement {
    line: usize,
    /// In lower case, white space made single.
    text: String,
}

/// The statements of a file, without comments. Migrations hold no `;` in strings.
fn statements(file: &File) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut open: Option<Statement> = None;
    for (index, line) in file.text.lines().enumerate() {
        let code = line.split("--").next().unwrap_or_default();
        for (part, piece) in code.split(';').enumerate() {
            if part > 0 {
                found.extend(open.take());
            }
            let words: Vec<String> = piece.split_whitespace().map(str::to_lowercase).collect();
            if !words.is_empty() {
                let statement = open.get_or_insert_with(|| Statement { line: index + 1, text: String::new() });
                statement.text.push_str(&words.join(" "));
                statement.text.push(' ');
            }
        }
    }
    found.extend(open);
    found
}

/// The first column in the list that follows `keyword`.
fn first_column<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(keyword)?;
    let list = after.trim_start().strip_prefix('(')?;
    list.split([',', ')']).next().map(str::trim)
}

/// What is between the outermost parentheses, cut at commas that are not inside others.
fn definitions(text: &str) -> Vec<String> {
    let body = text.split_once('(').map_or("", |(_, body)| body);
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for c in body.chars() {
        match c {
            ')' if depth == 0 => break,
            ',' if depth == 0 => parts.push(String::new()),
            _ => {
                depth = depth + u32::from(c == '(') - u32::from(c == ')');
                parts.last_mut().unwrap().push(c);
            }
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

/// Why a definition inside `CREATE TABLE` is a key that the shop does not lead.
fn fault(definition: &str) -> Option<String> {
    let key = ["primary key", "unique"].into_iter().find(|key| definition.contains(key))?;
    let stands_alone = definition.starts_with(key) || definition.starts_with("constraint ");
    let first = if stands_alone { first_column(definition, key) } else { definition.split(' ').next() };
    let first = first.unwrap_or("nothing");
    (first != SHOP).then(|| format!("{key} begins with `{first}`, not `{SHOP}`"))
}

fn shop_leads(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.under(MIGRATIONS).filter(|file| file.path.ends_with(".sql")) {
        for statement in statements(file) {
            let mut report = |what: String| found.push(Violation::at(&file.path, statement.line, what));
            if statement.text.starts_with("create table") {
                let definitions = definitions(&statement.text);
                definitions.iter().filter_map(|definition| fault(definition)).for_each(&mut report);
                if !definitions.iter().any(|definition| definition.contains("primary key")) {
                    report("a table without a primary key".to_owned());
                }
            }
            if statement.text.starts_with("create unique index") {
                let first = statement.text.split_once(" on ").and_then(|(_, on)| on.split_once('('));
                let first = first.and_then(|(_, list)| list.split([',', ')']).next()).unwrap_or_default().trim();
                if first != SHOP {
                    report(format!("unique index begins with `{first}`, not `{SHOP}`"));
                }
            }
        }
    }
    found
}

#[test]
fn the_shop_leads_every_key() {
    holds(shop_leads);
}

#[test]
fn tables_are_found() {
    let statements: Vec<Statement> = Tree::of_repository().under(MIGRATIONS).flat_map(statements).collect();
    let tables = statements.iter().filter(|s| s.text.starts_with("create table")).count();
    assert!(tables >= 10, "only {tables} tables found under {MIGRATIONS}: does this test still read the schema?");
}

#[test]
fn a_key_without_the_shop_in_front_is_caught() {
    let sql = "-- CREATE TABLE comment (id TEXT PRIMARY KEY);
CREATE TABLE good (
    shop_id TEXT NOT NULL,
    id TEXT NOT NULL CHECK (length(id) > 0, 'x'),
    PRIMARY KEY (shop_id, id)
);
CREATE TABLE shops (shop_id TEXT NOT NULL PRIMARY KEY); CREATE TABLE one_line (id TEXT PRIMARY KEY);
CREATE TABLE wrong_order (
    shop_id TEXT NOT NULL,
    id TEXT NOT NULL,
    primary key (id, shop_id)
);
CREATE TABLE no_key (shop_id TEXT NOT NULL);
CREATE TABLE other_key (
    shop_id TEXT NOT NULL,
    email TEXT UNIQUE,
    PRIMARY KEY (shop_id),
    CONSTRAINT c UNIQUE (email, shop_id),
    UNIQUE (shop_id, email)
);
CREATE UNIQUE INDEX good_index ON good (shop_id, id);
CREATE UNIQUE INDEX
    bad_index ON good (id);
CREATE INDEX plain ON good (id);
";
    let at = |line: u32| format!("{MIGRATIONS}1.sql:{line}");
    let places = [at(7), at(8), at(13), at(14), at(14), at(22)];
    let path = format!("{MIGRATIONS}1.sql");
    catches(shop_leads, &[(&path, sql)], &places.each_ref().map(String::as_str));
}
