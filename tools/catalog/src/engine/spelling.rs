//! Spelling: the word of the catalogue that was probably meant.

use std::cmp::Reverse;

use tantivy::Term;
use tantivy::query::FuzzyTermQuery;

use super::text::TextIndex;

/// Shorter words are one letter away from too many others.
const MIN_LETTERS: usize = 3;
/// From this length on two letters may be wrong.
const LONG_WORD: usize = 8;

impl TextIndex {
    /// The closest word that some product has: one letter away (a swap of neighbours is one), or two for words of
    /// eight letters and more. Among equals: same first letter, then more products, then alphabet. Words with a digit
    /// are sizes and codes: `40l` is not a misspelt `45l`.
    pub(super) fn correct(&self, word: &str) -> tantivy::Result<Option<String>> {
        let letters = word.chars().count();
        if letters < MIN_LETTERS || word.chars().any(char::is_numeric) {
            return Ok(None);
        }
        let furthest = if letters >= LONG_WORD { 2 } else { 1 };
        for distance in 1..=furthest {
            if let Some(found) = self.closest(word, distance)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn closest(&self, word: &str, distance: u8) -> tantivy::Result<Option<String>> {
        let fuzzy = FuzzyTermQuery::new(Term::from_field_text(self.fields.whole, word), distance, true);
        let first = word.chars().next();
        let mut best: Option<(bool, Reverse<u32>, String)> = None;
        for segment in self.searcher.segment_readers() {
            let whole = segment.inverted_index(self.fields.whole)?;
            let mut terms = whole.terms().search(fuzzy.automaton()?).into_stream()?;
            while terms.advance() {
                let Ok(candidate) = std::str::from_utf8(terms.key()) else { continue };
                if candidate.chars().count() < MIN_LETTERS || candidate.chars().any(char::is_numeric) {
                    continue;
                }
                let rank = (candidate.chars().next() != first, Reverse(terms.value().doc_freq), candidate.to_owned());
                if best.as_ref().is_none_or(|best| rank < *best) {
                    best = Some(rank);
                }
            }
        }
        Ok(best.map(|(_, _, word)| word))
    }
}
