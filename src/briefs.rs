//! Briefing a campaign by talking: a durable conversation whose brief code keeps.
//!
//! A conversation is a run like any other: its turns, calls and edits are rows of the run's journal, so it survives a crash at
//! any point and is replayed like any run. What a marketer does arrives in the run's inbox first and is taken from there.
//! The brief and all its versions follow from the journal; the tables of [`crate::store`] hold them for lists and for whoever
//! writes the messages.
//!
//! [`Chat`] is the one engine behind the terminal, the HTTP API and the browser.

mod error;
mod events;
mod talk;
mod view;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kit::campaign::BRIEF_FLOW;
use kit::tool::Subject;
use kit::{BriefId, CustomerId, Digest, FlowId, Principal, RunId, Timestamp};
use tokio::sync::Notify;

use crate::runs::{DriveError, Observer, Rest, Seed, Signal};
use crate::store::{BriefRow, NewRun};
use crate::tenant::Tenant;

pub use error::ChatError;
pub use events::{ChatEvent, Watcher};
pub use view::{Choice, Ready, View};

/// Characters a marketer may write in one turn.
const MAX_WORDS: usize = 4_000;
/// How often a drive that met another driver of the same conversation is tried again: after a stop it may be our own
/// former self whose last row was still being written.
const MEETINGS: u32 = 3;

/// Conversations of one shop.
pub struct Chat {
    tenant: Arc<Tenant>,
    observer: Arc<dyn Observer>,
    turns: Turns,
}

/// Turns under way in this process: one at a time in each conversation, and each can be interrupted.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<HashMap<BriefId, Arc<Turn>>>>);

#[derive(Debug, Default)]
struct Turn {
    under_way: tokio::sync::Mutex<()>,
    interrupt: Notify,
}

impl Turns {
    fn of(&self, id: &BriefId) -> Arc<Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default().clone()
    }
}

impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat").field("shop", self.tenant.store.id()).finish_non_exhaustive()
    }
}

impl Chat {
    /// The conversations of a shop, each step seen by an observer.
    pub fn new(tenant: Arc<Tenant>, observer: Arc<dyn Observer>) -> Self {
        Self { tenant, observer, turns: Turns::default() }
    }

    /// The same with turns that others of this process know of, so that one can stop what another drives.
    #[must_use]
    pub fn sharing(self, turns: Turns) -> Self {
        Self { turns, ..self }
    }

    /// Begins a brief. The principal owns it.
    ///
    /// # Errors
    /// When the release in force has no prompts for it, or storage fails.
    pub async fn start(&self, owner: &Principal) -> Result<View, ChatError> {
        self.start_as(new_id()?, owner).await
    }

    /// As [`Chat::start`], under a given id: who is held out follows from it, and a rehearsal must come out the same twice.
    ///
    /// # Errors
    /// As [`Chat::start`].
    pub async fn start_as(&self, id: BriefId, owner: &Principal) -> Result<View, ChatError> {
        let tenant = &self.tenant;
        let now = tenant.clock.now();
        let seed = Seed { subject: subject(&id, tenant, now), principal: owner.clone() };
        let plan = serde_json::to_string(&seed).map_err(ChatError::form)?;
        let new = NewRun {
            id: run_of(&id)?,
            flow: seed.subject.flow.clone(),
            customer: seed.subject.customer.clone(),
            occasion: seed.subject.occasion.clone(),
            step: seed.subject.step,
            due: now,
            cause: "a marketer".to_owned(),
            supersede: None,
            release: tenant.release.digest,
            plan,
        };
        tenant.store.admit(new, now).await?;
        tenant.store.begin_brief(&id, &owner.name(), now).await?;
        self.resume(&id).await
    }

    /// The marketer says something; comes back when the turn is over.
    ///
    /// # Errors
    /// When nothing or too much is said, the brief is unknown, or the turn cannot be driven. What was said is kept: the next
    /// call takes it up.
    pub async fn say(&self, id: &BriefId, words: &str) -> Result<View, ChatError> {
        let words = words.trim();
        let count = words.chars().count();
        if count == 0 || count > MAX_WORDS {
            return Err(ChatError::Words { count, max: MAX_WORDS });
        }
        self.known(id).await?;
        let now = self.tenant.clock.now();
        let zone = &self.tenant.release.shop.identity.zone;
        let today = now.to_zoned(zone.clone()).strftime("%A, %-d %B %Y").to_string();
        let said = Signal::Said { text: words.to_owned(), today };
        self.tenant.store.signal(&run_of(id)?, said.to_json()?, now).await?;
        self.resume(id).await
    }

    /// Takes a conversation up where it is: after a crash, or after something was put into its inbox.
    ///
    /// # Errors
    /// When the brief is unknown or cannot be driven.
    pub async fn resume(&self, id: &BriefId) -> Result<View, ChatError> {
        self.known(id).await?;
        self.drive(id).await?;
        self.view(id).await
    }

    /// Stops the turn under way: the model is interrupted, what it had not done is not done.
    ///
    /// # Errors
    /// When the brief is unknown or storage fails.
    pub async fn stop(&self, id: &BriefId) -> Result<View, ChatError> {
        self.known(id).await?;
        self.tenant.store.signal(&run_of(id)?, Signal::Stop.to_json()?, self.tenant.clock.now()).await?;
        let turn = self.turns.of(id);
        let free = turn.under_way.try_lock().is_ok();
        if free {
            self.drive(id).await?;
        } else {
            // Whoever drives it takes the signal up.
            turn.interrupt.notify_one();
        }
        self.view(id).await
    }

    /// Briefs, newest first.
    ///
    /// # Errors
    /// When storage fails.
    pub async fn list(&self, limit: u32) -> Result<Vec<BriefRow>, ChatError> {
        Ok(self.tenant.store.briefs(limit).await?)
    }

    /// Drives until the word is the marketer's again, and keeps the versions that came.
    async fn drive(&self, id: &BriefId) -> Result<Rest, ChatError> {
        let turn = self.turns.of(id);
        let _alone = turn.under_way.lock().await;
        let driven = self.drive_through(id, &turn.interrupt).await;
        self.keep_versions(id).await?;
        driven
    }

    async fn drive_through(&self, id: &BriefId, interrupt: &Notify) -> Result<Rest, ChatError> {
        let driver = self.tenant.driver(self.observer.clone());
        let run = run_of(id)?;
        let mut met = 0;
        loop {
            // A drive that is dropped is a process that was killed: the next one takes up from the journal.
            let driven = tokio::select! {
                driven = driver.drive(&run) => driven,
                () = interrupt.notified() => continue,
            };
            match driven {
                Err(DriveError::Elsewhere(_)) if met < MEETINGS => met += 1,
                other => return Ok(other?),
            }
        }
    }

    async fn known(&self, id: &BriefId) -> Result<(), ChatError> {
        match self.tenant.store.brief(id, None).await? {
            Some(_) => Ok(()),
            None => Err(ChatError::Unknown(id.clone())),
        }
    }
}

/// The run of a brief's conversation has the brief's name.
fn run_of(id: &BriefId) -> Result<RunId, ChatError> {
    RunId::new(id.as_str()).map_err(ChatError::form)
}

fn new_id() -> Result<BriefId, ChatError> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(ChatError::form)?;
    Ok(BriefId::from_digest("brief", &Digest::of_bytes(&random)))
}

/// A conversation is about no customer: the name is a digest that no platform gives out.
fn subject(id: &BriefId, tenant: &Tenant, now: Timestamp) -> Subject {
    Subject {
        flow: reserved_flow(),
        customer: CustomerId::from_digest("nobody", &Digest::of_parts([tenant.store.id().as_str(), id.as_str()])),
        occasion: id.to_string(),
        step: 1,
        triggered_at: now,
        products: Vec::new(),
        cart_url: None,
        stops_on_purchase: false,
        language: tenant.release.shop.default_language.clone(),
        release: tenant.release.digest,
    }
}

fn reserved_flow() -> FlowId {
    // The constant is a valid id; were it not, the digest form would only make the plan refuse it in words.
    FlowId::new(BRIEF_FLOW).unwrap_or_else(|_| FlowId::from_digest("brief", &Digest::of_bytes(b"brief")))
}
