//! The keys that payloads about people are sealed under: one a person and shop, wrapped under the installation's master key.
//!
//! `master.key` stands in the data folder, the wrapped keys in the database: whoever has only one of the two reads nothing. A
//! key is made when something about its person is first sealed, and goes with them ([`ShopStore::erase_customer`]): what is
//! still somewhere under it, in a copy of the tables too, is then unreadable. What has no customer (a conversation, the
//! writing of a message class) has a key of its own under the name that stands in a customer's place.
//!
//! Keys lately used stay in memory, so that a run asks for its key once.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::aead::RandomizedNonceKey;
use kit::{RunId, StoreError, Timestamp};

use super::error::map;
use super::recent::Recent;
use super::seal::{KEY, Opener, SealKey, cipher, decrypt, encrypt, key_id};
use super::settings::EVERYWHERE;
use super::{DbConnection, OpenError, ShopStore, corrupt};
use crate::keyfile;

/// The master key's file within a data folder.
pub const MASTER_KEY: &str = "master.key";
/// The key id and the subject of the row that only the right master key opens.
const CHECK: &str = "master";
/// Keys in memory, at least; each is about a kilobyte.
const RECENT: usize = 1024;
/// Keys read in one statement.
const TOGETHER: usize = 8;

/// The keys of an open store.
pub(super) struct Keyring {
    master: RandomizedNonceKey,
    held: Mutex<Held>,
}

struct Held {
    /// Counts erasures: what was read before one is not kept after it.
    erasures: u64,
    /// By shop and key id.
    keys: Recent<(String, String), Arc<SealKey>>,
    /// By shop and subject.
    subjects: Recent<(String, String), Arc<SealKey>>,
    /// The subjects of runs, by shop and run.
    runs: Recent<(String, String), String>,
    /// Until when nobody but this process erased anybody.
    leased_until: Option<Timestamp>,
}

impl Keyring {
    fn new(master: RandomizedNonceKey) -> Self {
        let held = Held {
            erasures: 0,
            keys: Recent::new(RECENT),
            subjects: Recent::new(RECENT),
            runs: Recent::new(RECENT),
            leased_until: None,
        };
        Self { master, held: Mutex::new(held) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing under the lock can leave it half-changed.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many erasures there have been.
    pub(super) fn erasures(&self) -> u64 {
        self.held().erasures
    }

    /// Remembers whom a run is about, as read when so many erasures had been.
    pub(super) fn note_run(&self, shop: &str, run: &str, subject: &str, erasures: u64) {
        let mut held = self.held();
        if held.erasures == erasures {
            held.runs.put((shop.to_owned(), run.to_owned()), subject.to_owned());
        }
    }

    /// Forgets the keys of a subject, or of a whole shop, after they were deleted.
    pub(super) fn forget(&self, shop: &str, subject: Option<&str>) {
        let mut held = self.held();
        held.erasures += 1;
        let stays = |of: &str, about: &str| of != shop || subject.is_some_and(|subject| subject != about);
        held.keys.retain(|(of, _), key| stays(of, key.subject()));
        held.subjects.retain(|(of, about), _| stays(of, about));
        held.runs.retain(|(of, _), about| stays(of, about));
    }

    /// Notes a lease. Where there was none before, another process may have erased people: nothing from then is kept.
    pub(super) fn leased(&self, now: Timestamp, until: Timestamp) {
        let mut held = self.held();
        if held.leased_until.replace(until).is_none_or(|before| before < now) {
            held.erasures += 1;
            held.keys.retain(|_, _| false);
            held.subjects.retain(|_, _| false);
            held.runs.retain(|_, _| false);
        }
    }

    /// Keeps a key that is committed, as known when so many erasures had been.
    fn keep(&self, key: &Arc<SealKey>, erasures: u64) {
        let mut held = self.held();
        if held.erasures == erasures {
            held.keys.put((key.shop().to_owned(), key.id().to_owned()), Arc::clone(key));
            held.subjects.put((key.shop().to_owned(), key.subject().to_owned()), Arc::clone(key));
        }
    }

    /// Keeps a key after the commit that wrote it.
    pub(super) fn written(&self, key: &KeyToWrite) {
        self.keep(&key.key, key.erasures);
    }

    fn of_subject(&self, shop: &str, subject: &str) -> (Option<Arc<SealKey>>, u64) {
        let mut held = self.held();
        (held.subjects.get(&(shop.to_owned(), subject.to_owned())), held.erasures)
    }

    fn of_run(&self, shop: &str, run: &str) -> (Option<String>, u64) {
        let mut held = self.held();
        (held.runs.get(&(shop.to_owned(), run.to_owned())), held.erasures)
    }

    /// A key as it stands in the tables.
    fn wrap(&self, shop: &str, subject: &str, id: &str, secret: &[u8]) -> Result<String, StoreError> {
        encrypt(&self.master, &bound_to(shop, subject, id), secret).map(hex::encode)
    }

    fn unwrap(&self, shop: &str, subject: &str, id: &str, wrapped: &str) -> Result<Vec<u8>, StoreError> {
        let sealed = hex::decode(wrapped).ok();
        let opened = sealed.and_then(|sealed| decrypt(&self.master, &bound_to(shop, subject, id), &sealed));
        opened.ok_or_else(|| {
            corrupt("sealing key", format!("key {id} does not open under {MASTER_KEY}: one of the two was changed"))
        })
    }

    fn read(&self, shop: &str, (id, subject, wrapped): &(String, String, String)) -> Result<Arc<SealKey>, StoreError> {
        let secret = self.unwrap(shop, subject, id, wrapped)?;
        Ok(Arc::new(SealKey::new(shop, subject, id, &secret)?))
    }

    /// What opens these stored values: their keys, from memory or read on this connection. What is read is not kept in memory:
    /// on the writer's connection it may belong to a command that is not committed.
    pub(super) async fn opener<'a>(
        &self,
        c: &mut DbConnection,
        shop: &str,
        stored: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Opener, StoreError> {
        let (mut opener, missing, _) = self.known(shop, stored);
        for some in missing.chunks(TOGETHER) {
            // Always as many places, so that it is one statement.
            let places: Vec<String> = (2..2 + TOGETHER).map(|n| format!("${n}")).collect();
            let sql = format!(
                "SELECT key_id, subject, wrapped FROM sealing_keys WHERE shop_id = $1 AND key_id IN ({})",
                places.join(", ")
            );
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(shop);
            for n in 0..TOGETHER {
                query = query.bind(some.get(n).map_or("", String::as_str));
            }
            let rows: Vec<(String, String, String)> = query.fetch_all(&mut *c).await.map_err(map)?;
            for row in rows {
                opener.keys.insert(row.0.clone(), self.read(shop, &row)?);
            }
        }
        Ok(opener)
    }

    /// Keys that are in memory, the ids of those that are not, and how many erasures there had been.
    fn known<'a>(&self, shop: &str, stored: impl IntoIterator<Item = &'a [u8]>) -> (Opener, Vec<String>, u64) {
        let (mut opener, mut missing) = (Opener::default(), Vec::new());
        let mut held = self.held();
        for id in stored.into_iter().filter_map(key_id) {
            if opener.keys.contains_key(id) || missing.iter().any(|known: &String| known == id) {
                continue;
            }
            match held.keys.get(&(shop.to_owned(), id.to_owned())) {
                Some(key) => drop(opener.keys.insert(id.to_owned(), key)),
                None => missing.push(id.to_owned()),
            }
        }
        (opener, missing, held.erasures)
    }
}

/// A key to seal with, and what is to be written of it when it is new.
#[derive(Debug, Clone)]
pub(super) struct KeyToWrite {
    pub(super) key: Arc<SealKey>,
    wrapped: Option<String>,
    erasures: u64,
}

impl KeyToWrite {
    pub(super) fn is_new(&self) -> bool {
        self.wrapped.is_some()
    }

    /// Writes the key if it is new, within the command that writes what is sealed under it. False when somebody has made
    /// another one meanwhile, which counts: then nothing may be written that is sealed under this one.
    pub(super) async fn put(&self, c: &mut DbConnection) -> Result<bool, StoreError> {
        let Some(wrapped) = &self.wrapped else { return Ok(true) };
        let made = sqlx::query(INSERT)
            .bind(self.key.shop())
            .bind(self.key.id())
            .bind(self.key.subject())
            .bind(wrapped)
            .execute(c)
            .await
            .map_err(map)?;
        Ok(made.rows_affected() > 0)
    }
}

/// A wrapped key opens for its shop, subject and id only.
fn bound_to(shop: &str, subject: &str, id: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in ["mailwright.key/1", shop, subject, id] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| StoreError::Unavailable(format!("the system gives no random numbers: {e}")))?;
    Ok(bytes)
}

impl ShopStore {
    pub(super) fn keyring(&self) -> &Arc<Keyring> {
        &self.store.keyring
    }

    /// What opens these stored values.
    pub(super) async fn opener<'a>(
        &self,
        stored: impl IntoIterator<Item = &'a [u8]> + Clone,
    ) -> Result<Opener, StoreError> {
        let shop = self.shop.as_str();
        let (known, missing, erasures) = self.keyring().known(shop, stored.clone());
        if missing.is_empty() {
            return Ok(known);
        }
        let mut connection = self.readers().acquire().await.map_err(map)?;
        let opener = self.keyring().opener(&mut connection, shop, stored).await?;
        for key in missing.iter().filter_map(|id| opener.keys.get(id)) {
            self.keyring().keep(key, erasures);
        }
        Ok(opener)
    }

    /// The key of a subject, made in a commit of its own when there is none yet.
    pub(super) async fn seal_key(&self, subject: &str) -> Result<Arc<SealKey>, StoreError> {
        loop {
            let key = self.key_to_write(subject).await?;
            if !key.is_new() {
                return Ok(key.key);
            }
            let own = key.clone();
            if self.write(move |c, _| Box::pin(async move { own.put(c).await })).await? {
                self.keyring().written(&key);
                return Ok(key.key);
            }
        }
    }

    /// The key of a subject. One that is new is not written yet: the command that writes what is sealed under it does that
    /// ([`KeyToWrite::put`]).
    pub(super) async fn key_to_write(&self, subject: &str) -> Result<KeyToWrite, StoreError> {
        let shop = self.shop.as_str();
        let (known, erasures) = self.keyring().of_subject(shop, subject);
        if let Some(key) = known {
            return Ok(KeyToWrite { key, wrapped: None, erasures });
        }
        let row: Option<(String, String, String)> =
            sqlx::query_as(OF_SUBJECT).bind(shop).bind(subject).fetch_optional(self.readers()).await.map_err(map)?;
        if let Some(row) = row {
            let key = self.keyring().read(shop, &row)?;
            self.keyring().keep(&key, erasures);
            return Ok(KeyToWrite { key, wrapped: None, erasures });
        }
        let (id, secret) = (hex::encode(random::<8>()?), random::<KEY>()?);
        let wrapped = self.keyring().wrap(shop, subject, &id, &secret)?;
        let key = Arc::new(SealKey::new(shop, subject, &id, &secret)?);
        Ok(KeyToWrite { key, wrapped: Some(wrapped), erasures })
    }

    /// The key of whom a run is about; `None` when there is no such run, or its person was erased.
    pub(super) async fn run_key(&self, run: &RunId) -> Result<Option<Arc<SealKey>>, StoreError> {
        let shop = self.shop.as_str();
        let (known, erasures) = self.keyring().of_run(shop, run.as_str());
        let subject = match known {
            Some(subject) => subject,
            None => {
                let row: Option<(String,)> =
                    sqlx::query_as("SELECT customer_id FROM runs WHERE shop_id = $1 AND run_id = $2 AND plan <> ''")
                        .bind(shop)
                        .bind(run.as_str())
                        .fetch_optional(self.readers())
                        .await
                        .map_err(map)?;
                let Some((subject,)) = row else { return Ok(None) };
                self.keyring().note_run(shop, run.as_str(), &subject, erasures);
                subject
            }
        };
        self.seal_key(&subject).await.map(Some)
    }

    /// As [`ShopStore::run_key`], for what may be written about a run that is there only.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not, or its person was erased.
    pub(super) async fn key_of_run(&self, run: &RunId) -> Result<Arc<SealKey>, StoreError> {
        self.run_key(run).await?.ok_or_else(|| StoreError::Conflict(format!("run {run}")))
    }
}

const OF_SUBJECT: &str = "SELECT key_id, subject, wrapped FROM sealing_keys WHERE shop_id = $1 AND subject = $2";
const INSERT: &str =
    "INSERT INTO sealing_keys (shop_id, key_id, subject, wrapped) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

/// Deletes the key of a subject.
pub(super) async fn destroy(c: &mut DbConnection, shop: &str, subject: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sealing_keys WHERE shop_id = $1 AND subject = $2")
        .bind(shop)
        .bind(subject)
        .execute(c)
        .await
        .map(|_| ())
        .map_err(map)
}

/// Reads the master key of a data folder. When nothing in the tables is sealed yet, makes it.
///
/// # Errors
/// [`OpenError::MasterKey`] when the tables were sealed under a key that is not in this folder.
pub(super) async fn open(dir: &Path, c: &mut DbConnection) -> Result<Keyring, OpenError> {
    let database = |source| OpenError::Database { place: "sealing keys".to_owned(), source };
    if let Some(keyring) = check(dir, c).await? {
        return Ok(keyring);
    }
    let folder = |why: keyfile::KeyFileError| OpenError::Folder { dir: dir.to_owned(), why: why.to_string() };
    let keyring = master(&keyfile::read_or_make(&dir.join(MASTER_KEY)).map_err(folder)?).map_err(database)?;
    let wrapped =
        random::<KEY>().and_then(|secret| keyring.wrap(EVERYWHERE, CHECK, CHECK, &secret)).map_err(database)?;
    let row = sqlx::query(INSERT).bind(EVERYWHERE).bind(CHECK).bind(CHECK).bind(&wrapped);
    row.execute(&mut *c).await.map_err(map).map_err(database)?;
    // Another folder of the same database may have been faster with another key.
    check(dir, c).await?.ok_or_else(|| database(corrupt("sealing key", "the row just inserted is missing")))
}

/// The keys of tables that are there, with the master key of a folder; `None` when nothing is sealed yet. Changes nothing.
///
/// # Errors
/// [`OpenError::MasterKey`] when the folder has no master key, or another one.
pub(super) async fn check(dir: &Path, c: &mut DbConnection) -> Result<Option<Keyring>, OpenError> {
    let database = |source| OpenError::Database { place: "sealing keys".to_owned(), source };
    let row: Option<(String, String, String)> = sqlx::query_as(OF_SUBJECT)
        .bind(EVERYWHERE)
        .bind(CHECK)
        .fetch_optional(c)
        .await
        .map_err(map)
        .map_err(database)?;
    let Some((id, subject, wrapped)) = row else { return Ok(None) };
    let folder = |why: keyfile::KeyFileError| OpenError::Folder { dir: dir.to_owned(), why: why.to_string() };
    let other = |why| OpenError::MasterKey { dir: dir.to_owned(), why };
    let secret = keyfile::read(&dir.join(MASTER_KEY)).map_err(folder)?.ok_or_else(|| other("is not there"))?;
    let keyring = master(&secret).map_err(database)?;
    let opens = keyring.unwrap(EVERYWHERE, &subject, &id, &wrapped).is_ok();
    if opens { Ok(Some(keyring)) } else { Err(other("is another one than the tables were sealed with")) }
}

fn master(secret: &str) -> Result<Keyring, StoreError> {
    let secret = hex::decode(secret).map_err(|e| corrupt("master key", e))?;
    cipher(&secret).map(Keyring::new)
}
