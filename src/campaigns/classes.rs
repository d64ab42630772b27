//! Writing classes: class facts for the tools, and one run a class, journaled like any other.
//!
//! A class run is about no customer. Its subject names one that no platform gives out, its tools are the class tools alone, and
//! nothing it comes to can be handed over: it ends with a copy, which a person approves with the whole campaign.

use std::sync::Arc;

use agent::{Limits, Outcome, PlannedTool, RunPlan};
use campaign::{ClassDesk, ClassFacts, ClassOffer, PreviewFault};
use content::{Reader, SmsReader, Utm};
use kit::campaign::{CampaignId, ClassCopy, ClassId};
use kit::message::{CheckReport, Draft, DraftRecord, Hold, SendState};
use kit::person::{Email, MergeName};
use kit::phone::Phone;
use kit::product::Shelf;
use kit::tool::{NoSend, Phase, Registry, Subject, ToolContext};
use kit::{ApprovalId, BoxFuture, CustomerId, Digest, FactBook, FlowId, Principal, RunId, StoreError, Timestamp};

use super::{CAMPAIGN_FLOW, CampaignError, StoredFacts, ended};
use crate::runs::{Deliverer, Driver, Observer, Planner, Rest, Seed};
use crate::store::{Campaign, CampaignState, ClassRow, NewRun, RunState};
use crate::tenant::Tenant;
use crate::toolbox;

/// The flow of class runs; no flow file may have it.
pub const CLASS_FLOW: &str = "campaign-class";
/// Runs of one class before a person must look.
const MAX_ATTEMPTS: u32 = 5;
/// Calls of a model that writes at the first attempt, and of one that mends twice.
const CALLS: (u32, u32) = (2, 4);
/// Characters a token stands for, about.
const CHARS_PER_TOKEN: u64 = 4;
/// Tokens of a proposal, about.
const ANSWER_TOKENS: u64 = 1_200;

/// What writing will take, told before any of it is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Estimate {
    /// Classes to write.
    pub classes: u32,
    /// Model calls: at least, and at most as a rule.
    pub calls: (u32, u32),
    /// Tokens: at least, and at most as a rule.
    pub tokens: (u64, u64),
    /// What they cost in millionths of a dollar; nothing when the model's price is not known.
    pub cost_micros: Option<(u64, u64)>,
    /// What the bounds of the runs let through whatever happens, in millionths of a dollar.
    pub bound_micros: u64,
}

/// What the class tools ask.
struct Desk {
    tenant: Arc<Tenant>,
}

impl Desk {
    async fn read(&self, cx: &ToolContext) -> Result<ClassFacts, StoreError> {
        let named = named(&cx.subject.occasion);
        let (campaign, class) = named.ok_or_else(|| gone("its occasion names no class"))?;
        let rows = self.tenant.store.campaign_classes(&campaign).await?;
        let row = rows.into_iter().find(|row| row.id == class).ok_or_else(|| gone("its class is gone"))?;
        class_facts(&self.tenant, &row, cx.now)
    }
}

fn gone(why: &str) -> StoreError {
    StoreError::Corrupt { what: "class".to_owned(), why: why.to_owned() }
}

/// What may be known of a class, with the product that leads as it is now.
pub(super) fn class_facts(tenant: &Tenant, row: &ClassRow, now: Timestamp) -> Result<ClassFacts, StoreError> {
    let stored: StoredFacts = serde_json::from_str(&row.facts).map_err(|e| gone(&e.to_string()))?;
    let card = tenant.catalog.card(&stored.key.lead, &stored.key.language, now);
    let lead = card.ok_or_else(|| gone("the product that leads is not in the catalogue any more"))?;
    Ok(ClassFacts {
        key: stored.key,
        objective: stored.objective,
        audience: stored.audience,
        lead,
        offer: stored.offer.map(|o| ClassOffer {
            step: o.step,
            label: o.label,
            percent: o.percent,
            ends: o.ends,
            sample_code: o.sample_code,
        }),
        angles: stored.angles,
        channels: stored.channels,
    })
}

/// The content rules over a draft of a class. `learned` is all that its run knows.
pub(super) fn check_class(
    tenant: &Tenant,
    draft: &Draft,
    facts: &FactBook,
    learned: &FactBook,
    now: Timestamp,
) -> Result<CheckReport, StoreError> {
    let tags = toolbox::tags(&tenant.catalog, facts);
    let flow = FlowId::new(CAMPAIGN_FLOW).map_err(|e| gone(&e.to_string()))?;
    toolbox::check_proposed(&tenant.release, draft, facts, learned, &flow, &tags, now)
}

/// Renders a copy for sample readers with every subject, the longest name that is printed often and none, and throws it away.
pub(super) fn try_out(tenant: &Tenant, copy: &ClassCopy) -> Result<(), PreviewFault> {
    let release = &tenant.release;
    let broken = |why: &str| PreviewFault::Broken(why.to_owned());
    let names = [MergeName::parse("Maximiliane"), None];
    let identity = &release.shop.identity;
    let utm = |medium: &str| Utm {
        source: "mailwright".to_owned(),
        medium: medium.to_owned(),
        campaign: "cmp-000000000000".to_owned(),
    };
    for first_name in names {
        if let Some(mail) = &copy.mail {
            let language = mail.draft.language.clone();
            let why = release.classes.why(&language).ok_or_else(|| broken("prompts/classes lacks its language"))?;
            let to = Email::parse("reader@example.com").map_err(|e| broken(&e.to_string()))?;
            let token = "0".repeat(40);
            let why = why.to_owned();
            let reader = Reader { first_name: first_name.clone(), language, to, unsubscribe_token: token, why };
            for subject in 0..mail.draft.subjects.len() {
                content::render(mail, identity, &reader, &utm("email"), subject).map_err(fault)?;
            }
        }
        if let Some(sms) = &copy.sms {
            let sender = release.shop.sms.as_ref().ok_or_else(|| broken("the shop has no [sms] in shop.toml"))?;
            let to = Phone::parse("+99900000000").map_err(|e| broken(&e.to_string()))?;
            let (language, country) = (sms.draft.language.clone(), Some("US".to_owned()));
            let reader = SmsReader { first_name: first_name.clone(), language, to, country };
            let most = release.rules.sms_segments_max();
            content::render_sms(sms, identity, sender, &reader, &utm("sms"), most).map_err(|e| match fault(e) {
                PreviewFault::Mendable(why) => PreviewFault::Mendable(format!("sms: {why}")),
                other => other,
            })?;
        }
    }
    Ok(())
}

fn fault(error: content::RenderError) -> PreviewFault {
    if error.is_mendable() {
        PreviewFault::Mendable(error.to_string())
    } else {
        PreviewFault::Broken(error.to_string())
    }
}

impl ClassDesk for Desk {
    fn facts<'a>(&'a self, cx: &'a ToolContext) -> BoxFuture<'a, Result<ClassFacts, StoreError>> {
        Box::pin(self.read(cx))
    }

    fn check<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a Draft,
        facts: &'a FactBook,
    ) -> BoxFuture<'a, Result<CheckReport, StoreError>> {
        Box::pin(std::future::ready(check_class(&self.tenant, draft, facts, &cx.facts, cx.now)))
    }

    fn preview<'a>(&'a self, _: &'a ToolContext, copy: &'a ClassCopy) -> BoxFuture<'a, Result<(), PreviewFault>> {
        Box::pin(std::future::ready(try_out(&self.tenant, copy)))
    }
}

/// Plans of class runs. They are pinned to the release in force: a campaign of another one is frozen anew.
struct ClassPlanner {
    tenant: Arc<Tenant>,
    registry: Registry,
}

impl Planner for ClassPlanner {
    fn plan<'a>(
        &'a self,
        release: Digest,
        seed: &'a Seed,
        started_at: Timestamp,
    ) -> BoxFuture<'a, Result<RunPlan, String>> {
        Box::pin(std::future::ready(if release == self.tenant.release.digest {
            Ok(RunPlan {
                system: self.tenant.release.class_system.clone(),
                // Shops of one installation share no prompt: the same words elsewhere begin with another name.
                task: format!(
                    "Shop: {}\nLanguage: {}\nWrite the message class of this run.",
                    self.tenant.release.shop.identity.name, seed.subject.language
                ),
                tools: self.registry.specs().map(PlannedTool::from).collect(),
                limits: Limits::default(),
                gather_done_by: vec!["lookup_class".to_owned()],
                start: Phase::Gather,
                started_at,
            })
        } else {
            Err("class runs go on under the release they began with only; write the campaign anew".to_owned())
        }))
    }
}

/// Nothing that a class run comes to leaves the house.
struct Nowhere;

impl Deliverer for Nowhere {
    fn deliver<'a>(
        &'a self,
        _: &'a RunId,
        _: &'a Seed,
        _: &'a DraftRecord,
        _: Option<&'a ApprovalId>,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>> {
        let why = "a class is not handed over; its campaign is".to_owned();
        Box::pin(std::future::ready(Ok(Err(Hold::Unreachable { reason: why }))))
    }

    fn lifted<'a>(&'a self, _: &'a Seed, _: &'a Hold, _: Timestamp) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn admissible<'a>(&'a self, _: &'a Seed, _: Timestamp) -> BoxFuture<'a, Result<Option<NoSend>, StoreError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// What the ids of class runs begin with.
const RUN_PREFIX: &str = "wrt";

/// True for a run that writes a class.
pub(crate) fn is_class_run(run: &RunId) -> bool {
    run.as_str().strip_prefix(RUN_PREFIX).is_some_and(|rest| rest.starts_with('-'))
}

/// `cmp-…/cls-…`: the occasion of a class run.
fn named(occasion: &str) -> Option<(CampaignId, ClassId)> {
    let (campaign, class) = occasion.split_once('/')?;
    Some((CampaignId::new(campaign).ok()?, ClassId::new(class).ok()?))
}

impl Tenant {
    /// The tools of class runs.
    ///
    /// # Errors
    /// A fault of the build.
    pub fn class_registry(self: &Arc<Self>) -> Result<Registry, CampaignError> {
        let desk = Arc::new(Desk { tenant: self.clone() });
        Ok(toolbox::class_registry(desk)?)
    }

    /// What writing the classes that have no copy yet will take.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn estimate(self: &Arc<Self>, id: &CampaignId) -> Result<Estimate, CampaignError> {
        let classes = self.store.campaign_classes(id).await?;
        let open = u32::try_from(classes.iter().filter(|c| c.copy.is_none()).count()).unwrap_or(u32::MAX);
        let registry = self.class_registry()?;
        let tools: usize = registry.specs().map(|spec| spec.to_openai().to_string().len()).sum();
        let prompt = u64::try_from(self.release.class_system.len() + tools).unwrap_or(u64::MAX) / CHARS_PER_TOKEN;
        let calls = (open.saturating_mul(CALLS.0), open.saturating_mul(CALLS.1));
        let read = |calls: u32| u64::from(calls).saturating_mul(prompt + ANSWER_TOKENS / 2);
        let written = |calls: u32| u64::from(calls).saturating_mul(ANSWER_TOKENS);
        let prices = self.prices();
        let cost = |calls: u32| {
            prices.map(|(input, output)| {
                (read(calls).saturating_mul(input) + written(calls).saturating_mul(output)) / 1_000_000
            })
        };
        Ok(Estimate {
            classes: open,
            calls,
            tokens: (read(calls.0) + written(calls.0), read(calls.1) + written(calls.1)),
            cost_micros: cost(calls.0).zip(cost(calls.1)),
            bound_micros: u64::from(open).saturating_mul(Limits::default().cost_micros),
        })
    }

    /// Writes every class that has no copy yet. Broken off anywhere, the next call goes on where this one stopped.
    ///
    /// # Errors
    /// [`CampaignError::NotWritten`] with the reason of the first class that no model could write.
    pub async fn write_campaign(
        self: &Arc<Self>,
        id: &CampaignId,
        who: &Principal,
        observer: Arc<dyn Observer>,
    ) -> Result<Campaign, CampaignError> {
        let campaign = self.store.campaign(id).await?.ok_or_else(|| CampaignError::Unknown(id.clone()))?;
        match campaign.state {
            CampaignState::Frozen | CampaignState::Written | CampaignState::Asked => {}
            state @ (CampaignState::Scheduled | CampaignState::Done | CampaignState::Cancelled) => {
                return Err(CampaignError::State(state, "nothing is written any more"));
            }
        }
        let registry = self.class_registry()?;
        let driver = Driver {
            registry: registry.clone(),
            deliverer: Arc::new(Nowhere),
            planner: Arc::new(ClassPlanner { tenant: self.clone(), registry }),
            ..self.driver(observer)
        };
        for class in self.store.campaign_classes(id).await? {
            if class.copy.is_none() {
                let copy = self.write_class(&driver, id, &class.id, &class.facts).await?;
                self.store.put_class_copy(id, &class.id, &copy).await?;
            }
        }
        let now = self.clock.now();
        let from = &[CampaignState::Frozen];
        self.store.move_campaign(id, from, CampaignState::Written, &who.name(), None, now).await?;
        self.store.campaign(id).await?.ok_or_else(|| CampaignError::Unknown(id.clone()))
    }

    async fn write_class(
        &self,
        driver: &Driver,
        id: &CampaignId,
        class: &ClassId,
        facts: &str,
    ) -> Result<ClassCopy, CampaignError> {
        let stored: StoredFacts = serde_json::from_str(facts)
            .map_err(|e| StoreError::Corrupt { what: "class".to_owned(), why: e.to_string() })?;
        let mut why = "no run was made".to_owned();
        for attempt in 1..=MAX_ATTEMPTS {
            let (run, fresh) = self.class_run(id, class, &stored, attempt).await?;
            match driver.drive(&run).await? {
                Rest::Done(Outcome::Written { copy }) => return Ok(*copy),
                Rest::Done(outcome) => why = ended(&outcome),
                Rest::Approval { .. } | Rest::Held { .. } | Rest::Delayed { .. } | Rest::Marketer { .. } => {
                    why = "its run waits for something that class runs do not have".to_owned();
                }
            }
            // One new attempt a call: a model that cannot do it is not asked five times over.
            if fresh {
                break;
            }
        }
        Err(CampaignError::NotWritten { class: class.clone(), why })
    }

    /// The run of an attempt, and whether this call began or goes on with it.
    async fn class_run(
        &self,
        id: &CampaignId,
        class: &ClassId,
        facts: &StoredFacts,
        attempt: u32,
    ) -> Result<(RunId, bool), CampaignError> {
        let now = self.clock.now();
        let occasion = format!("{id}/{class}");
        let parts = [self.store.id().as_str(), &occasion, &attempt.to_string()];
        let run = RunId::from_digest(RUN_PREFIX, &Digest::of_parts(parts));
        if let Some(found) = self.store.run(&run).await? {
            return Ok((run, found.state != RunState::Done && found.state != RunState::Parked));
        }
        let flow = FlowId::new(CLASS_FLOW)?;
        let subject = Subject {
            flow: flow.clone(),
            customer: CustomerId::from_digest("nobody", &Digest::of_parts([occasion.as_str()])),
            occasion: occasion.clone(),
            step: attempt,
            triggered_at: now,
            products: vec![facts.key.lead.clone()],
            cart_url: None,
            stops_on_purchase: false,
            language: facts.key.language.clone(),
            release: self.release.digest,
        };
        let customer = subject.customer.clone();
        let seed = Seed { subject, principal: Principal::Flow { flow: flow.clone() } };
        let plan = serde_json::to_string(&seed)
            .map_err(|e| StoreError::Corrupt { what: "run".to_owned(), why: e.to_string() })?;
        let release = self.release.digest;
        let (cause, supersede) = ("a campaign".to_owned(), None);
        let new = NewRun {
            id: run.clone(),
            flow,
            customer,
            occasion,
            step: attempt,
            due: now,
            cause,
            supersede,
            release,
            plan,
        };
        self.store.admit(new, now).await?;
        Ok((run, true))
    }
}
