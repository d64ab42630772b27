//! The driver: one run, step by step, each outcome journaled before it counts.

use std::borrow::Cow;
use std::sync::Arc;

use agent::{ApprovalDecision, Input, Machine, ModelFault, ModelRequest, Outcome, RunPlan, Step, ToolChoice};
use jiff::SignedDuration;
use kit::campaign::Brief;
use kit::message::ApprovalState;
use kit::tool::{NoSend, Registry, ToolSpec};
use kit::{ApprovalId, Digest, RunId, StoreError, Timestamp};

use super::guard::PrivacyGuard;
use super::journal::{self, Chain, Folded, RESUME, START, Started, step_name, step_text};
use super::perform::{self, Deliverer, Failed};
use super::{DriveError, Observer, Rest, RunPolicy, Seed, Signal};
use crate::clock::Clock;
use crate::failpoint;
use crate::model::{ChatModel, ReplySink};
use crate::spend::{Purchase, Purse};
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
    /// Deadlines and retries.
    pub policy: Arc<RunPolicy>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// What models may cost.
    pub purse: Purse,
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
    /// When the run began.
    began_at: Timestamp,
    /// Nothing was done yet: what makes a message impossible anyway is looked for first.
    untouched: bool,
    /// Which of the driver's models answers now.
    model: usize,
    /// The last door before a model; made at the first question.
    guard: Option<PrivacyGuard>,
}

impl Driver {
    /// Drives a run until it ends or has to wait.
    ///
    /// # Errors
    /// [`DriveError`]: the run is unharmed and can be driven again, or is parked with its reason.
    pub async fn drive(&self, id: &RunId) -> Result<Rest, DriveError> {
        let run = self.store.run(id).await?.ok_or_else(|| DriveError::Unknown(id.clone()))?;
        if run.plan.is_empty() {
            let reason = NoSend { code: "erased".to_owned(), reason: crate::store::ERASED.to_owned() };
            return Ok(Rest::Done(Outcome::NoSend(reason)));
        }
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
        match self.open(run).await? {
            Some(drive) => drive.run_on().await,
            // Its timer was moved between the reading and the beginning: it is not due any more.
            None => {
                let run = self.store.run(id).await?.ok_or_else(|| DriveError::Unknown(id.clone()))?;
                Ok(Rest::Delayed { until: run.wake_at.unwrap_or(now) })
            }
        }
    }

    /// A run as it is, with its journal, without taking it on.
    ///
    /// # Errors
    /// When there is no such run, or its journal does not follow from its release.
    pub async fn machine(&self, id: &RunId) -> Result<(Machine, Vec<JournalRow>), DriveError> {
        let run = self.store.run(id).await?.ok_or_else(|| DriveError::Unknown(id.clone()))?;
        let seed: Seed = serde_json::from_str(&run.plan)
            .map_err(|e| StoreError::Corrupt { what: format!("run {}", run.id), why: e.to_string() })?;
        let rows = self.store.journal(id).await?;
        let started_at = rows.first().map_or(run.created_at, |row| row.at);
        let plan = self.planner.plan(run.release, &seed, started_at).await;
        let plan = plan.map_err(|why| DriveError::Release { run: id.clone(), why })?;
        let folded = journal::fold(&run.plan, &rows, |_| plan.clone());
        let folded = folded.map_err(|divergence| DriveError::Diverged { run: id.clone(), divergence })?;
        Ok((folded.map_or_else(|| Machine::new(plan), |folded| folded.machine), rows))
    }

    /// Drives a run; when that fails for a cause that passes, notes when the next try is, and after the last one parks the run.
    ///
    /// # Errors
    /// As [`Driver::drive`].
    pub async fn drive_or_postpone(&self, id: &RunId) -> Result<Rest, DriveError> {
        let error = match self.drive(id).await {
            Err(error) if error.is_retryable() => error,
            other => return other,
        };
        let (now, retry) = (self.clock.now(), self.policy.steps);
        let failed = self.store.run(id).await?.map_or(0, |run| run.failures).saturating_add(1);
        let failed = u32::try_from(failed).unwrap_or(u32::MAX);
        if failed >= retry.attempts {
            self.park(id, &format!("{failed} tries failed, the last one: {error}")).await?;
        } else {
            let until = now.checked_add(retry.pause(failed)).unwrap_or(now);
            self.store.postpone(id, until, &error.to_string(), now).await?;
        }
        Err(error)
    }

    /// Folds the journal, or begins it; `None` when it is not due after all.
    async fn open(&self, run: Run) -> Result<Option<Drive<'_>>, DriveError> {
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
            Ok(None) => match self.begin(&run, plan, started_at).await? {
                Some(begun) => begun,
                None => return Ok(None),
            },
            Err(divergence) => {
                self.park(&run.id, &divergence.to_string()).await?;
                return Err(DriveError::Diverged { run: run.id, divergence });
            }
        };
        let Folded { machine, chain, next_seq, untouched } = folded;
        let model =
            machine.profile().and_then(|name| self.models.iter().position(|m| m.profile() == name)).unwrap_or(0);
        Ok(Some(Drive {
            driver: self,
            run,
            seed,
            machine,
            chain,
            next_seq,
            began_at: started_at,
            untouched,
            model,
            guard: None,
        }))
    }

    async fn begin(&self, run: &Run, plan: RunPlan, at: Timestamp) -> Result<Option<Folded>, DriveError> {
        let body = serde_json::to_string(&Started::by_this_machine(at))
            .map_err(|e| StoreError::Corrupt { what: "journal row".to_owned(), why: e.to_string() })?;
        let chain = Chain::begin(&run.plan).extend(START, &body);
        let row = JournalRow { seq: 1, step: START.to_owned(), input_hash: chain.hash(), body, at };
        failpoint::hit("before_append.1");
        match self.store.begin_run(&run.id, run.timer, row).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(StoreError::Conflict(_)) => return Err(DriveError::Elsewhere(run.id.clone())),
            Err(error) => return Err(error.into()),
        }
        failpoint::hit("after_append.1");
        Ok(Some(Folded { machine: Machine::new(plan), chain, next_seq: 2, untouched: true }))
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
        let body = serde_json::to_string(&Started::by_this_machine(at))
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
            let divergence =
                journal::Divergence { seq, asked: name.to_owned(), found: name.to_owned(), why: e.to_string() };
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
            Step::SwitchModel { .. } => self.switch(now).await?,
            Step::AwaitMarketer { ended } => return Ok(Performed::Rest(Rest::Marketer { ended: ended.clone() })),
            Step::Done(outcome) => return Ok(Performed::Rest(Rest::Done(outcome.clone()))),
        }))
    }

    async fn ask(&mut self) -> Result<Input, DriveError> {
        let Some(model) = self.driver.models.get(self.model) else {
            let why = "no model is configured".to_owned();
            return Ok(Input::Fatal { why, at: self.driver.clock.now() });
        };
        let guard = match self.guard.take() {
            Some(guard) => guard,
            None => self.guard_for_person().await?,
        };
        let guard = self.guard.insert(guard);
        let Some(request) = self.machine.request() else {
            let why = "the machine asks for a model without a question".to_owned();
            return Ok(Input::Fatal { why, at: self.driver.clock.now() });
        };
        let messages = guard.mask(request.messages);
        if let Cow::Owned(_) = messages {
            tracing::debug!(run = %self.run.id, "personal data was masked before a model call");
        }
        let request = ModelRequest { messages: &messages, ..request };
        let tools: Vec<&ToolSpec> =
            request.tools.iter().filter_map(|name| self.driver.registry.get(name)).map(|tool| tool.spec()).collect();
        let purchase = self.purchase(model.as_ref(), &request, &tools);
        let ticket = match self.driver.purse.reserve(purchase, self.driver.clock.now()).await? {
            Ok(ticket) => ticket,
            Err(refusal) => {
                tracing::warn!(profile = model.profile(), %refusal, "model call not made");
                let fault = ModelFault { why: refusal.to_string(), transient: true };
                return Ok(Input::ModelFailed { fault, at: self.driver.clock.now() });
            }
        };
        let listener = Listener { observer: self.driver.observer.as_ref(), run: &self.run.id };
        let answer = model.stream(&request, &tools, &listener).await;
        failpoint::hit("after_model");
        self.driver.purse.settle(ticket, &answer).await?;
        let at = self.driver.clock.now();
        Ok(match answer {
            Ok(reply) => Input::Model { reply, at },
            Err(error) => {
                tracing::warn!(profile = model.profile(), %error, "model call failed");
                Input::ModelFailed { fault: error.fault(), at }
            }
        })
    }

    /// Without knowing whose data to look for nothing is asked: an error here is the run's, not a reason to go on.
    async fn guard_for_person(&self) -> Result<PrivacyGuard, DriveError> {
        let person = self.driver.store.customer(&self.seed.subject.customer).await?;
        Ok(PrivacyGuard::for_person(person.and_then(|p| p.first_name).as_deref()))
    }

    fn purchase<'a>(
        &'a self,
        model: &'a dyn ChatModel,
        request: &ModelRequest<'_>,
        tools: &[&ToolSpec],
    ) -> Purchase<'a> {
        let quote = model.quote(request, tools);
        Purchase { run: &self.run.id, flow: &self.run.flow, profile: model.profile(), quote }
    }

    /// The next model that the run can pay for. What it will be asked is not known yet; what was said so far is the least.
    async fn switch(&mut self, at: Timestamp) -> Result<Input, DriveError> {
        let said =
            ModelRequest { messages: self.machine.transcript(), tools: Vec::new(), tool_choice: ToolChoice::Auto };
        for (position, model) in self.driver.models.iter().enumerate().skip(self.model + 1) {
            if self.driver.purse.affords(self.purchase(model.as_ref(), &said, &[]), at).await? {
                let profile = model.profile().to_owned();
                self.model = position;
                return Ok(Input::SwitchedModel { profile, at });
            }
        }
        Ok(Input::NoMoreModels { at })
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

/// Hands a model's words on to whoever watches the run.
struct Listener<'a> {
    observer: &'a dyn Observer,
    run: &'a RunId,
}

impl ReplySink for Listener<'_> {
    fn text(&self, delta: &str) {
        self.observer.writes(self.run, delta);
    }

    fn call(&self, name: &str) {
        self.observer.calls(self.run, name);
    }
}

/// What came of performing a step.
enum Performed {
    Answer(Input),
    /// An answer that came as this signal, which is used up with it.
    Signalled(u32, Input),
    Rest(Rest),
}
