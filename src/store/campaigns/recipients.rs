//! The frozen audience of a campaign: who waits, and what became of each.

use std::collections::BTreeMap;

use kit::campaign::{CampaignId, ClassId};
use kit::message::Channel;
use kit::{CustomerId, Digest, OfferStepId, RunId, StoreError, Timestamp};

use super::super::error::map;
use super::super::given_back::give_back;
use super::super::{ShopStore, corrupt, from_json, micros, stamp};

/// Where one recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientState {
    /// Not yet.
    Pending,
    /// The message left.
    Sent,
    /// Nobody knows whether it left; never sent again by itself.
    Unknown,
    /// The provider refused it.
    Refused,
    /// A gate took them out: consent, a ticket, a cap, the holdout.
    Removed,
    /// Their message did not lie inside what was approved.
    Held,
}

impl RecipientState {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Removed => "removed",
            Self::Held => "held",
        }
    }
}

/// One of the frozen audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Who.
    pub customer: CustomerId,
    /// The place in the audience's tree, from 0.
    pub place: u32,
    /// Their class.
    pub class: ClassId,
    /// How their message travels.
    pub channel: Channel,
    /// Their offer.
    pub offer: Option<OfferStepId>,
    /// The digest of where it goes.
    pub destination: Digest,
    /// When it leaves.
    pub due_at: Timestamp,
    /// The last moment for it, in their own zone's day.
    pub until_at: Timestamp,
    /// Where they stand.
    pub state: RecipientState,
    /// Why, when something happened.
    pub detail: Option<String>,
    /// Which subject they got, from 0.
    pub subject: Option<u32>,
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientNews {
    /// Who.
    pub customer: CustomerId,
    /// Where they stand now.
    pub state: RecipientState,
    /// Why.
    pub detail: Option<String>,
    /// Which subject they got.
    pub subject: Option<u32>,
    /// When to look again, for those who still wait.
    pub due_at: Option<Timestamp>,
    /// Under which name their offer is held, when nothing leaves with it any more.
    pub lets_go: Option<RunId>,
}

type RecipientTuple =
    (String, i64, String, String, Option<String>, String, i64, i64, String, Option<String>, Option<i64>);
const RECIPIENT: &str = "SELECT customer_id, place, class_id, channel, offer, destination, due_at, until_at, state, detail, subject FROM campaign_recipients";

fn recipient(row: RecipientTuple) -> Result<Recipient, StoreError> {
    let (customer, place, class, channel, offer, destination, due_at, until_at, state, detail, subject) = row;
    let small = |n: i64| u32::try_from(n).map_err(|e| corrupt("recipient", e));
    Ok(Recipient {
        customer: CustomerId::new(customer).map_err(|e| corrupt("recipient", e))?,
        place: small(place)?,
        class: ClassId::new(class).map_err(|e| corrupt("recipient", e))?,
        channel: from_json(&format!("\"{channel}\""), "recipient")?,
        offer: offer.map(OfferStepId::new).transpose().map_err(|e| corrupt("recipient", e))?,
        destination: destination.parse().map_err(|e| corrupt("recipient", e))?,
        due_at: stamp(due_at, "recipient")?,
        until_at: stamp(until_at, "recipient")?,
        state: from_json(&format!("\"{state}\""), "recipient")?,
        detail,
        subject: subject.map(small).transpose()?,
    })
}

impl ShopStore {
    /// The frozen audience in the order of its tree, from a place on.
    pub async fn recipients(&self, id: &CampaignId, from: u32, limit: u32) -> Result<Vec<Recipient>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{RECIPIENT} WHERE shop_id = $1 AND campaign_id = $2 AND place >= $3 ORDER BY place LIMIT $4"
        ));
        let rows: Vec<RecipientTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .bind(i64::from(from))
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(recipient).collect()
    }

    /// Recipients whose message is due, earliest first.
    pub async fn due_recipients(
        &self,
        id: &CampaignId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Recipient>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{RECIPIENT} WHERE shop_id = $1 AND campaign_id = $2 AND state = 'pending' AND due_at <= $3 ORDER BY due_at, place LIMIT $4"
        ));
        let rows: Vec<RecipientTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .bind(micros(now))
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(recipient).collect()
    }

    /// When the next message of a campaign is due; nothing when nobody waits.
    pub async fn next_recipient(&self, id: &CampaignId) -> Result<Option<Timestamp>, StoreError> {
        let (at,): (Option<i64>,) = sqlx::query_as(
            "SELECT MIN(due_at) FROM campaign_recipients WHERE shop_id = $1 AND campaign_id = $2 AND state = 'pending'",
        )
        .bind(self.shop.as_str())
        .bind(id.as_str())
        .fetch_one(self.readers())
        .await
        .map_err(map)?;
        at.map(|at| stamp(at, "recipient")).transpose()
    }

    /// Notes what became of recipients, in one commit. Only those who still wait change, and the offers of those who get nothing
    /// are given back.
    pub async fn note_recipients(
        &self,
        id: &CampaignId,
        news: Vec<RecipientNews>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                for n in &news {
                    sqlx::query(
                        "UPDATE campaign_recipients SET state = $4, detail = $5, subject = COALESCE($6, subject), due_at = COALESCE($7, due_at), updated_at = $8
                         WHERE shop_id = $1 AND campaign_id = $2 AND customer_id = $3 AND state = 'pending'",
                    )
                    .bind(shop.as_str()).bind(id.as_str()).bind(n.customer.as_str()).bind(n.state.as_str()).bind(&n.detail)
                    .bind(n.subject.map(i64::from)).bind(n.due_at.map(micros)).bind(micros(now))
                    .execute(&mut *c).await.map_err(map)?;
                    if let Some(holder) = &n.lets_go {
                        give_back(c, shop.as_str(), holder.as_str(), now).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// How many stand where, and why: state and reason with their number.
    pub async fn recipient_counts(&self, id: &CampaignId) -> Result<BTreeMap<(String, String), u32>, StoreError> {
        let rows: Vec<(String, Option<String>, i64)> = sqlx::query_as(
            "SELECT state, detail, COUNT(*) FROM campaign_recipients WHERE shop_id = $1 AND campaign_id = $2 GROUP BY state, detail",
        )
        .bind(self.shop.as_str()).bind(id.as_str()).fetch_all(self.readers()).await.map_err(map)?;
        let mut counts = BTreeMap::new();
        for (state, detail, count) in rows {
            // A settled send's detail names its file: only reasons are counted apart.
            let reason = if matches!(state.as_str(), "removed" | "held" | "pending") { detail } else { None };
            *counts.entry((state, reason.unwrap_or_default())).or_insert(0) += u32::try_from(count).unwrap_or(u32::MAX);
        }
        Ok(counts)
    }
}
