//! Many mails of few shapes: MJML is compiled once a shape and merged for each reader.
//!
//! Letters of one class differ in words, prices, links and products, not in how they are built. A [`Press`] sets the
//! first letter of each shape with a mark in place of every string and compiles that; each further letter only fills
//! the marks. The result is byte for byte what compiling the letter itself would have made; a property test holds it to
//! that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kit::message::{DraftRecord, Rendered};

use crate::error::RenderError;
use crate::identity::{Reader, ShopIdentity, Theme, Utm};
use crate::letter::{Footer, Letter, Part, ProductCard};
use crate::link::Link;
use crate::mjml;
use crate::render::render_with;
use crate::words::Words;

/// Shapes that are kept. Classes have one or two each; whatever keeps making new ones is compiled as it comes.
const MAX_SHAPES: usize = 512;
/// What stands in place of a string: letters and digits only, so that no engine changes it. The number follows.
const MARK: &str = "MwLeaf7Q";

/// A mail with holes.
#[derive(Debug)]
struct Template {
    /// What stands before each hole, with the hole's number.
    pieces: Vec<(String, usize)>,
    tail: String,
}

impl Template {
    fn cut(html: &str) -> Option<Self> {
        let mut parts = html.split(MARK);
        let mut lead = parts.next()?.to_owned();
        let mut pieces = Vec::new();
        for part in parts {
            let (number, rest) = part.split_once('z')?;
            pieces.push((std::mem::take(&mut lead), number.parse().ok()?));
            rest.clone_into(&mut lead);
        }
        Some(Self { pieces, tail: lead })
    }

    fn fill(&self, leaves: &[String]) -> Option<String> {
        let holes: usize = leaves.iter().map(String::len).sum();
        let fixed: usize = self.pieces.iter().map(|(lead, _)| lead.len()).sum();
        let mut html = String::with_capacity(fixed + 3 * holes + self.tail.len());
        for (lead, hole) in &self.pieces {
            html.push_str(lead);
            html.push_str(leaves.get(*hole)?);
        }
        html.push_str(&self.tail);
        Some(html)
    }
}

/// Renders many mails. Shapes are kept for one shop: a press is made for a shop and used for it alone.
#[derive(Debug, Default)]
pub struct Press {
    templates: Mutex<HashMap<String, Arc<Template>>>,
}

impl Press {
    /// An empty press.
    pub fn new() -> Self {
        Self::default()
    }

    /// What [`crate::render()`] makes, at the cost of a merge.
    ///
    /// # Errors
    /// As [`crate::render()`].
    pub fn render(
        &self,
        record: &DraftRecord,
        shop: &ShopIdentity,
        reader: &Reader,
        utm: &Utm,
        subject_index: usize,
    ) -> Result<Rendered, RenderError> {
        render_with(record, shop, reader, utm, subject_index, |letter, words, theme| self.html(letter, words, theme))
    }

    /// Shapes compiled so far.
    pub fn shapes(&self) -> usize {
        self.templates.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn html(&self, letter: &Letter<'_>, words: &Words, theme: Option<Theme>) -> Result<String, RenderError> {
        let shape = shape(letter, theme);
        let known = self.templates.lock().unwrap_or_else(PoisonError::into_inner).get(&shape).cloned();
        let template = match known {
            Some(template) => template,
            None => {
                let mut number = 0;
                let marked = map(letter, &mut |_| {
                    number += 1;
                    format!("{MARK}{}z", number - 1)
                });
                let html = mjml::to_html(&mjml::set(&marked, words, theme))?;
                let cut = Template::cut(&html).ok_or_else(|| RenderError::Mjml("it changed a mark".to_owned()))?;
                let template = Arc::new(cut);
                let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
                if templates.len() < MAX_SHAPES {
                    templates.insert(shape, template.clone());
                }
                template
            }
        };
        let mut leaves = Vec::with_capacity(64);
        map(letter, &mut |text| {
            leaves.push(mjml::escape(text));
            String::new()
        });
        template.fill(&leaves).ok_or_else(|| RenderError::Mjml("a mark without a string".to_owned()))
    }
}

/// How a letter is built, without its strings.
fn shape(letter: &Letter<'_>, theme: Option<Theme>) -> String {
    let mut shape = format!("{}|{theme:?}|", letter.language);
    for part in &letter.parts {
        match part {
            Part::Heading(_) => shape.push('h'),
            Part::Paragraph(_) => shape.push('p'),
            Part::Product(card) => {
                let (was, picture) = (card.was.is_some(), card.picture.is_some());
                shape.push_str(match (was, picture) {
                    (false, false) => "c0",
                    (false, true) => "c1",
                    (true, false) => "c2",
                    (true, true) => "c3",
                });
            }
            Part::Guide { .. } => shape.push('g'),
            Part::Review { stars, .. } => shape.push_str(&format!("r{stars}")),
            Part::Offer { code, .. } => shape.push_str(if code.is_some() { "o1" } else { "o0" }),
            Part::Cta { .. } => shape.push('a'),
        }
    }
    shape
}

/// The same letter with every string replaced, in one fixed order.
fn map<'a>(letter: &Letter<'a>, with: &mut dyn FnMut(&str) -> String) -> Letter<'a> {
    let language = letter.language;
    let subject = with(&letter.subject);
    let preheader = with(&letter.preheader);
    let masthead = (with(&letter.masthead.0), link(&letter.masthead.1, with));
    let parts = letter.parts.iter().map(|p| part(p, with)).collect();
    let footer = Footer {
        why: with(&letter.footer.why),
        sender: with(&letter.footer.sender),
        postal_address: with(&letter.footer.postal_address),
        unsubscribe: link(&letter.footer.unsubscribe, with),
    };
    Letter { language, subject, preheader, masthead, parts, footer }
}

fn link(link: &Link, with: &mut dyn FnMut(&str) -> String) -> Link {
    Link::marked(with(link.as_str()))
}

fn part(part: &Part, with: &mut dyn FnMut(&str) -> String) -> Part {
    match part {
        Part::Heading(text) => Part::Heading(with(text)),
        Part::Paragraph(text) => Part::Paragraph(with(text)),
        Part::Product(card) => Part::Product(ProductCard {
            title: with(&card.title),
            price: with(&card.price),
            was: card.was.as_deref().map(&mut *with),
            picture: card.picture.as_ref().map(|(source, alt)| (link(source, with), with(alt))),
            reason: with(&card.reason),
            link: link(&card.link, with),
        }),
        Part::Guide { title, summary, link: to } => {
            Part::Guide { title: with(title), summary: with(summary), link: link(to, with) }
        }
        Part::Review { stars, text, author } => {
            Part::Review { stars: *stars, text: with(text), author: author.as_deref().map(&mut *with) }
        }
        Part::Offer { text, label, code, ends } => Part::Offer {
            text: with(text),
            label: with(label),
            code: code.as_deref().map(&mut *with),
            ends: with(ends),
        },
        Part::Cta { label, link: to } => Part::Cta { label: with(label), link: link(to, with) },
    }
}
