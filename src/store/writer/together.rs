//! Rows of a group as one statement: journal rows, which are most of what a busy engine writes, and webhooks that come in.

use std::sync::OnceLock;

use kit::StoreError;
use sqlx::Executor;
use tokio::sync::oneshot;

use super::super::DbConnection;
use super::super::error::map;
use super::{NEXT, TAKE_BACK};

/// Rows in one statement, at most: each number of rows is a statement of its own, and connections keep them prepared.
pub(in super::super) const TOGETHER: usize = 16;

/// The statements that write one row, two rows and so on, up to [`TOGETHER`]: each is put together once.
pub(in super::super) struct Statements {
    before: &'static str,
    columns: usize,
    after: &'static str,
    made: [OnceLock<String>; TOGETHER],
}

impl Statements {
    /// Statements of this text, with the values of rows of so many columns in the middle.
    pub(in super::super) const fn new(before: &'static str, columns: usize, after: &'static str) -> Self {
        Self { before, columns, after, made: [const { OnceLock::new() }; TOGETHER] }
    }

    /// The one for so many rows.
    pub(in super::super) fn of(&'static self, rows: usize) -> sqlx::AssertSqlSafe<&'static str> {
        let make = || format!("{}{}{}", self.before, values(rows, self.columns), self.after);
        let made = rows.checked_sub(1).and_then(|place| self.made.get(place));
        sqlx::AssertSqlSafe(made.map_or("", |made| made.get_or_init(make)))
    }
}

/// The places of a statement's values: `($1, $2), ($3, $4)` for two rows of two columns.
fn values(rows: usize, columns: usize) -> String {
    let row = |n: usize| {
        let places: Vec<String> = (columns * n + 1..=columns * (n + 1)).map(|place| format!("${place}")).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// A row that may be written in one statement with others of its kind.
pub(in super::super) trait Row: Send + Sync {
    /// What its writer is told.
    type Answer: Send;

    /// Writes all rows in few statements. Fails where one of them may not be written so; others may be written then, and
    /// the caller takes them back.
    fn together(
        c: &mut DbConnection,
        rows: &[&Self],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, StoreError>> + Send;

    /// Writes this row by itself.
    fn alone(&self, c: &mut DbConnection) -> impl Future<Output = Result<Self::Answer, StoreError>> + Send;
}

/// A row that somebody waits for.
pub(super) struct Waiting<R: Row> {
    row: R,
    result: Option<Result<R::Answer, StoreError>>,
    reply: oneshot::Sender<Result<R::Answer, StoreError>>,
}

impl<R: Row> Waiting<R> {
    /// A row, and where its answer will be.
    pub(super) fn new(row: R) -> (Self, oneshot::Receiver<Result<R::Answer, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { row, result: None, reply }, answer)
    }

    /// After the commit. A row that failed by itself keeps its own reason.
    pub(super) fn answer(self, commit: &Result<(), StoreError>) {
        let result = match (commit, self.result) {
            (_, Some(Err(own))) => Err(own),
            (Err(commit), _) => Err(commit.clone()),
            (Ok(()), Some(Ok(answer))) => Ok(answer),
            (Ok(()), None) => Err(StoreError::Unavailable("the row was not written".to_owned())),
        };
        // The caller may have given up waiting; the commit stands all the same.
        let _ = self.reply.send(result);
    }
}

/// Writes all rows, in a savepoint that is open and stays open. Together, as nearly always all of them may be written; where
/// one may not, each by itself, so that it fails alone.
pub(super) async fn all<R: Row>(connection: &mut DbConnection, waiting: &mut [Waiting<R>]) -> Result<(), StoreError> {
    if waiting.is_empty() {
        return Ok(());
    }
    let rows: Vec<&R> = waiting.iter().map(|waiting| &waiting.row).collect();
    let first = match R::together(connection, &rows).await {
        Ok(answers) => {
            for (waiting, answer) in waiting.iter_mut().zip(answers) {
                waiting.result = Some(Ok(answer));
            }
            return Ok(());
        }
        Err(first) => first,
    };
    // Gone with the whole transaction: all are told why.
    connection.execute(TAKE_BACK).await.map(|_| ()).map_err(|_| first)?;
    for waiting in waiting {
        let result = waiting.row.alone(connection).await;
        match &result {
            Ok(_) => connection.execute(NEXT).await.map(|_| ()).map_err(map)?,
            Err(own) => connection.execute(TAKE_BACK).await.map(|_| ()).map_err(|_| own.clone())?,
        }
        waiting.result = Some(result);
    }
    Ok(())
}
