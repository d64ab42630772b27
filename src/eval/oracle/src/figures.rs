//! Amounts, discounts and codes as readers find them in a text.

/// An amount of money in minor units, as written in English (`€1,249.00`) or German (`1.249,00 €`).
pub fn amounts(text: &str, currency: &str) -> Vec<i64> {
    let symbol = match currency {
        "EUR" => '€',
        "GBP" => '£',
        "USD" => '$',
        _ => return Vec::new(),
    };
    let text: Vec<char> = text.replace('\u{a0}', " ").chars().collect();
    let mut found = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|(_, c)| **c == symbol) {
        let figure = |c: &&char| c.is_ascii_digit() || matches!(c, '.' | ',');
        let after: String = text.iter().skip(at + 1).take_while(figure).collect();
        let before: String = text.iter().take(at).rev().skip_while(|c| **c == ' ').take_while(figure).collect();
        let before: String = before.chars().rev().collect();
        // The symbol stands on one side; an amount on the other belongs to somebody else.
        let written = if after.starts_with(|c: char| c.is_ascii_digit()) { after } else { before };
        found.extend(minor(written.trim_end_matches(['.', ','])));
    }
    found
}

/// `1,249.00`, `1.249,00`, `65` in minor units.
fn minor(written: &str) -> Option<i64> {
    let (whole, part) = match written.rsplit_once(['.', ',']) {
        Some((whole, part)) if part.len() == 2 => (whole, part),
        _ => (written, "00"),
    };
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    Some(digits.parse::<i64>().ok()? * 100 + part.parse::<i64>().ok()?)
}

/// Percentages in a text.
pub fn percentages(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('%') {
        let before: String = text
            .get(..at)
            .unwrap_or_default()
            .trim_end_matches([' ', '\u{a0}', '\u{202f}'])
            .chars()
            .rev()
            .take_while(char::is_ascii_digit)
            .collect();
        found.extend(before.chars().rev().collect::<String>().parse::<u32>().ok());
    }
    found
}

/// Words that look like a discount code: capitals and digits around a hyphen.
pub fn codes(text: &str) -> Vec<String> {
    let is_code = |word: &&str| {
        word.split_once('-').is_some_and(|(prefix, rest)| {
            let capital = |part: &str| part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
            prefix.len() >= 3 && rest.len() >= 2 && capital(prefix) && capital(rest)
        })
    };
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(is_code).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_both_languages() {
        assert_eq!(amounts("It costs €189.00 instead of €1,249.50.", "EUR"), [18_900, 124_950]);
        assert_eq!(amounts("Kostet 189,00\u{a0}€ statt 1.249,50 €.", "EUR"), [18_900, 124_950]);
        assert_eq!(amounts("from €65, at most £3", "EUR"), [6_500]);
        assert_eq!(amounts("no money here", "EUR"), Vec::<i64>::new());
    }

    #[test]
    fn percentages_and_codes_are_found() {
        assert_eq!(percentages("10% off, 5 % auf alles, 87\u{a0}% merino, % alone"), [10, 5, 87]);
        assert_eq!(codes("Use TRAIL-8K2M or TT-1001? WELCOME-10 works; so-so"), ["TRAIL-8K2M", "WELCOME-10"]);
    }
}
