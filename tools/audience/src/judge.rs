//! Who gets a message of a brief, and why somebody does not.

use jiff::{SignedDuration, Timestamp};
use kit::campaign::{AudienceSpec, Brief, ExclusionReason, Predicate, VipTreatment};
use kit::message::Channel;
use kit::{CategoryId, CustomerId, Digest, Language, ShopId};

use crate::member::{Member, Policy, Reach};

/// What is asked of each member.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The shop.
    pub shop: &'a ShopId,
    /// What names the campaign for its holdout: the brief's id. The same person is in it today and tomorrow.
    pub campaign: &'a str,
    /// Whom it is for.
    pub audience: &'a AudienceSpec,
    /// What VIPs get.
    pub vip: VipTreatment,
    /// Channels in order of preference. None: no channel is asked for yet, and everyone counts as reachable.
    pub channels: &'a [Channel],
    /// Languages it is written in. None: not decided yet, any will do.
    pub languages: &'a [Language],
    /// The campaign's own holdout, per cent.
    pub holdout_percent: u8,
    /// What the shop allows.
    pub policy: Policy,
    /// The time of asking.
    pub now: Timestamp,
}

impl<'a> Question<'a> {
    /// The question that a brief asks.
    pub fn of(shop: &'a ShopId, campaign: &'a str, brief: &'a Brief, policy: Policy, now: Timestamp) -> Self {
        Self {
            shop,
            campaign,
            audience: &brief.audience,
            vip: brief.vip,
            channels: &brief.channels,
            languages: &brief.languages,
            holdout_percent: brief.holdout_percent,
            policy,
            now,
        }
    }
}

/// What becomes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not of this audience.
    Outside,
    /// Of this audience, and gets no message.
    Excluded(ExclusionReason),
    /// Gets a message.
    Recipient {
        /// Over the first of the brief's channels that is open; nothing while no channel is decided.
        channel: Option<Channel>,
        /// The brief's offer may be in it: not for VIPs whom the brief leaves undiscounted.
        offered: bool,
    },
}

/// Judges one member. Reasons are looked at in the order of [`ExclusionReason`]: the brief's own first, then the person's
/// will, then the world, then our limits, so that one person has one reason and the numbers add up.
pub fn judge(question: &Question<'_>, member: &Member) -> Verdict {
    let holds = |predicate: &Predicate| holds(predicate, member, question.now);
    let audience = question.audience;
    if audience.include.is_empty() || !audience.include.iter().all(holds) {
        return Verdict::Outside;
    }
    if audience.exclude.iter().any(holds) {
        return Verdict::Excluded(ExclusionReason::Brief);
    }
    if member.vip && question.vip == VipTreatment::Excluded {
        return Verdict::Excluded(ExclusionReason::Vip);
    }
    let channel = match channel(question, member) {
        Ok(channel) => channel,
        Err(reason) => return Verdict::Excluded(reason),
    };
    match limits(question, member) {
        Some(reason) => Verdict::Excluded(reason),
        None => Verdict::Recipient { channel, offered: !(member.vip && question.vip == VipTreatment::Undiscounted) },
    }
}

fn channel(question: &Question<'_>, member: &Member) -> Result<Option<Channel>, ExclusionReason> {
    let mut suppressed = false;
    for channel in question.channels {
        match member.reach(*channel) {
            Reach::Open => return Ok(Some(*channel)),
            Reach::Suppressed => suppressed = true,
            Reach::Closed => {}
        }
    }
    match (question.channels.is_empty(), suppressed) {
        (true, _) => Ok(None),
        (false, true) => Err(ExclusionReason::Suppressed),
        (false, false) => Err(ExclusionReason::NoConsent),
    }
}

fn limits(question: &Question<'_>, member: &Member) -> Option<ExclusionReason> {
    let Question { shop, campaign, policy, now, .. } = question;
    if member.open_ticket {
        return Some(ExclusionReason::OpenTicket);
    }
    if policy.bought_within_days > 0 && member.last_order.is_some_and(|at| within(at, policy.bought_within_days, *now))
    {
        return Some(ExclusionReason::BoughtRecently);
    }
    if member.sent_day >= policy.cap_day || member.sent_week >= policy.cap_week {
        return Some(ExclusionReason::Cap);
    }
    if !question.languages.is_empty() && !question.languages.contains(&member.language) {
        return Some(ExclusionReason::Language);
    }
    let held_out = member.holdout || in_campaign_holdout(shop, campaign, &member.customer, question.holdout_percent);
    held_out.then_some(ExclusionReason::Holdout)
}

/// Whether a customer belongs to the holdout of one campaign: `hash(shop, campaign, customer) mod 10,000` below the share.
/// It depends on nothing that changes, so a count today and a send on Thursday hold out the same people.
pub fn in_campaign_holdout(shop: &ShopId, campaign: &str, customer: &CustomerId, percent: u8) -> bool {
    let digest = Digest::of_parts([shop.as_str(), "campaign-holdout", campaign, customer.as_str()]).to_string();
    let bucket = digest.get(..12).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0) % 10_000;
    bucket < u64::from(percent) * 100
}

fn holds(predicate: &Predicate, member: &Member, now: Timestamp) -> bool {
    let recent = |at: Timestamp, days: &Option<u32>| days.is_none_or(|days| within(at, days, now));
    match predicate {
        Predicate::Stage { any } => any.contains(&member.stage),
        Predicate::Vip => member.vip,
        Predicate::BoughtCategory { category, within_days } => {
            member.purchases.iter().any(|p| below(&p.category, category) && recent(p.at, within_days))
        }
        Predicate::BoughtProduct { product, within_days } => {
            member.purchases.iter().any(|p| p.product == *product && recent(p.at, within_days))
        }
        Predicate::BoughtWithin { days } => member.last_order.is_some_and(|at| within(at, *days, now)),
        Predicate::NeverBought => member.orders == 0,
        Predicate::OrdersAtLeast { orders } => member.orders >= *orders,
        Predicate::OrdersAtMost { orders } => member.orders <= *orders,
        Predicate::Browsed { category, within_days } => {
            member.views.iter().any(|v| below(&v.category, category) && recent(v.at, within_days))
        }
        Predicate::Language { any } => any.contains(&member.language),
        Predicate::Country { any } => {
            member.country.as_ref().is_some_and(|own| any.iter().any(|c| c.eq_ignore_ascii_case(own)))
        }
        Predicate::LoyaltyTier { any } => {
            member.loyalty_tier.as_ref().is_some_and(|own| any.iter().any(|t| t.eq_ignore_ascii_case(own)))
        }
        Predicate::Consent { channel } => member.reach(*channel) != Reach::Closed,
    }
}

/// The category itself or one below it.
fn below(category: &CategoryId, root: &CategoryId) -> bool {
    let rest = category.as_str().strip_prefix(root.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Not in the future, and not longer ago than so many days.
fn within(at: Timestamp, days: u32, now: Timestamp) -> bool {
    let passed = now.duration_since(at);
    passed >= SignedDuration::ZERO && passed <= SignedDuration::from_hours(24 * i64::from(days))
}
