//! The driver: one run, step by step, each outcome journaled before it counts.

use std::sync::Arc;

use agent::{ApprovalDecision, Input, Machine, Outcome, RunPlan, Step};
use jiff::SignedDuration;
use kit::campaign::Brief;
use kit::message::ApprovalState;
use kit::tool::{Registry, ToolSpec};
use kit::{ApprovalId, Digest, RunId, StoreError, Timestamp};

use super::journal::{self, Chain, Folded, RESUME, START, Started, step_name, step_text};
use super::perform::{self, Deliverer, Failed};
use super::{DriveError, Observer, Rest, Seed, Signal};
use crate::clock::Clock;
use crate::failpoint;
use crate::model::ChatModel;
use crate::store::{JournalRow, ParkedState, Run, RunState, ShopStore};

/// Drives runs of one shop.
pub struct Driver {
    /// The shop's store.
    pub store: ShopStore,
    /// Its tools.
    pub registry: Registry,
    /// The hand-over after an approval.
    pub deliverer: Arc<dyn Deliverer>,
    /// Models in order of preference: the first answers, the others stand in.
    pub models: Vec<Arc<dyn ChatModel>>,
    /// Makes a run's plan from its pinned release.
    pub planner: Arc<dyn Planner>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("shop", self.store.id()).finish_non_exhaustive()
    }
}

/// Makes a plan from a pinned release.
pub trait Planner: Send + Sync {
    /// The plan of a run that starts now.
    ///
    /// # Errors
    /// In words, when the release cannot be used.
    fn plan<'a>(
        &'a self,
        release: Digest,
        seed: &'a Seed,
        started_at: Timestamp,
    ) -> kit::BoxFuture<'a, Result<RunPlan, String>>;
}

/// After this silence a run was interrupted: shorter ones do not matter for the time it may work.
const INTERRUPTED: SignedDuration = SignedDuration::from_secs(60);

/// How often a hold without an end of its own is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// A run in hand.
struct Drive<'a> {
    driver: &'a Driver,
    run: Run,
    seed: Seed,
    machine: Machine,
    chain: Chain,
    next_seq: u32,
    /// Nothing was done yet: what makes a message impossible anyway is looked for first.
    untouched: bool,
    /// Which of the driver's models answers now.
    model: usize,
}

impl Driver {
    /// Drives a run until it ends or has to wait.
    ///
    /// # Errors
    /// [`DriveError`]: the run is unharmed and can be driven again, or is parked with its reason.
    pub async fn drive(&self, id: &RunId) -> Result<Rest, DriveError> {
        let run = self.store.run(id).await?.ok_or_else(|| DriveError::Unknown(id.clone()))?;
        if run.state == RunState::Done {
            let outcome = run.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok());
            return outcome.map(Rest::Done).ok_or_else(|| {
                StoreError::Corrupt { what: format!("run {id}"), why: "it is done without an outcome".to_owned() }
                    .into()
            });
        }
        let now = self.clock.now();
        if let (RunState::Delayed, Some(until)) = (run.state, run.wake_at.filter(|at| *at > now)) {
            return Ok(Rest::Delayed { until });
        }
        self.open(run).await?.run_on().await
    }

    /// Folds the journal, or begins it.
    async fn open(&self, run: Run) -> Result<Drive<'_>, DriveError> {
        let seed: Seed = serde_json::from_str(&run.plan)
            .map_err(|e| StoreError::Corrupt { what: format!("run {}", run.id), why: e.to_string() })?;
        let rows = self.store.journal(&run.id).await?;
        let started_at = rows.first().map_or_else(|| self.clock.now(), |row| row.at);
        let plan = self
            .planner
            .plan(run.release, &seed, started_at)
            .await
            .map_err(|why| DriveError::Release { run: run.id.clone(), why })?;
        let folded = match journal::fold(&run.plan, &rows, |_| plan.clone()) {
            Ok(Some(folded)) => match rows.last() {
                Some(last) => self.resume(&run, folded, last.at).await?,
                None => folded,
            },
            Ok(None) => self.begin(&run, plan, started_at).await?,
            Err(divergence) => {
                self.park(&run.id, &divergence.to_string()).await?;
                return Err(DriveError::Diverged { run: run.id, divergence });
            }
        };
        let Folded { machine, chain, next_seq, untouched } = folded;
        let model =
            machine.profile().and_then(|name| self.models.iter().position(|m| m.profile() == name)).unwrap_or(0);
        Ok(Drive { driver: self, run, seed, machine, chain, next_seq, untouched, model })
    }

    async fn begin(&self, run: &Run, plan: RunPlan, at: Timestamp) -> Result<Folded, DriveError> {
        let body = serde_json::to_string(&Started { at })
            .map_err(|e| StoreError::Corrupt { what: "journal row".to_owned(), why: e.to_string() })?;
        let chain = Chain::begin(&run.plan).extend(START, &body);
        let row = JournalRow { seq: 1, step: START.to_owned(), input_hash: chain.hash(), body, at };
        self.append(&run.id, row, None).await?;
        Ok(Folded { machine: Machine::new(plan), chain, next_seq: 2, untouched: true })
    }

    /// Notes that a run which was in the middle of its work is taken up again. Without that the hours until somebody starts
    /// the service would count as the run's working time and end it.
    async fn resume(&self, run: &Run, mut folded: Folded, last_at: Timestamp) -> Result<Folded, DriveError> {
        let at = self.clock.now();
        let works = match folded.machine.next() {
            Step::CallModel | Step::RunTools { .. } | Step::Deliver { .. } | Step::SwitchModel { .. } => true,
            Step::AwaitApproval { .. } | Step::AwaitRelease { .. } | Step::AwaitMarketer { .. } | Step::Done(_) => {
                false
            }
        };
        if !works || at.duration_since(last_at) < INTERRUPTED {
            return Ok(folded);
        }
        let body = serde_json::to_string(&Started { at })
            .map_err(|e| StoreError::Corrupt { what: "journal row".to_owned(), why: e.to_string() })?;
        folded.chain = folded.chain.extend(RESUME, &body);
        let (seq, input_hash) = (folded.next_seq, folded.chain.hash());
        self.append(&run.id, JournalRow { seq, step: RESUME.to_owned(), input_hash, body, at }, None).await?;
        folded.machine.resumed(at);
        folded.next_seq += 1;
        Ok(folded)
    }

    async fn append(&self, run: &RunId, row: JournalRow, signal: Option<u32>) -> Result<(), DriveError> {
        let seq = row.seq;
        failpoint::hit(format_args!("before_append.{seq}"));
        match self.store.append(run, row, signal).await {
            Err(StoreError::Conflict(_)) => return Err(DriveError::Elsewhere(run.clone())),
            other => other?,
        }
        failpoint::hit(format_args!("after_append.{seq}"));
        Ok(())
    }

    async fn park(&self, run: &RunId, why: &str) -> Result<(), StoreError> {
        self.store.end_run(run, RunState::Parked, Some(why.to_owned()), None, self.clock.now()).await
    }
}

impl Drive<'_> {
    async fn run_on(mut self) -> Result<Rest, DriveError> {
        loop {
            let step = self.machine.next();
            if let Step::Done(outcome) = step {
                return self.finish(outcome).await;
            }
            let signal = self.signal(&step).await?;
            let (input, used) = match signal {
                Some((seq, input)) => (input, Some(seq)),
                None => match self.perform(&step).await? {
                    Performed::Answer(input) => (input, None),
                    Performed::Signalled(seq, input) => (input, Some(seq)),
                    Performed::Rest(rest) => return self.rest(rest).await,
                },
            };
            self.take(&step, input, used).await?;
        }
    }

    /// Journals an outcome, then folds it in.
    async fn take(&mut self, step: &Step, input: Input, signal: Option<u32>) -> Result<(), DriveError> {
        let asked = step_text(step);
        let body = serde_json::to_string(&input)
            .map_err(|e| StoreError::Corrupt { what: "journal row".to_owned(), why: e.to_string() })?;
        let chain = self.chain.extend(&asked, &body);
        let (seq, step_name) = (self.next_seq, step_name(step).to_owned());
        let row = JournalRow { seq, step: step_name, input_hash: chain.hash(), body, at: input.at() };
        self.driver.append(&self.run.id, row, signal).await?;
        self.driver.observer.step(&self.run.id, step, &input);
        self.chain = chain;
        self.next_seq += 1;
        self.untouched = false;
        if let Input::Marketer { .. } = &input {
            // A new turn asks the preferred model again.
            self.model = 0;
        }
        self.machine.apply(input).map_err(|e| {
            let divergence = journal::Divergence { seq: self.next_seq - 1, why: e.to_string() };
            DriveError::Diverged { run: self.run.id.clone(), divergence }
        })
    }

    /// The oldest signal that means something at this step. Signals are read where a run waits or is about to act; what a
    /// person decided about a step that is over is dropped.
    async fn signal(&self, step: &Step) -> Result<Option<(u32, Input)>, DriveError> {
        let reads = match step {
            Step::AwaitApproval { .. } | Step::AwaitRelease { .. } | Step::Deliver { .. } => true,
            Step::AwaitMarketer { .. } => true,
            // In a conversation the marketer may want it to stop at any step.
            Step::CallModel | Step::RunTools { .. } | Step::SwitchModel { .. } if self.machine.talk().is_some() => true,
            Step::CallModel => self.untouched,
            Step::RunTools { .. } | Step::SwitchModel { .. } | Step::Done(_) => false,
        };
        if !reads {
            return Ok(None);
        }
        let now = self.driver.clock.now();
        for (seq, body) in self.driver.store.signals(&self.run.id).await? {
            let signal: Signal = serde_json::from_str(&body)
                .map_err(|e| StoreError::Corrupt { what: "signal".to_owned(), why: e.to_string() })?;
            match (signal, step) {
                (Signal::Cancel(reason), _) => return Ok(Some((seq, Input::Cancelled { reason, at: now }))),
                (Signal::Approval { approval, decision }, Step::AwaitApproval { approval: awaited, .. })
                    if approval == *awaited =>
                {
                    return Ok(Some((seq, Input::Approval { approval, decision, at: now })));
                }
                (Signal::Released, Step::AwaitRelease { .. }) => return Ok(Some((seq, Input::Released { at: now }))),
                (Signal::Said { text, today }, Step::AwaitMarketer { .. }) => {
                    return Ok(Some((seq, Input::Marketer { text, today, at: now })));
                }
                // Said while a turn is under way: the next one.
                (Signal::Said { .. }, _) => {}
                (Signal::Edited { brief, note, restores }, Step::AwaitMarketer { .. }) if self.fits(&brief) => {
                    return Ok(Some((seq, Input::BriefEdited { brief, note, restores, at: now })));
                }
                (Signal::Stop, Step::CallModel | Step::RunTools { .. } | Step::SwitchModel { .. }) => {
                    return Ok(Some((seq, Input::Stopped { at: now })));
                }
                (Signal::Approval { .. } | Signal::Released | Signal::Edited { .. } | Signal::Stop, _) => {
                    self.driver.store.drop_signal(&self.run.id, seq).await?
                }
            }
        }
        Ok(None)
    }

    /// True for an edit of the brief as it stands; one that somebody else was faster than is dropped.
    fn fits(&self, edited: &Brief) -> bool {
        self.machine.talk().is_some_and(|talk| talk.brief.version.saturating_add(1) == edited.version)
    }

    async fn perform(&mut self, step: &Step) -> Result<Performed, DriveError> {
        let now = self.driver.clock.now();
        Ok(Performed::Answer(match step {
            Step::CallModel if self.untouched && self.machine.talk().is_none() => {
                match self.driver.deliverer.admissible(&self.seed, now).await? {
                    Some(reason) => Input::Cancelled { reason, at: now },
                    None => self.ask().await,
                }
            }
            Step::CallModel => self.ask().await,
            Step::RunTools { calls } => {
                let shop = self.driver.store.id();
                match perform::calls(&self.driver.registry, shop, &self.run.id, &self.seed, &self.machine, calls, now)
                    .await
                {
                    Ok(answers) => {
                        failpoint::hit("after_tools");
                        Input::Tools { answers, at: self.driver.clock.now() }
                    }
                    Err(Failed::Fatal(why)) => Input::Fatal { why, at: now },
                    Err(Failed::Retry(why)) => return Err(StoreError::Unavailable(why).into()),
                }
            }
            Step::Deliver { approval } => self.deliver(approval.as_ref(), now).await?,
            Step::AwaitApproval { approval, until } if *until <= now => return self.expire(approval, now).await,
            Step::AwaitApproval { approval, until } => match self.decided(approval, now).await? {
                Some(input) => input,
                None => return Ok(Performed::Rest(Rest::Approval { approval: approval.clone(), until: *until })),
            },
            Step::AwaitRelease { at: Some(at), .. } if *at <= now => Input::Released { at: now },
            Step::AwaitRelease { at: None, hold } if self.driver.deliverer.lifted(&self.seed, hold, now).await? => {
                Input::Released { at: now }
            }
            Step::AwaitRelease { at, hold } => return Ok(Performed::Rest(Rest::Held { hold: hold.clone(), at: *at })),
            Step::SwitchModel { .. } => self.switch(now),
            Step::AwaitMarketer { ended } => return Ok(Performed::Rest(Rest::Marketer { ended: ended.clone() })),
            Step::Done(outcome) => return Ok(Performed::Rest(Rest::Done(outcome.clone()))),
        }))
    }

    async fn ask(&self) -> Input {
        let Some(model) = self.driver.models.get(self.model) else {
            return Input::Fatal { why: "no model is configured".to_owned(), at: self.driver.clock.now() };
        };
        let Some(request) = self.machine.request() else {
            return Input::Fatal {
                why: "the machine asks for a model without a question".to_owned(),
                at: self.driver.clock.now(),
            };
        };
        let tools: Vec<&ToolSpec> =
            request.tools.iter().filter_map(|name| self.driver.registry.get(name)).map(|tool| tool.spec()).collect();
        let answer = model.complete(&request, &tools).await;
        failpoint::hit("after_model");
        let at = self.driver.clock.now();
        match answer {
            Ok(reply) => Input::Model { reply, at },
            Err(error) => {
                tracing::warn!(profile = model.profile(), %error, "model call failed");
                Input::ModelFailed { fault: error.fault(), at }
            }
        }
    }

    fn switch(&mut self, at: Timestamp) -> Input {
        match self.driver.models.get(self.model + 1) {
            Some(next) => {
                self.model += 1;
                Input::SwitchedModel { profile: next.profile().to_owned(), at }
            }
            None => Input::NoMoreModels { at },
        }
    }

    async fn deliver(&self, approval: Option<&ApprovalId>, now: Timestamp) -> Result<Input, DriveError> {
        let Some(draft) = self.machine.draft() else {
            return Ok(Input::Fatal { why: "there is nothing to deliver".to_owned(), at: now });
        };
        let result = self.driver.deliverer.deliver(&self.run.id, &self.seed, draft, approval, now).await?;
        Ok(Input::Delivery { result, at: now })
    }

    /// The decision that stands in the approval's row without a signal of its own: the writer proposed the very message
    /// again that a person has decided about already.
    async fn decided(&self, approval: &ApprovalId, now: Timestamp) -> Result<Option<Input>, DriveError> {
        let Some(found) = self.driver.store.approval(approval).await? else { return Ok(None) };
        let decision = match found.record.state {
            ApprovalState::Approved => ApprovalDecision::Approved,
            ApprovalState::Rejected => {
                ApprovalDecision::Rejected { reason: found.reason.unwrap_or_default(), revise: false }
            }
            ApprovalState::Expired => ApprovalDecision::Expired,
            ApprovalState::Pending | ApprovalState::Superseded => return Ok(None),
        };
        Ok(Some(Input::Approval { approval: approval.clone(), decision, at: now }))
    }

    /// Nobody decided in time. The row is closed first: a decision that comes at the same moment wins or loses there.
    async fn expire(&self, id: &ApprovalId, now: Timestamp) -> Result<Performed, DriveError> {
        let store = &self.driver.store;
        let Some(viewed) = store.approval(id).await? else {
            return Ok(Performed::Answer(Input::Fatal { why: format!("approval {id} is gone"), at: now }));
        };
        if let Some(expired) = approval::expire(&viewed.record, now) {
            let decision = ApprovalDecision::Expired;
            let signal = Signal::Approval { approval: id.clone(), decision }.to_json()?;
            store.decide(&viewed, expired, None, None, signal, now).await?;
        }
        // The signal just written, or the person's own, is there now.
        let signal = self.signal(&Step::AwaitApproval { approval: id.clone(), until: now }).await?;
        let expired = || Input::Approval { approval: id.clone(), decision: ApprovalDecision::Expired, at: now };
        Ok(match signal {
            Some((seq, input)) => Performed::Signalled(seq, input),
            None => Performed::Answer(expired()),
        })
    }

    async fn rest(self, rest: Rest) -> Result<Rest, DriveError> {
        let now = self.driver.clock.now();
        let (wake_at, wait_for) = match &rest {
            Rest::Approval { approval, until } => (Some(*until), format!("approval {approval}")),
            // Nobody may say that the cause is gone: it is looked at again by itself.
            Rest::Held { hold, at } => (at.or_else(|| now.checked_add(LOOK_AGAIN).ok()), hold.to_string()),
            Rest::Marketer { .. } => (None, "the marketer".to_owned()),
            Rest::Delayed { until } => (Some(*until), "its time".to_owned()),
            Rest::Done(outcome) => return self.finish(outcome.clone()).await,
        };
        let body = serde_json::to_string(&self.machine)
            .map_err(|e| StoreError::Corrupt { what: "machine state".to_owned(), why: e.to_string() })?;
        let parked = ParkedState { seq: self.next_seq - 1, version: self.machine.version(), body };
        match self.driver.store.rest_run(&self.run.id, wake_at, wait_for, parked, now).await {
            Ok(()) => Ok(rest),
            Err(StoreError::Conflict(_)) => Err(DriveError::Elsewhere(self.run.id)),
            Err(error) => Err(error.into()),
        }
    }

    async fn finish(self, outcome: Outcome) -> Result<Rest, DriveError> {
        failpoint::hit("before_finish");
        let state = match &outcome {
            Outcome::Delivered { .. } | Outcome::NoSend(_) | Outcome::Held { .. } | Outcome::Written { .. } => {
                RunState::Done
            }
            Outcome::Parked(_) => RunState::Parked,
        };
        let why = match &outcome {
            Outcome::Parked(reason) => Some(reason.text.clone()),
            Outcome::Delivered { .. } | Outcome::NoSend(_) | Outcome::Held { .. } | Outcome::Written { .. } => None,
        };
        let text = serde_json::to_string(&outcome)
            .map_err(|e| StoreError::Corrupt { what: "outcome".to_owned(), why: e.to_string() })?;
        self.driver.store.end_run(&self.run.id, state, why, Some(text), self.driver.clock.now()).await?;
        Ok(Rest::Done(outcome))
    }
}

/// What came of performing a step.
enum Performed {
    Answer(Input),
    /// An answer that came as this signal, which is used up with it.
    Signalled(u32, Input),
    Rest(Rest),
}
