//! A run in hand: step after step until it ends or waits.

use std::time::Duration;

use agent::{Input, Machine, Outcome, Step};
use jiff::SignedDuration;
use kit::message::Hold;
use kit::tool::NoSend;
use kit::{ApprovalId, StoreError, Timestamp};

use super::super::guard::PrivacyGuard;
use super::super::journal::{self, Chain, Divergence, step_name, step_text};
use super::super::perform::{self, Failed};
use super::super::{DriveError, Rest, Seed};
use super::{Driver, INTERRUPTED, works};
use crate::failpoint;
use crate::store::{JournalRow, ParkedState, Run, RunState};

/// How often a hold without an end of its own is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// A run in hand.
pub(super) struct Drive<'a> {
    pub(super) driver: &'a Driver,
    pub(super) run: Run,
    pub(super) seed: Seed,
    pub(super) machine: Machine,
    pub(super) chain: Chain,
    pub(super) next_seq: u32,
    /// When the run began.
    pub(super) began_at: Timestamp,
    /// The time of the last row, or of the beginning of this drive, by the clock and by what has really passed.
    pub(super) noted: (Timestamp, Duration),
    /// Nothing was done yet: what makes a message impossible anyway is looked for first.
    pub(super) untouched: bool,
    /// Which of the driver's models answers now.
    pub(super) model: usize,
    /// The last door before a model; made at the first question.
    pub(super) guard: Option<PrivacyGuard>,
}

/// What came of performing a step.
pub(super) enum Performed {
    Answer(Input),
    /// An answer that came as this signal, which is used up with it.
    Signalled(u32, Input),
    Rest(Rest),
}

impl Drive<'_> {
    pub(super) async fn run_on(mut self) -> Result<Rest, DriveError> {
        loop {
            let step = self.machine.next();
            if let Step::Done(outcome) = step {
                return self.finish(outcome).await;
            }
            let signal = self.signal(&step).await?;
            let (input, used) = match signal {
                Some((seq, input)) => (input, Some(seq)),
                None => match self.in_time(&step).await? {
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
        self.note_jump(step, input.at()).await?;
        let asked = step_text(step);
        let body = serde_json::to_string(&input)
            .map_err(|e| StoreError::Corrupt { what: "journal row".to_owned(), why: e.to_string() })?;
        let chain = self.chain.extend(&asked, &body);
        let (seq, name) = (self.next_seq, step_name(step));
        let row = JournalRow { seq, step: name.to_owned(), input_hash: chain.hash(), body, at: input.at() };
        self.driver.append(&self.run.id, row, signal).await?;
        self.driver.observer.step(&self.run.id, step, &input);
        if std::mem::take(&mut self.run.failures) > 0 {
            self.driver.store.recovered(&self.run.id).await?;
        }
        self.chain = chain;
        self.next_seq += 1;
        self.untouched = false;
        if let Input::Marketer { .. } = &input {
            // A new turn asks the preferred model again.
            self.model = 0;
        }
        self.machine.apply(input).map_err(|e| {
            let divergence = Divergence { seq, asked: name.to_owned(), found: name.to_owned(), why: e.to_string() };
            DriveError::Diverged { run: self.run.id.clone(), divergence }
        })
    }

    /// A clock that was set forward while a step was performed, or a machine that slept: the run has not worked that long, and
    /// what its bounds count must not end it.
    async fn note_jump(&mut self, step: &Step, at: Timestamp) -> Result<(), DriveError> {
        let steady = self.driver.clock.steady();
        let (last_at, last) = std::mem::replace(&mut self.noted, (at, steady));
        let worked = SignedDuration::try_from(steady.saturating_sub(last)).unwrap_or(SignedDuration::MAX);
        if !works(step) || at.duration_since(last_at).saturating_sub(worked) < INTERRUPTED {
            return Ok(());
        }
        let (row, chain) = journal::taken_up(self.chain, self.next_seq, at)?;
        self.driver.append(&self.run.id, row, None).await?;
        tracing::warn!(run = %self.run.id, "the clock was set forward while the run was at work");
        self.chain = chain;
        self.next_seq += 1;
        self.machine.resumed(at);
        Ok(())
    }

    /// Performs a step within its deadline and the run's. A step that is cut is tried again, as one that a crash cut.
    async fn in_time(&mut self, step: &Step) -> Result<Performed, DriveError> {
        let (now, policy) = (self.driver.clock.now(), self.driver.policy.clone());
        if self.began_at.checked_add(policy.deadline).is_ok_and(|end| end <= now) {
            let reason = format!("the run had not ended {:#} after it began", policy.deadline);
            let reason = NoSend { code: "run_deadline".to_owned(), reason };
            return Ok(Performed::Answer(Input::Cancelled { reason, at: now }));
        }
        let limit = policy.steps.deadline;
        match tokio::time::timeout(limit.unsigned_abs(), self.perform(step)).await {
            Ok(performed) => performed,
            Err(_) => {
                let why = format!("{} took longer than {limit:#}", step_name(step));
                Err(StoreError::Unavailable(why).into())
            }
        }
    }

    async fn perform(&mut self, step: &Step) -> Result<Performed, DriveError> {
        let now = self.driver.clock.now();
        Ok(Performed::Answer(match step {
            Step::CallModel if self.untouched && self.machine.talk().is_none() => {
                match self.driver.deliverer.admissible(&self.seed, now).await? {
                    Some(reason) => Input::Cancelled { reason, at: now },
                    None => self.ask().await?,
                }
            }
            Step::CallModel => self.ask().await?,
            Step::RunTools { calls } => {
                let shop = self.driver.store.id();
                let bench = perform::Bench {
                    registry: &self.driver.registry,
                    shop,
                    run: &self.run.id,
                    seed: &self.seed,
                    retry: self.driver.policy.tools,
                };
                match perform::calls(&bench, &self.machine, calls, now).await {
                    Ok(answers) => {
                        failpoint::hit("after_tools");
                        Input::Tools { answers, at: self.driver.clock.now() }
                    }
                    Err(Failed::Fatal(why)) => Input::Fatal { why, at: now },
                    Err(Failed::Retry(why)) => return Err(StoreError::Unavailable(why).into()),
                }
            }
            Step::Deliver { approval } => return self.deliver(approval.as_ref(), now).await,
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
            Step::SwitchModel { .. } => self.switch(now).await?,
            Step::AwaitMarketer { ended } => return Ok(Performed::Rest(Rest::Marketer { ended: ended.clone() })),
            Step::Done(outcome) => return Ok(Performed::Rest(Rest::Done(outcome.clone()))),
        }))
    }

    async fn deliver(&self, approval: Option<&ApprovalId>, now: Timestamp) -> Result<Performed, DriveError> {
        let Some(draft) = self.machine.draft() else {
            let why = "there is nothing to deliver".to_owned();
            return Ok(Performed::Answer(Input::Fatal { why, at: now }));
        };
        let result = self.driver.deliverer.deliver(&self.run.id, &self.seed, draft, approval, now).await?;
        Ok(match result {
            // No outcome: the same hand-over is made when the moment is over, or a recall is read before it.
            Err(hold @ Hold::Recallable { until }) => Performed::Rest(Rest::Held { hold, at: Some(until) }),
            result => Performed::Answer(Input::Delivery { result, at: now }),
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
