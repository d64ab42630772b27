//! What SQLite and PostgreSQL say, in our words.

use kit::StoreError;
use sqlx::error::DatabaseError;

/// Maps a driver error. Messages carry no values, so no personal data.
pub(super) fn map(error: sqlx::Error) -> StoreError {
    match &error {
        // https://www.postgresql.org/docs/current/errcodes-appendix.html: five characters; SQLite's codes have four at most.
        sqlx::Error::Database(told) => match told.code() {
            Some(code) if code.len() == 5 => postgres(&code, told.as_ref()),
            Some(code) => sqlite(code.parse().unwrap_or_default(), &error),
            None => StoreError::Corrupt { what: "query".to_owned(), why: error.to_string() },
        },
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            StoreError::Unavailable("the database is closed or busy".to_owned())
        }
        sqlx::Error::Io(why) => StoreError::Unavailable(format!("the database server cannot be reached ({why})")),
        sqlx::Error::Tls(why) => {
            StoreError::Unavailable(format!("no secure connection to the database server ({why})"))
        }
        sqlx::Error::Protocol(_) => StoreError::Unavailable("the connection to the database server broke".to_owned()),
        sqlx::Error::ColumnDecode { index, source } => {
            StoreError::Corrupt { what: format!("column {index}"), why: source.to_string() }
        }
        _ => StoreError::Corrupt { what: "query".to_owned(), why: error.to_string() },
    }
}

/// <https://www.sqlite.org/rescode.html>: the low byte is the primary code.
fn sqlite(code: u32, error: &sqlx::Error) -> StoreError {
    match code & 0xff {
        5 | 6 | 15 | 17 => StoreError::Unavailable("another process holds the database".to_owned()),
        8 => StoreError::Unwritable("the database is read-only".to_owned()),
        13 => StoreError::Unwritable("the disk is full".to_owned()),
        10 => StoreError::Unwritable(format!("input/output error ({code})")),
        11 | 26 => {
            StoreError::Corrupt { what: "database file".to_owned(), why: "it is damaged or no database".to_owned() }
        }
        19 => StoreError::Conflict("a row".to_owned()),
        _ => StoreError::Corrupt { what: "query".to_owned(), why: error.to_string() },
    }
}

fn postgres(code: &str, told: &dyn DatabaseError) -> StoreError {
    match code {
        // Serialization, deadlock, a lock that did not come.
        "40001" | "40P01" | "55P03" => StoreError::Unavailable("another process holds the database".to_owned()),
        // Query cancelled (the statement timeout), memory, connections.
        "57014" | "53200" | "53300" => StoreError::Unavailable("the database server is overloaded".to_owned()),
        "57P01" | "57P02" | "57P03" | "25P03" => {
            StoreError::Unavailable("the database server is starting or stopping".to_owned())
        }
        "53100" => StoreError::Unwritable("the disk is full".to_owned()),
        "25006" => StoreError::Unwritable("the database is read-only".to_owned()),
        "58030" => StoreError::Unwritable("input/output error of the database server".to_owned()),
        "28000" | "28P01" => StoreError::Unwritable(
            "the database server refuses this user or password (MAILWRIGHT_STORE_PASSWORD)".to_owned(),
        ),
        "42501" => StoreError::Unwritable("this user of the database server may not do this".to_owned()),
        "3D000" => StoreError::Unwritable("the server has no such database; create it first".to_owned()),
        _ if code.starts_with("08") => {
            StoreError::Unavailable("the connection to the database server broke".to_owned())
        }
        _ if code.starts_with("23") => StoreError::Conflict("a row".to_owned()),
        _ if code.starts_with("XX") => {
            StoreError::Corrupt { what: "database".to_owned(), why: "the server says it is damaged".to_owned() }
        }
        // The server's words may repeat a value for some classes: bad input (22) is told by its code alone.
        _ if code.starts_with("42") => StoreError::Corrupt { what: "query".to_owned(), why: told.message().to_owned() },
        _ => StoreError::Corrupt { what: "query".to_owned(), why: format!("PostgreSQL says {code}") },
    }
}
