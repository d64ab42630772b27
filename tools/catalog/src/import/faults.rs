//! Faults of an import, with their places.

use std::fmt;

use crate::product::Product;

/// Faults reported at once: enough to mend a file in one go, few enough to read.
pub const MAX_SHOWN: usize = 20;
/// Characters of a found value that a fault shows.
const MAX_FOUND: usize = 60;

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line, from 1.
    Line(u64),
    /// A product of a JSON export, from 0 as in `products[0]`.
    Product(usize),
}

/// One thing that must be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, as the caller named it.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// The field's path, such as `i18n.de.title`; empty when the place as a whole is at fault.
    pub field: String,
    /// What was found, shortened.
    pub found: String,
    /// What is expected.
    pub expected: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, field, found, expected } = self;
        match place {
            Place::File => write!(f, "{file}: ")?,
            Place::Line(line) => write!(f, "{file}:{line}: ")?,
            Place::Product(index) => write!(f, "{file}: products[{index}]: ")?,
        }
        if !field.is_empty() {
            write!(f, "{field}: ")?;
        }
        write!(f, "found {found}, expected {expected}")
    }
}

/// Why nothing was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ImportErrors {
    /// The first [`MAX_SHOWN`] faults, in order of place.
    pub faults: Vec<Fault>,
    /// How many there are in all.
    pub total: usize,
}

impl fmt::Display for ImportErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.total == 1 { "" } else { "s" };
        write!(f, "nothing was imported: mend {} fault{plural} and import again", self.total)?;
        for fault in &self.faults {
            write!(f, "\n- {fault}")?;
        }
        match self.total.saturating_sub(self.faults.len()) {
            0 => Ok(()),
            more => write!(f, "\n- and {more} more"),
        }
    }
}

/// Collects faults of one file.
pub(super) struct Faults {
    file: String,
    errors: ImportErrors,
}

impl Faults {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), errors: ImportErrors { faults: Vec::new(), total: 0 } }
    }

    pub(super) fn add(&mut self, place: Place, field: &str, found: &str, expected: &str) {
        self.errors.total += 1;
        if self.errors.faults.len() >= MAX_SHOWN {
            return;
        }
        let fault = Fault {
            file: self.file.clone(),
            place,
            field: field.to_owned(),
            found: shorten(found),
            expected: expected.to_owned(),
        };
        self.errors.faults.push(fault);
    }

    /// How many so far.
    pub(super) fn count(&self) -> usize {
        self.errors.total
    }

    pub(super) fn finish(self, products: Vec<Product>) -> Result<Vec<Product>, ImportErrors> {
        if self.errors.total == 0 { Ok(products) } else { Err(self.errors) }
    }
}

/// Keeps hostile input out of terminals and logs: one line, no control characters, capped.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_FOUND).collect();
    if text.chars().nth(MAX_FOUND).is_some() {
        short.push('…');
    }
    short
}
