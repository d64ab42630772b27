//! Telephone numbers. With a country code the plan decides; without one the shape does, and where the shape could be anything, the
//! words around it: `call 612 345 678` is a telephone, `order 612 345 678` is not.

use super::numbers::Window;

/// Words that announce a telephone, in the languages of shops we know.
const PHONE_WORDS: [&str; 58] = [
    "call",
    "phone",
    "phoning",
    "ring",
    "tel",
    "telephone",
    "mobile",
    "cell",
    "cellphone",
    "whatsapp",
    "signal",
    "sms",
    "text",
    "reach",
    "contact",
    "dial",
    "handy",
    "handynummer",
    "telefon",
    "telefonnummer",
    "telefonisch",
    "mobil",
    "mobilnummer",
    "erreichbar",
    "erreichen",
    "anrufen",
    "rufen",
    "ruf",
    "anruf",
    "rufnummer",
    "festnetz",
    "appelez",
    "appeler",
    "téléphone",
    "portable",
    "joindre",
    "tél",
    "teléfono",
    "telefono",
    "llamar",
    "llame",
    "móvil",
    "celular",
    "chiamare",
    "chiami",
    "cell.",
    "cellulare",
    "bel",
    "bellen",
    "telefoon",
    "telefoonnummer",
    "mobiel",
    "puhelin",
    "numer",
    "telefone",
    "ligar",
    "zadzwonić",
    "ring.",
];
/// Words for any number: they announce a telephone only where nothing says otherwise.
const NUMBER_WORDS: [&str; 7] = ["number", "no", "nr", "nummer", "numéro", "número", "numero"];
/// Words that announce a number of ours.
const OUR_WORDS: [&str; 47] = [
    "order",
    "orders",
    "ordered",
    "bestellung",
    "bestellnummer",
    "auftrag",
    "commande",
    "pedido",
    "ordine",
    "invoice",
    "rechnung",
    "facture",
    "sku",
    "ean",
    "gtin",
    "upc",
    "item",
    "article",
    "artikel",
    "art",
    "product",
    "produkt",
    "model",
    "modell",
    "tracking",
    "track",
    "parcel",
    "package",
    "paket",
    "sendung",
    "sendungsnummer",
    "shipment",
    "colis",
    "carrier",
    "dhl",
    "ups",
    "ref",
    "reference",
    "referenz",
    "label",
    "code",
    "size",
    "größe",
    "cart",
    "checkout",
    "serial",
    "isbn",
];
/// How many words before a number are read.
const REACH: usize = 7;

/// Assigned country codes of one and two digits; three-digit ones begin with the prefixes of [`LONG_CODES`].
const SHORT_CODES: [&str; 46] = [
    "1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48",
    "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
    "86", "90", "91", "92", "93", "94", "95", "98",
];
const LONG_CODES: [&str; 12] = ["21", "22", "23", "24", "25", "26", "29", "35", "37", "38", "42", "50"];
const MORE_LONG_CODES: [&str; 8] = ["59", "67", "68", "69", "80", "85", "87", "88"];
const ASIAN_LONG_CODES: [&str; 3] = ["96", "97", "99"];

/// What the nearest telling word before a number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Phone,
    Ours,
    Nothing,
}

pub(super) fn is_phone(window: &Window<'_>) -> bool {
    let digits = window.digits();
    let lengths = window.lengths();
    if dated(&lengths, window) {
        return false;
    }
    let said = said(window);
    if window.plus() {
        return (8..=16).contains(&digits.len()) && assigned(&digits);
    }
    if said == Said::Ours {
        return false;
    }
    let one_piece = lengths.len() == 1;
    // A lone zero opens a number only before a blank or a bracket: `0.123456789` is a figure.
    let lone_zero = lengths.first() == Some(&1) && !window.bracket();
    let zero_opens = !lone_zero || digits.starts_with('0') && gap_after_first(window).contains([' ', '(']);
    if let Some(rest) = digits.strip_prefix("00")
        && assigned(rest)
        && (8..=15).contains(&rest.len())
    {
        return true;
    }
    if digits.starts_with('0') && zero_opens {
        let most = if one_piece && said != Said::Phone { 11 } else { 13 };
        return (8..=most).contains(&digits.len());
    }
    if window.bracket() {
        return (8..=12).contains(&digits.len()) && !one_piece;
    }
    let first = digits.bytes().next().unwrap_or_default();
    if lengths == [3, 3, 4] && (b'2'..=b'9').contains(&first) {
        return true;
    }
    said == Said::Phone && (7..=13).contains(&digits.len())
}

fn gap_after_first<'a>(window: &Window<'a>) -> &'a str {
    match window.groups {
        [one, two, ..] => window.text.get(one.end..two.start).unwrap_or_default(),
        _ => "",
    }
}

/// A day with its year in four digits: it is no part of a number, whatever follows.
pub(super) fn is_date(window: &Window<'_>) -> bool {
    let lengths = window.lengths();
    lengths.len() == 3 && lengths.contains(&4) && !window.plus() && dated(&lengths, window)
}

/// `05-11-2026`, `2026-11-21`, `24.12.26`.
fn dated(lengths: &[usize], window: &Window<'_>) -> bool {
    let value = |index: usize| window.groups.get(index).and_then(|g| g.digits.parse::<u32>().ok()).unwrap_or(u32::MAX);
    let year = |n: u32| (1900..=2099).contains(&n);
    let day = |n: u32| (1..=31).contains(&n);
    match lengths {
        // An hour may follow.
        [1 | 2, 1 | 2, 4, ..] => day(value(0)) && day(value(1)) && year(value(2)),
        [4, 1 | 2, 1 | 2, ..] => year(value(0)) && day(value(1)) && day(value(2)),
        [1 | 2, 1 | 2, 2] => day(value(0)) && day(value(1)),
        [4, 4] => {
            year(value(0)) && year(value(1)) && window.text.get(..window.start()).is_some_and(|t| !t.ends_with('('))
        }
        _ => false,
    }
}

fn assigned(digits: &str) -> bool {
    let two = digits.get(..2).unwrap_or_default();
    SHORT_CODES.iter().any(|code| digits.starts_with(code))
        || LONG_CODES.contains(&two)
        || MORE_LONG_CODES.contains(&two)
        || ASIAN_LONG_CODES.contains(&two)
}

fn said(window: &Window<'_>) -> Said {
    let head = words_before(window.text, window.start());
    let mut any_number = false;
    for word in &head {
        if PHONE_WORDS.contains(&word.as_str()) {
            return Said::Phone;
        }
        if OUR_WORDS.contains(&word.as_str()) {
            return Said::Ours;
        }
        any_number |= NUMBER_WORDS.contains(&word.as_str());
    }
    if any_number { Said::Phone } else { Said::Nothing }
}

/// The last words before a byte position, nearest first, lower case.
pub(super) fn words_before(text: &str, end: usize) -> Vec<String> {
    let head = text.get(..end).unwrap_or_default();
    head.split(|c: char| !c.is_alphanumeric())
        .rev()
        .filter(|w| !w.is_empty())
        .take(REACH)
        .map(str::to_lowercase)
        .collect()
}
