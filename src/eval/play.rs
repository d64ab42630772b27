//! One case, from its first event to its last mail.

mod brief;
mod events;
mod people;

use std::sync::{Arc, Mutex, PoisonError};

use agent::{Input, Outcome, Step as RunStep, Usage};
use jiff::SignedDuration;
use kit::message::SendState;
use kit::{ApprovalId, BriefId, RunId, Timestamp};
use oracle::{NeverEvent, Sent, World};

use super::stage::{Stage, StageError};
use super::suite::{Case, Ending, EspFault, Step};
use super::world::{self, Hero};
use crate::briefs::View;
use crate::clock::Clock as _;
use crate::runs::{DriveError, Observer, Rest};
use crate::store::RunState;

use brief::Briefing;

pub use events::products_of;

/// A Tuesday morning on which every story begins.
pub const MORNING: Timestamp = Timestamp::constant(1_794_909_600, 0);

/// What a case came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// How it ended.
    pub ending: Ending,
    /// The code of the reason.
    pub reason: Option<String>,
    /// In words, for people.
    pub told: String,
    /// What left, in order.
    pub sent: Vec<Sent>,
    /// The codes of the reasons for which a person was asked; `None` when nobody was.
    pub asked: Option<Vec<String>>,
    /// Tools that were called, in order.
    pub tools: Vec<String>,
    /// How often the model was asked.
    pub model_calls: u64,
    /// What that cost.
    pub usage: Usage,
    /// Names that the model gave itself.
    pub models: Vec<String>,
    /// Requests that broke a rule of the wire or held what no model may see.
    pub never: Vec<NeverEvent>,
    /// Steps of the story that did not go as they should.
    pub stumbles: Vec<String>,
    /// The marketer's conversation after its last turn or edit.
    pub brief: Option<View>,
    /// What was true, for the oracle.
    pub world: World,
}

/// Whom a trial is about, and under which id they are briefed about.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Everybody of the case, the customer first.
    pub people: Vec<Hero>,
    /// The id of the brief, where a marketer briefs a campaign.
    pub brief: BriefId,
}

/// Why a case could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The stage.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Storage.
    #[error(transparent)]
    Store(#[from] kit::StoreError),
    /// A run could not be driven.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// The trial is about nobody.
    #[error("the trial is about nobody")]
    Nobody,
    /// An event of the story is no event.
    #[error("the story's `{step}` is no event: {why}")]
    Event {
        /// Which.
        step: &'static str,
        /// Why.
        why: String,
    },
}

/// A case being played.
struct Player<'a> {
    stage: &'a mut Stage,
    /// The customer of the case.
    hero: Hero,
    /// Everybody of the case.
    people: Vec<Hero>,
    brief: BriefId,
    briefing: Option<Briefing>,
    world: World,
    log: Arc<Log>,
    runs: Vec<Run>,
    counter: u32,
    /// The cart's number, its link, the last order's number.
    cart: u32,
    order: u32,
    last_event: Option<(&'static str, String)>,
    asked: Option<Vec<String>>,
    stumbles: Vec<String>,
    skipped: Option<String>,
}

struct Run {
    id: RunId,
    rest: Option<Rest>,
    /// The provider was not there: the hand-over is tried again.
    unavailable: bool,
}

/// What runs did.
#[derive(Default)]
struct Log(Mutex<Seen>);

#[derive(Default, Clone)]
struct Seen {
    tools: Vec<String>,
    usage: Usage,
    models: Vec<String>,
}

impl Observer for Log {
    fn step(&self, _: &RunId, step: &RunStep, input: &Input) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let RunStep::RunTools { calls } = step {
            seen.tools.extend(calls.iter().map(|(_, call)| call.name.clone()));
        }
        if let Input::Model { reply, .. } = input {
            seen.usage.input_tokens += reply.usage.input_tokens;
            seen.usage.output_tokens += reply.usage.output_tokens;
            seen.usage.cost_micros += reply.usage.cost_micros;
            if !seen.models.contains(&reply.model) {
                seen.models.push(reply.model.clone());
            }
        }
    }
}

/// Plays a case on a stage. `world` is what the oracle is told before anything happens.
///
/// # Errors
/// [`PlayError`]: the harness or the stage failed; nothing is said about the product.
pub async fn play(stage: &mut Stage, case: &Case, cast: Cast, world: World) -> Result<Played, PlayError> {
    let now = world.began;
    stage.clock.set(now);
    let Cast { people, brief } = cast;
    for (person, wanted) in people.iter().zip(case.people()) {
        world::plant(&stage.tenant.store, person, wanted, now).await?;
        world::plant_orders(stage, person, wanted, now).await?;
    }
    let Some(hero) = people.first().cloned() else { return Err(PlayError::Nobody) };
    let mut player = Player {
        stage,
        hero,
        people,
        brief,
        briefing: None,
        world,
        log: Arc::default(),
        runs: Vec::new(),
        counter: 0,
        cart: 0,
        order: 0,
        last_event: None,
        asked: None,
        stumbles: Vec::new(),
        skipped: None,
    };
    player.plant_secrets();
    for step in &case.story {
        player.step(step).await?;
    }
    if !matches!(case.story.last(), Some(Step::Due | Step::Now)) {
        player.due(true).await?;
    }
    player.end().await
}

impl Player<'_> {
    fn now(&self) -> Timestamp {
        self.stage.clock.now()
    }

    fn later(&self, by: SignedDuration) {
        if let Ok(at) = self.now().checked_add(by) {
            self.stage.clock.set(at);
        }
    }

    fn hero_mut(&mut self) -> Option<&mut oracle::world::Person> {
        self.world.people.iter_mut().find(|p| p.id == self.hero.id.as_str())
    }

    /// Values that no model may see: addresses of everybody, and the names of bystanders.
    fn plant_secrets(&self) {
        let secrets = self.world.people.iter().flat_map(|person| {
            let hero = self.world.about.contains(&person.id);
            let email = person.email.clone().map(|email| ("an address".to_owned(), email));
            // A first name is data of the reader's own, and still no model needs it.
            let name = person
                .first_name
                .clone()
                .map(|name| (if hero { "the reader's name" } else { "a bystander's name" }.to_owned(), name));
            email.into_iter().chain(name.filter(|(_, name)| name.chars().count() > 4))
        });
        self.stage.model.plant(secrets);
    }

    /// Does what is due, oldest run first.
    async fn due(&mut self, moves_clock: bool) -> Result<(), PlayError> {
        self.campaign_due(moves_clock).await?;
        for index in 0..self.runs.len() {
            let Some(run) = self.runs.get(index) else { continue };
            if matches!(run.rest, Some(Rest::Done(_))) {
                continue;
            }
            let waits_for_person = matches!(run.rest, Some(Rest::Approval { .. }));
            let id = run.id.clone();
            let row = self.stage.tenant.store.run(&id).await?;
            let wake = row
                .filter(|row| matches!(row.state, RunState::Delayed | RunState::Waiting))
                .and_then(|row| row.wake_at);
            if let Some(at) = wake.filter(|_| moves_clock && !waits_for_person && self.comes_by_itself(index)) {
                self.stage.clock.set(at.max(self.now()));
            }
            self.drive(index, &id).await?;
        }
        Ok(())
    }

    /// A hold that somebody must lift is no reason to move the clock.
    fn comes_by_itself(&self, index: usize) -> bool {
        !matches!(self.runs.get(index).and_then(|run| run.rest.as_ref()), Some(Rest::Held { at: None, .. }))
    }

    async fn drive(&mut self, index: usize, id: &RunId) -> Result<(), PlayError> {
        let stage = &*self.stage;
        let mut driver = stage.tenant.driver(self.log.clone());
        driver.models = vec![stage.model.clone()];
        driver.deliverer = stage.deliverer();
        let driven = driver.drive(id).await;
        let (rest, unavailable) = match driven {
            Ok(rest) => (Some(rest), false),
            Err(DriveError::Store(kit::StoreError::Unavailable(_))) => (None, true),
            Err(error) => return Err(error.into()),
        };
        if let Some(Rest::Approval { approval, .. }) = &rest {
            self.note_asked(approval).await?;
        }
        if let Some(run) = self.runs.get_mut(index) {
            run.unavailable = unavailable;
            run.rest = rest.or(run.rest.take());
        }
        Ok(())
    }

    async fn note_asked(&mut self, approval: &ApprovalId) -> Result<(), PlayError> {
        let found = self.stage.tenant.store.approval(approval).await?;
        let codes =
            found.map(|found| found.reasons.into_iter().map(|r| r.code).collect::<Vec<_>>()).unwrap_or_default();
        self.asked.get_or_insert_with(Vec::new).extend(codes);
        Ok(())
    }

    fn fails(&self, fault: EspFault) {
        let fault = match fault {
            EspFault::TooMany => testkit::Fault::TooMany,
            EspFault::Broken => testkit::Fault::Broken,
            EspFault::AcceptsThenCuts => testkit::Fault::AcceptsThenCuts,
            EspFault::Refuses => testkit::Fault::Refuses,
        };
        self.stage.esp.fail_next([fault]);
    }

    async fn end(self) -> Result<Played, PlayError> {
        let (ending, reason, told) = match self.campaign_ending().await? {
            Some(ending) => ending,
            None => self.ending(),
        };
        let sent = self.stage.esp.drain();
        let (model_calls, violations) = self.stage.model.drain();
        let never = violations.into_iter().map(|v| NeverEvent::new("model_request", v.to_string())).collect();
        let seen = self.log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Played {
            ending,
            reason,
            told,
            sent: sent.into_iter().map(|taken| Sent { at: taken.at, bytes: taken.bytes }).collect(),
            asked: self.asked,
            tools: seen.tools,
            model_calls,
            usage: seen.usage,
            models: seen.models,
            never,
            stumbles: self.stumbles,
            brief: self.briefing.map(|briefing| briefing.view),
            world: self.world,
        })
    }

    /// How the last run ended: it is the one that the last event was about.
    fn ending(&self) -> (Ending, Option<String>, String) {
        let Some(run) = self.runs.last() else {
            let why = self.skipped.clone().unwrap_or_else(|| "no flow listens to these events".to_owned());
            return (Ending::NoRun, None, why);
        };
        if run.unavailable {
            return (Ending::Delayed, Some("unavailable".to_owned()), "the provider takes nothing now".to_owned());
        }
        let coded = |ending: Ending, code: &str, why: String| (ending, Some(code.to_owned()), why);
        match &run.rest {
            None => (Ending::Delayed, None, "it was not driven".to_owned()),
            // A flow's run neither talks nor writes for a class.
            Some(Rest::Marketer { .. }) => (Ending::Briefed, None, "it waits for a marketer".to_owned()),
            Some(Rest::Delayed { until }) => (Ending::Delayed, None, format!("until {until}")),
            Some(Rest::Held { hold, .. }) => coded(Ending::Held, hold.code(), hold.to_string()),
            Some(Rest::Approval { .. }) => (
                Ending::Waiting,
                None,
                format!("a person is asked: {}", self.asked.clone().unwrap_or_default().join(", ")),
            ),
            Some(Rest::Done(outcome)) => match outcome {
                Outcome::Delivered { state: SendState::Sent { .. } } => (Ending::Sent, None, "a mail left".to_owned()),
                Outcome::Delivered { state: SendState::Unknown { why } } => {
                    coded(Ending::Unknown, "unknown", why.clone())
                }
                Outcome::Delivered { state: SendState::Refused { why } } => {
                    coded(Ending::Dropped, "refused", why.clone())
                }
                Outcome::Delivered { state: SendState::Reserved } => {
                    coded(Ending::Unknown, "reserved", "it is reserved".to_owned())
                }
                Outcome::Written { .. } => (Ending::Delayed, None, "copy was written".to_owned()),
                Outcome::NoSend(reason) => coded(Ending::NoSend, &reason.code, reason.reason.clone()),
                Outcome::Held { hold } => coded(Ending::Dropped, hold.code(), hold.to_string()),
                Outcome::Parked(reason) => coded(Ending::Parked, &reason.code, reason.text.clone()),
            },
        }
    }
}
