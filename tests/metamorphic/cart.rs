//! The cart event itself: repeats, updates, odd contents.

use serde_json::json;

use super::{Scene, in_every_shop, plain_mail};
use crate::world::{Fate, Terms, only_run};

#[test]
fn the_same_webhook_twice_is_one_event() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let again = scene.world.fire(&scene.basket.clone()).await;
        assert!(again.repeated && again.runs.is_empty());
        scene.settle().await.mail();
        // Also when it comes after the mail has left.
        let again = scene.world.fire(&scene.basket.clone()).await;
        assert!(again.repeated && again.runs.is_empty());
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn an_update_of_the_cart_restarts_the_wait_of_the_one_run() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let Fate::Delayed(first) = scene.now().await else { panic!("not delayed") };
        scene.world.clock.set(scene.world.now() + jiff::SignedDuration::from_mins(30));
        let update = scene.world.fire(&scene.same_cart()).await;
        assert_eq!(only_run(&update), scene.run);
        assert!(!update.runs[0].new);
        assert_eq!(scene.now().await, Fate::Delayed(first + jiff::SignedDuration::from_mins(30)));
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn an_update_of_a_cart_that_was_written_about_writes_no_second_mail() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.settle().await.mail();
        scene.world.later(1);
        let update = scene.world.fire(&scene.same_cart()).await;
        assert!(update.runs.iter().all(|run| !run.new));
        scene.world.later(2);
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn what_was_added_in_an_update_is_in_the_mail() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let other = scene.world.shelf.other();
        let mut update = scene.same_cart();
        update.items.push(scene.world.item(&other));
        scene.world.fire(&update).await;
        let mail = scene.settle().await.mail();
        assert!(mail.shows(&scene.title(&scene.lead)) && mail.shows(&scene.title(&other)), "{}", mail.text);
    });
}

#[test]
fn what_was_taken_out_in_an_update_is_not_the_subject_any_more() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let other = scene.world.shelf.other();
        let mut update = scene.same_cart();
        update.items = vec![scene.world.item(&other)];
        scene.world.fire(&update).await;
        let mail = scene.settle().await.mail();
        assert!(mail.shows(&scene.title(&other)));
        assert!(!mail.says(&scene.title(&scene.lead)), "{}", mail.text);
    });
}

#[test]
fn an_emptied_cart_is_not_written_about() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let mut update = scene.same_cart();
        update.items = Vec::new();
        scene.world.fire(&update).await;
        assert_eq!(scene.settle().await, Fate::NoSend("cart_emptied".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn a_cart_emptied_and_filled_again_is_the_same_cart() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let mut update = scene.same_cart();
        update.items = Vec::new();
        scene.world.fire(&update).await;
        scene.world.fire(&scene.same_cart()).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_cart_emptied_after_the_draft_is_not_written_about() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        let mut update = scene.same_cart();
        update.items = Vec::new();
        scene.world.fire(&update).await;
        scene.world.approve_all().await;
        assert_eq!(scene.now().await, Fate::NoSend("cart_emptied".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn a_checkout_completed_later_calls_the_message_off() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let mut update = scene.same_cart();
        update.completed_at = Some(scene.world.now());
        scene.world.fire(&update).await;
        assert_eq!(scene.settle().await, Fate::NoSend("checkout_completed".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn another_cart_emptied_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let empty = scene.world.basket(&scene.reader, &[]);
        scene.world.fire(&empty).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn the_most_valuable_product_comes_first_in_whatever_order_the_cart_lists_them() {
    in_every_shop(async |seed| {
        let mut letters = Vec::new();
        for flip in [false, true] {
            let mut world = Terms::of(seed).open().await;
            let reader = world.reader().await;
            let mut products = vec![world.shelf.lead(), world.shelf.other()];
            products.sort_by_key(|id| world.price_of(id));
            let dearest = world.shelf.product_of(&products[1]).title.clone();
            if flip {
                products.reverse();
            }
            let basket = world.basket(&reader, &products);
            let run = only_run(&world.fire(&basket).await);
            let mail = world.in_time(&run).await.mail();
            assert_eq!(mail.cards()[0], dearest);
            letters.push(mail.message());
        }
        assert_eq!(letters[0], letters[1]);
    });
}

#[test]
fn a_line_listed_twice_or_more_units_are_shown_once() {
    in_every_shop(async |seed| {
        for twice in [false, true] {
            let mut scene = Scene::plain(seed).await;
            let mut update = scene.same_cart();
            if twice {
                update.items.push(update.items[0].clone());
            } else {
                update.items[0]["quantity"] = json!(3);
            }
            scene.world.fire(&update).await;
            scene.settle().await.mail();
            scene.plain_mail_left(seed).await;
        }
    });
}

#[test]
fn a_product_that_the_catalogue_does_not_know_is_passed_over() {
    in_every_shop(async |seed| {
        let strange =
            json!({ "product_id": "NOT-OURS", "title": "Gift wrap for 5.00", "price": "5.00", "quantity": 1 });
        let mut scene = Scene::plain(seed).await;
        let mut update = scene.same_cart();
        update.items.push(strange.clone());
        scene.world.fire(&update).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;

        let mut basket = scene.world.basket(&scene.reader, &[]);
        basket.items = vec![strange];
        let intake = scene.world.fire(&basket).await;
        assert_eq!(intake.runs, []);
        assert!(intake.skipped[0].reason.contains("in the catalogue"), "{intake:?}");
    });
}

#[test]
fn a_checkout_that_was_completed_begins_nothing() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).open().await;
        let reader = world.reader().await;
        let mut basket = world.basket(&reader, &[world.shelf.lead()]);
        basket.completed_at = Some(world.now());
        let intake = world.fire(&basket).await;
        assert_eq!(intake.runs, []);
        assert!(intake.skipped[0].reason.contains("completed"), "{intake:?}");
    });
}

#[test]
fn two_carts_are_two_occasions() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let other = scene.world.shelf.other();
        // Closer together the newer one would take the place of the older.
        scene.world.later(2);
        let basket = scene.world.basket(&scene.reader, std::slice::from_ref(&other));
        let second = only_run(&scene.world.fire(&basket).await);
        assert_ne!(second, scene.run);
        let first = scene.settle().await.mail();
        let mail = scene.world.in_time(&second).await.mail();
        assert!(mail.shows(&scene.title(&other)) && !mail.shows(&scene.title(&scene.lead)));
        assert_ne!(first.message(), mail.message());
        assert_eq!(scene.world.outbox().len(), 2);
    });
}

#[test]
fn two_readers_with_the_same_cart_get_a_mail_each() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let other = scene.world.reader().await;
        let basket = scene.world.basket(&other, &[scene.lead.clone()]);
        let run = only_run(&scene.world.fire(&basket).await);
        let mails = [scene.settle().await.mail(), scene.world.in_time(&run).await.mail()];
        assert_ne!(mails[0].to, mails[1].to);
        let stop = |at: usize| mails[at].header("List-Unsubscribe").unwrap();
        assert_ne!(stop(0), stop(1));
        assert_eq!(mails[0].cards(), mails[1].cards());
    });
}

#[test]
fn a_link_back_to_another_host_is_never_printed() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let domain = scene.world.shelf.domain.clone();
        for url in ["https://evil.example/cart/1".to_owned(), format!("https://www.{domain}.evil.example/cart/1")] {
            let reader = scene.world.reader().await;
            let mut basket = scene.world.basket(&reader, std::slice::from_ref(&scene.lead));
            basket.url = Some(url);
            let run = only_run(&scene.world.fire(&basket).await);
            let mail = scene.world.in_time(&run).await.mail();
            assert!(!mail.raw.contains("evil.example"));
            assert!(mail.shows(&scene.title(&scene.lead)));
        }
    });
}

#[test]
fn a_link_back_that_hides_its_host_is_refused_with_the_whole_event() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let domain = scene.world.shelf.domain.clone();
        for url in [format!("https://www.{domain}@evil.example/cart/1"), "javascript:alert(1)".to_owned()] {
            let mut update = scene.same_cart();
            update.items[0]["quantity"] = json!(9);
            update.url = Some(url);
            assert!(scene.world.offer(&update).await.is_err());
        }
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn without_a_link_back_the_button_leads_to_the_product() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let mut update = scene.same_cart();
        update.url = None;
        scene.world.fire(&update).await;
        let mail = scene.settle().await.mail();
        assert!(!mail.links().iter().any(|link| link.contains("/cart/")));
        assert!(mail.shows(&scene.title(&scene.lead)));
    });
}

#[test]
fn events_of_one_moment_may_come_in_any_order() {
    in_every_shop(async |seed| {
        for order_first in [false, true] {
            let mut world = Terms::of(seed).open().await;
            let (reader, lead) = (world.reader().await, world.shelf.lead());
            let basket = world.basket(&reader, std::slice::from_ref(&lead));
            if order_first {
                // The order was placed a second after the cart, and its webhook overtook the cart's.
                world.buys(&reader, &[lead]).await;
                let intake = world.fire(&basket).await;
                let run = only_run(&intake);
                assert_eq!(world.in_time(&run).await, Fate::NoSend("bought".to_owned()));
            } else {
                let run = only_run(&world.fire(&basket).await);
                world.buys(&reader, &[lead]).await;
                assert_eq!(world.in_time(&run).await, Fate::NoSend("order.created".to_owned()));
            }
            assert_eq!(world.outbox(), []);
        }
    });
}

#[test]
fn another_platform_that_tells_the_same_cart_leads_to_the_same_mail() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).open().await;
        let reader = world.reader().await;
        let basket = world.basket(&reader, &[world.shelf.lead()]);
        let email = world.who(&reader).email.unwrap();
        // Addresses are one mailbox in any letter case.
        let run = only_run(&world.checkout(&basket, &email.to_uppercase()).await);
        let mail = world.in_time(&run).await.mail();
        assert_eq!(mail.message(), plain_mail(seed).await.message());
    });
}

#[test]
fn two_platforms_that_tell_the_same_cart_make_one_run() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let (again, email) = (scene.same_cart(), scene.world.who(&scene.reader).email.unwrap());
        assert_eq!(only_run(&scene.world.checkout(&again, &email).await), scene.run);
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}
