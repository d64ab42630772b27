//! Purchases: who has bought is not asked to buy; who is somebody else changes nothing.

use kit::ProductId;

use super::{Scene, in_every_shop};
use crate::world::{Fate, Mail, Terms, World, only_run};

#[test]
fn a_purchase_before_the_time_calls_the_message_off() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let intake = scene.world.buys(&scene.reader.clone(), &[scene.lead.clone()]).await;
        assert_eq!(intake.cancelled, [scene.run.clone()]);
        assert_eq!(scene.settle().await, Fate::NoSend("order.created".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn a_purchase_of_something_else_calls_it_off_as_well() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let other = scene.world.shelf.other();
        scene.world.buys(&scene.reader.clone(), &[other]).await;
        assert_eq!(scene.settle().await, Fate::NoSend("order.created".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn a_purchase_after_the_draft_wins_over_the_approval() {
    in_every_shop(async |seed| {
        for approve_first in [false, true] {
            let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
            scene.settle().await;
            if approve_first {
                scene.world.approve_all().await;
            }
            scene.world.buys(&scene.reader.clone(), &[scene.lead.clone()]).await;
            scene.world.approve_all().await;
            assert_eq!(scene.now().await, Fate::NoSend("order.created".to_owned()));
            scene.nothing_left();
        }
    });
}

#[test]
fn a_purchase_that_only_an_import_tells_of_counts_too() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.later(1);
        scene.world.bought(&scene.reader, std::slice::from_ref(&scene.lead), 0).await;
        assert_eq!(scene.settle().await, Fate::NoSend("bought".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn somebody_elses_purchase_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let other = scene.world.reader().await;
        let intake = scene.world.buys(&other, &[scene.lead.clone()]).await;
        assert_eq!(intake.cancelled, []);
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

async fn arrived(world: &mut World, products: &[ProductId]) -> Fate {
    let reader = world.reader().await;
    let purchase = world.purchase("order.fulfilled", &reader, products);
    let intake = world.report(&purchase).await;
    world.in_time(&only_run(&intake)).await
}

#[test]
fn after_a_purchase_care_comes_first_and_the_thing_itself_is_not_sold_again() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).open().await;
        let lead = world.shelf.lead();
        let product = world.shelf.product_of(&lead).clone();
        let mail = arrived(&mut world, &[lead]).await.mail();
        assert!(mail.words().contains(product.care.as_deref().unwrap().trim_end_matches('.')), "{}", mail.text);
        assert!(!mail.shows(&product.title), "{}", mail.text);
        assert!(!mail.words().to_lowercase().contains("cart"));
    });
}

#[test]
fn a_later_purchase_does_not_stop_the_care_mail_and_a_cancellation_does() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).open().await;
        let (reader, lead) = (world.reader().await, world.shelf.lead());
        let fulfilled = world.purchase("order.fulfilled", &reader, std::slice::from_ref(&lead));
        let run = only_run(&world.report(&fulfilled).await);
        let other = world.shelf.other();
        world.buys(&reader, &[other]).await;
        assert!(matches!(world.in_time(&run).await, Fate::Sent(_)));

        let mut world = Terms::of(seed).open().await;
        let reader = world.reader().await;
        let fulfilled = world.purchase("order.fulfilled", &reader, std::slice::from_ref(&lead));
        let run = only_run(&world.report(&fulfilled).await);
        let cancelled = crate::world::Purchase { topic: "order.cancelled", reason: Some("customer"), ..fulfilled };
        world.report(&cancelled).await;
        assert_eq!(world.in_time(&run).await, Fate::NoSend("order.cancelled".to_owned()));
        assert_eq!(world.outbox(), []);
    });
}

#[test]
fn what_the_shop_could_not_send_is_offered_again_once_it_is_back() {
    in_every_shop(async |seed| {
        let won = |world: &mut World| -> (ProductId, String) {
            (world.shelf.lead(), world.shelf.product_of(&world.shelf.lead()).title.clone())
        };
        for units in [50, 0] {
            let mut world = Terms::of(seed).open().await;
            let (lead, title) = won(&mut world);
            world.stock(&lead, units).await;
            let mail = win_back(&mut world, std::slice::from_ref(&lead), "inventory").await;
            assert_eq!(mail.shows(&title), units > 0, "{}", mail.text);
        }
    });
}

#[test]
fn what_they_did_not_want_is_not_pushed_again() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).open().await;
        let lead = world.shelf.lead();
        let title = world.shelf.product_of(&lead).title.clone();
        let mail = win_back(&mut world, &[lead], "customer").await;
        assert!(!mail.says(&title), "{}", mail.text);
    });
}

/// The mail of a cancelled order, approved.
async fn win_back(world: &mut World, products: &[ProductId], reason: &'static str) -> Mail {
    let reader = world.reader().await;
    let shelf = world.shelf.clone();
    world.bought(&reader, &[shelf.at(2, 5).id.clone()], 90).await;
    world.bought(&reader, &[shelf.at(3, 5).id.clone()], 40).await;
    let mut purchase = world.purchase("order.cancelled", &reader, products);
    purchase.reason = Some(reason);
    let run = only_run(&world.report(&purchase).await);
    let fate = world.in_time(&run).await;
    assert!(fate.to_string().contains("flow_review"), "{fate}");
    world.approve_all().await;
    world.drive(&run).await.mail()
}

#[test]
fn another_process_between_every_step_changes_no_other_flow_either() {
    in_every_shop(async |seed| {
        let mut letters = Vec::new();
        for terms in [Terms::of(seed), Terms::of(seed).restless()] {
            let mut world = terms.open().await;
            let lead = world.shelf.lead();
            let care = arrived(&mut world, std::slice::from_ref(&lead)).await.mail();
            let back = win_back(&mut world, &[lead], "inventory").await;
            letters.push((care.message(), back.message()));
        }
        assert_eq!(letters[0], letters[1]);
    });
}
