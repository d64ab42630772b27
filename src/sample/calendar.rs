//! Days of the sample year, and the hours at which people shop.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::SampleError;
use super::rng::Rng;

/// Orders and visits by local hour, as weights: a lunch-time bump and a long evening. Nobody shops at four.
const HOURS: [(u32, u64); 19] = [
    (6, 6),
    (7, 18),
    (8, 30),
    (9, 38),
    (10, 42),
    (11, 42),
    (12, 58),
    (13, 54),
    (14, 38),
    (15, 36),
    (16, 40),
    (17, 48),
    (18, 62),
    (19, 88),
    (20, 110),
    (21, 96),
    (22, 48),
    (23, 16),
    (0, 5),
];

/// The warehouse is in Galway.
const WAREHOUSE: &str = "Europe/Dublin";

/// The days from the first day of the sample to today. Day 0 is the first; days before it are negative.
#[derive(Debug)]
pub(super) struct Calendar {
    /// The present: nothing happens after it.
    pub(super) now: Timestamp,
    start: Date,
    /// Today's number.
    pub(super) today: i32,
    /// Where parcels leave from.
    pub(super) warehouse: TimeZone,
}

impl Calendar {
    /// The calendar of the last `months` months.
    pub(super) fn new(now: Timestamp, months: u32) -> Result<Self, SampleError> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let start = today.checked_sub(i64::from(months).months())?;
        let days = start.duration_until(today).as_hours() / 24;
        let today = i32::try_from(days).map_err(|_| SampleError::Months(months))?;
        Ok(Self { now, start, today, warehouse: zone(WAREHOUSE)? })
    }

    fn date(&self, day: i32) -> Result<Date, SampleError> {
        Ok(self.start.checked_add(SignedDuration::from_hours(24 * i64::from(day)))?)
    }

    /// The month of a day, 1 to 12.
    pub(super) fn month(&self, day: i32) -> Result<i8, SampleError> {
        Ok(self.date(day)?.month())
    }

    /// A local wall clock time of a day.
    pub(super) fn at(
        &self,
        zone: &TimeZone,
        day: i32,
        hour: u32,
        minute: u32,
        second: u32,
    ) -> Result<Timestamp, SampleError> {
        let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        let midnight = self.date(day)?.to_datetime(jiff::civil::Time::midnight());
        let local = midnight.checked_add(SignedDuration::from_secs(seconds))?;
        Ok(local.to_zoned(zone.clone())?.timestamp())
    }

    /// A moment of a day at which people shop.
    pub(super) fn moment(&self, rng: &mut Rng, zone: &TimeZone, day: i32) -> Result<Timestamp, SampleError> {
        let hour = rng.weighted(&HOURS).unwrap_or(20);
        self.at(zone, day, hour, rng.between(0, 59), rng.between(0, 59))
    }

    /// A moment of a day at which a warehouse works.
    pub(super) fn at_work(&self, rng: &mut Rng, zone: &TimeZone, day: i32) -> Result<Timestamp, SampleError> {
        self.at(zone, day, rng.between(8, 16), rng.between(0, 59), rng.between(0, 59))
    }

    /// A local wall clock time so many days before today: the cast's histories are written that way.
    pub(super) fn ago(&self, zone: &TimeZone, days: i32, hour: u32, minute: u32) -> Result<Timestamp, SampleError> {
        self.at(zone, self.today - days, hour, minute, 0)
    }
}

/// A time zone by its IANA name, from the rules built into the program: the machine's own could make another world.
pub(super) fn zone(name: &str) -> Result<TimeZone, jiff::Error> {
    TimeZoneDatabase::bundled().get(name)
}

/// Later by so many seconds.
pub(super) fn later(at: Timestamp, seconds: u32) -> Result<Timestamp, SampleError> {
    Ok(at.checked_add(SignedDuration::from_secs(i64::from(seconds)))?)
}

/// Earlier by so many seconds.
pub(super) fn earlier(at: Timestamp, seconds: u32) -> Result<Timestamp, SampleError> {
    Ok(at.checked_sub(SignedDuration::from_secs(i64::from(seconds)))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_and_hours_are_local() {
        let calendar = Calendar::new("2026-11-17T10:00:00Z".parse().unwrap(), 12).unwrap();
        assert_eq!(calendar.today, 365);
        assert_eq!(calendar.month(0).unwrap(), 11);
        assert_eq!(calendar.month(14).unwrap(), 12);
        let berlin = zone("Europe/Berlin").unwrap();
        // 29 March 2026: 02:30 does not exist in Berlin; the clock goes from 02:00 to 03:00.
        let gap = calendar.at(&berlin, 132, 2, 30, 0).unwrap();
        assert_eq!(gap.to_string(), "2026-03-29T01:30:00Z");
        assert_eq!(calendar.ago(&berlin, 1, 9, 0).unwrap().to_string(), "2026-11-16T08:00:00Z");
        assert!(zone("Europe/Atlantis").is_err());
    }
}
