//! The audit trail: append only, each row committed to with a key, over the row before it.
//!
//! A row's commitment is an HMAC over its columns and the commitment of the row before it. Whoever can write to the database
//! but has not the key (`audit.key` in the data folder) can change nothing without [`ShopStore::verify_audit`] naming the
//! row. That the newest rows are gone shows against an exported [`AuditHead`], which is what heads are exported for.
//!
//! Rows of a folder that is older than the chain are chained once, when the key is made: from then on they cannot be changed
//! either; that nobody changed them before cannot be known.

use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use kit::{Principal, StoreError, Timestamp};

use super::error::map;
use super::{DbConnection, OpenError, ShopStore, corrupt, micros, stamp};
use crate::keyfile;

/// Rows read at a time when the whole trail is verified.
const PAGE: i64 = 1000;

tokio::task_local! {
    /// The key of the writer's own task: nothing but the writer appends.
    static KEY: AuditKey;
}

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AuditRow {
    /// Its number within the shop.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What.
    pub action: String,
    /// To which thing.
    pub subject: String,
    /// In words, without personal data.
    pub detail: String,
    /// The commitment to this row and all before it.
    pub commitment: Option<String>,
}

/// Where a trail ends: what is exported, and what a later trail must still hold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditHead {
    /// The shop.
    pub shop: kit::ShopId,
    /// Its last row; 0 when there is none.
    pub seq: i64,
    /// That row's commitment; empty when there is none.
    pub commitment: String,
}

/// What is wrong with a trail, at the first row where something is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFinding {
    /// A row is not there, or stands in another place.
    #[error("row {0} is missing")]
    Missing(i64),
    /// A row, or one before it, is not what was committed to.
    #[error("row {0} is not what it was when it was written")]
    Changed(i64),
    /// A row was written past the chain.
    #[error("row {0} has no commitment: it was not written by this program")]
    Unchained(i64),
    /// The trail is shorter than it was.
    #[error("the trail ends at row {ends}, but a head of row {head} was exported: rows were removed at the end")]
    Shortened {
        /// Its last row.
        ends: i64,
        /// The exported head's row.
        head: i64,
    },
    /// The trail is another one than the exported head is of.
    #[error("row {0} is not the one whose head was exported: the trail was written anew")]
    OtherTrail(i64),
}

/// The installation's key for its audit trail.
#[derive(Clone)]
pub(super) struct AuditKey(hmac::Key);

impl AuditKey {
    fn of(secret: &str) -> Result<Self, StoreError> {
        let bytes = hex::decode(secret).map_err(|e| corrupt("audit key", e))?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// Each part with its length in front, so that no two rows read the same.
    fn tag(&self, shop: &str, before: &str, row: &AuditRow) -> hmac::Tag {
        let (seq, at) = (row.seq.to_string(), micros(row.at).to_string());
        let parts = ["mailwright.audit/1", shop, before, &seq, &at, &row.who, &row.action, &row.subject, &row.detail];
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.sign()
    }

    fn commit(&self, shop: &str, before: &str, row: &AuditRow) -> String {
        hex::encode(self.tag(shop, before, row))
    }

    /// Runs the writer with this key at hand.
    pub(super) fn scope<F: Future>(self, writer: F) -> impl Future<Output = F::Output> {
        KEY.scope(self, writer)
    }
}

/// Reads the key of a data folder. When there is none yet, chains the rows that are there and makes it.
///
/// # Errors
/// When rows are chained already with a key that is not in this folder.
pub(super) async fn open_key(
    dir: &Path,
    begin: &'static str,
    connection: &mut DbConnection,
) -> Result<AuditKey, OpenError> {
    let file = dir.join("audit.key");
    let folder = |why: String| OpenError::Folder { dir: dir.to_owned(), why };
    let database = |source| OpenError::Database { place: "audit trail".to_owned(), source };
    if let Some(secret) = keyfile::read(&file).map_err(|e| folder(e.to_string()))? {
        return AuditKey::of(&secret).map_err(database);
    }
    // The key gets its name only once the rows are chained: killed in between, the next start does it again with this one.
    let fresh = dir.join("audit.key.fresh");
    let known = keyfile::read(&fresh).map_err(|e| folder(e.to_string()))?.is_some();
    if !known && chained(connection).await.map_err(database)? {
        return Err(foreign(dir, &file));
    }
    let secret = keyfile::read_or_make(&fresh).map_err(|e| folder(e.to_string()))?;
    let key = AuditKey::of(&secret).map_err(database)?;
    chain_all(&key, begin, connection).await.map_err(database)?;
    match std::fs::rename(&fresh, &file) {
        // Another process of this first start was faster; it has the same key.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        other => other.map_err(|e| folder(e.to_string()))?,
    }
    Ok(key)
}

fn foreign(dir: &Path, file: &Path) -> OpenError {
    let name = file.file_name().map(PathBuf::from).unwrap_or_default();
    let why = format!(
        "the audit trail is chained with a key that is not there; copy {} from the data folder or the backup that has it",
        name.display()
    );
    OpenError::Folder { dir: dir.to_owned(), why }
}

async fn chained(c: &mut DbConnection) -> Result<bool, StoreError> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM audit WHERE commitment IS NOT NULL").fetch_one(c).await.map_err(map)?;
    Ok(count > 0)
}

async fn chain_all(key: &AuditKey, begin: &'static str, c: &mut DbConnection) -> Result<(), StoreError> {
    use sqlx::Executor as _;
    c.execute(begin).await.map_err(map)?;
    let done = chain_rows(key, c).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    c.execute(end).await.map_err(map)?;
    done
}

async fn chain_rows(key: &AuditKey, c: &mut DbConnection) -> Result<(), StoreError> {
    let shops: Vec<(String,)> =
        sqlx::query_as("SELECT DISTINCT shop_id FROM audit ORDER BY shop_id").fetch_all(&mut *c).await.map_err(map)?;
    for (shop,) in shops {
        let (mut before, mut last) = (String::new(), 0);
        loop {
            let rows = page(c, &shop, last).await?;
            let Some(newest) = rows.last().map(|row| row.seq) else { break };
            last = newest;
            for row in rows {
                before = key.commit(&shop, &before, &row);
                sqlx::query("UPDATE audit SET commitment = $3 WHERE shop_id = $1 AND seq = $2")
                    .bind(&shop)
                    .bind(row.seq)
                    .bind(&before)
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
            }
        }
    }
    Ok(())
}

type Tuple = (i64, i64, String, String, String, String, Option<String>);

fn audit_row((seq, at, who, action, subject, detail, commitment): Tuple) -> Result<AuditRow, StoreError> {
    Ok(AuditRow { seq, at: stamp(at, "audit")?, who, action, subject, detail, commitment })
}

async fn page(c: &mut DbConnection, shop: &str, after: i64) -> Result<Vec<AuditRow>, StoreError> {
    let rows: Vec<Tuple> = sqlx::query_as(
        "SELECT seq, at, who, action, subject, detail, commitment FROM audit WHERE shop_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(shop)
    .bind(after)
    .bind(PAGE)
    .fetch_all(c)
    .await
    .map_err(map)?;
    rows.into_iter().map(audit_row).collect()
}

/// Appends within the writer's open transaction.
pub(super) async fn append_audit(
    c: &mut DbConnection,
    shop: &str,
    now: Timestamp,
    who: &str,
    action: &str,
    subject: &str,
    detail: &str,
) -> Result<(), StoreError> {
    let key = KEY.try_with(AuditKey::clone).map_err(|e| corrupt("audit key", e))?;
    let last: Option<(i64, Option<String>)> =
        sqlx::query_as("SELECT seq, commitment FROM audit WHERE shop_id = $1 ORDER BY seq DESC LIMIT 1")
            .bind(shop)
            .fetch_optional(&mut *c)
            .await
            .map_err(map)?;
    let (seq, before) = last.map_or((0, None), |(seq, commitment)| (seq, commitment));
    let text = |text: &str| text.to_owned();
    let row = AuditRow {
        seq: seq + 1,
        at: now,
        who: text(who),
        action: text(action),
        subject: text(subject),
        detail: text(detail),
        commitment: None,
    };
    let commitment = key.commit(shop, before.as_deref().unwrap_or_default(), &row);
    sqlx::query(
        "INSERT INTO audit (shop_id, seq, at, who, action, subject, detail, commitment) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(shop)
    .bind(row.seq)
    .bind(micros(now))
    .bind(who)
    .bind(action)
    .bind(subject)
    .bind(detail)
    .bind(&commitment)
    .execute(c)
    .await
    .map_err(map)?;
    Ok(())
}

impl ShopStore {
    /// Appends to the audit trail.
    pub async fn audit(
        &self,
        who: &Principal,
        action: &str,
        subject: &str,
        detail: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (who, action, subject, detail) = (who.name(), action.to_owned(), subject.to_owned(), detail.to_owned());
        self.write(move |c, shop| {
            Box::pin(async move { append_audit(c, shop.as_str(), now, &who, &action, &subject, &detail).await })
        })
        .await
    }

    /// The newest audit rows, newest first.
    pub async fn audit_trail(&self, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        let rows: Vec<Tuple> = sqlx::query_as(
            "SELECT seq, at, who, action, subject, detail, commitment FROM audit WHERE shop_id = $1 ORDER BY seq DESC LIMIT $2",
        )
        .bind(self.shop.as_str())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter().map(audit_row).collect()
    }

    /// Verifies the whole trail, and that it still holds what an exported head is of. Returns where it ends.
    ///
    /// # Errors
    /// When storage cannot answer; what is wrong with the trail is the inner result.
    pub async fn verify_audit(
        &self,
        exported: Option<&AuditHead>,
    ) -> Result<Result<AuditHead, AuditFinding>, StoreError> {
        let secret = keyfile::read(&self.store.dir.join("audit.key")).map_err(|e| corrupt("audit key", e))?;
        let key = AuditKey::of(&secret.ok_or_else(|| corrupt("audit key", "audit.key is gone"))?)?;
        let shop = self.shop.as_str();
        let mut c = self.readers().acquire().await.map_err(map)?;
        let (mut before, mut last) = (String::new(), 0);
        // From below: rows before the first one are none of ours either.
        let mut read = i64::MIN;
        loop {
            let rows = page(&mut c, shop, read).await?;
            let Some(newest) = rows.last().map(|row| row.seq) else { break };
            read = newest;
            for row in rows {
                if row.seq != last + 1 {
                    return Ok(Err(AuditFinding::Missing(last + 1)));
                }
                last = row.seq;
                let Some(stands) = &row.commitment else { return Ok(Err(AuditFinding::Unchained(last))) };
                if *stands != key.commit(shop, &before, &row) {
                    return Ok(Err(AuditFinding::Changed(last)));
                }
                before.clone_from(stands);
                if exported.is_some_and(|head| head.seq == last && head.commitment != before) {
                    return Ok(Err(AuditFinding::OtherTrail(last)));
                }
            }
        }
        Ok(match exported {
            Some(head) if head.seq > last => Err(AuditFinding::Shortened { ends: last, head: head.seq }),
            Some(_) | None => Ok(AuditHead { shop: self.shop.clone(), seq: last, commitment: before }),
        })
    }
}
