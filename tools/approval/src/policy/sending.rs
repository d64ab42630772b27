//! How often and when people hear from the shop.

use kit::Digest;
use kit::message::QuietHours;
use serde::Deserialize;
use toml::Spanned;

use super::{PolicyError, Source};

/// The schema this build reads.
const SCHEMA: &str = "mailwright.sending/1";

/// Caps, quiet hours and holdout of a shop: limits for the reserving transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendingPolicy {
    /// Marketing messages per person within 24 hours.
    pub cap_day: u32,
    /// Marketing messages per person within 7 days.
    pub cap_week: u32,
    /// Hours of the recipient's day in which nothing leaves; equal hours mean none.
    pub quiet: QuietHours,
    /// Per cent of customers that get nothing, for measurement.
    pub holdout_percent: u32,
    version: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<String>,
    cap_day: Spanned<u32>,
    cap_week: Spanned<u32>,
    holdout_percent: Spanned<u32>,
    quiet: QuietFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietFile {
    from: Spanned<u32>,
    to: Spanned<u32>,
}

impl SendingPolicy {
    /// Reads a policy file. `label` names it in errors.
    ///
    /// # Errors
    /// [`PolicyError`] with the line: unknown keys, a cap of 0 (the kill switch stops sending), hours beyond 23.
    pub fn parse(label: &str, text: &str) -> Result<Self, PolicyError> {
        let source = Source { label, text };
        let file: File = source.read()?;
        source.schema(&file.schema, SCHEMA)?;
        let cap_day = source.within(&file.cap_day, "cap_day", 1..=24)?;
        let cap_week = source.within(&file.cap_week, "cap_week", 1..=50)?;
        if cap_week < cap_day {
            return Err(source.fault(file.cap_week.span(), format!("cap_week {cap_week} is below cap_day {cap_day}")));
        }
        Ok(Self {
            cap_day,
            cap_week,
            quiet: QuietHours {
                from: hour(&source, &file.quiet.from, "from")?,
                to: hour(&source, &file.quiet.to, "to")?,
            },
            holdout_percent: source.within(&file.holdout_percent, "holdout_percent", 0..=50)?,
            version: Digest::of_bytes(text.as_bytes()),
        })
    }

    /// The content hash of the file.
    pub fn version(&self) -> Digest {
        self.version
    }
}

fn hour(source: &Source<'_>, found: &Spanned<u32>, name: &str) -> Result<i8, PolicyError> {
    let hour = source.within(found, name, 0..=23)?;
    i8::try_from(hour).map_err(|_| source.fault(found.span(), "no hour"))
}
