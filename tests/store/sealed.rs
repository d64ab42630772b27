//! Payloads about people: sealed in the tables, opened by every door, and unreadable once the person is erased.

use std::fs;
use std::path::Path;

use kit::{CustomerId, Digest, EventId, RunId, StoreError};
use mailwright::store::{
    Admission, DATABASE, InboxState, JournalRow, MASTER_KEY, OpenError, ParkedState, RunState, ShopStore, Store,
};

use super::people::customer;
use super::suite::{event, minutes, new_run};
use super::{Home, now, shop};

/// Words about Ada that stand in nothing but sealed values.
const PLANTED: &str = "she-likes-nubuck-7f3a";
/// What the tables may say of her run.
const VISIBLE: &str = "waits-for-a-person-51c2";

fn row(seq: u32, words: &str) -> JournalRow {
    let body = format!("{{\"said\":\"{words}\"}}");
    JournalRow { seq, step: "model".to_owned(), input_hash: Digest::of_bytes(body.as_bytes()), body, at: now() }
}

fn state() -> ParkedState {
    ParkedState { seq: 2, version: 1, body: format!("{{\"state\":\"{PLANTED}\"}}") }
}

/// A run of a customer with everything that can be stored about it.
async fn story(store: &ShopStore, name: &str, who: &str) -> RunId {
    store.put_customers(vec![customer(who)]).await.unwrap();
    let new = mailwright::store::NewRun { customer: CustomerId::new(who).unwrap(), ..new_run(name, name, now()) };
    let Admission { run, .. } = store.admit(new, now()).await.unwrap();
    assert!(store.begin_run(&run, 1, row(1, PLANTED)).await.unwrap());
    store.append(&run, row(2, PLANTED), None).await.unwrap();
    store.rest_run(&run, Some(minutes(9)), VISIBLE.to_owned(), state(), now()).await.unwrap();
    store.signal(&run, format!("\"{PLANTED}\""), now()).await.unwrap();
    run
}

/// The same with the run ended: all of it, as the doors tell it.
async fn told(
    store: &ShopStore,
    run: &RunId,
) -> (Vec<JournalRow>, Option<ParkedState>, Vec<(u32, String)>, Option<String>) {
    let outcome = store.run(run).await.unwrap().unwrap().outcome;
    (
        store.journal(run).await.unwrap(),
        store.parked_state(run).await.unwrap(),
        store.signals(run).await.unwrap(),
        outcome,
    )
}

const SEALED: [(&str, &str); 4] =
    [("journal", "body"), ("parked_states", "body"), ("signals", "body"), ("runs", "outcome")];

/// Files of the database that hold these words.
fn files_with(dir: &Path, words: &str) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let holds = |name: &String| {
        let bytes = fs::read(dir.join(name)).unwrap();
        name.starts_with(DATABASE) && bytes.windows(words.len()).any(|window| window == words.as_bytes())
    };
    names.filter(holds).collect()
}

pub(super) async fn what_is_about_a_person_is_sealed_in_the_tables(home: &Home) {
    let whole = home.open().await;
    let store = whole.shop(&shop("a"));
    let run = story(&store, "run-1", "c1").await;
    let outcome = format!("{{\"outcome\":\"{PLANTED}\"}}");
    store.end_run(&run, RunState::Done, None, Some(outcome.clone()), now()).await.unwrap();
    let all =
        (vec![row(1, PLANTED), row(2, PLANTED)], Some(state()), vec![(1, format!("\"{PLANTED}\""))], Some(outcome));
    assert_eq!(told(&store, &run).await, all);
    // Another process reads it too.
    assert_eq!(told(&home.open().await.shop(&shop("a")), &run).await, all);
    for (table, column) in SEALED {
        let stored = home.sql(format!("SELECT {column} FROM {table}")).await;
        assert!(!stored.is_empty(), "{table}");
        if table == "journal" {
            let bytes = stored.iter().map(|body| "model".len() + 64 + body.len()).sum::<usize>();
            assert_eq!(store.journal_bytes(&run).await.unwrap(), bytes as u64);
        }
        for value in stored {
            assert!(value.starts_with("sealed:1:") && !value.contains(PLANTED), "{table}: {value}");
        }
    }
    if home.is_file() {
        // Neither the tables nor the log ahead of them have the words; what is not sealed shows that they are looked into.
        store.append(&run, row(3, PLANTED), None).await.unwrap();
        store.postpone(&run, minutes(1), VISIBLE, now()).await.unwrap();
        assert!(files_with(home.dir.path(), "she-likes").is_empty());
        assert_ne!(files_with(home.dir.path(), "run-1"), [] as [&str; 0]);
        assert!(home.dir.path().join(format!("{DATABASE}-wal")).exists());
    }
    whole.close().await;
    assert_eq!(files_with(home.dir.path(), PLANTED), [] as [&str; 0]);
}

pub(super) async fn an_event_is_sealed_once_it_is_known_whose_it_is(home: &Home) {
    let whole = home.open().await;
    let store = whole.shop(&shop("a"));
    let (id, other) = (EventId::new("e1").unwrap(), EventId::new("e2").unwrap());
    // Nobody knows yet whose it is, and a sender may have written anything.
    let odd = b"sealed:1:0123456789abcdef:nothing".to_vec();
    store.receive(event("e1", PLANTED.as_bytes(), now())).await.unwrap();
    store.receive(event("e2", &odd, now())).await.unwrap();
    assert_eq!(store.next_events(9).await.unwrap().len(), 2);
    let ada = CustomerId::new("c1").unwrap();
    store.settle_about(&id, InboxState::Parked, "look", Some(&ada)).await.unwrap();
    store.settle_about(&other, InboxState::Done, "fine", None).await.unwrap();
    assert_eq!(store.event(&other).await.unwrap().unwrap().body, odd);
    let body = async || store.event(&id).await.unwrap().unwrap().body;
    assert_eq!(body().await, PLANTED.as_bytes());
    // Worked in once more, whoever it names then: it stays hers.
    assert!(store.retry_event(&id).await.unwrap());
    assert_eq!(store.next_events(9).await.unwrap()[0].body, PLANTED.as_bytes());
    for customer in [None, Some(&ada)] {
        store.settle_about(&id, InboxState::Done, "fine", customer).await.unwrap();
        assert_eq!(body().await, PLANTED.as_bytes());
    }
    let events = store.traces_of(&ada).await.unwrap()["events"].clone();
    assert_eq!((events.as_array().unwrap().len(), &events[0]["body"]), (1, &serde_json::json!(PLANTED)));
    whole.close().await;
    assert_eq!(files_with(home.dir.path(), PLANTED), [] as [&str; 0]);
}

pub(super) async fn one_key_counts_whoever_is_faster(home: &Home) {
    let stores = [home.open().await.shop(&shop("a")), home.open().await.shop(&shop("a"))];
    let ada = CustomerId::new("c1").unwrap();
    let mut asked = Vec::new();
    for n in 0..20 {
        stores[0].receive(event(&format!("e{n}"), PLANTED.as_bytes(), now())).await.unwrap();
    }
    for n in 0..20 {
        let (store, ada) = (stores[n % 2].clone(), ada.clone());
        asked.push(tokio::spawn(async move {
            let id = EventId::new(format!("e{n}")).unwrap();
            store.settle_about(&id, InboxState::Done, "fine", Some(&ada)).await.unwrap();
        }));
    }
    for done in asked {
        done.await.unwrap();
    }
    assert_eq!(home.sql("SELECT subject FROM sealing_keys WHERE shop_id = 'a'").await, ["c1"]);
    let read = home.open().await.shop(&shop("a"));
    for n in 0..20 {
        let event = read.event(&EventId::new(format!("e{n}")).unwrap()).await.unwrap().unwrap();
        assert_eq!((event.state, event.body), (InboxState::Done, PLANTED.as_bytes().to_vec()), "e{n}");
    }
}

pub(super) async fn an_erased_person_is_unreadable_in_a_copy_of_the_rows(home: &Home) {
    let whole = home.open().await;
    let store = whole.shop(&shop("a"));
    let (run, other) = (story(&store, "run-1", "c1").await, story(&store, "run-2", "c2").await);
    let (ada, id) = (CustomerId::new("c1").unwrap(), EventId::new("e1").unwrap());
    store.receive(event("e1", PLANTED.as_bytes(), now())).await.unwrap();
    store.settle_about(&id, InboxState::Done, "fine", Some(&ada)).await.unwrap();
    let before = told(&store, &other).await;
    let wrapped = home.sql("SELECT wrapped FROM sealing_keys WHERE subject = 'c1'").await;
    assert_eq!(wrapped.len(), 1);
    let tables = ["runs", "journal", "signals", "parked_states", "inbox"];
    for table in tables {
        home.sql(format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
    }
    store.erase_customer(&ada, "erased-1".to_owned(), now()).await.unwrap();
    assert_eq!(home.sql("SELECT subject FROM sealing_keys WHERE shop_id = 'a'").await, ["c2"]);
    assert_eq!(files_with(home.dir.path(), &wrapped[0]), [] as [&str; 0]);
    // Somebody puts back what they kept of the rows.
    for table in tables {
        home.sql(format!("DELETE FROM {table}")).await;
        home.sql(format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
    }
    for store in [store, home.open().await.shop(&shop("a"))] {
        let journal = store.journal(&run).await.unwrap_err();
        assert_eq!(journal, StoreError::Erased { what: "the journal of run run-1".to_owned() });
        let signals = store.signals(&run).await.unwrap_err();
        assert_eq!(signals, StoreError::Erased { what: "signals.body of run-1".to_owned() });
        for body in [
            store.parked_state(&run).await.unwrap().unwrap().body.into_bytes(),
            store.event(&id).await.unwrap().unwrap().body,
        ] {
            assert!(body.starts_with(b"sealed:1:"), "{body:?}");
        }
        assert_eq!(told(&store, &other).await, before);
    }
}

pub(super) async fn an_erased_shop_has_no_keys(home: &Home) {
    let whole = home.open().await;
    let (store, other) = (whole.shop(&shop("a")), whole.shop(&shop("b")));
    story(&store, "run-1", "c1").await;
    let run = story(&other, "run-1", "c1").await;
    store.erase_shop(&EventId::new("none").unwrap(), now()).await.unwrap();
    assert_eq!(home.sql("SELECT shop_id FROM sealing_keys ORDER BY shop_id").await, ["*", "b"]);
    assert_eq!(other.journal(&run).await.unwrap().len(), 2);
    // What comes late is about nobody.
    let late = store.append(&run, row(3, PLANTED), None).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
}

pub(super) async fn a_sealed_value_opens_in_its_own_row_only(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    // Two runs of one person: one key.
    let (run, other) = (story(&store, "run-1", "c1").await, story(&store, "run-2", "c1").await);
    for table in ["journal", "signals", "parked_states"] {
        let of = |run: &str| format!("run_id = '{run}'{}", if table == "journal" { " AND seq = 2" } else { "" });
        let moved = format!(
            "UPDATE {table} SET body = (SELECT body FROM {table} WHERE {}) WHERE {}",
            of(other.as_str()),
            of(run.as_str())
        );
        home.sql(moved).await;
    }
    let signals = store.signals(&run).await.unwrap_err();
    let moved = |what: &str| StoreError::Corrupt {
        what: what.to_owned(),
        why: "it was changed, or belongs to another row".to_owned(),
    };
    assert_eq!(signals, moved("signals.body of run-1"));
    // Whoever folds a journal, or takes a state over, finds out by itself: they read what stands there.
    let journal = store.journal(&run).await.unwrap();
    assert_eq!(journal[0], row(1, PLANTED));
    let parked = store.parked_state(&run).await.unwrap().unwrap();
    for body in [&journal[1].body, &parked.body] {
        assert!(body.starts_with("sealed:1:"), "{body}");
    }
    // Within a journal too.
    home.sql("UPDATE journal SET body = (SELECT body FROM journal WHERE run_id = 'run-2' AND seq = 1) WHERE run_id = 'run-2' AND seq = 2").await;
    assert!(store.journal(&other).await.unwrap()[1].body.starts_with("sealed:1:"));
}

pub(super) async fn rows_from_before_are_read_as_they_are(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let run = story(&store, "run-1", "c1").await;
    let id = EventId::new("e1").unwrap();
    store.receive(event("e1", b"{\"old\":\"event\"}", now())).await.unwrap();
    for sql in [
        "UPDATE journal SET body = '{\"old\":\"row\"}' WHERE seq = 1",
        "UPDATE parked_states SET body = '{\"old\":\"state\"}'",
        "UPDATE signals SET body = '{\"old\":\"signal\"}'",
        "UPDATE runs SET outcome = '{\"old\":\"outcome\"}'",
        "UPDATE inbox SET customer_id = 'c1', state = 'done'",
    ] {
        home.sql(sql).await;
    }
    let old = |what: &str| format!("{{\"old\":\"{what}\"}}");
    let expected = (
        vec![JournalRow { body: old("row"), ..row(1, PLANTED) }, row(2, PLANTED)],
        Some(ParkedState { body: old("state"), ..state() }),
        vec![(1, old("signal"))],
        Some(old("outcome")),
    );
    assert_eq!(told(&store, &run).await, expected);
    assert_eq!(store.event(&id).await.unwrap().unwrap().body, old("event").into_bytes());
    let traces = store.traces_of(&CustomerId::new("c1").unwrap()).await.unwrap();
    assert_eq!(
        (&traces["events"][0]["body"]["old"], &traces["runs"][0]["outcome"]["old"]),
        (&"event".into(), &"outcome".into())
    );
}

/// A process keeps keys in memory. While another one drove, a person may have been erased and have come back.
pub(super) async fn whoever_drives_again_asks_for_keys_anew(home: &Home) {
    let (one, other) = (home.open().await, home.open().await);
    assert!(one.take_lease("one", now(), minutes(1)).await.unwrap());
    story(&one.shop(&shop("a")), "run-1", "c1").await;
    assert!(other.take_lease("other", minutes(2), minutes(3)).await.unwrap());
    other.shop(&shop("a")).erase_customer(&CustomerId::new("c1").unwrap(), "erased-1".to_owned(), now()).await.unwrap();
    assert!(one.take_lease("one", minutes(4), minutes(5)).await.unwrap());
    let run = story(&one.shop(&shop("a")), "run-2", "c1").await;
    let read = home.open().await.shop(&shop("a")).journal(&run).await.unwrap();
    assert_eq!(read, [row(1, PLANTED), row(2, PLANTED)]);
}

pub(super) async fn another_master_key_opens_nothing_and_is_named(home: &Home) {
    let whole = home.open().await;
    let run = story(&whole.shop(&shop("a")), "run-1", "c1").await;
    whole.close().await;
    let file = home.dir.path().join(MASTER_KEY);
    let secret = fs::read_to_string(&file).unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    fs::remove_file(&file).unwrap();
    let refused = async || Store::open_at(home.dir.path(), &home.place).await.map(|_| ()).unwrap_err();
    let missing = refused().await;
    assert!(matches!(missing, OpenError::MasterKey { .. }), "{missing:?}");
    let words = missing.to_string();
    assert!(
        words.contains("master.key is not there") && words.contains("copy it from the data folder or the backup"),
        "{words}"
    );
    assert!(!file.exists(), "a new one would only hide that the right one is gone");
    fs::write(&file, "ab".repeat(32)).unwrap();
    let wrong = refused().await;
    assert!(matches!(wrong, OpenError::MasterKey { .. }), "{wrong:?}");
    assert!(wrong.to_string().contains("is another one than the tables were sealed with"), "{wrong}");
    fs::write(&file, secret).unwrap();
    assert_eq!(home.open().await.shop(&shop("a")).journal(&run).await.unwrap().len(), 2);
}
