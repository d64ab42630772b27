//! What one approval of a campaign covers, and the proof that one person's message lies inside.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::class::{CampaignId, ClassCopy, ClassId, ClassKey, Fill, compose};
use super::merkle::{AudienceProof, leaf};
use crate::digest::Digest;
use crate::fact::{Fact, FactKind};
use crate::ids::{FlowId, OfferStepId, ProductId, ShopId};
use crate::message::{Channel, DraftRecord, Envelope};
use crate::money::Money;

/// One class as approved: its key and the hash of everything written for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassTerms {
    /// The class.
    pub id: ClassId,
    /// What its people have in common.
    pub key: ClassKey,
    /// [`ClassCopy::digest`].
    pub copy: Digest,
    /// How many of the audience belong to it.
    pub people: u32,
}

/// How many products of their own people may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRules {
    /// At least.
    pub least: usize,
    /// At most.
    pub most: usize,
}

/// Everything an approval of a campaign is bound to. Any change makes another digest and voids the approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignTerms {
    /// The shop.
    pub shop: ShopId,
    /// The campaign.
    pub campaign: CampaignId,
    /// Every class.
    pub classes: Vec<ClassTerms>,
    /// What people may see beside the class's own products.
    pub slots: SlotRules,
    /// Products that may be shown, with the price that was shown to the approver.
    pub products: BTreeMap<ProductId, Money>,
    /// How far a price may have moved since, in thousandths.
    pub price_tolerance_permille: u32,
    /// The root of the frozen audience.
    pub audience: Digest,
    /// How many they are.
    pub recipients: u32,
    /// The first moment at which a message may leave.
    pub not_before: Timestamp,
    /// The last.
    pub not_after: Timestamp,
    /// The content rules.
    pub rules: Digest,
    /// Prompts, policy and model settings.
    pub release: Digest,
}

/// Why one person's message does not lie inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Outside {
    /// Another class, or its words were changed.
    #[error("class {0} was not approved with these words")]
    Class(ClassId),
    /// Nobody of the approved audience, or with another class or offer.
    #[error("this recipient, class and offer were not in the approved audience")]
    Audience,
    /// The blocks are not the class's.
    #[error("the message is not what its class and fill make")]
    Content,
    /// A fact of the class is about something else now.
    #[error("{0} says something else than what was approved")]
    Fact(String),
    /// Too many or too few products of one's own, or one twice.
    #[error("{found} products in the open places, {} to {} were approved", rules.least, rules.most)]
    Slots {
        /// How many.
        found: usize,
        /// How many may be.
        rules: SlotRules,
    },
    /// A product that was not approved.
    #[error("{0} is not among the approved products")]
    Product(ProductId),
    /// A price that moved too far.
    #[error("the price of {product} is {now}; {approved} was approved")]
    Price {
        /// Of which product.
        product: ProductId,
        /// What it costs.
        now: Money,
        /// What was shown to the approver.
        approved: Money,
    },
    /// Another offer than the person's.
    #[error("the message carries another offer than was approved for this person")]
    Offer,
    /// Too early or too late.
    #[error("it may leave from {not_before} to {not_after}")]
    Window {
        /// From.
        not_before: Timestamp,
        /// To.
        not_after: Timestamp,
    },
}

/// One recipient's part in the campaign: what the audience was frozen with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// The class.
    pub class: &'a ClassId,
    /// The digest of where it goes.
    pub destination: Digest,
    /// The offer.
    pub offer: Option<&'a OfferStepId>,
    /// The way to the root.
    pub proof: &'a AudienceProof,
}

/// Proof that a message lies inside approved terms. Made by [`CampaignTerms::covers`] only.
#[derive(Debug)]
pub struct Covered {
    envelope: Envelope,
    terms: Digest,
    campaign: CampaignId,
}

impl Covered {
    /// The envelope of this one message.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
    /// The digest of the terms it lies inside.
    pub fn terms(&self) -> Digest {
        self.terms
    }
    /// The campaign.
    pub fn campaign(&self) -> &CampaignId {
        &self.campaign
    }
}

impl CampaignTerms {
    /// The digest an approver signs.
    pub fn digest(&self) -> Digest {
        // Plain data with ordered maps: writing it cannot fail, and an empty digest would only void the approval.
        Digest::of_json(self).unwrap_or_else(|_| Digest::of_parts(["campaign-terms", "unreadable"]))
    }

    /// Proves that this message for this person lies inside. It makes the message again from the approved class and the fill,
    /// and compares.
    ///
    /// # Errors
    /// [`Outside`]: the message is held.
    pub fn covers(
        &self,
        place: &Place<'_>,
        copy: &ClassCopy,
        fill: &Fill,
        record: &DraftRecord,
        now: Timestamp,
    ) -> Result<Covered, Outside> {
        let class = || Outside::Class(place.class.clone());
        let terms = self.classes.iter().find(|c| c.id == *place.class).ok_or_else(class)?;
        let written = copy.of(record.draft.channel).filter(|_| copy.digest() == terms.copy).ok_or_else(class)?;
        if written.draft.content_hash(&written.facts).ok() != Some(written.report.content) {
            return Err(class());
        }
        if terms.key.offer.as_ref() != place.offer {
            return Err(Outside::Offer);
        }
        if place.proof.root(leaf(place.destination, place.class, place.offer)) != self.audience {
            return Err(Outside::Audience);
        }
        let (draft, facts) = compose(written, fill);
        if draft != record.draft || facts != record.facts {
            return Err(Outside::Content);
        }
        for fact in facts.iter() {
            match written.facts.get(&fact.id) {
                Some(approved) => unchanged(approved, fact)?,
                None if fact.kind == FactKind::Product => {}
                None => return Err(Outside::Fact(fact.id.to_string())),
            }
            self.price(fact)?;
        }
        self.slots(fill, written)?;
        let offer = match record.draft.offer() {
            Some(id) => facts.get(id).and_then(|f| OfferStepId::new(f.subject.clone()).ok()),
            None => None,
        };
        // A text message may leave the offer out, a mail may not add one.
        if offer.is_some() && offer.as_ref() != place.offer {
            return Err(Outside::Offer);
        }
        if now < self.not_before || now >= self.not_after {
            return Err(Outside::Window { not_before: self.not_before, not_after: self.not_after });
        }
        let flow = FlowId::new(self.campaign.as_str()).map_err(|_| Outside::Audience)?;
        let envelope = Envelope {
            shop: self.shop.clone(),
            flow,
            channel: record.draft.channel,
            content: record.report.content,
            audience: place.destination,
            offer,
            not_after: self.not_after,
            rules: self.rules,
            release: self.release,
        };
        Ok(Covered { envelope, terms: self.digest(), campaign: self.campaign.clone() })
    }

    fn slots(&self, fill: &Fill, written: &DraftRecord) -> Result<(), Outside> {
        let found = fill.products.len();
        let rules = match written.draft.channel {
            Channel::Email => self.slots,
            Channel::Sms => SlotRules { least: 0, most: 0 },
        };
        let subjects = |facts: &mut dyn Iterator<Item = &Fact>| -> BTreeSet<String> {
            facts.filter(|f| f.kind == FactKind::Product).map(|f| f.subject.clone()).collect()
        };
        let own = subjects(&mut fill.products.iter().map(|slot| &slot.fact));
        let led = subjects(&mut written.facts.iter());
        let distinct = own.len() == found && own.is_disjoint(&led);
        if (rules.least..=rules.most).contains(&found) && distinct {
            return Ok(());
        }
        Err(Outside::Slots { found, rules })
    }

    /// A product among the approved ones, at about the approved price.
    fn price(&self, fact: &Fact) -> Result<(), Outside> {
        if fact.kind != FactKind::Product {
            return Ok(());
        }
        let unknown = || Outside::Fact(fact.id.to_string());
        let product = ProductId::new(fact.subject.clone()).map_err(|_| unknown())?;
        let approved = *self.products.get(&product).ok_or_else(|| Outside::Product(product.clone()))?;
        let now = fact.money("price").ok_or_else(unknown)?;
        let moved = i128::from(now.minor) - i128::from(approved.minor);
        let allowed = i128::from(approved.minor) * i128::from(self.price_tolerance_permille);
        if now.currency == approved.currency && moved.abs() * 1000 <= allowed {
            return Ok(());
        }
        Err(Outside::Price { product, now, approved })
    }
}

/// A fact of the class is the same thing, told the same way: only what moves by itself may differ, price and stock of a
/// product and the code of an offer.
fn unchanged(approved: &Fact, now: &Fact) -> Result<(), Outside> {
    let moves = |field: &str| match approved.kind {
        FactKind::Product => matches!(field, "price" | "was" | "stock"),
        FactKind::Offer => field == "code",
        FactKind::Review | FactKind::Guide | FactKind::Cart | FactKind::Order | FactKind::Claim => false,
    };
    let told = |fact: &Fact| -> BTreeMap<String, crate::FactValue> {
        fact.fields.iter().filter(|(name, _)| !moves(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
    };
    let same = approved.kind == now.kind && approved.subject == now.subject && told(approved) == told(now);
    if same { Ok(()) } else { Err(Outside::Fact(format!("{} ({})", now.subject, now.id))) }
}
