//! What texts from outside are about, in closed words ([`kit::gist`]). The words themselves are not here.

use std::collections::{BTreeSet, HashMap};

use kit::gist::{Gist, Tone, Topic};
use kit::{CustomerId, Digest, EventId, ReviewId, StoreError, Timestamp};

use super::error::map;
use super::{ShopStore, corrupt, micros, stamp};

/// What somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrote {
    /// A note beside a cart or an order.
    Note,
    /// The title of a support ticket.
    Ticket,
    /// A review of a product.
    Review,
}

impl Wrote {
    /// The name in tables and for models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Ticket => "ticket",
            Self::Review => "review",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        [Self::Note, Self::Ticket, Self::Review]
            .into_iter()
            .find(|wrote| wrote.as_str() == name)
            .ok_or_else(|| corrupt("gist", format!("`{name}` is nothing that is written")))
    }
}

/// A text and what code saw in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGist {
    /// What was written.
    pub wrote: Wrote,
    /// Beside what: a cart, an order, a ticket; the id of a review.
    pub source: String,
    /// Who wrote it; nobody whom we know for a review.
    pub customer: Option<CustomerId>,
    /// Where the words stand.
    pub event: Option<EventId>,
    /// The digest of the words.
    pub words: Digest,
    /// When it was written.
    pub at: Timestamp,
    /// What it is about.
    pub gist: Gist,
    /// The model profile that read it; `None` while only code has.
    pub read_by: Option<String>,
}

/// What a customer wrote, in closed words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Said {
    /// What was written.
    pub wrote: Wrote,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    #[serde(flatten)]
    pub gist: Gist,
    /// The model profile that read it beside code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_by: Option<String>,
}

/// A text that no model has read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What was written.
    pub wrote: Wrote,
    /// Beside what.
    pub source: String,
    /// Who wrote it.
    pub customer: Option<CustomerId>,
    /// Where the words stand.
    pub event: EventId,
    /// The digest of the words.
    pub words: Digest,
    /// What code saw.
    pub gist: Gist,
}

impl ShopStore {
    /// Keeps what texts are about. The same words in the same place again change nothing; other words there stand beside them, so
    /// that nobody's second thought hides the first.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn put_gists(&self, gists: Vec<NewGist>) -> Result<(), StoreError> {
        if gists.is_empty() {
            return Ok(());
        }
        self.write(move |c, shop| {
            Box::pin(async move {
                for new in &gists {
                    sqlx::query(
                        "INSERT INTO gists (shop_id, kind, source_id, customer_id, event_id, words, at, topics, tone, read_by)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                         ON CONFLICT (shop_id, kind, source_id, words) DO NOTHING",
                    )
                    .bind(shop.as_str())
                    .bind(new.wrote.as_str())
                    .bind(&new.source)
                    .bind(new.customer.as_ref().map(CustomerId::as_str))
                    .bind(new.event.as_ref().map(EventId::as_str))
                    .bind(new.words.to_string())
                    .bind(micros(new.at))
                    .bind(topics(&new.gist))
                    .bind(new.gist.tone.as_str())
                    .bind(&new.read_by)
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// What a customer wrote since a time, newest first.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn said_by(&self, customer: &CustomerId, since: Timestamp) -> Result<Vec<Said>, StoreError> {
        let rows: Vec<(String, i64, String, String, Option<String>)> = sqlx::query_as(
            "SELECT kind, at, topics, tone, read_by FROM gists WHERE shop_id = $1 AND customer_id = $2 AND at >= $3
             ORDER BY at DESC, kind, source_id",
        )
        .bind(self.shop.as_str())
        .bind(customer.as_str())
        .bind(micros(since))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(kind, at, topics, tone, read_by)| {
                Ok(Said { wrote: Wrote::read(&kind)?, at: stamp(at, "gist")?, gist: gist(&topics, &tone)?, read_by })
            })
            .collect()
    }

    /// Texts of customers that no model has read and that were tried fewer than `tries` times, oldest first.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn unread(&self, tries: u32, limit: u32) -> Result<Vec<Unread>, StoreError> {
        type Row = (String, String, Option<String>, String, String, String, String);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT kind, source_id, customer_id, event_id, words, topics, tone FROM gists
             WHERE shop_id = $1 AND read_by IS NULL AND event_id IS NOT NULL AND tries < $2 ORDER BY at, kind, source_id LIMIT $3",
        )
        .bind(self.shop.as_str())
        .bind(i64::from(tries))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(kind, source, customer, event, words, topics, tone)| {
                Ok(Unread {
                    wrote: Wrote::read(&kind)?,
                    source,
                    customer: customer.map(CustomerId::new).transpose().map_err(|e| corrupt("gist", e))?,
                    event: EventId::new(event).map_err(|e| corrupt("gist", e))?,
                    words: words.parse().map_err(|e| corrupt("gist", e))?,
                    gist: gist(&topics, &tone)?,
                })
            })
            .collect()
    }

    /// Keeps what a model read, together with what code saw.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn keep_reading(&self, of: &Unread, gist: &Gist, read_by: &str) -> Result<(), StoreError> {
        let (of, gist, read_by) = (of.clone(), of.gist.with(gist), read_by.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE gists SET topics = $5, tone = $6, read_by = $7
                     WHERE shop_id = $1 AND kind = $2 AND source_id = $3 AND words = $4",
                )
                .bind(shop.as_str())
                .bind(of.wrote.as_str())
                .bind(&of.source)
                .bind(of.words.to_string())
                .bind(topics(&gist))
                .bind(gist.tone.as_str())
                .bind(&read_by)
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// Notes that a text could not be read by a model. `for_good`: it never will be.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn not_read(&self, of: &Unread, for_good: bool) -> Result<(), StoreError> {
        let (of, event) = (of.clone(), (!for_good).then_some(of.event.clone()));
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE gists SET tries = tries + 1, event_id = $5
                     WHERE shop_id = $1 AND kind = $2 AND source_id = $3 AND words = $4",
                )
                .bind(shop.as_str())
                .bind(of.wrote.as_str())
                .bind(&of.source)
                .bind(of.words.to_string())
                .bind(event.as_ref().map(EventId::as_str))
                .execute(c)
                .await
                .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// What a model read in reviews, by their id and the digest of their words then.
    ///
    /// # Errors
    /// When storage cannot answer.
    pub async fn review_gists(&self) -> Result<HashMap<(ReviewId, Digest), Gist>, StoreError> {
        let rows: Vec<(String, String, String, String)> =
            sqlx::query_as("SELECT source_id, words, topics, tone FROM gists WHERE shop_id = $1 AND kind = 'review'")
                .bind(self.shop.as_str())
                .fetch_all(self.readers())
                .await
                .map_err(map)?;
        rows.into_iter()
            .map(|(review, words, topics, tone)| {
                let review = ReviewId::new(review).map_err(|e| corrupt("gist", e))?;
                Ok(((review, words.parse().map_err(|e| corrupt("gist", e))?), gist(&topics, &tone)?))
            })
            .collect()
    }
}

fn topics(gist: &Gist) -> String {
    gist.topics.iter().map(|topic| topic.as_str()).collect::<Vec<_>>().join(" ")
}

fn gist(topics: &str, tone: &str) -> Result<Gist, StoreError> {
    let topic = |name: &str| {
        let known = Topic::ALL.into_iter().find(|topic| topic.as_str() == name);
        known.ok_or_else(|| corrupt("gist", format!("`{name}` is no topic")))
    };
    let known = Tone::ALL.into_iter().find(|known| known.as_str() == tone);
    Ok(Gist {
        topics: topics.split_whitespace().map(topic).collect::<Result<BTreeSet<_>, _>>()?,
        tone: known.ok_or_else(|| corrupt("gist", format!("`{tone}` is no tone")))?,
    })
}
