//! Counting text messages the way carriers do.
//!
//! A message of GSM 03.38 characters has 160 septets, or 153 a part once it needs several; anything else makes the whole
//! message UCS-2: 70 code units, or 67 a part. Characters of the extension table cost two septets, characters beyond the
//! basic plane two code units, and neither is split between parts: so a full part may end one unit early.

/// How a message is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Seven bits a character.
    Gsm7,
    /// Sixteen bits a code unit.
    Ucs2,
}

impl Encoding {
    /// Units that fit into a message of one part.
    pub fn single(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }
    /// Units that fit into each part of several.
    pub fn part(self) -> u32 {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

/// What a text costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Segments {
    /// How it is encoded.
    pub encoding: Encoding,
    /// Units in all.
    pub units: u32,
    /// Parts that are sent and paid.
    pub parts: u32,
}

/// GSM 03.38 beyond what it shares with printable ASCII.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
/// Its extension table: an escape and a septet.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Septets of a character, or `None` when it is not in the alphabet.
fn septets(c: char) -> Option<u32> {
    if EXTENDED.contains(c) {
        return Some(2);
    }
    // The accent grave is no GSM character, the lone one of printable ASCII beside those of the extension table.
    let ascii = matches!(c, ' '..='_' | 'a'..='z') && !matches!(c, '[' | '\\' | ']' | '^');
    (ascii || BASIC.contains(c)).then_some(1)
}

/// Counts a text, exactly as it goes out.
pub fn segments(text: &str) -> Segments {
    let gsm: Option<Vec<u32>> = text.chars().map(septets).collect();
    let (encoding, costs) = match gsm {
        Some(costs) => (Encoding::Gsm7, costs),
        None => (Encoding::Ucs2, text.chars().map(|c| if u32::from(c) > 0xffff { 2 } else { 1 }).collect()),
    };
    let units: u32 = costs.iter().sum();
    if units <= encoding.single() {
        return Segments { encoding, units, parts: u32::from(units > 0) };
    }
    let (mut parts, mut room) = (1, encoding.part());
    for cost in costs {
        if cost > room {
            parts += 1;
            room = encoding.part();
        }
        room -= cost;
    }
    Segments { encoding, units, parts }
}

/// The same words without the typographic characters that would make the whole message UCS-2: curly quotes, dashes, the
/// ellipsis, blanks that do not break. Letters are never replaced: `ê` stays `ê` and is paid for.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' | '‚' | '`' | '´' => out.push('\''),
            '“' | '”' | '„' | '«' | '»' => out.push('"'),
            '–' | '—' | '‑' | '−' => out.push('-'),
            '…' => out.push_str("..."),
            '\u{a0}' | '\u{202f}' | '\u{2009}' => out.push(' '),
            '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{ad}' | '\u{2060}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> (Encoding, u32, u32) {
        let Segments { encoding, units, parts } = segments(text);
        (encoding, units, parts)
    }

    #[test]
    fn known_vectors() {
        use Encoding::{Gsm7, Ucs2};
        let n = |c: &str, times: usize| c.repeat(times);
        for (text, expected) in [
            (String::new(), (Gsm7, 0, 0)),
            (n("a", 160), (Gsm7, 160, 1)),
            (n("a", 161), (Gsm7, 161, 2)),
            (n("a", 306), (Gsm7, 306, 2)),
            (n("a", 307), (Gsm7, 307, 3)),
            // Extension characters cost two: 80 fit into one message, of several parts each holds 76 and a rest of one.
            (n("€", 80), (Gsm7, 160, 1)),
            (n("€", 81), (Gsm7, 162, 2)),
            (n("€", 152), (Gsm7, 304, 2)),
            (n("€", 153), (Gsm7, 306, 3)),
            // 152 + an extension character: it moves to the next part whole.
            (format!("{}€{}", n("a", 152), n("a", 20)), (Gsm7, 174, 2)),
            (format!("{}€{}", n("a", 152), n("a", 151)), (Gsm7, 305, 2)),
            (format!("{}€{}", n("a", 152), n("a", 152)), (Gsm7, 306, 3)),
            (n("ü", 160), (Gsm7, 160, 1)),
            (n("ê", 70), (Ucs2, 70, 1)),
            (n("ê", 71), (Ucs2, 71, 2)),
            (n("ê", 134), (Ucs2, 134, 2)),
            (n("ê", 135), (Ucs2, 135, 3)),
            (format!("{}ê", n("a", 69)), (Ucs2, 70, 1)),
            (format!("{}’", n("a", 70)), (Ucs2, 71, 2)),
            (format!("{}`", n("a", 70)), (Ucs2, 71, 2)),
            (format!("{}\u{200b}", n("a", 70)), (Ucs2, 71, 2)),
            // Beyond the basic plane: two code units, never split.
            (n("🏔", 35), (Ucs2, 70, 1)),
            (n("🏔", 36), (Ucs2, 72, 2)),
            (n("🏔", 66), (Ucs2, 132, 2)),
            (n("🏔", 67), (Ucs2, 134, 3)),
        ] {
            assert_eq!(count(&text), expected, "{text}");
        }
        let alphabet = format!("{BASIC}{EXTENDED} !\"#%&'()*+,-./0123456789:;<=>?AZaz");
        assert_eq!(segments(&alphabet).encoding, Gsm7);
        assert_eq!(BASIC.chars().count() + EXTENDED.chars().count(), 44 + 10);
    }

    #[test]
    fn typography_does_not_cost_a_part() {
        let text = plain("“Kept” – it’s here…\u{a0}now\u{200b}");
        assert_eq!(text, "\"Kept\" - it's here... now");
        assert_eq!(segments(&text).encoding, Encoding::Gsm7);
        assert_eq!(plain("crêpe"), "crêpe");
    }

    proptest::proptest! {
        #[test]
        fn parts_hold_the_units_and_never_less(text in "[a-z€ê🏔’ ]{0,400}") {
            let Segments { encoding, units, parts } = segments(&text);
            let room = if parts <= 1 { encoding.single() } else { encoding.part() * parts };
            proptest::prop_assert!(units <= room);
            // No part but the last has more than one unit to spare.
            proptest::prop_assert!(parts <= 1 || units > (encoding.part() - 1) * (parts - 1));
            proptest::prop_assert!(segments(&plain(&text)).parts <= parts);
        }
    }
}
