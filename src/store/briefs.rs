//! Briefs of campaigns and every version they had.

use kit::campaign::Brief;
use kit::{BriefId, Digest, StoreError, Timestamp};

use super::error::map;
use super::{ShopStore, corrupt, from_json, micros, stamp, to_json};

/// A brief in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefRow {
    /// Its id; the run of its conversation has the same.
    pub id: BriefId,
    /// Who began it.
    pub owner: String,
    /// When.
    pub created_at: Timestamp,
    /// Its newest version.
    pub latest: BriefVersion,
}

/// A version of a brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefVersion {
    /// Its number; 0 is the empty brief.
    pub version: u32,
    /// The version that undoing it goes back to.
    pub parent: u32,
    /// The marketer's turn in which it was made.
    pub turn: u32,
    /// `model` or `marketer`.
    pub made_by: String,
    /// What was decided, hashed.
    pub digest: Digest,
    /// The brief.
    pub brief: Brief,
    /// When.
    pub at: Timestamp,
}

type VersionTuple = (i64, i64, i64, String, String, String, i64);

const VERSION: &str = "SELECT version, parent, turn, made_by, digest, body, at FROM brief_versions";

impl ShopStore {
    /// Notes that a brief was begun. Once: a brief that exists stays as it is.
    pub async fn begin_brief(&self, id: &BriefId, owner: &str, now: Timestamp) -> Result<(), StoreError> {
        let (id, owner) = (id.clone(), owner.to_owned());
        let first = BriefVersion {
            version: 0,
            parent: 0,
            turn: 0,
            made_by: "marketer".to_owned(),
            digest: Brief::default().digest().map_err(|e| corrupt("brief", e))?,
            brief: Brief::default(),
            at: now,
        };
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("INSERT INTO briefs (shop_id, brief_id, owner, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                    .bind(shop.as_str()).bind(id.as_str()).bind(&owner).bind(micros(now))
                    .execute(&mut *c).await.map_err(map)?;
                put_version(c, shop.as_str(), id.as_str(), &first).await
            })
        })
        .await
    }

    /// Keeps versions. One that is there already stays as it is: versions never change.
    pub async fn keep_brief_versions(&self, id: &BriefId, versions: Vec<BriefVersion>) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                for version in &versions {
                    put_version(c, shop.as_str(), id.as_str(), version).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Briefs, newest first.
    pub async fn briefs(&self, limit: u32) -> Result<Vec<BriefRow>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT brief_id, owner, created_at FROM briefs WHERE shop_id = $1 ORDER BY created_at DESC, brief_id LIMIT $2",
        )
        .bind(self.shop.as_str())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let mut briefs = Vec::with_capacity(rows.len());
        for (id, owner, created_at) in rows {
            let id = BriefId::new(id).map_err(|e| corrupt("brief", e))?;
            let latest = self.brief(&id, None).await?.ok_or_else(|| corrupt("brief", "it has no version"))?;
            briefs.push(BriefRow { id, owner, created_at: stamp(created_at, "brief")?, latest });
        }
        Ok(briefs)
    }

    /// A version of a brief; the newest when none is named.
    pub async fn brief(&self, id: &BriefId, version: Option<u32>) -> Result<Option<BriefVersion>, StoreError> {
        let (from, to) = version.map_or((0, i64::from(u32::MAX)), |v| (i64::from(v), i64::from(v)));
        let sql = sqlx::AssertSqlSafe(format!(
            "{VERSION} WHERE shop_id = $1 AND brief_id = $2 AND version >= $3 AND version <= $4 ORDER BY version DESC LIMIT 1"
        ));
        let row: Option<VersionTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .bind(from)
            .bind(to)
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(read_version).transpose()
    }

    /// All versions, oldest first.
    pub async fn brief_versions(&self, id: &BriefId) -> Result<Vec<BriefVersion>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{VERSION} WHERE shop_id = $1 AND brief_id = $2 ORDER BY version"));
        let rows: Vec<VersionTuple> = sqlx::query_as(sql)
            .bind(self.shop.as_str())
            .bind(id.as_str())
            .fetch_all(self.readers())
            .await
            .map_err(map)?;
        rows.into_iter().map(read_version).collect()
    }
}

async fn put_version(
    c: &mut super::DbConnection,
    shop: &str,
    id: &str,
    version: &BriefVersion,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO brief_versions (shop_id, brief_id, version, parent, turn, made_by, digest, body, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(shop)
    .bind(id)
    .bind(i64::from(version.version))
    .bind(i64::from(version.parent))
    .bind(i64::from(version.turn))
    .bind(&version.made_by)
    .bind(version.digest.to_string())
    .bind(to_json(&version.brief, "brief")?)
    .bind(micros(version.at))
    .execute(c)
    .await
    .map_err(map)?;
    Ok(())
}

fn read_version(row: VersionTuple) -> Result<BriefVersion, StoreError> {
    let (version, parent, turn, made_by, digest, body, at) = row;
    let number = |n: i64| u32::try_from(n).map_err(|e| corrupt("brief version", e));
    Ok(BriefVersion {
        version: number(version)?,
        parent: number(parent)?,
        turn: number(turn)?,
        made_by,
        digest: digest.parse().map_err(|e| corrupt("brief version", e))?,
        brief: from_json(&body, "brief")?,
        at: stamp(at, "brief version")?,
    })
}
