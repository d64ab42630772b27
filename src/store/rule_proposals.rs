//! What became of proposed content rules. What is proposed follows from the approvals; only the answers are kept.

use std::collections::BTreeSet;

use kit::{Digest, Principal, StoreError, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::{ShopStore, micros};

impl ShopStore {
    /// Rules that nobody wants to see proposed again, by id.
    pub async fn declined_rules(&self) -> Result<BTreeSet<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT rule FROM declined_rules WHERE shop_id = $1")
            .bind(self.shop.as_str())
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        Ok(rows.into_iter().map(|(rule,)| rule).collect())
    }

    /// Notes that a proposed rule is not wanted. The first answer stays.
    pub async fn decline_rule(
        &self,
        rule: String,
        who: &Principal,
        reason: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let who = who.name();
        self.write(move |c, shop| {
            Box::pin(async move {
                let new = sqlx::query(
                    "INSERT INTO declined_rules (shop_id, rule, declined_by, reason, declined_at) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (shop_id, rule) DO NOTHING",
                )
                .bind(shop.as_str())
                .bind(&rule)
                .bind(&who)
                .bind(&reason)
                .bind(micros(now))
                .execute(&mut *c)
                .await
                .map_err(map)?;
                if new.rows_affected() > 0 {
                    append_audit(c, shop.as_str(), now, &who, "rule.decline", &rule, &reason).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Notes who accepted a proposed rule, and the release that holds it.
    pub async fn note_accepted_rule(
        &self,
        rule: String,
        who: &Principal,
        release: Digest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let who = who.name();
        self.write(move |c, shop| {
            Box::pin(async move {
                append_audit(c, shop.as_str(), now, &who, "rule.accept", &rule, &release.to_string()).await
            })
        })
        .await
    }
}
