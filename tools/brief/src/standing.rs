//! Holding a plan to what the marketer ruled.

use kit::CategoryId;
use kit::campaign::{Brief, Constraint, OfferChoice, Rule};

use crate::desk::ShopFacts;

/// Standing constraints that the plan breaks, each with what is in the way.
pub(crate) fn broken<'b>(brief: &'b Brief, facts: &ShopFacts) -> Vec<(&'b Constraint, String)> {
    brief
        .standing()
        .filter_map(|constraint| breaks(brief, &constraint.rule, facts).map(|what| (constraint, what)))
        .collect()
}

fn breaks(brief: &Brief, rule: &Rule, facts: &ShopFacts) -> Option<String> {
    match rule {
        Rule::Vip | Rule::Words => None,
        Rule::NoCategory { category } => {
            let shown = brief.products.iter().find(|p| below(&p.category, category))?;
            Some(format!("{} lies in {category}", shown.product))
        }
        Rule::NoProduct { product } => {
            brief.products.iter().any(|p| p.product == *product).then(|| format!("{product} is shown"))
        }
        Rule::NoChannel { channel } => {
            let used = brief.channels.contains(channel);
            used.then(|| format!("the channels hold {}", kit::campaign::words::channel_words(*channel)))
        }
        Rule::NoOffer => match &brief.offer.choice {
            OfferChoice::Step { step } => Some(format!("the offer is {step}")),
            OfferChoice::Undecided | OfferChoice::None => None,
        },
        Rule::AtMostPercent { percent } => {
            let OfferChoice::Step { step } = &brief.offer.choice else { return None };
            let rung = facts.ladder.iter().find(|rung| rung.step == *step)?;
            let deeper = rung.percent.is_some_and(|found| found > *percent);
            deeper.then(|| format!("the offer is {step}"))
        }
        Rule::NotBefore { day } => {
            let schedule = brief.schedule.as_ref()?;
            (schedule.on < *day).then(|| format!("it leaves on {}", schedule.on))
        }
        Rule::NotAfter { day } => {
            let schedule = brief.schedule.as_ref()?;
            (schedule.on.max(schedule.not_after) > *day).then(|| format!("it may leave until {}", schedule.not_after))
        }
    }
}

/// The last day that standing constraints allow.
pub(crate) fn last_day(brief: &Brief) -> Option<jiff::civil::Date> {
    let days = brief.standing().filter_map(|constraint| match constraint.rule {
        Rule::NotAfter { day } => Some(day),
        Rule::Vip
        | Rule::Words
        | Rule::NoCategory { .. }
        | Rule::NoProduct { .. }
        | Rule::NoChannel { .. }
        | Rule::NoOffer
        | Rule::AtMostPercent { .. }
        | Rule::NotBefore { .. } => None,
    });
    days.min()
}

/// The category itself or one below it.
fn below(category: &CategoryId, root: &CategoryId) -> bool {
    let rest = category.as_str().strip_prefix(root.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
