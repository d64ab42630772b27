//! One sentence pattern: words and slots, and what must not be in it.

/// What is wrong with one pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Nothing but blanks.
    #[error("the pattern is empty")]
    Empty,
    /// `{{` without `}}`, or the other way round.
    #[error("unbalanced braces: write slots as {{{{product.title}}}}")]
    Braces,
    /// A slot that is unknown, or has no place in this part of a message.
    #[error("{part} has no slot `{slot}`; it may use {allowed}")]
    Slot {
        /// What stands there, capped.
        slot: String,
        /// The part of the message.
        part: &'static str,
        /// What may stand there.
        allowed: String,
    },
    /// A catalogue sentence inside another sentence.
    #[error(
        "`{slot}` is a sentence of its own: begin with it or put it behind a colon or full stop, and a blank or nothing after it"
    )]
    Sentence {
        /// The slot.
        slot: &'static str,
    },
    /// A typed figure.
    #[error("figures are never typed: take `{0}` out")]
    Figure(char),
    /// Noise.
    #[error("patterns end without exclamation marks")]
    Exclamation,
    /// Longer than the part may be.
    #[error("{part} has {chars} characters without its slots; at most {most}")]
    Long {
        /// The part of the message.
        part: &'static str,
        /// Characters found.
        chars: usize,
        /// Characters allowed.
        most: usize,
    },
}

/// What fills a gap in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Slot {
    /// The title of the product the message is about.
    ProductTitle,
    /// Its first highlight, a sentence.
    ProductHighlight,
    /// Its care tip, a sentence.
    ProductCare,
    /// The title of the product they bought, when the message is about another one.
    OwnedTitle,
    /// The title of the product that led to the one on a card.
    SourceTitle,
    /// The title of the guide that is shown.
    GuideTitle,
    /// The reader's first name.
    FirstName,
    /// The shop's name.
    ShopName,
    /// What the offer is.
    OfferLabel,
    /// Its code.
    OfferCode,
    /// Its last day.
    OfferEnds,
}

impl Slot {
    const ALL: [Self; 11] = [
        Self::ProductTitle,
        Self::ProductHighlight,
        Self::ProductCare,
        Self::OwnedTitle,
        Self::SourceTitle,
        Self::GuideTitle,
        Self::FirstName,
        Self::ShopName,
        Self::OfferLabel,
        Self::OfferCode,
        Self::OfferEnds,
    ];

    /// As patterns write it.
    pub(in super::super) const fn name(self) -> &'static str {
        match self {
            Self::ProductTitle => "product.title",
            Self::ProductHighlight => "product.highlight",
            Self::ProductCare => "product.care",
            Self::OwnedTitle => "owned.title",
            Self::SourceTitle => "source.title",
            Self::GuideTitle => "guide.title",
            Self::FirstName => "customer.first_name",
            Self::ShopName => "shop.name",
            Self::OfferLabel => "offer.label",
            Self::OfferCode => "offer.code",
            Self::OfferEnds => "offer.ends",
        }
    }

    /// True for catalogue sentences: a fact beyond title and price.
    pub(in super::super) const fn is_sentence(self) -> bool {
        match self {
            Self::ProductHighlight | Self::ProductCare => true,
            Self::ProductTitle
            | Self::OwnedTitle
            | Self::SourceTitle
            | Self::GuideTitle
            | Self::FirstName
            | Self::ShopName
            | Self::OfferLabel
            | Self::OfferCode
            | Self::OfferEnds => false,
        }
    }
}

/// The part of a message that a pattern is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Subject,
    Preheader,
    Heading,
    Opening,
    Body,
    Beside,
    Reason,
    Label,
    Offer,
}

impl Part {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Subject => "a subject",
            Self::Preheader => "a preheader",
            Self::Heading => "a heading",
            Self::Opening => "an opening",
            Self::Body => "a body",
            Self::Beside => "a line beside a block",
            Self::Reason => "a reason",
            Self::Label => "a label",
            Self::Offer => "an offer line",
        }
    }

    /// Slots that may stand in it. The name belongs where a reader is addressed, an offer where its terms stand.
    const fn allowed(self) -> &'static [Slot] {
        match self {
            Self::Subject | Self::Preheader => &[Slot::ProductTitle, Slot::OwnedTitle, Slot::GuideTitle],
            Self::Heading => &[Slot::ProductTitle, Slot::OwnedTitle],
            Self::Opening => &[Slot::ProductTitle, Slot::OwnedTitle, Slot::FirstName, Slot::ShopName],
            Self::Body => &[Slot::ProductTitle, Slot::OwnedTitle, Slot::ProductHighlight, Slot::ProductCare],
            Self::Reason => &[Slot::SourceTitle],
            Self::Beside | Self::Label => &[],
            Self::Offer => &[Slot::OfferLabel, Slot::OfferCode, Slot::OfferEnds],
        }
    }

    /// Characters of its words, slots not counted: what `propose_message` and the shipped brand rules take.
    const fn most_chars(self) -> usize {
        match self {
            Self::Subject => 60,
            Self::Preheader => 110,
            Self::Heading => 70,
            Self::Opening | Self::Body | Self::Beside => 300,
            Self::Reason | Self::Offer => 200,
            Self::Label => 40,
        }
    }
}

/// One sentence pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Pattern {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Words(String),
    Slot(Slot),
}

impl Pattern {
    /// Reads a pattern for a part of a message.
    pub(super) fn parse(part: Part, source: &str) -> Result<Self, Flaw> {
        let source = source.trim();
        if source.is_empty() {
            return Err(Flaw::Empty);
        }
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some((words, tail)) = rest.split_once("{{") {
            let (name, after) = tail.split_once("}}").ok_or(Flaw::Braces)?;
            let slot = slot(part, name.trim())?;
            if !words.is_empty() {
                pieces.push(Piece::Words(words.to_owned()));
            }
            let opens = words.is_empty() && pieces.is_empty() || words.ends_with(": ") || words.ends_with(". ");
            if slot.is_sentence() && !(opens && (after.is_empty() || after.starts_with(' '))) {
                return Err(Flaw::Sentence { slot: slot.name() });
            }
            pieces.push(Piece::Slot(slot));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.to_owned()));
        }
        let pattern = Self { source: source.to_owned(), pieces };
        pattern.words_are_fit(part)?;
        Ok(pattern)
    }

    fn words_are_fit(&self, part: Part) -> Result<(), Flaw> {
        let mut chars = 0;
        for piece in &self.pieces {
            let Piece::Words(words) = piece else { continue };
            if words.contains(['{', '}']) {
                return Err(Flaw::Braces);
            }
            if let Some(figure) = words.chars().find(|c| c.is_numeric() || matches!(c, '%' | '€' | '$' | '£')) {
                return Err(Flaw::Figure(figure));
            }
            if words.contains('!') {
                return Err(Flaw::Exclamation);
            }
            chars += words.chars().count();
        }
        let most = part.most_chars();
        if chars > most { Err(Flaw::Long { part: part.name(), chars, most }) } else { Ok(()) }
    }

    /// The pattern as it is written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The slots, in order.
    pub(in super::super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(*slot),
            Piece::Words(_) => None,
        })
    }

    /// The sentence with every slot filled; `None` when one cannot be.
    pub(in super::super) fn fill(&self, mut by: impl FnMut(Slot) -> Option<String>) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Words(words) => Some(words.clone()),
                Piece::Slot(slot) => by(*slot),
            })
            .collect()
    }
}

fn slot(part: Part, name: &str) -> Result<Slot, Flaw> {
    let allowed = part.allowed();
    Slot::ALL.into_iter().find(|slot| slot.name() == name && allowed.contains(slot)).ok_or_else(|| {
        let names: Vec<&str> = allowed.iter().map(|slot| slot.name()).collect();
        let allowed = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Flaw::Slot { slot: name.chars().filter(|c| !c.is_control()).take(40).collect(), part: part.name(), allowed }
    })
}
