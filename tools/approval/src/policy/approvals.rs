//! Who signs what, and by when: knowledge/policy/approvals.toml.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use kit::{Digest, Money, Principal, Role};
use serde::Deserialize;
use toml::Spanned;

use super::trust::{TrustFile, TrustRules};
use super::{PolicyError, Source};
use crate::worktime::{Absence, WorkingHours};

/// The schema this build reads.
const SCHEMA: &str = "mailwright.approvals/1";

/// The rules about who signs an approval.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalPolicy {
    /// Working hours until an undecided request lapses.
    pub working_hours: u32,
    /// After this share of them, in per cent, a request is escalated.
    pub escalate_percent: u32,
    /// Seconds between an approval and the hand-over, in which it can be recalled.
    pub recall_seconds: u32,
    /// More recipients than this: the approver types how many.
    pub typed_above: u32,
    /// How a flow earns to send unseen.
    pub trust: TrustRules,
    pub(crate) second: Second,
    pub(crate) hours: WorkingHours,
    pub(crate) sections: Vec<SectionRule>,
    pub(crate) people: BTreeMap<String, Person>,
    version: Digest,
}

/// When two people must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Second {
    pub(crate) recipients_above: u32,
    pub(crate) offer_cost_above: Money,
    pub(crate) reasons: Vec<String>,
}

/// A part of a request that an owner signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SectionRule {
    pub(crate) name: String,
    pub(crate) owner: String,
    /// Codes or beginnings of codes; none means always.
    pub(crate) reasons: Option<Vec<String>>,
    /// Names; empty means everybody who may approve.
    pub(crate) signers: BTreeSet<String>,
    pub(crate) escalate_to: BTreeSet<String>,
}

/// Somebody with hours of their own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    pub(crate) hours: WorkingHours,
    pub(crate) delegate: Option<String>,
}

/// True when a reason's code is one of these, or begins with one that ends in `*`.
pub(crate) fn named(patterns: &[String], code: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => code.starts_with(beginning),
        None => code == pattern,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<String>,
    deadline: DeadlineFile,
    hours: HoursFile,
    recall: RecallFile,
    count: CountFile,
    second: SecondFile,
    trust: TrustFile,
    section: BTreeMap<Spanned<String>, SectionFile>,
    #[serde(default)]
    person: BTreeMap<Spanned<String>, PersonFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeadlineFile {
    working_hours: Spanned<u32>,
    escalate_percent: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoursFile {
    zone: Spanned<String>,
    days: Spanned<Vec<Day>>,
    from: Spanned<String>,
    until: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecallFile {
    seconds: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountFile {
    typed_above: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecondFile {
    recipients_above: Spanned<u32>,
    offer_cost_above: Spanned<Money>,
    #[serde(default)]
    reasons: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionFile {
    owner: String,
    reasons: Option<Vec<String>>,
    #[serde(default)]
    signers: Vec<Spanned<String>>,
    #[serde(default)]
    escalate_to: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonFile {
    zone: Option<Spanned<String>>,
    days: Option<Spanned<Vec<Day>>>,
    from: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
    delegate: Option<Spanned<String>>,
    #[serde(default)]
    away: Vec<AwayFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AwayFile {
    from: Spanned<String>,
    until: Spanned<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl ApprovalPolicy {
    /// Reads a policy file. `label` names it in errors.
    ///
    /// # Errors
    /// [`PolicyError`] with the line: unknown keys, numbers out of bounds, hours that are none, a zone nobody knows, a section
    /// nobody always signs, a person who stands in for themselves.
    pub fn parse(label: &str, text: &str) -> Result<Self, PolicyError> {
        let source = Source { label, text };
        let file: File = source.read()?;
        source.schema(&file.schema, SCHEMA)?;
        let hours = file.hours.read(&source)?;
        let sections: Vec<SectionRule> = file
            .section
            .into_iter()
            .map(|(name, section)| section.read(name.into_inner(), &source))
            .collect::<Result<_, _>>()?;
        if !sections.iter().any(|section| section.reasons.is_none()) {
            let why = "no [section] is part of every request: one of them must have no `reasons`";
            return Err(source.fault(0..0, why));
        }
        let people = file.person.into_iter().map(|(name, person)| {
            let own = valid_name(&source, &name)?;
            let person = person.read(&own, &hours, &source)?;
            Ok((own, person))
        });
        Ok(Self {
            working_hours: source.within(&file.deadline.working_hours, "working_hours", 1..=200)?,
            escalate_percent: source.within(&file.deadline.escalate_percent, "escalate_percent", 1..=100)?,
            recall_seconds: source.within(&file.recall.seconds, "seconds", 0..=3_600)?,
            typed_above: source.within(&file.count.typed_above, "typed_above", 1..=u32::MAX)?,
            second: Second {
                recipients_above: source.within(&file.second.recipients_above, "recipients_above", 1..=u32::MAX)?,
                offer_cost_above: file.second.offer_cost_above.into_inner(),
                reasons: file.second.reasons,
            },
            trust: file.trust.read(&source)?,
            people: people.collect::<Result<_, PolicyError>>()?,
            hours,
            sections,
            version: Digest::of_bytes(text.as_bytes()),
        })
    }

    /// The content hash of the file.
    pub fn version(&self) -> Digest {
        self.version
    }

    /// When somebody works: their own hours, or everybody's.
    pub(crate) fn hours_of(&self, name: &str) -> &WorkingHours {
        self.people.get(name).map_or(&self.hours, |person| &person.hours)
    }
}

impl SectionFile {
    fn read(self, name: String, source: &Source<'_>) -> Result<SectionRule, PolicyError> {
        let names = |found: &[Spanned<String>]| -> Result<BTreeSet<String>, PolicyError> {
            found.iter().map(|name| valid_name(source, name)).collect()
        };
        Ok(SectionRule {
            name,
            owner: self.owner,
            reasons: self.reasons,
            signers: names(&self.signers)?,
            escalate_to: names(&self.escalate_to)?,
        })
    }
}

impl HoursFile {
    fn read(&self, source: &Source<'_>) -> Result<WorkingHours, PolicyError> {
        let hours = WorkingHours {
            zone: zone(source, &self.zone)?,
            days: days(source, &self.days)?,
            from: time(source, &self.from)?,
            until: time(source, &self.until)?,
            away: Vec::new(),
        };
        in_order(source, &hours, &self.until)?;
        Ok(hours)
    }
}

impl PersonFile {
    fn read(&self, name: &str, usual: &WorkingHours, source: &Source<'_>) -> Result<Person, PolicyError> {
        let away = self.away.iter().map(|away| {
            let absence = Absence { from: date(source, &away.from)?, until: date(source, &away.until)? };
            if absence.until < absence.from {
                return Err(source.fault(away.until.span(), "an absence ends before it begins"));
            }
            Ok(absence)
        });
        let hours = WorkingHours {
            zone: self.zone.as_ref().map_or_else(|| Ok(usual.zone.clone()), |found| zone(source, found))?,
            days: self.days.as_ref().map_or_else(|| Ok(usual.days.clone()), |found| days(source, found))?,
            from: self.from.as_ref().map_or(Ok(usual.from), |found| time(source, found))?,
            until: self.until.as_ref().map_or(Ok(usual.until), |found| time(source, found))?,
            away: away.collect::<Result<_, PolicyError>>()?,
        };
        if let Some(found) = self.until.as_ref().or(self.from.as_ref()) {
            in_order(source, &hours, found)?;
        }
        let delegate =
            self.delegate.as_ref().map(|found| Ok((valid_name(source, found)?, found.span()))).transpose()?;
        if let Some((delegate, span)) = &delegate
            && delegate == name
        {
            return Err(source.fault(span.clone(), format!("{name} cannot stand in for {name}")));
        }
        Ok(Person { hours, delegate: delegate.map(|(name, _)| name) })
    }
}

/// A person's name as principals have it.
fn valid_name(source: &Source<'_>, found: &Spanned<String>) -> Result<String, PolicyError> {
    match Principal::person(found.get_ref(), Role::Approver) {
        Some(Principal::User { name, .. }) => Ok(name),
        Some(Principal::Flow { .. } | Principal::System) | None => {
            Err(source.fault(found.span(), format!("`{}` is no person's name", found.get_ref())))
        }
    }
}

fn zone(source: &Source<'_>, found: &Spanned<String>) -> Result<TimeZone, PolicyError> {
    TimeZone::get(found.get_ref())
        .map_err(|_| source.fault(found.span(), format!("`{}` is no time zone such as Europe/Dublin", found.get_ref())))
}

fn time(source: &Source<'_>, found: &Spanned<String>) -> Result<Time, PolicyError> {
    let text = found.get_ref();
    // Without seconds: nobody's day begins at 09:00:01.
    let time = (text.len() == 5).then(|| text.parse().ok()).flatten();
    time.ok_or_else(|| source.fault(found.span(), format!("`{text}` is no time of day such as 09:00")))
}

fn date(source: &Source<'_>, found: &Spanned<String>) -> Result<Date, PolicyError> {
    let text = found.get_ref();
    text.parse().map_err(|_| source.fault(found.span(), format!("`{text}` is no day such as 2026-12-24")))
}

fn days(source: &Source<'_>, found: &Spanned<Vec<Day>>) -> Result<Vec<Weekday>, PolicyError> {
    if found.get_ref().is_empty() {
        return Err(source.fault(found.span(), "somebody who works on no day decides nothing"));
    }
    let weekday = |day: &Day| match day {
        Day::Monday => Weekday::Monday,
        Day::Tuesday => Weekday::Tuesday,
        Day::Wednesday => Weekday::Wednesday,
        Day::Thursday => Weekday::Thursday,
        Day::Friday => Weekday::Friday,
        Day::Saturday => Weekday::Saturday,
        Day::Sunday => Weekday::Sunday,
    };
    Ok(found.get_ref().iter().map(weekday).collect())
}

fn in_order(source: &Source<'_>, hours: &WorkingHours, found: &Spanned<String>) -> Result<(), PolicyError> {
    if hours.from < hours.until {
        return Ok(());
    }
    Err(source
        .fault(found.span(), format!("working hours from {} until {} end before they begin", hours.from, hours.until)))
}
