//! HTML of product descriptions to plain text.
//!
//! Not a parser: it takes the words out of what a shop's editor writes. The outcome is text, shown to a model or
//! escaped in a message, so markup that is not understood can do no harm.

/// Elements whose content is not for readers.
const HIDDEN: [&str; 2] = ["script", "style"];

/// The words of an HTML fragment on one line.
pub(super) fn to_text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        // A tag parts words, save for those inside a line.
        let Some((inside, after)) = tag.split_once('>') else {
            rest = "";
            break;
        };
        let name = tag_name(inside);
        rest = after;
        if inside.starts_with("!--") {
            rest = tag.split_once("-->").map_or("", |(_, after)| after);
        } else if HIDDEN.contains(&name.as_str()) {
            rest = after_close(after, &name);
        }
        if !["b", "i", "em", "strong", "span", "a", "u", "sup", "sub", "small"].contains(&name.as_str()) {
            text.push(' ');
        }
    }
    text.push_str(rest);
    one_line(&decode(&text))
}

/// The texts of list items, which shops use for what matters.
pub(super) fn list_items(html: &str) -> Vec<String> {
    let lower = html.to_ascii_lowercase();
    let starts = lower.match_indices("<li").map(|(at, _)| at);
    let items = starts.filter_map(|start| {
        let open = html.get(start..)?.split_once('>')?.1;
        let end = open.to_ascii_lowercase().find("</li").unwrap_or(open.len());
        Some(to_text(open.get(..end)?))
    });
    items.filter(|item| !item.is_empty()).collect()
}

fn tag_name(inside: &str) -> String {
    let name = inside.trim_start_matches('/');
    name.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn after_close<'a>(html: &'a str, name: &str) -> &'a str {
    let close = format!("</{name}");
    let at = html.to_ascii_lowercase().find(&close);
    at.and_then(|at| html.get(at..)?.split_once('>')).map_or("", |(_, after)| after)
}

fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        out.push_str(before);
        let named = entity.split_once(';').filter(|(name, _)| name.len() <= 8);
        match named.and_then(|(name, after)| Some((character(name)?, after))) {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = entity;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The entities that editors write (HTML 5, section 13.5, has 2,231).
fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" | "rsquo" | "lsquo" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "deg" => '°',
        "euro" => '€',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    #[test]
    fn words_survive_and_markup_does_not() {
        let html = "<p>Warm &amp; dry,<br>at -5&nbsp;&#176;C.</p><style>p{color:red}</style><!-- a > b --><p>Gr&ouml;&szlig;e <b>M</b>.</p>";
        assert_eq!(to_text(html), "Warm & dry, at -5 °C. Größe M.");
        assert_eq!(to_text("5 &lt; 7 & 8 &bogus; <unclosed"), "5 < 7 & 8 &bogus;");
        assert_eq!(to_text("<SCRIPT>alert(1)"), "");
    }

    #[test]
    fn list_items_are_texts_of_their_own() {
        assert_eq!(list_items("<ul><LI class=x>One <b>two</b></LI><li>Three<li></ul>"), ["One two", "Three"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(html in "[<>&;#a-zß/! -]{0,80}") {
            let _ = (to_text(&html), list_items(&html));
        }
    }
}
