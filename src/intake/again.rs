//! Taking an occasion up once more: a run that ended without a message, for a cause that has passed.
//!
//! An occasion has one message, never two: that is the ledger's. But a cart whose reader had a ticket open yesterday, or had
//! not agreed to mail yet, may be written about when it is touched again. What a person decided, and what a purchase ended,
//! stays as it is: a shop may report a cart once more after it was bought.

use std::collections::BTreeSet;

use agent::Outcome;
use kit::message::Channel;
use kit::tool::{NoSend, Subject};
use kit::{Principal, ProductId, RunId, StoreError, Timestamp};
use shop::{Delivery, EventBody};

use super::apply::Applied;
use super::{Intake, IntakeError};
use crate::delivery::{CART_CHANGED, CART_EMPTIED};
use crate::runs::{Seed, Signal};
use crate::store::{NewRun, Run, RunState};
use crate::tenant::Tenant;

/// Runs of one occasion. A shop that reports a cart every minute must not be answered with a run each time.
const MAX_ATTEMPTS: u32 = 10;

/// Causes that may have passed when the same occasion is triggered again: every one of them is looked at again then.
const PASSING: [&str; 13] = [
    CART_CHANGED,
    CART_EMPTIED,
    "approval_expired",
    "capped",
    "killed",
    "no_address",
    "no_consent",
    "no_reason",
    "suppressed",
    "ticket_open",
    "unreachable",
    "window_closed",
    "withdrawn",
];
/// What a model says about the products: it stands until they are others.
const ABOUT_PRODUCTS: [&str; 4] = ["facts_insufficient", "not_interested", "nothing_to_say", "out_of_stock"];

impl Tenant {
    /// True when the last run of an occasion leaves room for another one about this subject.
    pub(super) async fn may_begin_again(
        &self,
        last: &Run,
        subject: &Subject,
        attempt: u32,
    ) -> Result<bool, StoreError> {
        let newer = seed(last).is_some_and(|seed| seed.subject.triggered_at < subject.triggered_at);
        if !newer || attempt > MAX_ATTEMPTS {
            return Ok(false);
        }
        let over = match last.state {
            RunState::Done => ended_in_passing(last, subject),
            // It is called off and has not read it yet; the ledger reads it before anything leaves.
            RunState::Ready | RunState::Waiting => self.cart_moved_on(last).await?,
            RunState::Delayed | RunState::Parked => false,
        };
        Ok(over && self.store.sent_for(subject, Channel::Email).await?.is_none())
    }

    /// Takes the occasion of a parked run up once more, in the release that is in force: another run from the beginning.
    /// In words when the run is not parked, or its occasion has its message.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn retry_run(&self, id: &RunId, who: &Principal) -> Result<Result<RunId, String>, StoreError> {
        let (run, mut seed) = match self.open_run(id).await? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        if run.state != RunState::Parked {
            return Ok(Err(format!(
                "run {id} is {}, not parked; `mailwright runs resume` drives it",
                run.state.as_str()
            )));
        }
        let earlier = self.store.runs_of(&run.flow, &run.customer, &run.occasion, run.step).await?;
        let attempt = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        let now = self.clock.now();
        seed.subject.release = self.release.digest;
        let new = NewRun {
            id: super::admit::run_id(self.store.id().as_str(), &seed.subject, attempt),
            flow: run.flow,
            customer: run.customer,
            occasion: run.occasion,
            step: run.step,
            due: now,
            cause: format!("{who} by hand"),
            supersede: None,
            release: self.release.digest,
            plan: serde_json::to_string(&seed)
                .map_err(|e| StoreError::Corrupt { what: "seed".to_owned(), why: e.to_string() })?,
        };
        let Some(again) = self.store.admit_again(new, attempt, now).await? else {
            return Ok(Err(format!(
                "the occasion of run {id} has its message already; `mailwright runs cancel` it instead"
            )));
        };
        self.close_run(id, NoSend { code: "retried".to_owned(), reason: format!("{again} takes its place") }).await?;
        self.store.audit(who, "run.retry", id.as_str(), again.as_str(), now).await?;
        Ok(Ok(again))
    }

    async fn open_run(&self, id: &RunId) -> Result<Result<(Run, Seed), String>, StoreError> {
        let Some(run) = self.store.run(id).await? else {
            return Ok(Err(format!("there is no run {id}; see `mailwright runs list`")));
        };
        let seed = serde_json::from_str(&run.plan)
            .map_err(|e| StoreError::Corrupt { what: format!("run {id}"), why: e.to_string() })?;
        Ok(Ok((run, seed)))
    }

    /// Ends a parked run: its machine has come to an end of its own and reads no signals any more.
    pub(crate) async fn close_run(&self, id: &RunId, why: NoSend) -> Result<(), StoreError> {
        let outcome = serde_json::to_string(&Outcome::NoSend(why))
            .map_err(|e| StoreError::Corrupt { what: "outcome".to_owned(), why: e.to_string() })?;
        self.store.end_run(id, RunState::Done, None, Some(outcome), self.clock.now()).await
    }

    /// For a delivery that came before and is tried by hand: the runs of its occasions. Flows that began nothing then, or
    /// whose run ended for a cause that has passed, begin now.
    ///
    /// # Errors
    /// As [`Tenant::take_in`].
    pub async fn take_up(&self, delivery: &Delivery<'_>, repeated: Intake) -> Result<Intake, IntakeError> {
        let event = shop::parse(delivery, &self.shop_defaults())?;
        let begins = self.release.flows.values().any(|flow| flow.rules.triggers.contains(&event.topic));
        let customer = self.find_customer(event.customer.as_ref()).await?;
        let (EventBody::Cart(_) | EventBody::Order(_), Some(customer), true) = (&event.body, customer, begins) else {
            return Ok(repeated);
        };
        let products = match &event.body {
            EventBody::Cart(cart) => self.known_products(&cart.items),
            EventBody::Order(order) => self.known_products(&order.items),
            _ => Vec::new(),
        };
        let considered = products.iter().any(|id| self.catalog.get(id).is_some_and(|p| p.considered));
        let applied = Applied { customer: Some(customer), products, considered, ..Applied::default() };
        let (runs, skipped) = self.admit_all(&event, &applied).await?;
        Ok(Intake { runs, skipped, ..repeated })
    }

    async fn cart_moved_on(&self, run: &Run) -> Result<bool, StoreError> {
        let unread = self.store.signals(&run.id).await?;
        let about_the_cart = |body: &String| {
            let signal = serde_json::from_str(body);
            matches!(signal, Ok(Signal::Cancel(reason)) if [CART_CHANGED, CART_EMPTIED].contains(&reason.code.as_str()))
        };
        Ok(unread.iter().any(|(_, body)| about_the_cart(body)))
    }
}

/// True when an event tells of other products than the run writes about. An event from before the run tells nothing new.
pub(super) fn products_differ(run: &Run, at: Timestamp, products: &[ProductId]) -> bool {
    seed(run).is_some_and(|seed| seed.subject.triggered_at < at && !same(&seed.subject.products, products))
}

fn ended_in_passing(run: &Run, subject: &Subject) -> bool {
    let Some(outcome) = run.outcome.as_deref().and_then(|text| serde_json::from_str::<Outcome>(text).ok()) else {
        return false;
    };
    let code = match &outcome {
        Outcome::NoSend(reason) => reason.code.as_str(),
        Outcome::Held { hold } => hold.code(),
        Outcome::Delivered { .. } | Outcome::Written { .. } | Outcome::Parked(_) => return false,
    };
    let others = || seed(run).is_some_and(|seed| !same(&seed.subject.products, &subject.products));
    PASSING.contains(&code) || (ABOUT_PRODUCTS.contains(&code) && others())
}

fn same(a: &[ProductId], b: &[ProductId]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

fn seed(run: &Run) -> Option<Seed> {
    serde_json::from_str(&run.plan).ok()
}
