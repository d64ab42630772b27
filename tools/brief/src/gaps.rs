//! What is missing in a brief, what can be assumed, and how closely people must look.

use jiff::Timestamp;
use kit::campaign::{
    Angle, Brief, ExclusionReason, FailureMeasure, FailureMetric, Gap, GapKind, OfferChoice, Predicate, Risk, RiskTier,
    Setting, Stage, SuccessMeasure, SuccessMetric, VipTreatment,
};
use kit::message::Channel;

use crate::desk::{Figures, Rung, ShopFacts, ShownProduct};
use crate::standing;

/// Share of the audience held out when nobody said.
const USUAL_HOLDOUT: u8 = 10;
/// Below this many recipients a campaign teaches nothing.
const FEW: u32 = 50;

/// Settings for what nobody said, each with its words and what flipping sets. The order is that of the brief.
pub(crate) fn usual(brief: &Brief, facts: &ShopFacts) -> Vec<(String, Setting, Option<Setting>)> {
    let mut usual = Vec::new();
    let won_back = for_lapsed(brief);
    if brief.success.is_none() {
        let measure = if won_back { SuccessMeasure::Reactivations } else { SuccessMeasure::MarginPerRecipient };
        let metric = |measure| Setting::Success(Some(SuccessMetric { measure, within_days: 14 }));
        let text = format!("success is {}, against the holdout", measure.words());
        usual.push((text, metric(measure), Some(metric(SuccessMeasure::RevenuePerRecipient))));
    }
    if brief.failure.is_none() {
        let metric = |measure, above_per_mille| Setting::Failure(Some(FailureMetric { measure, above_per_mille }));
        let (sets, other) = (metric(FailureMeasure::Unsubscribes, 5), metric(FailureMeasure::Complaints, 1));
        usual.push(("failure is more than 5 unsubscribes per thousand".to_owned(), sets, Some(other)));
    }
    if brief.channels.is_empty() && facts.channels.contains(&Channel::Email) {
        let both = vec![Channel::Email, Channel::Sms];
        let other = facts.channels.contains(&Channel::Sms).then_some(Setting::Channels(both));
        usual.push((
            "e-mail only, since nobody spoke of SMS".to_owned(),
            Setting::Channels(vec![Channel::Email]),
            other,
        ));
    }
    if brief.version == 0 && brief.holdout_percent == 0 {
        let text = format!("{USUAL_HOLDOUT} % are held out, to measure the effect");
        usual.push((text, Setting::Holdout(USUAL_HOLDOUT), Some(Setting::Holdout(0))));
    }
    if brief.angles.is_empty() {
        let first = if won_back { Angle::Comeback } else { Angle::Occasion };
        let sets = vec![first, Angle::Benefit, Angle::Advice, Angle::Review];
        let other = vec![first, Angle::NewArrivals, Angle::Advice, Angle::Review];
        let text = "four angles, the benefit among them, rather than new arrivals".to_owned();
        usual.push((text, Setting::Angles(sets), Some(Setting::Angles(other))));
    }
    if brief.languages.is_empty() {
        let own = facts.languages.iter().take(1).cloned().collect::<Vec<_>>();
        let other = (facts.languages.len() > 1).then_some(Setting::Languages(own));
        usual.push((
            "in every language the shop writes".to_owned(),
            Setting::Languages(facts.languages.clone()),
            other,
        ));
    }
    usual
}

fn for_lapsed(brief: &Brief) -> bool {
    let lapsed = |p: &Predicate| matches!(p, Predicate::Stage { any } if any.iter().any(|s| matches!(s, Stage::Lapsed | Stage::AtRisk)));
    brief.audience.include.iter().any(lapsed)
}

/// What the shop knows of the products in the brief, in its order.
pub(crate) type Shown = Vec<Option<ShownProduct>>;

/// Everything missing or contradictory, what blocks first.
pub(crate) fn gaps(brief: &Brief, facts: &ShopFacts, figures: &Figures, shown: &Shown, now: Timestamp) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut gap = |kind, blocks, text: String| gaps.push(Gap { kind, text, blocks });
    for (constraint, what) in standing::broken(brief, facts) {
        gap(GapKind::Contradiction, true, format!("{} stands, and {what}", constraint.words()));
    }
    if brief.objective.is_none() {
        gap(GapKind::Objective, true, "what should it achieve?".to_owned());
    }
    if brief.audience.is_empty() {
        gap(GapKind::Audience, true, "whom is it for?".to_owned());
    }
    if brief.vip == VipTreatment::Unstated
        && let Some(constraint) = brief.speaks_of_vips().next()
    {
        let text = format!(
            "C{} (\"{}\"): do VIPs get no message at all (excluded), or the message without the offer (undiscounted)?",
            constraint.id, constraint.quote
        );
        gap(GapKind::Vip, true, text);
    }
    offer(brief, facts, &mut gap);
    if brief.products.is_empty() {
        gap(GapKind::Products, true, "which products?".to_owned());
    }
    if brief.channels.is_empty() {
        gap(GapKind::Channels, true, "over which channel?".to_owned());
    }
    let today = now.to_zoned(facts.zone.clone()).date();
    match &brief.schedule {
        None => gap(GapKind::Schedule, true, "on which day does it leave?".to_owned()),
        Some(schedule) if schedule.not_after < today => {
            gap(GapKind::Schedule, true, format!("{} has passed: on which day does it leave?", schedule.on));
        }
        Some(_) => {}
    }
    if brief.success.is_none() {
        gap(GapKind::Success, true, "which one figure says that it worked?".to_owned());
    }
    if brief.failure.is_none() {
        gap(GapKind::Failure, true, "which one figure says that it did harm?".to_owned());
    }
    if brief.owner.is_none() {
        gap(GapKind::Owner, true, "who answers for it?".to_owned());
    }
    data(brief, facts, figures, shown, &mut gap);
    gaps.sort_by_key(|gap| !gap.blocks);
    gaps
}

fn offer(brief: &Brief, facts: &ShopFacts, gap: &mut impl FnMut(GapKind, bool, String)) {
    let steps = || facts.ladder.iter().map(|rung| rung.step.as_str()).collect::<Vec<_>>().join(", ");
    match (&brief.offer.choice, &brief.offer.beyond_ladder) {
        (OfferChoice::Undecided, Some(asked)) => gap(
            GapKind::Offer,
            true,
            format!(
                "\"{asked}\" is beyond the ladder ({}): take a step of it or none, or have a person change the ladder first",
                steps()
            ),
        ),
        (OfferChoice::Undecided, None) => {
            gap(GapKind::Offer, true, format!("an offer or none? The ladder has {}", steps()))
        }
        (OfferChoice::Step { step }, _) if rung(facts, step).is_none() => {
            gap(GapKind::Offer, true, format!("{step} is not on the ladder any more; it has {}", steps()));
        }
        (OfferChoice::Step { .. } | OfferChoice::None, _) => {}
    }
}

fn data(
    brief: &Brief,
    facts: &ShopFacts,
    figures: &Figures,
    shown: &Shown,
    gap: &mut impl FnMut(GapKind, bool, String),
) {
    let discounted = match &brief.offer.choice {
        OfferChoice::Step { step } => rung(facts, step).is_some_and(|rung| rung.percent.is_some()),
        OfferChoice::Undecided | OfferChoice::None => false,
    };
    for (product, shown) in brief.products.iter().zip(shown) {
        let id = &product.product;
        match shown {
            None => gap(GapKind::Data, true, format!("{id} is no longer sold: choose another")),
            Some(shown) if !shown.in_stock => gap(GapKind::Data, true, format!("{id} is sold out: choose another")),
            Some(shown) if discounted && !shown.cost_known => {
                gap(GapKind::Data, false, format!("{id} has no cost on file: no discount can be granted on it"));
            }
            Some(_) => {}
        }
    }
    let Some(audience) = &figures.audience else { return };
    if audience.recipients == 0 {
        return gap(GapKind::Audience, true, "nobody would get a message: widen the audience".to_owned());
    }
    if audience.recipients < FEW {
        gap(GapKind::Data, false, format!("only {} recipients: too few to learn from", audience.recipients));
    }
    let without = audience.excluded.iter().find(|e| e.reason == ExclusionReason::NoConsent).map_or(0, |e| e.people);
    if without.saturating_mul(2) > audience.matched {
        gap(GapKind::Data, false, format!("{without} of {} people agreed to none of the channels", audience.matched));
    }
}

fn rung<'a>(facts: &'a ShopFacts, step: &kit::OfferStepId) -> Option<&'a Rung> {
    facts.ladder.iter().find(|rung| rung.step == *step)
}

/// How closely people must look, and why.
pub(crate) fn risk(brief: &Brief, facts: &ShopFacts, figures: &Figures) -> Risk {
    let mut reasons = Vec::new();
    let mut tier = RiskTier::Low;
    let mut found = |level: RiskTier, reason: String| {
        tier = tier.max(level);
        reasons.push(reason);
    };
    if figures.audience.as_ref().is_some_and(|a| a.vips > 0) {
        found(RiskTier::High, "VIPs are among the recipients".to_owned());
    }
    for product in &brief.products {
        if let Some(kind) = &product.regulated {
            found(RiskTier::High, format!("{} is regulated ({kind})", product.product));
        }
    }
    if let OfferChoice::Step { step } = &brief.offer.choice {
        match rung(facts, step) {
            Some(rung) if rung.needs_approval => {
                found(RiskTier::High, format!("the ladder wants a person to see {step}"))
            }
            Some(_) | None => found(RiskTier::Medium, format!("it offers {step}")),
        }
    }
    if for_lapsed(brief) {
        found(RiskTier::Medium, "it goes to people who left once".to_owned());
    }
    Risk { tier, reasons }
}
