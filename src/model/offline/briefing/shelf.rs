//! Goods by the marketer's own words. A search finds what speaks of a thing; goods are what the thing is.
//!
//! "Backpacks" is looked up as it was said, and under the word that catalogues use for it. Of what is found, only products
//! of that kind are taken: the last word of the phrase stands in the last part of their category, or in their title. When
//! nothing is of that kind, nothing is taken, and the marketer is asked.

use serde_json::{Value, json};

use super::heard::{Ban, Heard, words};
use super::{Done, Scene};

/// Phrases looked up in one turn.
const MAX_PHRASES: usize = 3;
/// Words of a phrase that can be goods; a longer one is a sentence.
const MAX_WORDS: usize = 4;
/// Products asked for: the most that the tool shows.
const SHOWN: usize = 8;
/// Products taken of one phrase.
const TAKEN: usize = 4;
/// Categories named when nothing fits.
const NAMED: usize = 3;
/// A word this long can be the head of a compound: the pack in backpack.
const HEAD_CHARS: usize = 4;

/// What catalogues call goods that marketers call otherwise.
const ALIASES: &[(&str, &str)] = &[
    ("backpack", "pack"),
    ("rucksack", "pack"),
    ("rucksäcke", "pack"),
    ("zelt", "tent"),
    ("zelte", "tent"),
    ("schuhe", "shoe"),
    ("wanderschuhe", "hiking boots"),
    ("schlafsack", "sleeping bag"),
    ("schlafsäcke", "sleeping bag"),
    ("socken", "socks"),
    ("stiefel", "boots"),
    ("jacke", "jacket"),
    ("jacken", "jacket"),
    ("matte", "mat"),
    ("matten", "mat"),
    ("flasche", "bottle"),
    ("flaschen", "bottle"),
    ("stirnlampe", "headlamp"),
    ("stirnlampen", "headlamp"),
];

/// Goods of one kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Goods {
    /// Their ids, what fits best first.
    pub(super) products: Vec<String>,
    /// The category that holds all of them, when there is one.
    pub(super) category: Option<String>,
}

/// Searches for what was heard: as it was said, and as catalogues say it.
pub(super) fn searches(heard: &Heard) -> Vec<(&'static str, Value)> {
    let query = |text: String| {
        let arguments = json!({ "query": text, "category": null, "max_price": null, "in_stock": null, "limit": SHOWN });
        ("search_catalog", arguments)
    };
    phrases(heard).flat_map(asked).map(query).collect()
}

/// Phrases that may be goods: what nothing else recognised, and what a rule forbids.
fn phrases(heard: &Heard) -> impl Iterator<Item = &str> {
    let banned = heard.rules.iter().filter_map(|(_, ban)| match ban {
        Ban::Goods(goods) => Some(goods.as_str()),
        Ban::Sms | Ban::Email | Ban::Offer | Ban::AtMost(_) => None,
    });
    let short = |left: &&str| words(left).count() <= MAX_WORDS;
    heard.left.iter().map(String::as_str).filter(short).chain(banned).take(MAX_PHRASES)
}

/// The queries of one phrase.
fn asked(phrase: &str) -> Vec<String> {
    let known = |word: &str| ALIASES.iter().find(|(from, _)| *from == word || *from == stem(word)).map(|(_, to)| *to);
    let alias = words(phrase).map(|word| known(word).unwrap_or(word)).collect::<Vec<_>>().join(" ");
    let mut queries = vec![phrase.to_owned()];
    if alias != phrase {
        queries.push(alias);
    }
    queries
}

/// Goods that were found for a phrase.
pub(super) fn found(scene: &Scene<'_>, phrase: &str) -> Option<Goods> {
    asked(phrase).iter().find_map(|query| of_kind(&shown(scene, query)?, query))
}

/// While the brief shows nothing: the phrase for which the catalogue was searched without goods of that kind, with categories
/// of what was found.
pub(super) fn not_found<'h>(scene: &Scene<'_>, heard: &'h Heard) -> Vec<(&'h str, Vec<String>)> {
    let searched = |phrase: &&str| scene.made("search_catalog").any(|done| is_for(done, phrase));
    let left = || phrases(heard).filter(|phrase| heard.left.iter().any(|left| left == phrase)).filter(searched);
    let has_goods = scene.task.lines().any(|line| line.starts_with("product "));
    if has_goods || !heard.products.is_empty() || left().any(|phrase| found(scene, phrase).is_some()) {
        return Vec::new();
    }
    let nearest = |phrase: &str| {
        let mut categories: Vec<String> = Vec::new();
        for product in asked(phrase).iter().filter_map(|query| shown(scene, query)).flatten() {
            if !categories.contains(&product.category) && categories.len() < NAMED {
                categories.push(product.category);
            }
        }
        categories
    };
    // The last phrase is the likeliest to name goods: a name for the campaign comes first.
    left().last().map(|phrase| (phrase, nearest(phrase))).into_iter().collect()
}

/// A product as the search shows it.
#[derive(Debug, Clone)]
struct Shown {
    product: String,
    title: String,
    category: String,
}

fn is_for(done: &Done<'_>, query: &str) -> bool {
    done.arguments.get("query").is_some_and(|asked| asked == query)
}

/// What a search showed; nothing when it answered another word than was asked.
fn shown(scene: &Scene<'_>, query: &str) -> Option<Vec<Shown>> {
    let value = scene.made("search_catalog").find(|done| is_for(done, query))?.value.as_ref()?;
    if value.get("corrected").is_some() {
        return None;
    }
    let text = |value: &Value, key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let product = |value: &Value| {
        Some(Shown {
            product: text(value, "product")?,
            title: text(value, "title")?,
            category: text(value, "category")?,
        })
    };
    Some(value.get("products")?.as_array()?.iter().filter_map(product).collect())
}

/// Those of the kind that the phrase's last word names: by the shelf they lie on, else by their title. That all of them lie on
/// one shelf says nothing: every laptop of an outdoor shop is in the words about a day pack.
fn of_kind(shown: &[Shown], phrase: &str) -> Option<Goods> {
    let kind = stem(words(phrase).flat_map(|word| word.split('-')).last()?);
    let last = |product: &&Shown| names(product.category.rsplit('/').next().unwrap_or_default(), &kind);
    let by_shelf: Vec<&Shown> = shown.iter().filter(last).collect();
    let by_title: Vec<&Shown> = shown.iter().filter(|product| names(&product.title, &kind)).collect();
    let kept = match (by_shelf.is_empty(), by_title.is_empty()) {
        (false, _) => by_shelf,
        (true, false) => by_title,
        (true, true) => return None,
    };
    Some(Goods {
        category: common(kept.iter().map(|product| product.category.as_str())),
        products: kept.iter().take(TAKEN).map(|product| product.product.clone()).collect(),
    })
}

/// True when a text has the word, in whatever number, or the word is a compound of one in it.
fn names(text: &str, kind: &str) -> bool {
    let text = text.to_lowercase();
    let mut stems = words(&text).flat_map(|word| word.split('-')).map(stem);
    stems.any(|word| word == kind || (word.chars().count() >= HEAD_CHARS && kind.ends_with(&word)))
}

/// The category that holds all of these.
fn common<'c>(categories: impl Iterator<Item = &'c str>) -> Option<String> {
    let shared =
        |a: Vec<&'c str>, b: Vec<&'c str>| a.into_iter().zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    let parts: Vec<&str> = categories.map(|category| category.split('/').collect()).reduce(shared)?;
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// A word in the singular, as far as an ending tells.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let word = word.trim_end_matches("'s");
    let ends = |ending: &str| word.strip_suffix(ending).filter(|rest| rest.chars().count() > 2);
    if let Some(rest) = ends("ies") {
        return format!("{rest}y");
    }
    if ["ches", "shes", "sses", "xes"].iter().any(|ending| word.ends_with(ending)) {
        return ends("es").unwrap_or(word).to_owned();
    }
    ends("s").filter(|rest| !rest.ends_with('s')).unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str, title: &str, category: &str) -> Shown {
        Shown { product: id.to_owned(), title: title.to_owned(), category: category.to_owned() }
    }

    #[test]
    fn what_speaks_of_a_thing_is_not_the_thing() {
        let shown = [
            product("P-1", "Ferry Roll-Top Pack", "packs/day-packs"),
            product("P-2", "Pack Rain Cover", "packs/accessories"),
            product("V-1", "Travel Multivitamin Strip", "food/supplements"),
            product("P-3", "Western Way 45", "packs/trekking-packs"),
        ];
        let packs = Goods { products: vec!["P-1".to_owned(), "P-3".to_owned()], category: Some("packs".to_owned()) };
        for phrase in ["pack", "packs", "backpacks", "warm packs"] {
            assert_eq!(of_kind(&shown, phrase).as_ref(), Some(&packs), "{phrase}");
        }
        let cover = Goods { products: vec!["P-2".to_owned()], category: Some("packs/accessories".to_owned()) };
        assert_eq!(of_kind(&shown, "rain covers"), Some(cover));
        for phrase in ["rucksack", "bicycles", "school", ""] {
            assert_eq!(of_kind(&shown, phrase), None, "{phrase}");
        }
    }

    #[test]
    fn endings_are_told_apart() {
        for (word, singular) in
            [("boots", "boot"), ("batteries", "battery"), ("torches", "torch"), ("compass", "compass"), ("gas", "gas")]
        {
            assert_eq!(stem(word), singular);
        }
    }
}
