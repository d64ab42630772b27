//! A copy of the tables while they are in use, and what is noted when they come back from one.

use std::path::Path;

use kit::{StoreError, Timestamp};

use super::database::{Database, Dialect, Place};
use super::error::map;
use super::{DATABASE, DbConnection, OpenError, ShopStore, Store, keyring, micros, stamp};

/// Finds out whether the tables of a backup can be read with the master key that is in it; changes nothing. `place` is where
/// the tables are to be: for those on a server, which are not in the folder, it asks there.
///
/// # Errors
/// [`OpenError::MasterKey`] when the key is not in the backup, or is another one.
pub async fn check_backup(dir: &Path, place: &Place) -> Result<(), OpenError> {
    let file = dir.join(DATABASE);
    let told = match place {
        Place::Folder | Place::Scratch => file.display().to_string(),
        Place::Postgres(address) => address.to_string(),
    };
    let failed = |source| OpenError::Database { place: told.clone(), source };
    let database = match place {
        Place::Folder | Place::Scratch => Database::copy(&file).map_err(failed)?,
        Place::Postgres(address) => Database::server(address),
    };
    let mut connection = database.look().await.map_err(failed)?;
    // A backup from before keys has no such table, and nothing sealed.
    if has_keys(database.dialect, &mut connection).await.map_err(failed)? {
        keyring::check(dir, &mut connection).await?;
    }
    sqlx::Connection::close(connection).await.map_err(map).map_err(failed)
}

async fn has_keys(dialect: Dialect, c: &mut DbConnection) -> Result<bool, StoreError> {
    let sql = match dialect {
        Dialect::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'sealing_keys'",
        Dialect::Postgres => {
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'sealing_keys'"
        }
    };
    let (tables,): (i64,) = sqlx::query_as(sql).fetch_one(c).await.map_err(map)?;
    Ok(tables > 0)
}

impl Store {
    /// Writes the log ahead of the tables into them and empties it: rows that are deleted are overwritten in the tables, and
    /// their old pages are in the log until then.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when somebody reads in it for long; the same erasure may be asked for again.
    pub(super) async fn empty_log(&self) -> Result<(), StoreError> {
        if self.database.dialect != Dialect::Sqlite {
            return Ok(());
        }
        let mut connection = self.database.connect().await?;
        let (busy, _, _): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut connection).await.map_err(map)?;
        sqlx::Connection::close(connection).await.map_err(map)?;
        if busy == 0 {
            return Ok(());
        }
        Err(StoreError::Unavailable("what was erased is still in the log of the tables: somebody reads it".to_owned()))
    }

    /// Writes a copy of the database into a new file: one moment of it, while others go on reading and writing.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] when the tables are on a PostgreSQL server, whose own tools do that, or when the file is
    /// there already.
    pub async fn snapshot(&self, file: &Path) -> Result<(), StoreError> {
        if self.database.dialect != Dialect::Sqlite {
            let why = "the tables are on a PostgreSQL server: copy them with pg_dump";
            return Err(StoreError::Unwritable(why.to_owned()));
        }
        let path = file
            .to_str()
            .ok_or_else(|| StoreError::Unwritable("the path of a backup must be UTF-8".to_owned()))?
            .to_owned();
        let mut connection = self.database.connect().await?;
        sqlx::query("VACUUM INTO $1").bind(path).execute(&mut connection).await.map_err(map)?;
        let closed = sqlx::Connection::close(connection).await;
        closed.map_err(map)
    }
}

impl ShopStore {
    /// Notes that the tables came out of a backup.
    pub async fn note_restore(&self, taken_at: Timestamp, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                sqlx::query("INSERT INTO restores (shop_id, at, taken_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                    .bind(shop.as_str())
                    .bind(micros(at))
                    .bind(micros(taken_at))
                    .execute(c)
                    .await
                    .map_err(map)?;
                Ok(())
            })
        })
        .await
    }

    /// When the tables came out of a backup last.
    pub async fn restored_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT at FROM restores WHERE shop_id = $1 ORDER BY at DESC LIMIT 1")
            .bind(self.shop.as_str())
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(|(at,)| stamp(at, "restore")).transpose()
    }
}
