//! What models cost: the table in knowledge/models, and what a configuration lays over it.
//!
//! A model that is in no table has no price: its calls are shown as unpriced and no spend cap lets it through, rather than
//! counting as free. Names are compared whole; a dated snapshot may cost something else than the name without a date.

use serde::{Deserialize, Serialize};

use super::openai::Provider;

/// The table that comes with the program.
const TABLE: &str = include_str!("../../knowledge/models/prices.toml");
/// The version of its form.
const SCHEMA: &str = "mailwright.prices/1";

/// Prices of a million tokens, in millionths of a US dollar (so `250000` is $0.25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Prompt tokens.
    pub input: u64,
    /// Prompt tokens that the server had cached; `None` where they cost as much as others.
    pub cached_input: Option<u64>,
    /// Answer tokens.
    pub output: u64,
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of the prompt, cached ones among them.
    pub input: u64,
    /// Of these, what the server had cached.
    pub cached: u64,
    /// Of the answer.
    pub output: u64,
}

impl Price {
    /// A model on our own machine.
    pub const FREE: Self = Self { input: 0, cached_input: None, output: 0 };

    /// What a call costs, in millionths of a US dollar, rounded up: a thousand cheap calls are not free.
    pub fn of(&self, tokens: Tokens) -> u64 {
        let cached = tokens.cached.min(tokens.input);
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let micros = part(tokens.input - cached, self.input)
            .saturating_add(part(cached, self.cached_input.unwrap_or(self.input)))
            .saturating_add(part(tokens.output, self.output));
        u64::try_from(micros.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceRow {
    /// Who sells it.
    pub provider: Provider,
    /// The model as the server names it.
    pub model: String,
    /// Price of a million prompt tokens.
    pub input_micros_per_mtok: u64,
    /// Price of a million prompt tokens that were cached.
    pub cached_input_micros_per_mtok: Option<u64>,
    /// Price of a million answer tokens.
    pub output_micros_per_mtok: u64,
    /// When the price was read, as YYYY-MM-DD.
    pub as_of: String,
    /// Where it was read.
    pub source: String,
}

impl PriceRow {
    fn price(&self) -> Price {
        Price {
            input: self.input_micros_per_mtok,
            cached_input: self.cached_input_micros_per_mtok,
            output: self.output_micros_per_mtok,
        }
    }
}

/// A price table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    schema: String,
    #[serde(rename = "price")]
    rows: Vec<PriceRow>,
}

/// A table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("knowledge/models/prices.toml: {0}")]
pub struct PricesError(String);

impl Prices {
    /// The table that comes with the program.
    ///
    /// # Errors
    /// A fault of the build; a test reads the table.
    pub fn shipped() -> Result<Self, PricesError> {
        let table: Self = toml::from_str(TABLE).map_err(|e| PricesError(e.message().to_owned()))?;
        if table.schema != SCHEMA {
            return Err(PricesError(format!("schema `{}` instead of `{SCHEMA}`", table.schema)));
        }
        Ok(table)
    }

    /// Its rows.
    pub fn rows(&self) -> &[PriceRow] {
        &self.rows
    }

    /// What this model costs with this provider.
    pub fn find(&self, provider: Provider, model: &str) -> Option<Price> {
        self.rows.iter().find(|row| row.provider == provider && row.model == model).map(PriceRow::price)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Price, Prices, Provider, Tokens};

    #[test]
    fn the_table_is_whole_and_every_row_says_where_it_is_from() {
        let prices = Prices::shipped().unwrap();
        let mut seen = BTreeSet::new();
        for row in prices.rows() {
            assert!(seen.insert((row.provider.as_str(), row.model.clone())), "{} stands twice", row.model);
            assert!(row.as_of.parse::<jiff::civil::Date>().is_ok(), "{}: {}", row.model, row.as_of);
            assert!(row.source.starts_with("https://"), "{}: {}", row.model, row.source);
            assert!(row.output_micros_per_mtok >= row.input_micros_per_mtok, "{}", row.model);
            assert!(
                row.cached_input_micros_per_mtok.is_none_or(|cached| cached < row.input_micros_per_mtok),
                "{}",
                row.model
            );
        }
        assert!(!prices.rows().is_empty());
    }

    #[test]
    fn a_name_is_looked_up_whole() {
        let prices = Prices::shipped().unwrap();
        let mini = Price { input: 150_000, cached_input: Some(75_000), output: 600_000 };
        assert_eq!(prices.find(Provider::OpenAi, "gpt-4o-mini"), Some(mini));
        assert_eq!(prices.find(Provider::OpenAi, "gpt-4o-mini-2031-01-01"), None);
        assert_eq!(prices.find(Provider::Azure, "gpt-4o-mini"), None);
    }

    #[test]
    fn cached_tokens_are_counted_once_and_fractions_rounded_up() {
        let price = Price { input: 1_000_000, cached_input: Some(100_000), output: 4_000_000 };
        assert_eq!(price.of(Tokens { input: 100, cached: 60, output: 10 }), 40 + 6 + 40);
        assert_eq!(price.of(Tokens { input: 1, cached: 1, output: 0 }), 1);
        assert_eq!(price.of(Tokens { input: 10, cached: 99, output: 0 }), 1);
        let plain = Price { cached_input: None, ..price };
        assert_eq!(plain.of(Tokens { input: 100, cached: 60, output: 0 }), 100);
        let absurd = Price { input: u64::MAX, cached_input: None, output: u64::MAX };
        assert_eq!(absurd.of(Tokens { input: u64::MAX, cached: 0, output: u64::MAX }), u64::MAX);
        assert_eq!(Price::FREE.of(Tokens { input: 9, cached: 0, output: 9 }), 0);
    }
}
