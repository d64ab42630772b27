//! From a webhook body to the shop's data and its runs.
//!
//! Stored first, then worked in: the event is one row in the inbox before anything else happens, and the same delivery
//! twice is one event. Working in is idempotent, so that an event whose working-in was cut off is simply worked in again.

mod admit;
mod again;
mod apply;
mod erased_files;
mod fetch;
mod privacy;
mod products;
mod restored;
mod said;

use kit::{EventId, RunId, StoreError, Timestamp};
use shop::{Delivery, ShopDefaults, ShopEvent, Source, WebhookError};

use crate::failpoint;
pub use products::product_rows;
pub use restored::ErasedAgain;
pub(crate) use said::{digest_of, written};

use crate::store::{InboxEvent, InboxState};
use crate::tenant::Tenant;

/// Stored events read at a time.
const PAGE: u32 = 200;

/// What became of one webhook.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Intake {
    /// The event's id.
    pub event: EventId,
    /// What it means here.
    pub topic: String,
    /// True when the same delivery came before: nothing was done again.
    pub repeated: bool,
    /// Runs called off by it.
    pub cancelled: Vec<RunId>,
    /// Runs begun or moved by it.
    pub runs: Vec<Admitted>,
    /// Why flows that listen to this topic did not begin.
    pub skipped: Vec<Skipped>,
    /// What a person must still do about it; the event stays parked until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<String>,
    /// What was done about it, where that is not about runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
}

/// A run begun by an event.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Admitted {
    /// The run.
    pub run: RunId,
    /// Its flow.
    pub flow: kit::FlowId,
    /// False when an earlier event of the same occasion had begun it.
    pub new: bool,
    /// When it is due.
    pub due: Timestamp,
    /// Runs whose place it takes: called off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<RunId>,
}

/// A flow that did not begin.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Skipped {
    /// The flow.
    pub flow: kit::FlowId,
    /// Why.
    pub reason: String,
}

/// Why a webhook was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The body cannot be used.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A product in the body cannot be read.
    #[error("the product cannot be read: {0}")]
    Product(#[from] catalog::ImportErrors),
}

impl IntakeError {
    /// True when the same delivery may be taken in later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Webhook(_) | Self::Product(_) => false,
            // A full disk is nobody's fault: the same delivery is taken in once there is room.
            Self::Store(error) => error.is_retryable() || matches!(error, StoreError::Unwritable(_)),
        }
    }
}

impl Tenant {
    /// Takes in one webhook: stores it, works it in, calls off and begins runs.
    ///
    /// # Errors
    /// [`IntakeError`]; a body that cannot be used is refused whole and leaves nothing behind.
    pub async fn take_in(&self, delivery: &Delivery<'_>) -> Result<Intake, IntakeError> {
        let event = shop::parse(delivery, &self.shop_defaults())?;
        let stored = InboxEvent {
            id: event.id.clone(),
            source: delivery.source.as_str().to_owned(),
            topic: delivery.topic.to_owned(),
            body: delivery.body.to_vec(),
            triggered_at: event.triggered_at,
            received_at: delivery.received_at,
            state: InboxState::Received,
            note: None,
        };
        if !self.store.receive(stored).await?
            && self.store.event(&event.id).await?.is_some_and(|known| known.state == InboxState::Done)
        {
            return Ok(Intake {
                event: event.id,
                topic: event.topic.to_string(),
                repeated: true,
                cancelled: vec![],
                runs: vec![],
                skipped: vec![],
                unfinished: None,
                done: None,
            });
        }
        failpoint::hit("after_receive");
        self.work_in(&event).await
    }

    /// After a restart: works in what was stored but not worked in.
    ///
    /// # Errors
    /// When storage cannot answer. An event that cannot be worked in is parked with its reason, not an error.
    pub async fn catch_up(&self) -> Result<Vec<Intake>, IntakeError> {
        let mut done = Vec::new();
        loop {
            let page = self.store.next_events(PAGE).await?;
            if page.is_empty() {
                return Ok(done);
            }
            for stored in page {
                match self.catch_up_with(&stored).await {
                    Ok(intake) => done.push(intake),
                    Err(error) if error.is_retryable() => return Err(error),
                    // It keeps nobody else waiting: parked, with the reason.
                    Err(error) => {
                        tracing::error!(event = %stored.id, %error, "a stored event is parked");
                        self.store.settle_event(&stored.id, InboxState::Parked, &error.to_string()).await?;
                    }
                }
            }
        }
    }

    async fn catch_up_with(&self, stored: &InboxEvent) -> Result<Intake, IntakeError> {
        self.work_in(&self.parse_stored(stored)?).await
    }

    /// What a stored event says.
    pub(crate) fn parse_stored(&self, stored: &InboxEvent) -> Result<ShopEvent, WebhookError> {
        let delivery = Delivery {
            source: stored.source.parse::<Source>()?,
            topic: &stored.topic,
            body: &stored.body,
            event_id: Some(stored.id.as_str()),
            triggered_at: Some(stored.triggered_at),
            received_at: stored.received_at,
        };
        shop::parse(&delivery, &self.shop_defaults())
    }

    async fn work_in(&self, event: &ShopEvent) -> Result<Intake, IntakeError> {
        let applied = match self.apply(event).await {
            Ok(applied) => applied,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                self.store.settle_event(&event.id, InboxState::Parked, &error.to_string()).await?;
                return Err(error);
            }
        };
        failpoint::hit("after_apply");
        let mut cancelled = self.call_off(event, &applied).await?;
        let (runs, skipped) = self.admit_all(event, &applied).await?;
        cancelled.extend(runs.iter().flat_map(|run| run.superseded.iter().cloned()));
        failpoint::hit("after_admit");
        let counts =
            format!("{} run(s) begun, {} called off, {} flow(s) skipped", runs.len(), cancelled.len(), skipped.len());
        let (state, note) = match (&applied.unfinished, &applied.note) {
            (Some(what), _) => (InboxState::Parked, what.clone()),
            (None, Some(what)) => (InboxState::Done, what.clone()),
            (None, None) => (InboxState::Done, counts),
        };
        if applied.erases && state == InboxState::Done {
            // The request itself names whom it erased.
            self.store.empty_events(vec![event.id.clone()], &note).await?;
        } else {
            self.store.settle_about(&event.id, state, &note, applied.customer.as_ref().map(|c| &c.id)).await?;
        }
        Ok(Intake {
            event: event.id.clone(),
            topic: event.topic.to_string(),
            repeated: false,
            cancelled,
            runs,
            skipped,
            unfinished: applied.unfinished,
            done: applied.note,
        })
    }

    /// What bodies may leave unsaid.
    pub(crate) fn shop_defaults(&self) -> ShopDefaults {
        ShopDefaults { shop: self.store.id().clone(), currency: self.release.shop.currency }
    }
}
