//! What holds for every mail of every story, said without the product's own code.

use kit::CustomerId;

use super::World;
use super::mail::{Mail, bare, visible};

/// Characters of a subject that mail programs show whole.
const SUBJECT_CHARS: usize = 78;
/// Elements that a mail is made of.
const ELEMENTS: [&str; 27] = [
    "html",
    "head",
    "title",
    "meta",
    "body",
    "div",
    "span",
    "table",
    "tbody",
    "tr",
    "td",
    "p",
    "a",
    "img",
    "h1",
    "h2",
    "strong",
    "s",
    "br",
    "blockquote",
    "b",
    "em",
    "center",
    "thead",
    "th",
    "noscript",
    "xml",
];
/// Words of the English fixed strings that no German mail may hold, and the other way round.
const ENGLISH_ONLY: [&str; 4] = ["unsubscribe", "you get this because", "read the guide", "sent by"];
const GERMAN_ONLY: [&str; 3] = ["abmelden", "du bekommst diese mail", "ratgeber lesen"];

impl World {
    /// Panics with what is wrong.
    pub(super) fn examine(&self, mail: &Mail, reader: &CustomerId) {
        let person = self.who(reader);
        let told = |what: &str| format!("{what}\nSubject: {}\n{}", mail.subject, mail.text);
        let address = person.email.clone().unwrap();
        // Letter case tells no mailboxes apart.
        let to: Vec<String> = mail.to.iter().map(|to| to.to_lowercase()).collect();
        assert_eq!(to, [address.to_lowercase()], "{}", told("recipients"));
        assert_eq!(mail.from, format!("post@mail.{}", self.shelf.domain));
        let subject = mail.subject.chars().count();
        assert!((1..=SUBJECT_CHARS).contains(&subject), "{}", told("subject's length"));

        self.examine_links(mail, &told);
        self.examine_footer(mail, &told);
        self.examine_markup(mail, person.language, &told);
        self.examine_figures(mail, person.language, &told);

        for other in self.everybody_but(reader) {
            let (theirs, named) = (other.email.unwrap_or_default(), other.first_name.unwrap_or_default());
            let is_theirs = |secret: &str| !secret.is_empty() && mail.raw.contains(secret);
            assert!(!is_theirs(&theirs), "{}", told("somebody else's address"));
            let distinct = person.first_name.as_deref() != Some(&named) && named.ends_with("bystander");
            assert!(!distinct || !mail.says(&named), "{}", told("somebody else's name"));
        }
        assert!(
            !mail.text.contains(&address) && !mail.html.contains(&address),
            "{}",
            told("the address stands in the body")
        );
    }

    fn examine_links(&self, mail: &Mail, told: &dyn Fn(&str) -> String) {
        let domain = &self.shelf.domain;
        let hosts = [format!("www.{domain}"), format!("help.{domain}"), format!("out.{domain}")];
        let links = mail.links();
        assert!(links.len() > 4, "{}", told("hardly a link"));
        for link in links {
            let host = link.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
            assert!(
                host.is_some_and(|h| hosts.iter().any(|known| known == h)),
                "{}",
                told(&format!("a link to {link}"))
            );
        }
        let stop = mail.header("List-Unsubscribe").unwrap_or_default();
        let base = format!("https://out.{domain}/stop/");
        let url = stop.trim_start_matches('<').split('>').next().unwrap_or_default();
        assert!(
            url.starts_with(&base) && url.len() >= base.len() + 16,
            "{}",
            told(&format!("List-Unsubscribe: {stop}"))
        );
        assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
        assert!(mail.text.contains(url) && mail.html.contains(url), "{}", told("no link to unsubscribe"));
    }

    fn examine_footer(&self, mail: &Mail, told: &dyn Fn(&str) -> String) {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let postal = self.shelf.postal_address();
        assert!(flat(mail.footer()).contains(&postal), "{}", told("no postal address in the text"));
        assert!(visible(&mail.html).contains(&postal), "{}", told("no postal address in the HTML"));
    }

    fn examine_markup(&self, mail: &Mail, language: &str, told: &dyn Fn(&str) -> String) {
        let language = if language.starts_with("de") { "de" } else { "en" };
        let body = bare(&mail.html);
        for (place, text) in [("subject", &mail.subject), ("text", &mail.text), ("HTML", &body)] {
            assert!(!text.contains("{{") && !text.contains("}}"), "{}", told(&format!("braces in the {place}")));
            assert!(!text.contains('⟦') && !text.contains('⟧'), "{}", told(&format!("a fence in the {place}")));
        }
        for (at, _) in body.match_indices('<') {
            let name: String = body[at + 1..]
                .trim_start_matches(['/', '!'])
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric())
                .collect();
            let known = ELEMENTS.contains(&name.to_lowercase().as_str()) || name.eq_ignore_ascii_case("doctype");
            assert!(known, "{}", told(&format!("element <{name}>")));
        }
        assert!(body.contains(&format!("lang=\"{language}\"")), "{}", told("the language of the HTML"));
        let title = body.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        assert!(!title.trim().is_empty(), "{}", told("no title"));
        for picture in body.split("<img").skip(1) {
            let tag = picture.split('>').next().unwrap();
            let alt = tag.split("alt=\"").nth(1).and_then(|rest| rest.split('"').next());
            assert!(alt.is_some_and(|alt| !alt.trim().is_empty()), "{}", told("a picture without words"));
        }
        let foreign: &[&str] = if language == "de" { &ENGLISH_ONLY } else { &GERMAN_ONLY };
        for words in foreign {
            assert!(
                !mail.says(words) && !mail.footer().to_lowercase().contains(words),
                "{}",
                told(&format!("`{words}` in a mail in {language}"))
            );
        }
        let own = if language == "de" { "zugestimmt" } else { "agreed" };
        assert!(mail.footer().contains(own), "{}", told("no reason why the reader gets this"));
    }

    /// Every figure is a price of now, or part of a name that the shop chose.
    fn examine_figures(&self, mail: &Mail, language: &str, told: &dyn Fn(&str) -> String) {
        let german = language.starts_with("de");
        let mut words = format!("{} {}", mail.subject, mail.words()).replace('\u{a0}', " ");
        let mut shown = 0;
        for card in mail.cards() {
            let product = self.shelf.products.iter().find(|p| same_title(&p.title, &card));
            let product = product.unwrap_or_else(|| panic!("{}", told(&format!("a card of `{card}`"))));
            let live = self.tenant.catalog.live(&product.id).unwrap();
            assert!(live.stock > 0, "{}", told(&format!("a card of `{card}`, which is sold out")));
            let price = spelled(live.price.minor, product.price.currency.as_str(), german);
            assert!(words.contains(&price), "{}", told(&format!("`{card}` costs {price}")));
            words = words.replace(&price, " ");
            shown += 1;
        }
        assert!(shown <= 4, "{}", told("more than four cards"));
        for product in &self.shelf.products {
            words = words.replace(&product.title, " ");
        }
        for stars in 1..=5 {
            words = words.replace(&format!("{stars} of 5"), " ").replace(&format!("{stars} von 5"), " ");
        }
        let offered = mail.says("TRAIL") || mail.says("TARN");
        for offer in ["5% off", "10% off", "15% off", "5 % auf", "10 % auf", "15 % auf"].iter().filter(|_| offered) {
            words = words.replace(offer, " ");
        }
        let plain = |word: &&str| !offered || !(word.starts_with("TRAIL") || word.starts_with("TARN") || is_day(word));
        let left: Vec<&str> =
            words.split_whitespace().filter(plain).filter(|word| word.chars().any(char::is_numeric)).collect();
        assert!(left.is_empty(), "{}", told(&format!("figures that nothing proves: {left:?}")));
    }
}

/// Titles as a reader sees them: white space does not count.
fn same_title(title: &str, card: &str) -> bool {
    title.split_whitespace().eq(card.split_whitespace())
}

/// The day on which an offer ends, `24` or `24.`; its month follows in letters.
fn is_day(word: &str) -> bool {
    word.trim_end_matches('.').parse::<u8>().is_ok_and(|day| (1..=31).contains(&day)) && word.len() <= 3
}

/// An amount as a reader in this language writes it.
pub(super) fn spelled(minor: i64, currency: &str, german: bool) -> String {
    let symbol = match currency {
        "EUR" => "€",
        "GBP" => "£",
        "USD" => "$",
        other => other,
    };
    let (whole, part) = (minor / 100, minor % 100);
    if german { format!("{whole},{part:02} {symbol}") } else { format!("{symbol}{whole}.{part:02}") }
}
