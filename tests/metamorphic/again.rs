//! An occasion that is taken up once more: what ended a run in passing does not use the occasion up, and a cart that changed
//! under a message is written about as it is now.

use kit::ProductId;
use kit::message::ConsentState;

use super::{Scene, in_every_shop};
use crate::world::{Basket, Fate, Terms, only_run};

/// The same cart, an hour later, holding this.
async fn touched(scene: &mut Scene, products: &[ProductId]) -> mailwright::intake::Intake {
    scene.world.later(1);
    let mut update: Basket = scene.same_cart();
    update.items = products.iter().map(|id| scene.world.item(id)).collect();
    scene.world.fire(&update).await
}

/// The cart as it was, an hour later.
async fn touched_again(scene: &mut Scene) -> mailwright::intake::Intake {
    let lead = scene.lead.clone();
    touched(scene, &[lead]).await
}

#[test]
fn a_cart_left_again_after_the_ticket_was_closed_is_written_about() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let reader = scene.reader.clone();
        scene.world.ticket(&reader, true).await;
        assert_eq!(scene.settle().await, Fate::NoSend("ticket_open".to_owned()));
        scene.world.later(1);
        scene.world.ticket(&reader, false).await;
        let update = touched_again(&mut scene).await;
        assert!(update.runs[0].new && update.runs[0].run != scene.run, "{update:?}");
        let again = only_run(&update);
        scene.world.in_time(&again).await.mail();
        // How the first run ended stays told, and there is one mail, however often the cart is touched after it.
        assert_eq!(scene.now().await, Fate::NoSend("ticket_open".to_owned()));
        let third = touched_again(&mut scene).await;
        assert!(third.runs.iter().all(|run| !run.new && run.run == again), "{third:?}");
        assert_eq!(scene.world.outbox().len(), 1);
    });
}

#[test]
fn a_cart_left_again_after_a_yes_is_written_about() {
    in_every_shop(async |seed| {
        let mut scene = Scene::with(Terms::of(seed), |person| person.consent = ConsentState::None).await;
        assert_eq!(scene.settle().await, Fate::NoSend("no_consent".to_owned()));
        let reader = scene.reader.clone();
        scene.world.says(&reader, "email", ConsentState::Subscribed).await;
        let update = touched_again(&mut scene).await;
        scene.world.in_time(&only_run(&update)).await.mail();
    });
}

#[test]
fn an_old_event_of_the_cart_begins_nothing_again() {
    in_every_shop(async |seed| {
        let mut scene = Scene::with(Terms::of(seed), |person| person.consent = ConsentState::None).await;
        assert_eq!(scene.settle().await, Fate::NoSend("no_consent".to_owned()));
        let mut late = scene.same_cart();
        late.at = scene.basket.at;
        let update = scene.world.fire(&late).await;
        assert!(update.runs.iter().all(|run| !run.new), "{update:?}");
    });
}

#[test]
fn what_a_person_rejected_or_a_purchase_ended_stays_ended() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        scene.world.reject_all("she is on the phone with us", false).await;
        assert_eq!(scene.now().await, Fate::NoSend("rejected".to_owned()));
        let update = touched_again(&mut scene).await;
        assert!(update.runs.iter().all(|run| !run.new && run.run == scene.run), "{update:?}");

        let mut scene = Scene::plain(seed).await;
        let (reader, lead) = (scene.reader.clone(), scene.lead.clone());
        scene.world.buys(&reader, &[lead]).await;
        assert!(matches!(scene.settle().await, Fate::NoSend(_)));
        let update = touched_again(&mut scene).await;
        assert!(update.runs.iter().all(|run| !run.new), "{update:?}");
        scene.nothing_left();
    });
}

#[test]
fn a_cart_that_changed_after_the_draft_is_written_about_as_it_is_now() {
    in_every_shop(async |seed| {
        for approve_first in [false, true] {
            let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
            scene.settle().await;
            let other = scene.world.shelf.other();
            if approve_first {
                scene.world.approve_all().await;
            }
            let update = touched(&mut scene, std::slice::from_ref(&other)).await;
            assert_eq!(update.cancelled, std::slice::from_ref(&scene.run));
            scene.world.approve_all().await;
            assert_eq!(scene.now().await, Fate::NoSend("cart_changed".to_owned()));
            scene.nothing_left();
            let again = only_run(&update);
            assert_ne!(again, scene.run);
            assert!(matches!(scene.world.in_time(&again).await, Fate::Waiting(_)));
            scene.world.approve_all().await;
            let mail = scene.world.drive(&again).await.mail();
            assert!(mail.shows(&scene.title(&other)) && !mail.says(&scene.title(&scene.lead)), "{}", mail.text);
            assert_eq!(scene.world.outbox().len(), 1);
        }
    });
}

#[test]
fn the_same_things_in_the_cart_leave_its_message_alone() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        let update = touched_again(&mut scene).await;
        assert!(update.cancelled.is_empty() && update.runs.iter().all(|run| !run.new), "{update:?}");
        scene.world.approve_all().await;
        scene.now().await.mail();
    });
}
