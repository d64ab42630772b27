//! The letter as plain text: wrapped, every link on its own line.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::letter::{Letter, Part, ProductCard};
use crate::words::Words;

/// Characters a line holds before it is wrapped (RFC 3676 section 4.2 advises at most 78).
const WIDTH: usize = 72;

/// Sets the letter as text. Lines end with LF.
pub(crate) fn set(letter: &Letter<'_>, words: &Words) -> String {
    let mut paragraphs: Vec<String> = vec![wrap(&letter.masthead.0, "")];
    paragraphs.extend(letter.parts.iter().map(|p| part(p, words)));
    let footer = &letter.footer;
    paragraphs.push(format!(
        "{}\n{}\n\n{}\n\n{}:\n{}",
        "—".repeat(8),
        wrap(&footer.why, ""),
        wrap(&format!("{} {}, {}", words.sent_by, footer.sender, footer.postal_address), ""),
        words.unsubscribe,
        footer.unsubscribe.as_str(),
    ));
    let mut text = paragraphs.join("\n\n");
    text.push('\n');
    text
}

fn part(part: &Part, words: &Words) -> String {
    match part {
        Part::Heading(text) => {
            let heading = wrap(text, "");
            let longest = heading.lines().map(width).max().unwrap_or(0);
            format!("{heading}\n{}", "=".repeat(longest))
        }
        Part::Paragraph(text) => wrap(text, ""),
        Part::Product(card) => product(card, words),
        Part::Guide { title, summary, link } => {
            format!("{}\n{}\n{}:\n{}", wrap(title, ""), wrap(summary, ""), words.read_guide, link.as_str())
        }
        Part::Review { stars, text, author } => {
            let (open, close) = words.quotes;
            let quote = wrap(&format!("{open}{text}{close}"), "> ");
            let by = author.as_ref().map_or_else(String::new, |author| format!(", {} {author}", words.reviewed_by));
            let credit = wrap(&format!("{}{by}", words.stars(*stars)), "> ");
            format!("{quote}\n{credit}")
        }
        Part::Offer { text, label, code, ends } => {
            let mut lines = vec![wrap(text, ""), wrap(label, "  ")];
            lines.extend(code.iter().map(|code| format!("  {}: {code}", words.code)));
            lines.push(format!("  {} {ends}", words.until));
            lines.join("\n")
        }
        Part::Cta { label, link } => format!("{label}:\n{}", link.as_str()),
    }
}

fn product(card: &ProductCard, words: &Words) -> String {
    let price = match &card.was {
        Some(was) => format!("{} {} {was}", card.price, words.instead_of),
        None => card.price.clone(),
    };
    let reason = wrap(&card.reason, "  ");
    format!("{}\n  {price}\n{reason}\n  {}", wrap(&card.title, "* "), card.link.as_str())
}

/// Wraps words; every line begins with `lead`, or with blanks of its width where the lead is a bullet.
fn wrap(text: &str, lead: &str) -> String {
    let hanging = if lead == "* " { "  " } else { lead };
    let mut lines: Vec<String> = Vec::new();
    let mut line = lead.to_owned();
    let mut filled = false;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        if filled && width(&line) + 1 + width(word) > WIDTH {
            lines.push(std::mem::replace(&mut line, hanging.to_owned()));
            filled = false;
        }
        if filled {
            line.push(' ');
        }
        line.push_str(word);
        filled = true;
    }
    lines.push(line);
    lines.join("\n")
}

/// Characters as readers count them.
fn width(text: &str) -> usize {
    text.graphemes(true).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wrap_between_words_and_keep_their_lead() {
        let text = "eins zwei drei ".repeat(8);
        for line in wrap(&text, "> ").lines() {
            assert!(width(line) <= WIDTH && line.starts_with("> "), "{line}");
        }
        let long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenaufbewahrungskästchen";
        assert_eq!(wrap(&format!("Ein {long} da"), ""), format!("Ein\n{long}\nda"));
        assert_eq!(wrap("", "> "), "> ");
    }
}
