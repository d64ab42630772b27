//! Who a customer is: name, address, place, and the habits the days are lived by.

use std::collections::BTreeSet;

use kit::person::Email;
use kit::{CustomerId, Language};

use super::SampleError;
use super::calendar::Calendar;
use super::personas::{Persona, Personas, Place};
use super::rng::{MILLION, Rng};

/// A customer before anything happened.
#[derive(Debug)]
pub(super) struct Person<'a> {
    pub(super) id: CustomerId,
    pub(super) email: Email,
    pub(super) first_name: Option<String>,
    pub(super) language: Language,
    pub(super) place: &'a Place,
    pub(super) persona: &'a Persona,
    pub(super) habits: Habits<'a>,
}

/// What differs between two customers of the same kind.
#[derive(Debug)]
pub(super) struct Habits<'a> {
    /// Ever buys.
    pub(super) buyer: bool,
    /// Buys once and never again.
    pub(super) once: bool,
    /// How often, against the persona's usual, in permille.
    pub(super) pace: u32,
    /// How long consumables last, against the label, in permille.
    pub(super) cycle: u32,
    /// Tags this customer likes.
    pub(super) tastes: Vec<&'a str>,
    /// Eats and wears nothing from animals.
    pub(super) vegan: bool,
    /// Buys for children.
    pub(super) kids: bool,
    /// The day the account was made; before 0 when it is older than the sample.
    pub(super) joined: i32,
    /// The last day this customer was seen.
    pub(super) last: i32,
}

/// Share of customers who never buy; a collector rarely only looks.
const NEVER_BUYS: u32 = 258_000;
const VIP_NEVER_BUYS: u32 = 40_000;
/// Share of buyers who never come back.
const ONCE: u32 = 150_000;
/// Share of customers who drift away during the year.
const DRIFTS_AWAY: u32 = 150_000;
/// Paces from rare to frequent: ten kinds alike, mean 1,000, as spread out as real buyers are.
const PACES: [u32; 10] = [250, 400, 550, 700, 850, 1_000, 1_150, 1_400, 1_700, 2_000];
/// Fewer orders a year than this (thousandths) is a customer of one season who stays away.
const SEASONAL_BELOW: u32 = 1_000;

impl<'a> Habits<'a> {
    fn draw(rng: &mut Rng, calendar: &Calendar, persona: &Persona, tastes: &[&'a str]) -> Self {
        let never = if persona.vip { VIP_NEVER_BUYS } else { NEVER_BUYS };
        let (joined, last) = Self::span(rng, calendar, persona);
        let liked: BTreeSet<&'a str> = (0..2).filter_map(|_| rng.pick(tastes).copied()).collect();
        Self {
            buyer: !rng.chance(never),
            once: !persona.vip && rng.chance(ONCE),
            pace: rng.pick(&PACES).copied().unwrap_or(1_000),
            cycle: rng.between(800, 1_700),
            tastes: liked.into_iter().collect(),
            vegan: rng.chance(60_000),
            kids: rng.chance(if persona.is_family() { 850_000 } else { 150_000 }),
            joined,
            last,
        }
    }

    /// Half the accounts are older than the sample; they joined while the present consent wording was in use.
    fn span(rng: &mut Rng, calendar: &Calendar, persona: &Persona) -> (i32, i32) {
        let today = calendar.today;
        let day = |rng: &mut Rng, from: i32, to: i32| {
            let width = u32::try_from(to - from).unwrap_or(0);
            from + i32::try_from(rng.between(0, width)).unwrap_or(0)
        };
        let before = rng.chance(500_000);
        if persona.orders_per_year < SEASONAL_BELOW {
            let joined = if before { day(rng, -235, -30) } else { day(rng, 0, today / 4) };
            return (joined, day(rng, joined.max(0) + 1, today / 2));
        }
        let joined = if before { day(rng, -235, -30) } else { day(rng, 0, today - 1) };
        let longest = today - 90;
        let drifts = !persona.vip && joined.max(0) < longest && rng.chance(DRIFTS_AWAY);
        (joined, if drifts { day(rng, joined.max(0) + 1, longest) } else { today })
    }
}

/// Draws people whose addresses nobody else has.
#[derive(Debug)]
pub(super) struct Registry<'a> {
    personas: &'a Personas,
    tastes: Vec<&'a str>,
    taken: BTreeSet<String>,
}

impl<'a> Registry<'a> {
    /// A registry in which these addresses are taken.
    pub(super) fn new(personas: &'a Personas, tastes: Vec<&'a str>, taken: impl Iterator<Item = Email>) -> Self {
        Self { personas, tastes, taken: taken.map(|email| email.normalised()).collect() }
    }

    /// Draws the person of this id.
    pub(super) fn draw(
        &mut self,
        rng: &mut Rng,
        calendar: &Calendar,
        id: CustomerId,
    ) -> Result<Person<'a>, SampleError> {
        let kinds: Vec<_> = self.personas.personas.iter().map(|p| (p, u64::from(p.share))).collect();
        let persona = rng.weighted(&kinds).ok_or(SampleError::Personas("kinds of customers"))?;
        let languages: Vec<_> = persona.languages.iter().map(|(l, share)| (l, u64::from(*share))).collect();
        let language = rng.weighted(&languages).ok_or(SampleError::Personas("languages"))?.clone();
        let near = self.personas.places.iter().filter(|place| place.language() == language);
        let places: Vec<_> = near.map(|place| (place, u64::from(place.weight))).collect();
        let place = rng.weighted(&places).ok_or(SampleError::Personas("places"))?;
        let names = self.personas.names(&language).ok_or(SampleError::Personas("names"))?;
        let first = rng.pick(&names.first).ok_or(SampleError::Personas("first names"))?;
        let last = rng.pick(&names.last).ok_or(SampleError::Personas("last names"))?;
        let email = self.address(rng, first, last)?;
        let habits = Habits::draw(rng, calendar, persona, &self.tastes);
        Ok(Person { id, email, first_name: Some(first.clone()), language, place, persona, habits })
    }

    /// `first.last@example.com`; whoever has a namesake gets a number.
    fn address(&mut self, rng: &mut Rng, first: &str, last: &str) -> Result<Email, SampleError> {
        const DOMAINS: [(&str, u64); 3] = [("example.com", 6), ("example.net", 2), ("example.org", 2)];
        let domain = rng.weighted(&DOMAINS).unwrap_or("example.com");
        let name = format!("{}.{}", fold(first), fold(last));
        let mut address = format!("{name}@{domain}");
        let mut namesakes = 1u32;
        while !self.taken.insert(address.clone()) {
            namesakes += 1;
            address = format!("{name}{namesakes}@{domain}");
        }
        Ok(Email::parse(&address)?)
    }
}

/// Letters of the names as people write them in addresses: `Jörg Weiß` is `joerg` `weiss`, `Ó Briain` is `obriain`.
fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' | '-' => folded.push(letter),
            'ä' => folded.push_str("ae"),
            'ö' => folded.push_str("oe"),
            'ü' => folded.push_str("ue"),
            'ß' => folded.push_str("ss"),
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'đ' | 'ď' => folded.push('d'),
            'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => folded.push('e'),
            'ğ' => folded.push('g'),
            'ì'..='ï' | 'ī' | 'į' | 'ı' => folded.push('i'),
            'ł' | 'ľ' => folded.push('l'),
            'ñ' | 'ń' | 'ň' => folded.push('n'),
            'ò'..='õ' | 'ø' | 'ő' => folded.push('o'),
            'ř' => folded.push('r'),
            'ś' | 'š' | 'ş' | 'ș' => folded.push('s'),
            'ţ' | 'ț' | 'ť' => folded.push('t'),
            'ù'..='û' | 'ū' | 'ů' | 'ű' | 'ų' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            // Blanks, apostrophes and combining marks have no place in an address.
            _ => {}
        }
    }
    if folded.is_empty() { "customer".to_owned() } else { folded }
}

/// Edge customers: what they typed into the name field, and their ids.
pub(super) const EDGES: [(&str, Option<&str>); 5] = [
    ("C-EDGE-NONAME", None),
    ("C-EDGE-CAPS", Some("GRAHAM")),
    ("C-EDGE-EMOJI", Some("🏕️ Niamh 🌧️")),
    ("C-EDGE-ADVERT", Some("WIN-FREE.example")),
    ("C-EDGE-LONG", Some("Maximiliane Friederike Anneliese Charlotte Wilhelmine Dorthe")),
];

/// Parts per million of `share` times `factor` permille, at most all.
pub(super) fn scaled(share: u32, factor: u64) -> u32 {
    u32::try_from(u64::from(share) * factor / 1_000).unwrap_or(MILLION).min(MILLION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_to_what_people_write() {
        for (name, folded) in [
            ("Ó Briain", "obriain"),
            ("Jörg", "joerg"),
            ("Weiß", "weiss"),
            ("O'Sullivan", "osullivan"),
            ("Zoë", "zoe"),
            ("Yılmaz", "yilmaz"),
            ("Ayşe", "ayse"),
            ("Kovačević", "kovacevic"),
            ("El-Masri", "el-masri"),
            ("山", "customer"),
        ] {
            assert_eq!(fold(name), folded, "{name}");
        }
    }
}
