//! Campaigns and their classes; the audience of each in [`recipients`].

mod recipients;

use kit::campaign::{AudienceCount, Brief, CampaignId, ClassCopy, ClassId};
use kit::{Digest, OfferStepId, StoreError, Timestamp};

pub use recipients::{Recipient, RecipientNews, RecipientState};

use super::error::map;
use super::settings::append_audit;
use super::{ShopStore, corrupt, from_json, micros, stamp, to_json};

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// Its audience is frozen; nothing is written yet.
    Frozen,
    /// Every class is written.
    Written,
    /// A person is asked.
    Asked,
    /// It runs at its time.
    Scheduled,
    /// Everybody got their message or was removed.
    Done,
    /// Called off.
    Cancelled,
}

impl CampaignState {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Written => "written",
            Self::Asked => "asked",
            Self::Scheduled => "scheduled",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A campaign as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// What people call it.
    pub title: String,
    /// What was decided.
    pub brief: Brief,
    /// Where it stands.
    pub state: CampaignState,
    /// The audience in numbers, when it was frozen.
    pub count: AudienceCount,
    /// The release it was frozen under.
    pub release: Digest,
    /// Who answers for it.
    pub owner: String,
    /// Why it was called off.
    pub why: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

/// A class as stored. `facts` is the orchestrator's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassRow {
    /// The class.
    pub id: ClassId,
    /// What a model may know of it, as JSON.
    pub facts: String,
    /// How many belong to it.
    pub people: u32,
    /// What was written.
    pub copy: Option<ClassCopy>,
}

type CampaignTuple = (String, String, String, String, String, String, String, Option<String>, i64);
const CAMPAIGN: &str =
    "SELECT campaign_id, title, brief, state, frozen, release, owner, why, created_at FROM campaigns";

fn campaign(row: CampaignTuple) -> Result<Campaign, StoreError> {
    let (id, title, brief, state, frozen, release, owner, why, created_at) = row;
    Ok(Campaign {
        id: CampaignId::new(id).map_err(|e| corrupt("campaign", e))?,
        title,
        brief: from_json(&brief, "campaign")?,
        state: from_json(&format!("\"{state}\""), "campaign")?,
        count: from_json(&frozen, "campaign")?,
        release: release.parse().map_err(|e| corrupt("campaign", e))?,
        owner,
        why,
        created_at: stamp(created_at, "campaign")?,
    })
}

impl ShopStore {
    /// Stores a campaign with its classes and its whole frozen audience, in one commit. Once: one that exists stays.
    pub async fn freeze_campaign(
        &self,
        new: Campaign,
        classes: Vec<ClassRow>,
        recipients: Vec<Recipient>,
    ) -> Result<(), StoreError> {
        let (brief, frozen) = (to_json(&new.brief, "campaign")?, to_json(&new.count, "campaign")?);
        self.write(move |c, shop| {
            Box::pin(async move {
                let made = sqlx::query(
                    "INSERT INTO campaigns (shop_id, campaign_id, title, brief, state, frozen, release, owner, why, created_at, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $9) ON CONFLICT DO NOTHING",
                )
                .bind(shop.as_str()).bind(new.id.as_str()).bind(&new.title).bind(&brief).bind(new.state.as_str()).bind(&frozen)
                .bind(new.release.to_string()).bind(&new.owner).bind(micros(new.created_at))
                .execute(&mut *c).await.map_err(map)?;
                if made.rows_affected() == 0 {
                    return Ok(());
                }
                for class in &classes {
                    sqlx::query("INSERT INTO campaign_classes (shop_id, campaign_id, class_id, facts, people, copy) VALUES ($1, $2, $3, $4, $5, NULL)")
                        .bind(shop.as_str()).bind(new.id.as_str()).bind(class.id.as_str()).bind(&class.facts).bind(i64::from(class.people))
                        .execute(&mut *c).await.map_err(map)?;
                }
                for r in &recipients {
                    sqlx::query(
                        "INSERT INTO campaign_recipients (shop_id, campaign_id, customer_id, place, class_id, channel, offer, destination, due_at, until_at, state, updated_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                    )
                    .bind(shop.as_str()).bind(new.id.as_str()).bind(r.customer.as_str()).bind(i64::from(r.place)).bind(r.class.as_str())
                    .bind(r.channel.as_str()).bind(r.offer.as_ref().map(OfferStepId::as_str)).bind(r.destination.to_string())
                    .bind(micros(r.due_at)).bind(micros(r.until_at)).bind(r.state.as_str()).bind(micros(new.created_at))
                    .execute(&mut *c).await.map_err(map)?;
                }
                let detail = format!("{} recipients in {} classes", recipients.len(), classes.len());
                append_audit(c, shop.as_str(), new.created_at, &new.owner, "campaign.frozen", new.id.as_str(), &detail).await
            })
        })
        .await
    }

    /// A campaign.
    pub async fn campaign(&self, id: &CampaignId) -> Result<Option<Campaign>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{CAMPAIGN} WHERE shop_id = $1 AND campaign_id = $2"));
        let row: Option<CampaignTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(campaign).transpose()
    }

    /// Campaigns, newest first.
    pub async fn campaigns(&self, limit: u32) -> Result<Vec<Campaign>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "{CAMPAIGN} WHERE shop_id = $1 ORDER BY created_at DESC, campaign_id LIMIT $2"
        ));
        let rows: Vec<CampaignTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(i64::from(limit))
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(campaign).collect()
    }

    /// Moves a campaign on, from any of these states. False when it stands elsewhere by now.
    pub async fn move_campaign(
        &self,
        id: &CampaignId,
        from: &'static [CampaignState],
        to: CampaignState,
        who: &str,
        why: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, who) = (id.clone(), who.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                for state in from {
                    let moved = sqlx::query(
                        "UPDATE campaigns SET state = $4, why = COALESCE($5, why), updated_at = $6 WHERE shop_id = $1 AND campaign_id = $2 AND state = $3",
                    )
                    .bind(shop.as_str()).bind(id.as_str()).bind(state.as_str()).bind(to.as_str()).bind(&why).bind(micros(now))
                    .execute(&mut *c).await.map_err(map)?;
                    if moved.rows_affected() > 0 {
                        let action = format!("campaign.{}", to.as_str());
                        append_audit(c, shop.as_str(), now, &who, &action, id.as_str(), why.as_deref().unwrap_or_default()).await?;
                        return Ok(true);
                    }
                }
                Ok(false)
            })
        })
        .await
    }

    /// The classes of a campaign, largest first.
    pub async fn campaign_classes(&self, id: &CampaignId) -> Result<Vec<ClassRow>, StoreError> {
        let rows: Vec<(String, String, i64, Option<String>)> = sqlx::query_as(
            "SELECT class_id, facts, people, copy FROM campaign_classes WHERE shop_id = $1 AND campaign_id = $2 ORDER BY people DESC, class_id",
        )
        .bind(self.shop.as_str()).bind(id.as_str()).fetch_all(self.readers()).await.map_err(map)?;
        rows.into_iter()
            .map(|(class, facts, people, copy)| {
                Ok(ClassRow {
                    id: ClassId::new(class).map_err(|e| corrupt("class", e))?,
                    facts,
                    people: u32::try_from(people).map_err(|e| corrupt("class", e))?,
                    copy: copy.map(|text| from_json(&text, "class")).transpose()?,
                })
            })
            .collect()
    }

    /// Keeps what was written or edited for a class.
    pub async fn put_class_copy(&self, id: &CampaignId, class: &ClassId, copy: &ClassCopy) -> Result<(), StoreError> {
        let (id, class, copy) = (id.clone(), class.clone(), to_json(copy, "class")?);
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE campaign_classes SET copy = $4 WHERE shop_id = $1 AND campaign_id = $2 AND class_id = $3",
                )
                .bind(shop.as_str())
                .bind(id.as_str())
                .bind(class.as_str())
                .bind(&copy)
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }
}
