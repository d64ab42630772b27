//! When a text message may arrive: by law, in the recipient's own zone, by the day of the week.

use jiff::civil::Weekday;
use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Open hours of a week: from the first hour until before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenHours {
    /// Monday to Friday.
    pub weekday: (i8, i8),
    /// Saturday.
    pub saturday: (i8, i8),
    /// Sunday.
    pub sunday: (i8, i8),
}

impl OpenHours {
    fn on(self, day: Weekday) -> (i8, i8) {
        match day {
            Weekday::Saturday => self.saturday,
            Weekday::Sunday => self.sunday,
            Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {
                self.weekday
            }
        }
    }

    /// The hours that both allow.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        let both = |a: (i8, i8), b: (i8, i8)| (a.0.max(b.0), a.1.min(b.1));
        Self {
            weekday: both(self.weekday, other.weekday),
            saturday: both(self.saturday, other.saturday),
            sunday: both(self.sunday, other.sunday),
        }
    }

    /// When it opens again, if it is closed `now` in `zone`.
    pub fn closed_until(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = now.to_zoned(zone.clone());
        let (from, to) = self.on(local.weekday());
        if (from..to).contains(&local.hour()) {
            return None;
        }
        let today = local.date();
        let opens = (0..=7).find_map(|days| {
            let date = today.checked_add(Span::new().days(days)).ok()?;
            let (from, to) = self.on(date.weekday());
            if from >= to {
                return None;
            }
            // On the day clocks change this hour may not exist; jiff then takes the next instant that does.
            let opening = date.at(from, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp();
            (opening > now).then_some(opening)
        });
        // A week without an open hour: never, said as a time that is always ahead.
        Some(opens.unwrap_or(Timestamp::MAX))
    }
}

/// The hours of one country or one of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionHours {
    /// ISO 3166-1 such as `US`, or 3166-2 such as `US-TX`.
    pub region: String,
    /// Its hours.
    pub hours: OpenHours,
}

/// The hours of every region that has its own, and those of all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursTable {
    /// Where nothing else is said.
    pub default: OpenHours,
    /// By region.
    pub regions: Vec<RegionHours>,
}

impl HoursTable {
    fn of(&self, region: &str) -> Option<OpenHours> {
        self.regions.iter().find(|r| r.region.eq_ignore_ascii_case(region)).map(|r| r.hours)
    }

    /// The hours of a person: the part of the country when it is known and listed, else the country, and for a number of
    /// the North American plan with another address the hours that both allow.
    pub fn for_person(&self, country: Option<&str>, region: Option<&str>, north_american: bool) -> OpenHours {
        let home = region.and_then(|r| self.of(r)).or_else(|| country.and_then(|c| self.of(c))).unwrap_or(self.default);
        let american = matches!(country, Some("US" | "CA"));
        match self.of("US").filter(|_| north_american && !american) {
            Some(strict) => home.within(strict),
            None => home,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FEDERAL: OpenHours = OpenHours { weekday: (8, 21), saturday: (8, 21), sunday: (8, 21) };
    const TEXAS: OpenHours = OpenHours { weekday: (9, 21), saturday: (9, 21), sunday: (12, 21) };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_sunday_morning_in_texas_waits_for_noon_also_when_clocks_change() {
        let chicago = TimeZone::get("America/Chicago").unwrap();
        assert_eq!(TEXAS.closed_until(at("2026-06-07T15:00:00Z"), &chicago), Some(at("2026-06-07T17:00:00Z")));
        assert_eq!(TEXAS.closed_until(at("2026-06-06T15:00:00Z"), &chicago), None);
        // Saturday evening waits over the night in which clocks go forward (8 March 2026).
        assert_eq!(TEXAS.closed_until(at("2026-03-08T03:30:00Z"), &chicago), Some(at("2026-03-08T17:00:00Z")));
        let honolulu = TimeZone::get("Pacific/Honolulu").unwrap();
        assert_eq!(FEDERAL.closed_until(at("2026-07-01T12:00:00Z"), &honolulu), Some(at("2026-07-01T18:00:00Z")));
        let shut = OpenHours { weekday: (9, 9), saturday: (9, 9), sunday: (9, 9) };
        assert_eq!(shut.closed_until(at("2026-07-01T12:00:00Z"), &honolulu), Some(Timestamp::MAX));
    }

    #[test]
    fn an_unlisted_state_gets_the_countrys_hours_and_a_foreign_address_both() {
        let unknown = OpenHours { weekday: (9, 18), saturday: (12, 17), sunday: (12, 17) };
        let of = |region: &str, hours| RegionHours { region: region.to_owned(), hours };
        let table = HoursTable { default: FEDERAL, regions: vec![of("US", unknown), of("US-TX", TEXAS)] };
        assert_eq!(table.for_person(Some("IE"), None, false), FEDERAL);
        assert_eq!(table.for_person(Some("US"), Some("US-TX"), true), TEXAS);
        assert_eq!(table.for_person(Some("US"), Some("US-OH"), true), unknown);
        assert_eq!(table.for_person(Some("IE"), None, true), unknown);
        assert_eq!(table.for_person(None, None, false), FEDERAL);
    }
}
