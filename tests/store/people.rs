//! Questions about people: consents, tickets, segments, and what is left of somebody who was erased.

use kit::gist::{Gist, Tone, Topic};
use kit::message::{Channel, ConsentState};
use kit::{CustomerId, Digest, EventId, FlowId, Language, Principal, ReviewId, Role, StoreError, TicketId, Timestamp};
use mailwright::store::{Admission, Consent, Customer, InboxState, NewGist, RunState, Said, Ticket, Wrote};

use super::suite::{event, minutes, new_run, order, row};
use super::{Home, now, shop};

fn consent(state: ConsentState, at: Timestamp) -> (CustomerId, Consent) {
    let consent = Consent { channel: Channel::Email, state, at, source: "form".to_owned(), wording: "v1".to_owned() };
    (CustomerId::new("c1").unwrap(), consent)
}

pub(super) async fn a_no_of_the_same_second_counts(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let customer = CustomerId::new("c1").unwrap();
    assert_eq!(store.consent(&customer, Channel::Email).await.unwrap(), ConsentState::None);
    for (order, state) in
        [[ConsentState::Subscribed, ConsentState::Withdrawn], [ConsentState::Withdrawn, ConsentState::Subscribed]]
            .into_iter()
            .zip([now(), minutes(1)])
            .map(|(states, at)| (states.map(|state| consent(state, at)), ConsentState::Withdrawn))
    {
        store.add_consents(order.to_vec()).await.unwrap();
        assert_eq!(store.consent(&customer, Channel::Email).await.unwrap(), state);
    }
    store.add_consents(vec![consent(ConsentState::Subscribed, minutes(2))]).await.unwrap();
    assert_eq!(store.consent(&customer, Channel::Email).await.unwrap(), ConsentState::Subscribed);
}

pub(super) fn customer(id: &str) -> Customer {
    Customer {
        id: CustomerId::new(id).unwrap(),
        email: Some(kit::person::Email::parse("Ada@Example.com").unwrap()),
        first_name: Some("Adä 🙂".to_owned()),
        language: Language::parse("de-AT").unwrap(),
        country: None,
        time_zone: "Europe/Vienna".to_owned(),
        loyalty_tier: None,
        vip: true,
        created_at: now(),
        erased_at: None,
    }
}

pub(super) async fn an_erased_customer_stays_erased(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let ada = customer("c1");
    store.put_customers(vec![ada.clone()]).await.unwrap();
    assert_eq!(store.customer(&ada.id).await.unwrap(), Some(ada.clone()));
    let email = kit::person::Email::parse("ada@example.COM").unwrap();
    assert_eq!(store.customer_by_email(&email).await.unwrap(), Some(ada.clone()));
    store.forget_customer(&ada.id, minutes(1)).await.unwrap();
    store.put_customers(vec![Customer { first_name: Some("Eve".to_owned()), ..ada.clone() }]).await.unwrap();
    let kept = store.customer(&ada.id).await.unwrap().unwrap();
    assert_eq!(kept, Customer { erased_at: Some(minutes(1)), ..ada });
}

pub(super) async fn late_tickets_do_not_close_what_was_opened_after(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let c1 = CustomerId::new("c1").unwrap();
    let ticket = |opened: Timestamp, closed_at: Option<Timestamp>| Ticket {
        id: TicketId::new("t1").unwrap(),
        customer: c1.clone(),
        opened_at: opened,
        closed_at,
    };
    store.put_tickets(vec![ticket(minutes(10), None)]).await.unwrap();
    assert_eq!(store.open_tickets(&c1).await.unwrap(), 1);
    store.put_tickets(vec![ticket(minutes(5), Some(minutes(5)))]).await.unwrap();
    assert_eq!(store.open_tickets(&c1).await.unwrap(), 1);
    store.put_tickets(vec![ticket(minutes(20), Some(minutes(20)))]).await.unwrap();
    assert_eq!(store.open_tickets(&c1).await.unwrap(), 0);
    store.put_tickets(vec![ticket(minutes(15), None)]).await.unwrap();
    assert_eq!(store.open_tickets(&c1).await.unwrap(), 0);
}

pub(super) async fn what_somebody_wrote_is_kept_in_closed_words(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let c1 = CustomerId::new("c1").unwrap();
    let gist = |topics: &[Topic], tone: Tone| Gist { topics: topics.iter().copied().collect(), tone };
    let note = |words: &str, at: Timestamp, gist: &Gist| NewGist {
        wrote: Wrote::Note,
        source: "cart/1".to_owned(),
        customer: Some(c1.clone()),
        event: Some(EventId::new("e1").unwrap()),
        words: Digest::of_bytes(words.as_bytes()),
        at,
        gist: gist.clone(),
        read_by: None,
    };
    let said = async || store.said_by(&c1, now()).await.unwrap();
    let row = |at: Timestamp, gist: &Gist, read_by: Option<&str>| Said {
        wrote: Wrote::Note,
        at,
        gist: gist.clone(),
        read_by: read_by.map(str::to_owned),
    };
    let (gift, legal) = (gist(&[Topic::Gift], Tone::Neutral), gist(&[Topic::Legal], Tone::Displeased));
    store.put_gists(vec![note("a", minutes(5), &gift)]).await.unwrap();
    let unread = store.unread(3, 10).await.unwrap();
    assert_eq!(unread.len(), 1);
    // A model adds, and is not asked again about the same words.
    store.keep_reading(&unread[0], &gist(&[Topic::Delivery], Tone::Pleased), "small").await.unwrap();
    let both = gist(&[Topic::Delivery, Topic::Gift], Tone::Neutral);
    store.put_gists(vec![note("a", minutes(6), &gift)]).await.unwrap();
    assert_eq!(said().await, [row(minutes(5), &both, Some("small"))]);
    assert_eq!(store.unread(3, 10).await.unwrap(), []);
    // Other words in the same place stand beside the first ones, and are to be read.
    store.put_gists(vec![note("b", minutes(7), &legal)]).await.unwrap();
    assert_eq!(said().await, [row(minutes(7), &legal, None), row(minutes(5), &both, Some("small"))]);
    assert_eq!(store.said_by(&c1, minutes(8)).await.unwrap(), []);
    // Three tries, or a reason for good.
    let unread = store.unread(3, 10).await.unwrap().remove(0);
    assert_eq!((&unread.gist, &unread.customer), (&legal, &Some(c1.clone())));
    store.not_read(&unread, false).await.unwrap();
    assert_eq!((store.unread(1, 10).await.unwrap().len(), store.unread(2, 10).await.unwrap().len()), (0, 1));
    store.not_read(&unread, true).await.unwrap();
    assert_eq!(store.unread(9, 10).await.unwrap(), []);
    // Reviews are nobody's; another shop's are not ours.
    let review = NewGist {
        wrote: Wrote::Review,
        source: "rv-1".to_owned(),
        customer: None,
        event: None,
        read_by: Some("small".to_owned()),
        ..note("r", minutes(1), &gift)
    };
    store.put_gists(vec![review.clone()]).await.unwrap();
    let read = store.review_gists().await.unwrap();
    assert_eq!(read, [((ReviewId::new("rv-1").unwrap(), review.words), gift)].into_iter().collect());
    let other = home.open().await.shop(&shop("b"));
    assert!(other.review_gists().await.unwrap().is_empty() && other.said_by(&c1, now()).await.unwrap().is_empty());
    // Retention lets go what customers wrote, and not what reviews are about.
    assert_eq!(store.old_said(minutes(8)).await.unwrap(), 2);
    assert_eq!(store.drop_said(minutes(8)).await.unwrap(), 2);
    assert_eq!((said().await.len(), store.review_gists().await.unwrap().len()), (0, 1));
}

pub(super) async fn a_segment_is_stopped_for_whoever_belongs_to_it_now(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let (ops, flow) = (Principal::User { name: "ops".to_owned(), role: Role::Admin }, FlowId::new("win-back").unwrap());
    let buyer = order(None).customer;
    let vip = Customer { vip: true, ..customer("c-vip") };
    store.put_customers(vec![vip.clone(), Customer { vip: false, ..customer(buyer.as_str()) }]).await.unwrap();
    store.put_orders(vec![order(None)]).await.unwrap();
    for (segment, stops_vip, stops_buyer) in
        [("segment:vip", true, false), ("segment:buyers", false, true), ("segment:prospects", true, false)]
    {
        store.kill_on(segment, "odd copy", &ops, now()).await.unwrap();
        let stopped = Some(format!("{segment}: odd copy"));
        let told = (store.killed(&flow, &vip.id).await.unwrap(), store.killed(&flow, &buyer).await.unwrap());
        assert_eq!(told, (stopped.clone().filter(|_| stops_vip), stopped.filter(|_| stops_buyer)), "{segment}");
        assert!(store.kill_off(segment, &ops, now()).await.unwrap());
    }
    // The order is cancelled: its customer has none that stands.
    store.kill_on("segment:buyers", "odd copy", &ops, now()).await.unwrap();
    store.put_orders(vec![order(Some(minutes(3)))]).await.unwrap();
    assert_eq!(store.killed(&flow, &buyer).await.unwrap(), None);
}

pub(super) async fn an_erased_person_is_in_no_row(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let ada = customer("c1");
    store.put_customers(vec![ada.clone(), customer("c2")]).await.unwrap();
    store.add_consents(vec![consent(ConsentState::Subscribed, now())]).await.unwrap();
    store.put_orders(vec![order(None)]).await.unwrap();
    store.receive(event("e1", b"about ada", now())).await.unwrap();
    let (e1, e2) = (EventId::new("e1").unwrap(), EventId::new("e2").unwrap());
    store.settle_about(&e1, InboxState::Done, "fine", Some(&ada.id)).await.unwrap();
    store.receive(event("e2", b"about nobody", now())).await.unwrap();
    let Admission { run, .. } = store.admit(new_run("run-1", "cart:1", now()), now()).await.unwrap();
    store.append(&run, row(1), None).await.unwrap();
    let told = store.traces_of(&ada.id).await.unwrap();
    let counts = ["events", "consents", "runs", "messages"].map(|list| told[list].as_array().unwrap().len());
    assert_eq!(counts, [1, 1, 1, 0]);
    store.bury(vec!["digest".to_owned()], now(), now()).await.unwrap();
    for _ in 0..2 {
        store.erase_customer(&ada.id, "erased-1".to_owned(), now()).await.unwrap();
    }
    assert_eq!(store.buried("digest").await.unwrap(), Some(now()));
    assert_eq!(store.customer(&ada.id).await.unwrap(), None);
    assert_eq!(store.customers_at("ada@example.com").await.unwrap(), [CustomerId::new("c2").unwrap()]);
    assert_eq!(store.consent(&ada.id, Channel::Email).await.unwrap(), ConsentState::None);
    assert_eq!(store.orders_of(&ada.id).await.unwrap(), []);
    assert_eq!(store.journal(&run).await.unwrap(), []);
    let left = store.run(&run).await.unwrap().unwrap();
    assert_eq!((left.customer.as_str(), left.plan.as_str(), left.state), ("erased-1", "", RunState::Done));
    // A driver that is still at it writes nothing any more.
    let late = store.append(&run, row(2), None).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    assert_eq!(store.event(&e1).await.unwrap().unwrap().body, b"");
    let unread = store.unread_events("", 9).await.unwrap();
    assert_eq!(unread.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["e1", "e2"]);
    store.empty_events(vec![e2.clone()], "empty").await.unwrap();
    assert_eq!(store.event(&e2).await.unwrap().unwrap().body, b"");
    store.erase_shop(&e2, now()).await.unwrap();
    assert_eq!((store.runs(9).await.unwrap().len(), store.inbox(None, 9).await.unwrap().len()), (0, 1));
}
