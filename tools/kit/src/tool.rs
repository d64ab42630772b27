//! Tools: typed functions that a model may call.
//!
//! A tool is a Rust type with `Args` and `Output`; [`Registry::with`] turns `Args` into a strict JSON schema and refuses
//! what servers would refuse. The model's arguments are always validated here as well ([`validate`]), whatever the
//! server promised.

mod registry;
pub mod schema;
pub mod validate;

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use registry::{ErasedTool, Registry, RegistryError, ToolSpec};

use crate::campaign::{Brief, BriefChoice, BriefContext, Question};
use crate::fact::{Fact, FactBook, FactKind, FactMint, FactValue};
use crate::ids::{ApprovalId, FactId, RunId, ShopId};
use crate::message::{DraftRecord, SendState};
use crate::principal::Principal;
use crate::store::StoreError;

/// What a call does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Looks only; may run beside others.
    Read,
    /// Records something inside; repeatable.
    Propose,
    /// Acts on the outside world, through clearance and the ledger only.
    Act,
}

/// Where a run stands. The tools on offer shrink with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Shaping a campaign with a marketer.
    Brief,
    /// Learning: profile, catalogue, graph.
    Gather,
    /// Writing: quote an offer, propose a message.
    Compose,
    /// A checked draft exists and policy wants a person to look.
    Clear,
    /// Cleared: hand over.
    Deliver,
}

/// Why a run ends without a message. Doing nothing is a good answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoSend {
    /// A short code such as `just_bought`, for counting.
    pub code: String,
    /// The reason in words.
    pub reason: String,
}

/// What a tool call changed about the run, beside the text the model gets to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Disposition {
    /// A draft passed every content rule; `needs_approval` lists why a person must look (empty: policy clears it).
    Drafted {
        /// The draft with its report.
        draft: Box<DraftRecord>,
        /// Reasons in words.
        needs_approval: Vec<String>,
    },
    /// An approval was asked for; the run parks until it is decided.
    AwaitApproval {
        /// The request.
        approval: ApprovalId,
        /// When it lapses.
        expires_at: Timestamp,
    },
    /// The message is in the ledger.
    Queued {
        /// Where it stands.
        state: SendState,
    },
    /// The message was cleared but may not leave now.
    Held {
        /// Why, and when it may be tried again.
        hold: crate::message::Hold,
    },
    /// The run ends without a message.
    NoSend(NoSend),
    /// The copy of a message class is written and checked; the run is over.
    Written {
        /// What was written.
        copy: Box<crate::campaign::ClassCopy>,
    },
    /// The brief of a conversation changed.
    Briefed {
        /// The brief as it stands now.
        brief: Box<Brief>,
    },
    /// The marketer is asked; the turn ends.
    Asked {
        /// What.
        questions: Vec<Question>,
    },
    /// The marketer is given briefs to choose from; the turn ends.
    Offered {
        /// The briefs.
        choices: Vec<BriefChoice>,
    },
}

/// What a tool may see of its run.
#[derive(Debug, Clone)]
pub struct ToolContext {
    /// The shop everything belongs to.
    pub shop: ShopId,
    /// The run.
    pub run: RunId,
    /// On whose behalf.
    pub principal: Principal,
    /// The time of this step. Tools never read a clock.
    pub now: Timestamp,
    /// What started the run, as JSON of the orchestrator's own type; tools that need it declare a trait instead.
    pub subject: Arc<Subject>,
    /// Facts learned by earlier calls.
    pub facts: Arc<FactBook>,
    /// The last draft that passed the content rules.
    pub draft: Option<Arc<DraftRecord>>,
    /// The call's number in its run, from 1: the same one when a call is repeated after a crash.
    pub call: u32,
    /// The conversation, when the run is one about a brief.
    pub talk: Option<Arc<BriefContext>>,
    mint: Arc<std::sync::Mutex<FactMint>>,
    disposition: Arc<std::sync::Mutex<Option<Disposition>>>,
}

/// Whom and what a run is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The flow.
    pub flow: crate::FlowId,
    /// The customer; tools take them from here, never from the model.
    pub customer: crate::CustomerId,
    /// What makes this occasion distinct from the next one of the same flow: a cart token, an order id, a month.
    pub occasion: String,
    /// Which message of the flow this is, from 1.
    pub step: u32,
    /// When the thing happened that started the run.
    pub triggered_at: Timestamp,
    /// Products of the cart or order that started it, most valuable first.
    pub products: Vec<crate::ProductId>,
    /// The link back to the cart, when the platform gave one.
    pub cart_url: Option<String>,
    /// An order after the trigger makes the message pointless (carts, win-back), or not (care after a purchase).
    pub stops_on_purchase: bool,
    /// The language to write in.
    pub language: crate::Language,
    /// Content hash of the prompts, rules, policy and model settings this run is pinned to.
    pub release: crate::Digest,
}

impl ToolContext {
    /// A context for the call with this ordinal in its run.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        shop: ShopId,
        run: RunId,
        principal: Principal,
        now: Timestamp,
        subject: Arc<Subject>,
        facts: Arc<FactBook>,
        draft: Option<Arc<DraftRecord>>,
        call: u32,
    ) -> Self {
        Self {
            shop,
            run,
            principal,
            now,
            subject,
            facts,
            draft,
            call,
            talk: None,
            mint: Arc::new(std::sync::Mutex::new(FactMint::for_call(call))),
            disposition: Arc::default(),
        }
    }

    /// The same context within a conversation about a brief.
    #[must_use]
    pub fn in_talk(mut self, talk: Option<Arc<BriefContext>>) -> Self {
        self.talk = talk;
        self
    }

    /// The conversation about a brief.
    ///
    /// # Errors
    /// [`ToolError::Fatal`] in a run that is none: the tool is on offer where it should not be.
    pub fn conversation(&self) -> Result<&BriefContext, ToolError> {
        self.talk.as_deref().ok_or_else(|| ToolError::Fatal("this run is no conversation about a brief".to_owned()))
    }

    /// Mints a fact of this call.
    ///
    /// # Errors
    /// [`ToolError::ForModel`] when one call asks for more facts than [`crate::fact::MAX_FACTS_PER_CALL`].
    pub fn mint(
        &self,
        kind: FactKind,
        subject: impl Into<String>,
        source: &str,
        as_of: Timestamp,
        fields: impl IntoIterator<Item = (&'static str, FactValue)>,
    ) -> Result<FactId, ToolError> {
        let mut mint = self.mint.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        mint.mint(kind, subject, source, as_of, fields)
            .ok_or_else(|| ToolError::ForModel("too many results in one call: ask for fewer".to_owned()))
    }

    /// A fact the model cites, or an error it can act on.
    pub fn cited(&self, id: &FactId, kind: FactKind) -> Result<&Fact, ToolError> {
        let known = || {
            let ids: Vec<_> = self.facts.iter().filter(|f| f.kind == kind).map(|f| f.id.to_string()).collect();
            if ids.is_empty() { "none yet: call a gather tool first".to_owned() } else { ids.join(", ") }
        };
        match self.facts.get(id) {
            Some(fact) if fact.kind == kind => Ok(fact),
            Some(fact) => Err(ToolError::ForModel(format!(
                "{id} is a {:?} fact, not {kind:?}; facts of that kind: {}",
                fact.kind,
                known()
            ))),
            None => Err(ToolError::ForModel(format!("there is no fact {id}; facts of kind {kind:?}: {}", known()))),
        }
    }

    /// Says what this call changed about the run. The last word counts.
    pub fn dispose(&self, disposition: Disposition) {
        *self.disposition.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(disposition);
    }

    /// Takes what the call minted and decided.
    pub fn finish(&self) -> (Vec<Fact>, Option<Disposition>) {
        let mut mint = self.mint.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let facts = std::mem::replace(&mut *mint, FactMint::for_call(0)).into_facts();
        let disposition = self.disposition.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        (facts, disposition)
    }
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// The model can mend it; the text says what was wrong and how.
    #[error("{0}")]
    ForModel(String),
    /// The same call may work later.
    #[error("try again later: {0}")]
    Retry(String),
    /// The run cannot go on; an operator must look.
    #[error("{0}")]
    Fatal(String),
}

impl ToolError {
    /// True when the driver should repeat the same call after a pause.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Retry(_) => true,
            Self::ForModel(_) | Self::Fatal(_) => false,
        }
    }
}

impl From<StoreError> for ToolError {
    fn from(error: StoreError) -> Self {
        match error {
            // A full disk ends when somebody makes room; the run goes on then.
            StoreError::Unavailable(_) | StoreError::Conflict(_) | StoreError::Unwritable(_) => {
                Self::Retry(error.to_string())
            }
            StoreError::Corrupt { .. } | StoreError::Erased { .. } => Self::Fatal(error.to_string()),
        }
    }
}

/// A function that a model may call.
pub trait Tool: Send + Sync + 'static {
    /// What the model writes. Doc comments become the descriptions it reads.
    type Args: DeserializeOwned + JsonSchema + Send;
    /// What it gets back, as JSON.
    type Output: Serialize + Send;

    /// The name, as in design.md section 4.
    const NAME: &'static str;
    /// The description file, good enough to work from alone.
    const DESCRIPTION: &'static str;
    /// What a call does.
    const EFFECT: Effect;
    /// When it is on offer.
    const PHASES: &'static [Phase];

    /// Performs one call.
    fn call(&self, cx: &ToolContext, args: Self::Args) -> impl Future<Output = Result<Self::Output, ToolError>> + Send;
}
