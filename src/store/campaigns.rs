//! Campaigns: their classes, their frozen audience, and who of it has got what.

use std::collections::BTreeMap;

use kit::campaign::{AudienceCount, Brief, CampaignId, ClassCopy, ClassId};
use kit::message::Channel;
use kit::{CustomerId, Digest, OfferStepId, StoreError, Timestamp};

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
}

type CampaignTuple = (String, String, String, String, String, String, String, Option<String>, i64);
const CAMPAIGN: &str =
    "SELECT campaign_id, title, brief, state, frozen, release, owner, why, created_at FROM campaigns";

type RecipientTuple =
    (String, i64, String, String, Option<String>, String, i64, i64, String, Option<String>, Option<i64>);
const RECIPIENT: &str = "SELECT customer_id, place, class_id, channel, offer, destination, due_at, until_at, state, detail, subject FROM campaign_recipients";

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

    /// Notes what became of recipients, in one commit. Only those who still wait change.
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
