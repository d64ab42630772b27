//! SQLite's errors in our words.

use kit::StoreError;

/// Maps a driver error. Messages carry no values, so no personal data.
pub(super) fn map(error: sqlx::Error) -> StoreError {
    let code = match &error {
        sqlx::Error::Database(db) => db.code().and_then(|c| c.parse::<u32>().ok()),
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            return StoreError::Unavailable("the database is closed or busy".to_owned());
        }
        sqlx::Error::ColumnDecode { index, source } => {
            return StoreError::Corrupt { what: format!("column {index}"), why: source.to_string() };
        }
        _ => None,
    };
    // https://www.sqlite.org/rescode.html: the low byte is the primary code.
    match code.map(|c| c & 0xff) {
        Some(5 | 6 | 15 | 17) => StoreError::Unavailable("another process holds the database".to_owned()),
        Some(8) => StoreError::Unwritable("the database is read-only".to_owned()),
        Some(13) => StoreError::Unwritable("the disk is full".to_owned()),
        Some(10) => StoreError::Unwritable(format!("input/output error ({})", code.unwrap_or_default())),
        Some(11 | 26) => {
            StoreError::Corrupt { what: "database file".to_owned(), why: "it is damaged or no database".to_owned() }
        }
        Some(19) => StoreError::Conflict("a row".to_owned()),
        _ => StoreError::Corrupt { what: "query".to_owned(), why: error.to_string() },
    }
}
