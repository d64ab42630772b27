//! Time in people's working hours: a deadline that a weekend does not eat.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Days that are looked ahead. Nobody is asked for longer; hours that never come have no end.
const LOOK_AHEAD_DAYS: u32 = 400;

/// Days on which somebody is away, both included, in their own zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absence {
    /// The first day.
    pub(crate) from: Date,
    /// The last day.
    pub(crate) until: Date,
}

/// When somebody works.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WorkingHours {
    /// Their zone.
    pub(crate) zone: TimeZone,
    /// On which days of the week.
    pub(crate) days: Vec<Weekday>,
    /// From when on these days.
    pub(crate) from: Time,
    /// Until when.
    pub(crate) until: Time,
    /// Days off.
    pub(crate) away: Vec<Absence>,
}

impl WorkingHours {
    /// When they have worked for so long after `start`; `None` when they do not within a year.
    pub(crate) fn after(&self, start: Timestamp, work: SignedDuration) -> Option<Timestamp> {
        let mut left = work;
        let mut day = start.to_zoned(self.zone.clone()).date();
        for _ in 0..LOOK_AHEAD_DAYS {
            if self.works_on(day) {
                // On the day clocks change an hour may be missing; jiff then takes the next instant that exists.
                let at = |time: Time| day.to_datetime(time).to_zoned(self.zone.clone()).map(|z| z.timestamp());
                let begins = at(self.from).ok()?.max(start);
                let worked = at(self.until).ok()?.duration_since(begins);
                if worked >= left {
                    return begins.checked_add(left).ok();
                }
                left -= worked.max(SignedDuration::ZERO);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// Until which day they are away, when they are at this time.
    pub(crate) fn away_until(&self, now: Timestamp) -> Option<Date> {
        let today = now.to_zoned(self.zone.clone()).date();
        self.away.iter().find(|absence| absence.from <= today && today <= absence.until).map(|absence| absence.until)
    }

    fn works_on(&self, day: Date) -> bool {
        let away = self.away.iter().any(|absence| absence.from <= day && day <= absence.until);
        self.days.contains(&day.weekday()) && !away
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn office(zone: &str) -> WorkingHours {
        use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        WorkingHours {
            zone: TimeZone::get(zone).unwrap(),
            days: vec![Monday, Tuesday, Wednesday, Thursday, Friday],
            from: Time::constant(9, 0, 0, 0),
            until: Time::constant(17, 0, 0, 0),
            away: Vec::new(),
        }
    }

    fn after(hours: &WorkingHours, start: &str, work: i64) -> Timestamp {
        hours.after(at(start), SignedDuration::from_hours(work)).unwrap()
    }

    #[test]
    fn a_weekend_and_a_night_take_nothing_of_the_deadline() {
        let dublin = office("Europe/Dublin");
        // A Friday at four: one hour then, seven on Monday.
        assert_eq!(after(&dublin, "2026-11-20T16:00:00Z", 8), at("2026-11-23T16:00:00Z"));
        assert_eq!(after(&dublin, "2026-11-21T12:00:00Z", 1), at("2026-11-23T10:00:00Z"));
        assert_eq!(after(&dublin, "2026-11-17T20:00:00Z", 8), at("2026-11-18T17:00:00Z"));
    }

    #[test]
    fn hours_are_those_of_the_persons_zone_also_when_clocks_change() {
        assert_eq!(after(&office("America/New_York"), "2026-11-17T09:00:00Z", 1), at("2026-11-17T15:00:00Z"));
        // Clocks go back on Sunday, 25 October: nine o'clock is an hour later in UTC.
        assert_eq!(after(&office("Europe/Dublin"), "2026-10-23T16:00:00Z", 1), at("2026-10-26T10:00:00Z"));
        assert_eq!(after(&office("Europe/Dublin"), "2026-10-23T15:00:00Z", 2), at("2026-10-26T10:00:00Z"));
    }

    #[test]
    fn days_off_take_nothing_either_and_nobody_waits_for_ever() {
        let (from, until) = (Date::constant(2026, 11, 18), Date::constant(2026, 11, 20));
        let away = WorkingHours { away: vec![Absence { from, until }], ..office("Europe/Dublin") };
        assert_eq!(after(&away, "2026-11-17T16:00:00Z", 2), at("2026-11-23T10:00:00Z"));
        assert_eq!(away.away_until(at("2026-11-20T23:00:00Z")), Some(until));
        assert_eq!(away.away_until(at("2026-11-21T00:00:00Z")), None);
        let never = WorkingHours { days: Vec::new(), ..office("Europe/Dublin") };
        assert_eq!(never.after(at("2026-11-17T16:00:00Z"), SignedDuration::from_hours(1)), None);
    }
}
