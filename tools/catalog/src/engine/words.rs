//! Words: how text becomes terms, the same at index and at search time.
//!
//! One analyser serves all languages of a shop: lower case, accents folded (`größe` → `grosse`), English stop words
//! and stems. German words keep their own form, save for endings they share with English. German stop words stay in:
//! `hat` and `die` are English product words.

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer,
    TokenizerManager,
};

/// The analyser's name for stems.
pub(super) const STEMS: &str = "shop_stems";
/// The analyser's name for whole words.
pub(super) const WHOLE: &str = "shop_words";
/// Longer runs of letters are no words but codes; they are not indexed, in bytes.
const MAX_WORD_BYTES: usize = 40;
/// What an apostrophe leaves behind: `women's` → `women`, `s`.
const FRAGMENTS: [&str; 4] = ["s", "t", "ll", "ve"];

/// Both analysers. A token stream needs `&mut`, so every search takes a clone.
#[derive(Clone)]
pub(super) struct Words {
    whole: TextAnalyzer,
    stems: TextAnalyzer,
}

impl Words {
    pub(super) fn new() -> Self {
        let plain = || {
            let stop_words = StopWordFilter::new(Language::English)
                .unwrap_or_else(|| StopWordFilter::remove(std::iter::empty::<String>()));
            TextAnalyzer::builder(SimpleTokenizer::default())
                .filter(RemoveLongFilter::limit(MAX_WORD_BYTES))
                .filter(LowerCaser)
                .filter(AsciiFoldingFilter)
                .filter(stop_words)
                .filter(StopWordFilter::remove(FRAGMENTS.map(str::to_owned)))
        };
        Self { whole: plain().build(), stems: plain().filter(Stemmer::new(Language::English)).build() }
    }

    /// Both analysers by name, for an index.
    pub(super) fn manager(&self) -> TokenizerManager {
        let manager = TokenizerManager::default();
        manager.register(WHOLE, self.whole.clone());
        manager.register(STEMS, self.stems.clone());
        manager
    }

    /// The whole words of a text in order, without stop words.
    pub(super) fn whole(&mut self, text: &str) -> Vec<String> {
        terms(&mut self.whole, text)
    }

    /// The stem of one whole word.
    pub(super) fn stem(&mut self, word: &str) -> Option<String> {
        terms(&mut self.stems, word).into_iter().next()
    }
}

fn terms(analyser: &mut TextAnalyzer, text: &str) -> Vec<String> {
    let mut words = Vec::new();
    analyser.token_stream(text).process(&mut |token| words.push(token.text.clone()));
    words
}
