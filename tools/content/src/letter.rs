//! The letter: a draft with everything resolved. Plain strings and checked links, in reading order; HTML and plain text
//! are two ways to set it.

use kit::message::{Block, DraftRecord, Place};
use kit::person::MergeName;
use kit::{Fact, FactId, FactKind, FactValue, Language};

use crate::error::RenderError;
use crate::fill::{Filler, no_field};
use crate::identity::{Reader, ShopIdentity, Utm};
use crate::link::Link;

/// What one reader reads.
#[derive(Debug)]
pub(crate) struct Letter<'a> {
    pub(crate) language: &'a Language,
    pub(crate) subject: String,
    pub(crate) preheader: String,
    /// The shop's name and home page.
    pub(crate) masthead: (String, Link),
    pub(crate) parts: Vec<Part>,
    pub(crate) footer: Footer,
}

/// One resolved block.
#[derive(Debug)]
pub(crate) enum Part {
    Heading(String),
    Paragraph(String),
    Product(ProductCard),
    Guide { title: String, summary: String, link: Link },
    Review { stars: u8, text: String, author: Option<String> },
    Offer { text: String, label: String, code: Option<String>, ends: String },
    Cta { label: String, link: Link },
}

/// A product as shown.
#[derive(Debug)]
pub(crate) struct ProductCard {
    pub(crate) title: String,
    pub(crate) price: String,
    pub(crate) was: Option<String>,
    /// Link and description; a product without a picture has none.
    pub(crate) picture: Option<(Link, String)>,
    pub(crate) reason: String,
    pub(crate) link: Link,
}

/// Who wrote, why, and how to make it stop.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) why: String,
    pub(crate) sender: String,
    pub(crate) postal_address: String,
    pub(crate) unsubscribe: Link,
}

/// Resolves blocks one by one.
pub(crate) struct Resolver<'a> {
    pub(crate) filler: Filler<'a>,
    pub(crate) shop: &'a ShopIdentity,
    pub(crate) utm: &'a Utm,
}

impl<'a> Resolver<'a> {
    /// Resolves the whole letter.
    pub(crate) fn letter(
        &self,
        record: &'a DraftRecord,
        reader: &Reader,
        subject: usize,
    ) -> Result<Letter<'a>, RenderError> {
        let draft = &record.draft;
        let source = draft
            .subjects
            .get(subject)
            .ok_or(RenderError::NoSubject { index: subject, count: draft.subjects.len() })?;
        let site = trusted("site", &self.shop.site)?.with_utm(self.utm);
        Ok(Letter {
            language: &draft.language,
            subject: self.header("Subject", &Place::Subject { index: subject }, source)?,
            preheader: self.header("preheader", &Place::Preheader, &draft.preheader)?,
            masthead: (setting("name", &self.shop.name)?, site),
            parts: draft.blocks.iter().enumerate().map(|(i, b)| self.part(i, b)).collect::<Result<_, _>>()?,
            footer: self.footer(reader)?,
        })
    }

    /// A text that ends up in a header, or beside one in the inbox.
    fn header(&self, name: &str, place: &Place, source: &str) -> Result<String, RenderError> {
        if source.chars().any(char::is_control) {
            return Err(RenderError::Header { name: name.to_owned() });
        }
        self.filler.text(place, source)
    }

    fn footer(&self, reader: &Reader) -> Result<Footer, RenderError> {
        let token = &reader.unsubscribe_token;
        if !(16..=512).contains(&token.len()) || !token.bytes().all(crate::link::is_unreserved) {
            return Err(RenderError::Token);
        }
        Ok(Footer {
            why: setting("why", &reader.why)?,
            sender: setting("from_name", &self.shop.from_name)?,
            postal_address: setting("postal_address", &self.shop.postal_address)?,
            unsubscribe: trusted("unsubscribe_base", &self.shop.unsubscribe_base)?.join(token),
        })
    }

    fn part(&self, index: usize, block: &Block) -> Result<Part, RenderError> {
        let at = |field: &str| Place::Block { index, field: field.to_owned() };
        let fill = |field: &str, text: &str| self.filler.text(&at(field), text);
        Ok(match block {
            Block::Heading { text } => Part::Heading(fill("text", text)?),
            Block::Paragraph { text } => Part::Paragraph(fill("text", text)?),
            Block::Product { fact, reason } => {
                Part::Product(self.product(&at("fact"), fact, fill("reason", reason)?)?)
            }
            Block::Guide { fact } => self.guide(&at("fact"), fact)?,
            Block::Review { fact } => self.review(&at("fact"), fact)?,
            Block::Offer { fact, text } => self.offer(&at("fact"), fact, fill("text", text)?)?,
            Block::Cta { fact, label } => {
                let link = self.link(&at("fact"), self.filler.fact(&at("fact"), fact)?)?;
                Part::Cta { label: fill("label", label)?, link }
            }
        })
    }

    fn product(&self, place: &Place, id: &FactId, reason: String) -> Result<ProductCard, RenderError> {
        let fact = self.of_kind(place, id, FactKind::Product)?;
        let value = |field: &str| self.filler.value(place, fact, field);
        Ok(ProductCard {
            title: value("title")?,
            price: value("price")?,
            was: self.filler.optional(place, fact, "was")?,
            picture: self.picture(place, fact)?,
            reason,
            link: self.link(place, fact)?,
        })
    }

    fn guide(&self, place: &Place, id: &FactId) -> Result<Part, RenderError> {
        let fact = self.of_kind(place, id, FactKind::Guide)?;
        let value = |field: &str| self.filler.value(place, fact, field);
        Ok(Part::Guide { title: value("title")?, summary: value("summary")?, link: self.link(place, fact)? })
    }

    fn review(&self, place: &Place, id: &FactId) -> Result<Part, RenderError> {
        let fact = self.of_kind(place, id, FactKind::Review)?;
        let value = |field: &str| self.filler.value(place, fact, field);
        let stars = fact.count("stars").and_then(|n| u8::try_from(n).ok()).filter(|n| (1..=5).contains(n));
        let stars = stars.ok_or_else(|| no_field(place, fact, "stars"))?;
        // Reviewers type their own names, as customers do. One that is no name is not printed.
        let author = MergeName::parse(&value("author")?).map(|name| name.reveal().to_owned());
        Ok(Part::Review { stars, text: value("text")?, author })
    }

    fn offer(&self, place: &Place, id: &FactId, text: String) -> Result<Part, RenderError> {
        let fact = self.of_kind(place, id, FactKind::Offer)?;
        let value = |field: &str| self.filler.value(place, fact, field);
        let code = self.filler.optional(place, fact, "code")?;
        Ok(Part::Offer { text, label: value("label")?, code, ends: value("ends")? })
    }

    fn of_kind(&self, place: &Place, id: &FactId, expected: FactKind) -> Result<&'a Fact, RenderError> {
        let fact = self.filler.fact(place, id)?;
        if fact.kind == expected {
            return Ok(fact);
        }
        Err(RenderError::WrongKind { place: place.clone(), fact: id.clone(), found: fact.kind, expected })
    }

    /// The `url` of a fact with campaign parameters.
    fn link(&self, place: &Place, fact: &Fact) -> Result<Link, RenderError> {
        let url = url(fact, "url").ok_or_else(|| no_field(place, fact, "url"))?;
        let link = Link::to_hosts(url, &self.shop.link_hosts).map_err(|source| RenderError::Link {
            place: place.clone(),
            fact: fact.id.clone(),
            source,
        })?;
        Ok(link.with_utm(self.utm))
    }

    /// The picture of a product with its description; a picture without a description is not shown to anybody.
    fn picture(&self, place: &Place, fact: &Fact) -> Result<Option<(Link, String)>, RenderError> {
        let Some(url) = url(fact, "image").filter(|url| !url.is_empty()) else { return Ok(None) };
        let hosts = self.shop.link_hosts.iter().chain(&self.shop.image_hosts);
        let link = Link::to_hosts(url, hosts).map_err(|source| RenderError::Link {
            place: place.clone(),
            fact: fact.id.clone(),
            source,
        })?;
        Ok(Some((link, self.filler.value(place, fact, "image_alt")?)))
    }
}

/// A field that is a link by its type, not by its looks.
fn url<'a>(fact: &'a Fact, field: &str) -> Option<&'a str> {
    match fact.field(field)? {
        FactValue::Url { url } => Some(url),
        FactValue::Text { .. }
        | FactValue::Money { .. }
        | FactValue::Count { .. }
        | FactValue::Time { .. }
        | FactValue::Products { .. } => None,
    }
}

fn trusted(setting: &'static str, url: &str) -> Result<Link, RenderError> {
    Link::trusted(url).map_err(|e| RenderError::Setting { setting, why: e.to_string() })
}

/// A setting that is shown: one line, not empty.
fn setting(name: &'static str, value: &str) -> Result<String, RenderError> {
    match crate::fill::one_line(value).trim() {
        "" => Err(RenderError::Setting { setting: name, why: "it is empty".to_owned() }),
        value => Ok(value.to_owned()),
    }
}
