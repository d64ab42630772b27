//! The questions. Each begins with an empty store.

use kit::{
    CartId, CategoryId, Currency, CustomerId, Digest, EventId, FlowId, Money, OrderId, Principal, ProductId, Role,
    RunId, StoreError, Timestamp,
};
use mailwright::store::{
    Admission, ApiToken, Connection, InboxEvent, InboxState, JournalRow, NewRun, Order, OrderLine, ParkedState,
    ProductRow, RunState, SoldLine, SoldOrder,
};

use super::people::customer;
use super::{Home, now, shop};

pub(super) fn minutes(n: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_mins(n)
}

pub(super) fn event(id: &str, body: &[u8], at: Timestamp) -> InboxEvent {
    InboxEvent {
        id: EventId::new(id).unwrap(),
        source: "generic".to_owned(),
        topic: "cart.updated".to_owned(),
        body: body.to_vec(),
        triggered_at: at,
        received_at: now(),
        state: InboxState::Received,
        note: None,
    }
}

pub(super) async fn an_event_is_stored_once_whoever_is_faster(home: &Home) {
    let store = home.open().await;
    let (one, other) = (store.shop(&shop("a")), home.open().await.shop(&shop("a")));
    let mut asked = Vec::new();
    for n in 0..40 {
        let store = if n % 2 == 0 { one.clone() } else { other.clone() };
        asked.push(tokio::spawn(async move { store.receive(event("e1", b"{}", now())).await.unwrap() }));
    }
    let mut first = 0;
    for answer in asked {
        first += u32::from(answer.await.unwrap());
    }
    assert_eq!(first, 1);
    assert_eq!(one.unsettled_events().await.unwrap(), [event("e1", b"{}", now())]);
}

pub(super) async fn what_is_stored_comes_back_byte_by_byte(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let body: Vec<u8> = (0..=255u8).cycle().take(300_000).collect();
    let mut stored = event("ü-🙂-\"'\\", &body, now());
    stored.note = Some("Zeile\n— „so“ 🙂".to_owned());
    assert!(store.receive(stored.clone()).await.unwrap());
    assert_eq!(store.event(&stored.id).await.unwrap(), Some(stored));
}

pub(super) async fn events_are_worked_in_by_their_time(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    for (id, at) in [("late", minutes(5)), ("b", now()), ("a", now())] {
        store.receive(event(id, b"x", at)).await.unwrap();
    }
    let ids: Vec<String> = store.unsettled_events().await.unwrap().into_iter().map(|e| e.id.to_string()).collect();
    assert_eq!(ids, ["a", "b", "late"]);
    store.settle_event(&EventId::new("b").unwrap(), InboxState::Parked, "it is odd").await.unwrap();
    store.settle_event(&EventId::new("a").unwrap(), InboxState::Done, "done").await.unwrap();
    let left: Vec<String> = store.unsettled_events().await.unwrap().into_iter().map(|e| e.id.to_string()).collect();
    assert_eq!(left, ["late"]);
    let parked = store.event(&EventId::new("b").unwrap()).await.unwrap().unwrap();
    assert_eq!((parked.state, parked.note.as_deref()), (InboxState::Parked, Some("it is odd")));
}

pub(super) fn new_run(id: &str, occasion: &str, due: Timestamp) -> NewRun {
    NewRun {
        id: RunId::new(id).unwrap(),
        flow: FlowId::new("abandoned-checkout").unwrap(),
        customer: CustomerId::new("c1").unwrap(),
        occasion: occasion.to_owned(),
        step: 1,
        due,
        cause: "test".to_owned(),
        supersede: None,
        release: Digest::of_bytes(b"release"),
        plan: format!("{{\"subject\":{{\"triggered_at\":\"{due}\"}}}}"),
    }
}

fn admitted(run: &RunId, new: bool) -> Admission {
    Admission { run: run.clone(), new, superseded: Vec::new() }
}

pub(super) async fn a_run_is_begun_once_and_moved_while_it_waits(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let first = RunId::new("run-1").unwrap();
    assert_eq!(store.admit(new_run("run-1", "cart:1", minutes(60)), now()).await.unwrap(), admitted(&first, true));
    assert_eq!(store.admit(new_run("run-2", "cart:1", minutes(90)), now()).await.unwrap(), admitted(&first, false));
    // An earlier event that comes later does not pull the time back.
    assert_eq!(store.admit(new_run("run-3", "cart:1", minutes(30)), now()).await.unwrap(), admitted(&first, false));
    let run = store.run(&first).await.unwrap().unwrap();
    assert_eq!((run.state, run.wake_at, run.step), (RunState::Delayed, Some(minutes(90)), 1));
    assert_eq!(store.due_runs(minutes(89)).await.unwrap(), []);
    assert_eq!(store.due_runs(minutes(90)).await.unwrap(), std::slice::from_ref(&first));
    let second = store.admit(new_run("run-4", "cart:2", now()), now()).await.unwrap();
    assert_eq!(second, admitted(&RunId::new("run-4").unwrap(), true));
    assert_eq!(store.runs(1).await.unwrap().len(), 1);
    let open = store.open_runs_of(&CustomerId::new("c1").unwrap()).await.unwrap();
    assert_eq!(open.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["run-1", "run-4"]);
}

pub(super) fn row(seq: u32) -> JournalRow {
    let body = format!("{{\"n\":{seq},\"t\":\"\\u0000 🙂\"}}");
    JournalRow { seq, step: "model".to_owned(), input_hash: Digest::of_bytes(body.as_bytes()), body, at: now() }
}

pub(super) async fn a_position_of_a_journal_is_written_once(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let Admission { run, .. } = store.admit(new_run("run-1", "cart:1", minutes(60)), now()).await.unwrap();
    assert!(store.begin_run(&run, 1, row(1)).await.unwrap());
    // It has begun: no event moves it any more.
    store.admit(new_run("run-2", "cart:1", minutes(90)), now()).await.unwrap();
    assert_eq!(store.run(&run).await.unwrap().unwrap().state, RunState::Ready);
    let mut drivers = Vec::new();
    for _ in 0..8 {
        let (store, run) = (store.clone(), run.clone());
        drivers.push(tokio::spawn(async move { store.append(&run, row(2), None).await }));
    }
    let mut told = Vec::new();
    for driver in drivers {
        told.push(driver.await.unwrap());
    }
    assert_eq!(told.iter().filter(|answer| answer.is_ok()).count(), 1, "{told:?}");
    assert!(told.iter().all(|answer| matches!(answer, Ok(()) | Err(StoreError::Conflict(_)))), "{told:?}");
    assert_eq!(store.journal(&run).await.unwrap(), [row(1), row(2)]);
}

pub(super) async fn a_run_does_not_rest_over_a_signal(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let Admission { run, .. } = store.admit(new_run("run-1", "cart:1", now()), now()).await.unwrap();
    store.append(&run, row(1), None).await.unwrap();
    let parked = |seq| ParkedState { seq, version: 1, body: "{}".to_owned() };
    store.rest_run(&run, Some(minutes(9)), "a person".to_owned(), parked(1), now()).await.unwrap();
    let rests = store.run(&run).await.unwrap().unwrap();
    assert_eq!((rests.state, rests.wait_for.as_deref()), (RunState::Waiting, Some("a person")));
    store.signal(&run, "{\"signal\":\"released\"}".to_owned(), now()).await.unwrap();
    store.rest_run(&run, Some(minutes(9)), "a person".to_owned(), parked(1), now()).await.unwrap();
    assert_eq!(store.run(&run).await.unwrap().unwrap().state, RunState::Ready);
    let signals = store.signals(&run).await.unwrap();
    assert_eq!(signals, [(1, "{\"signal\":\"released\"}".to_owned())]);
    store.append(&run, row(2), Some(1)).await.unwrap();
    assert_eq!(store.signals(&run).await.unwrap(), []);
    let stale = store.rest_run(&run, None, "nothing".to_owned(), parked(1), now()).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    store.end_run(&run, RunState::Done, None, Some("{}".to_owned()), now()).await.unwrap();
    store.end_run(&run, RunState::Parked, Some("late".to_owned()), None, now()).await.unwrap();
    assert_eq!(store.run(&run).await.unwrap().unwrap().state, RunState::Done);
}

pub(super) async fn shops_do_not_see_each_other(home: &Home) {
    let store = home.open().await;
    let (a, b) = (store.shop(&shop("a")), store.shop(&shop("b")));
    a.put_customers(vec![customer("c1")]).await.unwrap();
    a.receive(event("e1", b"a", now())).await.unwrap();
    assert!(b.receive(event("e1", b"b", now())).await.unwrap());
    assert_eq!(b.customer(&CustomerId::new("c1").unwrap()).await.unwrap(), None);
    assert_eq!(a.event(&EventId::new("e1").unwrap()).await.unwrap().unwrap().body, b"a");
    assert_eq!(b.customers(None, 10).await.unwrap(), []);
}

pub(super) async fn names_are_ordered_by_their_bytes(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let names = ["Z", "a", "B", "ä", "a-b", "aa", "_"];
    store.put_customers(names.map(customer).to_vec()).await.unwrap();
    let listed = store.customers(None, 100).await.unwrap();
    let mut sorted = names;
    sorted.sort_unstable();
    assert_eq!(listed.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), sorted);
    let after = store.customers(Some(&CustomerId::new("a").unwrap()), 2).await.unwrap();
    assert_eq!(after.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["a-b", "aa"]);
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

pub(super) async fn numbers_are_as_large_as_they_come(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let product = |price, stock| ProductRow {
        id: ProductId::new("p1").unwrap(),
        body: "{}".to_owned(),
        price: money(price),
        stock,
    };
    for (price, stock) in [(i64::MAX, i64::MIN), (0, -1), (1 << 40, 1 << 53)] {
        store.put_products(vec![product(price, stock)], now()).await.unwrap();
        assert_eq!(store.products().await.unwrap(), [product(price, stock)]);
    }
    // What is as of an earlier time changes nothing.
    assert!(!store.set_stock(&product(0, 0).id, 7, minutes(-1)).await.unwrap());
    assert!(store.set_stock(&product(0, 0).id, 7, minutes(1)).await.unwrap());
    let order = Order { lines: vec![line(u32::MAX)], ..order(None) };
    store.put_orders(vec![order.clone()]).await.unwrap();
    assert_eq!(store.orders_of(&order.customer).await.unwrap(), [order]);
}

fn line(quantity: u32) -> OrderLine {
    OrderLine {
        product: ProductId::new("p1").unwrap(),
        category: CategoryId::new("shoes").unwrap(),
        quantity,
        price: money(1999),
        returned: false,
    }
}

pub(super) fn order(cancelled_at: Option<Timestamp>) -> Order {
    Order {
        id: OrderId::new("o1").unwrap(),
        customer: CustomerId::new("c1").unwrap(),
        cart: Some(CartId::new("cart1").unwrap()),
        placed_at: now(),
        total: money(3998),
        discount: money(0),
        cancelled_at,
        cancel_reason: cancelled_at.map(|_| "customer".to_owned()),
        fulfilled_at: None,
        lines: vec![line(2)],
    }
}

pub(super) async fn an_order_is_stored_again_with_what_is_new(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    store.put_orders(vec![order(None)]).await.unwrap();
    let c1 = order(None).customer;
    assert_eq!(store.bought_since(&c1, minutes(-1)).await.unwrap(), Some(now()));
    let lines = order(None).lines.into_iter().map(|line| SoldLine {
        product: line.product.to_string(),
        price_minor: line.price.minor,
        returned: line.returned,
    });
    let sold = SoldOrder {
        order: "o1".to_owned(),
        customer: "c1".to_owned(),
        placed_at: now(),
        discounted: false,
        lines: lines.collect(),
    };
    assert_eq!(store.sold().await.unwrap(), [sold]);
    store.put_orders(vec![order(Some(minutes(3)))]).await.unwrap();
    assert_eq!(store.orders_of(&c1).await.unwrap(), [order(Some(minutes(3)))]);
    assert_eq!(store.bought_since(&c1, minutes(-1)).await.unwrap(), None);
    assert_eq!(store.sold().await.unwrap(), []);
}

pub(super) async fn a_command_that_fails_leaves_nothing_and_takes_nobody_with_it(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let Admission { run, .. } = store.admit(new_run("run-1", "cart:1", now()), now()).await.unwrap();
    store.append(&run, row(1), None).await.unwrap();
    let mut asked = Vec::new();
    for n in 0..60u32 {
        let (store, run) = (store.clone(), run.clone());
        asked.push(tokio::spawn(async move {
            if n % 3 == 0 {
                // The signal would be used up, if the row were not there already.
                store.append(&run, row(1), Some(1)).await.unwrap_err();
            } else {
                assert!(store.receive(event(&format!("e{n}"), b"x", now())).await.unwrap());
            }
        }));
    }
    store.signal(&run, "{}".to_owned(), now()).await.unwrap();
    for done in asked {
        done.await.unwrap();
    }
    assert_eq!(store.unsettled_events().await.unwrap().len(), 40);
    assert_eq!(store.signals(&run).await.unwrap(), [(1, "{}".to_owned())]);
}

pub(super) async fn commands_that_come_together_are_all_kept(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let mut asked = Vec::new();
    for n in 0..600 {
        let store = store.clone();
        asked.push(tokio::spawn(async move { store.receive(event(&format!("e{n}"), b"x", now())).await }));
    }
    for done in asked {
        assert!(done.await.unwrap().unwrap());
    }
    assert_eq!(store.unsettled_events().await.unwrap().len(), 600);
}

pub(super) async fn a_store_that_was_closed_opens_again_with_all_it_had(home: &Home) {
    let store = home.open().await;
    store.shop(&shop("a")).receive(event("e1", b"x", now())).await.unwrap();
    let after = store.shop(&shop("a"));
    store.close().await;
    let told = after.receive(event("e2", b"x", now())).await;
    assert!(matches!(&told, Err(error) if error.is_retryable()), "{told:?}");
    let again = home.open().await.shop(&shop("a"));
    assert_eq!(again.unsettled_events().await.unwrap(), [event("e1", b"x", now())]);
}

pub(super) async fn audit_rows_are_numbered_without_gaps(home: &Home) {
    let one = home.open().await.shop(&shop("a"));
    let other = home.open().await.shop(&shop("a"));
    let mut asked = Vec::new();
    for n in 0..30 {
        let store = if n % 2 == 0 { one.clone() } else { other.clone() };
        asked.push(tokio::spawn(async move { store.audit(&Principal::System, "test", "thing", "", now()).await }));
    }
    for done in asked {
        done.await.unwrap().unwrap();
    }
    let mut numbers: Vec<i64> = one.audit_trail(100).await.unwrap().into_iter().map(|row| row.seq).collect();
    numbers.reverse();
    assert_eq!(numbers, (1..=30).collect::<Vec<i64>>());
}

pub(super) async fn kill_switches_are_seen_at_once(home: &Home) {
    let store = home.open().await;
    let (a, b) = (store.shop(&shop("a")), store.shop(&shop("b")));
    let (ops, flow) = (Principal::User { name: "ops".to_owned(), role: Role::Admin }, FlowId::new("win-back").unwrap());
    let c1 = CustomerId::new("c1").unwrap();
    a.kill_on("flow:win-back", "odd copy", &ops, now()).await.unwrap();
    assert_eq!(a.killed(&flow, &c1).await.unwrap().as_deref(), Some("flow:win-back: odd copy"));
    assert_eq!(b.killed(&flow, &c1).await.unwrap(), None);
    a.kill_on("global", "stop", &ops, now()).await.unwrap();
    assert_eq!(b.killed(&flow, &c1).await.unwrap().as_deref(), Some("global: stop"));
    assert!(b.kill_off("global", &ops, now()).await.unwrap());
    assert!(!b.kill_off("global", &ops, now()).await.unwrap());
    assert_eq!(b.killed(&flow, &c1).await.unwrap(), None);
}

pub(super) async fn connections_tokens_and_links_are_kept(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let connection = |id: &str| Connection {
        id: id.to_owned(),
        source: "shopify".to_owned(),
        domain: "a.example".to_owned(),
        secret_env: None,
        api_base: None,
        api_token_env: None,
        created_at: now(),
    };
    store.add_connection(connection("main"), "test").await.unwrap();
    let twice = store.add_connection(connection("main"), "test").await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    assert_eq!(store.connections().await.unwrap(), [connection("main")]);
    assert!(store.remove_connection("main", "test", now()).await.unwrap());
    assert!(!store.remove_connection("main", "test", now()).await.unwrap());
    let (hash, other) = (Digest::of_bytes(b"secret"), Digest::of_bytes(b"other"));
    let token = ApiToken {
        id: "tok-1".to_owned(),
        name: "nora".to_owned(),
        role: Role::Approver,
        created_at: now(),
        revoked_at: None,
    };
    store.add_token(token.clone(), hash, "test").await.unwrap();
    assert_eq!(store.token_by_hash(hash).await.unwrap(), Some(token));
    assert_eq!(store.token_by_hash(other).await.unwrap(), None);
    assert!(store.revoke_token("tok-1", "test", minutes(1)).await.unwrap());
    assert_eq!(store.token_by_hash(hash).await.unwrap(), None);
    assert_eq!(store.tokens().await.unwrap()[0].revoked_at, Some(minutes(1)));
    let c1 = CustomerId::new("c1").unwrap();
    store.remember_link("link-1", &c1).await.unwrap();
    store.remember_link("link-1", &c1).await.unwrap();
    assert_eq!(store.link("link-1").await.unwrap(), Some(c1));
    assert_eq!(store.link("link-2").await.unwrap(), None);
    assert_eq!(store.active_digest().await.unwrap(), None);
    assert_eq!(store.restored_at().await.unwrap(), None);
    store.note_restore(now(), minutes(3)).await.unwrap();
    assert_eq!(store.restored_at().await.unwrap(), Some(minutes(3)));
}
