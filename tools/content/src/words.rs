//! The fixed words of a message, by language. A language without words is refused, never replaced.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kit::Language;

/// What the frame of a message says in one language.
#[derive(Debug)]
pub(crate) struct Words {
    /// Between the price and the former price.
    pub(crate) instead_of: &'static str,
    /// Before a reviewer's name.
    pub(crate) reviewed_by: &'static str,
    /// Between stars given and stars possible.
    pub(crate) of: &'static str,
    /// Before an offer code.
    pub(crate) code: &'static str,
    /// Before the last day of an offer.
    pub(crate) until: &'static str,
    /// The link of a guide card.
    pub(crate) read_guide: &'static str,
    /// Before the sender's name.
    pub(crate) sent_by: &'static str,
    /// The unsubscribe link.
    pub(crate) unsubscribe: &'static str,
    /// How to stop text messages.
    pub(crate) sms_stop: &'static str,
    /// The same as American carriers want it (CTIA handbook).
    pub(crate) sms_stop_us: &'static str,
    /// Before the link that stops text messages from a sender that cannot be replied to.
    pub(crate) sms_stop_link: &'static str,
    /// After a stop.
    pub(crate) sms_stopped: &'static str,
    /// After a start.
    pub(crate) sms_started: &'static str,
    /// After a start that the rules do not allow; `{site}` is the shop's.
    pub(crate) sms_not_started: &'static str,
    /// After HELP; `{contact}` is where answers go.
    pub(crate) sms_help: &'static str,
    /// Quotation marks.
    pub(crate) quotes: (&'static str, &'static str),
    /// Greetings that stand without a name: "Hi, your boots …".
    pub(crate) greetings: &'static [&'static str],
    /// Greetings that do not: "Dear, your boots …" is dropped with the name.
    pub(crate) salutations: &'static [&'static str],
    /// After the number of the day.
    ordinal: &'static str,
    months: [&'static str; 12],
}

static EN: Words = Words {
    instead_of: "instead of",
    reviewed_by: "Reviewed by",
    of: "of",
    code: "Code",
    until: "Valid until",
    read_guide: "Read the guide",
    sent_by: "Sent by",
    unsubscribe: "Unsubscribe",
    sms_stop: "Reply STOP to opt out",
    sms_stop_us: "Msg&data rates may apply. HELP for help, STOP to opt out",
    sms_stop_link: "Opt out:",
    sms_stopped: "you are unsubscribed and get no more text messages. Reply START to come back.",
    sms_started: "you get our text messages again. HELP for help, STOP to opt out.",
    sms_not_started: "to get our text messages, please sign up at {site}",
    sms_help: "questions? Write to {contact}. Msg&data rates may apply. Reply STOP to opt out.",
    quotes: ("“", "”"),
    greetings: &[
        "hi",
        "hi there",
        "hello",
        "hey",
        "good morning",
        "good evening",
        "welcome",
        "welcome back",
        "thanks",
        "thank you",
        "congratulations",
        "good news",
    ],
    salutations: &["dear", "my dear"],
    ordinal: "",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};

static DE: Words = Words {
    instead_of: "statt",
    reviewed_by: "Bewertet von",
    of: "von",
    code: "Code",
    until: "Gültig bis",
    read_guide: "Zum Ratgeber",
    sent_by: "Gesendet von",
    unsubscribe: "Abmelden",
    sms_stop: "Abmelden: STOP antworten",
    sms_stop_us: "Msg&data rates may apply. Hilfe: HELP, abmelden: STOP",
    sms_stop_link: "Abmelden:",
    sms_stopped: "Sie sind abgemeldet und bekommen keine SMS mehr. Mit START geht es weiter.",
    sms_started: "Sie bekommen wieder SMS von uns. Hilfe: HELP, abmelden: STOP.",
    sms_not_started: "SMS von uns bekommen Sie nach einer Anmeldung auf {site}",
    sms_help: "Fragen? Schreiben Sie an {contact}. Abmelden: STOP antworten.",
    quotes: ("„", "“"),
    greetings: &[
        "hallo",
        "hi",
        "hey",
        "servus",
        "moin",
        "grüezi",
        "guten tag",
        "guten morgen",
        "guten abend",
        "willkommen",
        "willkommen zurück",
        "danke",
        "vielen dank",
        "herzlichen glückwunsch",
    ],
    salutations: &["liebe", "lieber", "liebe:r", "liebe/r", "liebe*r"],
    ordinal: ".",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
};

/// The words of a language, if there are any.
pub(crate) fn words(language: &Language) -> Option<&'static Words> {
    match language.as_str() {
        "en" => Some(&EN),
        "de" => Some(&DE),
        _ => None,
    }
}

impl Words {
    /// Day and month as readers write them: `3 March`, `3. März`.
    pub(crate) fn date(&self, at: Timestamp, zone: &TimeZone) -> String {
        let day = at.to_zoned(zone.clone()).date();
        let month = usize::from(day.month().unsigned_abs()).checked_sub(1).and_then(|i| self.months.get(i));
        format!("{}{} {}", day.day(), self.ordinal, month.copied().unwrap_or_default())
    }

    /// Stars as shapes and as words, so that nobody needs to see them: `★★★★☆ 4 of 5`.
    pub(crate) fn stars(&self, stars: u8) -> String {
        let shapes: String = (1..=5).map(|n| if n <= stars { '★' } else { '☆' }).collect();
        format!("{shapes} {stars} {} 5", self.of)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_offer_ends_on_the_shops_own_day() {
        let at: Timestamp = "2026-03-04T04:59:59Z".parse().unwrap();
        assert_eq!(EN.date(at, &TimeZone::get("America/New_York").unwrap()), "3 March");
        assert_eq!(DE.date(at, &TimeZone::UTC), "4. März");
    }

    #[test]
    fn stars_are_also_words() {
        assert_eq!(EN.stars(4), "★★★★☆ 4 of 5");
        assert_eq!(DE.stars(5), "★★★★★ 5 von 5");
    }
}
