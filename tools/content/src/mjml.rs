//! The letter as MJML, and MJML as HTML.
//!
//! One column on a sheet of paper: masthead, heading in a serif, text, cards, one button, footer. Every string goes
//! through [`escape`]; every colour is a [`Colour`]; every link is a [`Link`]. The engine wants LF line ends, a `lang`,
//! a title, an `alt` on every picture, and a unit on zeros: with `16px 40px 0` it loses the widths that Outlook needs.

use std::fmt::Write as _;

use mrml::prelude::render::RenderOptions;

use crate::error::RenderError;
use crate::identity::{Colour, Theme};
use crate::letter::{Footer, Letter, Part, ProductCard};
use crate::link::Link;
use crate::palette::Palette;
use crate::words::Words;

const SERIF: &str = "Georgia, 'Times New Roman', serif";
const SANS: &str = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
const MONO: &str = "Menlo, Consolas, monospace";

/// Sets the letter as MJML.
pub(crate) fn set(letter: &Letter<'_>, words: &Words, theme: Option<Theme>) -> String {
    let light = Palette::light(theme);
    let products = letter.parts.iter().filter(|p| matches!(p, Part::Product(_))).count();
    let mut sheet = Sheet { out: String::with_capacity(8 * 1024), light, words, products };
    sheet.head(letter, &Palette::dark(theme));
    sheet.masthead(&letter.masthead.0, &letter.masthead.1);
    for part in &letter.parts {
        sheet.part(part);
    }
    sheet.footer(&letter.footer);
    sheet.out.push_str("</mj-body>\n</mjml>\n");
    sheet.out
}

/// Runs the engine.
pub(crate) fn to_html(mjml: &str) -> Result<String, RenderError> {
    let parsed = mrml::parse(mjml).map_err(|e| RenderError::Mjml(e.to_string()))?;
    if let Some(warning) = parsed.warnings.first() {
        return Err(RenderError::Mjml(format!("{warning:?}")));
    }
    // No fonts: the engine would fetch a family that it knows from another company's server, for every reader.
    let options = RenderOptions { fonts: Default::default(), ..RenderOptions::default() };
    parsed.element.render(&options).map_err(|e| RenderError::Mjml(e.to_string()))
}

struct Sheet<'a> {
    out: String,
    light: Palette,
    words: &'a Words,
    products: usize,
}

impl Sheet<'_> {
    /// Writing into a String cannot fail.
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(line);
        self.out.push('\n');
    }

    fn head(&mut self, letter: &Letter<'_>, dark: &Palette) {
        let Palette { ink, paper, tint, .. } = self.light;
        let (language, subject, preheader) =
            (escape(letter.language.as_str()), escape(&letter.subject), escape(&letter.preheader));
        self.line(format_args!("<mjml lang=\"{language}\">\n<mj-head>"));
        self.line(format_args!("<mj-title>{subject}</mj-title>\n<mj-preview>{preheader}</mj-preview>"));
        self.line(format_args!(
            "<mj-raw><meta name=\"color-scheme\" content=\"light dark\" /><meta name=\"supported-color-schemes\" content=\"light dark\" /></mj-raw>"
        ));
        self.line(format_args!(
            "<mj-attributes><mj-all font-family=\"{SANS}\" /><mj-text color=\"{ink}\" font-size=\"16px\" line-height=\"26px\" padding=\"0px\" /><mj-section padding=\"0px 40px\" background-color=\"{paper}\" css-class=\"mw-paper\" /><mj-column padding=\"0px\" /><mj-image padding=\"0px\" /></mj-attributes>"
        ));
        self.line(format_args!("<mj-style>{}</mj-style>\n</mj-head>", style(dark)));
        self.line(format_args!("<mj-body width=\"600px\" background-color=\"{tint}\" css-class=\"mw-desk\">"));
    }

    /// A full-width section with one column.
    fn section(&mut self, padding: &str, inner: std::fmt::Arguments<'_>) {
        self.line(format_args!("<mj-section padding=\"{padding}\"><mj-column>{inner}</mj-column></mj-section>"));
    }

    fn masthead(&mut self, name: &str, site: &Link) {
        let Palette { ink, hairline, tint, .. } = self.light;
        let (name, site) = (escape(name), href(site));
        self.line(format_args!(
            "<mj-section css-class=\"mw-desk\" background-color=\"{tint}\" padding=\"0px\"><mj-column><mj-spacer height=\"20px\" /></mj-column></mj-section>"
        ));
        self.section(
            "34px 40px 0px",
            format_args!(
                "<mj-text font-size=\"13px\" line-height=\"20px\" letter-spacing=\"2.5px\" font-weight=\"600\" text-transform=\"uppercase\"><a class=\"mw-ink\" href=\"{site}\" style=\"color:{ink};text-decoration:none\">{name}</a></mj-text><mj-divider css-class=\"mw-rule\" padding=\"22px 0px 0px\" border-width=\"1px\" border-color=\"{hairline}\" />"
            ),
        );
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Heading(text) => self.heading(text),
            Part::Paragraph(text) => {
                let text = escape(text);
                self.section("16px 40px 0px", format_args!("<mj-text css-class=\"mw-ink\">{text}</mj-text>"));
            }
            Part::Product(card) if self.products == 1 => self.only_product(card),
            Part::Product(card) => self.product_row(card),
            Part::Guide { title, summary, link } => self.guide(title, summary, link),
            Part::Review { stars, text, author } => self.review(*stars, text, author.as_deref()),
            Part::Offer { text, label, code, ends } => self.offer(text, label, code.as_deref(), ends),
            Part::Cta { label, link } => self.cta(label, link),
        }
    }

    fn heading(&mut self, text: &str) {
        let text = escape(text);
        self.section(
            "34px 40px 0px",
            format_args!(
                "<mj-text css-class=\"mw-ink mw-heading\" font-family=\"{SERIF}\" font-size=\"32px\" line-height=\"39px\"><h1 style=\"margin:0;font:inherit\">{text}</h1></mj-text>"
            ),
        );
    }

    /// One product has room: a large picture, the words beneath.
    fn only_product(&mut self, card: &ProductCard) {
        let picture = self.picture(card, "0px 0px 18px");
        let words = self.product_words(card, "22px", "29px");
        self.section("28px 40px 4px", format_args!("{picture}{words}"));
    }

    /// Several products stand in rows, on a phone as well.
    fn product_row(&mut self, card: &ProductCard) {
        let words = self.product_words(card, "19px", "25px");
        if card.picture.is_none() {
            return self.section("24px 40px 0px", format_args!("{words}"));
        }
        let picture = self.picture(card, "0px");
        self.line(format_args!(
            "<mj-section padding=\"24px 40px 0px\"><mj-group><mj-column width=\"34%\">{picture}</mj-column><mj-column width=\"66%\" padding=\"0px 0px 0px 22px\">{words}</mj-column></mj-group></mj-section>"
        ));
    }

    fn picture(&self, card: &ProductCard, padding: &str) -> String {
        let Some((source, alt)) = &card.picture else { return String::new() };
        let (source, alt, link) = (href(source), escape(alt), href(&card.link));
        format!(
            "<mj-image src=\"{source}\" alt=\"{alt}\" href=\"{link}\" border-radius=\"6px\" padding=\"{padding}\" fluid-on-mobile=\"true\" />"
        )
    }

    fn product_words(&self, card: &ProductCard, size: &str, leading: &str) -> String {
        let Palette { ink, muted, .. } = self.light;
        let (title, reason, link) = (escape(&card.title), escape(&card.reason), href(&card.link));
        let price = price(card, self.words, muted);
        format!(
            "<mj-text font-family=\"{SERIF}\" font-size=\"{size}\" line-height=\"{leading}\"><h2 style=\"margin:0;font:inherit\"><a class=\"mw-ink\" href=\"{link}\" style=\"color:{ink};text-decoration:none\">{title}</a></h2></mj-text><mj-text css-class=\"mw-ink\" padding=\"5px 0px 0px\" font-size=\"15px\" line-height=\"22px\">{price}</mj-text><mj-text css-class=\"mw-muted\" padding=\"7px 0px 0px\" font-size=\"15px\" line-height=\"23px\" color=\"{muted}\">{reason}</mj-text>"
        )
    }

    fn guide(&mut self, title: &str, summary: &str, link: &Link) {
        let Palette { accent, muted, hairline, .. } = self.light;
        let (title, summary, link, read) = (escape(title), escape(summary), href(link), escape(self.words.read_guide));
        self.section(
            "30px 40px 0px",
            format_args!(
                "<mj-divider css-class=\"mw-rule\" padding=\"0px 0px 20px\" border-width=\"1px\" border-color=\"{hairline}\" /><mj-text css-class=\"mw-ink\" font-family=\"{SERIF}\" font-size=\"19px\" line-height=\"25px\"><h2 style=\"margin:0;font:inherit\">{title}</h2></mj-text><mj-text css-class=\"mw-muted\" padding=\"6px 0px 0px\" font-size=\"15px\" line-height=\"23px\" color=\"{muted}\">{summary}</mj-text><mj-text padding=\"8px 0px 0px\" font-size=\"15px\" line-height=\"22px\"><a class=\"mw-accent\" href=\"{link}\" style=\"color:{accent};text-decoration:underline\">{read}</a></mj-text>"
            ),
        );
    }

    fn review(&mut self, stars: u8, text: &str, author: Option<&str>) {
        let Palette { accent, muted, .. } = self.light;
        let (open, close) = self.words.quotes;
        let (text, stars) = (escape(text), escape(&self.words.stars(stars)));
        let by = author
            .map_or_else(String::new, |author| format!(" · {} {}", escape(self.words.reviewed_by), escape(author)));
        self.line(format_args!(
            "<mj-section padding=\"30px 40px 0px\"><mj-column css-class=\"mw-quote\" border-left=\"3px solid {accent}\" padding=\"2px 0px 2px 20px\"><mj-text css-class=\"mw-ink\" font-family=\"{SERIF}\" font-style=\"italic\" font-size=\"18px\" line-height=\"28px\"><blockquote style=\"margin:0\">{open}{text}{close}</blockquote></mj-text><mj-text css-class=\"mw-muted\" padding=\"8px 0px 0px\" font-size=\"14px\" line-height=\"20px\" color=\"{muted}\"><span class=\"mw-accent\" style=\"color:{accent}\">{stars}</span>{by}</mj-text></mj-column></mj-section>"
        ));
    }

    fn offer(&mut self, text: &str, label: &str, code: Option<&str>, ends: &str) {
        let Palette { accent, muted, tint, .. } = self.light;
        let (text, label, ends, until) = (escape(text), escape(label), escape(ends), escape(self.words.until));
        let code = code.map_or_else(String::new, |code| {
            format!(
                "<mj-text css-class=\"mw-ink\" align=\"center\" padding=\"12px 0px 0px\" font-size=\"15px\" line-height=\"24px\">{}: <span style=\"font-family:{MONO};font-size:17px;font-weight:600;letter-spacing:2px\">{}</span></mj-text>",
                escape(self.words.code),
                escape(code)
            )
        });
        self.line(format_args!(
            "<mj-section padding=\"30px 40px 0px\"><mj-column css-class=\"mw-offer\" background-color=\"{tint}\" border-radius=\"6px\" padding=\"24px 24px 22px\"><mj-text css-class=\"mw-muted\" align=\"center\" font-size=\"15px\" line-height=\"23px\" color=\"{muted}\">{text}</mj-text><mj-text css-class=\"mw-accent\" align=\"center\" padding=\"6px 0px 0px\" font-family=\"{SERIF}\" font-size=\"26px\" line-height=\"33px\" color=\"{accent}\">{label}</mj-text>{code}<mj-text css-class=\"mw-muted\" align=\"center\" padding=\"4px 0px 0px\" font-size=\"14px\" line-height=\"22px\" color=\"{muted}\">{until} {ends}</mj-text></mj-column></mj-section>"
        ));
    }

    fn cta(&mut self, label: &str, link: &Link) {
        let Palette { accent, on_accent, .. } = self.light;
        let (label, link) = (escape(label), href(link));
        self.section(
            "30px 40px 6px",
            format_args!(
                "<mj-button css-class=\"mw-button\" align=\"left\" href=\"{link}\" background-color=\"{accent}\" color=\"{on_accent}\" font-size=\"16px\" line-height=\"24px\" font-weight=\"600\" border-radius=\"6px\" padding=\"0px\" inner-padding=\"13px 28px\">{label}</mj-button>"
            ),
        );
    }

    fn footer(&mut self, footer: &Footer) {
        let Palette { muted, tint, .. } = self.light;
        let words = self.words;
        let (why, sender, address) = (escape(&footer.why), escape(&footer.sender), escape(&footer.postal_address));
        let (by, stop, link) = (escape(words.sent_by), escape(words.unsubscribe), href(&footer.unsubscribe));
        self.section("40px 0px 0px", format_args!("<mj-spacer height=\"1px\" />"));
        self.line(format_args!(
            "<mj-section css-class=\"mw-desk\" background-color=\"{tint}\" padding=\"24px 40px 40px\"><mj-column><mj-text css-class=\"mw-muted\" font-size=\"13px\" line-height=\"20px\" color=\"{muted}\">{why}<br />{by} {sender}, {address}<br /><a class=\"mw-muted\" href=\"{link}\" style=\"color:{muted};text-decoration:underline\">{stop}</a></mj-text></mj-column></mj-section>"
        ));
    }
}

/// The price, and the former price struck through after words that say the same.
fn price(card: &ProductCard, words: &Words, muted: Colour) -> String {
    let now = escape(&card.price);
    match &card.was {
        None => format!("<strong>{now}</strong>"),
        Some(was) => format!(
            "<strong>{now}</strong> <span class=\"mw-muted\" style=\"color:{muted}\">{} <s>{}</s></span>",
            escape(words.instead_of),
            escape(was)
        ),
    }
}

/// Dark scheme and small screens. Mail clients that know neither show the light sheet.
fn style(dark: &Palette) -> String {
    let Palette { accent, on_accent, ink, muted, hairline, paper, tint } = dark;
    format!(
        "
:root {{ color-scheme: light dark; supported-color-schemes: light dark; }}
@media (max-width: 479px) {{ .mw-heading div {{ font-size: 27px !important; line-height: 34px !important; }} }}
@media (prefers-color-scheme: dark) {{
body, .mw-desk, .mw-desk > table {{ background: {tint} !important; background-color: {tint} !important; }}
.mw-paper, .mw-paper > table {{ background: {paper} !important; background-color: {paper} !important; }}
.mw-offer > table > tbody > tr > td {{ background-color: {tint} !important; }}
.mw-ink, .mw-ink div {{ color: {ink} !important; }}
.mw-muted, .mw-muted div {{ color: {muted} !important; }}
.mw-accent, .mw-accent div {{ color: {accent} !important; }}
.mw-rule p {{ border-top-color: {hairline} !important; }}
.mw-quote > table > tbody > tr > td {{ border-left-color: {accent} !important; }}
.mw-button td, .mw-button a {{ background: {accent} !important; background-color: {accent} !important; color: {on_accent} !important; }}
}}
"
    )
}

/// Text as markup: nothing in it can open a tag, close an attribute or start an entity.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

fn href(link: &Link) -> String {
    escape(link.as_str())
}
