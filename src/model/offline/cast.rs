//! Who appears: the product the message is about, its companions, the guide or review beside it, the button. Chosen from
//! what the transcript says, by the flow's own rules (prompts/flows).

mod abandoned_checkout;
mod post_purchase;
mod win_back;

use kit::FactId;
use kit::message::Confidence;

use super::bans::Bans;
use super::patterns::{Beside, Shape, Target, Why};
use super::plan::{Code, NoSend};
use super::reading::{Guide, Person, Product, Quote, Reading, Relation, Role};

/// A lifecycle programme that there are patterns for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    AbandonedCheckout,
    PostPurchase,
    WinBack,
}

impl Flow {
    const ALL: [Self; 3] = [Self::AbandonedCheckout, Self::PostPurchase, Self::WinBack];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AbandonedCheckout => "abandoned-checkout",
            Self::PostPurchase => "post-purchase",
            Self::WinBack => "win-back",
        }
    }

    /// By the task, where it says; a variant such as `win-back-second` belongs to `win-back`. Else by the angles.
    pub(super) fn of(task: Option<&str>, person: &Person) -> Option<Self> {
        if let Some(id) = task {
            let is_variant = |rest: &str| rest.is_empty() || rest.starts_with('-');
            return Self::ALL.into_iter().find(|flow| id.strip_prefix(flow.name()).is_some_and(is_variant));
        }
        person.angles.iter().find_map(|angle| match angle.as_str() {
            "cart_reminder" => Some(Self::AbandonedCheckout),
            "care" => Some(Self::PostPurchase),
            "comeback" => Some(Self::WinBack),
            _ => None,
        })
    }
}

/// A product card and why it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Card<'a> {
    pub(super) product: &'a Product,
    pub(super) why: Why,
    /// The product that led to it, where it may be named.
    pub(super) source: Option<&'a Product>,
    /// The shop's own words about the pair, where there are usable ones.
    pub(super) words: Option<String>,
}

/// Everything a message shows.
#[derive(Debug, Clone)]
pub(super) struct Cast<'a> {
    pub(super) shape: Shape,
    /// One of the angles that the profile allows.
    pub(super) angle: &'a str,
    /// The product the text is about.
    pub(super) product: Option<&'a Product>,
    /// What they bought, when the text is about another product.
    pub(super) owned: Option<&'a Product>,
    pub(super) cards: Vec<Card<'a>>,
    pub(super) guide: Option<&'a Guide>,
    pub(super) review: Option<&'a FactId>,
    pub(super) offer: Option<&'a FactId>,
    pub(super) button: (&'a FactId, Target),
    pub(super) has_first_name: bool,
    pub(super) confidence: Confidence,
}

impl<'a> Cast<'a> {
    /// Chooses for a run of this flow.
    pub(super) fn choose(flow: Flow, reading: &'a Reading, person: &'a Person, bans: &'a Bans) -> Result<Self, NoSend> {
        let table = Table::lay(flow, reading, person, bans);
        let mut cast = match flow {
            Flow::AbandonedCheckout => abandoned_checkout::choose(&table),
            Flow::PostPurchase => post_purchase::choose(&table),
            Flow::WinBack => win_back::choose(&table),
        }?;
        // A message found wanting as a whole gets shorter, down to its first product.
        let least = cast.cards.len().min(1);
        cast.cards.truncate(cast.cards.len().saturating_sub(bans.shorter).max(least));
        if bans.shorter > 1 {
            cast.review = None;
        }
        Ok(cast)
    }

    /// The card that a word in the text should point to.
    pub(super) fn beside(&self) -> Option<Beside> {
        match (self.guide, self.review) {
            (Some(_), _) => Some(Beside::Guide),
            (None, Some(_)) => Some(Beside::Review),
            (None, None) => None,
        }
    }
}

/// What there is to choose from.
struct Table<'a> {
    flow: Flow,
    person: &'a Person,
    /// Products of the cart or order, in its order; sold-out ones too.
    run: Vec<&'a Product>,
    /// Products from elsewhere that can be bought now.
    others: Vec<&'a Product>,
    guides: Vec<&'a Guide>,
    offer: Option<&'a FactId>,
    cart: Option<&'a FactId>,
    titles: Vec<&'a str>,
    bans: &'a Bans,
}

impl<'a> Table<'a> {
    fn lay(flow: Flow, reading: &'a Reading, person: &'a Person, bans: &'a Bans) -> Self {
        let allowed = |product: &&Product| bans.allows_fact(product.fact.as_str());
        let is_run = |product: &&Product| product.role == Some(Role::Run);
        let offer = match &reading.offer {
            Quote::Granted(fact) => Some(fact),
            Quote::Unasked | Quote::None => None,
        };
        let fit = |fact: &&FactId| bans.allows_fact(fact.as_str());
        Self {
            flow,
            person,
            run: reading.products.iter().filter(is_run).filter(allowed).collect(),
            others: reading.products.iter().filter(|p| !is_run(p)).filter(allowed).filter(|p| p.is_there()).collect(),
            guides: reading.guides.iter().filter(|guide| bans.allows_fact(guide.fact.as_str())).collect(),
            offer: offer.filter(fit),
            cart: person.cart.as_ref().filter(fit),
            titles: reading.products.iter().map(|product| product.title.as_str()).collect(),
            bans,
        }
    }

    /// The first of these angles that the profile allows.
    fn angle(&self, wanted: &[&str]) -> Result<&'a str, NoSend> {
        let angles: &'a [String] = &self.person.angles;
        let allowed = |name: &&str| angles.iter().map(String::as_str).find(|angle| angle == name);
        wanted.iter().find_map(allowed).ok_or_else(|| {
            let wanted = wanted.join(" or ").replace('_', " ");
            NoSend::new(
                Code::NothingToSay,
                format!("The facts would carry a message about {wanted}, which the profile does not allow."),
            )
        })
    }

    /// The guide that explains this very product.
    fn guide(&self, product: &Product) -> Option<&'a Guide> {
        self.guides.iter().find(|guide| guide.explains(&product.id)).copied()
    }

    /// A review to quote. Beside regulated goods a customer's words become the shop's claim.
    fn review(&self, product: &'a Product) -> Option<&'a FactId> {
        product.review.as_ref().filter(|fact| !product.regulated && self.bans.allows_fact(fact.as_str()))
    }

    /// Products that stand in for one of the run, best first.
    fn stand_ins(&self) -> impl Iterator<Item = &'a Product> {
        let stands_in = |p: &&Product| matches!(p.relation(), Relation::Substitute | Relation::SameKind);
        self.others.iter().copied().filter(stands_in)
    }

    /// Products with one of these relations, those with the shop's own words first.
    fn related(&self, relations: &[Relation]) -> Vec<Card<'a>> {
        let fits = |p: &&&Product| relations.contains(&p.relation()) && !p.regulated && !self.is_rival(p);
        let mut cards: Vec<Card<'a>> = self.others.iter().filter(fits).map(|product| self.card(product)).collect();
        cards.sort_by_key(|card| card.words.is_none());
        cards
    }

    /// What others bought beside or instead: of the same kind as something in a cart it is a rival, not company.
    fn is_rival(&self, product: &Product) -> bool {
        let learned = match product.relation() {
            Relation::BoughtNext | Relation::BoughtTogether | Relation::SamePurpose => true,
            Relation::Accessory | Relation::Next | Relation::Substitute | Relation::SameKind | Relation::None => false,
        };
        let kind = product.category.as_deref();
        self.flow == Flow::AbandonedCheckout
            && learned
            && kind.is_some()
            && self.run.iter().any(|run| run.category.as_deref() == kind)
    }

    /// A card with the reason that the transcript gives.
    fn card(&self, product: &'a Product) -> Card<'a> {
        let why = match (product.relation(), product.role) {
            (Relation::Accessory, _) => Why::Accessory,
            (Relation::Next, _) => Why::Next,
            (Relation::BoughtNext, _) => Why::BoughtNext,
            (Relation::BoughtTogether, _) => Why::BoughtTogether,
            (Relation::SamePurpose, _) => Why::SamePurpose,
            (Relation::Substitute, _) => Why::Substitute,
            (Relation::SameKind, _) => Why::SameKind,
            (Relation::None, Some(Role::Run)) => Why::Own,
            (Relation::None, Some(Role::Favourite)) => Why::Favourite,
            (Relation::None, Some(Role::Interest)) => Why::Interest,
            (Relation::None, None) => Why::Other,
        };
        // What was cancelled is not brought up, and what sold out may not be cited.
        let anchor = self.run.iter().copied().find(|run| product.source() == Some(run.id.as_str()));
        let source = anchor.filter(|run| self.flow != Flow::WinBack && run.is_there());
        // The shop's words are about the pair: beside anything but the other of the two they make no sense.
        let words = anchor.and_then(|_| product.curated_words(&self.titles));
        Card { product, why, source, words }
    }

    /// A card of the run's own product: whatever leads to it, it is theirs.
    fn own(&self, product: &'a Product, why: Why) -> Card<'a> {
        Card { product, why, source: None, words: None }
    }
}
