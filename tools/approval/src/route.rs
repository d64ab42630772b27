//! The way of one request: which sections it has, who may sign each now, how many people it takes, and by when. Pure.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kit::Money;
use kit::message::RiskReason;
use serde::Serialize;

use crate::policy::{ApprovalPolicy, SectionRule, named};

/// What the policy is told about a request.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Why a person must look.
    pub reasons: &'a [RiskReason],
    /// How many people get it.
    pub recipients: u32,
    /// The most its offer may cost in all, when it is known.
    pub offer_cost: Option<Money>,
    /// Since when it waits.
    pub asked_at: Timestamp,
    /// When it lapses at the latest, whatever hours people keep.
    pub last: Timestamp,
}

/// Why a name may sign a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum Standing {
    /// It is theirs.
    Owner,
    /// They stand in for somebody who is away.
    StandIn {
        /// For whom.
        of: String,
        /// Until which day.
        until: String,
    },
    /// Nobody decided in time.
    Escalated,
}

/// Somebody who may sign a section now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// Their name.
    pub name: String,
    /// Why.
    #[serde(flatten)]
    pub standing: Standing,
}

/// A part of a request that an owner signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its name, such as `claims`.
    pub name: String,
    /// Who owns it, such as `legal`.
    pub owner: String,
    /// Codes of the reasons for which it is part of this request; empty when it always is.
    pub because: Vec<String>,
    /// Who may sign it now; empty means everybody who may approve.
    pub signers: Vec<Signer>,
}

/// What it takes to approve a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// What must be signed.
    pub sections: Vec<Section>,
    /// How many different people must have signed.
    pub people: u32,
    /// Why more than one, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_because: Option<String>,
    /// How many recipients the approver must type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typed_count: Option<u32>,
    /// When it is escalated.
    pub escalates_at: Timestamp,
    /// When it lapses, in the working hours of those who may sign.
    pub decide_by: Timestamp,
    /// True when it is escalated now.
    pub escalated: bool,
}

/// A signature that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The section.
    pub section: String,
    /// Who.
    pub signer: String,
    /// Why they may, in words: `owner`, `for lena`, `escalated`.
    pub standing: String,
    /// When.
    pub at: Timestamp,
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// None of what is missing is theirs.
    #[error("{who} may not sign {}; {}", .sections.join(", "), .who_may.join("; "))]
    NotTheirs {
        /// Who tried.
        who: String,
        /// What is missing.
        sections: Vec<String>,
        /// Who may, by section, in words.
        who_may: Vec<String>,
    },
    /// They have signed already, and somebody else must.
    #[error("{who} has signed; it still takes {}", .missing.join(" and "))]
    Again {
        /// Who tried.
        who: String,
        /// What is missing, in words.
        missing: Vec<String>,
    },
    /// They did not type how many people get it.
    #[error("it goes to {recipients} people: type that number to approve it (--count {recipients})")]
    NoCount {
        /// How many they are.
        recipients: u32,
    },
    /// They typed another number.
    #[error("it goes to {recipients} people, not to {typed}; look again before you approve it")]
    OtherCount {
        /// How many they are.
        recipients: u32,
        /// What was typed.
        typed: u32,
    },
}

impl ApprovalPolicy {
    /// The way of a request as it is now.
    pub fn route(&self, ask: &Ask<'_>, now: Timestamp) -> Route {
        let work = SignedDuration::from_hours(i64::from(self.working_hours));
        let share =
            SignedDuration::from_mins(i64::from(self.working_hours) * 60 * i64::from(self.escalate_percent) / 100);
        let rules: Vec<(&SectionRule, Vec<String>)> =
            self.sections.iter().filter_map(|rule| Some((rule, because(rule, ask)?))).collect();
        // The last of the sections decides; within one, whoever gets to it first.
        let by = |work| {
            let ends: Option<Vec<_>> = rules.iter().map(|(rule, _)| self.signed_by(rule, ask.asked_at, work)).collect();
            // Hours that never come: the request lapses with its message, which the caller knows.
            ends.and_then(|ends| ends.into_iter().max()).unwrap_or(Timestamp::MAX)
        };
        let decide_by = by(work).min(ask.last);
        let escalates_at =
            Some(by(share)).filter(|at| *at < decide_by).unwrap_or_else(|| self.share_of(ask, decide_by));
        let escalated = escalates_at <= now;
        let second_because = self.second(ask);
        Route {
            sections: rules
                .iter()
                .map(|(rule, because)| Section {
                    name: rule.name.clone(),
                    owner: rule.owner.clone(),
                    because: because.clone(),
                    signers: self.signers(rule, escalated, now),
                })
                .collect(),
            people: if second_because.is_some() { 2 } else { 1 },
            second_because,
            typed_count: (ask.recipients > self.typed_above).then_some(ask.recipients),
            escalates_at,
            decide_by,
            escalated,
        }
    }

    /// The escalation's share of the time that there is, where working hours come too late for it.
    fn share_of(&self, ask: &Ask<'_>, decide_by: Timestamp) -> Timestamp {
        let seconds = decide_by.duration_since(ask.asked_at).as_secs() / 100 * i64::from(self.escalate_percent);
        ask.asked_at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(decide_by)
    }

    /// When the first of a section's signers has worked for so long since it was asked; `None` when nobody ever has.
    fn signed_by(&self, rule: &SectionRule, asked_at: Timestamp, work: SignedDuration) -> Option<Timestamp> {
        if rule.signers.is_empty() {
            return self.hours.after(asked_at, work);
        }
        let stand_ins =
            rule.signers.iter().filter_map(|name| self.stand_in(name, asked_at).map(|(delegate, _)| delegate));
        let names = rule.signers.iter().chain(stand_ins);
        names.filter_map(|name| self.hours_of(name).after(asked_at, work)).min()
    }

    /// Who stands in for somebody who is away, and until when. Of one who is away too, nobody.
    fn stand_in(&self, name: &str, now: Timestamp) -> Option<(&String, jiff::civil::Date)> {
        let person = self.people.get(name)?;
        let until = person.hours.away_until(now)?;
        let delegate = person.delegate.as_ref()?;
        self.hours_of(delegate).away_until(now).is_none().then_some((delegate, until))
    }

    fn signers(&self, rule: &SectionRule, escalated: bool, now: Timestamp) -> Vec<Signer> {
        let mut signers: Vec<Signer> = Vec::new();
        let mut add = |name: &str, standing: Standing| {
            if !signers.iter().any(|signer| signer.name == name) {
                signers.push(Signer { name: name.to_owned(), standing });
            }
        };
        rule.signers.iter().for_each(|name| add(name, Standing::Owner));
        for (name, (delegate, until)) in rule.signers.iter().filter_map(|name| Some((name, self.stand_in(name, now)?)))
        {
            add(delegate, Standing::StandIn { of: name.clone(), until: until.to_string() });
        }
        // Where everybody may sign there is nobody to escalate to.
        if escalated && !rule.signers.is_empty() {
            rule.escalate_to.iter().for_each(|name| add(name, Standing::Escalated));
        }
        signers
    }

    /// Why two people must sign, in words.
    fn second(&self, ask: &Ask<'_>) -> Option<String> {
        let second = &self.second;
        if ask.recipients > second.recipients_above {
            return Some(format!("it goes to {} people, more than {}", ask.recipients, second.recipients_above));
        }
        // A cost in another currency cannot be compared, and is no reason to look less.
        let limit = second.offer_cost_above;
        if let Some(cost) = ask.offer_cost.filter(|cost| cost.currency != limit.currency || cost.minor > limit.minor) {
            return Some(format!("its offer may cost {cost}, more than {limit}"));
        }
        let reason = ask.reasons.iter().find(|reason| named(&second.reasons, &reason.code))?;
        Some(format!("of {}", reason.code))
    }
}

/// Why a section is part of a request; `None` when it is not.
fn because(rule: &SectionRule, ask: &Ask<'_>) -> Option<Vec<String>> {
    let Some(patterns) = &rule.reasons else { return Some(Vec::new()) };
    let codes: BTreeSet<String> =
        ask.reasons.iter().filter(|reason| named(patterns, &reason.code)).map(|reason| reason.code.clone()).collect();
    (!codes.is_empty()).then(|| codes.into_iter().collect())
}

impl Section {
    /// Why this person may sign it, if they may. Whether they may approve at all is asked elsewhere.
    fn standing(&self, who: &str) -> Option<Standing> {
        if self.signers.is_empty() {
            return Some(Standing::Owner);
        }
        self.signers.iter().find(|signer| signer.name == who).map(|signer| signer.standing.clone())
    }

    /// Who may sign it, in words.
    pub fn who_may(&self) -> String {
        if self.signers.is_empty() {
            return "anybody who may approve".to_owned();
        }
        let words = |signer: &Signer| match &signer.standing {
            Standing::Owner => signer.name.clone(),
            Standing::StandIn { of, until } => format!("{} (for {of}, away until {until})", signer.name),
            Standing::Escalated => format!("{} (escalated)", signer.name),
        };
        self.signers.iter().map(words).collect::<Vec<_>>().join(", ")
    }
}

impl Route {
    /// What this person signs with one act, at `now`: every section that is theirs and not signed yet, or, when only another
    /// person is missing, every section that is theirs.
    ///
    /// # Errors
    /// [`NotSigned`]: nothing that is missing is theirs, they have signed already, or they did not type the right count.
    pub fn sign(
        &self,
        who: &str,
        given: &[Signature],
        typed: Option<u32>,
        now: Timestamp,
    ) -> Result<Vec<Signature>, NotSigned> {
        let open = |section: &&Section| !given.iter().any(|signature| signature.section == section.name);
        let theirs: Vec<(&Section, Standing)> =
            self.sections.iter().filter_map(|section| Some((section, section.standing(who)?))).collect();
        let mut mine: Vec<_> = theirs.iter().filter(|(section, _)| open(section)).collect();
        let has_signed = given.iter().any(|signature| signature.signer == who);
        if mine.is_empty() && !has_signed && self.lacks_people(given) {
            mine = theirs.iter().collect();
        }
        if mine.is_empty() && has_signed {
            return Err(NotSigned::Again { who: who.to_owned(), missing: self.missing(given) });
        }
        if mine.is_empty() {
            let missing: Vec<&Section> = self.sections.iter().filter(open).collect();
            // Where all is signed and a second person lacks, any section's signer will do.
            let missing = if missing.is_empty() { self.sections.iter().collect() } else { missing };
            let may = missing.iter().map(|section| format!("{} is signed by {}", section.name, section.who_may()));
            let sections = missing.iter().map(|section| section.name.clone()).collect();
            return Err(NotSigned::NotTheirs { who: who.to_owned(), sections, who_may: may.collect() });
        }
        match (self.typed_count, typed) {
            (Some(recipients), None) => return Err(NotSigned::NoCount { recipients }),
            (Some(recipients), Some(typed)) if typed != recipients => {
                return Err(NotSigned::OtherCount { recipients, typed });
            }
            (Some(_), Some(_)) | (None, _) => {}
        }
        let signature = |(section, standing): &(&Section, Standing)| Signature {
            section: section.name.clone(),
            signer: who.to_owned(),
            standing: match standing {
                Standing::Owner => "owner".to_owned(),
                Standing::StandIn { of, .. } => format!("for {of}"),
                Standing::Escalated => "escalated".to_owned(),
            },
            at: now,
        };
        Ok(mine.into_iter().map(signature).collect())
    }

    /// What is still missing, in words; empty when it is approved.
    pub fn missing(&self, given: &[Signature]) -> Vec<String> {
        let open = self.sections.iter().filter(|section| !given.iter().any(|s| s.section == section.name));
        let mut missing: Vec<String> =
            open.map(|section| format!("{} ({}: {})", section.name, section.owner, section.who_may())).collect();
        if let Some(because) = &self.second_because
            && self.lacks_people(given)
            && (missing.is_empty() || given.is_empty())
        {
            missing.push(format!("a second person, because {because}"));
        }
        missing
    }

    /// True when these signatures approve it.
    pub fn is_signed(&self, given: &[Signature]) -> bool {
        self.missing(given).is_empty() && !self.lacks_people(given)
    }

    fn lacks_people(&self, given: &[Signature]) -> bool {
        let people: BTreeSet<&str> = given.iter().map(|signature| signature.signer.as_str()).collect();
        people.len() < self.people as usize
    }
}
