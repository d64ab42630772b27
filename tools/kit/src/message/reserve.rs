//! `Cleared → Reserved`: the last look at the world, in the transaction that inserts the ledger row.

use std::collections::BTreeSet;
use std::fmt;

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::clearance::{ApprovalRecord, Envelope, counts};
use super::draft::{Channel, Outgoing};
use super::hold::Hold;
use super::hours::OpenHours;
use crate::digest::Digest;
use crate::ids::{CampaignId, FlowId, ShopId};
use crate::phone::Destination;

/// What makes a send the same send: shop, normalised destination, channel, flow, occasion, step number. Never the run,
/// the content or the release, so that no retry, replay or new release can write twice about one occasion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DedupeKey(Digest);

impl DedupeKey {
    /// The key of one message.
    pub fn new(shop: &ShopId, to: impl Into<Destination>, flow: &FlowId, occasion: &str, step: u32) -> Self {
        let to = to.into();
        Self(Digest::of_parts([
            shop.as_str(),
            &to.normalised(),
            to.channel().as_str(),
            flow.as_str(),
            occasion,
            &step.to_string(),
        ]))
    }

    /// What stands in an approval that a campaign has used: no message's own key.
    pub fn of_campaign(shop: &ShopId, campaign: &CampaignId) -> Self {
        Self(Digest::of_parts([shop.as_str(), "campaign-approval", campaign.as_str()]))
    }
}

impl fmt::Display for DedupeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for DedupeKey {
    type Err = crate::digest::InvalidDigest;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What the consent record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// A stored opt-in with time, source and wording.
    Subscribed,
    /// Never asked or never answered.
    None,
    /// Taken back. Absolute.
    Withdrawn,
}

/// Hours in which nothing is sent, in the recipient's own zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First quiet hour, 0-23.
    pub from: i8,
    /// First hour that is not quiet, 0-23.
    pub to: i8,
}

impl QuietHours {
    /// When the quiet ends, if `now` is quiet in `zone`.
    pub fn until(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = now.to_zoned(zone.clone());
        let hour = local.hour();
        let quiet = if self.from <= self.to {
            (self.from..self.to).contains(&hour)
        } else {
            hour >= self.from || hour < self.to
        };
        if !quiet {
            return None;
        }
        let day = if hour < self.to { local.date() } else { local.date().checked_add(Span::new().days(1)).ok()? };
        // On the day clocks change this hour may not exist; jiff then takes the next instant that does.
        day.at(self.to, 0, 0, 0).to_zoned(zone.clone()).ok().map(|z| z.timestamp())
    }
}

/// What the database says about the person and the world, read in the reserving transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReserveEvidence {
    /// A kill switch that is on: its scope in words.
    pub kill: Option<String>,
    /// The person asked to be forgotten.
    pub erased: bool,
    /// The run was called off and has not read it yet.
    pub cancelled: Option<String>,
    /// Digest of the person's address on this channel as it is now; `None` when there is none any more.
    pub audience: Option<Digest>,
    /// Consent for this channel.
    pub consent: ConsentState,
    /// Bounced, complained or blocked: the reason.
    pub suppressed: Option<String>,
    /// Support tickets that are open.
    pub open_tickets: u32,
    /// An order placed after the trigger that makes this message pointless.
    pub bought_since: Option<Timestamp>,
    /// In the holdout group.
    pub holdout: bool,
    /// Times of marketing sends within the last seven days, this shop, all channels.
    pub recent_sends: Vec<Timestamp>,
    /// Cap per 24 hours.
    pub cap_day: u32,
    /// Cap per 7 days.
    pub cap_week: u32,
    /// The shop's quiet hours.
    pub quiet: QuietHours,
    /// The hours in which the law lets a text message arrive where this person is; `None` for mail.
    pub open: Option<OpenHours>,
    /// The recipient's zone.
    pub zone: TimeZone,
    /// The approval as it is now, when one cleared the message.
    pub approval: Option<ApprovalRecord>,
    /// Until when that approval can still be recalled: nothing leaves with it before.
    pub recallable_until: Option<Timestamp>,
    /// The content rules as they are now.
    pub rules: Digest,
    /// Cited facts whose value is another one now, in words.
    pub changed_facts: Vec<String>,
}

/// Whether a customer belongs to the shop's permanent holdout group: `hash(shop, customer) mod 10,000` below the share
/// (reference/marketing-science.md section 6). Independent of flow, release and time, so that assignment never moves.
pub fn in_holdout(shop: &ShopId, customer: &crate::CustomerId, percent: u32) -> bool {
    let digest = Digest::of_parts([shop.as_str(), "holdout", customer.as_str()]);
    let hex = digest.to_string();
    let bucket = u64::from_str_radix(hex.get(..12).unwrap_or("0"), 16).unwrap_or(0) % 10_000;
    bucket < u64::from(percent) * 100
}

/// Compares the evidence with what was cleared. The order is the order in which people want to hear it: the person's own
/// will first, then the world, then our limits, then the clock. `needs_approval` names the terms that must have been signed
/// and what may have used the signature.
pub(super) fn judge(
    envelope: &Envelope,
    authors: &BTreeSet<String>,
    needs_approval: Option<(Digest, DedupeKey)>,
    evidence: &ReserveEvidence,
    now: Timestamp,
) -> Result<(), Hold> {
    let e = evidence;
    if e.erased {
        return Err(Hold::Erased);
    }
    if let Some(reason) = &e.cancelled {
        return Err(Hold::Cancelled { reason: reason.clone() });
    }
    if e.audience != Some(envelope.audience) {
        return Err(Hold::OtherAudience);
    }
    match e.consent {
        ConsentState::Subscribed => {}
        ConsentState::None => return Err(Hold::NoConsent),
        ConsentState::Withdrawn => return Err(Hold::Withdrawn),
    }
    if let Some(reason) = &e.suppressed {
        return Err(Hold::Suppressed { reason: reason.clone() });
    }
    if let Some(scope) = &e.kill {
        return Err(Hold::Killed { scope: scope.clone() });
    }
    if let Some(at) = e.bought_since {
        return Err(Hold::Bought { at });
    }
    if e.open_tickets > 0 {
        return Err(Hold::TicketOpen { count: e.open_tickets });
    }
    if e.holdout {
        return Err(Hold::Holdout);
    }
    if envelope.not_after <= now {
        return Err(Hold::WindowClosed { not_after: envelope.not_after });
    }
    if e.rules != envelope.rules {
        return Err(Hold::RulesChanged);
    }
    if !e.changed_facts.is_empty() {
        return Err(Hold::FactsChanged { what: e.changed_facts.clone() });
    }
    if let Some((terms, own)) = needs_approval {
        let record = e.approval.as_ref().ok_or_else(|| Hold::ApprovalVoid { why: "it is gone".to_owned() })?;
        counts(record, terms, authors, now).map_err(|why| Hold::ApprovalVoid { why: why.to_string() })?;
        // A row that was reserved and is taken up again has used its approval itself.
        if record.used_by.is_some_and(|by| by != own) {
            return Err(Hold::ApprovalVoid { why: "it was used already".to_owned() });
        }
        if let Some(until) = e.recallable_until.filter(|until| *until > now) {
            return Err(Hold::Recallable { until });
        }
    }
    cap(e, now)?;
    // A text message whose hours nobody knows is never in them.
    let closed = match (envelope.channel, e.open) {
        (Channel::Email, _) => None,
        (Channel::Sms, Some(hours)) => hours.closed_until(now, &e.zone),
        (Channel::Sms, None) => Some(envelope.not_after),
    };
    match e.quiet.until(now, &e.zone).max(closed) {
        Some(until) => Err(Hold::Quiet { until }),
        None => Ok(()),
    }
}

fn cap(evidence: &ReserveEvidence, now: Timestamp) -> Result<(), Hold> {
    for (hours, cap, window) in [(24, evidence.cap_day, "24 h"), (24 * 7, evidence.cap_week, "7 d")] {
        let span = Span::new().hours(hours);
        let Ok(since) = now.checked_sub(span) else { continue };
        let mut inside: Vec<Timestamp> = evidence.recent_sends.iter().copied().filter(|at| *at > since).collect();
        inside.sort();
        if inside.len() >= cap as usize {
            // A slot frees when the oldest send that still fills the cap leaves the window.
            let frees = inside
                .len()
                .checked_sub(cap as usize)
                .and_then(|i| inside.get(i))
                .and_then(|at| at.checked_add(span).ok());
            return Err(Hold::Capped { cap, window: window.to_owned(), until: frees.unwrap_or(now) });
        }
    }
    Ok(())
}

/// Where a send stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SendState {
    /// The row exists; the ESP has not answered yet.
    Reserved,
    /// The ESP has it.
    Sent {
        /// The ESP's own id or the file's name.
        provider_id: String,
        /// When it was accepted.
        at: Timestamp,
    },
    /// Nobody knows whether the ESP has it. Never sent again by itself.
    Unknown {
        /// What happened.
        why: String,
    },
    /// The ESP refused it for good.
    Refused {
        /// Why.
        why: String,
    },
}

impl SendState {
    /// The name in tables.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Sent { .. } => "sent",
            Self::Unknown { .. } => "unknown",
            Self::Refused { .. } => "refused",
        }
    }
}

/// A message with its ledger row: the only thing an adapter takes. Made by [`super::Ledger`] only; no `Clone`, no
/// `Deserialize`.
#[derive(Debug)]
pub struct Reserved {
    pub(super) key: DedupeKey,
    /// When an earlier ESP call for it began, as read with the row.
    pub(super) attempted_at: Option<Timestamp>,
    pub(super) channel: Channel,
    pub(super) message: Outgoing,
}

impl Reserved {
    /// The key the ESP deduplicates by.
    pub fn key(&self) -> DedupeKey {
        self.key
    }
    /// How it travels.
    pub fn channel(&self) -> Channel {
        self.channel
    }
    /// Exactly what goes out.
    pub fn message(&self) -> &Outgoing {
        &self.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_end_in_the_recipients_zone_also_when_clocks_change() {
        let quiet = QuietHours { from: 21, to: 8 };
        let dublin = TimeZone::get("Europe/Dublin").unwrap();
        let at = |t: &str| t.parse::<Timestamp>().unwrap();
        assert_eq!(quiet.until(at("2026-07-01T12:00:00Z"), &dublin), None);
        assert_eq!(quiet.until(at("2026-07-01T20:30:00Z"), &dublin), Some(at("2026-07-02T07:00:00Z")));
        assert_eq!(quiet.until(at("2026-01-05T03:00:00Z"), &dublin), Some(at("2026-01-05T08:00:00Z")));
        // The night of 25 October 2026: clocks go back, the quiet lasts an hour longer.
        assert_eq!(quiet.until(at("2026-10-24T23:30:00Z"), &dublin), Some(at("2026-10-25T08:00:00Z")));
        let honolulu = TimeZone::get("Pacific/Honolulu").unwrap();
        assert_eq!(quiet.until(at("2026-07-01T12:00:00Z"), &honolulu), Some(at("2026-07-01T18:00:00Z")));
    }
}
