//! Freezing an audience: who gets a message, in which class, with which offer, when.

use std::collections::BTreeMap;

use ::offers::OfferRequest;
use audience::{Crowd, Question, Verdict, judge};
use campaign::plan::{Assignment, Candidate, Choices, MAX_CLASSES, assign};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use kit::campaign::{Angle, Brief, CampaignId, ClassKey, OfferChoice, Predicate, Schedule, SendZone};
use kit::message::Channel;
use kit::phone::Destination;
use kit::product::Shelf;
use kit::{CustomerId, Digest, FlowId, Language, OfferStepId, Principal, ProductId, RunId, StoreError};

use super::{CAMPAIGN_FLOW, CampaignError, Granted, StoredFacts, StoredOffer};
use crate::store::{Campaign, CampaignState, ClassRow, OfferHold, Recipient, RecipientState};
use crate::tenant::Tenant;
use crate::toolbox::Acts;
use crate::toolbox::offers::Offers;
use ::offers::Held;

/// Angles that subjects of every campaign may take beside the brief's own: at least four are wanted.
const USUAL_ANGLES: [Angle; 4] = [Angle::Benefit, Angle::Advice, Angle::Occasion, Angle::NewArrivals];

/// A recipient before they have a place.
struct Chosen {
    candidate: Candidate,
    channel: Channel,
    destination: Digest,
    due_at: Timestamp,
    until_at: Timestamp,
}

impl Tenant {
    /// Freezes the audience of a ready brief and makes its classes. The same brief version makes the same campaign: asked
    /// again, the one that is there is returned.
    ///
    /// # Errors
    /// [`CampaignError`]: the brief is not ready, or nobody is left.
    pub async fn freeze_campaign(
        &self,
        name: &str,
        brief: &Brief,
        owner: &Principal,
    ) -> Result<CampaignId, CampaignError> {
        let missing: Vec<String> = brief.gaps.iter().filter(|gap| gap.blocks).map(|gap| gap.text.clone()).collect();
        if !missing.is_empty() {
            return Err(CampaignError::NotReady(missing));
        }
        let Some(schedule) = &brief.schedule else {
            return Err(CampaignError::NotReady(vec!["it does not say when".to_owned()]));
        };
        let decided =
            brief.digest().map_err(|e| StoreError::Corrupt { what: "brief".to_owned(), why: e.to_string() })?;
        let id =
            CampaignId::from_digest("cmp", &Digest::of_parts([self.store.id().as_str(), name, &decided.to_string()]));
        if self.store.campaign(&id).await?.is_some() {
            return Ok(id);
        }
        let now = self.clock.now();
        let (chosen, count) = self.choose(&id, name, brief, schedule, now).await?;
        let candidates: Vec<Candidate> = chosen.iter().map(|c| c.candidate.clone()).collect();
        let angles =
            if brief.angles.is_empty() { vec![Angle::Occasion, Angle::Comeback] } else { brief.angles.clone() };
        let choices = Choices { angles, tone: brief.tone.clone(), most: MAX_CLASSES };
        let Assignment { classes, .. } = assign(&candidates, &choices);
        let mut rows = Vec::new();
        let mut class_of: BTreeMap<CustomerId, (kit::campaign::ClassId, ClassKey)> = BTreeMap::new();
        for (key, people) in classes {
            let facts = self.class_facts(&id, brief, schedule, &key)?;
            let class = key.id(&id);
            let people_count = u32::try_from(people.len()).unwrap_or(u32::MAX);
            let facts = serde_json::to_string(&facts)
                .map_err(|e| StoreError::Corrupt { what: "class".to_owned(), why: e.to_string() })?;
            rows.push(ClassRow { id: class.clone(), facts, people: people_count, copy: None });
            for person in people {
                class_of.insert(person, (class.clone(), key.clone()));
            }
        }
        let mut recipients = Vec::new();
        for (person, place) in chosen.into_iter().filter(|c| class_of.contains_key(&c.candidate.customer)).zip(0_u32..)
        {
            let Some((class, key)) = class_of.get(&person.candidate.customer) else { continue };
            recipients.push(Recipient {
                customer: person.candidate.customer,
                place,
                class: class.clone(),
                channel: person.channel,
                offer: key.offer.clone(),
                destination: person.destination,
                due_at: person.due_at,
                until_at: person.until_at,
                state: RecipientState::Pending,
                detail: None,
                subject: None,
            });
        }
        if recipients.is_empty() {
            return Err(CampaignError::Nobody);
        }
        let campaign = Campaign {
            id: id.clone(),
            title: brief.title.clone().unwrap_or_else(|| "Untitled".to_owned()),
            brief: brief.clone(),
            state: CampaignState::Frozen,
            count,
            release: self.release.digest,
            owner: owner.name(),
            why: None,
            created_at: now,
        };
        self.store.freeze_campaign(campaign, rows, recipients).await?;
        Ok(id)
    }

    /// Judges everybody, and says of each recipient what decides about their class.
    async fn choose(
        &self,
        id: &CampaignId,
        name: &str,
        brief: &Brief,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<(Vec<Chosen>, kit::campaign::AudienceCount), CampaignError> {
        let desk = self.brief_desk();
        let shop = self.store.id();
        let question = Question::of(shop, name, brief, desk.policy(shop), now);
        let mut tally = audience::Tally::default();
        let (mut chosen, mut after) = (Vec::new(), None);
        loop {
            let page = desk.page(shop, after.as_ref(), now).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.customer.clone());
            for member in page {
                tally.add(&question, &member);
                let Verdict::Recipient { channel: Some(channel), offered } = judge(&question, &member) else {
                    continue;
                };
                let Some(to) = self.destination(&member.customer, channel).await? else { continue };
                let owned: Vec<&ProductId> = member.purchases.iter().map(|p| &p.product).collect();
                let leads = self.leads(brief, &owned, &member, now);
                let step = match &brief.offer.choice {
                    OfferChoice::Step { step } if offered => Some(step.clone()),
                    OfferChoice::Step { .. } | OfferChoice::None | OfferChoice::Undecided => None,
                };
                let lead = leads.first();
                let offer = match (step, lead) {
                    (Some(step), Some(lead)) => {
                        self.granted(&member.customer, member.vip, &step, lead, id, schedule, now).await?.map(|_| step)
                    }
                    (Some(_) | None, _) => None,
                };
                let (due_at, until_at) = self.hours(schedule, &to.1)?;
                let candidate = Candidate {
                    customer: member.customer,
                    language: member.language,
                    stage: member.stage,
                    leads,
                    offer,
                };
                chosen.push(Chosen { candidate, channel, destination: to.0.digest(shop), due_at, until_at });
            }
        }
        Ok((chosen, tally.count(now)))
    }

    /// Where a message for somebody goes, and their zone.
    pub(crate) async fn destination(
        &self,
        customer: &CustomerId,
        channel: Channel,
    ) -> Result<Option<(Destination, String)>, StoreError> {
        let Some(known) = self.store.customer(customer).await? else { return Ok(None) };
        let to = match channel {
            Channel::Email => known.email.as_ref().map(Destination::from),
            Channel::Sms => self.store.phone(customer).await?.map(|found| Destination::from(&found.phone)),
        };
        Ok(to.map(|to| (to, known.time_zone)))
    }

    /// The brief's products that somebody may be shown: in stock, not theirs already; what is nearest to what they bought or
    /// looked at first.
    fn leads(&self, brief: &Brief, owned: &[&ProductId], member: &audience::Member, now: Timestamp) -> Vec<ProductId> {
        let root = |category: &str| category.split('/').next().unwrap_or_default().to_owned();
        let near = |category: &str| {
            let liked = member.purchases.iter().map(|p| &p.category).chain(member.views.iter().map(|v| &v.category));
            liked.filter(|c| root(c.as_str()) == root(category)).count()
        };
        let mut leads: Vec<(usize, ProductId)> = brief
            .products
            .iter()
            .filter(|p| !owned.contains(&&p.product))
            .filter(|p| self.catalog.card(&p.product, &Language::EN, now).is_some_and(|card| card.stock > 0))
            .map(|p| (near(p.category.as_str()), p.product.clone()))
            .collect();
        // Stable: among equals the marketer's order counts.
        leads.sort_by_key(|(near, _)| std::cmp::Reverse(*near));
        leads.into_iter().map(|(_, product)| product).collect()
    }

    fn offers(&self) -> Offers {
        let (store, release, catalog) = (self.store.clone(), self.release.clone(), self.catalog.clone());
        Offers { store, release, catalog, learned: self.learned.clone(), acts: Acts::ForReal }
    }

    /// The offer as the ladder grants it to this person, or nothing.
    #[allow(clippy::too_many_arguments)]
    pub(crate) async fn granted(
        &self,
        customer: &CustomerId,
        vip: bool,
        step: &OfferStepId,
        lead: &ProductId,
        campaign: &CampaignId,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<Option<::offers::Offer>, CampaignError> {
        let desk = self.offers();
        let request = OfferRequest {
            flow: FlowId::new(CAMPAIGN_FLOW)?,
            step: Some(step.clone()),
            basket: desk.line(lead).into_iter().collect(),
            history: desk.history(customer, &holder(campaign, customer), now).await?,
            vip,
            // The offer counts from the day of the campaign, for everybody alike.
            triggered_at: self.begins(schedule)?,
            now: self.begins(schedule)?.max(now),
        };
        match self.release.ladder.grant(&request) {
            Ok(offer) => Ok(Some(offer)),
            Err(denied) => {
                tracing::debug!(%campaign, %denied, "no offer for a recipient");
                Ok(None)
            }
        }
    }

    /// Holds one person's offer of a campaign against their own limit and the month's budgets, once however often it is tried.
    pub(crate) async fn hold_granted(
        &self,
        campaign: &CampaignId,
        customer: &CustomerId,
        granted: &Granted,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        let desk = self.offers();
        let hold = OfferHold {
            run: holder(campaign, customer),
            customer: customer.clone(),
            step: granted.step.clone(),
            code: granted.code.clone(),
            cost: granted.cost,
        };
        desk.hold_for(hold, now).await
    }

    /// The code of one person's offer of a campaign: the same one however often it is asked, and nobody else's.
    pub(crate) async fn own_code(
        &self,
        offer: &::offers::Offer,
        customer: &CustomerId,
        campaign: &CampaignId,
    ) -> Result<String, StoreError> {
        for draw in 0..::offers::DRAWS {
            let code = offer.code_for(self.store.id(), customer, campaign.as_str(), draw);
            if self.store.code_is_free(&code, customer).await? {
                return Ok(code);
            }
        }
        Err(StoreError::Unavailable(format!("no free voucher code was found in {} draws", ::offers::DRAWS)))
    }

    /// The campaign's beginning in the shop's zone.
    fn begins(&self, schedule: &Schedule) -> Result<Timestamp, StoreError> {
        at(schedule.on.to_datetime(schedule.at), &self.release.shop.identity.zone)
    }

    /// When a message leaves for somebody in a zone, and until when it may.
    fn hours(&self, schedule: &Schedule, zone: &str) -> Result<(Timestamp, Timestamp), StoreError> {
        let zone = match schedule.zone {
            SendZone::Recipient => TimeZone::get(zone).unwrap_or_else(|_| self.release.shop.identity.zone.clone()),
            SendZone::Shop => self.release.shop.identity.zone.clone(),
        };
        let end = schedule
            .not_after
            .checked_add(Span::new().days(1))
            .map_err(|e| StoreError::Corrupt { what: "schedule".to_owned(), why: e.to_string() })?;
        Ok((at(schedule.on.to_datetime(schedule.at), &zone)?, at(end.at(0, 0, 0, 0), &zone)?))
    }

    /// What a model may know of a class.
    fn class_facts(
        &self,
        id: &CampaignId,
        brief: &Brief,
        schedule: &Schedule,
        key: &ClassKey,
    ) -> Result<StoredFacts, CampaignError> {
        let offer = match &key.offer {
            None => None,
            Some(step) => {
                let desk = self.offers();
                let begins = self.begins(schedule)?;
                let request = OfferRequest {
                    flow: FlowId::new(CAMPAIGN_FLOW)?,
                    step: Some(step.clone()),
                    basket: desk.line(&key.lead).into_iter().collect(),
                    history: ::offers::OfferHistory { orders: 2, ..Default::default() },
                    vip: false,
                    triggered_at: begins,
                    now: begins,
                };
                let offer =
                    self.release.ladder.grant(&request).map_err(|e| {
                        CampaignError::NotReady(vec![format!("the ladder grants {step} to nobody: {e}")])
                    })?;
                let percent = match offer.concession() {
                    ::offers::Concession::Percent(percent) => Some(i64::from(percent)),
                    ::offers::Concession::FreeShipping => None,
                };
                let sample = CustomerId::from_digest("sample", &Digest::of_parts([id.as_str()]));
                Some(StoredOffer {
                    step: step.clone(),
                    label: offer.label(&key.language).to_owned(),
                    percent,
                    ends: offer.ends(),
                    sample_code: offer.code_for(self.store.id(), &sample, id.as_str(), 0),
                })
            }
        };
        let mut angles = vec![key.angle];
        angles.extend(brief.angles.iter().copied());
        angles.extend(USUAL_ANGLES);
        // What needs a proof that a class does not have is left to people.
        angles.retain(|a| !matches!(a, Angle::Urgency | Angle::Review) && (key.offer.is_some() || *a != Angle::Offer));
        let mut seen = std::collections::BTreeSet::new();
        angles.retain(|angle| seen.insert(*angle));
        let audience: Vec<String> = brief.audience.include.iter().map(Predicate::words).collect();
        Ok(StoredFacts {
            key: key.clone(),
            objective: brief.objective.clone().unwrap_or_default(),
            audience: audience.join("; "),
            angles,
            channels: brief.channels.clone(),
            offer,
        })
    }
}

fn at(local: jiff::civil::DateTime, zone: &TimeZone) -> Result<Timestamp, StoreError> {
    let zoned = local.to_zoned(zone.clone());
    zoned.map(|z| z.timestamp()).map_err(|e| StoreError::Corrupt { what: "schedule".to_owned(), why: e.to_string() })
}

/// Under which name a person's offer of a campaign is held: a run has one hold, a campaign has one for each of its people.
pub(super) fn holder(campaign: &CampaignId, customer: &CustomerId) -> RunId {
    RunId::from_digest("cof", &Digest::of_parts(["campaign offer", campaign.as_str(), customer.as_str()]))
}
