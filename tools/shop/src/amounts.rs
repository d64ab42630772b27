//! Amounts and their sums.
//!
//! The rule of sums: the items, less discount, plus shipping and tax, must come to the stated total within one minor
//! unit per line and one for the total. Senders round every line by itself; the official generic sample
//! (2 × 29.99 + 89.99, stated 149.99) is two cents off with two lines. Anything beyond is a mistake, and a message that
//! names a price built on it would be wrong.

use kit::{Currency, Money, money::MoneyError};

use crate::error::{Fault, WebhookError, field};
use crate::event::LineItem;
use crate::json::AmountText;

/// An amount of zero or more at `path`.
pub(crate) fn amount(text: &AmountText, currency: Currency, path: &str) -> Result<Money, WebhookError> {
    let money = Money::parse(&text.0, currency).map_err(|e| field(path, e))?;
    if money.minor < 0 {
        return Err(field(path, Fault::Negative(money)));
    }
    Ok(money)
}

/// The same for a field that may be absent.
pub(crate) fn optional(
    text: Option<&AmountText>,
    currency: Currency,
    path: &str,
) -> Result<Option<Money>, WebhookError> {
    text.map(|text| amount(text, currency, path)).transpose()
}

/// A currency code at `path`, or the shop's own when none is told.
pub(crate) fn currency(code: Option<&str>, default: Currency, path: &str) -> Result<Currency, WebhookError> {
    code.map_or(Ok(default), |code| Currency::parse(code).map_err(|e| field(path, e)))
}

/// Price times quantity over all lines.
pub(crate) fn sum(items: &[LineItem], currency: Currency, path: &str) -> Result<Money, WebhookError> {
    let add = |sum: Money, line: &LineItem| sum.plus(line.price.times(line.quantity)?);
    let total: Result<Money, MoneyError> = items.iter().try_fold(Money::new(0, currency), add);
    total.map_err(|e| field(path, e))
}

/// Refuses a stated total below what the lines cost after every discount that is stated. What is above it may be shipping,
/// duties, tips or taxes.
pub(crate) fn not_below(least: Money, stated: Money, lines: usize, path: &str) -> Result<(), WebhookError> {
    if stated.minor >= least.minor && stated.currency == least.currency {
        return Ok(());
    }
    reconcile(least, stated, lines, path)
}

/// Refuses a stated total that the lines do not explain.
pub(crate) fn reconcile(sum: Money, stated: Money, lines: usize, path: &str) -> Result<(), WebhookError> {
    let tolerance = u64::try_from(lines).unwrap_or(u64::MAX).saturating_add(1);
    if sum.currency == stated.currency && sum.minor.abs_diff(stated.minor) <= tolerance {
        return Ok(());
    }
    Err(WebhookError::Mismatch { path: path.to_owned(), sum, stated })
}
