//! Support first: who waits for an answer gets no marketing.

use super::{Scene, in_every_shop};
use crate::world::{Fate, Terms};

#[test]
fn an_open_ticket_stops_the_message() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.ticket(&scene.reader.clone(), true).await;
        assert_eq!(scene.settle().await, Fate::NoSend("ticket_open".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn a_ticket_that_closes_before_the_time_changes_nothing_not_even_the_time() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let Fate::Delayed(due) = scene.now().await else { panic!("not delayed") };
        scene.world.ticket(&scene.reader.clone(), true).await;
        scene.world.ticket(&scene.reader.clone(), false).await;
        assert_eq!(scene.now().await, Fate::Delayed(due));
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_ticket_after_the_draft_holds_the_mail_until_it_is_closed() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        scene.world.ticket(&scene.reader.clone(), true).await;
        scene.world.approve_all().await;
        assert_eq!(scene.now().await, Fate::Held("ticket_open".to_owned(), None));
        scene.nothing_left();
        scene.world.later(2);
        scene.world.ticket(&scene.reader.clone(), false).await;
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn one_of_two_tickets_closed_is_not_enough() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        let (reader, now) = (scene.reader.clone(), scene.world.now());
        let second = mailwright::store::Ticket {
            id: kit::TicketId::new("T-second").unwrap(),
            customer: reader.clone(),
            opened_at: now,
            closed_at: None,
        };
        scene.world.tenant.store.put_tickets(vec![second]).await.unwrap();
        scene.world.ticket(&reader, true).await;
        scene.world.approve_all().await;
        assert_eq!(scene.now().await, Fate::Held("ticket_open".to_owned(), None));
        scene.world.ticket(&reader, false).await;
        assert_eq!(scene.now().await, Fate::Held("ticket_open".to_owned(), None));
        scene.nothing_left();
    });
}

#[test]
fn somebody_elses_ticket_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let other = scene.world.reader().await;
        scene.world.ticket(&other, true).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_ticket_held_too_long_outlives_the_message() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        scene.world.ticket(&scene.reader.clone(), true).await;
        scene.world.approve_all().await;
        scene.now().await;
        scene.world.later(24 * 5);
        scene.world.ticket(&scene.reader.clone(), false).await;
        assert_eq!(scene.now().await, Fate::Dropped("window_closed".to_owned()));
        scene.nothing_left();
    });
}
