//! What the marketer really said. A rule, its end and what VIPs get need their words: a model that is made to quote cannot
//! make them up, and code finds the words or not.

use kit::campaign::BriefContext;
use kit::campaign::talk::mentions_vip;

/// Words that take something back, in English and German.
const TAKE_BACK: &[&str] = &[
    "forget",
    "drop",
    "scrap",
    "ignore",
    "cancel",
    "remove",
    "lift",
    "withdraw",
    "undo",
    "anymore",
    "longer",
    "after all",
    "instead",
    "changed my mind",
    "change of mind",
    "take back",
    "take it back",
    "never mind",
    "not apply",
    "vergiss",
    "vergessen",
    "streich",
    "streichen",
    "zurück",
    "nicht mehr",
    "doch",
    "aufheben",
    "egal",
    "weglassen",
    "stattdessen",
    "anders überlegt",
];
/// Words that only agree: they take something back when it was just asked about.
const AGREE: &[&str] =
    &["yes", "ok", "okay", "sure", "go ahead", "do it", "right", "ja", "gern", "gerne", "klar", "mach"];

/// Words about VIPs that leave them out altogether.
const NO_MESSAGE: &[&str] = &[
    "exclude",
    "excluded",
    "leave out",
    "leave them out",
    "leave vips out",
    "leave out vips",
    "left out",
    "leaving out",
    "no mail",
    "no message",
    "no email",
    "no e-mail",
    "not get any",
    "not at all",
    "without vips",
    "except vips",
    "no vips",
    "ausschließen",
    "ausgeschlossen",
    "gar nicht",
    "gar nichts",
    "keine mail",
    "keine nachricht",
    "ohne vips",
    "außer vips",
];
/// Words about VIPs that keep the message and drop the offer.
const NO_OFFER: &[&str] = &[
    "undiscounted",
    "full price",
    "no discount",
    "no offer",
    "without discount",
    "without the discount",
    "without offer",
    "without the offer",
    "without a discount",
    "kein rabatt",
    "keinen rabatt",
    "ohne rabatt",
    "ohne angebot",
    "voller preis",
    "vollen preis",
];
/// Words about VIPs that treat them like everybody.
const LIKE_ALL: &[&str] = &[
    "include",
    "included",
    "too",
    "as well",
    "same",
    "like everybody",
    "like everyone",
    "also",
    "auch",
    "wie alle",
    "genauso",
    "einschließen",
];

/// Letters, digits and per cent signs, lower case, with single blanks.
pub(crate) fn normalised(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || c == '%' {
            out.extend(c.to_lowercase());
        } else if !out.ends_with(' ') && !out.is_empty() {
            out.push(' ');
        }
    }
    out.trim_end().to_owned()
}

/// True when these words stand in the marketer's message of this turn, as whole words.
pub(crate) fn was_said(quote: &str, cx: &BriefContext) -> bool {
    let quote = normalised(quote);
    !quote.is_empty() && has(&cx.said, &quote)
}

/// True when the quote takes a constraint back: in words that do so, or by agreeing right after it was named.
pub(crate) fn takes_back(quote: &str, constraint: u32, cx: &BriefContext) -> bool {
    let named = has(&cx.answered_before, &format!("C{constraint}"));
    any(quote, TAKE_BACK) || (named && any(quote, AGREE))
}

/// What is said of VIPs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SaidOfVips {
    Excluded,
    Undiscounted,
    Included,
    /// It can mean more than one thing, or nothing.
    Unclear,
}

/// What a quote says VIPs get, when it says so without doubt.
pub(crate) fn of_vips(quote: &str) -> SaidOfVips {
    match (any(quote, NO_MESSAGE), any(quote, NO_OFFER), any(quote, LIKE_ALL)) {
        (true, false, false) => SaidOfVips::Excluded,
        // "The same mail, no discount" keeps the message.
        (false, true, _) => SaidOfVips::Undiscounted,
        (false, false, true) => SaidOfVips::Included,
        (true, _, _) | (false, false, false) => SaidOfVips::Unclear,
    }
}

/// True once the marketer was asked about VIPs: their answer may be short then.
pub(crate) fn vips_were_asked_about(cx: &BriefContext) -> bool {
    cx.asked.iter().any(kit::campaign::Question::is_about_vips) || mentions_vip(&cx.answered_before)
}

fn any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| has(text, phrase))
}

/// True when a text holds a phrase as whole words.
fn has(text: &str, phrase: &str) -> bool {
    let (text, phrase) = (normalised(text), normalised(phrase));
    format!(" {text} ").contains(&format!(" {phrase} "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kit::campaign::Brief;

    use super::*;

    fn cx(said: &str, answered_before: &str) -> BriefContext {
        BriefContext {
            brief: Arc::new(Brief::default()),
            turn: 3,
            said: said.to_owned(),
            answered_before: answered_before.to_owned(),
            asked: Vec::new(),
        }
    }

    #[test]
    fn only_what_was_said_can_be_quoted() {
        let cx = cx("20 % for lapsed,  nothing for VIP!", "");
        for said in ["nothing for VIP", "Nothing  for vip", "20 % for lapsed", "lapsed, nothing"] {
            assert!(was_said(said, &cx), "{said}");
        }
        for not in ["", " ", "nothing for VIPs", "no SMS", "for laps", "VIP nothing"] {
            assert!(!was_said(not, &cx), "{not}");
        }
    }

    #[test]
    fn agreement_takes_back_only_what_was_just_named() {
        assert!(takes_back("forget the SMS rule", 2, &cx("", "")));
        assert!(takes_back("doch auch SMS", 2, &cx("", "")));
        assert!(!takes_back("send it by SMS too", 2, &cx("", "")));
        assert!(takes_back("yes", 2, &cx("", "C2 says no SMS. Take it back?")));
        assert!(!takes_back("yes", 2, &cx("", "C22 says no SMS. Take it back?")));
        assert!(!takes_back("yes", 2, &cx("", "Shall I?")));
    }

    #[test]
    fn nothing_for_vips_is_unclear_and_clear_words_are_not() {
        for (quote, said) in [
            ("nothing for VIP", SaidOfVips::Unclear),
            ("VIP: nichts", SaidOfVips::Unclear),
            ("exclude VIPs", SaidOfVips::Excluded),
            ("VIPs ausschließen", SaidOfVips::Excluded),
            ("VIPs at full price", SaidOfVips::Undiscounted),
            ("the same mail for VIPs, no discount", SaidOfVips::Undiscounted),
            ("VIPs too", SaidOfVips::Included),
            ("VIPs get no mail and no discount", SaidOfVips::Unclear),
        ] {
            assert_eq!(of_vips(quote), said, "{quote}");
        }
    }
}
