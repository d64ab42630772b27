//! One writer, group commit.
//!
//! Commands queue up; the writer takes what waits, runs each in its own savepoint inside one exclusive transaction, commits
//! once (one fsync), and only then answers. A command that fails is rolled back alone. Measured: a commit per command makes
//! about 200-1,800 a second, groups more than 10,000.
//!
//! Every statement is a trip to the database's thread or server and back, and that costs more than the statement. So the
//! savepoints travel with the statements around them, and rows of one kind in a group are one statement ([`together`]).

mod together;

use kit::{BoxFuture, StoreError};
use sqlx::{Connection, Executor};
use tokio::sync::{mpsc, oneshot};

use self::together::Waiting;
pub(super) use self::together::{Row, Statements, TOGETHER};
use super::DbConnection;
use super::audit::AuditKey;
use super::database::{Database, Dialect};
use super::deliveries::{Accepted, Arrival};
use super::error::map;
use super::journal::Appended;

/// Commands in one commit, at most: bounds how long the first one waits.
pub(super) const GROUP: usize = 256;
/// Commands that may wait; a caller beyond that waits itself.
pub(super) const QUEUE: usize = 1024;

trait Command: Send {
    /// Does the work and keeps its answer; the error is told as well, for whoever it takes along.
    fn run<'c>(&'c mut self, connection: &'c mut DbConnection) -> BoxFuture<'c, Result<(), StoreError>>;
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Typed<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Command for Typed<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send,
{
    fn run<'c>(&'c mut self, connection: &'c mut DbConnection) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return Ok(()) };
            let result = work(connection).await;
            let ended = result.as_ref().map(|_| ()).map_err(StoreError::clone);
            self.result = Some(result);
            ended
        })
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let result = match (commit, self.result) {
            (Ok(()), Some(result)) => result,
            // A command that failed by itself keeps its own reason; what succeeded was not committed.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(commit), _) => Err(commit),
            (Ok(()), None) => Err(StoreError::Unavailable("the command did not run".to_owned())),
        };
        // The caller may have given up waiting; the commit stands all the same.
        let _ = self.reply.send(result);
    }
}

enum Message {
    Run(Box<dyn Command>),
    Append(Waiting<Appended>),
    Arrive(Waiting<Arrival>),
    Close(oneshot::Sender<()>),
}

/// A handle to the writer task.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

impl Writer {
    pub(super) fn spawn(connection: DbConnection, database: Database, key: AuditKey) -> Self {
        let (queue, commands) = mpsc::channel(QUEUE);
        tokio::spawn(key.scope(serve(Line { open: Some(connection), database }, commands)));
        Self { queue }
    }

    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut DbConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let closed = || StoreError::Unavailable("the database is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        let command = Typed { work: Some(work), result: None, reply };
        self.queue.send(Message::Run(Box::new(command))).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Appends a journal row in the next commit, together with those of other runs.
    pub(super) async fn append(&self, row: Appended) -> Result<(), StoreError> {
        self.put(row, Message::Append).await
    }

    /// Stores a webhook in the next commit, together with others.
    pub(super) async fn arrive(&self, arrival: Arrival) -> Result<Accepted, StoreError> {
        self.put(arrival, Message::Arrive).await
    }

    async fn put<R: Row>(&self, row: R, kind: fn(Waiting<R>) -> Message) -> Result<R::Answer, StoreError> {
        let closed = || StoreError::Unavailable("the database is closed".to_owned());
        let (waiting, answer) = Waiting::new(row);
        self.queue.send(kind(waiting)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

/// The connection that writes, and how to get another one when a server hung up.
struct Line {
    open: Option<DbConnection>,
    database: Database,
}

impl Line {
    async fn connection(&mut self) -> Result<&mut DbConnection, StoreError> {
        if self.open.is_none() {
            self.open = Some(self.database.connect().await?);
        }
        self.open.as_mut().ok_or_else(|| StoreError::Unavailable("the database is closed".to_owned()))
    }

    /// Begins a transaction; on a fresh connection when the one that was there is dead, since nothing was asked of it yet.
    async fn begin(&mut self) -> Result<&mut DbConnection, StoreError> {
        let begin = self.database.begin();
        if let Err(error) = self.connection().await?.execute(begin).await.map(|_| ()).map_err(map) {
            if self.database.dialect == Dialect::Sqlite || !matches!(error, StoreError::Unavailable(_)) {
                return Err(error);
            }
            self.open = None;
            self.connection().await?.execute(begin).await.map(|_| ()).map_err(map)?;
        }
        self.connection().await
    }
}

/// What goes into one commit. Whoever has to come after somebody else waits for their answer, so the two are never in the
/// same group, and the order within it is free.
#[derive(Default)]
struct Group {
    appends: Vec<Waiting<Appended>>,
    arrivals: Vec<Waiting<Arrival>>,
    commands: Vec<Box<dyn Command>>,
}

impl Group {
    fn len(&self) -> usize {
        self.appends.len() + self.arrivals.len() + self.commands.len()
    }
}

async fn serve(mut line: Line, mut queue: mpsc::Receiver<Message>) {
    while let Some(first) = queue.recv().await {
        let mut group = Group::default();
        let mut closing = None;
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Run(command) => group.commands.push(command),
                Message::Append(append) => group.appends.push(append),
                Message::Arrive(arrival) => group.arrivals.push(arrival),
                Message::Close(done) => closing = Some(done),
            }
            if group.len() < GROUP && closing.is_none() {
                next = queue.try_recv().ok();
            }
        }
        if group.len() > 0 {
            let commit = commit(&mut line, &mut group).await;
            for append in group.appends {
                append.answer(&commit);
            }
            for arrival in group.arrivals {
                arrival.answer(&commit);
            }
            for command in group.commands {
                command.answer(commit.clone());
            }
        }
        if let Some(done) = closing {
            if let Some(connection) = line.open.take() {
                let _ = connection.close().await;
            }
            let _ = done.send(());
            return;
        }
    }
}

/// Ends the savepoint of a command that worked, and begins the next one's.
const NEXT: &str = "RELEASE command; SAVEPOINT command";
/// Takes back what a command did; its savepoint stands for the next one.
const TAKE_BACK: &str = "ROLLBACK TO command";

async fn commit(line: &mut Line, group: &mut Group) -> Result<(), StoreError> {
    let dialect = line.database.dialect;
    let connection = line.begin().await?;
    let done = match perform(connection, group).await {
        // On PostgreSQL a COMMIT after an error that a command swallowed would roll back and report success; RELEASE does not.
        Ok(()) => connection.execute("RELEASE command; COMMIT").await.map(|_| ()).map_err(map),
        Err(error) => Err(error),
    };
    if done.is_err() {
        // A full disk leaves the transaction open or gone; either way nothing of it may stay.
        let rolled_back = connection.execute("ROLLBACK").await.is_ok();
        if !rolled_back && dialect == Dialect::Postgres {
            // Whether a commit that was cut off counted is not known: the callers are told to try again, and every command
            // that is tried again finds what it wrote.
            line.open = None;
        }
    }
    done
}

/// Runs a group in a transaction whose savepoint `command` is open, as it is again afterwards.
async fn perform(connection: &mut DbConnection, group: &mut Group) -> Result<(), StoreError> {
    together::all(connection, &mut group.appends).await?;
    let mut begun = !group.appends.is_empty();
    if !group.arrivals.is_empty() {
        if std::mem::replace(&mut begun, true) {
            connection.execute(NEXT).await.map_err(map)?;
        }
        together::all(connection, &mut group.arrivals).await?;
    }
    for command in &mut group.commands {
        if std::mem::replace(&mut begun, true) {
            connection.execute(NEXT).await.map_err(map)?;
        }
        if let Err(own) = command.run(connection).await {
            // Where the whole transaction was given up (https://www.sqlite.org/lang_transaction.html), there is no
            // savepoint to go back to: what made it give up is what all of the group are told.
            connection.execute(TAKE_BACK).await.map(|_| ()).map_err(|_| own)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
