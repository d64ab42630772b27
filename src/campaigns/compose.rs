//! One person's message: the class's blocks, products of their own with the path as the reason, their voucher code.

use std::collections::BTreeMap;
use std::sync::Arc;

use content::{Press, Reader, SmsReader, Utm};
use graph::{Availability, Live, ProductGraph, Request, compact};
use kit::campaign::{CampaignId, ClassCopy, ClassId, Fill, SlotProduct, compose, slot_fact};
use kit::fact::Fact;
use kit::message::{Channel, DraftRecord, Outgoing};
use kit::person::MergeName;
use kit::product::{ProductCard, Shelf};
use kit::{
    CustomerId, FactKind, FactValue, FlowId, Language, Money, OfferStepId, ProductId, Provenance, StoreError, Timestamp,
};

use super::{CAMPAIGN_FLOW, CampaignError, StoredFacts};
use crate::store::{Campaign, Customer, Recipient};
use crate::tenant::Tenant;
use crate::toolbox;

/// Products of one's own: two or three beside the one that leads.
pub(super) const SLOTS: kit::campaign::SlotRules = kit::campaign::SlotRules { least: 2, most: 3 };
/// Candidates asked of the graph for each place.
const PER_PLACE: usize = 3;

/// A person's message, not yet cleared.
#[derive(Debug)]
pub struct Composed {
    /// The draft with its facts and report.
    pub record: DraftRecord,
    /// What made it theirs.
    pub fill: Fill,
    /// Exactly what would go out.
    pub message: Outgoing,
    /// The subject they get, from 0.
    pub subject: usize,
    /// The offer it makes, if it makes one.
    pub granted: Option<Granted>,
}

/// An offer as one person gets it, not yet held against any budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The ladder's step.
    pub step: OfferStepId,
    /// Their code.
    pub code: String,
    /// What it may cost at most.
    pub cost: Money,
}

/// Composes for a campaign. Holds what is the same for everybody; each shape of mail is compiled once.
pub struct Composer {
    tenant: Arc<Tenant>,
    campaign: Campaign,
    classes: BTreeMap<ClassId, (StoredFacts, ClassCopy)>,
    /// Products that may be shown; `None` while the terms are still being made.
    allowed: Option<BTreeMap<ProductId, Money>>,
    press: Press,
}

impl std::fmt::Debug for Composer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Composer").field("campaign", &self.campaign.id).finish_non_exhaustive()
    }
}

impl Composer {
    /// A composer for a campaign whose classes are all written.
    ///
    /// # Errors
    /// [`CampaignError::NotWritten`] names the first class without a copy.
    pub async fn open(tenant: &Arc<Tenant>, campaign: Campaign) -> Result<Self, CampaignError> {
        let mut classes = BTreeMap::new();
        for row in tenant.store.campaign_classes(&campaign.id).await? {
            let facts: StoredFacts = serde_json::from_str(&row.facts)
                .map_err(|e| StoreError::Corrupt { what: "class".to_owned(), why: e.to_string() })?;
            let why = || "no copy yet".to_owned();
            let copy = row.copy.ok_or_else(|| CampaignError::NotWritten { class: row.id.clone(), why: why() })?;
            classes.insert(row.id, (facts, copy));
        }
        Ok(Self { tenant: tenant.clone(), campaign, classes, allowed: None, press: Press::new() })
    }

    /// Keeps to these products.
    #[must_use]
    pub fn within(mut self, allowed: BTreeMap<ProductId, Money>) -> Self {
        self.allowed = Some(allowed);
        self
    }

    /// The campaign.
    pub fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// Facts and copy of a class.
    pub fn class(&self, id: &ClassId) -> Option<&(StoredFacts, ClassCopy)> {
        self.classes.get(id)
    }

    /// All classes.
    pub fn classes(&self) -> impl Iterator<Item = (&ClassId, &(StoredFacts, ClassCopy))> {
        self.classes.iter()
    }

    /// Shapes of mail compiled so far.
    pub fn shapes(&self) -> usize {
        self.press.shapes()
    }

    /// Composes for a recipient. The inner error says in words why their message cannot be made; it is held then.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn compose(&self, to: &Recipient, now: Timestamp) -> Result<Result<Composed, String>, CampaignError> {
        let Some((facts, copy)) = self.classes.get(&to.class) else { return Ok(Err("its class is gone".to_owned())) };
        let Some(class) = copy.of(to.channel) else {
            return Ok(Err(format!("nothing is written for {}", to.channel.as_str())));
        };
        let Some(customer) = self.tenant.store.customer(&to.customer).await? else {
            return Ok(Err("the customer is gone".to_owned()));
        };
        let (own, granted) = match self.own_facts(class, facts, &customer, now).await? {
            Ok(own) => own,
            Err(why) => return Ok(Err(why)),
        };
        let products = match to.channel {
            Channel::Email => {
                let owned = self.tenant.owned_by(&customer.id).await?;
                self.slots(&*self.tenant.learned.graph().await?, facts, &owned, now)
            }
            Channel::Sms => Vec::new(),
        };
        let fill = Fill { facts: own, products };
        let record = match self.record(class, &fill, now)? {
            Ok(record) => record,
            Err(why) => return Ok(Err(why)),
        };
        let subject = copy.subject_for(&self.campaign.id, to.destination);
        let message = self.render(&record, &customer, to.channel, subject, now).await?;
        Ok(message.map(|message| Composed { record, fill, message, subject, granted }))
    }

    /// The composed draft with what the rules say of it today.
    fn record(
        &self,
        class: &DraftRecord,
        fill: &Fill,
        now: Timestamp,
    ) -> Result<Result<DraftRecord, String>, CampaignError> {
        let (draft, facts) = compose(class, fill);
        let tags = toolbox::tags(&self.tenant.catalog, &facts);
        let flow = FlowId::new(CAMPAIGN_FLOW)?;
        let report = toolbox::check(&self.tenant.release, &draft, &facts, &flow, &tags, now)?;
        if report.blocks() {
            let first = report.findings.first().map(|f| format!("{} at {}", f.rule, f.place)).unwrap_or_default();
            return Ok(Err(format!("a content rule forbids it: {first}")));
        }
        Ok(Ok(DraftRecord { draft, facts, report, authors: class.authors.clone() }))
    }

    /// The class's facts as they are now: price and stock of today, the person's own code.
    async fn own_facts(
        &self,
        class: &DraftRecord,
        facts: &StoredFacts,
        customer: &Customer,
        now: Timestamp,
    ) -> Result<Result<(Vec<Fact>, Option<Granted>), String>, CampaignError> {
        let (mut own, mut made) = (Vec::new(), None);
        for fact in class.facts.iter() {
            match fact.kind {
                FactKind::Product => {
                    let id = ProductId::new(fact.subject.clone())?;
                    let card = self.tenant.catalog.card(&id, &facts.key.language, now);
                    let Some(card) = card.filter(|card| card.stock > 0) else {
                        return Ok(Err(format!("{id} is out of stock")));
                    };
                    own.push(with_today(fact, &card));
                }
                FactKind::Offer => {
                    let schedule = self.campaign.brief.schedule.as_ref();
                    let step = facts.offer.as_ref().map(|o| o.step.clone());
                    let (Some(schedule), Some(step)) = (schedule, step) else {
                        return Ok(Err("its class has no offer".to_owned()));
                    };
                    let (id, lead) = (&self.campaign.id, &facts.key.lead);
                    let granted =
                        self.tenant.granted(&customer.id, customer.vip, &step, lead, id, schedule, now).await?;
                    let Some(offer) = granted else { return Ok(Err("the ladder grants no offer any more".to_owned())) };
                    let mut fact = fact.clone();
                    let code = self.tenant.own_code(&offer, &customer.id, id).await?;
                    made = Some(Granted { step: offer.step().clone(), code: code.clone(), cost: offer.cost() });
                    fact.fields.insert("code".to_owned(), FactValue::text(code));
                    own.push(fact);
                }
                FactKind::Review | FactKind::Guide | FactKind::Cart | FactKind::Order | FactKind::Claim => {}
            }
        }
        Ok(Ok((own, made)))
    }

    /// Products for the open places, each with its path in the graph.
    fn slots(
        &self,
        graph: &ProductGraph,
        facts: &StoredFacts,
        owned: &[graph::Owned],
        now: Timestamp,
    ) -> Vec<SlotProduct> {
        let language = &facts.key.language;
        let counter = Counter { composer: self, language, now };
        let leads: Vec<ProductId> = self.campaign.brief.products.iter().map(|p| p.product.clone()).collect();
        let basket = std::slice::from_ref(&facts.key.lead);
        let request = Request {
            basket,
            exclude: &leads,
            history: owned,
            favourites: &[],
            k: SLOTS.most * PER_PLACE,
            language,
            now,
            regulated: false,
            price_band: None,
        };
        let mut slots = Vec::new();
        for found in graph.recommend(&request, &counter) {
            let place = slots.len();
            if place == SLOTS.most {
                break;
            }
            let card = self.tenant.catalog.card(&found.product, language, now);
            // A feed's words are not mailed to thousands unread.
            let Some(card) = card.filter(|card| card.provenance != Provenance::ThirdParty && !card.url.is_empty())
            else {
                continue;
            };
            let Some(id) = slot_fact(place) else { break };
            let why = found.path.last().and_then(|step| step.why.clone());
            let spoken = why.filter(|why| !why.chars().any(|c| c.is_ascii_digit() || c == '{'));
            let Some(reason) = spoken.or_else(|| card.highlights.first().map(|_| format!("{{{{{id}.highlight}}}}")))
            else {
                continue;
            };
            let fact = Fact {
                id,
                kind: FactKind::Product,
                subject: card.id.to_string(),
                fields: card.fields().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                source: "graph".to_owned(),
                as_of: card.as_of,
            };
            slots.push(SlotProduct { fact, reason, path: compact(&found.path) });
        }
        slots
    }

    async fn render(
        &self,
        record: &DraftRecord,
        customer: &Customer,
        channel: Channel,
        subject: usize,
        now: Timestamp,
    ) -> Result<Result<Outgoing, String>, CampaignError> {
        let release = &self.tenant.release;
        let language = record.draft.language.clone();
        let first_name = customer.first_name.as_deref().and_then(MergeName::parse);
        let utm = Utm {
            source: "mailwright".to_owned(),
            medium: channel.as_str().to_owned(),
            campaign: self.campaign.id.to_string(),
        };
        match channel {
            Channel::Email => {
                let Some(to) = customer.email.clone() else { return Ok(Err("there is no address".to_owned())) };
                let Some(why) = release.classes.why(&language) else {
                    return Ok(Err(format!("prompts/classes says nothing in `{language}`")));
                };
                let unsubscribe_token = self.tenant.delivery.unsubscribe.token(self.tenant.store.id(), &customer.id);
                let reader = Reader { first_name, language, to, unsubscribe_token, why: why.to_owned() };
                let mail = self.press.render(record, &release.shop.identity, &reader, &utm, subject);
                Ok(mail.map(Outgoing::from).map_err(|e| e.to_string()))
            }
            Channel::Sms => {
                let Some(identity) = &release.shop.sms else {
                    return Ok(Err("the shop has no [sms] in knowledge/shop.toml".to_owned()));
                };
                let Some(found) = self.tenant.store.phone(&customer.id).await? else {
                    return Ok(Err("there is no number".to_owned()));
                };
                let reader = SmsReader { first_name, language, to: found.phone, country: customer.country.clone() };
                let most = release.rules.sms_segments_max();
                match content::render_sms(record, &release.shop.identity, identity, &reader, &utm, most) {
                    Ok(letter) => {
                        // The link leads somewhere before anybody can tap it.
                        self.tenant.store.put_short_link(&letter.link.code, &letter.link.url, now).await?;
                        Ok(Ok(letter.message.into()))
                    }
                    Err(error) => Ok(Err(error.to_string())),
                }
            }
        }
    }

    /// The id under which the ledger knows the campaign.
    pub fn id(&self) -> &CampaignId {
        &self.campaign.id
    }

    /// Whose message it is, for listings.
    pub async fn masked(&self, customer: &CustomerId, channel: Channel) -> Result<String, StoreError> {
        Ok(self.tenant.destination(customer, channel).await?.map_or_else(|| "…".to_owned(), |(to, _)| to.masked()))
    }
}

/// The product fact with price and stock of the card.
fn with_today(fact: &Fact, card: &ProductCard) -> Fact {
    let mut fact = fact.clone();
    fact.fields.remove("was");
    for (name, value) in card.fields() {
        if matches!(name, "price" | "was" | "stock") {
            fact.fields.insert(name.to_owned(), value);
        }
    }
    fact
}

/// What may be shown: in stock, and among the approved products once there are terms.
struct Counter<'a> {
    composer: &'a Composer,
    language: &'a Language,
    now: Timestamp,
}

impl Live for Counter<'_> {
    fn availability(&self, product: &ProductId) -> Availability {
        let allowed = self.composer.allowed.as_ref().is_none_or(|allowed| allowed.contains_key(product));
        match self.composer.tenant.catalog.card(product, self.language, self.now) {
            Some(card) if allowed && card.stock > 0 => {
                Availability::Sellable { price: card.price, regulated: card.regulated.is_some() }
            }
            Some(_) | None => Availability::Unavailable,
        }
    }

    fn title(&self, product: &ProductId) -> Option<String> {
        self.composer.tenant.catalog.card(product, self.language, self.now).map(|card| card.title)
    }
}
