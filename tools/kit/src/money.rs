//! Money in integer minor units with its currency. No floating point anywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::locale::Language;
use crate::personal::quoted;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Why a text is not money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three upper-case letters.
    #[error("`{0}` is not a currency code of three letters such as EUR")]
    Currency(String),
    /// Not a plain decimal number.
    #[error("`{0}` is not an amount: write digits and one point, such as 19.90")]
    Amount(String),
    /// More decimals than the currency has.
    #[error("`{amount}` has more decimals than {currency} allows ({allowed})")]
    Precision {
        /// The text found.
        amount: String,
        /// Its currency.
        currency: Currency,
        /// Decimals of that currency.
        allowed: u32,
    },
    /// The amount does not fit 64 bits.
    #[error("`{0}` is too large")]
    Overflow(String),
    /// Two currencies in one sum.
    #[error("cannot add {0} and {1}")]
    Mixed(Currency, Currency),
}

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
    /// The US dollar.
    pub const USD: Self = Self(*b"USD");
    /// The pound sterling.
    pub const GBP: Self = Self(*b"GBP");

    /// Parses an ISO 4217 code; lower case is accepted.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| MoneyError::Currency(quoted(text)))?;
        if !bytes.iter().all(u8::is_ascii_alphabetic) {
            return Err(MoneyError::Currency(quoted(text)));
        }
        Ok(Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// Decimals of the minor unit (ISO 4217 exponent).
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}
impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.as_str().to_owned()
    }
}

/// An amount in minor units (cents) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units, for example cents. Negative only for differences.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// An amount from minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Parses a plain decimal such as `19.90`, `-3` or `1200`. Trailing zero decimals beyond the
    /// currency's are accepted (`19.9000`), anything else that would lose value is refused.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let bad = || MoneyError::Amount(quoted(text));
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(decimals) || (digits.contains('.') && decimals.is_empty()) {
            return Err(bad());
        }
        let exponent = currency.exponent() as usize;
        let (kept, lost) = match decimals.split_at_checked(exponent) {
            Some(pair) => pair,
            None => (decimals, ""),
        };
        if lost.bytes().any(|b| b != b'0') {
            return Err(MoneyError::Precision { amount: quoted(text), currency, allowed: currency.exponent() });
        }
        let scaled = format!("{whole}{kept:0<exponent$}");
        let minor: i64 = scaled.parse().map_err(|_| MoneyError::Overflow(quoted(text)))?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// Adds, refusing other currencies and overflow.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or_else(|| MoneyError::Overflow(self.to_string()))?;
        Ok(Self { minor, ..self })
    }

    /// Subtracts, refusing other currencies and overflow.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(Self {
            minor: other.minor.checked_neg().ok_or_else(|| MoneyError::Overflow(other.to_string()))?,
            ..other
        })
    }

    /// Multiplies by a quantity.
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        let minor =
            self.minor.checked_mul(i64::from(quantity)).ok_or_else(|| MoneyError::Overflow(self.to_string()))?;
        Ok(Self { minor, ..self })
    }

    /// `percent` of this amount, rounded down in favour of the shop's limits (towards zero).
    pub fn percent(self, percent: u32) -> Self {
        let minor = (i128::from(self.minor) * i128::from(percent) / 100) as i64;
        Self { minor, ..self }
    }

    /// The plain decimal form, `19.90`, without currency.
    pub fn decimal(self) -> String {
        let exponent = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, part) = digits.split_at(digits.len() - exponent);
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }

    /// How a reader of `language` writes it: `€19.90` in English, `19,90 €` in German.
    pub fn display_in(self, language: &Language) -> String {
        let symbol = match &self.currency.0 {
            b"EUR" => "€",
            b"USD" => "$",
            b"GBP" => "£",
            _ => self.currency.as_str(),
        };
        let decimal = self.decimal();
        let (sign, plain) = match decimal.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", decimal.as_str()),
        };
        let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
        let grouped = |separator: char| {
            let mut out = String::new();
            for (i, c) in whole.chars().enumerate() {
                if i > 0 && (whole.len() - i).is_multiple_of(3) {
                    out.push(separator);
                }
                out.push(c);
            }
            out
        };
        match language.as_str() {
            "de" | "nl" | "fr" | "es" | "it" => {
                let tail = if part.is_empty() { String::new() } else { format!(",{part}") };
                format!("{sign}{}{tail} {symbol}", grouped('.'))
            }
            _ => {
                let tail = if part.is_empty() { String::new() } else { format!(".{part}") };
                let gap = if symbol.len() == 3 && symbol.is_ascii() { " " } else { "" };
                format!("{sign}{symbol}{gap}{}{tail}", grouped(','))
            }
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_platforms_send_and_refuses_what_would_lose_value() {
        let eur = |t: &str| Money::parse(t, Currency::EUR).map(|m| m.minor);
        assert_eq!(eur("19.90"), Ok(1990));
        assert_eq!(eur("19.9"), Ok(1990));
        assert_eq!(eur("19"), Ok(1900));
        assert_eq!(eur("-3.05"), Ok(-305));
        assert_eq!(eur("19.9000"), Ok(1990));
        assert!(matches!(eur("19.905"), Err(MoneyError::Precision { .. })));
        for odd in ["", ".", "1.", ".5", "1,50", "1e3", "NaN", "١٢", " 1", "1 ", "--1", "+1", "$3"] {
            assert!(matches!(eur(odd), Err(MoneyError::Amount(_))), "{odd}");
        }
        assert!(matches!(eur("99999999999999999999"), Err(MoneyError::Overflow(_))));
        let yen = Currency::parse("jpy").unwrap();
        assert_eq!(Money::parse("1200", yen).map(|m| m.minor), Ok(1200));
        assert!(Money::parse("1200.5", yen).is_err());
    }

    #[test]
    fn readers_see_their_own_form() {
        let money = Money::new(123_450, Currency::EUR);
        assert_eq!(money.display_in(&Language::EN), "€1,234.50");
        assert_eq!(money.display_in(&Language::DE), "1.234,50 €");
        assert_eq!(Money::new(5, Currency::EUR).decimal(), "0.05");
    }

    proptest::proptest! {
        #[test]
        fn decimal_round_trips(minor in -9_000_000_000_000i64..9_000_000_000_000) {
            let money = Money::new(minor, Currency::EUR);
            proptest::prop_assert_eq!(Money::parse(&money.decimal(), Currency::EUR), Ok(money));
        }
    }
}
