//! [`Ladder::grant`]: the only door to an [`Offer`].

use jiff::civil::Time;
use jiff::{SignedDuration, Span, Timestamp};
use kit::money::MoneyError;
use kit::{Currency, CustomerId, Digest, FlowId, Language, Money, OfferStepId, ProductId, ShopId};

use crate::ladder::{Concession, Ladder, Step};
use crate::request::{BasketLine, OfferRequest};

/// An offer must be good for at least this long when it is quoted, in hours.
const SHORTEST_HOURS: i64 = 24;

/// A step that policy granted for one request. Private fields and no `Deserialize`: it comes from [`Ladder::grant`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    step: Step,
    ends: Timestamp,
    cost: Money,
    ladder: Digest,
}

impl Offer {
    /// The granted step.
    pub fn step(&self) -> &OfferStepId {
        &self.step.id
    }
    /// What it gives away.
    pub fn concession(&self) -> Concession {
        self.step.concession
    }
    /// What a reader is told.
    pub fn label(&self, language: &Language) -> &str {
        self.step.label(language)
    }
    /// The last moment it is good: the end of a day in the shop's zone.
    pub fn ends(&self) -> Timestamp {
        self.ends
    }
    /// What it costs the shop on the basket it was granted for. For policy and audit, never for a model.
    pub fn cost(&self) -> Money {
        self.cost
    }
    /// True when a person must look at every message that carries it.
    pub fn requires_approval(&self) -> bool {
        self.step.requires_approval
    }
    /// The ladder that granted it.
    pub fn ladder(&self) -> Digest {
        self.ladder
    }
    /// The code of one customer on one occasion: the same one however often it is asked. A code that turns out to be somebody
    /// else's is drawn again, up to [`crate::DRAWS`] times; `draw` counts from 0.
    pub fn code_for(&self, shop: &ShopId, customer: &CustomerId, occasion: &str, draw: u32) -> String {
        crate::code::voucher(&self.step.code_prefix, shop, customer, occasion, self.step(), draw)
    }
}

/// Why there is no offer. The words are for operators; [`Denied::for_model`] says what a model may know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No such rung.
    #[error("`{0}` is not on the ladder")]
    OffLadder(OfferStepId),
    /// "None" was asked for.
    #[error("no offer was asked for")]
    NoneAsked,
    /// This flow makes no offers, or not this one.
    #[error("the flow {flow} does not offer {}", step.as_ref().map_or("anything", OfferStepId::as_str))]
    NotInFlow {
        /// The step asked for.
        step: Option<OfferStepId>,
        /// The flow.
        flow: FlowId,
    },
    /// VIPs pay full price and get service instead.
    #[error("VIP customers get no step above the ladder's VIP ceiling")]
    Vip,
    /// Too deep for a first order.
    #[error("a new customer gets no step above the ladder's ceiling for new customers")]
    NewCustomer,
    /// The customer has had enough offers.
    #[error("{granted} offer(s) were granted in {days} days; at most {max}")]
    TooMany {
        /// Granted.
        granted: u32,
        /// Allowed.
        max: u32,
        /// Window.
        days: u32,
    },
    /// Discounted orders in a row: the next occasion has none.
    #[error("the last {orders} orders were discounted; the next occasion has no offer")]
    DiscountedInARow {
        /// How many.
        orders: u32,
    },
    /// Abandoning carts must not pay.
    #[error("{carts} carts were abandoned in 90 days after an earlier offer; another one would reward waiting")]
    RepeatAbandoner {
        /// How many.
        carts: u32,
    },
    /// Deal seekers are never lifted above their last step.
    #[error("a customer of high discount affinity gets no deeper step than the last one, {last}")]
    DeeperThanLast {
        /// The last step.
        last: OfferStepId,
    },
    /// Nothing to prove the margin on.
    #[error("the basket is empty: nothing proves that the margin holds")]
    EmptyBasket,
    /// A line that makes no sense.
    #[error("{product}: price, cost or quantity cannot be used ({why})")]
    BadLine {
        /// The product.
        product: ProductId,
        /// Why.
        why: String,
    },
    /// Another currency than the ladder's.
    #[error("{product} is priced in {found}, the ladder in {expected}")]
    OtherCurrency {
        /// The product.
        product: ProductId,
        /// Found.
        found: Currency,
        /// The ladder's.
        expected: Currency,
    },
    /// An excluded category or tag, or regulated goods.
    #[error("{product} is regulated, in a category or carries a tag that is never discounted")]
    Excluded {
        /// The product.
        product: ProductId,
    },
    /// Already reduced.
    #[error("{product} is already reduced and discounts do not stack")]
    Reduced {
        /// The product.
        product: ProductId,
    },
    /// Nobody knows the margin.
    #[error("{product} has no cost, so its margin cannot be proven")]
    CostUnknown {
        /// The product.
        product: ProductId,
    },
    /// A line falls below the margin floor.
    #[error("{product} would fall below the margin floor")]
    LineMargin {
        /// The product.
        product: ProductId,
    },
    /// The basket falls below the margin floor.
    #[error("the basket would fall below the margin floor")]
    TotalMargin,
    /// Deeper than the limit per cent.
    #[error("{percent} % is more than the limit of {max} %")]
    OverPercent {
        /// Asked.
        percent: u32,
        /// The limit.
        max: u32,
    },
    /// Dearer than the limit per basket.
    #[error("{cost} is more than the limit of {max} per basket")]
    OverAbsolute {
        /// Would cost.
        cost: Money,
        /// The limit.
        max: Money,
    },
    /// The occasion is so old that its offer is about to end.
    #[error("the offer of this occasion ends at {ends}, too soon to be told")]
    TooLate {
        /// When it would end.
        ends: Timestamp,
    },
    /// Every code drawn was somebody else's.
    #[error("no free voucher code was found")]
    NoCode,
    /// A date beyond the calendar.
    #[error("the end of the offer cannot be computed")]
    NoEnd,
    /// A budget of the shop or the customer has not enough left.
    #[error("the budget {budget} has not enough left for it")]
    Budget {
        /// Which one.
        budget: String,
    },
}

impl Denied {
    /// What a model may know: never a margin, a price limit, a list the customer is on, or their habits.
    pub fn for_model(&self) -> &'static str {
        match self {
            Self::OffLadder(_) => {
                "That step is not on the shop's ladder. Only a person can decide beyond it; do not promise it."
            }
            Self::NoneAsked => "No offer, as you asked.",
            Self::NotInFlow { .. } => "The shop does not make that offer in this flow.",
            Self::Vip
            | Self::NewCustomer
            | Self::TooMany { .. }
            | Self::DiscountedInARow { .. }
            | Self::RepeatAbandoner { .. }
            | Self::DeeperThanLast { .. }
            | Self::NoCode
            | Self::Budget { .. } => "Policy permits no such offer for this customer now.",
            Self::EmptyBasket
            | Self::BadLine { .. }
            | Self::OtherCurrency { .. }
            | Self::Excluded { .. }
            | Self::Reduced { .. }
            | Self::CostUnknown { .. }
            | Self::LineMargin { .. }
            | Self::TotalMargin
            | Self::OverPercent { .. }
            | Self::OverAbsolute { .. } => "Policy permits no such offer on these products.",
            Self::TooLate { .. } | Self::NoEnd => "The offer of this occasion would end too soon to be worth a mail.",
        }
    }
}

impl Ladder {
    /// Grants the step asked for, or the smallest one that every limit allows.
    ///
    /// # Errors
    /// The first limit in the way; when the smallest step was asked for, the limit in the way of the shallowest one.
    pub fn grant(&self, request: &OfferRequest) -> Result<Offer, Denied> {
        self.customer_may(request)?;
        let Some(id) = &request.step else { return self.smallest(request) };
        if *id == self.none {
            return Err(Denied::NoneAsked);
        }
        let step = self.step(id).ok_or_else(|| Denied::OffLadder(id.clone()))?;
        self.try_step(step, request)
    }

    /// The steps that would be granted, shallow to deep.
    pub fn permitted(&self, request: &OfferRequest) -> Vec<OfferStepId> {
        if self.customer_may(request).is_err() {
            return Vec::new();
        }
        self.steps.iter().filter(|s| self.try_step(s, request).is_ok()).map(|s| s.id.clone()).collect()
    }

    fn smallest(&self, request: &OfferRequest) -> Result<Offer, Denied> {
        let mut first = None;
        for step in self.steps.iter().filter(|s| s.flows.contains(&request.flow)) {
            match self.try_step(step, request) {
                Ok(offer) => return Ok(offer),
                Err(denied) => first = first.or(Some(denied)),
            }
        }
        Err(first.unwrap_or_else(|| Denied::NotInFlow { step: None, flow: request.flow.clone() }))
    }

    /// Limits that hold whatever the step.
    fn customer_may(&self, request: &OfferRequest) -> Result<(), Denied> {
        let (limits, history) = (&self.limits, &request.history);
        if history.granted_in_window >= limits.per_customer {
            let (granted, max, days) = (history.granted_in_window, limits.per_customer, limits.window_days);
            return Err(Denied::TooMany { granted, max, days });
        }
        if history.last_orders_discounted >= limits.discounted_in_a_row {
            return Err(Denied::DiscountedInARow { orders: history.last_orders_discounted });
        }
        let had_offers = history.last_orders_discounted > 0 || history.granted_in_window > 0;
        if had_offers && history.abandoned_carts_90d > limits.abandoned_carts {
            return Err(Denied::RepeatAbandoner { carts: history.abandoned_carts_90d });
        }
        Ok(())
    }

    fn try_step(&self, step: &Step, request: &OfferRequest) -> Result<Offer, Denied> {
        if !step.flows.contains(&request.flow) {
            return Err(Denied::NotInFlow { step: Some(step.id.clone()), flow: request.flow.clone() });
        }
        self.below_ceilings(step, request)?;
        let cost = self.cost_within_limits(step, &request.basket)?;
        let ends = self.ends(step, request)?;
        Ok(Offer { step: step.clone(), ends, cost, ladder: self.version() })
    }

    fn below_ceilings(&self, step: &Step, request: &OfferRequest) -> Result<(), Denied> {
        let (limits, history) = (&self.limits, &request.history);
        let rung = self.rung(&step.id).unwrap_or(usize::MAX);
        if request.vip && rung > limits.vip_ceiling {
            return Err(Denied::Vip);
        }
        if history.orders == 0 && rung > limits.new_customer_ceiling {
            return Err(Denied::NewCustomer);
        }
        let deal_seeker = history.discount_affinity_percentile.is_some_and(|p| p >= limits.high_affinity_percentile);
        match &history.last_step {
            // A last step that has left the ladder has no depth to compare: rung 0, the strict reading.
            Some(last) if deal_seeker && rung > self.rung(last).unwrap_or(0) => {
                Err(Denied::DeeperThanLast { last: last.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What the step costs on this basket, proven to lie within every limit.
    fn cost_within_limits(&self, step: &Step, basket: &[BasketLine]) -> Result<Money, Denied> {
        let limits = &self.limits;
        let percent = match step.concession {
            Concession::Percent(percent) => percent,
            Concession::FreeShipping => 0,
        };
        if percent > limits.max_percent {
            return Err(Denied::OverPercent { percent, max: limits.max_percent });
        }
        if basket.is_empty() {
            return Err(Denied::EmptyBasket);
        }
        let zero = Money::new(0, self.currency);
        let (mut given, mut paid, mut spent) = (zero, zero, zero);
        for line in basket {
            let amounts = self.line(line, percent)?;
            if !margin_holds(amounts.paid, amounts.cost, limits.min_margin_percent) {
                return Err(Denied::LineMargin { product: line.product.clone() });
            }
            let bad = |e: MoneyError| bad_line(line, e);
            given = given.plus(amounts.given).map_err(bad)?;
            paid = paid.plus(amounts.paid).map_err(bad)?;
            spent = spent.plus(amounts.cost).map_err(bad)?;
        }
        match step.concession {
            Concession::Percent(_) => {}
            Concession::FreeShipping => {
                given = limits.shipping_cost;
                spent = spent.plus(limits.shipping_cost).map_err(|_| Denied::TotalMargin)?;
            }
        }
        if !margin_holds(paid, spent, limits.min_margin_percent) {
            return Err(Denied::TotalMargin);
        }
        if given.minor > limits.max_absolute.minor {
            return Err(Denied::OverAbsolute { cost: given, max: limits.max_absolute });
        }
        Ok(given)
    }

    fn line(&self, line: &BasketLine, percent: u32) -> Result<LineAmounts, Denied> {
        let product = || line.product.clone();
        let cost = line.cost.ok_or_else(|| Denied::CostUnknown { product: product() })?;
        for found in [line.price.currency, cost.currency] {
            if found != self.currency {
                return Err(Denied::OtherCurrency { product: product(), found, expected: self.currency });
            }
        }
        if line.price.minor <= 0 || cost.minor < 0 || line.quantity == 0 {
            return Err(Denied::BadLine { product: product(), why: "it must be above zero".to_owned() });
        }
        // Exclusions protect prices; the parcel of a reduced jacket may still travel free.
        let tagged = line.tags.iter().any(|tag| self.limits.exclude_tags.contains(tag));
        if percent > 0 && (tagged || line.regulated || self.excluded(line)) {
            return Err(Denied::Excluded { product: product() });
        }
        if percent > 0 && line.reduced {
            return Err(Denied::Reduced { product: product() });
        }
        let bad = |e: MoneyError| bad_line(line, e);
        let full = line.price.times(line.quantity).map_err(bad)?;
        let given = full.percent(percent);
        let paid = full.minus(given).map_err(bad)?;
        let cost = cost.times(line.quantity).map_err(bad)?;
        Ok(LineAmounts { given, paid, cost })
    }

    fn excluded(&self, line: &BasketLine) -> bool {
        let category = line.category.as_str();
        self.limits.exclude_categories.iter().any(|excluded| {
            category.strip_prefix(excluded.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The end of the last day, in the shop's zone. Announced once, never extended (RCW 19.190.020).
    fn ends(&self, step: &Step, request: &OfferRequest) -> Result<Timestamp, Denied> {
        let first_day = request.triggered_at.to_zoned(self.zone.clone()).date();
        let ends = first_day
            .checked_add(Span::new().days(step.valid_days))
            .ok()
            .and_then(|day| day.to_datetime(Time::constant(23, 59, 59, 0)).to_zoned(self.zone.clone()).ok())
            .map(|end| end.timestamp())
            .ok_or(Denied::NoEnd)?;
        let soonest = request.now.checked_add(SignedDuration::from_hours(SHORTEST_HOURS)).map_err(|_| Denied::NoEnd)?;
        if ends < soonest {
            return Err(Denied::TooLate { ends });
        }
        Ok(ends)
    }
}

struct LineAmounts {
    given: Money,
    paid: Money,
    cost: Money,
}

fn bad_line(line: &BasketLine, error: MoneyError) -> Denied {
    Denied::BadLine { product: line.product.clone(), why: error.to_string() }
}

/// `(paid - cost) / paid >= floor`, in whole numbers.
fn margin_holds(paid: Money, cost: Money, floor_percent: u32) -> bool {
    let (paid, cost) = (i128::from(paid.minor), i128::from(cost.minor));
    (paid - cost) * 100 >= paid * i128::from(floor_percent)
}
