//! A copy of the tables while they are in use, and what is noted when they come back from one.

use std::path::Path;

use kit::{StoreError, Timestamp};

use super::database::Dialect;
use super::error::map;
use super::{ShopStore, Store, micros, stamp};

impl Store {
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
