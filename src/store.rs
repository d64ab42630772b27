//! The only SQL. One database, SQLite in the data folder or PostgreSQL: business data, runs, journal, approvals, ledger.
//!
//! [`Store::shop`] gives a [`ShopStore`], and every query runs through one: a query across shops cannot be written by
//! accident. Writes go through one [`writer`] task that commits whole commands in groups; reads use a pool of their own.

mod approvals;
mod audience;
mod audit;
mod backup;
mod briefs;
mod budgets;
mod campaign_approvals;
mod campaigns;
mod class_edits;
mod connections;
mod controls;
mod customers;
mod database;
mod deliveries;
mod erase;
mod error;
mod fetching;
mod floor;
mod gists;
mod given_back;
mod inbox;
mod journal;
mod keeping;
mod keyring;
mod leases;
mod ledger;
mod orders;
mod phones;
mod prices;
mod products;
mod recent;
mod replies;
mod retention;
mod rule_proposals;
mod runs;
mod seal;
mod settings;
mod signals;
mod signatures;
mod sold;
mod spend;
mod subscriptions;
mod timers;
mod tombstones;
mod trust;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kit::{ShopId, StoreError, Timestamp};
use sqlx::AnyPool;

pub use approvals::{Approval, ListPlace, NewApproval, Waiting};
pub use audience::{AudienceRow, Since};
pub use audit::{AuditFinding, AuditHead, AuditRow};
pub use backup::check_backup;
pub use briefs::{BriefRow, BriefVersion};
pub use budgets::{Budget, OfferHold, OfferLimits, OfferWish, WishAnswer};
pub use campaign_approvals::CampaignApproval;
pub use campaigns::{Campaign, CampaignState, ClassRow, Recipient, RecipientNews, RecipientState};
pub use connections::{ApiToken, Connection};
pub use controls::ControlApproval;
pub use customers::{Consent, Customer, Ticket};
pub use database::{Address, AddressError, Place};
pub use deliveries::{Accepted, InboxRow};
pub use erase::{ERASED, UnreadEvent};
pub use fetching::ToFetch;
pub use floor::Floor;
pub use gists::{NewGist, Said, Unread, Wrote};
pub use inbox::{InboxEvent, InboxState};
pub use journal::{JournalRow, ParkedState};
pub use keyring::MASTER_KEY;
pub use leases::LeaseRow;
pub use ledger::SendRow;
pub use orders::{Activity, Order, OrderLine};
pub use phones::CustomerPhone;
pub use products::ProductRow;
pub use replies::{NewReply, ReplyEffect, Wish};
pub use retention::Pruned;
pub use runs::{Admission, NewRun, Run, RunState, Supersede};
pub use settings::{KillSwitch, Limits, SEGMENTS};
pub use signatures::{Signing, Waits};
pub use sold::{SoldLine, SoldOrder};
pub use spend::{NewSpend, Reserved, SpendRow};
pub use timers::Timer;
pub use tombstones::{ERASURES, Tombstone, read_tombstones};
pub use trust::{TrustKey, TrustRecord, TrustRow, Verdict};

use database::{Database, Dialect};
use keyring::Keyring;
use writer::Writer;

/// What every statement runs on: SQLite or PostgreSQL.
type DbConnection = sqlx::AnyConnection;

/// The database file's name within a data folder.
pub const DATABASE: &str = "mailwright.db";

/// Marks a data folder into which a backup is being put back.
pub const RESTORING: &str = "RESTORING";

/// An open data folder.
#[derive(Clone)]
pub struct Store {
    writer: Writer,
    readers: AnyPool,
    database: Database,
    keyring: Arc<Keyring>,
    dir: PathBuf,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// A store seen by one shop.
#[derive(Debug, Clone)]
pub struct ShopStore {
    store: Store,
    shop: ShopId,
}

/// Why a data folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error("the data folder {} cannot be written ({why}); choose another with --data DIR", dir.display())]
    Folder {
        /// Which folder.
        dir: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The database cannot be opened or migrated.
    #[error("the database {place} cannot be opened: {source}")]
    Database {
        /// Which file, or which address without its password.
        place: String,
        /// What storage said.
        source: StoreError,
    },
    /// What is sealed in the tables needs a master key that is not in the folder.
    #[error(
        "{} {why}; what is stored about customers cannot be read without the right one: copy it from the data folder or the backup that has it", dir.join(MASTER_KEY).display()
    )]
    MasterKey {
        /// Which folder.
        dir: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A restore was cut off: nobody knows what is missing, and whoever was erased may be in it.
    #[error(
        "the data folder {} holds a restore that was cut off; delete the folder and run `mailwright restore` again", dir.display()
    )]
    HalfRestored {
        /// Which folder.
        dir: PathBuf,
    },
}

impl Store {
    /// Opens the data folder, making it and bringing its tables up to date as needed.
    ///
    /// # Errors
    /// When the folder cannot be written or holds a database of a newer or damaged kind; nothing is changed then.
    pub async fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_at(dir, &Place::Folder).await
    }

    /// As [`Store::open`], for a world that ends with the process: nothing is forced to disk, so a crash of the machine may
    /// take all of it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_scratch(dir: &Path) -> Result<Self, OpenError> {
        Self::open_at(dir, &Place::Scratch).await
    }

    /// Opens the data folder with its tables at a place of their own.
    ///
    /// # Errors
    /// As for [`Store::open`], and when the database server cannot be reached.
    pub async fn open_at(dir: &Path, place: &Place) -> Result<Self, OpenError> {
        if dir.join(RESTORING).is_file() {
            return Err(OpenError::HalfRestored { dir: dir.to_owned() });
        }
        Self::open_restored(dir, place).await
    }

    /// As [`Store::open_at`], for the restore itself, whose folder nobody else may open before it is done.
    ///
    /// # Errors
    /// As for [`Store::open_at`].
    pub async fn open_restored(dir: &Path, place: &Place) -> Result<Self, OpenError> {
        let folder = |why: std::io::Error| OpenError::Folder { dir: dir.to_owned(), why: why.to_string() };
        make_private(dir).map_err(folder)?;
        tempfile_probe(dir).map_err(folder)?;
        let file = dir.join(DATABASE);
        let told = match place {
            Place::Folder | Place::Scratch => file.display().to_string(),
            Place::Postgres(address) => address.to_string(),
        };
        let failed = |source| OpenError::Database { place: told.clone(), source };
        let database = match place {
            Place::Folder => Database::file(&file).map_err(failed)?,
            Place::Scratch => Database::scratch(&file).map_err(failed)?,
            Place::Postgres(address) => Database::server(address),
        };
        let mut connection = database.connect().await.map_err(failed)?;
        database.migrate(&mut connection).await.map_err(failed)?;
        let key = audit::open_key(dir, database.begin(), &mut connection).await?;
        let keyring = Arc::new(keyring::open(dir, &mut connection).await?);
        let readers = database.readers().await.map_err(failed)?;
        let writer = Writer::spawn(connection, database.clone(), key);
        Ok(Self { writer, readers, database, keyring, dir: dir.to_owned() })
    }

    /// The folder this store lives in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// True when another data folder may use the same tables: they are on a database server.
    pub fn is_shared(&self) -> bool {
        self.database.dialect == Dialect::Postgres
    }

    /// The store as one shop sees it.
    pub fn shop(&self, shop: &ShopId) -> ShopStore {
        ShopStore { store: self.clone(), shop: shop.clone() }
    }

    /// Waits for pending commits, then closes the database.
    pub async fn close(self) {
        // The writer last: whoever closes last folds the write-ahead log into the database, and readers may not write.
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl ShopStore {
    /// The shop.
    pub fn id(&self) -> &ShopId {
        &self.shop
    }

    /// The whole store, for what belongs to no shop.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn readers(&self) -> &AnyPool {
        &self.store.readers
    }

    /// Runs one command in the next group commit. The answer arrives after the commit.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut DbConnection, ShopId) -> kit::BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let shop = self.shop.clone();
        self.store.writer.run(move |connection| work(connection, shop)).await
    }
}

/// A data folder holds addresses and mail: a new one is its owner's alone.
fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// SQLite reports a read-only folder late and oddly; asking first gives a clear answer.
fn tempfile_probe(dir: &Path) -> std::io::Result<()> {
    let probe = dir.join(".write-probe");
    std::fs::write(&probe, b"ok")?;
    match std::fs::remove_file(&probe) {
        // Another process asks the same at this moment and was faster.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Microseconds since 1970, as stored.
fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A stored time.
fn stamp(micros: i64, what: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|e| corrupt(what, e))
}

/// A stored value that cannot be read back.
fn corrupt(what: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { what: what.to_owned(), why: why.to_string() }
}

/// A value as stored JSON.
fn to_json<T: serde::Serialize>(value: &T, what: &str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| corrupt(what, e))
}

/// A value from stored JSON.
fn from_json<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| corrupt(what, e))
}
