//! The ledger: the only maker of [`Reserved`].

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clearance::{CampaignUse, Cleared, Envelope};
use super::draft::{Channel, Outgoing};
use super::hold::Hold;
use super::reserve::{DedupeKey, ReserveEvidence, Reserved, SendState, judge};
use crate::fact::{Fact, FactKind};
use crate::ids::{ApprovalId, CustomerId, RunId, ShopId};
use crate::store::{BoxFuture, StoreError};
use crate::tool::Subject;

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The key.
    pub key: DedupeKey,
    /// How it travels.
    pub channel: Channel,
    /// Where it stands.
    pub state: SendState,
    /// Exactly what goes out.
    pub message: Outgoing,
    /// When the last ESP call for it began: the outcome of that call may be unknown.
    pub attempted_at: Option<Timestamp>,
}

/// What the store needs to gather evidence and to insert the row. It is stored with the row, so that the same judge can
/// look again before a hand-over that was cut off is taken up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReserveRequest {
    /// The shop.
    pub shop: ShopId,
    /// The run that sends.
    pub run: RunId,
    /// The person.
    pub customer: CustomerId,
    /// The key.
    pub key: DedupeKey,
    /// What was cleared.
    pub envelope: Envelope,
    /// The approval to look up and to use up.
    pub approval: Option<ApprovalId>,
    /// Cited facts, for comparison with the present.
    pub facts: Vec<Fact>,
    /// Which flow, occasion and step; when it was triggered.
    pub subject: Subject,
    /// Exactly what goes out.
    pub message: Outgoing,
    /// The time of the decision.
    pub now: Timestamp,
    authors: BTreeSet<String>,
    /// Its part in a campaign: another kind of approval covers it.
    #[serde(default)]
    pub campaign: Option<CampaignUse>,
}

impl ReserveRequest {
    /// Decides on the evidence. The store calls this inside its transaction and inserts the row only on `Ok`.
    pub fn judge(&self, evidence: &ReserveEvidence) -> Result<(), Hold> {
        let needs = self.approval.as_ref().map(|_| match self.campaign {
            Some(CampaignUse { terms, used_by }) => (terms, used_by),
            None => (self.envelope.digest(), self.key),
        });
        judge(&self.envelope, &self.authors, needs, evidence, self.now)
    }

    /// Cited product facts.
    pub fn products(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(|f| f.kind == FactKind::Product)
    }
}

/// What the store did with a request.
#[derive(Debug)]
pub enum ReserveAnswer {
    /// The row was inserted, and the approval used up, in one transaction.
    Inserted(LedgerRow),
    /// A row with this key was there already; nothing changed.
    Existing(LedgerRow),
    /// The evidence forbids it; nothing changed.
    Held(Hold),
}

/// Where the ledger's rows live. Implemented by the orchestrator's store.
pub trait LedgerStore: Send + Sync {
    /// Looks for the key, gathers evidence, asks [`ReserveRequest::judge`], and inserts: one transaction.
    fn reserve(&self, request: ReserveRequest) -> BoxFuture<'_, Result<ReserveAnswer, StoreError>>;
    /// The row of a key.
    fn find<'a>(&'a self, shop: &'a ShopId, key: DedupeKey) -> BoxFuture<'a, Result<Option<LedgerRow>, StoreError>>;
    /// Judges a reserved row again with the evidence of now; `None` when it may still leave.
    fn recheck<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Hold>, StoreError>>;
    /// Notes that an ESP call begins: the claim to it. [`StoreError::Conflict`] when somebody else has claimed or settled the
    /// row since it was read with `seen`.
    fn begin_attempt<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        seen: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Notes that the ESP call which began at `began` came back and took nothing: a later one need not ask whether it did.
    /// [`StoreError::Conflict`] when somebody else has claimed or settled the row since.
    fn end_attempt<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        began: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Notes how it ended.
    fn settle<'a>(
        &'a self,
        shop: &'a ShopId,
        key: DedupeKey,
        state: SendState,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// What became of a cleared message.
#[derive(Debug)]
pub enum ReserveOutcome {
    /// It may be handed over, once.
    Reserved(Box<Reserved>),
    /// It was handed over, or is being handed over, by somebody else.
    Already(SendState),
    /// It is held.
    Held(Hold),
}

/// Concrete code over a [`LedgerStore`]: the one door to [`Reserved`].
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn LedgerStore>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl Ledger {
    /// A ledger over this store.
    pub fn new(store: Arc<dyn LedgerStore>) -> Self {
        Self { store }
    }

    /// Reserves a cleared, rendered message.
    ///
    /// # Errors
    /// When the store cannot answer. A message that may not leave is no error: it is [`ReserveOutcome::Held`].
    pub async fn reserve(
        &self,
        cleared: Cleared,
        run: RunId,
        subject: Subject,
        message: impl Into<Outgoing>,
        now: Timestamp,
    ) -> Result<ReserveOutcome, StoreError> {
        let envelope = cleared.envelope().clone();
        let message = message.into();
        let to = message.to();
        if to.digest(&envelope.shop) != envelope.audience
            || to.channel() != envelope.channel
            || subject.flow != envelope.flow
            || subject.customer != *cleared.customer()
        {
            return Ok(ReserveOutcome::Held(Hold::OtherAudience));
        }
        let key = DedupeKey::new(&envelope.shop, &to, &subject.flow, &subject.occasion, subject.step);
        let request = ReserveRequest {
            shop: envelope.shop.clone(),
            run,
            customer: cleared.customer().clone(),
            key,
            approval: cleared.approval().cloned(),
            facts: cleared.record().facts.iter().cloned().collect(),
            authors: cleared.record().authors.clone(),
            campaign: cleared.campaign(),
            envelope,
            subject,
            message,
            now,
        };
        Ok(match self.store.reserve(request).await? {
            ReserveAnswer::Inserted(row) => ReserveOutcome::Reserved(Box::new(reserved(row))),
            ReserveAnswer::Existing(row) => ReserveOutcome::Already(row.state),
            ReserveAnswer::Held(hold) => ReserveOutcome::Held(hold),
        })
    }

    /// After a restart: the reserved message of a key with whether an ESP call had begun, or `None` when there is
    /// nothing to hand over.
    pub async fn claim(&self, shop: &ShopId, key: DedupeKey) -> Result<Option<(Reserved, bool)>, StoreError> {
        let row = self.store.find(shop, key).await?.filter(|row| row.state == SendState::Reserved);
        Ok(row.map(|row| {
            let attempted = row.attempted_at.is_some();
            (reserved(row), attempted)
        }))
    }

    /// Looks again whether a reserved message may still leave.
    pub async fn recheck(&self, shop: &ShopId, key: DedupeKey, now: Timestamp) -> Result<Option<Hold>, StoreError> {
        self.store.recheck(shop, key, now).await
    }

    /// Claims the ESP call for this message.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another process has claimed or settled it since it was read.
    pub async fn begin_attempt(&self, shop: &ShopId, reserved: &Reserved, now: Timestamp) -> Result<(), StoreError> {
        self.store.begin_attempt(shop, reserved.key, reserved.attempted_at, now).await
    }

    /// Notes that the ESP call which began at `began` took nothing, giving the claim up with the message.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another process has claimed or settled it since.
    pub async fn end_attempt(&self, shop: &ShopId, reserved: Reserved, began: Timestamp) -> Result<(), StoreError> {
        self.store.end_attempt(shop, reserved.key, began).await
    }

    /// Notes how the hand-over ended, using the message up.
    pub async fn settle(
        &self,
        shop: &ShopId,
        reserved: Reserved,
        state: SendState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.settle(shop, reserved.key, state, now).await
    }
}

fn reserved(row: LedgerRow) -> Reserved {
    Reserved { key: row.key, attempted_at: row.attempted_at, channel: row.channel, message: row.message }
}
