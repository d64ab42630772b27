//! The personas file and its faults.

use super::*;

fn fault(from: &str, to: &str) -> String {
    let text = read("personas.toml");
    assert!(text.contains(from), "{from}");
    Personas::parse("personas.toml", &text.replacen(from, to, 1)).unwrap_err().to_string()
}

fn line_of(needle: &str) -> usize {
    read("personas.toml").lines().position(|line| line.contains(needle)).unwrap() + 1
}

#[test]
fn the_sample_shops_file_is_read_whole() {
    assert_eq!(PERSONAS.personas.len(), 9);
    assert!(PERSONAS.personas.iter().all(|persona| !persona.label.is_empty()));
    let hiker = &PERSONAS.personas[0];
    assert_eq!(
        (hiker.id.as_str(), hiker.share, hiker.orders_per_year, hiker.price_level),
        ("weekend-hiker", 240_000, 2_600, 500_000)
    );
    assert!(!PERSONAS.ticket_subjects.is_empty() && !PERSONAS.cart_notes.is_empty());
    let known: BTreeSet<_> = CATALOGUE.iter().map(|item| &item.category).collect();
    assert!(PERSONAS.personas.iter().flat_map(|persona| &persona.favourites).all(|category| known.contains(category)));
}

#[test]
fn faults_name_the_line_and_the_mend() {
    let line = line_of("share = 0.24");
    assert_eq!(
        fault("share = 0.24", "share = 0.34"),
        format!("personas.toml:{line}: the shares of personas come to 1.1, not to 1; raise or lower one of them")
    );
    assert_eq!(fault("share = 0.24", "share = 1.24"), format!("personas.toml:{line}: `share` is 1.24; use 0 to 1"));
    let line = line_of("languages = { en = 0.8, de = 0.2 }");
    assert_eq!(
        fault("languages = { en = 0.8, de = 0.2 }", "languages = { en = 0.8, nl = 0.2 }"),
        format!("personas.toml:{line}: `nl` has no names or no place; use en or de, and a place where it is spoken")
    );
    assert!(
        fault("languages = { en = 0.8, de = 0.2 }", "languages = { en = 0.8 }")
            .contains("the languages of weekend-hiker come to 0.8")
    );
    let line = line_of("Europe/Dublin");
    assert_eq!(
        fault("Europe/Dublin", "Europe/Tír"),
        format!("personas.toml:{line}: `Europe/Tír` is no IANA time zone such as Europe/Dublin")
    );
    let line = line_of("orders_per_year = 2.6");
    assert_eq!(
        fault("orders_per_year = 2.6", "orders_per_year = nan"),
        format!("personas.toml:{line}: `orders_per_year` is NaN; use 0 to 100")
    );
    assert!(fault("orders_per_year = 2.6", "orders_a_year = 2.6").starts_with("personas.toml:"));
    assert!(fault("orders_per_year = 2.6", "orders_per_year 2.6").starts_with(&format!("personas.toml:{line}: ")));
}
