//! Whether what the message says and shows is true, lawful and ours.

use jiff::Timestamp;

use crate::NeverEvent;
use crate::figures;
use crate::letter::{Letter, flat};
use crate::person::owner;
use crate::world::{Person, Product, World, at as last};

/// What is left of a placeholder, a template or a fence.
pub(crate) const MARKS: [&str; 5] = ["{{", "}}", "{%", "⟦", "⟧"];

/// Elements that a mail is made of. None of them runs anything, asks for anything, or loads anything but a picture.
const ELEMENTS: [&str; 29] = [
    "doctype",
    "html",
    "head",
    "title",
    "meta",
    "style",
    "body",
    "div",
    "span",
    "table",
    "tbody",
    "thead",
    "tr",
    "td",
    "th",
    "p",
    "a",
    "img",
    "h1",
    "h2",
    "strong",
    "b",
    "em",
    "s",
    "br",
    "blockquote",
    "center",
    "noscript",
    "xml",
];

pub(crate) fn judge(world: &World, at: Timestamp, letter: &Letter, events: &mut Vec<NeverEvent>) {
    let mut never = |rule: &str, why: String| events.push(NeverEvent::new(rule, why));
    if letter.from != world.shop.from {
        never("wrong_sender", "it does not come from the shop's address".to_owned());
    }
    way_out(letter, &mut never);
    let postal = flat(&world.shop.postal_address);
    if !flat(letter.footer()).contains(&postal) || !letter.visible().contains(&postal) {
        never("no_postal_address", "a part lacks the shop's postal address".to_owned());
    }
    for link in letter.links() {
        let host = link.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
        if !host.is_some_and(|host| world.shop.hosts.iter().any(|known| known == host)) {
            never("foreign_link", format!("it leads to {}", host.unwrap_or("something that is no https address")));
        }
    }
    for (place, text) in [("subject", &letter.subject), ("text", &letter.text), ("HTML", &letter.visible())] {
        if MARKS.iter().any(|mark| text.contains(mark)) {
            never("placeholder_left", format!("a placeholder stands in the {place}"));
        }
    }
    let lower = html_or_text(letter);
    for word in &world.limits.forbidden {
        if lower.contains(&word.to_lowercase()) {
            never("forbidden_words", format!("it says `{word}`"));
        }
    }
    if let Some(name) = letter.elements().find(|name| !ELEMENTS.contains(&name.as_str())) {
        never("foreign_markup", format!("its HTML holds an element <{}>", name.chars().take(20).collect::<String>()));
    }
    goods(world, at, letter, &mut never);
    let reader = letter.to.first().and_then(|to| owner(world, to));
    discounts(world, reader, &letter.told(), &mut never);
}

fn html_or_text(letter: &Letter) -> String {
    format!("{} {} {}", letter.subject, letter.words(), letter.visible()).to_lowercase()
}

fn way_out(letter: &Letter, never: &mut impl FnMut(&str, String)) {
    let header = letter.header("list-unsubscribe").unwrap_or_default();
    let url = header.trim_start_matches('<').split('>').next().unwrap_or_default();
    let one_click = letter.header("list-unsubscribe-post") == Some("List-Unsubscribe=One-Click");
    if !url.starts_with("https://") || !one_click {
        never("no_unsubscribe", "it lacks the one-click header".to_owned());
    } else if !letter.text.contains(url) || !letter.html.contains(url) {
        never("no_unsubscribe", "a part lacks the link".to_owned());
    }
}

/// Every card is a product in stock, and every amount is its price of now.
fn goods(world: &World, at: Timestamp, letter: &Letter, never: &mut impl FnMut(&str, String)) {
    let mut shown: Vec<&Product> = Vec::new();
    for card in letter.cards() {
        let is_it = |p: &&Product| p.titles.iter().any(|title| flat(title) == card);
        let Some(product) = world.products.values().find(is_it) else {
            never("unknown_product", format!("it shows `{card}`, which the shop does not sell"));
            continue;
        };
        if last(&product.stock, at).unwrap_or(0) <= 0 {
            never("out_of_stock", format!("it shows `{card}`, which was sold out"));
        }
        shown.push(product);
    }
    let told = letter.told();
    let written = figures::amounts(&told, &world.shop.currency);
    let price = |p: &&Product| last(&p.prices, at);
    for product in &shown {
        if price(product).is_some_and(|price| !written.contains(&price)) {
            let title = product.titles.first().map_or("", String::as_str);
            never("wrong_price", format!("`{title}` is shown without its price of that moment"));
        }
    }
    // A product may be named without a card of its own.
    let named = world.products.values().filter(|p| p.titles.iter().any(|title| told.contains(title.as_str())));
    let mut true_amounts: Vec<i64> =
        named.chain(shown.iter().copied()).flat_map(|p| price(&p).into_iter().chain(p.compare_at)).collect();
    true_amounts.sort_unstable();
    for amount in written.iter().filter(|amount| true_amounts.binary_search(amount).is_err()) {
        never("wrong_price", format!("{}.{:02} is the price of nothing that it shows", amount / 100, amount % 100));
    }
}

/// Whatever is promised is allowed, and for this reader.
pub(crate) fn discounts(world: &World, reader: Option<&Person>, told: &str, never: &mut impl FnMut(&str, String)) {
    let lower = told.to_lowercase();
    let at_full_price = reader.is_some_and(|person| world.limits.full_price.contains(&person.id));
    let allowed = |id: &str| !at_full_price && world.limits.offers.contains(id);
    for offer in &world.shop.offers {
        let named = offer.labels.iter().any(|label| lower.contains(&label.to_lowercase()));
        if named && !allowed(&offer.id) {
            never("discount", format!("it offers `{}`, which is not allowed for this reader", offer.id));
        }
    }
    // A per cent sign beside a product is a fabric; beside these words it is a promise.
    let promises = [
        "off",
        "rabatt",
        "discount",
        "sale",
        "reduziert",
        "reduced",
        "cheaper",
        "günstiger",
        "save",
        "spar",
        "auf deine bestellung",
    ];
    let deepest = world.shop.offers.iter().filter(|o| allowed(&o.id)).filter_map(|o| o.percent).max().unwrap_or(0);
    for sentence in lower.split_inclusive(['.', '!', '?', '\n']) {
        let promising = promises.iter().any(|word| {
            sentence.split(|c: char| !c.is_alphanumeric()).any(|w| w == *word)
                || (word.contains(' ') && sentence.contains(word))
        });
        if let Some(percent) = figures::percentages(sentence).into_iter().max().filter(|p| promising && *p > deepest) {
            never("discount", format!("it promises {percent} %, at most {deepest} % are allowed"));
        }
    }
    for code in figures::codes(told) {
        let known = |prefix: &String| code.starts_with(&format!("{prefix}-"));
        let from = world.shop.offers.iter().filter(|o| o.code_prefix.as_ref().is_some_and(known));
        let is_product = world.products.contains_key(&code);
        if !is_product && !from.into_iter().any(|o| allowed(&o.id)) {
            never("discount_code", "it holds a code that nobody granted".to_owned());
        }
    }
}
