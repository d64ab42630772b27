//! Pattern files: what is wrong is named with its place.

use super::world::{DE, EN};
use crate::model::offline::{PatternError, Patterns};

fn parse(text: &str) -> Result<Patterns, PatternError> {
    Patterns::parse(&[(&"prompts/offline/en.toml".to_owned(), &text.to_owned())])
}

fn told(from: &str, to: &str) -> String {
    assert!(EN.contains(from), "{from}");
    parse(&EN.replacen(from, to, 1)).unwrap_err().to_string()
}

/// The line of the first place where the text stands in the shipped file.
fn line(words: &str) -> usize {
    EN.split(words).next().unwrap().matches('\n').count() + 1
}

#[test]
fn the_shipped_files_read_and_windows_line_ends_change_nothing() {
    assert_eq!(parse(EN), parse(&EN.replace('\n', "\r\n")));
    let twice = Patterns::parse(&[(&"a.toml".to_owned(), &DE.to_owned()), (&"b.toml".to_owned(), &DE.to_owned())]);
    assert_eq!(twice.unwrap_err().to_string(), "b.toml: there is another file with patterns in `de`; keep one");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let file = "prompts/offline/en.toml, line";
    let at = line("mailwright.offline/1");
    assert_eq!(
        told("mailwright.offline/1", "mailwright.offline/2"),
        format!("{file} {at}: schema `mailwright.offline/2` is not known; write `mailwright.offline/1`")
    );
    let at = line("language = \"en\"");
    assert_eq!(
        told("language = \"en\"", "language = \"?\""),
        format!("{file} {at}: `?` is not a language tag such as en or de-AT")
    );
    assert!(told("[beside]", "[besides]").contains("unknown field `besides`"));
    assert!(told("preheaders = [", "preheader = [").contains("unknown field `preheader`"));
    assert!(told("language = \"en\"", "language = 7").starts_with(file));

    let detail = "\"Before you decide, one detail\"";
    let at = line(detail);
    let flaw = |pattern: &str| {
        let told = told(detail, pattern);
        told.strip_prefix(&format!("{file} {at}: ")).unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    assert_eq!(
        flaw("\"{{product.price}} only\""),
        "a subject has no slot `product.price`; it may use product.title, owned.title, guide.title"
    );
    assert_eq!(
        flaw("\"Hi {{customer.first_name}}\""),
        "a subject has no slot `customer.first_name`; it may use product.title, owned.title, guide.title"
    );
    assert_eq!(flaw("\"See {{product.title\""), "unbalanced braces: write slots as {{product.title}}");
    assert_eq!(flaw("\"See product.title}}\""), "unbalanced braces: write slots as {{product.title}}");
    assert_eq!(flaw("\"  \""), "the pattern is empty");
    assert_eq!(flaw("\"Only 3 steps\""), "figures are never typed: take `3` out");
    assert_eq!(flaw("\"Look at this!\""), "patterns end without exclamation marks");
    assert_eq!(flaw(&format!("\"{}\"", "x".repeat(61))), "a subject has 61 characters without its slots; at most 60");
    assert_eq!(
        told("\"One detail: {{product.highlight}}\"", "\"It has {{product.highlight}} inside\""),
        format!(
            "{file} {}: `product.highlight` is a sentence of its own: begin with it or put it behind a colon or full stop, and a blank or nothing after it",
            line("\"One detail: {{")
        )
    );
    assert!(
        told("cart = [\"Go to your cart\", \"Return to your cart\", \"Open your cart\"]", "cart = []")
            .ends_with("a label needs at least 1 patterns, 1 of them without a slot; there are 0 and 0")
    );
}
