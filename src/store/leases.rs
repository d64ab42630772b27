//! The lease of the active process: who drives runs now, and until when it must say so again.

use kit::{ShopId, StoreError, Timestamp};

use super::error::map;
use super::settings::EVERYWHERE;
use super::{Store, micros, stamp};

/// The one lease there is.
const ACTIVE: &str = "active";

/// Who holds the lease.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LeaseRow {
    /// The holder's own name: one a data folder.
    pub holder: String,
    /// When it ends unless it is renewed.
    pub until: Timestamp,
}

impl Store {
    /// Takes the lease, or renews it: possible while it is free, over, or this holder's own. False when another holds it.
    pub async fn take_lease(&self, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        let holder = holder.to_owned();
        let taken = self
            .everywhere()?
            .write(move |c, _| {
                Box::pin(async move {
                    let taken = sqlx::query(
                        "INSERT INTO leases (shop_id, name, holder, until) VALUES ($1, $2, $3, $4)
                         ON CONFLICT (shop_id, name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                         WHERE leases.holder = excluded.holder OR leases.until <= $5",
                    )
                    .bind(EVERYWHERE)
                    .bind(ACTIVE)
                    .bind(&holder)
                    .bind(micros(until))
                    .bind(micros(now))
                    .execute(c)
                    .await
                    .map_err(map)?;
                    Ok(taken.rows_affected() > 0)
                })
            })
            .await?;
        if taken {
            self.keyring.leased(now, until);
        }
        Ok(taken)
    }

    /// Gives the lease back, if it is this holder's.
    pub async fn give_lease_back(&self, holder: &str) -> Result<(), StoreError> {
        let holder = holder.to_owned();
        self.everywhere()?
            .write(move |c, _| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM leases WHERE shop_id = $1 AND name = $2 AND holder = $3")
                        .bind(EVERYWHERE)
                        .bind(ACTIVE)
                        .bind(&holder)
                        .execute(c)
                        .await
                        .map_err(map)?;
                    Ok(())
                })
            })
            .await
    }

    /// Who holds the lease, if anybody ever did.
    pub async fn lease(&self) -> Result<Option<LeaseRow>, StoreError> {
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT holder, until FROM leases WHERE shop_id = $1 AND name = $2")
                .bind(EVERYWHERE)
                .bind(ACTIVE)
                .fetch_optional(&self.readers)
                .await
                .map_err(map)?;
        row.map(|(holder, until)| Ok(LeaseRow { holder, until: stamp(until, "lease")? })).transpose()
    }

    fn everywhere(&self) -> Result<super::ShopStore, StoreError> {
        // What belongs to no shop is written through one all the same: there is one door to the writer.
        Ok(self.shop(&ShopId::from_digest("none", &kit::Digest::of_bytes(b""))))
    }
}
