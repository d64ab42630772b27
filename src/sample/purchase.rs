//! An order before it has its number.

use kit::{CartId, CustomerId, Money, OrderId, Timestamp};

use super::SampleError;
use super::shelf::Entry;
use crate::store::{Order, OrderLine};

/// An order before it has its number.
#[derive(Debug)]
pub(super) struct Purchase {
    /// Set when a webhook names this order.
    pub(super) id: Option<OrderId>,
    pub(super) customer: CustomerId,
    pub(super) placed_at: Timestamp,
    pub(super) lines: Vec<OrderLine>,
    /// Per cent off, 0 for none.
    pub(super) percent_off: u32,
    pub(super) fulfilled_at: Option<Timestamp>,
    /// When and why, in Shopify's words.
    pub(super) cancelled: Option<(Timestamp, &'static str)>,
}

impl Purchase {
    /// What was spent: the lines less the discount; nothing when it was cancelled.
    pub(super) fn spent(&self) -> Result<i64, SampleError> {
        if self.cancelled.is_some() {
            return Ok(0);
        }
        let (sum, discount) = self.amounts()?;
        Ok(sum.minus(discount)?.minor)
    }

    /// Sum of the lines, and the discount. Supplements are never discounted (knowledge/offers/ladder.toml).
    fn amounts(&self) -> Result<(Money, Money), SampleError> {
        let currency = self.lines.first().map(|line| line.price.currency).ok_or(SampleError::EmptyCatalogue)?;
        let (mut sum, mut discountable) = (Money::new(0, currency), Money::new(0, currency));
        for line in &self.lines {
            let price = line.price.times(line.quantity)?;
            sum = sum.plus(price)?;
            if !line.category.as_str().ends_with("supplements") {
                discountable = discountable.plus(price)?;
            }
        }
        Ok((sum, discountable.percent(self.percent_off)))
    }

    /// The order with its number in the shop's sequence, `TT-26-000123`.
    pub(super) fn number(self, number: usize) -> Result<Order, SampleError> {
        let (sum, discount) = self.amounts()?;
        let id = match self.id {
            Some(id) => id,
            None => OrderId::new(format!("TT-{}-{number:06}", self.placed_at.strftime("%y")))?,
        };
        let (cancelled_at, cancel_reason) = self.cancelled.unzip();
        Ok(Order {
            id,
            customer: self.customer,
            cart: Some(CartId::new(format!("cart-{number:06}"))?),
            placed_at: self.placed_at,
            total: sum.minus(discount)?,
            discount,
            cancelled_at,
            cancel_reason: cancel_reason.map(str::to_owned),
            fulfilled_at: self.fulfilled_at,
            lines: self.lines,
        })
    }
}

/// A line of this product at its price.
pub(super) fn line(entry: &Entry<'_>, quantity: u32, returned: bool) -> OrderLine {
    let item = entry.item;
    OrderLine { product: item.id.clone(), category: item.category.clone(), quantity, price: item.price, returned }
}
