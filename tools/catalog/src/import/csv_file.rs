//! CSV: a row becomes the product object of a JSONL line, and is then read as one.

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value};

use super::faults::{Faults, Place};
use super::own::Importer;

/// Columns, beside `attr.<name>` and `i18n.<language>.<field>`.
const COLUMNS: [&str; 18] = [
    "id",
    "title",
    "category",
    "description",
    "price",
    "compare_at",
    "currency",
    "cost",
    "stock",
    "tags",
    "url",
    "image",
    "image_alt",
    "highlights",
    "care",
    "regulated",
    "consumable_days",
    "considered",
];
const REQUIRED: [&str; 6] = ["id", "title", "category", "price", "currency", "stock"];

pub(super) fn read(text: &str, importer: &mut Importer, faults: &mut Faults) {
    if text.is_empty() {
        return;
    }
    // Flexible: rows of a wrong length are faults of ours, with the line and both counts.
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::Headers).from_reader(text.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return faults.add(Place::Line(1), "", &error.to_string(), "a header line"),
    };
    if !headers_are_good(&headers, faults) {
        return;
    }
    let mut rows = 0_usize;
    for record in reader.records() {
        rows += 1;
        match record {
            Ok(record) => row(&headers, &record, importer, faults),
            Err(error) => {
                let line = error.position().map_or(Place::File, |p| Place::Line(p.line()));
                faults.add(line, "", &error.to_string(), "a row of comma-separated values");
            }
        }
    }
    if rows == 0 {
        faults.add(Place::File, "", "a header line alone", "at least one product");
    }
}

fn headers_are_good(headers: &StringRecord, faults: &mut Faults) -> bool {
    let before = faults.count();
    let place = Place::Line(1);
    if headers.len() == 1 && headers.iter().any(|h| h.contains([';', '\t'])) {
        faults.add(place, "", "one column", "columns separated by commas");
        return false;
    }
    for (i, name) in headers.iter().enumerate() {
        let attribute = name.strip_prefix("attr.").is_some_and(|rest| !rest.is_empty());
        let translation = name
            .strip_prefix("i18n.")
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(_, field)| ["title", "highlights", "care"].contains(&field));
        if !COLUMNS.contains(&name) && !attribute && !translation {
            let known = format!("{}, attr.<name> or i18n.<language>.title|highlights|care", COLUMNS.join(", "));
            faults.add(place, name, "an unknown column", &known);
        }
        if headers.iter().take(i).any(|earlier| earlier == name) {
            faults.add(place, name, "the column twice", "each column once");
        }
    }
    for name in REQUIRED.iter().filter(|name| !headers.iter().any(|h| h == **name)) {
        faults.add(place, name, "no such column", "the column in the header line");
    }
    faults.count() == before
}

fn row(headers: &StringRecord, record: &StringRecord, importer: &mut Importer, faults: &mut Faults) {
    let place = record.position().map_or(Place::File, |p| Place::Line(p.line()));
    if record.len() != headers.len() {
        let expected = format!("{} columns as in the header; quote text that holds a comma", headers.len());
        return faults.add(place, "", &format!("{} columns", record.len()), &expected);
    }
    let mut object = Map::new();
    for (name, cell) in headers.iter().zip(record).filter(|(_, cell)| !cell.trim().is_empty()) {
        if let Some(attribute) = name.strip_prefix("attr.") {
            insert(&mut object, "attributes", attribute, Value::from(cell));
        } else if let Some((language, field)) = name.strip_prefix("i18n.").and_then(|rest| rest.split_once('.')) {
            let local = object.entry("i18n").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(local) = local {
                insert(local, language, field, typed(field, cell));
            }
        } else {
            object.insert(name.to_owned(), typed(name, cell));
        }
    }
    importer.add(&object, place, faults);
}

fn insert(object: &mut Map<String, Value>, outer: &str, inner: &str, value: Value) {
    if let Value::Object(within) = object.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
        within.insert(inner.to_owned(), value);
    }
}

/// The cell as JSON of the column's type; text as it is when it does not fit, so that the fault shows it.
fn typed(column: &str, cell: &str) -> Value {
    let text = || Value::from(cell);
    match column {
        "stock" | "consumable_days" => cell.trim().parse::<i64>().map_or_else(|_| text(), Value::from),
        "considered" => cell.trim().parse::<bool>().map_or_else(|_| text(), Value::from),
        "tags" | "highlights" => {
            cell.split('|').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect()
        }
        "price" | "compare_at" | "cost" => Value::from(cell.trim()),
        _ => text(),
    }
}
