//! What a durable insert costs with nothing around it: the floor that `cargo xtask bench intake` stands beside.
//!
//! A file of its own with one table, one connection, the same settings as the real one, and a loop that takes what waits,
//! inserts it and commits once. No shop, no signature, no look for repeats but the primary key.

use std::path::Path;

use kit::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::sync::{mpsc, oneshot};

use super::error::map;
use super::writer::{GROUP, QUEUE};

/// One row, and who waits for it.
type Waiting = (String, Vec<u8>, oneshot::Sender<Result<(), StoreError>>);

/// A bare loop of group commits over one table.
#[derive(Debug, Clone)]
pub struct Floor {
    queue: mpsc::Sender<Waiting>,
}

impl Floor {
    /// Makes the file, which must not exist, and starts the loop. It ends when the last handle is dropped.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(map)?;
        connection.execute("CREATE TABLE inbox (id TEXT PRIMARY KEY, body BLOB NOT NULL)").await.map_err(map)?;
        let (queue, rows) = mpsc::channel(QUEUE);
        tokio::spawn(serve(connection, rows));
        Ok(Self { queue })
    }

    /// Inserts one row; it is on disk when this returns.
    ///
    /// # Errors
    /// When it could not be stored, or its id was there.
    pub async fn insert(&self, id: String, body: Vec<u8>) -> Result<(), StoreError> {
        let closed = || StoreError::Unavailable("the database is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        self.queue.send((id, body, reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

async fn serve(mut connection: SqliteConnection, mut rows: mpsc::Receiver<Waiting>) {
    let mut group = Vec::new();
    while rows.recv_many(&mut group, GROUP).await > 0 {
        let stored = insert(&mut connection, &group).await;
        for (_, _, reply) in group.drain(..) {
            // Whoever measures may have stopped waiting.
            let _ = reply.send(stored.clone());
        }
    }
    let _ = connection.close().await;
}

async fn insert(connection: &mut SqliteConnection, group: &[Waiting]) -> Result<(), StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(map)?;
    for (id, body, _) in group {
        let row = sqlx::query("INSERT INTO inbox (id, body) VALUES ($1, $2)").bind(id).bind(body);
        row.execute(&mut *transaction).await.map_err(map)?;
    }
    transaction.commit().await.map_err(map)
}
