//! What the engine asks of a store: timers, the lease, the chained audit trail, retention.

use kit::{CustomerId, Digest, FlowId, Principal, RunId, StoreError, Timestamp};
use mailwright::store::{Admission, AuditFinding, JournalRow, NewRun, RunState, ShopStore, Supersede};

use super::{Home, now, shop};

fn minutes(n: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_mins(n)
}

fn run(id: &str, occasion: &str, due: Timestamp) -> NewRun {
    NewRun {
        id: RunId::new(id).unwrap(),
        flow: FlowId::new("abandoned-checkout").unwrap(),
        customer: CustomerId::new("c1").unwrap(),
        occasion: occasion.to_owned(),
        step: 1,
        due,
        cause: format!("event {id}"),
        supersede: None,
        release: Digest::of_bytes(b"release"),
        plan: format!("{{\"subject\":{{\"triggered_at\":\"{due}\"}},\"of\":\"{id}\"}}"),
    }
}

fn row(seq: u32, at: Timestamp) -> JournalRow {
    JournalRow {
        seq,
        step: "start".to_owned(),
        input_hash: Digest::of_bytes(&seq.to_be_bytes()),
        body: "{}".to_owned(),
        at,
    }
}

async fn timers(store: &ShopStore, run: &RunId) -> Vec<(i64, String, Option<String>)> {
    store.timers(run).await.unwrap().into_iter().map(|t| (t.version, t.cause, t.ended)).collect()
}

pub(super) async fn a_timer_that_was_moved_does_not_fire(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let Admission { run: id, .. } = store.admit(run("run-1", "cart:1", minutes(60)), now()).await.unwrap();
    // The same event again moves nothing, an older one neither.
    store.admit(run("run-1", "cart:1", minutes(60)), now()).await.unwrap();
    store.admit(run("run-0", "cart:1", minutes(30)), now()).await.unwrap();
    store.admit(run("run-2", "cart:1", minutes(90)), now()).await.unwrap();
    let told = |n, cause: &str, ended: Option<&str>| (n, format!("event {cause}"), ended.map(str::to_owned));
    assert_eq!(timers(&store, &id).await, [told(1, "run-1", Some("moved")), told(2, "run-2", None)]);
    assert!(!store.begin_run(&id, 1, row(1, minutes(60))).await.unwrap());
    assert_eq!(store.run(&id).await.unwrap().unwrap().state, RunState::Delayed);
    assert!(store.begin_run(&id, 2, row(1, minutes(91))).await.unwrap());
    assert_eq!(timers(&store, &id).await, [told(1, "run-1", Some("moved")), told(2, "run-2", Some("fired"))]);
    // Another driver with the same view comes too late.
    let late = store.begin_run(&id, 2, row(1, minutes(91))).await.unwrap_err();
    assert!(matches!(late, StoreError::Conflict(_)), "{late}");
    assert_eq!(store.run(&id).await.unwrap().unwrap().state, RunState::Ready);
}

pub(super) async fn of_occasions_close_together_the_newest_counts(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let debounced = |id, occasion, due| NewRun {
        supersede: Some(Supersede { since: minutes(-60), signal: "{\"signal\":\"released\"}".to_owned() }),
        ..run(id, occasion, due)
    };
    store.admit(debounced("run-1", "cart:1", minutes(60)), now()).await.unwrap();
    let second = store.admit(debounced("run-2", "cart:2", minutes(80)), now()).await.unwrap();
    let first = RunId::new("run-1").unwrap();
    assert_eq!(second, Admission { run: RunId::new("run-2").unwrap(), new: true, superseded: vec![first.clone()] });
    assert_eq!(store.run(&first).await.unwrap().unwrap().state, RunState::Ready);
    assert_eq!(store.signals(&first).await.unwrap().len(), 1);
    // Again: what is called off is not called off twice.
    let again = store.admit(debounced("run-2", "cart:2", minutes(80)), now()).await.unwrap();
    assert_eq!((again.new, again.superseded), (false, vec![]));
}

pub(super) async fn one_holder_has_the_lease(home: &Home) {
    let (one, other) = (home.open().await, home.open().await);
    assert!(one.take_lease("one", now(), minutes(1)).await.unwrap());
    assert!(!other.take_lease("other", minutes(0), minutes(2)).await.unwrap());
    assert!(one.take_lease("one", minutes(0), minutes(3)).await.unwrap());
    assert!(!other.take_lease("other", minutes(2), minutes(4)).await.unwrap());
    assert!(other.take_lease("other", minutes(3), minutes(5)).await.unwrap());
    one.give_lease_back("one").await.unwrap();
    let held = one.lease().await.unwrap().unwrap();
    assert_eq!((held.holder.as_str(), held.until), ("other", minutes(5)));
    other.give_lease_back("other").await.unwrap();
    assert_eq!(one.lease().await.unwrap(), None);
}

pub(super) async fn the_trail_is_chained_whoever_writes(home: &Home) {
    let (one, other) = (home.open().await, home.open().await);
    let stores = [one.shop(&shop("a")), other.shop(&shop("a")), one.shop(&shop("b"))];
    let mut asked = Vec::new();
    for n in 0..30 {
        let store = stores[n % 3].clone();
        asked.push(tokio::spawn(async move {
            store.audit(&Principal::System, "test.done", &format!("n{n}"), "é", now()).await.unwrap();
        }));
    }
    for done in asked {
        done.await.unwrap();
    }
    let head = stores[0].verify_audit(None).await.unwrap().unwrap();
    assert_eq!(head.seq, 20);
    assert_eq!(stores[2].verify_audit(None).await.unwrap().unwrap().seq, 10);
    stores[1].audit(&Principal::System, "test.done", "more", "", now()).await.unwrap();
    assert_eq!(stores[0].verify_audit(Some(&head)).await.unwrap().unwrap().seq, 21);
    let further = mailwright::store::AuditHead { seq: 40, ..head.clone() };
    let shortened = AuditFinding::Shortened { ends: 21, head: 40 };
    assert_eq!(stores[0].verify_audit(Some(&further)).await.unwrap(), Err(shortened));
    let another = mailwright::store::AuditHead { commitment: "0".repeat(64), ..head };
    assert_eq!(stores[0].verify_audit(Some(&another)).await.unwrap(), Err(AuditFinding::OtherTrail(20)));
}

/// Rows of many runs go to the database as one statement: one of them that may not be written takes no other with it.
pub(super) async fn rows_appended_together_are_each_kept_or_refused(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let mut runs = Vec::new();
    for n in 0..40 {
        let (id, occasion) = (format!("run-{n}"), format!("cart:{n}"));
        let Admission { run, .. } = store.admit(run(&id, &occasion, now()), now()).await.unwrap();
        assert!(store.begin_run(&run, 1, row(1, now())).await.unwrap());
        runs.push(run);
    }
    // Twice everything, and of each seventh run a position that is taken.
    let asked = runs.iter().enumerate().flat_map(|(n, run)| {
        let seq = if n % 7 == 0 { 1 } else { 2 };
        [(n, run.clone(), seq), (n, run.clone(), seq)]
    });
    let asked: Vec<_> = asked
        .map(|(n, run, seq)| {
            let store = store.clone();
            (n, tokio::spawn(async move { store.append(&run, row(seq, minutes(1)), None).await }))
        })
        .collect();
    let mut kept = [0; 40];
    for (n, answer) in asked {
        match answer.await.unwrap() {
            Ok(()) => kept[n] += 1,
            Err(error) => assert!(matches!(error, StoreError::Conflict(_)), "{error}"),
        }
    }
    for (n, run) in runs.iter().enumerate() {
        let rows = store.journal(run).await.unwrap();
        let (expected, times) =
            if n % 7 == 0 { (vec![row(1, now())], 0) } else { (vec![row(1, now()), row(2, minutes(1))], 1) };
        assert_eq!((rows, kept[n]), (expected, times), "run {n}");
    }
}

pub(super) async fn failed_tries_wait_longer_and_a_parked_run_may_go_on(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let Admission { run: id, .. } = store.admit(run("run-1", "cart:1", now()), now()).await.unwrap();
    store.postpone(&id, minutes(1), "the disk is full", now()).await.unwrap();
    store.postpone(&id, minutes(2), "the disk is full", now()).await.unwrap();
    let waits = store.run(&id).await.unwrap().unwrap();
    assert_eq!((waits.state, waits.failures, waits.wake_at), (RunState::Waiting, 2, Some(minutes(2))));
    assert_eq!(store.due_runs(minutes(1)).await.unwrap(), []);
    assert_eq!(store.due_runs(minutes(2)).await.unwrap(), std::slice::from_ref(&id));
    store.end_run(&id, RunState::Parked, Some("60 tries failed".to_owned()), None, now()).await.unwrap();
    assert_eq!(store.due_runs(minutes(9)).await.unwrap(), []);
    store.unpark(&id, now()).await.unwrap();
    let ready = store.run(&id).await.unwrap().unwrap();
    assert_eq!((ready.state, ready.failures), (RunState::Ready, 0));
}

pub(super) async fn a_pruned_journal_leaves_its_hash(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    for (id, ends) in [("run-1", 10), ("run-2", 20), ("run-3", 30)] {
        let Admission { run, .. } = store.admit(run(id, id, now()), now()).await.unwrap();
        store.begin_run(&run, 1, row(1, now())).await.unwrap();
        store.append(&run, row(2, now()), None).await.unwrap();
        let outcome = Some("{\"outcome\":\"x\"}".to_owned());
        store.end_run(&run, RunState::Done, None, outcome, minutes(ends)).await.unwrap();
    }
    assert_eq!(store.prune_journals(minutes(25), &Principal::System, minutes(40)).await.unwrap(), 2);
    let of = |n: u32| RunId::new(format!("run-{n}")).unwrap();
    let pruned = store.pruned(&of(1)).await.unwrap().unwrap();
    assert_eq!((pruned.rows, pruned.head, pruned.at), (2, row(2, now()).input_hash, minutes(40)));
    assert_eq!(store.journal(&of(1)).await.unwrap(), []);
    assert!(store.run(&of(1)).await.unwrap().unwrap().outcome.is_some());
    assert_eq!((store.pruned(&of(3)).await.unwrap(), store.journal(&of(3)).await.unwrap().len()), (None, 2));
    assert_eq!(store.prune_journals(minutes(25), &Principal::System, minutes(41)).await.unwrap(), 0);
}
