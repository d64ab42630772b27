//! How much a customer buys at a discount, beside the shop's other customers: whoever always does is never led deeper.
//!
//! Research: the share of a customer's purchases with a discount, shrunk towards the shop's own (beta-binomial), is a stable trait
//! (first against second half-year Spearman .70 over 407 households of "The Complete Journey"; marketing science, section 8). It is
//! a habit and no proof of how somebody answers to a price. The rule that follows there: above the shop's 90th percentile nobody is
//! given a deeper code than the last one. The percentile is `high_affinity_percentile` of the ladder.

/// A shop with fewer customers who have bought has no percentiles.
const ENOUGH_CUSTOMERS: usize = 20;

/// What is usual in the shop, as a beta prior: orders with a discount, and without one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// With one.
    pub discounted: f64,
    /// Without one.
    pub full_price: f64,
}

/// A customer's orders that stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    /// How many.
    pub orders: u32,
    /// How many of them with a discount.
    pub discounted: u32,
}

/// The discount affinities of a shop's customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Affinities {
    prior: Prior,
    /// Of everybody who has bought, in order.
    sorted: Vec<f64>,
}

impl Affinities {
    /// Of customers who have bought something.
    pub fn of(prior: Prior, customers: impl IntoIterator<Item = Bought>) -> Self {
        let mut sorted: Vec<f64> = customers.into_iter().map(|customer| affinity(prior, customer)).collect();
        sorted.sort_by(f64::total_cmp);
        Self { prior, sorted }
    }

    /// Share of the shop's customers with a lower affinity than this one's, in whole per cent; `None` when too little is known
    /// of the shop or of them.
    pub fn percentile(&self, customer: Bought) -> Option<u8> {
        if self.sorted.len() < ENOUGH_CUSTOMERS || customer.orders == 0 {
            return None;
        }
        let own = affinity(self.prior, customer);
        let lower = self.sorted.partition_point(|other| *other < own);
        u8::try_from(lower * 100 / self.sorted.len()).ok()
    }
}

/// Posterior mean of the share of orders with a discount: one discounted order of one says less than five of five.
fn affinity(prior: Prior, bought: Bought) -> f64 {
    let (orders, discounted) = (f64::from(bought.orders), f64::from(bought.discounted));
    (prior.discounted + discounted) / (prior.discounted + prior.full_price + orders)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const PRIOR: Prior = Prior { discounted: 2.0, full_price: 6.0 };

    fn bought(orders: u32, discounted: u32) -> Bought {
        Bought { orders, discounted }
    }

    #[test]
    fn a_percentile_is_the_share_of_customers_below() {
        // Ninety who never waited for a discount, ten who waited for one to ten of ten.
        let shop = (0..90).map(|_| bought(6, 0)).chain((1..=10).map(|n| bought(10, n)));
        let shop = Affinities::of(PRIOR, shop);
        let at = |orders, discounted| shop.percentile(bought(orders, discounted)).unwrap();
        assert_eq!([at(6, 0), at(10, 1), at(10, 10), at(40, 40)], [0, 90, 99, 100]);
        // One discounted order of one is far from a habit: it counts as four of ten do.
        assert_eq!([at(1, 1), at(10, 4)], [93, 93]);
    }

    #[test]
    fn of_a_small_shop_or_a_new_customer_nothing_is_known() {
        let nineteen = Affinities::of(PRIOR, (0..19).map(|_| bought(3, 0)));
        assert_eq!(nineteen.percentile(bought(3, 3)), None);
        let twenty = Affinities::of(PRIOR, (0..20).map(|_| bought(3, 0)));
        assert_eq!([twenty.percentile(bought(3, 3)), twenty.percentile(bought(0, 0))], [Some(100), None]);
    }
}
