//! A group commit loses nobody's command, and tells everybody the truth about their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;

use kit::StoreError;
use proptest::prelude::*;
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;

use super::super::DbConnection;
use super::super::database::Database;
use super::super::error::map;
use super::{AuditKey, GROUP, Writer};

/// What a command does to a table of numbers.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// Inserts a number; a number that is there already is a conflict.
    Put(i64),
    /// Inserts a number, then fails for a reason of its own.
    PutAndFail(i64),
    /// Makes a row that only the commit refuses.
    PutOrphan,
}

struct Table {
    dir: TempDir,
    writer: Writer,
}

impl Table {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut connection = connect(&dir).await;
        connection
            .execute(
                "CREATE TABLE numbers (n INTEGER PRIMARY KEY);
                 CREATE TABLE orphans (n INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED);",
            )
            .await
            .unwrap();
        let key = AuditKey::of(&"00".repeat(32)).unwrap();
        Self { writer: Writer::spawn(connection, database(&dir), key), dir }
    }

    /// Queues all commands before the writer runs for the first time, and gathers their answers: on a runtime of one
    /// thread, tasks start in the order in which they were spawned.
    async fn all(&self, commands: &[Work]) -> Vec<Result<(), StoreError>> {
        let asked: Vec<_> = commands
            .iter()
            .map(|command| {
                let (writer, command) = (self.writer.clone(), *command);
                tokio::spawn(async move { writer.run(move |c| Box::pin(perform(c, command))).await })
            })
            .collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.unwrap());
        }
        answers
    }

    /// What is on disk, seen by somebody else.
    async fn numbers(&self) -> BTreeSet<i64> {
        let mut connection = connect(&self.dir).await;
        let rows: Vec<i64> = sqlx::query_scalar("SELECT n FROM numbers").fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.into_iter().collect()
    }
}

fn database(dir: &TempDir) -> Database {
    Database::file(&dir.path().join("t.db")).unwrap()
}

async fn connect(dir: &TempDir) -> DbConnection {
    database(dir).connect().await.unwrap()
}

async fn perform(c: &mut DbConnection, command: Work) -> Result<(), StoreError> {
    let put = async |c: &mut DbConnection, sql: &'static str, n: i64| {
        sqlx::query(sql).bind(n).execute(c).await.map(|_| ()).map_err(map)
    };
    match command {
        Work::Put(n) => put(c, "INSERT INTO numbers (n) VALUES ($1)", n).await,
        Work::PutAndFail(n) => {
            put(c, "INSERT OR REPLACE INTO numbers (n) VALUES ($1)", n).await?;
            Err(own())
        }
        Work::PutOrphan => put(c, "INSERT INTO orphans (n) VALUES ($1)", -1).await,
    }
}

fn own() -> StoreError {
    StoreError::Corrupt { what: "command".to_owned(), why: "a reason of its own".to_owned() }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn commands() -> impl Strategy<Value = Vec<Work>> {
    let one = prop_oneof![3 => (0..40i64).prop_map(Work::Put), 1 => (0..40i64).prop_map(Work::PutAndFail)];
    prop::collection::vec(one, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However commands fall into groups, each ends as if it had been alone, and in the order in which they came.
    #[test]
    fn a_command_that_fails_takes_nobody_with_it(commands in commands()) {
        let mut numbers = BTreeSet::new();
        let expected: Vec<_> = commands
            .iter()
            .map(|command| match command {
                Work::Put(n) if numbers.insert(*n) => Ok(()),
                Work::Put(_) => Err(StoreError::Conflict("a row".to_owned())),
                Work::PutAndFail(_) | Work::PutOrphan => Err(own()),
            })
            .collect();
        let (answers, stored) = run(async {
            let table = Table::new().await;
            (table.all(&commands).await, table.numbers().await)
        });
        prop_assert_eq!(answers, expected);
        prop_assert_eq!(stored, numbers);
    }
}

#[test]
fn more_commands_than_a_group_holds_are_all_kept() {
    run(async {
        let table = Table::new().await;
        let many = i64::try_from(3 * GROUP + 7).unwrap();
        let commands: Vec<Work> = (0..many).map(Work::Put).collect();
        assert!(table.all(&commands).await.iter().all(Result::is_ok));
        assert_eq!(table.numbers().await, (0..many).collect());
    });
}

/// An answer is given after the commit: where the commit fails, nobody is told that their command counted.
#[test]
fn a_commit_that_fails_is_told_to_everybody_in_it() {
    run(async {
        let table = Table::new().await;
        let answers = table.all(&[Work::Put(1), Work::PutAndFail(2), Work::PutOrphan, Work::Put(3)]).await;
        let refused = Err(StoreError::Conflict("a row".to_owned()));
        assert_eq!(answers, [refused.clone(), Err(own()), refused.clone(), refused]);
        assert_eq!(table.numbers().await, BTreeSet::new());
        // The writer goes on.
        assert_eq!(table.all(&[Work::Put(1)]).await, [Ok(())]);
        assert_eq!(table.numbers().await, BTreeSet::from([1]));
    });
}

/// A full disk makes SQLite give up the whole transaction in the middle of a command.
#[test]
fn a_full_disk_is_told_as_such_and_leaves_nothing() {
    run(async {
        let table = Table::new().await;
        let full = Err(StoreError::Unwritable("the disk is full".to_owned()));
        let neighbour = table.writer.clone();
        let neighbour = tokio::spawn(async move { neighbour.run(|c| Box::pin(perform(c, Work::Put(1)))).await });
        let filler = table.writer.clone();
        let filler = tokio::spawn(async move { filler.run(|c| Box::pin(fill(c))).await });
        let late = table.writer.clone();
        let late = tokio::spawn(async move { late.run(|c| Box::pin(perform(c, Work::Put(2)))).await });
        assert_eq!(filler.await.unwrap(), full);
        let told = [neighbour.await.unwrap(), late.await.unwrap()];
        let stored = table.numbers().await;
        for (n, told) in [1, 2].into_iter().zip(&told) {
            assert_eq!(told.is_ok(), stored.contains(&n), "{told:?}");
            assert!(told.is_ok() || *told == full, "{told:?}");
        }
        assert_eq!(table.all(&[Work::Put(3)]).await, [Ok(())]);
    });
}

/// Writes until SQLite may use no more pages.
async fn fill(c: &mut DbConnection) -> Result<(), StoreError> {
    c.execute("CREATE TABLE big (b BLOB); PRAGMA max_page_count = 20;").await.map_err(map)?;
    let filled = c.execute("INSERT INTO big VALUES (zeroblob(1000000))").await.map_err(map);
    c.execute("PRAGMA max_page_count = 1000000").await.map_err(map)?;
    filled.map(|_| ())
}
