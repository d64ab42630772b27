//! One active process a database: a lock on the data folder, and a lease in the database.
//!
//! The lock goes with its process, however that dies, so that a restart on the same folder need not wait. The lease is for two
//! folders, on two machines perhaps, that share a database: it must be renewed there, and who cannot renew it stops.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use kit::{StoreError, Timestamp};

use crate::clock::Clock;
use crate::keyfile::{self, KeyFileError};
use crate::store::Store;

/// The lock's name in the data folder.
const LOCK: &str = "active.lock";
/// How long a lease lasts without being renewed.
const TERM: SignedDuration = SignedDuration::from_secs(15);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(4);

/// Why this process may not drive runs.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another process has the folder.
    #[error("another process drives the runs of {}; one at a time", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
    },
    /// Another folder has the database.
    #[error("another process drives the runs of this database until {until}, from another data folder ({holder})")]
    Database {
        /// The folder's name for itself.
        holder: String,
        /// Until when, unless it renews.
        until: Timestamp,
    },
    /// It was lost.
    #[error("the lease could not be renewed in time and is over: this process must stop driving runs")]
    Lost,
    /// The folder cannot be locked.
    #[error("the lock {} cannot be had: {source}", file.display())]
    Lock {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder's name for itself.
    #[error(transparent)]
    Name(#[from] KeyFileError),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The right to drive the runs of a database. Dropped, the folder is free; [`Lease::give_back`] frees the database at once.
pub struct Lease {
    store: Store,
    clock: Arc<dyn Clock>,
    holder: String,
    // Held, not read: the lock lasts as long as the file is open.
    _lock: File,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Lease {
    /// Takes the lease of a store. The clock must be the machine's own: leases are about processes, not about the shop.
    ///
    /// # Errors
    /// [`LeaseError`] saying who has it.
    pub async fn take(store: &Store, clock: Arc<dyn Clock>) -> Result<Self, LeaseError> {
        let lock = lock(store.dir()).await?;
        // 16 of its characters name the folder; it is no secret, only its own.
        let holder: String = keyfile::read_or_make(&store.dir().join("instance.id"))?.chars().take(16).collect();
        let lease = Self { store: store.clone(), clock, holder, _lock: lock };
        if !lease.renew().await? {
            let other = store.lease().await?;
            let (holder, until) =
                other.map_or_else(|| ("unknown".to_owned(), lease.clock.now()), |row| (row.holder, row.until));
            return Err(LeaseError::Database { holder, until });
        }
        Ok(lease)
    }

    async fn renew(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.store.take_lease(&self.holder, now, now.checked_add(TERM).unwrap_or(now)).await
    }

    /// Renews until the lease is lost, which is when it returns.
    pub async fn keep(&self) -> LeaseError {
        let mut held_until = self.clock.now().checked_add(TERM).unwrap_or(Timestamp::MAX);
        loop {
            tokio::time::sleep(RENEWAL).await;
            match self.renew().await {
                Ok(true) => held_until = self.clock.now().checked_add(TERM).unwrap_or(Timestamp::MAX),
                Ok(false) => return LeaseError::Lost,
                // The database may be back before the lease is over. One in the folder is nobody else's, since the lock
                // keeps others out: a disk that is full for an hour is no reason to go, and senders are told to wait.
                Err(error) if !self.store.is_shared() || self.clock.now() < held_until => {
                    tracing::warn!(%error, "the lease could not be renewed");
                }
                Err(_) => return LeaseError::Lost,
            }
        }
    }

    /// Frees the database for another folder at once.
    ///
    /// # Errors
    /// When storage cannot answer; the lease ends by itself then.
    pub async fn give_back(self) -> Result<(), StoreError> {
        self.store.give_lease_back(&self.holder).await
    }
}

/// Takes the folder's lock. A command line that is just asking whether it is taken is waited for.
async fn lock(dir: &Path) -> Result<File, LeaseError> {
    let lock = open_lock(dir)?;
    for _ in 0..20 {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(25)).await,
            Err(TryLockError::Error(source)) => return Err(LeaseError::Lock { file: dir.join(LOCK), source }),
        }
    }
    Err(LeaseError::Folder { dir: dir.to_owned() })
}

/// True while a process drives the runs of this data folder.
///
/// # Errors
/// When the lock cannot be looked at.
pub fn is_taken(dir: &Path) -> Result<bool, LeaseError> {
    if !dir.join(LOCK).exists() {
        return Ok(false);
    }
    match open_lock(dir)?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(LeaseError::Lock { file: dir.join(LOCK), source }),
    }
}

fn open_lock(dir: &Path) -> Result<File, LeaseError> {
    let file = dir.join(LOCK);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&file).map_err(|source| LeaseError::Lock { file, source })
}
