//! Which flows an event begins, and which runs it calls off.

use kit::tool::{NoSend, Subject};
use kit::{CustomerId, Digest, FlowId, Principal, RunId, StoreError, Timestamp};
use shop::{EventBody, ShopEvent};

use super::again;
use super::apply::Applied;
use super::{Admitted, IntakeError, Skipped};
use crate::delivery::{CART_CHANGED, CART_EMPTIED};
use crate::flows::{Flow, FlowRules, Occasion};
use crate::runs::{Seed, Signal};
use crate::store::{Admission, Customer, NewRun, Run, RunState, Supersede};
use crate::tenant::Tenant;

impl Tenant {
    /// Calls off open runs of flows that this topic ends, and wakes runs that a closed ticket held.
    pub(super) async fn call_off(&self, event: &ShopEvent, applied: &Applied) -> Result<Vec<RunId>, IntakeError> {
        let Some(customer) = &applied.customer else { return Ok(Vec::new()) };
        let closed = match &event.body {
            EventBody::Ticket(ticket) if !ticket.open => Some(&ticket.id),
            _ => None,
        };
        let mut cancelled = Vec::new();
        for run in self.store.open_runs_of(&customer.id).await? {
            let Some(flow) = self.release.flows.get(&run.flow) else { continue };
            if let Some(reason) = end_of(&run, flow, event, applied) {
                let signal = match &event.body {
                    EventBody::Order(order) => Signal::Order { order: order.id.clone(), reason },
                    _ => Signal::Cancel(reason),
                };
                self.send_signal(&run.id, &signal).await?;
                cancelled.push(run.id);
            } else if let Some(ticket) = closed
                && run.state != RunState::Delayed
            {
                // A run that waits for its time is held by nothing: a signal would only make it early.
                self.send_signal(&run.id, &Signal::TicketClosed { ticket: ticket.clone() }).await?;
            }
        }
        Ok(cancelled)
    }

    /// Puts a signal into a run's inbox.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn send_signal(&self, run: &RunId, signal: &Signal) -> Result<(), StoreError> {
        self.store.signal(run, signal.to_json()?, self.clock.now()).await
    }

    pub(super) async fn admit_all(
        &self,
        event: &ShopEvent,
        applied: &Applied,
    ) -> Result<(Vec<Admitted>, Vec<Skipped>), IntakeError> {
        let (mut runs, mut skipped) = (Vec::new(), Vec::new());
        for flow in self.release.flows.values().filter(|flow| flow.rules.triggers.contains(&event.topic)) {
            match self.admit_one(flow, event, applied).await? {
                Ok(admitted) => runs.push(admitted),
                Err(reason) => skipped.push(Skipped { flow: flow.rules.id.clone(), reason }),
            }
        }
        Ok((runs, skipped))
    }

    async fn admit_one(
        &self,
        flow: &Flow,
        event: &ShopEvent,
        applied: &Applied,
    ) -> Result<Result<Admitted, String>, IntakeError> {
        let Some(customer) = &applied.customer else {
            return Ok(Err("the event names no customer we could write to".to_owned()));
        };
        if customer.email.is_none() {
            return Ok(Err("the customer has no e-mail address".to_owned()));
        }
        if let EventBody::Cart(cart) = &event.body
            && cart.completed_at.is_some()
        {
            return Ok(Err("the checkout was completed".to_owned()));
        }
        // The order may have come first: what platforms send is not in order.
        if let EventBody::Cart(cart) = &event.body
            && self.store.cart_was_ordered(&customer.id, cart.id.as_str()).await?
        {
            return Ok(Err("the cart was ordered".to_owned()));
        }
        let (cart, order) = match &event.body {
            EventBody::Cart(cart) => (Some(cart.id.as_str()), None),
            EventBody::Order(order) => (order.cart.as_ref().map(kit::CartId::as_str), Some(order.id.as_str())),
            _ => (None, None),
        };
        let Some(occasion) = flow.occasion(cart, order, event.triggered_at) else {
            return Ok(Err("the event does not name its cart or order".to_owned()));
        };
        // A cart that was emptied may be filled again: a run that waits for its time goes on waiting, with nothing in hand.
        let empty = match &event.body {
            EventBody::Cart(cart) => cart.items.is_empty(),
            _ => false,
        };
        if empty && !self.waits_for(flow, customer, &occasion).await? {
            return Ok(Err("the cart is empty".to_owned()));
        }
        if applied.products.is_empty() && !self.waits_for(flow, customer, &occasion).await? {
            let reason = "none of its products is in the catalogue; import it with `mailwright catalog import FILE`";
            return Ok(Err(reason.to_owned()));
        }
        let trigger = Trigger {
            occasion,
            at: event.triggered_at,
            considered: applied.considered,
            cart_url: self.cart_url(event),
            cause: format!("event {}", event.id),
        };
        Ok(Ok(self.admit(flow, customer, applied.products.clone(), trigger).await?))
    }

    async fn waits_for(&self, flow: &Flow, customer: &Customer, occasion: &str) -> Result<bool, StoreError> {
        let open = self.store.open_runs_of(&customer.id).await?;
        let this = |run: &Run| run.flow == flow.rules.id && run.occasion == occasion && run.state == RunState::Delayed;
        Ok(open.iter().any(this))
    }

    /// Begins a run by hand: the flow, for this customer, now.
    ///
    /// # Errors
    /// In words when the flow or customer is unknown; [`StoreError`] otherwise.
    pub async fn start_flow(
        &self,
        flow: &FlowId,
        customer: &CustomerId,
    ) -> Result<Result<Admitted, String>, StoreError> {
        let now = self.clock.now();
        let Some(flow) = self.release.flows.get(flow) else {
            let known: Vec<&str> = self.release.flows.keys().map(FlowId::as_str).collect();
            return Ok(Err(format!("there is no flow `{flow}`; there are {}", known.join(", "))));
        };
        let Some(customer) = self.store.customer(customer).await? else {
            return Ok(Err(format!("there is no customer `{customer}`")));
        };
        let last = self.store.orders_of(&customer.id).await?.into_iter().next_back();
        let products = last
            .iter()
            .flat_map(|order| order.lines.iter().map(|l| l.product.clone()))
            .filter(|id| self.catalog.get(id).is_some())
            .collect();
        let order = last.as_ref().map(|order| order.id.to_string());
        let occasion = flow
            .occasion(None, order.as_deref(), now)
            .unwrap_or_else(|| format!("by-hand:{}", now.strftime("%Y-%m-%d")));
        let trigger = Trigger { occasion, at: now, considered: false, cart_url: None, cause: "by hand".to_owned() };
        let mut admitted = self.admit(flow, &customer, products, trigger).await?;
        admitted.due = now;
        Ok(Ok(admitted))
    }

    async fn admit(
        &self,
        flow: &Flow,
        customer: &Customer,
        products: Vec<kit::ProductId>,
        trigger: Trigger,
    ) -> Result<Admitted, StoreError> {
        let (rules, now) = (&flow.rules, self.clock.now());
        let subject = Subject {
            flow: rules.id.clone(),
            customer: customer.id.clone(),
            occasion: trigger.occasion,
            step: 1,
            triggered_at: trigger.at,
            products,
            cart_url: trigger.cart_url,
            stops_on_purchase: rules.stops_on_purchase,
            language: self.release.shop.language_for(&customer.language),
            release: self.release.digest,
        };
        let due = trigger.at.checked_add(flow.delay(trigger.considered)).unwrap_or(trigger.at);
        let earlier = self.store.runs_of(&subject.flow, &subject.customer, &subject.occasion, subject.step).await?;
        let attempt = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        let again = match earlier.last() {
            Some(last) => self.may_begin_again(last, &subject, attempt).await?,
            None => false,
        };
        let seed = Seed { principal: Principal::Flow { flow: rules.id.clone() }, subject };
        let plan = serde_json::to_string(&seed)
            .map_err(|e| StoreError::Corrupt { what: "seed".to_owned(), why: e.to_string() })?;
        let subject = seed.subject;
        let new = NewRun {
            id: run_id(self.store.id().as_str(), &subject, if again { attempt } else { 1 }),
            flow: subject.flow,
            customer: subject.customer,
            occasion: subject.occasion,
            step: subject.step,
            due,
            cause: trigger.cause,
            supersede: self.supersedes(rules, now)?,
            release: subject.release,
            plan,
        };
        let flow = new.flow.clone();
        if again && let Some(run) = self.store.admit_again(new.clone(), attempt, now).await? {
            return Ok(Admitted { run, flow, new: true, due, superseded: Vec::new() });
        }
        let Admission { run, new, superseded } = self.store.admit(new, now).await?;
        Ok(Admitted { run, flow, new, due, superseded })
    }

    /// What a new occasion of a flow that is debounced takes the place of.
    fn supersedes(&self, rules: &FlowRules, now: Timestamp) -> Result<Option<Supersede>, StoreError> {
        let Some(debounce) = rules.debounce else { return Ok(None) };
        let reason = format!("another occasion of {} came within {debounce:#}", rules.id);
        let signal = Signal::Cancel(NoSend { code: "superseded".to_owned(), reason }).to_json()?;
        Ok(Some(Supersede { since: now.checked_sub(debounce).unwrap_or(now), signal }))
    }

    /// The way back to the cart, if it leads to the shop.
    fn cart_url(&self, event: &ShopEvent) -> Option<String> {
        let EventBody::Cart(cart) = &event.body else { return None };
        let url = cart.recover_url.as_ref()?;
        let host = url.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
        self.release.shop.identity.link_hosts.iter().any(|known| known == host).then(|| url.clone())
    }
}

struct Trigger {
    occasion: String,
    at: Timestamp,
    considered: bool,
    cart_url: Option<String>,
    /// What to say of it in the story of the run.
    cause: String,
}

/// Why an event ends an open run, if it does.
fn end_of(run: &Run, flow: &Flow, event: &ShopEvent, applied: &Applied) -> Option<NoSend> {
    let no_send = |code: &str, reason: String| Some(NoSend { code: code.to_owned(), reason });
    if flow.rules.cancel_on.contains(&event.topic) {
        return no_send(event.topic.as_str(), format!("called off by {}", event.topic));
    }
    let EventBody::Cart(cart) = &event.body else { return None };
    let its_own = flow.rules.occasion == Occasion::Cart
        && flow.occasion(Some(cart.id.as_str()), None, event.triggered_at).as_ref() == Some(&run.occasion);
    if its_own && cart.completed_at.is_some() {
        return no_send("checkout_completed", "the checkout was completed".to_owned());
    }
    if its_own && applied.products.is_empty() && run.state != RunState::Delayed {
        return no_send(CART_EMPTIED, "the cart was emptied".to_owned());
    }
    let other = || again::products_differ(run, event.triggered_at, &applied.products);
    if its_own && run.state != RunState::Delayed && other() {
        return no_send(CART_CHANGED, "the cart holds other things now".to_owned());
    }
    None
}

/// A run is named by what makes it unique, so that two processes that admit the same occasion name the same run.
pub(super) fn run_id(shop: &str, subject: &Subject, attempt: u32) -> RunId {
    let (step, attempt) = (subject.step.to_string(), attempt.to_string());
    let mut parts = vec![shop, subject.flow.as_str(), subject.customer.as_str(), &subject.occasion, &step];
    if attempt != "1" {
        parts.push(&attempt);
    }
    let digest = Digest::of_parts(parts);
    RunId::from_digest("run", &digest)
}
