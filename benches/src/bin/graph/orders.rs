//! A synthetic order history: customers with a few interests each, products by Zipf's law within an interest.

use graph::{GraphProduct, Interaction};
use kit::{CategoryId, Currency, InvalidId, Money, ProductId, Timestamp};
use mailwright_bench::random::{Random, Zipf};

/// Products that belong together.
const GROUP: u32 = 200;
/// Sets the order lines of a customer: about 11 on average, as in the data the design's figures come from.
const MEAN_LINES: f64 = 10.6;
/// Interests of a customer.
const INTERESTS: u32 = 3;
/// Share of lines that follow an interest; the rest are best-sellers of the whole shop.
const FAITHFUL: f64 = 0.8;
/// The first order is somewhere in this span, in seconds from [`BEGIN`].
const SPAN: u32 = 20_000_000;
const BEGIN: i64 = 1_700_000_000;
/// Between two orders of a customer, at most, in seconds.
const PAUSE: u32 = 5_000_000;

/// The catalogue, as the graph takes it.
pub(super) fn products(count: u32) -> Result<Vec<GraphProduct>, InvalidId> {
    let attribute = |name: &str, value: u32| (name.to_owned(), format!("{name}{value}"));
    let product = |i: u32| {
        Ok(GraphProduct {
            id: ProductId::new(format!("P-{i:06}"))?,
            category: CategoryId::new(format!("range{}/shelf{}", i / (GROUP * 10), i / GROUP))?,
            attributes: vec![attribute("colour", i % 12), attribute("material", i % 31), attribute("brand", i % 300)],
            tags: Vec::new(),
            price: Money::new(1_000 + i64::from(i) * 37 % 9_000, Currency::EUR),
            margin_permille: u16::try_from(i % 600).ok(),
            consumable: i.is_multiple_of(5),
        })
    };
    (0..count).map(product).collect()
}

/// Draws what people buy.
pub(super) struct Taste {
    random: Random,
    products: u32,
    in_group: Zipf,
    in_shop: Zipf,
}

impl Taste {
    pub(super) fn new(seed: u64, products: u32) -> Self {
        let (in_group, in_shop) = (Zipf::new(GROUP, 0.8), Zipf::new(products, 0.8));
        Self { random: Random::new(seed), products, in_group, in_shop }
    }

    pub(super) fn interests(&mut self) -> [u32; INTERESTS as usize] {
        let groups = self.products.div_ceil(GROUP);
        std::array::from_fn(|_| self.random.below(groups))
    }

    /// A product for somebody with these interests.
    pub(super) fn product(&mut self, interests: [u32; INTERESTS as usize]) -> u32 {
        let place = if self.random.unit() < FAITHFUL {
            let which = self.random.below(INTERESTS) as usize;
            let group = interests.get(which).copied().unwrap_or(0);
            group * GROUP + self.in_group.draw(&mut self.random)
        } else {
            // Best-sellers are spread over the groups; 7919 is prime.
            let rank = u64::from(self.in_shop.draw(&mut self.random));
            u32::try_from(rank * 7919 % u64::from(self.products)).unwrap_or(0)
        };
        place.min(self.products.saturating_sub(1))
    }

    /// Order lines, customer by customer, two to a basket.
    pub(super) fn lines(&mut self, count: usize) -> Vec<Interaction> {
        let (mut lines, mut customer, mut basket) = (Vec::with_capacity(count), 0, 0);
        while lines.len() < count {
            let interests = self.interests();
            let mut time = BEGIN + i64::from(self.random.below(SPAN));
            // Exponential: many buy once, a few very often.
            let mut left = 1.0 - MEAN_LINES * (1.0 - self.random.unit()).ln();
            while left >= 1.0 && lines.len() < count {
                basket += 1;
                time += i64::from(self.random.below(PAUSE));
                let at = seconds(time);
                for _ in 0..2 {
                    if left >= 1.0 && lines.len() < count {
                        lines.push(Interaction { customer, product: self.product(interests), basket, at });
                    }
                    left -= 1.0;
                }
            }
            customer += 1;
        }
        lines
    }
}

/// A time after all orders.
pub(super) fn now() -> Timestamp {
    seconds(BEGIN + 2 * i64::from(SPAN) + 20 * i64::from(PAUSE))
}

/// Two months before [`now`]: fresh enough to weigh.
pub(super) fn last_purchase() -> Timestamp {
    seconds(now().as_second() - 60 * 24 * 3600)
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
