//! Moving a run on: ended, tried again later, ready at once.

use kit::{RunId, StoreError, Timestamp};

use super::super::error::map;
use super::super::seal::Place;
use super::super::{ShopStore, approvals, given_back, micros};
use super::{OUTCOME, RunState};

impl ShopStore {
    /// Notes that a run has ended or is parked. A run that has ended stays as it ended; what it held and did not send is given
    /// back.
    pub async fn end_run(
        &self,
        id: &RunId,
        state: RunState,
        why: Option<String>,
        outcome: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        let outcome = match outcome {
            None => None,
            Some(text) => match self.run_key(&id).await? {
                Some(key) => Some(key.seal(Place::of(OUTCOME, id.as_str()), &text)?),
                // Its person was erased meanwhile: it has ended already.
                None => return Ok(()),
            },
        };
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE runs SET state = $3, wake_at = NULL, wait_for = $4, outcome = $5, updated_at = $6
                     WHERE shop_id = $1 AND run_id = $2 AND state <> 'done'",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(state.as_str())
                .bind(&why)
                .bind(&outcome)
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if state == RunState::Done {
                    given_back::give_back(c, shop.as_str(), id.as_str(), now).await?;
                }
                // Nobody is asked about a run that is over.
                approvals::lapse(c, shop.as_str(), &id, now).await
            })
        })
        .await
    }

    /// Notes that a try failed, and when the next one is.
    pub async fn postpone(&self, id: &RunId, until: Timestamp, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let (id, why) = (id.clone(), format!("another try: {why}"));
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE runs SET failures = failures + 1, state = 'waiting', wake_at = $3, wait_for = $4, updated_at = $5
                     WHERE shop_id = $1 AND run_id = $2 AND state IN ('delayed', 'ready', 'waiting')",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(micros(until))
                .bind(&why)
                .bind(micros(now))
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that a step worked after tries of it had failed.
    pub async fn recovered(&self, id: &RunId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("UPDATE runs SET failures = 0 WHERE shop_id = $1 AND run_id = $2")
                    .bind(shop.as_str())
                    .bind(id.as_str())
                    .execute(c)
                    .await
                    .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Lets a parked run, or one that waits for its next try, be driven at once.
    pub async fn unpark(&self, id: &RunId, now: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE runs SET state = 'ready', failures = 0, wait_for = NULL, updated_at = $3
                     WHERE shop_id = $1 AND run_id = $2 AND state IN ('parked', 'waiting') AND outcome IS NULL",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(micros(now))
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Makes a run that waits for its time due now.
    pub async fn wake(&self, id: &RunId, now: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("UPDATE runs SET state = 'ready', updated_at = $3 WHERE shop_id = $1 AND run_id = $2 AND state = 'delayed'")
                    .bind(shop.as_str()).bind(id.as_str()).bind(micros(now)).execute(c).await.map_err(map)?;
                Ok(())
            })
        })
        .await
    }
}
