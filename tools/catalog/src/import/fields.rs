//! Reading typed fields out of a JSON object, fault by fault.

use kit::money::MoneyError;
use kit::{Currency, Money};
use serde_json::{Map, Value};

use super::check;
use super::faults::{Faults, Place};

/// An object being read. A method answers `None` when the value is absent or faulty; a fault is noted then.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    place: Place,
    /// Path of the object, such as `i18n.de.`; empty at the root.
    path: String,
    faults: &'a mut Faults,
}

impl<'a> Fields<'a> {
    pub(super) fn new(object: &'a Map<String, Value>, place: Place, path: &str, faults: &'a mut Faults) -> Self {
        Self { object, place, path: path.to_owned(), faults }
    }

    pub(super) fn fault(&mut self, name: &str, found: &str, expected: &str) {
        self.faults.add(self.place, &format!("{}{name}", self.path), found, expected);
    }

    /// Notes every key that is not `known`: a misspelt key would lose its value in silence.
    pub(super) fn only(&mut self, known: &[&str]) {
        for key in self.object.keys().filter(|key| !known.contains(&key.as_str())) {
            self.fault(key, "an unknown key", &format!("one of {}", known.join(", ")));
        }
    }

    /// The value, when there is one.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// True when the key is there and its value is null, which some platforms give a meaning.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(Value::is_null)
    }

    fn missing(&mut self, name: &str, expected: &str) {
        self.fault(name, "nothing", expected);
    }

    /// Text, trimmed; blank is absent.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            other => {
                self.fault(name, &show(other), "text in quotes");
                None
            }
        }
    }

    pub(super) fn required_text(&mut self, name: &str) -> Option<String> {
        let before = self.faults.count();
        let text = self.text(name);
        if text.is_none() && self.faults.count() == before {
            self.missing(name, "text");
        }
        text
    }

    /// An id: text, or an unsigned integer kept digit for digit.
    pub(super) fn required_id<T: TryFrom<String, Error = kit::InvalidId>>(&mut self, name: &str) -> Option<T> {
        const EXPECTED: &str = "an id: text or a whole number";
        let text = match self.value(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if number.is_u64() => number.to_string(),
            Some(other) => {
                self.fault(name, &show(other), EXPECTED);
                return None;
            }
            None => {
                self.missing(name, EXPECTED);
                return None;
            }
        };
        match T::try_from(text.clone()) {
            Ok(id) => Some(id),
            Err(error) => {
                self.fault(name, &show(&Value::String(text)), &format!("an id ({error})"));
                None
            }
        }
    }

    /// An amount of at least zero, written as text.
    pub(super) fn money(&mut self, name: &str, currency: Currency) -> Option<Money> {
        let value = self.value(name)?;
        let Value::String(text) = value else {
            self.fault(name, &show(value), "an amount in quotes, such as \"19.90\"");
            return None;
        };
        match Money::parse(text, currency) {
            Ok(money) if money.minor < 0 => {
                self.fault(name, &show(value), "an amount of zero or more");
                None
            }
            Ok(money) => Some(money),
            Err(error) => {
                let expected = match error {
                    MoneyError::Precision { allowed, .. } => format!("at most {allowed} decimals in {currency}"),
                    MoneyError::Overflow(_) => "an amount that fits 64 bits".to_owned(),
                    MoneyError::Amount(_) | MoneyError::Currency(_) | MoneyError::Mixed(..) => {
                        "digits and one point, such as 19.90".to_owned()
                    }
                };
                self.fault(name, &show(value), &expected);
                None
            }
        }
    }

    pub(super) fn required_money(&mut self, name: &str, currency: Currency) -> Option<Money> {
        if self.value(name).is_none() {
            self.missing(name, "an amount such as \"19.90\"");
            return None;
        }
        self.money(name, currency)
    }

    /// A whole number that is written as one: neither `3.0` nor `"3"`.
    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        let value = self.value(name)?;
        let integer = value.as_i64();
        if integer.is_none() {
            self.fault(name, &show(value), "a whole number");
        }
        integer
    }

    pub(super) fn required_integer(&mut self, name: &str) -> Option<i64> {
        if self.value(name).is_none() {
            self.missing(name, "a whole number");
            return None;
        }
        self.integer(name)
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.value(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.fault(name, &show(value), "true or false");
        }
        flag
    }

    /// An absolute https link.
    pub(super) fn url(&mut self, name: &str) -> Option<String> {
        let url = self.text(name)?;
        if check::is_https(&url) {
            return Some(url);
        }
        self.fault(name, &show(&Value::String(url)), "an absolute link that begins with https://");
        None
    }

    /// A list; absent is empty.
    pub(super) fn list(&mut self, name: &str, expected: &str) -> &'a [Value] {
        match self.value(name) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.fault(name, &show(other), expected);
                &[]
            }
        }
    }

    /// A list of texts, trimmed; absent is empty.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for (i, item) in self.list(name, "a list of texts").iter().enumerate() {
            match item {
                Value::String(text) if !text.trim().is_empty() => texts.push(text.trim().to_owned()),
                other => self.fault(&format!("{name}[{i}]"), &show(other), "text in quotes"),
            }
        }
        texts
    }

    /// An object's entries; absent is empty.
    pub(super) fn entries(&mut self, name: &str) -> Vec<(&'a String, &'a Value)> {
        match self.value(name) {
            None => Vec::new(),
            Some(Value::Object(object)) => object.iter().collect(),
            Some(other) => {
                self.fault(name, &show(other), "an object in braces");
                Vec::new()
            }
        }
    }

    /// The object within, such as `i18n.de` or `variants[2]`.
    pub(super) fn within<'b>(&'b mut self, name: &str, value: &'b Value) -> Option<Fields<'b>>
    where
        'a: 'b,
    {
        match value {
            Value::Object(object) => {
                Some(Fields::new(object, self.place, &format!("{}{name}.", self.path), self.faults))
            }
            other => {
                self.fault(name, &show(other), "an object in braces");
                None
            }
        }
    }
}

/// A value as it stands in the file.
pub(super) fn show(value: &Value) -> String {
    value.to_string()
}
