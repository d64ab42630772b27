//! From a drafted message to one mail: clearance, ledger, dispatch.
//!
//! The order is fixed and each step has one door: [`kit::message::Checked`] → [`kit::message::Cleared`] → rendered →
//! [`kit::message::Reserved`] (the ledger row) → ESP → settled. Whatever crashes in between, [`Delivery::recover`] ends every
//! reserved row as sent or unknown, never as sent twice.

mod control;
mod http;
mod reader;
mod risk;
mod unsubscribe;

use std::sync::Arc;

use esp::{Accepted, Esp, EspError, Lookup};
use kit::message::{
    Channel, Checked, Cleared, ConsentState, DedupeKey, Draft, DraftRecord, Envelope, Hold, Ledger, NotChecked,
    NotCleared, ReserveOutcome, Reserved, SendState, in_holdout,
};
use kit::tool::{NoSend, Subject};
use kit::{ApprovalId, BoxFuture, FactBook, FactKind, OfferStepId, RunId, StoreError, Timestamp};

use crate::clock::Clock;
use crate::failpoint;
use crate::flows::{Flow, Occasion};
use crate::release::Release;
use crate::runs::{Deliverer, Seed};
use crate::store::{Approval, Customer, ShopStore};

pub use control::{ControlUse, StandIn};
pub use http::{Wire, WireError};
pub use unsubscribe::UnsubscribeKey;

/// The code of the reason when nothing is left in the cart that a message would be about.
pub const CART_EMPTIED: &str = "cart_emptied";

/// The code of the reason when the cart holds other things than the message is about.
pub const CART_CHANGED: &str = "cart_changed";

/// The way out for one shop's messages.
pub struct Delivery {
    /// The shop's store.
    pub store: ShopStore,
    /// The ledger over that store.
    pub ledger: Ledger,
    /// Who sends.
    pub esp: Arc<dyn Esp>,
    /// The release in force: rules and policy are always the present ones.
    pub release: Arc<Release>,
    /// Makes unsubscribe links that cannot be guessed.
    pub unsubscribe: UnsubscribeKey,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("shop", self.store.id()).field("esp", &self.esp.name()).finish_non_exhaustive()
    }
}

impl Delivery {
    /// What an approval of this draft for this person would be bound to.
    ///
    /// # Errors
    /// When the customer has no address, or storage cannot answer.
    pub async fn envelope(
        &self,
        subject: &Subject,
        draft: &DraftRecord,
    ) -> Result<Result<Envelope, NoSend>, StoreError> {
        let customer = match self.customer(subject).await? {
            Ok(customer) => customer,
            Err(no_send) => return Ok(Err(no_send)),
        };
        let Some(email) = &customer.email else { return Ok(Err(no_address())) };
        Ok(Ok(Envelope {
            shop: self.store.id().clone(),
            flow: subject.flow.clone(),
            channel: draft.draft.channel,
            content: draft.report.content,
            audience: email.digest(self.store.id()),
            offer: offer_step(&draft.draft, &draft.facts),
            not_after: self.not_after(subject),
            rules: draft.report.rules_version,
            release: subject.release,
        }))
    }

    /// The last moment at which the message is still worth sending.
    fn not_after(&self, subject: &Subject) -> Timestamp {
        let window = self.release.flows.get(&subject.flow).map(|flow| flow.rules.window);
        window.and_then(|w| subject.triggered_at.checked_add(w).ok()).unwrap_or(subject.triggered_at)
    }

    async fn customer(&self, subject: &Subject) -> Result<Result<Customer, NoSend>, StoreError> {
        let gone =
            || NoSend { code: "no_customer".to_owned(), reason: "the customer is not known to the shop".to_owned() };
        Ok(self.store.customer(&subject.customer).await?.ok_or_else(gone))
    }

    /// Looks, before any model is asked, for what makes a message impossible anyway: consent, suppression, tickets, a
    /// purchase, the holdout, the end of the window. The ledger looks again in its transaction.
    pub async fn admissible(&self, subject: &Subject, now: Timestamp) -> Result<Option<NoSend>, StoreError> {
        let customer = match self.customer(subject).await? {
            Ok(customer) => customer,
            Err(no_send) => return Ok(Some(no_send)),
        };
        let hold = |hold: Hold| Some(NoSend { code: hold.code().to_owned(), reason: hold.to_string() });
        if customer.erased_at.is_some() {
            return Ok(hold(Hold::Erased));
        }
        let Some(email) = &customer.email else { return Ok(Some(no_address())) };
        match self.store.consent(&customer.id, Channel::Email).await? {
            ConsentState::Subscribed => {}
            ConsentState::None => return Ok(hold(Hold::NoConsent)),
            ConsentState::Withdrawn => return Ok(hold(Hold::Withdrawn)),
        }
        if let Some(reason) = self.store.suppressed(Channel::Email, email).await? {
            return Ok(hold(Hold::Suppressed { reason }));
        }
        if subject.stops_on_purchase
            && let Some(at) = self.store.bought_since(&customer.id, subject.triggered_at).await?
        {
            return Ok(hold(Hold::Bought { at }));
        }
        let count = self.store.open_tickets(&customer.id).await?;
        if count > 0 {
            return Ok(hold(Hold::TicketOpen { count }));
        }
        if in_holdout(self.store.id(), &customer.id, self.release.sending.holdout_percent) {
            return Ok(hold(Hold::Holdout));
        }
        let about_a_cart = |flow: &Flow| flow.rules.occasion == Occasion::Cart;
        if subject.products.is_empty() && self.release.flows.get(&subject.flow).is_some_and(about_a_cart) {
            return Ok(Some(NoSend { code: CART_EMPTIED.to_owned(), reason: "the cart was emptied".to_owned() }));
        }
        let not_after = self.not_after(subject);
        Ok(if not_after <= now { hold(Hold::WindowClosed { not_after }) } else { None })
    }

    /// Takes a draft to the end of its path: a ledger state, or the reason why it may not leave now.
    pub(crate) async fn hand_over(
        &self,
        run: &RunId,
        subject: &Subject,
        draft: &DraftRecord,
        approval: Option<&ApprovalId>,
        now: Timestamp,
    ) -> Result<Result<SendState, Hold>, StoreError> {
        let reader = match self.reader(subject).await? {
            Ok(reader) => reader,
            Err(no_send) => return Ok(Err(Hold::Unreachable { reason: no_send.reason })),
        };
        if let Some(begun) = self.begun(subject, draft).await? {
            return Ok(begun);
        }
        if let Some(hold) = self.esp_killed().await? {
            return Ok(Err(hold));
        }
        let envelope = match self.envelope(subject, draft).await? {
            Ok(envelope) => envelope,
            Err(no_send) => return Ok(Err(Hold::Unreachable { reason: no_send.reason })),
        };
        let cleared = match self.clear(run, subject, draft, envelope, approval, now).await? {
            Ok(cleared) => cleared,
            // An approval that another process has used since the first look was used for this very message.
            Err(hold) => return Ok(self.begun(subject, draft).await?.unwrap_or(Err(hold))),
        };
        let message = match content::render(draft, &self.release.shop.identity, &reader, &self.utm(subject), 0) {
            Ok(message) => message,
            Err(error) => return Ok(Err(Hold::FactsChanged { what: vec![error.to_string()] })),
        };
        failpoint::hit("before_reserve");
        match self.ledger.reserve(cleared, run.clone(), subject.clone(), message, now).await? {
            ReserveOutcome::Held(hold) => Ok(Err(hold)),
            ReserveOutcome::Reserved(reserved) => {
                failpoint::hit("after_reserve");
                Ok(Ok(self.dispatch_new(*reserved, subject).await?))
            }
            ReserveOutcome::Already(SendState::Reserved) => {
                let (flow, occasion) = (&subject.flow, &subject.occasion);
                self.resume(DedupeKey::new(self.store.id(), &reader.to, flow, occasion, subject.step)).await
            }
            ReserveOutcome::Already(state) => Ok(Ok(state)),
        }
    }

    /// A row of this occasion stands above everything: what is in it went out, or is taken up where it was left.
    async fn begun(
        &self,
        subject: &Subject,
        draft: &DraftRecord,
    ) -> Result<Option<Result<SendState, Hold>>, StoreError> {
        Ok(match self.store.sent_for(subject, draft.draft.channel).await? {
            Some(row) if row.state == SendState::Reserved => Some(self.resume(row.key).await?),
            Some(row) => Some(Ok(row.state)),
            None => None,
        })
    }

    /// Content rules, then policy or the person's approval.
    async fn clear(
        &self,
        run: &RunId,
        subject: &Subject,
        draft: &DraftRecord,
        envelope: Envelope,
        approval: Option<&ApprovalId>,
        now: Timestamp,
    ) -> Result<Result<Cleared, Hold>, StoreError> {
        let checked = match Checked::new(draft.clone()) {
            Ok(checked) => checked,
            Err(why @ (NotChecked::OtherContent | NotChecked::Blocked(_))) => {
                return Ok(Err(Hold::ApprovalVoid { why: why.to_string() }));
            }
        };
        let (customer, not_after) = (subject.customer.clone(), envelope.not_after);
        let cleared = match approval {
            Some(id) => match self.store.approval(id).await? {
                Some(found) => Cleared::by_approval(checked, envelope, customer, &found.record, now),
                None => return Ok(Err(Hold::ApprovalVoid { why: format!("approval {id} is gone") })),
            },
            None => {
                let risk = self.assess(run, subject, &draft.draft, &draft.facts, &draft.report).await?;
                Cleared::by_policy(checked, envelope, customer, &risk)
            }
        };
        Ok(cleared.map_err(|why: NotCleared| {
            // A void approval is asked for again; that makes no sense once it is too late for the message.
            if not_after <= now {
                Hold::WindowClosed { not_after }
            } else {
                Hold::ApprovalVoid { why: why.to_string() }
            }
        }))
    }

    /// Hands over a message whose row was just made. After a restore the ledger may have forgotten that it went out: what
    /// began before is asked for first.
    async fn dispatch_new(&self, reserved: Reserved, subject: &Subject) -> Result<SendState, StoreError> {
        let restored = self.store.restored_at().await?;
        if restored.is_none_or(|at| at < subject.triggered_at) {
            return self.dispatch(reserved).await;
        }
        let can = self.esp.capabilities();
        if can.can_lookup {
            return match self.esp.lookup(reserved.key()).await {
                Ok(Lookup::Found(Accepted { provider_id })) => {
                    let at = self.clock.now();
                    self.settle(reserved, SendState::Sent { provider_id, at }).await
                }
                Ok(Lookup::Absent) => self.dispatch(reserved).await,
                Err(error) => self.settle_error(reserved, error).await,
            };
        }
        if can.dedupes_by_key {
            return self.dispatch(reserved).await;
        }
        let why = "the tables came out of a backup and this ESP cannot be asked whether it went out".to_owned();
        self.settle(reserved, SendState::Unknown { why }).await
    }

    /// Hands a reserved message to the ESP and settles its row.
    pub(crate) async fn dispatch(&self, reserved: Reserved) -> Result<SendState, StoreError> {
        let began = self.clock.now();
        self.ledger.begin_attempt(self.store.id(), &reserved, began).await?;
        failpoint::hit("after_begin_attempt");
        match self.esp.deliver(&reserved, began).await {
            Ok(accepted) => {
                failpoint::hit("after_deliver");
                let at = self.clock.now();
                self.settle(reserved, SendState::Sent { provider_id: accepted.provider_id, at }).await
            }
            Err(error) if error.is_retryable() => {
                self.ledger.end_attempt(self.store.id(), reserved, began).await?;
                Err(StoreError::Unavailable(error.to_string()))
            }
            Err(error) => self.settle_error(reserved, error).await,
        }
    }

    /// The switch that stops this provider, whatever the flow.
    async fn esp_killed(&self) -> Result<Option<Hold>, StoreError> {
        let scope = format!("esp:{}", self.esp.name());
        let on = self.store.kill_switches().await?.into_iter().find(|switch| switch.scope == scope);
        Ok(on.map(|switch| Hold::Killed { scope: format!("{}: {}", switch.scope, switch.reason) }))
    }

    async fn settle_error(&self, reserved: Reserved, error: EspError) -> Result<SendState, StoreError> {
        let (why, can) = (error.to_string(), self.esp.capabilities());
        match error {
            // Nothing was accepted: the row stays reserved and a later try takes it up.
            EspError::Unavailable { .. } => Err(StoreError::Unavailable(why)),
            EspError::Refused { .. } => self.settle(reserved, SendState::Refused { why }).await,
            // It can be asked, or takes one key only once: the row stays reserved, and a later try asks or repeats.
            EspError::Unknown { .. } if can.can_lookup || can.dedupes_by_key => Err(StoreError::Unavailable(why)),
            EspError::Unknown { .. } => self.settle(reserved, SendState::Unknown { why }).await,
        }
    }

    async fn settle(&self, reserved: Reserved, state: SendState) -> Result<SendState, StoreError> {
        self.ledger.settle(self.store.id(), reserved, state.clone(), self.clock.now()).await?;
        failpoint::hit("after_settle");
        Ok(state)
    }

    /// Takes up the row of a hand-over that did not end. An ESP that may have the message already is asked first; after
    /// that, time has passed since the row was reserved, so the whole judge looks again.
    pub(crate) async fn resume(&self, key: DedupeKey) -> Result<Result<SendState, Hold>, StoreError> {
        let shop = self.store.id();
        let Some((reserved, attempted)) = self.ledger.claim(shop, key).await? else {
            return match self.store.sent_message(key).await? {
                Some(row) => Ok(Ok(row.state)),
                None => Err(StoreError::Corrupt { what: format!("send {key}"), why: "its row is gone".to_owned() }),
            };
        };
        let can = self.esp.capabilities();
        // A row out of a backup may have been handed over after the backup was taken.
        let attempted = attempted || self.store.restored_at().await?.is_some();
        if attempted && can.can_lookup {
            match self.esp.lookup(key).await {
                Ok(Lookup::Found(Accepted { provider_id })) => {
                    let state = SendState::Sent { provider_id, at: self.clock.now() };
                    return Ok(Ok(self.settle(reserved, state).await?));
                }
                Ok(Lookup::Absent) => {}
                Err(error) => return Ok(Ok(self.settle_error(reserved, error).await?)),
            }
        } else if attempted && !can.dedupes_by_key {
            let why = "a hand-over was cut off and this ESP cannot be asked".to_owned();
            return Ok(Ok(self.settle(reserved, SendState::Unknown { why }).await?));
        }
        if let Some(hold) = self.esp_killed().await? {
            return Ok(Err(hold));
        }
        match self.ledger.recheck(shop, key, self.clock.now()).await? {
            None => Ok(Ok(self.dispatch(reserved).await?)),
            Some(hold) if hold.release() == kit::message::Release::Never => {
                let why = format!("held before the hand-over: {hold}");
                Ok(Ok(self.settle(reserved, SendState::Refused { why }).await?))
            }
            Some(hold) => Ok(Err(hold)),
        }
    }

    /// After a restart: ends every row that was reserved but not settled. Returns how many. A row that cannot be ended is
    /// logged and left: it must not keep the others from going on.
    ///
    /// # Errors
    /// When the rows cannot be listed.
    pub async fn recover(&self) -> Result<usize, StoreError> {
        let mut ended = 0;
        for key in self.store.unsettled_sends().await? {
            match self.resume(key).await {
                Ok(Ok(_)) => ended += 1,
                Ok(Err(hold)) => tracing::warn!(%key, %hold, "a reserved message is held"),
                Err(error) => tracing::error!(%key, %error, "a reserved message cannot be ended"),
            }
        }
        Ok(ended)
    }
}

fn no_address() -> NoSend {
    NoSend { code: "no_address".to_owned(), reason: "the customer has no e-mail address".to_owned() }
}

/// The ladder step that a draft's offer block grants: offer facts are named by their step.
fn offer_step(draft: &Draft, facts: &FactBook) -> Option<OfferStepId> {
    let fact = facts.get(draft.offer()?)?;
    if fact.kind == FactKind::Offer { OfferStepId::new(fact.subject.clone()).ok() } else { None }
}

impl Deliverer for Delivery {
    fn deliver<'a>(
        &'a self,
        run: &'a RunId,
        seed: &'a Seed,
        draft: &'a DraftRecord,
        approval: Option<&'a ApprovalId>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Result<SendState, Hold>, StoreError>> {
        Box::pin(self.hand_over(run, &seed.subject, draft, approval, now))
    }

    fn lifted<'a>(&'a self, seed: &'a Seed, hold: &'a Hold, now: Timestamp) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let subject = &seed.subject;
            if self.not_after(subject) <= now {
                return Ok(true);
            }
            Ok(match hold {
                Hold::Killed { .. } => {
                    self.store.killed(&subject.flow, &subject.customer).await?.is_none()
                        && self.esp_killed().await?.is_none()
                }
                Hold::TicketOpen { .. } => self.store.open_tickets(&subject.customer).await? == 0,
                // The others end by themselves or never.
                _ => false,
            })
        })
    }

    fn admissible<'a>(&'a self, seed: &'a Seed, now: Timestamp) -> BoxFuture<'a, Result<Option<NoSend>, StoreError>> {
        Box::pin(Delivery::admissible(self, &seed.subject, now))
    }

    fn stand_in<'a>(
        &'a self,
        seed: &'a Seed,
        expired: &'a Approval,
        facts: &'a FactBook,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<StandIn, StoreError>> {
        Box::pin(Delivery::stand_in(self, &seed.subject, expired, facts, now))
    }
}
