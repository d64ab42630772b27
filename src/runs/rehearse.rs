//! A run once more, as a rehearsal: from its seed and the answers its tools gave, with another model or another release.
//!
//! Nothing leaves and nothing is written. What a tool answered then is answered again to the same question; a question that
//! was not asked then is answered by the tool itself, from today's data, and named. Tools that act do so in a sandbox.

use std::collections::VecDeque;
use std::sync::Arc;

use agent::{ChatModel, Input, Machine, ModelRequest, Outcome, RunPlan, Step, ToolAnswer, ToolCall};
use kit::message::{DraftRecord, Hold, SendState};
use kit::tool::{Disposition, Effect, Registry, RegistryError, ToolSpec};
use kit::{Digest, RunId, StoreError, Timestamp};

use super::guard::PrivacyGuard;
use super::perform::{self, Bench, Failed};
use super::replay::{ReplayError, Replayed};
use super::{RetryPolicy, Seed, task};
use crate::delivery::Delivery;
use crate::model::offline::OfflineModel;
use crate::release::{Release, ReleaseError};
use crate::tenant::Tenant;
use crate::toolbox;

/// A rehearsal that goes on for longer than this is broken: the machine's own bounds end far earlier.
const MOST_STEPS: usize = 1000;

/// One run twice.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The run.
    pub run: RunId,
    /// As it was.
    pub recorded: Side,
    /// As it would be.
    pub rehearsed: Side,
    /// The first turn, from 1, that differs in what the model called or what came of it.
    pub first_difference: Option<usize>,
    /// Calls of the rehearsal that nobody had asked then: answered from today's data.
    pub answered_afresh: Vec<String>,
}

/// One of the two.
#[derive(Debug, Clone)]
pub struct Side {
    /// Models that answered, in order, as they name themselves.
    pub models: Vec<String>,
    /// The release whose prompts and rules counted.
    pub release: Digest,
    /// What happened, a turn at a time.
    pub turns: Vec<Turn>,
    /// The last draft that passed the content rules.
    pub draft: Option<DraftRecord>,
    /// Why a person must look at it.
    pub needs_approval: Vec<String>,
    /// How it ended, or what it waits for.
    pub end: End,
}

/// One turn: what was asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Turn {
    /// What happened, in a word or two.
    pub what: String,
    /// The particulars: calls with their arguments, or words.
    pub detail: Vec<String>,
}

/// Where a side stands at its end.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It ended so.
    Over(Outcome),
    /// It waits for a person.
    Approval,
    /// It is held.
    Held(Hold),
    /// It waits for the marketer's next words.
    Marketer,
    /// It has not gone further yet.
    Open,
}

/// Why a run cannot be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// The run itself.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// No such model.
    #[error("there is no model profile `{name}`; there are {}", known.join(", "))]
    Model {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// No such release.
    #[error("there is no release {0}; see `mailwright release show`")]
    Release(Digest),
    /// The release cannot be used.
    #[error(transparent)]
    Unusable(#[from] ReleaseError),
    /// Its tools cannot be described.
    #[error(transparent)]
    Tools(#[from] RegistryError),
    /// The rehearsal broke off.
    #[error("the rehearsal broke off: {0}")]
    Broken(String),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Tenant {
    /// Runs a run once more with another model profile or another release, without any outside effect.
    ///
    /// # Errors
    /// [`RehearseError`]; nothing has changed in any case.
    pub async fn rehearse(
        &self,
        id: &RunId,
        profile: Option<&str>,
        release: Option<Digest>,
    ) -> Result<Comparison, RehearseError> {
        let replayed = self.replay(id).await?;
        let digest = release.unwrap_or(replayed.run.release);
        let release = self.stored_release(digest).await?;
        let model = self.rehearsing(profile, &release)?;
        let delivery = Arc::new(Delivery {
            store: self.store.clone(),
            ledger: self.delivery.ledger.clone(),
            esp: self.delivery.esp.clone(),
            release: release.clone(),
            unsubscribe: self.delivery.unsubscribe.clone(),
            clock: self.clock.clone(),
        });
        let registry = toolbox::rehearsal(self, &delivery)?;
        let started = replayed.story.first().map_or(replayed.run.created_at, |(_, input)| input.at());
        let mut seed = replayed.seed.clone();
        seed.subject.release = digest;
        let plan = task::plan(&release, &registry, &seed, started).map_err(RehearseError::Broken)?;
        let same_release = digest == replayed.run.release;
        let person = self.store.customer(&seed.subject.customer).await?;
        let mut rehearsal = Rehearsal {
            run: id.clone(),
            shop: self.store.id().clone(),
            seed,
            registry,
            retry: release.runs.tools,
            model,
            at: started,
            recorded: Recorded::of(&replayed.story, same_release),
            fresh: Vec::new(),
            guard: PrivacyGuard::for_person(person.as_ref()),
        };
        let (machine, story, end) = rehearsal.play(plan).await?;
        let rehearsed = Side {
            models: models(&story),
            release: digest,
            turns: turns(&story),
            draft: machine.draft().map(|draft| DraftRecord::clone(draft)),
            needs_approval: machine.needs_approval().to_vec(),
            end,
        };
        let recorded = as_it_was(&replayed);
        Ok(Comparison {
            run: id.clone(),
            first_difference: first_difference(&recorded.turns, &rehearsed.turns),
            recorded,
            rehearsed,
            answered_afresh: rehearsal.fresh,
        })
    }

    async fn stored_release(&self, digest: Digest) -> Result<Arc<Release>, RehearseError> {
        if digest == self.release.digest {
            return Ok(self.release.clone());
        }
        let files = self.store.release(digest).await?.ok_or(RehearseError::Release(digest))?;
        Ok(Arc::new(Release::read(digest, &files)?))
    }

    /// The offline model's sentences are part of a release: in a rehearsal it writes with those of the release at hand.
    fn rehearsing(&self, profile: Option<&str>, release: &Release) -> Result<Arc<dyn ChatModel>, RehearseError> {
        let offline: Arc<dyn ChatModel> = Arc::new(OfflineModel::new(release.offline.clone()));
        let found = match profile {
            None => self.models().first().cloned(),
            Some(name) => self.models().iter().find(|model| model.profile() == name).cloned(),
        };
        match found {
            Some(model) if model.profile() != offline.profile() => Ok(model),
            Some(_) => Ok(offline),
            None => Err(RehearseError::Model {
                name: profile.unwrap_or_default().to_owned(),
                known: self.models().iter().map(|model| model.profile().to_owned()).collect(),
            }),
        }
    }
}

/// What tools answered in the recorded run.
struct Recorded {
    answers: Vec<(ToolCall, VecDeque<ToolAnswer>)>,
    /// Ordinals of calls that are answered afresh begin after those of the recorded ones: facts are named by ordinal.
    next_ordinal: u32,
    same_release: bool,
}

impl Recorded {
    fn of(story: &[(Step, Input)], same_release: bool) -> Self {
        let mut recorded = Self { answers: Vec::new(), next_ordinal: 0, same_release };
        for (step, input) in story {
            let (Step::RunTools { calls }, Input::Tools { answers, .. }) = (step, input) else { continue };
            for ((ordinal, call), answer) in calls.iter().zip(answers) {
                recorded.next_ordinal = recorded.next_ordinal.max(*ordinal);
                match recorded.answers.iter_mut().find(|(known, _)| same_question(known, call)) {
                    Some((_, queue)) => queue.push_back(answer.clone()),
                    None => recorded.answers.push((call.clone(), VecDeque::from([answer.clone()]))),
                }
            }
        }
        recorded
    }

    /// What was answered to this question then. Under another release only what tools read counts: its rules, policy and
    /// offers give answers of their own.
    fn answer(&mut self, call: &ToolCall, effect: Effect) -> Option<ToolAnswer> {
        let counts = match effect {
            Effect::Read => true,
            Effect::Propose => self.same_release,
            Effect::Act => false,
        };
        let (_, queue) = self.answers.iter_mut().find(|(known, _)| counts && same_question(known, call))?;
        // Asked more often than then, the last answer stands.
        let answer = if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() };
        answer.map(|answer| ToolAnswer { call: call.id.clone(), ..answer })
    }
}

fn same_question(one: &ToolCall, other: &ToolCall) -> bool {
    let read = |call: &ToolCall| serde_json::from_str::<serde_json::Value>(&call.arguments).ok();
    one.name == other.name && (one.arguments == other.arguments || (read(one).is_some() && read(one) == read(other)))
}

struct Rehearsal {
    run: RunId,
    shop: kit::ShopId,
    seed: Seed,
    registry: Registry,
    retry: RetryPolicy,
    model: Arc<dyn ChatModel>,
    at: Timestamp,
    recorded: Recorded,
    fresh: Vec<String>,
    guard: PrivacyGuard,
}

type Played = (Machine, Vec<(Step, Input)>, End);

impl Rehearsal {
    async fn play(&mut self, plan: RunPlan) -> Result<Played, RehearseError> {
        let mut machine = Machine::new(plan);
        let mut story = Vec::new();
        for _ in 0..MOST_STEPS {
            let step = machine.next();
            let input = match &step {
                Step::CallModel => self.ask(&machine).await?,
                Step::RunTools { calls } => self.answer(&machine, calls).await?,
                Step::SwitchModel { .. } => Input::NoMoreModels { at: self.at },
                Step::AwaitApproval { .. } => return Ok((machine, story, End::Approval)),
                Step::AwaitRelease { hold, .. } => return Ok((machine, story, End::Held(hold.clone()))),
                Step::AwaitMarketer { .. } => return Ok((machine, story, End::Marketer)),
                // The sandbox: it would be in the ledger now.
                Step::Deliver { .. } => Input::Delivery { result: Ok(SendState::Reserved), at: self.at },
                Step::Done(outcome) => return Ok((machine, story, End::Over(outcome.clone()))),
            };
            machine.apply(input.clone()).map_err(|e| RehearseError::Broken(e.to_string()))?;
            story.push((step, input));
        }
        Err(RehearseError::Broken(format!("it has no end after {MOST_STEPS} steps")))
    }

    async fn ask(&mut self, machine: &Machine) -> Result<Input, RehearseError> {
        let request = machine.request().ok_or_else(|| RehearseError::Broken("there is no question".to_owned()))?;
        let messages = self.guard.mask(request.messages);
        let request = ModelRequest { messages: &messages, ..request };
        let tools: Vec<&ToolSpec> =
            request.tools.iter().filter_map(|name| self.registry.get(name)).map(|tool| tool.spec()).collect();
        Ok(match self.model.complete(&request, &tools).await {
            Ok(reply) => Input::Model { reply, at: self.at },
            Err(error) => Input::ModelFailed { fault: error.fault(), at: self.at },
        })
    }

    async fn answer(&mut self, machine: &Machine, calls: &[(u32, ToolCall)]) -> Result<Input, RehearseError> {
        let mut answers = Vec::with_capacity(calls.len());
        for (_, call) in calls {
            let effect = self.registry.get(&call.name).map_or(Effect::Act, |tool| tool.spec().effect);
            if let Some(answer) = self.recorded.answer(call, effect) {
                answers.push(answer);
                continue;
            }
            if effect == Effect::Read {
                self.fresh.push(format!("{}({})", call.name, call.arguments));
            }
            self.recorded.next_ordinal += 1;
            let one = [(self.recorded.next_ordinal, call.clone())];
            let bench = Bench {
                registry: &self.registry,
                shop: &self.shop,
                run: &self.run,
                seed: &self.seed,
                retry: self.retry,
            };
            let live = perform::calls(&bench, machine, &one, self.at).await;
            match live {
                Ok(live) => answers.extend(live),
                Err(Failed::Fatal(why) | Failed::Retry(why)) => return Err(RehearseError::Broken(why)),
            }
        }
        Ok(Input::Tools { answers, at: self.at })
    }
}

fn as_it_was(replayed: &Replayed) -> Side {
    let mut draft = None;
    let mut reasons = Vec::new();
    for (_, input) in &replayed.story {
        let Input::Tools { answers, .. } = input else { continue };
        for answer in answers {
            if let Some(Disposition::Drafted { draft: drafted, needs_approval }) = &answer.disposition {
                draft = Some(DraftRecord::clone(drafted));
                reasons.clone_from(needs_approval);
            }
        }
    }
    Side {
        models: models(&replayed.story),
        release: replayed.run.release,
        turns: turns(&replayed.story),
        draft,
        needs_approval: reasons,
        end: match &replayed.next {
            Step::Done(outcome) => End::Over(outcome.clone()),
            Step::AwaitApproval { .. } => End::Approval,
            Step::AwaitRelease { hold, .. } => End::Held(hold.clone()),
            Step::AwaitMarketer { .. } => End::Marketer,
            Step::CallModel | Step::RunTools { .. } | Step::Deliver { .. } | Step::SwitchModel { .. } => End::Open,
        },
    }
}

/// Every model that answered, once each.
fn models(story: &[(Step, Input)]) -> Vec<String> {
    let mut models: Vec<String> = Vec::new();
    for (_, input) in story {
        if let Input::Model { reply, .. } = input
            && models.last() != Some(&reply.model)
        {
            models.push(reply.model.clone());
        }
    }
    models
}

/// The part of a story that two models can be compared by: what was called, and what came of it.
fn turns(story: &[(Step, Input)]) -> Vec<Turn> {
    story
        .iter()
        .map(|(step, input)| match (step, input) {
            (_, Input::Model { reply, .. }) if reply.calls.is_empty() => {
                Turn { what: "model says".to_owned(), detail: reply.text.clone().into_iter().collect() }
            }
            (_, Input::Model { reply, .. }) => Turn {
                what: "model calls".to_owned(),
                detail: reply.calls.iter().map(|call| format!("{}({})", call.name, call.arguments)).collect(),
            },
            (Step::RunTools { calls }, Input::Tools { answers, .. }) => Turn {
                what: "tools answer".to_owned(),
                detail: calls
                    .iter()
                    .zip(answers)
                    .map(|((_, call), answer)| {
                        format!("{}: {}", call.name, if answer.is_error { &answer.content } else { "ok" })
                    })
                    .collect(),
            },
            (_, other) => Turn { what: other.what().to_owned(), detail: Vec::new() },
        })
        .collect()
}

fn first_difference(one: &[Turn], other: &[Turn]) -> Option<usize> {
    // A rehearsal ends where a person is asked: what came of their answer is not the model's doing.
    let own = |turns: &[Turn]| turns.iter().take_while(|t| is_the_writers(&t.what)).cloned().collect::<Vec<_>>();
    let (one, other) = (own(one), own(other));
    let common = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    (common < one.len().max(other.len())).then_some(common + 1)
}

fn is_the_writers(what: &str) -> bool {
    matches!(what, "model calls" | "model says" | "tools answer")
}
