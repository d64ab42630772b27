//! Which database it is, and how to connect: SQLite in the data folder, or PostgreSQL somewhere else.
//!
//! The statements are the same for both (`sqlx::Any`); what differs stands here and in [`super::error`]: how a connection
//! is set up, how a transaction begins, and three type names in the migrations.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use kit::StoreError;
use sqlx::AnyPool;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor, SqlSafeStr};

use super::DbConnection;
use super::error::map;

/// Readers at a time.
const READERS: u32 = 4;
/// How long a query waits for a reader.
const ACQUIRE: Duration = Duration::from_secs(10);

/// Set before anything else on every SQLite connection. What is deleted is overwritten: an erasure must reach the file. What
/// a savepoint keeps to go back to stays in memory, where it was a file made and removed at every commit; and what many
/// commits touch is copied into the database once for four thousand pages.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;";
/// A client that stalls inside a transaction must not keep the others out for long.
const POSTGRES_SETTINGS: &str = "SET client_encoding = 'UTF8'; SET synchronous_commit = on; SET lock_timeout = '10s'; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '30s';";

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");

/// Where the tables are.
#[derive(Debug, Clone, Default)]
pub enum Place {
    /// In a SQLite file of the data folder.
    #[default]
    Folder,
    /// In a SQLite file of the data folder that nothing forces to disk: for worlds that end with the process.
    Scratch,
    /// In a PostgreSQL database; the data folder still holds the outbox and the keys.
    Postgres(Address),
}

/// The address of a PostgreSQL database with its password. Neither `Debug` nor `Display` shows the password.
#[derive(Clone)]
pub struct Address(AnyConnectOptions);

/// An address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `postgres://…`.
    #[error("this is no address of a PostgreSQL database; write --store postgres://USER@HOST:PORT/DATABASE")]
    NoAddress,
    /// Others see command lines and configuration files.
    #[error(
        "a password does not belong in the address, where others see it; set the environment variable MAILWRIGHT_STORE_PASSWORD, or password_env or password_file under [store] in the configuration file"
    )]
    PasswordInside,
}

impl Address {
    /// Reads an address; the password comes apart from it.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(url: &str, password: Option<&str>) -> Result<Self, AddressError> {
        let mut options: AnyConnectOptions = url.parse().map_err(|_| AddressError::NoAddress)?;
        let address = &mut options.database_url;
        if !matches!(address.scheme(), "postgres" | "postgresql") {
            return Err(AddressError::NoAddress);
        }
        if address.password().is_some() || address.query_pairs().any(|(name, _)| name == "password") {
            return Err(AddressError::PasswordInside);
        }
        if let Some(password) = password
            && address.set_password(Some(password)).is_err()
        {
            address.query_pairs_mut().append_pair("password", password);
        }
        Ok(Self(options))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = &self.0.database_url;
        write!(f, "{}://", url.scheme())?;
        if !url.username().is_empty() {
            write!(f, "{}@", url.username())?;
        }
        f.write_str(url.host_str().unwrap_or_default())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({self})")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// One database, to connect to.
#[derive(Clone)]
pub(super) struct Database {
    options: AnyConnectOptions,
    pub(super) dialect: Dialect,
    /// Whether a commit waits until it is on disk.
    durable: bool,
}

impl Database {
    /// The SQLite file at this path.
    pub(super) fn file(path: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let url = SqliteConnectOptions::new().filename(path).create_if_missing(true).to_url_lossy();
        let options = AnyConnectOptions::from_url(&url).map_err(map)?.disable_statement_logging();
        Ok(Self { options, dialect: Dialect::Sqlite, durable: true })
    }

    /// The same, for a world that ends with the process.
    pub(super) fn scratch(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { durable: false, ..Self::file(path)? })
    }

    /// A copy of a SQLite file that nobody writes, for reading it without leaving a trace beside it.
    pub(super) fn copy(path: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let url = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true).to_url_lossy();
        let options = AnyConnectOptions::from_url(&url).map_err(map)?.disable_statement_logging();
        Ok(Self { options, dialect: Dialect::Sqlite, durable: true })
    }

    pub(super) fn server(address: &Address) -> Self {
        sqlx::any::install_default_drivers();
        Self { options: address.0.clone().disable_statement_logging(), dialect: Dialect::Postgres, durable: true }
    }

    /// A connection that may write.
    pub(super) async fn connect(&self) -> Result<DbConnection, StoreError> {
        let mut connection = self.options.connect().await.map_err(map)?;
        match self.dialect {
            Dialect::Sqlite => {
                connection.execute(SQLITE_SETTINGS).await.map_err(map)?;
                connection.execute("PRAGMA journal_mode = WAL").await.map_err(map)?;
                let synchronous = if self.durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = OFF" };
                connection.execute(synchronous).await.map_err(map)?;
            }
            Dialect::Postgres => {
                connection.execute(POSTGRES_SETTINGS).await.map_err(map)?;
            }
        }
        Ok(connection)
    }

    /// A connection that is set up for nothing but a look.
    pub(super) async fn look(&self) -> Result<DbConnection, StoreError> {
        self.options.connect().await.map_err(map)
    }

    /// Connections that only read.
    pub(super) async fn readers(&self) -> Result<AnyPool, StoreError> {
        let dialect = self.dialect;
        let pool = AnyPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE)
            // A file does not hang up: no ping before every query. A server may.
            .test_before_acquire(dialect == Dialect::Postgres)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let settings: &'static str = match dialect {
                        Dialect::Sqlite => "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON;",
                        Dialect::Postgres => {
                            "SET client_encoding = 'UTF8'; SET statement_timeout = '60s'; SET default_transaction_read_only = on;"
                        }
                    };
                    connection.execute(settings).await.map(|_| ())
                })
            });
        // Connecting now tells at the start what is wrong, not at the first query.
        pool.connect_with(self.options.clone()).await.map_err(map)
    }

    /// Begins a transaction that no other writer shares, and in it the savepoint of its first command: SQLite has one writer at a time, and on PostgreSQL a lock makes it
    /// the same, so that what a command reads stays true until it commits.
    pub(super) fn begin(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE; SAVEPOINT command",
            Dialect::Postgres => "BEGIN; SELECT pg_advisory_xact_lock(5567301); SAVEPOINT command",
        }
    }

    /// Brings the tables up to date.
    pub(super) async fn migrate(&self, connection: &mut DbConnection) -> Result<(), StoreError> {
        let migrated = match self.dialect {
            Dialect::Sqlite => MIGRATIONS.run(connection).await,
            Dialect::Postgres => {
                let translated = MIGRATIONS.iter().map(|migration| {
                    let Migration { version, description, migration_type, sql, no_tx, .. } = migration.clone();
                    let sql = sqlx::AssertSqlSafe(to_postgres(sql.as_str())).into_sql_str();
                    Migration::new(version, Cow::clone(&description), migration_type, sql, no_tx)
                });
                Migrator::with_migrations(translated.collect()).run(connection).await
            }
        };
        migrated.map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => map(error),
            MigrateError::VersionMissing(version) => StoreError::Corrupt {
                what: "schema".to_owned(),
                why: format!(
                    "a newer mailwright brought it to version {version}; use that one, or a backup from before it"
                ),
            },
            other => StoreError::Corrupt { what: "schema".to_owned(), why: other.to_string() },
        })
    }
}

/// The migrations are written in SQLite's type names. PostgreSQL has no BLOB; its INTEGER has 32 bits where SQLite's has
/// 64; and text is compared byte by byte in both, whatever language the server speaks.
fn to_postgres(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + sql.len() / 4);
    for line in sql.lines() {
        let (code, comment) = line.find("--").map_or((line, ""), |at| line.split_at(at));
        let mut word = String::new();
        for c in code.chars() {
            if c.is_ascii_alphanumeric() || c == '_' {
                word.push(c);
            } else {
                out.push_str(type_name(&word));
                word.clear();
                out.push(c);
            }
        }
        out.push_str(type_name(&word));
        out.push_str(comment);
        out.push('\n');
    }
    out
}

fn type_name(word: &str) -> &str {
    match word {
        "BLOB" => "BYTEA",
        "INTEGER" => "BIGINT",
        "TEXT" => "TEXT COLLATE \"C\"",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn type_names_alone_are_translated() {
        let sql = "CREATE TABLE t ( -- TEXT and BLOB\n  a TEXT NOT NULL,\n  b BLOB,\n  INTEGER_x INTEGER)";
        let postgres =
            "CREATE TABLE t ( -- TEXT and BLOB\n  a TEXT COLLATE \"C\" NOT NULL,\n  b BYTEA,\n  INTEGER_x BIGINT)\n";
        assert_eq!(to_postgres(sql), postgres);
    }

    #[test]
    fn an_address_never_shows_its_password() {
        let address = Address::parse("postgres://mw@db.example:5433/mail", Some("hunter2")).unwrap();
        assert_eq!(address.0.database_url.password(), Some("hunter2"));
        assert_eq!(address.to_string(), "postgres://mw@db.example:5433/mail");
        assert_eq!(format!("{:?}", Place::Postgres(address)), "Postgres(Address(postgres://mw@db.example:5433/mail))");
        let socket = Address::parse("postgres:///mail?host=/run/pg&user=mw", Some("hunter2")).unwrap();
        assert!(socket.0.database_url.as_str().contains("password=hunter2"));
        assert_eq!(socket.to_string(), "postgres:///mail");
    }

    #[test]
    fn other_addresses_are_refused() {
        let refused = |url| Address::parse(url, None).unwrap_err();
        assert_eq!(refused("mail.db"), AddressError::NoAddress);
        assert_eq!(refused("sqlite://mail.db"), AddressError::NoAddress);
        assert_eq!(refused("postgres://a:b@c/d"), AddressError::PasswordInside);
        assert_eq!(refused("postgres://a@c/d?password=b"), AddressError::PasswordInside);
    }
}
