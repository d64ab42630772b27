//! Webhooks that come in: each stored once, whatever comes with it or again.

use std::collections::BTreeMap;

use mailwright::store::{Accepted, InboxState};

use super::suite::event;
use super::{Home, now, shop};

pub(super) async fn a_webhook_is_accepted_once_by_id_and_by_body(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let accept = async |id: &str, body: &[u8], by_body| store.accept(event(id, body, now()), by_body).await.unwrap();
    assert_eq!(accept("e1", b"one", true).await, Accepted::Stored);
    assert_eq!(accept("e1", b"one", true).await, Accepted::Repeat);
    assert_eq!(accept("e2", b"one", true).await, Accepted::Repeat);
    assert_eq!(accept("e2", b"one", false).await, Accepted::Stored);
    assert_eq!(accept("e1", b"two", true).await, Accepted::Suspicious);
    assert_eq!(accept("e1", b"two", true).await, Accepted::Suspicious);
    let parked = store.inbox(Some(InboxState::Parked), 9).await.unwrap();
    assert_eq!((parked.len(), store.inbox(None, 9).await.unwrap().len()), (1, 3));
    assert!(store.retry_event(&parked[0].id).await.unwrap());
    assert!(!store.retry_event(&parked[0].id).await.unwrap());
    assert_eq!(store.inbox(Some(InboxState::Received), 9).await.unwrap().len(), 3);
}

pub(super) async fn webhooks_that_come_together_are_each_stored_once(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let mut asked = Vec::new();
    for n in 0..60 {
        // What is alone, what comes twice, what comes under another id, and what comes under the id of another one.
        let (id, body) = (format!("e{n}"), format!("body {n}"));
        let repeats: &[(String, String, bool)] = match n % 4 {
            0 => &[],
            1 => &[(id.clone(), body.clone(), true)],
            2 => &[(format!("f{n}"), body.clone(), true)],
            _ => &[(id.clone(), format!("other {n}"), true)],
        };
        asked.push((n, id, body, true));
        asked.extend(repeats.iter().map(|(id, body, by_body)| (n, id.clone(), body.clone(), *by_body)));
    }
    let asked: Vec<_> = asked
        .into_iter()
        .map(|(n, id, body, by_body)| {
            let (store, event) = (store.clone(), event(&id, body.as_bytes(), now()));
            (n, tokio::spawn(async move { store.accept(event, by_body).await.unwrap() }))
        })
        .collect();
    let mut answers: BTreeMap<u32, Vec<Accepted>> = BTreeMap::new();
    for (n, answer) in asked {
        answers.entry(n).or_default().push(answer.await.unwrap());
    }
    for (n, mut answers) in answers {
        // Who of two was first is nobody's to say.
        answers.sort_by_key(|answer| *answer != Accepted::Stored);
        let expected: &[Accepted] = match n % 4 {
            0 => &[Accepted::Stored],
            1 | 2 => &[Accepted::Stored, Accepted::Repeat],
            _ => &[Accepted::Stored, Accepted::Suspicious],
        };
        assert_eq!(answers, expected, "webhook {n}");
    }
    let stored = async |state| store.inbox(Some(state), 1000).await.unwrap().len();
    assert_eq!((stored(InboxState::Received).await, stored(InboxState::Parked).await), (60, 15));
}
