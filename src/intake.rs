//! From a webhook body to the shop's data and its runs.
//!
//! Stored first, then worked in: the event is one row in the inbox before anything else happens, and the same delivery
//! twice is one event. Working in is idempotent, so that an event whose working-in was cut off is simply worked in again.

mod admit;
mod again;
mod apply;
mod products;

use kit::{EventId, RunId, StoreError, Timestamp};
use shop::{Delivery, ShopDefaults, ShopEvent, Source, WebhookError};

use crate::failpoint;
pub use products::product_rows;

use crate::store::{InboxEvent, InboxState};
use crate::tenant::Tenant;

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
        for stored in self.store.unsettled_events().await? {
            let source = match stored.source.parse::<Source>() {
                Ok(source) => source,
                Err(error) => {
                    self.store.settle_event(&stored.id, InboxState::Parked, &error.to_string()).await?;
                    continue;
                }
            };
            let delivery = Delivery {
                source,
                topic: &stored.topic,
                body: &stored.body,
                event_id: Some(stored.id.as_str()),
                triggered_at: Some(stored.triggered_at),
                received_at: stored.received_at,
            };
            let worked_in = match shop::parse(&delivery, &self.shop_defaults()) {
                Ok(event) => self.work_in(&event).await,
                // It could be read when it came: this release reads less than the one before.
                Err(error) => {
                    self.store.settle_event(&stored.id, InboxState::Parked, &error.to_string()).await?;
                    Err(error.into())
                }
            };
            match worked_in {
                Ok(intake) => done.push(intake),
                Err(IntakeError::Store(error)) => return Err(error.into()),
                Err(error) => tracing::error!(event = %stored.id, %error, "a stored event is parked"),
            }
        }
        Ok(done)
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
        let cancelled = self.call_off(event, &applied).await?;
        let (runs, skipped) = self.admit_all(event, &applied).await?;
        failpoint::hit("after_admit");
        let note =
            format!("{} run(s) begun, {} called off, {} flow(s) skipped", runs.len(), cancelled.len(), skipped.len());
        let (state, note) = match &applied.unfinished {
            Some(what) => (InboxState::Parked, what.clone()),
            None => (InboxState::Done, note),
        };
        self.store.settle_event(&event.id, state, &note).await?;
        Ok(Intake {
            event: event.id.clone(),
            topic: event.topic.to_string(),
            repeated: false,
            cancelled,
            runs,
            skipped,
            unfinished: applied.unfinished,
        })
    }

    fn shop_defaults(&self) -> ShopDefaults {
        ShopDefaults { shop: self.store.id().clone(), currency: self.release.shop.currency }
    }
}
