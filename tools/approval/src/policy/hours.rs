//! The hours in which text messages may arrive, by region.

use std::collections::BTreeMap;

use kit::message::{HoursTable, OpenHours, RegionHours};
use serde::Deserialize;
use toml::Spanned;

use super::{PolicyError, Source};

/// The schema this build reads.
const SCHEMA: &str = "mailwright.sms-hours/1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<String>,
    default: Week,
    #[serde(default)]
    region: BTreeMap<Spanned<String>, Week>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Week {
    weekday: Spanned<[i8; 2]>,
    saturday: Spanned<[i8; 2]>,
    sunday: Spanned<[i8; 2]>,
}

/// Reads the table. `label` names it in errors.
///
/// # Errors
/// [`PolicyError`] with the line: unknown keys, hours beyond 0 to 24 or the wrong way round, a region that is no ISO code.
pub fn sms_hours(label: &str, text: &str) -> Result<HoursTable, PolicyError> {
    let source = Source { label, text };
    let file: File = source.read()?;
    source.schema(&file.schema, SCHEMA)?;
    let regions = file.region.iter().map(|(name, week)| {
        let code = name.get_ref();
        let upper = |s: &str, lengths: std::ops::RangeInclusive<usize>| {
            lengths.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        let known = match code.split_once('-') {
            Some((country, part)) => upper(country, 2..=2) && upper(part, 1..=3),
            None => upper(code, 2..=2),
        };
        if !known {
            return Err(source.fault(name.span(), format!("`{code}` is no ISO 3166 code such as US or US-TX")));
        }
        Ok(RegionHours { region: code.clone(), hours: week.read(&source)? })
    });
    Ok(HoursTable { default: file.default.read(&source)?, regions: regions.collect::<Result<_, _>>()? })
}

impl Week {
    fn read(&self, source: &Source<'_>) -> Result<OpenHours, PolicyError> {
        let hours = |found: &Spanned<[i8; 2]>| {
            let [from, to] = *found.get_ref();
            if (0..=24).contains(&from) && (from..=24).contains(&to) {
                return Ok((from, to));
            }
            Err(source.fault(found.span(), format!("[{from}, {to}] must be two hours from 0 to 24, the earlier first")))
        };
        Ok(OpenHours { weekday: hours(&self.weekday)?, saturday: hours(&self.saturday)?, sunday: hours(&self.sunday)? })
    }
}
