//! The side column: price and stock of now, by ordinal.

use std::sync::atomic::{AtomicI64, Ordering};

use kit::{Currency, Money, ProductId};

use crate::product::Product;

/// Price and stock of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveState {
    /// The price.
    pub price: Money,
    /// Units that can be sold; 0 or less is out of stock.
    pub stock: i64,
}

/// Why an update was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The catalogue does not have the product: import it first.
    #[error("product {0} is not in the catalogue; import it before updating price or stock")]
    Unknown(ProductId),
    /// A price in another currency than the catalogue's.
    #[error("product {product}: price in {found}, the catalogue is in {expected}")]
    Currency {
        /// The product.
        product: ProductId,
        /// The price's currency.
        found: Currency,
        /// The catalogue's.
        expected: Currency,
    },
    /// A price below zero.
    #[error("product {product}: price {found} is below zero")]
    Negative {
        /// The product.
        product: ProductId,
        /// The price.
        found: Money,
    },
}

/// One row of atomics a product, so that a filter by both touches one cache line. Each value is a fact of its own and
/// relaxed order is enough: a reader may see the new stock with the old price for an instant, as any reader of the
/// shop would.
#[derive(Debug)]
pub(super) struct LiveColumns(Vec<Row>);

#[derive(Debug)]
struct Row {
    /// Minor units.
    price: AtomicI64,
    /// Units.
    stock: AtomicI64,
}

impl LiveColumns {
    /// The values of now, in columns of their own.
    pub(super) fn snapshot(&self) -> Self {
        let copy = |value: &AtomicI64| AtomicI64::new(value.load(Ordering::Relaxed));
        Self(self.0.iter().map(|row| Row { price: copy(&row.price), stock: copy(&row.stock) }).collect())
    }

    pub(super) fn of<'a>(products: impl Iterator<Item = &'a Product>) -> Self {
        let row = |p: &Product| Row { price: AtomicI64::new(p.price.minor), stock: AtomicI64::new(p.stock) };
        Self(products.map(row).collect())
    }

    /// Minor units; 0 for an ordinal that does not exist.
    pub(super) fn price(&self, ordinal: u32) -> i64 {
        self.0.get(ordinal as usize).map_or(0, |row| row.price.load(Ordering::Relaxed))
    }

    /// Units; 0 for an ordinal that does not exist.
    pub(super) fn stock(&self, ordinal: u32) -> i64 {
        self.0.get(ordinal as usize).map_or(0, |row| row.stock.load(Ordering::Relaxed))
    }

    pub(super) fn set_price(&self, ordinal: u32, minor: i64) {
        if let Some(row) = self.0.get(ordinal as usize) {
            row.price.store(minor, Ordering::Relaxed);
        }
    }

    pub(super) fn set_stock(&self, ordinal: u32, units: i64) {
        if let Some(row) = self.0.get(ordinal as usize) {
            row.stock.store(units, Ordering::Relaxed);
        }
    }
}

/// The part of a query that is answered from the columns: bounds, all inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LiveFilter {
    /// Minor units.
    pub(super) min_price: i64,
    /// Minor units.
    pub(super) max_price: i64,
    /// Units; 1 when only what can be sold is wanted.
    pub(super) min_stock: i64,
}

impl LiveFilter {
    /// Admits all.
    pub(super) const OPEN: Self = Self { min_price: i64::MIN, max_price: i64::MAX, min_stock: i64::MIN };

    /// True when price and stock of now are within bounds. Without short cuts: which matches pass is as good as random,
    /// and a mispredicted branch costs more than all comparisons.
    pub(super) fn admits(&self, live: &LiveColumns, ordinal: u32) -> bool {
        let (price, stock) = (live.price(ordinal), live.stock(ordinal));
        (price >= self.min_price) & (price <= self.max_price) & (stock >= self.min_stock)
    }
}
