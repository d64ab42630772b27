//! One approval for a whole campaign: the terms, and what the approver sees. Deciding is [`crate::approvals`]'.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kit::campaign::{AudienceCount, AudienceTree, CampaignId, CampaignTerms, ClassTerms, merkle};
use kit::message::{Channel, Outgoing};
use kit::{ApprovalId, Digest, FactKind, Money, Principal, ProductId, StoreError, Timestamp};

use super::compose::SLOTS;
use super::{CampaignError, Composed, Composer, with_owner};
use crate::store::{CampaignApproval, CampaignState, Recipient};
use crate::tenant::Tenant;

/// How far a price may move between approval and send, in thousandths.
const PRICE_TOLERANCE_PERMILLE: u32 = 50;
/// Recipients read at once.
const PAGE: u32 = 500;
/// People shown of each class.
const SAMPLE_PER_CLASS: usize = 2;

/// What an approver sees.
#[derive(Debug, Clone, serde::Serialize)]
pub struct CampaignView {
    /// The campaign.
    pub campaign: CampaignId,
    /// Its name.
    pub title: String,
    /// The digest that is signed.
    pub terms: Digest,
    /// Every class.
    pub classes: Vec<ClassSample>,
    /// The audience in numbers, with exclusions by reason.
    pub audience: AudienceCount,
    /// Of the recipients: over which channel.
    pub channels: BTreeMap<String, u32>,
    /// People whose message cannot be made as things stand, by reason. They get none.
    pub not_composed: BTreeMap<String, u32>,
    /// Some of each class, masked.
    pub sample: Vec<PersonSample>,
    /// The longest subject, the costliest text message, the dearest product: what to look at twice.
    pub worst: Vec<(String, PersonSample)>,
    /// Parts of text messages in all.
    pub sms_parts: u32,
    /// What the offer may cost at most, as the brief computed it.
    pub offer_cost_max: Option<Money>,
    /// From when to when.
    pub window: (Timestamp, Timestamp),
}

/// One class as shown.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ClassSample {
    /// Its id.
    pub class: kit::campaign::ClassId,
    /// What its people have in common.
    pub key: kit::campaign::ClassKey,
    /// How many they are.
    pub people: u32,
    /// All subjects that were written.
    pub subjects: Vec<kit::campaign::SubjectOption>,
    /// Those in use; the first `tested` are tried against each other.
    pub chosen: Vec<String>,
    /// How many are tried.
    pub tested: usize,
}

/// One person's message as shown.
#[derive(Debug, Clone, serde::Serialize)]
pub struct PersonSample {
    /// Masked.
    pub to: String,
    /// Their class.
    pub class: kit::campaign::ClassId,
    /// The channel.
    pub channel: Channel,
    /// The subject, of a mail.
    pub subject: Option<String>,
    /// The words.
    pub text: String,
    /// Products of their own with the path that led to each.
    pub products: Vec<(String, String)>,
    /// Parts, of a text message.
    pub parts: Option<u32>,
}

/// The campaign composed for everybody.
struct Survey {
    leaves: Vec<Digest>,
    products: BTreeMap<ProductId, Money>,
    channels: BTreeMap<String, u32>,
    not_composed: BTreeMap<String, u32>,
    sample: Vec<PersonSample>,
    longest: Option<(usize, PersonSample)>,
    costliest: Option<(u32, PersonSample)>,
    dearest: Option<(i64, PersonSample)>,
    sms_parts: u32,
    window: Option<(Timestamp, Timestamp)>,
}

impl Tenant {
    /// Composes the whole campaign and asks for one approval of it. The same terms are asked about once; changed copy,
    /// audience, prices or rules make other terms, and what was signed before is void.
    ///
    /// # Errors
    /// [`CampaignError`]: some class is not written, or nobody's message can be composed.
    pub async fn ask_for_campaign(
        self: &Arc<Self>,
        id: &CampaignId,
        who: &Principal,
    ) -> Result<ApprovalId, CampaignError> {
        let campaign = self.store.campaign(id).await?.ok_or_else(|| CampaignError::Unknown(id.clone()))?;
        match campaign.state {
            CampaignState::Written | CampaignState::Asked => {}
            CampaignState::Frozen => return Err(CampaignError::State(campaign.state, "write it first")),
            state @ (CampaignState::Scheduled | CampaignState::Done | CampaignState::Cancelled) => {
                return Err(CampaignError::State(state, "nothing is asked any more"));
            }
        }
        let owner = campaign.owner.clone();
        let composer = Composer::open(self, campaign).await?;
        let now = self.clock.now();
        let survey = self.survey(&composer, now).await?;
        let terms = self.terms(&composer, &survey).await?;
        let authors: BTreeSet<String> = composer.classes().flat_map(|(_, (_, copy))| copy.authors()).collect();
        let name = Digest::of_parts([id.as_str(), &terms.digest().to_string(), &now.to_string()]);
        // An approval holds until its campaign is over; a request that nobody decides lapses earlier (`approvals::tend`).
        let expires_at = terms.not_after;
        let authors = with_owner(authors, &owner);
        let approval = self
            .store
            .open_campaign_approval(&ApprovalId::from_digest("apc", &name), &terms, &authors, expires_at, now)
            .await?;
        let from = &[CampaignState::Written];
        self.store.move_campaign(id, from, CampaignState::Asked, &who.name(), None, now).await?;
        Ok(approval)
    }

    /// What an approver sees, composed as things stand now.
    ///
    /// # Errors
    /// [`CampaignError`].
    pub async fn view_campaign(self: &Arc<Self>, approval: &CampaignApproval) -> Result<CampaignView, CampaignError> {
        let id = &approval.campaign;
        let campaign = self.store.campaign(id).await?.ok_or_else(|| CampaignError::Unknown(id.clone()))?;
        let (audience, title) = (campaign.count.clone(), campaign.title.clone());
        let offer_cost_max = campaign.brief.offer.cost.as_ref().map(|cost| cost.maximum);
        let composer = Composer::open(self, campaign).await?.within(approval.terms.products.clone());
        let survey = self.survey(&composer, self.clock.now()).await?;
        let classes = approval.terms.classes.iter().filter_map(|terms| {
            let (_, copy) = composer.class(&terms.id)?;
            Some(ClassSample {
                class: terms.id.clone(),
                key: terms.key.clone(),
                people: terms.people,
                subjects: copy.subjects.clone(),
                chosen: copy.mail.as_ref().map(|m| m.draft.subjects.clone()).unwrap_or_default(),
                tested: copy.tested,
            })
        });
        let worst = [
            survey.longest.map(|(n, person)| (format!("longest subject ({n} characters)"), person)),
            survey.costliest.map(|(n, person)| (format!("costliest text message ({n} parts)"), person)),
            survey.dearest.map(|(_, person)| ("dearest product shown".to_owned(), person)),
        ];
        Ok(CampaignView {
            campaign: id.clone(),
            title,
            terms: approval.terms.digest(),
            classes: classes.collect(),
            audience,
            channels: survey.channels,
            not_composed: survey.not_composed,
            sample: survey.sample,
            worst: worst.into_iter().flatten().collect(),
            sms_parts: survey.sms_parts,
            offer_cost_max,
            window: (approval.terms.not_before, approval.terms.not_after),
        })
    }

    /// Composes for everybody of the frozen audience, keeping what an approver needs and nothing else.
    async fn survey(&self, composer: &Composer, now: Timestamp) -> Result<Survey, CampaignError> {
        let mut survey = Survey {
            leaves: Vec::new(),
            products: BTreeMap::new(),
            channels: BTreeMap::new(),
            not_composed: BTreeMap::new(),
            sample: Vec::new(),
            longest: None,
            costliest: None,
            dearest: None,
            sms_parts: 0,
            window: None,
        };
        let mut from = 0;
        loop {
            let page = self.store.recipients(composer.id(), from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(survey) };
            from = last.place.saturating_add(1);
            for person in &page {
                survey.leaves.push(merkle::leaf(person.destination, &person.class, person.offer.as_ref()));
                let (begins, ends) = survey.window.unwrap_or((person.due_at, person.until_at));
                survey.window = Some((begins.min(person.due_at), ends.max(person.until_at)));
                *survey.channels.entry(person.channel.as_str().to_owned()).or_insert(0) += 1;
                match composer.compose(person, now).await? {
                    Ok(composed) => survey.take(composer, person, &composed).await?,
                    Err(why) => *survey.not_composed.entry(why).or_insert(0) += 1,
                }
            }
        }
    }

    async fn terms(&self, composer: &Composer, survey: &Survey) -> Result<CampaignTerms, CampaignError> {
        let (not_before, not_after) = survey.window.ok_or(CampaignError::Nobody)?;
        if survey.products.is_empty() {
            let why = survey.not_composed.keys().next().cloned().unwrap_or_default();
            return Err(CampaignError::NothingComposed(why));
        }
        let rows = self.store.campaign_classes(composer.id()).await?;
        let classes = rows.iter().filter_map(|row| {
            let (facts, copy) = composer.class(&row.id)?;
            let copy = copy.digest();
            Some(ClassTerms { id: row.id.clone(), key: facts.key.clone(), copy, people: row.people })
        });
        Ok(CampaignTerms {
            shop: self.store.id().clone(),
            campaign: composer.id().clone(),
            classes: classes.collect(),
            slots: SLOTS,
            products: survey.products.clone(),
            price_tolerance_permille: PRICE_TOLERANCE_PERMILLE,
            audience: AudienceTree::new(survey.leaves.clone()).root(),
            recipients: u32::try_from(survey.leaves.len()).unwrap_or(u32::MAX),
            not_before,
            not_after,
            rules: self.release.rules.version(),
            release: self.release.digest,
        })
    }
}

impl Survey {
    async fn take(
        &mut self,
        composer: &Composer,
        person: &Recipient,
        composed: &Composed,
    ) -> Result<(), CampaignError> {
        let mut dearest = 0;
        for fact in composed.record.facts.iter().filter(|f| f.kind == FactKind::Product) {
            let product = ProductId::new(fact.subject.clone())?;
            let price = fact.money("price").ok_or_else(|| StoreError::Corrupt {
                what: format!("product {product}"),
                why: "it is shown without a price".to_owned(),
            })?;
            dearest = dearest.max(price.minor);
            self.products.insert(product, price);
        }
        let of_class = self.sample.iter().filter(|s| s.class == person.class).count();
        let parts = composed.message.sms().map(|sms| sms.parts);
        self.sms_parts += parts.unwrap_or(0);
        let subject = composed.message.mail().map(|mail| mail.subject.clone());
        let length = subject.as_ref().map_or(0, |s| s.chars().count());
        let is_longest = self.longest.as_ref().is_none_or(|(n, _)| length > *n) && subject.is_some();
        let is_costliest = parts.is_some_and(|p| self.costliest.as_ref().is_none_or(|(n, _)| p > *n));
        let is_dearest = self.dearest.as_ref().is_none_or(|(n, _)| dearest > *n);
        if of_class >= SAMPLE_PER_CLASS && !is_longest && !is_costliest && !is_dearest {
            return Ok(());
        }
        let shown = PersonSample {
            to: composer.masked(&person.customer, person.channel).await?,
            class: person.class.clone(),
            channel: person.channel,
            subject,
            text: text(&composed.message),
            products: composed.fill.products.iter().map(|s| (s.fact.subject.clone(), s.path.clone())).collect(),
            parts,
        };
        if of_class < SAMPLE_PER_CLASS {
            self.sample.push(shown.clone());
        }
        if is_longest {
            self.longest = Some((length, shown.clone()));
        }
        if let Some(parts) = parts.filter(|_| is_costliest) {
            self.costliest = Some((parts, shown.clone()));
        }
        if is_dearest {
            self.dearest = Some((dearest, shown));
        }
        Ok(())
    }
}

/// The words without the reader's own unsubscribe link: approvers are no readers.
fn text(message: &Outgoing) -> String {
    match message {
        Outgoing::Mail(mail) => mail.text.lines().filter(|line| !line.contains("/u/")).collect::<Vec<_>>().join("\n"),
        Outgoing::Sms(sms) => sms.body.clone(),
    }
}
