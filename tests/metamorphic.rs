//! Relations between two stories that differ in one thing: what must follow, and that nothing else does.
//!
//! Every relation runs over shops that nobody wrote a prompt or rule for ([`crate::world`]), and every mail that leaves passes
//! the oracle there. A story begins from [`Scene`]: somebody who agreed to mail leaves a cart, in a shop that trusts its
//! flows, and gets one mail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod again;
mod approvals;
mod budgets;
mod cart;
mod consent;
mod controls;
mod faults;
mod gates;
mod hostile;
mod injection;
mod limits;
mod offers;
mod orders;
mod people;
mod price;
mod privacy;
mod quarantine;
mod rules;
mod signing;
mod stock;
mod tickets;
mod trust;

use std::collections::BTreeMap;
use std::sync::Mutex;

use kit::{CustomerId, ProductId, RunId};

use crate::world::{Basket, Fate, Mail, Person, Terms, World, only_run};

/// The shops that every relation is tried in.
const SEEDS: [u64; 3] = [11, 42, 2026];

/// Runs a story in every shop.
fn in_every_shop(story: impl AsyncFn(u64)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for seed in SEEDS {
        // Shown when the story fails.
        println!("shop {seed}");
        runtime.block_on(story(seed));
    }
}

/// A cart was left; its run waits for its time.
struct Scene {
    world: World,
    reader: CustomerId,
    lead: ProductId,
    /// What was fired.
    basket: Basket,
    run: RunId,
}

impl Scene {
    /// The plain story.
    async fn plain(seed: u64) -> Self {
        Self::of(Terms::of(seed)).await
    }

    async fn of(terms: Terms) -> Self {
        Self::with(terms, |_| {}).await
    }

    /// With somebody special.
    async fn with(terms: Terms, change: impl FnOnce(&mut Person)) -> Self {
        let world = terms.open().await;
        Self::in_world(world, change).await
    }

    async fn in_world(mut world: World, change: impl FnOnce(&mut Person)) -> Self {
        let mut person = world.person();
        change(&mut person);
        let reader = world.join(person).await;
        let lead = world.shelf.lead();
        let basket = world.basket(&reader, std::slice::from_ref(&lead));
        let intake = world.fire(&basket).await;
        Self { run: only_run(&intake), world, reader, lead, basket }
    }

    /// What the run comes to at its time.
    async fn settle(&mut self) -> Fate {
        let run = self.run.clone();
        self.world.in_time(&run).await
    }

    /// Where the run is now.
    async fn now(&mut self) -> Fate {
        let run = self.run.clone();
        self.world.drive(&run).await
    }

    /// The same cart once more, as another event.
    fn same_cart(&self) -> Basket {
        let fresh = self.world.basket(&self.reader, std::slice::from_ref(&self.lead));
        Basket { cart: self.basket.cart.clone(), url: self.basket.url.clone(), ..fresh }
    }

    fn title(&self, product: &ProductId) -> String {
        self.world.shelf.product_of(product).title.clone()
    }

    /// Nothing is in the outbox.
    fn nothing_left(&self) {
        assert_eq!(self.world.outbox(), []);
    }

    /// One mail is in the outbox: the plain one, to the letter.
    async fn plain_mail_left(&self, seed: u64) {
        let outbox = self.world.outbox();
        assert_eq!(outbox.len(), 1);
        assert_eq!(outbox[0].message(), plain_mail(seed).await.message());
    }
}

/// The mail of the plain story.
async fn plain_mail(seed: u64) -> Mail {
    static KNOWN: Mutex<BTreeMap<u64, Mail>> = Mutex::new(BTreeMap::new());
    if let Some(mail) = KNOWN.lock().unwrap().get(&seed) {
        return mail.clone();
    }
    let mail = Scene::plain(seed).await.settle().await.mail();
    KNOWN.lock().unwrap().insert(seed, mail.clone());
    mail
}

#[test]
fn the_plain_story_sends_one_mail_about_the_cart() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let mail = scene.settle().await.mail();
        println!("{}\n{}", mail.subject, mail.text);
        assert!(mail.shows(&scene.title(&scene.lead)));
        assert!(mail.links().iter().any(|link| link.contains("/cart/")));
        assert_eq!(scene.world.outbox().len(), 1);
    });
}
