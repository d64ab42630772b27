//! What has a form of its own: e-mail addresses, bank accounts, network addresses.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Class, Span, at, before};

/// Lengths of bank account numbers by country (ISO 13616 registry).
const IBAN_LENGTHS: [(&str, usize); 79] = [
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
];

/// `ada.l+shop@example.com`, with letters of any script, and `ada (at) example (dot) com`.
pub(super) fn emails(text: &str) -> Vec<Span> {
    let signs = text.match_indices(['@', '＠']).map(|(at, sign)| (at, at + sign.len()));
    let mut found: Vec<Span> = signs.filter_map(|(from, to)| address(text, from, to, plain_domain)).collect();
    let lower = text.to_ascii_lowercase();
    // Nearly every text ends here.
    if !lower.contains("dot") && !lower.contains("at)") && !lower.contains("at]") {
        return found;
    }
    for sign in [" (at) ", " [at] ", "(at)", "[at]", " at "] {
        let places = lower.match_indices(sign).map(|(at, sign)| (at, at + sign.len()));
        found.extend(places.filter_map(|(from, to)| address(&lower, from, to, spelled_domain)));
    }
    found
}

fn address(text: &str, sign: usize, after: usize, domain: fn(&str) -> Option<usize>) -> Option<Span> {
    let in_local = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '\'' | '’');
    let local = text.get(..sign)?;
    let start = local.char_indices().rev().take_while(|(_, c)| in_local(*c)).last().map(|(at, _)| at)?;
    let start =
        start + local.get(start..)?.chars().take_while(|c| !c.is_alphanumeric()).map(char::len_utf8).sum::<usize>();
    let end = after + domain(text.get(after..)?)?;
    (start < sign).then_some(Span { start, end, class: Class::Email })
}

/// Bytes of a host name with at least one dot and a top level of letters.
fn plain_domain(text: &str) -> Option<usize> {
    let length: usize =
        text.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-')).map(char::len_utf8).sum();
    let host = text.get(..length)?.trim_end_matches(['.', '-']);
    let (name, top) = host.rsplit_once('.')?;
    let lettered = top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
    (lettered && !name.is_empty()).then_some(host.len())
}

/// Bytes of `example dot com` or `example (dot) com`.
fn spelled_domain(text: &str) -> Option<usize> {
    if let Some(length) = plain_domain(text) {
        return Some(length);
    }
    let label =
        |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '-').map(char::len_utf8).sum::<usize>();
    let host = label(text);
    let rest = text.get(host..)?;
    let dot = [" (dot) ", " [dot] ", "(dot)", "[dot]", " dot "].into_iter().find(|dot| rest.starts_with(dot))?;
    let top = label(rest.get(dot.len()..)?);
    (host > 0 && top >= 2).then_some(host + dot.len() + top)
}

/// An account number with the length of its country and a valid checksum (mod 97).
pub(super) fn ibans(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut free_from = 0;
    for (start, c) in text.char_indices() {
        if start < free_from || !c.is_ascii_alphabetic() || before(text, start).is_some_and(char::is_alphanumeric) {
            continue;
        }
        if let Some(end) = iban_end(text, start) {
            found.push(Span { start, end, class: Class::Iban });
            free_from = end;
        }
    }
    found
}

fn iban_end(text: &str, start: usize) -> Option<usize> {
    let country = text.get(start..start + 2)?.to_ascii_uppercase();
    let (_, length) = IBAN_LENGTHS.iter().find(|(code, _)| *code == country)?;
    let mut signs: Vec<u8> = Vec::with_capacity(*length);
    let mut end = start;
    let mut gap = false;
    for (offset, c) in text.get(start..)?.char_indices() {
        if signs.len() == *length {
            break;
        }
        match c {
            c if c.is_ascii_alphanumeric() => {
                signs.push(u8::try_from(c.to_ascii_uppercase()).ok()?);
                end = start + offset + 1;
                gap = false;
            }
            ' ' | '\u{a0}' | '-' if !gap => gap = true,
            _ => return None,
        }
    }
    // `second orders within 60 days` has the length and, by chance, the checksum.
    let checked = signs.get(2..4).is_some_and(|check| check.iter().all(u8::is_ascii_digit));
    let whole = checked && signs.len() == *length && !at(text, end).is_some_and(char::is_alphanumeric);
    (whole && mod_97(&signs) == Some(1)).then_some(end)
}

/// The number read with its first four signs at the end, letters as 10 to 35.
fn mod_97(signs: &[u8]) -> Option<u32> {
    let (head, tail) = signs.split_at_checked(4)?;
    tail.iter().chain(head).try_fold(0_u32, |rest, sign| {
        let value = char::from(*sign).to_digit(36)?;
        Some((rest * if value > 9 { 100 } else { 10 } + value) % 97)
    })
}

/// Addresses as the standard library reads them, that stand alone.
pub(super) fn ips(text: &str) -> Vec<Span> {
    let in_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let mut found = Vec::new();
    let mut at_byte = 0;
    while let Some(rest) = text.get(at_byte..).filter(|rest| !rest.is_empty()) {
        let Some(offset) = rest.find(in_address) else { break };
        let start = at_byte + offset;
        let length: usize = text.get(start..).map_or(0, |t| t.chars().take_while(|c| in_address(*c)).count());
        let end = start + length;
        at_byte = end;
        let whole = text.get(start..end).unwrap_or_default();
        // The sentence's own full stop or colon, and a lone colon before (`ip:::1` is nobody's way of writing).
        let word = whole.trim_end_matches('.');
        let word = if word.ends_with("::") { word } else { word.trim_end_matches(':') };
        let lead = if word.starts_with("::") { 0 } else { word.len() - word.trim_start_matches([':', '.']).len() };
        let word = word.get(lead..).unwrap_or_default();
        let alone = !before(text, start).is_some_and(|c| c.is_alphanumeric() || c == '-')
            && !at(text, end).is_some_and(|c| c.is_alphanumeric());
        let v4 = word.parse::<Ipv4Addr>().is_ok();
        let v6 = word.contains(|c: char| c.is_ascii_hexdigit()) && word.parse::<Ipv6Addr>().is_ok();
        if alone && (v4 || v6) {
            found.push(Span { start: start + lead, end: start + lead + word.len(), class: Class::Ip });
        }
    }
    found
}
