//! A brief in words. What people and models read is made here, so that a change reads the same in the terminal, in the
//! browser and in a prompt.
//!
//! Money is for people only: [`restate`] and [`Change::for_model`] leave it out.

use super::{
    Angle, Assumption, Brief, Change, Constraint, FailureMeasure, Field, Gap, LegalClass, OfferChoice, OfferCost,
    Predicate, RiskTier, Rule, Schedule, SendZone, Setting, Stage, SuccessMeasure, VipTreatment,
};
use crate::fence::ThirdParty;
use crate::message::Channel;

impl Stage {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "never bought",
            Self::FirstTime => "bought once, lately",
            Self::Active => "active",
            Self::Due => "due to buy again",
            Self::AtRisk => "at risk",
            Self::Lapsed => "lapsed",
            Self::Seasonal => "seasonal",
        }
    }
}

impl VipTreatment {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unstated => "not said",
            Self::Excluded => "excluded: no message",
            Self::Undiscounted => "the message without the offer",
            Self::Included => "like everybody, as far as the ladder allows",
        }
    }
}

impl SuccessMeasure {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::MarginPerRecipient => "contribution margin per recipient",
            Self::RevenuePerRecipient => "revenue per recipient",
            Self::Orders => "orders per thousand recipients",
            Self::SecondPurchases => "second purchases",
            Self::Reactivations => "lapsed customers who buy again",
            Self::UnitsOfProducts => "units sold of the products shown",
        }
    }
}

impl FailureMeasure {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unsubscribes => "unsubscribes per thousand delivered",
            Self::Complaints => "spam complaints per thousand delivered",
            Self::Returns => "returns per thousand orders",
            Self::DiscountedAnyway => "discounted orders that would have come anyway, per thousand orders",
        }
    }
}

impl Angle {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Occasion => "occasion",
            Self::Benefit => "benefit",
            Self::Advice => "advice",
            Self::Review => "review",
            Self::NewArrivals => "new arrivals",
            Self::Comeback => "comeback",
            Self::Offer => "offer",
            Self::Urgency => "urgency",
        }
    }
}

impl RiskTier {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Predicate {
    /// In words.
    pub fn words(&self) -> String {
        let within = |days: &Option<u32>| days.map(|d| format!(" within {d} days")).unwrap_or_default();
        match self {
            Self::Stage { any } => joined(any.iter().map(|s| s.words().to_owned()), " or "),
            Self::Vip => "VIP".to_owned(),
            Self::BoughtCategory { category: c, within_days } => format!("bought {c}{}", within(within_days)),
            Self::BoughtProduct { product, within_days } => format!("bought {product}{}", within(within_days)),
            Self::BoughtWithin { days } => format!("bought anything within {days} days"),
            Self::NeverBought => "never bought anything".to_owned(),
            Self::OrdersAtLeast { orders } => format!("at least {orders} orders"),
            Self::OrdersAtMost { orders } => format!("at most {orders} orders"),
            Self::Browsed { category: c, within_days } => format!("looked at {c}{}", within(within_days)),
            Self::Language { any } => format!("reads {}", joined(any.iter().map(ToString::to_string), " or ")),
            Self::Country { any } => format!("lives in {}", any.join(" or ")),
            Self::LoyaltyTier { any } => format!("tier {}", any.join(" or ")),
            Self::Consent { channel } => format!("agreed to {}", channel_words(*channel)),
        }
    }
}

impl OfferChoice {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Undecided => "not decided".to_owned(),
            Self::None => "no offer".to_owned(),
            Self::Step { step } => step.to_string(),
        }
    }
}

impl Schedule {
    /// In words: `Thu 3 Dec 2026 at 09:00 in each recipient's zone, not after Fri 4 Dec 2026`.
    pub fn words(&self) -> String {
        let day = |date: jiff::civil::Date| date.strftime("%a %-d %b %Y").to_string();
        let zone = match self.zone {
            SendZone::Recipient => "in each recipient's zone",
            SendZone::Shop => "in the shop's zone",
        };
        let said = self.said.as_ref().map(|said| format!(" (\"{said}\")")).unwrap_or_default();
        let at = self.at.strftime("%H:%M");
        format!("{}{said} at {at} {zone}, not after {}", day(self.on), day(self.not_after))
    }
}

impl Rule {
    /// What code holds the brief to; nothing for words that only people can judge.
    pub fn words(&self) -> Option<String> {
        Some(match self {
            Self::Vip => "VIPs".to_owned(),
            Self::NoCategory { category } => format!("nothing of {category}"),
            Self::NoProduct { product } => format!("not {product}"),
            Self::NoChannel { channel } => format!("no {}", channel_words(*channel)),
            Self::NoOffer => "no discount".to_owned(),
            Self::AtMostPercent { percent } => format!("at most {percent} %"),
            Self::NotBefore { day } => format!("not before {day}"),
            Self::NotAfter { day } => format!("not after {day}"),
            Self::Words => return None,
        })
    }
}

impl Constraint {
    /// In words: `C2 (turn 3): "nothing for VIP" [VIPs]`.
    pub fn words(&self) -> String {
        let rule = self.rule.words().map(|rule| format!(" [{rule}]")).unwrap_or_default();
        let back = self.taken_back.map(|turn| format!(" (taken back in turn {turn})")).unwrap_or_default();
        format!("C{} (turn {}): \"{}\"{rule}{back}", self.id, self.turn, self.quote)
    }
}

impl Assumption {
    /// In words: `A1: e-mail only (flip: email, sms)`.
    pub fn words(&self) -> String {
        let other = if self.flipped { &self.sets } else { &self.otherwise };
        let flipped = if self.flipped { " [flipped]" } else { "" };
        format!("A{}: {}{flipped} (flip to: {})", self.id, self.text, other.words())
    }
}

impl OfferCost {
    /// In words, for people.
    pub fn words(&self) -> String {
        format!(
            "at most {} ({} people × {} off a usual basket of {}); margin at risk {} ({} would buy anyway)",
            self.maximum,
            self.recipients,
            self.per_basket,
            self.typical_basket,
            self.margin_at_risk,
            self.would_buy_anyway
        )
    }
}

impl Setting {
    /// The value in words; `-` for nothing.
    pub fn words(&self) -> String {
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let words = match self {
            Self::Title(t) | Self::Objective(t) | Self::BeyondLadder(t) | Self::Tone(t) | Self::Owner(t) => text(t),
            Self::Success(m) => {
                m.map(|m| format!("{} within {} days", m.measure.words(), m.within_days)).unwrap_or_default()
            }
            Self::Failure(m) => {
                m.map(|m| format!("{} above {}", m.measure.words(), m.above_per_mille)).unwrap_or_default()
            }
            Self::Include(p) | Self::Exclude(p) => joined(p.iter().map(Predicate::words), "; "),
            Self::Vip(v) => v.words().to_owned(),
            Self::Offer(o) => o.words(),
            Self::Products(p) => joined(p.iter().map(|p| p.product.to_string()), ", "),
            Self::Channels(c) => joined(c.iter().map(|c| channel_words(*c).to_owned()), ", "),
            Self::Schedule(s) => s.as_ref().map(Schedule::words).unwrap_or_default(),
            Self::Holdout(percent) => format!("{percent} %"),
            Self::Angles(a) => joined(a.iter().map(|a| a.words().to_owned()), ", "),
            Self::Languages(l) => joined(l.iter().map(ToString::to_string), ", "),
            Self::Legal(LegalClass::Marketing) => "marketing".to_owned(),
            Self::Legal(LegalClass::Service) => "service".to_owned(),
            Self::Constraints(c) => joined(c.iter().map(Constraint::words), "; "),
            Self::Assumptions(a) => joined(a.iter().map(Assumption::words), "; "),
            Self::Cost(c) => c.as_ref().map(OfferCost::words).unwrap_or_default(),
            Self::Gaps(g) => joined(g.iter().map(|g| g.text.clone()), "; "),
            Self::Risk(r) if r.reasons.is_empty() => r.tier.words().to_owned(),
            Self::Risk(r) => format!("{} ({})", r.tier.words(), r.reasons.join("; ")),
        };
        if words.is_empty() { "-".to_owned() } else { words }
    }
}

impl Change {
    /// `channels: email → email, sms`. Of lists only what came and went is told.
    pub fn words(&self) -> String {
        let label = self.field().label();
        let lists = match (&self.from, &self.to) {
            (Setting::Include(a), Setting::Include(b)) | (Setting::Exclude(a), Setting::Exclude(b)) => {
                Some(came_and_went(a, b, Predicate::words))
            }
            (Setting::Products(a), Setting::Products(b)) => {
                Some(came_and_went(a, b, |p| format!("{} ({})", p.product, p.because)))
            }
            (Setting::Constraints(a), Setting::Constraints(b)) => Some(constraints_changed(a, b)),
            (Setting::Assumptions(a), Setting::Assumptions(b)) => Some(came_and_went(a, b, Assumption::words)),
            (Setting::Gaps(a), Setting::Gaps(b)) => Some(came_and_went(a, b, |g: &Gap| g.text.clone())),
            _ => None,
        };
        match lists {
            Some(words) => format!("{label}: {words}"),
            None => format!("{label}: {} → {}", self.from.words(), self.to.words()),
        }
    }

    /// The same for a model, or nothing when it is none of its business: money never is, gaps and risk are told apart.
    pub fn for_model(&self) -> Option<String> {
        (!self.field().is_computed()).then(|| self.words())
    }
}

/// The brief as it is told to a model at the head of every turn: everything it needs, no money, no people.
pub fn restate(brief: &Brief) -> String {
    let mut lines = vec![format!("Version {}.", brief.version)];
    for field in Field::ALL.iter().copied() {
        let skipped = field.is_computed() || matches!(field, Field::Constraints | Field::Assumptions | Field::Products);
        let words = brief.get(field).words();
        if !skipped && words != "-" {
            lines.push(format!("{}: {words}", field.label()));
        }
    }
    for product in &brief.products {
        // Titles may come from a feed; the reason holds titles too.
        let because = ThirdParty::new(format!("{}, {}", product.title, product.because)).fenced();
        lines.push(format!("product {}: {because}", product.product));
    }
    section(
        &mut lines,
        "Constraints that stand until the marketer takes them back:",
        brief.standing().map(Constraint::words),
    );
    section(&mut lines, "Assumptions:", brief.assumptions.iter().map(Assumption::words));
    let gaps =
        brief.gaps.iter().map(|gap| if gap.blocks { format!("(blocks) {}", gap.text) } else { gap.text.clone() });
    section(&mut lines, "Missing:", gaps);
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, head: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        lines.push(head.to_owned());
        lines.extend(items.map(|item| format!("- {item}")));
    }
}

fn came_and_went<T: PartialEq>(old: &[T], new: &[T], words: impl Fn(&T) -> String) -> String {
    let went = old.iter().filter(|item| !new.contains(item)).map(|item| format!("− {}", words(item)));
    let came = new.iter().filter(|item| !old.contains(item)).map(|item| format!("+ {}", words(item)));
    let all: Vec<String> = went.chain(came).collect();
    if all.is_empty() { "in another order".to_owned() } else { all.join("; ") }
}

/// Of constraints, that one was taken back or stands again is told as that.
fn constraints_changed(old: &[Constraint], new: &[Constraint]) -> String {
    let before = |c: &Constraint| old.iter().find(|o| o.id == c.id);
    let told = |c: &Constraint| match (before(c), c.taken_back) {
        (Some(o), Some(turn)) if o.stands() => Some(format!("C{} taken back in turn {turn}: \"{}\"", c.id, c.quote)),
        (Some(o), None) if !o.stands() => Some(format!("C{} stands again: \"{}\"", c.id, c.quote)),
        (Some(o), _) if o == c => None,
        (Some(_) | None, _) => Some(format!("+ {}", c.words())),
    };
    let went = old.iter().filter(|o| new.iter().all(|c| c.id != o.id)).map(|o| format!("− {}", o.words()));
    let all: Vec<String> = went.chain(new.iter().filter_map(told)).collect();
    if all.is_empty() { "in another order".to_owned() } else { all.join("; ") }
}

fn joined(items: impl Iterator<Item = String>, by: &str) -> String {
    items.collect::<Vec<_>>().join(by)
}

/// The channel as people call it.
pub fn channel_words(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "e-mail",
        Channel::Sms => "SMS",
    }
}
