//! The people of the sample shop as data: names, places and kinds of customers, read from `personas.toml`.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::tz::TimeZone;
use kit::{CategoryId, InvalidId, Language};
use serde::Deserialize;
use toml::Spanned;

use super::calendar;
use super::rng::MILLION;

/// What `personas.toml` says, checked.
#[derive(Debug, Clone)]
pub struct Personas {
    /// Kinds of customers; their shares come to one.
    pub personas: Vec<Persona>,
    /// Where customers live.
    pub places: Vec<Place>,
    /// Subjects of support tickets, for demonstrations: the store keeps no subjects.
    pub ticket_subjects: Vec<String>,
    /// What customers write into a cart, for demonstrations.
    pub cart_notes: Vec<String>,
    names: BTreeMap<Language, Names>,
}

/// A kind of customer. Shares are parts per million, rates are thousandths a year or month: the generator is integer only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// Its id, such as `weekend-hiker`.
    pub id: String,
    /// For people.
    pub label: String,
    /// Share of all customers.
    pub share: u32,
    /// The categories they like, best first.
    pub favourites: Vec<CategoryId>,
    /// Orders a year, in thousandths.
    pub orders_per_year: u32,
    /// Share of orders with a discount.
    pub discount_share: u32,
    /// Where in a category's prices they look: 0 the cheapest, a million the dearest.
    pub price_level: u32,
    /// Pages looked at a month without buying, in thousandths.
    pub browse_per_month: u32,
    /// Languages with their shares.
    pub languages: Vec<(Language, u32)>,
    /// Chance that a consumable becomes a habit.
    pub consumable_loyalty: u32,
    /// Whether the shop's best customers are among them.
    pub vip: bool,
}

impl Persona {
    /// Buys for children as well.
    pub(super) fn is_family(&self) -> bool {
        self.id.starts_with("family")
    }
}

/// A town.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub city: String,
    /// ISO 3166 code.
    pub country: String,
    /// IANA name.
    pub time_zone: String,
    /// Weight among all places, parts per million.
    pub weight: u32,
    pub(super) zone: TimeZone,
}

impl Place {
    /// The language shop mail is read in here. English serves where the shop has no version of its own.
    pub(super) fn language(&self) -> Language {
        match self.country.as_str() {
            "DE" | "AT" => Language::DE,
            _ => Language::EN,
        }
    }
}

/// Names of one language.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) first: Vec<String>,
    pub(super) last: Vec<String>,
}

/// A personas file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {fault}")]
pub struct PersonaError {
    /// The file, as the caller names it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: PersonaFault,
}

/// What can be wrong in a personas file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonaFault {
    /// Not TOML, or a missing, unknown or mistyped key.
    #[error("{0}")]
    Toml(String),
    /// A list without entries.
    #[error("`{0}` is empty; name at least one")]
    Empty(&'static str),
    /// A number outside its range.
    #[error("`{key}` is {value}; use {range}")]
    Range {
        /// The key.
        key: &'static str,
        /// The value found.
        value: String,
        /// What is allowed.
        range: &'static str,
    },
    /// Shares that are no whole.
    #[error("the shares of {what} come to {sum}, not to 1; raise or lower one of them")]
    Shares {
        /// Shares of what.
        what: String,
        /// What they come to.
        sum: String,
    },
    /// Not a zone of the IANA database.
    #[error("`{0}` is no IANA time zone such as Europe/Dublin")]
    Zone(String),
    /// A language without names or places.
    #[error("`{0}` has no names or no place; use en or de, and a place where it is spoken")]
    Language(String),
    /// A category that is no id.
    #[error("{0}")]
    Category(#[from] InvalidId),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    ticket_subjects: Vec<String>,
    cart_notes: Vec<String>,
    names: Spanned<RawNames>,
    place: Vec<RawPlace>,
    persona: Vec<RawPersona>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNames {
    first_en: Vec<String>,
    first_de: Vec<String>,
    last_en: Vec<String>,
    last_de: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlace {
    city: String,
    country: String,
    time_zone: Spanned<String>,
    weight: Spanned<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPersona {
    id: String,
    label: String,
    share: Spanned<f64>,
    favourite_categories: Spanned<Vec<String>>,
    orders_per_year: Spanned<f64>,
    discount_share: Spanned<f64>,
    price_level: Spanned<f64>,
    browse_per_month: Spanned<f64>,
    languages: Spanned<BTreeMap<String, f64>>,
    consumable_loyalty: Spanned<f64>,
    vip: bool,
}

/// Shares may miss the whole by this many millionths: they are written in hundredths or thousandths.
const SHARE_TOLERANCE: u32 = 100;

impl Personas {
    /// Reads a personas file. `label` is its name in errors.
    ///
    /// # Errors
    /// [`PersonaError`] with the line: not TOML, unknown keys, numbers out of range, shares that do not come to one, unknown
    /// zones, languages without names or places.
    pub fn parse(label: &str, toml_text: &str) -> Result<Self, PersonaError> {
        Reader { label, text: toml_text }.read()
    }

    /// The names of a language; empty lists cannot occur after [`Personas::parse`].
    pub(super) fn names(&self, language: &Language) -> Option<&Names> {
        self.names.get(language)
    }
}

struct Reader<'a> {
    label: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn read(&self) -> Result<Personas, PersonaError> {
        let file: File = toml::from_str(self.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            self.fault(span, PersonaFault::Toml(error.message().to_owned()))
        })?;
        let names = self.names(file.names)?;
        let places = file.place.into_iter().map(|place| self.place(place)).collect::<Result<Vec<_>, _>>()?;
        let first_share = file.persona.first().map_or(0..0, |persona| persona.share.span());
        let personas =
            file.persona.into_iter().map(|raw| self.persona(raw, &names, &places)).collect::<Result<Vec<_>, _>>()?;
        self.whole("personas", personas.iter().map(|persona| persona.share), first_share)?;
        Ok(Personas { personas, places, ticket_subjects: file.ticket_subjects, cart_notes: file.cart_notes, names })
    }

    fn names(&self, raw: Spanned<RawNames>) -> Result<BTreeMap<Language, Names>, PersonaError> {
        let span = raw.span();
        let RawNames { first_en, first_de, last_en, last_de } = raw.into_inner();
        let lists = [("first_en", &first_en), ("first_de", &first_de), ("last_en", &last_en), ("last_de", &last_de)];
        if let Some((key, _)) = lists.into_iter().find(|(_, list)| list.is_empty()) {
            return Err(self.fault(span, PersonaFault::Empty(key)));
        }
        Ok(BTreeMap::from([
            (Language::EN, Names { first: first_en, last: last_en }),
            (Language::DE, Names { first: first_de, last: last_de }),
        ]))
    }

    fn place(&self, raw: RawPlace) -> Result<Place, PersonaError> {
        let unknown = || self.fault(raw.time_zone.span(), PersonaFault::Zone(raw.time_zone.get_ref().clone()));
        let zone = calendar::zone(raw.time_zone.get_ref()).map_err(|_| unknown())?;
        let weight = self.share("weight", &raw.weight)?;
        Ok(Place { city: raw.city, country: raw.country, time_zone: raw.time_zone.into_inner(), weight, zone })
    }

    fn persona(
        &self,
        raw: RawPersona,
        names: &BTreeMap<Language, Names>,
        places: &[Place],
    ) -> Result<Persona, PersonaError> {
        let favourites_at = raw.favourite_categories.span();
        let favourites = raw.favourite_categories.get_ref().iter().map(CategoryId::new).collect::<Result<Vec<_>, _>>();
        let favourites = favourites.map_err(|e| self.fault(favourites_at.clone(), e.into()))?;
        if favourites.is_empty() {
            return Err(self.fault(favourites_at, PersonaFault::Empty("favourite_categories")));
        }
        Ok(Persona {
            share: self.share("share", &raw.share)?,
            orders_per_year: self.rate("orders_per_year", &raw.orders_per_year)?,
            discount_share: self.share("discount_share", &raw.discount_share)?,
            price_level: self.share("price_level", &raw.price_level)?,
            browse_per_month: self.rate("browse_per_month", &raw.browse_per_month)?,
            languages: self.languages(&raw.id, &raw.languages, names, places)?,
            consumable_loyalty: self.share("consumable_loyalty", &raw.consumable_loyalty)?,
            id: raw.id,
            label: raw.label,
            favourites,
            vip: raw.vip,
        })
    }

    fn languages(
        &self,
        persona: &str,
        raw: &Spanned<BTreeMap<String, f64>>,
        names: &BTreeMap<Language, Names>,
        places: &[Place],
    ) -> Result<Vec<(Language, u32)>, PersonaError> {
        let mut languages = Vec::new();
        for (code, share) in raw.get_ref() {
            let unknown = || self.fault(raw.span(), PersonaFault::Language(code.clone()));
            let language = Language::parse(code).map_err(|_| unknown())?;
            if !names.contains_key(&language) || !places.iter().any(|place| place.language() == language) {
                return Err(unknown());
            }
            languages.push((language, self.scaled("languages", *share, 1.0, MILLION, raw.span())?));
        }
        self.whole(&format!("the languages of {persona}"), languages.iter().map(|(_, share)| *share), raw.span())?;
        Ok(languages)
    }

    /// From 0 to 1, as parts per million.
    fn share(&self, key: &'static str, raw: &Spanned<f64>) -> Result<u32, PersonaError> {
        self.scaled(key, *raw.get_ref(), 1.0, MILLION, raw.span())
    }

    /// From 0 to 100 a year or month, as thousandths.
    fn rate(&self, key: &'static str, raw: &Spanned<f64>) -> Result<u32, PersonaError> {
        self.scaled(key, *raw.get_ref(), 100.0, 1_000, raw.span())
    }

    fn scaled(
        &self,
        key: &'static str,
        value: f64,
        max: f64,
        scale: u32,
        span: Range<usize>,
    ) -> Result<u32, PersonaError> {
        if !(0.0..=max).contains(&value) {
            let range = if max > 1.0 { "0 to 100" } else { "0 to 1" };
            return Err(self.fault(span, PersonaFault::Range { key, value: value.to_string(), range }));
        }
        // Within 0 to 1,000,000 after the check above, so nothing is lost.
        Ok((value * f64::from(scale)).round() as u32)
    }

    fn whole(&self, what: &str, shares: impl Iterator<Item = u32>, span: Range<usize>) -> Result<(), PersonaError> {
        let sum: u32 = shares.fold(0, u32::saturating_add);
        if sum.abs_diff(MILLION) <= SHARE_TOLERANCE {
            return Ok(());
        }
        let sum = (f64::from(sum) / f64::from(MILLION)).to_string();
        Err(self.fault(span, PersonaFault::Shares { what: what.to_owned(), sum }))
    }

    fn fault(&self, span: Range<usize>, fault: PersonaFault) -> PersonaError {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        PersonaError { file: self.label.to_owned(), line, fault }
    }
}
