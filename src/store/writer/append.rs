//! The journal rows of a group as one statement: most of what a busy engine writes.

use kit::{RunId, ShopId, StoreError};
use sqlx::Executor;
use tokio::sync::oneshot;

use super::super::DbConnection;
use super::super::error::map;
use super::super::journal::{self, JournalRow};
use super::{NEXT, TAKE_BACK};

/// A row that somebody waits for.
pub(super) struct Append {
    shop: ShopId,
    run: RunId,
    row: JournalRow,
    result: Result<(), StoreError>,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

impl Append {
    /// A row, and where its answer will be.
    pub(super) fn new(shop: ShopId, run: RunId, row: JournalRow) -> (Self, oneshot::Receiver<Result<(), StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { shop, run, row, result: Ok(()), reply }, answer)
    }

    fn entry(&self) -> journal::Entry<'_> {
        journal::Entry { shop: self.shop.as_str(), run: self.run.as_str(), row: &self.row }
    }

    /// After the commit. A row that failed by itself keeps its own reason.
    pub(super) fn answer(self, commit: &Result<(), StoreError>) {
        // The caller may have given up waiting; the commit stands all the same.
        let _ = self.reply.send(self.result.and_then(|()| commit.clone()));
    }
}

/// Writes all rows, in a savepoint that is open and stays open. Together, as nearly always all of them may be written; where
/// one may not, each by itself, so that it fails alone.
pub(super) async fn all(connection: &mut DbConnection, appends: &mut [Append]) -> Result<(), StoreError> {
    if appends.is_empty() {
        return Ok(());
    }
    let entries: Vec<journal::Entry<'_>> = appends.iter().map(Append::entry).collect();
    let Err(first) = journal::insert(connection, &entries).await else { return Ok(()) };
    // Gone with the whole transaction: all are told why.
    connection.execute(TAKE_BACK).await.map(|_| ()).map_err(|_| first)?;
    for append in appends {
        append.result = journal::insert(connection, &[append.entry()]).await;
        match &append.result {
            Ok(()) => connection.execute(NEXT).await.map(|_| ()).map_err(map)?,
            Err(own) => connection.execute(TAKE_BACK).await.map(|_| ()).map_err(|_| own.clone())?,
        }
    }
    Ok(())
}
