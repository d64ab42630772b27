//! Dates as people say them. "Thursday" becomes a date here, by the shop's calendar, and nowhere else.

use jiff::civil::{Date, Time, Weekday};
use jiff::{Span, Timestamp, tz::TimeZone};

/// A day, and what was said when it had to be worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) date: Date,
    pub(crate) said: Option<String>,
    /// The word could also mean today.
    pub(crate) or_today: bool,
}

/// Why a text is no day, for the model to mend.
pub(crate) fn how_to_say(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    format!(
        "`{text}` is no day: write 2026-11-26, a weekday, \"next thursday\", \"today\", \"tomorrow\" or \"in 3 days\""
    )
}

/// Reads a day: an ISO date, or a word in English or German. A weekday is the next one after today.
pub(crate) fn day(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Day, String> {
    let today = now.to_zoned(zone.clone()).date();
    let said = text.trim().to_lowercase();
    let after = |days: i64| today.checked_add(Span::new().days(days)).map_err(|_| how_to_say(text));
    let worked_out = |date: Date| Day { date, said: Some(said.clone()), or_today: false };
    if let Ok(date) = said.parse::<Date>() {
        return Ok(Day { date, said: None, or_today: false });
    }
    let words: Vec<&str> = said.split_whitespace().filter(|w| !matches!(*w, "on" | "am" | "this" | "diesen")).collect();
    match words.as_slice() {
        ["today" | "heute"] => Ok(worked_out(today)),
        ["tomorrow" | "morgen"] => after(1).map(worked_out),
        ["übermorgen"] => after(2).map(worked_out),
        ["in", n, "days" | "day" | "tagen" | "tag"] => {
            let days: i64 = n.parse().map_err(|_| how_to_say(text))?;
            if (0..=366).contains(&days) { after(days).map(worked_out) } else { Err(how_to_say(text)) }
        }
        [word] => {
            let weekday = weekday(word).ok_or_else(|| how_to_say(text))?;
            let ahead = match days_until(today.weekday(), weekday) {
                0 => 7,
                days => days,
            };
            Ok(Day { or_today: today.weekday() == weekday, ..worked_out(after(ahead)?) })
        }
        ["next" | "nächsten" | "nächster" | "kommenden", word] => {
            let weekday = weekday(word).ok_or_else(|| how_to_say(text))?;
            // Of the week after this one, weeks beginning on Monday.
            let monday = days_until(today.weekday(), Weekday::Monday);
            let to_next_week = if monday == 0 { 7 } else { monday };
            let into_week = i64::from(weekday.to_monday_zero_offset());
            // German "kommenden Donnerstag" is the coming one.
            let ahead = match words.first() {
                Some(&"kommenden") => match days_until(today.weekday(), weekday) {
                    0 => 7,
                    days => days,
                },
                _ => to_next_week + into_week,
            };
            after(ahead).map(worked_out)
        }
        _ => Err(how_to_say(text)),
    }
}

/// Reads a time of day such as `09:00`.
pub(crate) fn time(text: &str) -> Result<Time, String> {
    let bad = || {
        let text: String = text.chars().filter(|c| !c.is_control()).take(20).collect();
        format!("`{text}` is no time of day: write 09:00")
    };
    let (hour, minute) = text.trim().split_once(':').ok_or_else(bad)?;
    let number = |part: &str| part.parse::<i8>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()));
    let (hour, minute) = number(hour).zip(number(minute)).ok_or_else(bad)?;
    Time::new(hour, minute, 0, 0).map_err(|_| bad())
}

fn days_until(from: Weekday, to: Weekday) -> i64 {
    let from = i64::from(from.to_monday_zero_offset());
    (i64::from(to.to_monday_zero_offset()) - from).rem_euclid(7)
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.trim_end_matches(['.', ',']) {
        "monday" | "mon" | "montag" | "mo" => Weekday::Monday,
        "tuesday" | "tue" | "dienstag" | "di" => Weekday::Tuesday,
        "wednesday" | "wed" | "mittwoch" | "mi" => Weekday::Wednesday,
        "thursday" | "thu" | "donnerstag" | "do" => Weekday::Thursday,
        "friday" | "fri" | "freitag" | "fr" => Weekday::Friday,
        "saturday" | "sat" | "samstag" | "sonnabend" | "sa" => Weekday::Saturday,
        "sunday" | "sun" | "sonntag" | "so" => Weekday::Sunday,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday, 26 November 2026, 23:30 UTC; in Dublin the same, in Tokyo Friday.
    fn read(text: &str, zone: &str) -> Result<(String, Option<String>), String> {
        let now = "2026-11-26T23:30:00Z".parse().unwrap();
        day(text, now, &TimeZone::get(zone).unwrap()).map(|d| (d.date.to_string(), d.said))
    }

    #[test]
    fn words_become_dates_by_the_shops_calendar() {
        let dublin = |text: &str| read(text, "Europe/Dublin").unwrap().0;
        assert_eq!(dublin("2026-12-24"), "2026-12-24");
        assert_eq!(dublin("Thursday"), "2026-12-03", "today is Thursday: the next one");
        assert_eq!(dublin("on friday"), "2026-11-27");
        assert_eq!(dublin("next friday"), "2026-12-04");
        assert_eq!(dublin("next monday"), "2026-11-30");
        assert_eq!(dublin("montag"), "2026-11-30");
        assert_eq!(dublin("kommenden Freitag"), "2026-11-27");
        assert_eq!(dublin("heute"), "2026-11-26");
        assert_eq!(dublin("übermorgen"), "2026-11-28");
        assert_eq!(dublin("in 10 days"), "2026-12-06");
        assert_eq!(read("tomorrow", "Asia/Tokyo").unwrap(), ("2026-11-28".to_owned(), Some("tomorrow".to_owned())));
    }

    #[test]
    fn anything_else_is_refused_with_the_mend() {
        for odd in ["", "soon", "2026-13-01", "26.11.", "next", "in many days", "in 9999 days", "thursday or friday"] {
            assert!(read(odd, "Europe/Dublin").is_err(), "{odd}");
        }
        assert_eq!(
            read("soon", "Europe/Dublin").unwrap_err(),
            "`soon` is no day: write 2026-11-26, a weekday, \"next thursday\", \"today\", \"tomorrow\" or \"in 3 days\""
        );
        assert_eq!(time("9:05").map(|t| t.to_string()), Ok("09:05:00".to_owned()));
        for odd in ["", "9", "25:00", "9:60", "+9:00", "nine"] {
            assert!(time(odd).is_err(), "{odd}");
        }
    }
}
