//! Whole stories with the tables on a PostgreSQL server: through the library, and through the binary.

use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::store::{Address, MASTER_KEY, Place, Store};

use crate::binary::{AFTERNOON, Folder, MORNING, bare, block_on, told, webhook};
use crate::postgres::{self, PASSWORD};
use crate::world::{Fate, Terms, only_run};

/// A checkout is left and written about, once, with another process at every step.
#[test]
fn a_checkout_becomes_one_mail() {
    let Some(server) = postgres::shared() else { return };
    block_on(async {
        let mut world = Terms::of(42).place(server.place()).restless().open().await;
        let reader = world.reader().await;
        let basket = world.basket(&reader, &[world.shelf.lead()]);
        let intake = world.fire(&basket).await;
        world.in_time(&only_run(&intake)).await.mail();
        assert!(world.fire(&basket).await.repeated);
        assert_eq!(world.outbox().len(), 1);
    });
}

/// What a person approves goes out, and an order calls off what waits.
#[test]
fn approvals_and_orders_count() {
    let Some(server) = postgres::shared() else { return };
    block_on(async {
        let mut world = Terms::of(11).place(server.place()).trust("review").open().await;
        let (one, other) = (world.reader().await, world.reader().await);
        let lead = world.shelf.lead();
        let mut runs = Vec::new();
        for customer in [&one, &other] {
            let basket = world.basket(customer, std::slice::from_ref(&lead));
            runs.push(only_run(&world.fire(&basket).await));
        }
        for run in &runs {
            assert!(matches!(world.in_time(run).await, Fate::Waiting(_)));
        }
        assert_eq!(world.buys(&other, std::slice::from_ref(&lead)).await.cancelled, [runs[1].clone()]);
        world.approve_all().await;
        world.drive(&runs[0]).await.mail();
        assert!(!matches!(world.drive(&runs[1]).await, Fate::Sent(_)));
        assert_eq!(world.outbox().len(), 1);
    });
}

/// The tables are shared; what opens them is in the folder.
#[test]
fn another_folder_needs_the_same_master_key() {
    let Some(server) = postgres::shared() else { return };
    let (place, one, other) = (server.place(), Folder::empty(), Folder::empty());
    block_on(async {
        Store::open_at(one.path(), &place).await.unwrap().close().await;
        let refused = Store::open_at(other.path(), &place).await.unwrap_err().to_string();
        assert!(refused.contains("master.key is not there"), "{refused}");
        std::fs::copy(one.path().join(MASTER_KEY), other.path().join(MASTER_KEY)).unwrap();
        Store::open_at(other.path(), &place).await.unwrap().close().await;
    });
}

#[test]
fn the_commands_work_on_a_server() {
    let Some(server) = postgres::shared() else { return };
    let (folder, database) = (Folder::empty(), server.database());
    let run = |at: &str, args: &[&str]| {
        let mut command = bare(args);
        command.arg("--data").arg(folder.path()).args(["--at", at, "--json", "--store", &server.url(&database)]);
        command.env("MAILWRIGHT_STORE_PASSWORD", PASSWORD);
        let told = told(&mut command);
        assert!(told.status.success() && !told.err.contains(PASSWORD), "{args:?}: {told:?}");
        serde_json::from_str::<serde_json::Value>(&told.out).unwrap()
    };
    // The sample shop with few people: setting up all of them takes a while.
    block_on(async {
        let place = Place::Postgres(Address::parse(&server.url(&database), Some(PASSWORD)).unwrap());
        let store = Store::open_at(folder.path(), &place).await.unwrap();
        let spec = SampleSpec { customers: 60, ..SampleSpec::default() };
        sample_shop::set_up(&store, &spec, MORNING.parse().unwrap(), &|_, _| {}).await.unwrap();
        store.close().await;
    });
    run(MORNING, &["trigger", "shopify", "checkouts/update", &webhook("shopify-checkouts-update-ada")]);
    let pending = run(AFTERNOON, &["approvals", "list"]);
    let id = pending[0]["approval"].as_str().or(pending[0]["id"].as_str()).unwrap().to_owned();
    run(AFTERNOON, &["approvals", "show", &id]);
    run(AFTERNOON, &["approvals", "approve", &id, "--as", "nora"]);
    run(AFTERNOON, &["runs", "resume"]);
    let sends = block_on(server.rows(&database, "SELECT state FROM sends"));
    assert_eq!(sends, ["sent"]);
    assert_eq!(folder.mails().len(), 1);
    assert!(!folder.path().join("mailwright.db").exists());
}
