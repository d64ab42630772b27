//! What looks for words and patterns in a text: costly to make, and shared by all checks of a book.

use regex::Regex;

use crate::phrases::{Finder, Phrases};

/// What looks for phrases and patterns.
#[derive(Debug)]
pub(crate) struct Matchers {
    pub(crate) phrases: Finder,
    pub(crate) patterns: Patterns,
}

impl Matchers {
    pub(super) fn of(phrases: &Phrases) -> Result<Self, String> {
        let phrases = phrases.finder().map_err(|e| format!("the phrases cannot be compiled: {e}"))?;
        let patterns = Patterns::compile().map_err(|e| format!("a built-in pattern cannot be compiled: {e}"))?;
        Ok(Self { phrases, patterns })
    }
}

/// Regular expressions of the built-in checks.
#[derive(Debug)]
pub(crate) struct Patterns {
    pub(crate) url: Regex,
    pub(crate) email: Regex,
    /// A month after an ordinal or a word that sets a date, over the plain form.
    pub(crate) date: Regex,
    /// A greeting with a typed name.
    pub(crate) greeting: Regex,
    /// HTML, Markdown, templates, and the marks around text from outside before a model: none is for a reader.
    pub(crate) markup: Regex,
    pub(crate) reply: Regex,
    pub(crate) measure: Regex,
    /// A percentage or an amount, as anybody types one.
    pub(crate) amount: Regex,
    /// Words that make a reduction of an amount in the same sentence.
    pub(crate) reduction: Regex,
    /// What stands between quotation marks of any kind.
    pub(crate) quotation: Regex,
    /// Four or more single letters in a row (`f r e e`, `f.r.e.e`), or a sign inside a word (`s@le`).
    pub(crate) spaced: Regex,
}

impl Patterns {
    fn compile() -> Result<Self, regex::Error> {
        let count = "three|four|five|six|seven|eight|nine|ten|eleven|twelve|drei|vier|funf|fuenf|sechs|sieben|acht|neun|zehn|elf|zwolf|zwoelf";
        let unit = "minutes?|hours?|days?|nights?|weeks?|months?|years?|grams?|kilos?|kilograms?|pounds|ounces|litres?|liters?|metres?|meters?\
            |kilometres?|kilometers?|miles?|degrees|stars?|times\
            |minuten?|stunden?|tagen?|nachte|naechte|wochen?|monaten?|jahren?|gramm|kilogramm|litern?|metern?|kilometern?|grad|sternen?|prozent|mal";
        let month = "january|february|march|april|may|june|july|august|september|october|november|december\
            |januar|janner|jaenner|februar|marz|maerz|mai|juni|juli|oktober|dezember";
        let ordinal = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth\
            |sixteenth|seventeenth|eighteenth|nineteenth|twentieth|twenty first|twenty second|twenty third|twenty fourth|twenty fifth\
            |twenty sixth|twenty seventh|twenty eighth|twenty ninth|thirtieth|thirty first\
            |erster|ersten|zweiten|dritten|vierten|funften|fuenften|sechsten|siebten|achten|neunten|zehnten|elften|zwolften|zwoelften\
            |dreizehnten|vierzehnten|funfzehnten|fuenfzehnten|sechzehnten|siebzehnten|achtzehnten|neunzehnten|\\w*zwanzigsten|\\w*dreissigsten";
        Ok(Self {
            url: Regex::new(
                r"(?i)(?:https?|hxxps?|ftp|mailto|javascript|data)\s*:\S*|\bwww\.\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|info|biz|io|co|app|shop|store|example|eu|ie|uk|de|at|ch|fr|nl|es|it|us|me|ly|link|xyz|online|site)\b(?:/\S*)?|\b(?:dot|punkt)\s+(?:com|org|net|de|ie)\b",
            )?,
            email: Regex::new(
                r"\S+@\S+\.\w+|(?i)\b\w+\s*[\[(]\s*at\s*[\])]\s*\w+|\b[\w.-]+\s+(?:at|ät)\s+[\w-]+(?:\s+[\w-]+)?\s+(?:dot|punkt)\s+(?:com|net|org|info|io|co|app|shop|store|example|eu|ie|uk|de|at|ch|fr|nl|us)\b",
            )?,
            date: Regex::new(&format!(
                r" (?:until|till|by|before|ends|ends in|ending in|bis|bis ende|bis mitte|bis anfang|endet|endet im|(?:the )?(?:{ordinal})(?: of)?) (?:{month}) | (?:{month}) (?:the )?(?:{ordinal}) "
            ))?,
            greeting: Regex::new(
                r"(?:^|[.!?…]\s+)(?i:hi|hello|hey|dear|hallo|moin|servus|liebe|lieber)\s+(\p{Lu}\p{Ll}+)(?:\s*(?:[,!.:;–—-]|$))",
            )?,
            markup: Regex::new(r"</?[A-Za-z!][^>]*>?|\]\(|&(?:#\w+|[A-Za-z]+);|\{%|%\}|\*\*|`|[⟦⟧]")?,
            reply: Regex::new(r"(?i)^\W*(?:re|fwd?|aw|wg|antw|tr|sv)\s*(?:\[\w*\]\s*)?[:：]")?,
            spaced: Regex::new(
                r"(?:^|[^\p{L}\p{N}])(?:\p{L}[\s.\-_*·•~|/]{1,2}){3,}\p{L}(?:$|[^\p{L}\p{N}])|\p{L}+[@$€£*|¡!]+\p{L}+",
            )?,
            measure: Regex::new(&format!(r" (?:{count}) (?:{unit}) "))?,
            amount: Regex::new(
                r"(?i)[0-9]\s*(?:%|٪|％|﹪|percent|per cent|prozent|€|£|\$|euros?\b|eur\b|usd\b|gbp\b)|[€£$]\s*[0-9]",
            )?,
            reduction: Regex::new(
                r"(?i)\b(?:off|discount\w*|rabatt\w*|sale|reduced|reduziert\w*|cheaper|günstiger|sav(?:e|ed|ing|ings)|spar(?:e|en|st)|gespart|nachlass|preisnachlass|voucher|coupon|gutschein\w*|code)\b",
            )?,
            quotation: Regex::new(r#"[“„«»"]([^“”„«»"]{1,400})["“”»«]"#)?,
        })
    }
}
