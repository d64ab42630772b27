//! A person's edit of a class's copy, with what it takes back: in one transaction, against what the editor saw.

use kit::campaign::{CampaignId, ClassCopy, ClassId};
use kit::{StoreError, Timestamp};

use super::error::map;
use super::settings::append_audit;
use super::{ShopStore, from_json, micros, to_json};

impl ShopStore {
    /// Puts an edited copy in the place of the one that was seen. Approvals of the campaign, pending or given, are
    /// superseded, and the campaign stands as written: it must be asked about again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else changed the copy, or the campaign is on its schedule or over by now.
    pub async fn edit_class_copy(
        &self,
        id: &CampaignId,
        class: &ClassId,
        seen: &ClassCopy,
        copy: &ClassCopy,
        who: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, class, who) = (id.clone(), class.clone(), who.to_owned());
        let (seen, copy, digest) = (seen.clone(), to_json(copy, "class")?, copy.digest());
        self.write(move |c, shop| {
            Box::pin(async move {
                let stands: (Option<String>,) = sqlx::query_as(
                    "SELECT copy FROM campaign_classes WHERE shop_id = $1 AND campaign_id = $2 AND class_id = $3",
                )
                .bind(shop.as_str()).bind(id.as_str()).bind(class.as_str()).fetch_one(&mut *c).await.map_err(map)?;
                let stands: Option<ClassCopy> = stands.0.map(|text| from_json(&text, "class")).transpose()?;
                if stands.as_ref() != Some(&seen) {
                    return Err(StoreError::Conflict(format!("class {class}")));
                }
                let moved = sqlx::query(
                    "UPDATE campaigns SET state = 'written', updated_at = $3 WHERE shop_id = $1 AND campaign_id = $2 AND state IN ('written', 'asked')",
                )
                .bind(shop.as_str()).bind(id.as_str()).bind(micros(now)).execute(&mut *c).await.map_err(map)?;
                if moved.rows_affected() == 0 {
                    return Err(StoreError::Conflict(format!("campaign {id}")));
                }
                sqlx::query(
                    "UPDATE campaign_classes SET copy = $4 WHERE shop_id = $1 AND campaign_id = $2 AND class_id = $3",
                )
                .bind(shop.as_str()).bind(id.as_str()).bind(class.as_str()).bind(&copy)
                .execute(&mut *c).await.map_err(map)?;
                sqlx::query(
                    "UPDATE campaign_approvals SET state = 'superseded', version = version + 1, decided_at = $3
                     WHERE shop_id = $1 AND campaign_id = $2 AND state IN ('pending', 'approved')",
                )
                .bind(shop.as_str()).bind(id.as_str()).bind(micros(now)).execute(&mut *c).await.map_err(map)?;
                let detail = format!("{class}: copy {}", digest.short());
                append_audit(c, shop.as_str(), now, &who, "campaign.edited", id.as_str(), &detail).await
            })
        })
        .await
    }
}
