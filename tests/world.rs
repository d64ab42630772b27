//! A whole shop in a folder of its own, made from a seed: invented names, products, people. No prompt, pattern or rule was
//! written for it. Tests fire webhooks at it, move its clock, decide as its people would, and read its outbox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod events;
mod fate;
mod mail;
mod oracle;
mod people;
mod shelf;
mod tongue;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex};

use esp::Outbox;
use kit::{Currency, Digest, Money, Principal, ProductId, Role, ShopId, Timestamp};
use mailwright::clock::{Clock as _, SetClock};
use mailwright::model::ChatModel;
use mailwright::release::{self, Files};
use mailwright::runs::Signal;
use mailwright::store::{Place, Store};
use mailwright::tenant::{Parts, Tenant};
use tempfile::TempDir;

pub(crate) use events::{Basket, Purchase};
pub(crate) use fate::{Fate, only_run};
pub(crate) use mail::Mail;
pub(crate) use people::Person;
pub(crate) use shelf::Shelf;

/// A Tuesday morning on which every story begins.
pub(crate) const MORNING: &str = "2026-11-17T10:00:00Z";

/// What a shop of a test is to be like.
pub(crate) struct Terms {
    seed: u64,
    checkout: String,
    after_purchase: String,
    win_back: String,
    holdout: u32,
    quiet: (u8, u8),
    caps: (u32, u32),
    expires_hours: u32,
    recall_seconds: u32,
    restless: bool,
    models: Vec<Arc<dyn ChatModel>>,
    reader: Option<Arc<dyn ChatModel>>,
    shelf: Shelf,
    place: Place,
}

/// A shop, open.
pub(crate) struct World {
    pub(crate) shelf: Shelf,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) files: Files,
    store: Store,
    shop: ShopId,
    folder: TempDir,
    place: Place,
    models: Vec<Arc<dyn ChatModel>>,
    reader: Option<Arc<dyn ChatModel>>,
    /// Closed and opened again before every step.
    restless: bool,
    numbers: Cell<u32>,
    people: RefCell<Vec<Person>>,
}

impl Terms {
    /// Trusted flows, no holdout, no quiet hours, room for many messages: whatever is not asked for stays out of the way.
    pub(crate) fn of(seed: u64) -> Self {
        Self {
            seed,
            checkout: trust("open"),
            after_purchase: trust("open"),
            win_back: trust("review"),
            holdout: 0,
            quiet: (0, 0),
            caps: (24, 50),
            expires_hours: 48,
            recall_seconds: 0,
            restless: false,
            models: Vec::new(),
            reader: None,
            shelf: Shelf::invented(seed),
            place: usual_place(),
        }
    }

    /// Keeps the tables somewhere else than in the folder.
    pub(crate) fn place(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// How far every flow is trusted: `open`, `review`, or `first`, which means the first twenty.
    pub(crate) fn trust(self, word: &str) -> Self {
        Self { checkout: trust(word), after_purchase: trust(word), win_back: trust(word), ..self }
    }

    /// A person sees the first so many checkout messages.
    pub(crate) fn first(self, sends: u32) -> Self {
        Self { checkout: format!("trust = \"first\"\nfirst_sends = {sends}"), ..self }
    }

    pub(crate) fn holdout(self, holdout: u32) -> Self {
        Self { holdout, ..self }
    }

    pub(crate) fn quiet(self, from: u8, to: u8) -> Self {
        Self { quiet: (from, to), ..self }
    }

    pub(crate) fn cap(self, day: u32, week: u32) -> Self {
        Self { caps: (day, week), ..self }
    }

    pub(crate) fn expires(self, expires_hours: u32) -> Self {
        Self { expires_hours, ..self }
    }

    /// So long an approval can be recalled, and nothing leaves with it.
    pub(crate) fn recall(self, recall_seconds: u32) -> Self {
        Self { recall_seconds, ..self }
    }

    /// Another process takes over before every step.
    pub(crate) fn restless(self) -> Self {
        Self { restless: true, ..self }
    }

    /// Models that are asked before the offline one.
    pub(crate) fn model(mut self, model: Arc<dyn ChatModel>) -> Self {
        self.models.push(model);
        self
    }

    /// The model that reads what strangers write.
    pub(crate) fn reader(self, reader: Arc<dyn ChatModel>) -> Self {
        Self { reader: Some(reader), ..self }
    }

    /// Changes what the shop sells.
    pub(crate) fn shelf(mut self, change: impl FnOnce(&mut Shelf)) -> Self {
        change(&mut self.shelf);
        self
    }

    /// What is on the shelf, as it will be sold.
    pub(crate) fn goods(&self) -> &[catalog::Product] {
        &self.shelf.products
    }

    pub(crate) fn currency(self, currency: Currency) -> Self {
        self.shelf(|shelf| {
            shelf.currency = currency;
            for product in &mut shelf.products {
                product.price.currency = currency;
                product.cost = product.cost.map(|cost| Money::new(cost.minor, currency));
            }
        })
    }

    pub(crate) async fn open(self) -> World {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at(MORNING.parse().unwrap()));
        let files = self.files();
        let shop = match &self.place {
            Place::Folder => set_up(folder.path(), &files, &self.shelf, clock.now()).await,
            Place::Scratch | Place::Postgres(_) => {
                fill(folder.path(), &self.place, &files, &self.shelf, clock.now()).await
            }
        };
        let store = Store::open_at(folder.path(), &self.place).await.unwrap();
        let Self { seed, shelf, models, reader, restless, place, .. } = self;
        let parts = parts(&folder, clock.clone(), &models, reader.clone());
        let tenant = Arc::new(Tenant::open(&store, &shop, parts).await.unwrap());
        let (numbers, people) = (Cell::new(0), RefCell::default());
        let world = World {
            shelf,
            clock,
            tenant,
            files,
            store,
            shop,
            folder,
            place,
            models,
            reader,
            restless,
            numbers,
            people,
        };
        world.bystanders(seed).await;
        world
    }

    /// The shipped prompts and rules with this shop's own settings, graph and policy.
    fn files(&self) -> Files {
        let mut files = release::defaults();
        files.retain(|path, _| !path.starts_with("knowledge/graph/"));
        let ladder = files["knowledge/offers/ladder.toml"].replace("\"EUR\"", &format!("\"{}\"", self.shelf.currency));
        let recall = format!("seconds = {}", self.recall_seconds);
        let approvals = files["knowledge/policy/approvals.toml"].replace("seconds = 60", &recall);
        for (path, text) in [
            ("policy/approvals.toml", approvals),
            ("shop.toml", self.shelf.settings("Europe/Vienna")),
            ("graph/all.toml", self.shelf.graph(self.seed)),
            ("offers/ladder.toml", ladder),
            ("policy/sending.toml", self.sending()),
            ("policy/risk.toml", self.risk()),
        ] {
            files.insert(format!("knowledge/{path}"), text);
        }
        files
    }

    fn sending(&self) -> String {
        let Self { caps: (day, week), holdout, quiet: (from, to), .. } = self;
        format!(
            "schema = \"mailwright.sending/1\"\ncap_day = {day}\ncap_week = {week}\nholdout_percent = {holdout}\n[quiet]\nfrom = {from}\nto = {to}\n"
        )
    }

    fn risk(&self) -> String {
        let Self { expires_hours, checkout, after_purchase, win_back, .. } = self;
        format!(
            "schema = \"mailwright.policy/1\"\n[approval]\nexpires_hours = {expires_hours}\n\
             [rules]\nvip = true\nnew_offer = true\naudience_above = 1\nconfidence_at_most = \"low\"\n\
             [rules.said]\ntopics = [\"health\", \"legal\", \"hardship\"]\ndays = 30\n\
             [flow.abandoned-checkout]\n{checkout}\n[flow.post-purchase]\n{after_purchase}\n[flow.win-back]\n{win_back}\n"
        )
    }
}

fn trust(word: &str) -> String {
    let first = if word == "first" { "\nfirst_sends = 20" } else { "" };
    format!("trust = \"{word}\"{first}")
}

/// A folder's files, by name.
type Contents = Vec<(OsString, Vec<u8>)>;

/// Sets a shop up in a folder, with its products. Reading a release takes longer than a whole story does, so a shop that
/// was set up before in this process is copied from then.
async fn set_up(folder: &Path, files: &Files, shelf: &Shelf, now: Timestamp) -> ShopId {
    static KNOWN: Mutex<BTreeMap<Digest, (ShopId, Contents)>> = Mutex::new(BTreeMap::new());
    let key = Digest::of_bytes(serde_json::to_string(&(files, &shelf.products)).unwrap().as_bytes());
    if let Some((shop, contents)) = KNOWN.lock().unwrap().get(&key) {
        for (name, bytes) in contents {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        return shop.clone();
    }
    let shop = fill(folder, &Place::Folder, files, shelf, now).await;
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let contents = entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect();
    KNOWN.lock().unwrap().insert(key, (shop.clone(), contents));
    shop
}

async fn fill(folder: &Path, place: &Place, files: &Files, shelf: &Shelf, now: Timestamp) -> ShopId {
    let store = Store::open_at(folder, place).await.unwrap();
    let shop = Tenant::set_up(&store, files.clone(), now).await.unwrap();
    let rows = mailwright::intake::product_rows(&shelf.products).unwrap();
    store.shop(&shop).put_products(rows, now).await.unwrap();
    store.close().await;
    shop
}

/// In the folder, or all stories on PostgreSQL: `MAILWRIGHT_TEST_STORE=postgres cargo test metamorphic`.
fn usual_place() -> Place {
    match std::env::var("MAILWRIGHT_TEST_STORE").as_deref() {
        Ok("postgres") => crate::postgres::shared().expect("asked for PostgreSQL, which cannot be had").place(),
        _ => Place::Folder,
    }
}

fn parts(
    folder: &TempDir,
    clock: Arc<SetClock>,
    models: &[Arc<dyn ChatModel>],
    reader: Option<Arc<dyn ChatModel>>,
) -> Parts {
    let esp = Arc::new(Outbox::open(folder.path().join("outbox")).unwrap());
    Parts { reader, ..Parts::new(clock, esp, models.to_vec()) }
}

/// Somebody of the shop's team.
pub(crate) fn team(name: &str, role: Role) -> Principal {
    Principal::User { name: name.to_owned(), role }
}

impl World {
    /// What a server of this shop is opened with.
    pub(crate) fn parts(&self) -> Parts {
        parts(&self.folder, self.clock.clone(), &self.models, self.reader.clone())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn later(&self, hours: i64) {
        self.clock.set(self.now() + jiff::SignedDuration::from_hours(hours));
    }

    /// A number that was not used yet, for ids.
    fn number(&self) -> u32 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Ends this process and begins another one on the same folder.
    pub(crate) async fn restart(&mut self) {
        let folder = self.folder.path().to_owned();
        let fresh = Store::open_at(&folder, &self.place).await.unwrap();
        let before = std::mem::replace(&mut self.store, fresh);
        self.tenant = Arc::new(Tenant::open(&self.store, &self.shop, self.parts()).await.unwrap());
        before.close().await;
    }

    pub(crate) async fn step(&mut self) {
        if self.restless {
            self.restart().await;
        }
    }

    /// Puts another release in force, made from the present one.
    pub(crate) async fn release(&mut self, change: impl FnOnce(&mut Files)) {
        change(&mut self.files);
        Tenant::set_up(&self.store, self.files.clone(), self.now()).await.unwrap();
        self.restart().await;
    }

    /// What the shop's platform does when units are sold or come in.
    pub(crate) async fn stock(&self, product: &ProductId, units: i64) {
        assert!(self.tenant.store.set_stock(product, units, self.now()).await.unwrap());
        self.tenant.catalog.set_stock(product, units).unwrap();
    }

    pub(crate) async fn price(&self, product: &ProductId, minor: i64) {
        assert!(self.tenant.store.set_price(product, minor, self.now()).await.unwrap());
        self.tenant.catalog.set_price(product, Money::new(minor, self.shelf.currency)).unwrap();
    }

    pub(crate) fn price_of(&self, product: &ProductId) -> i64 {
        self.tenant.catalog.live(product).unwrap().price.minor
    }

    pub(crate) async fn kill(&self, scope: &str) {
        self.tenant.store.kill_on(scope, "something is wrong", &team("ops", Role::Admin), self.now()).await.unwrap();
    }

    /// As `mailwright kill off`: the switch, then every run that it held.
    pub(crate) async fn revive(&self, scope: &str) {
        assert!(self.tenant.store.kill_off(scope, &team("ops", Role::Admin), self.now()).await.unwrap());
        for run in self.tenant.store.runs(1000).await.unwrap() {
            if run.wait_for.as_deref().is_some_and(|w| w.contains("kill switch")) {
                self.tenant.send_signal(&run.id, &Signal::Released).await.unwrap();
            }
        }
    }
}
