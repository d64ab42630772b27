//! Stock changes: what is sold out is never shown, and what stands in for it is said.

use super::{Scene, in_every_shop, plain_mail};
use crate::world::{Fate, Terms};

#[test]
fn a_sold_out_product_gives_way_to_what_stands_in() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.stock(&scene.lead, 0).await;
        let mail = scene.settle().await.mail();
        assert!(!mail.shows(&scene.title(&scene.lead)));
        let [best, _] = scene.world.shelf.substitutes(0, 0);
        assert!(mail.shows(&scene.title(&best)), "{}", mail.text);
    });
}

#[test]
fn the_second_substitute_comes_when_the_first_is_out_too() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let [first, second] = scene.world.shelf.substitutes(0, 0);
        scene.world.stock(&scene.lead, 0).await;
        scene.world.stock(&first, 0).await;
        let mail = scene.settle().await.mail();
        assert!(mail.shows(&scene.title(&second)), "{}", mail.text);
    });
}

#[test]
fn without_anything_of_its_kind_there_is_no_message() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        for product in scene.world.shelf.row_of(&scene.lead) {
            scene.world.stock(&product, 0).await;
        }
        assert_eq!(scene.settle().await, Fate::NoSend("out_of_stock".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn an_empty_shop_writes_to_nobody() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        for product in scene.world.shelf.products.clone() {
            scene.world.stock(&product.id, 0).await;
        }
        assert_eq!(scene.settle().await, Fate::NoSend("out_of_stock".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn an_oversold_product_counts_as_sold_out() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.stock(&scene.lead, -3).await;
        assert!(!scene.settle().await.mail().shows(&scene.title(&scene.lead)));
    });
}

#[test]
fn a_recommended_accessory_that_sells_out_disappears() {
    in_every_shop(async |seed| {
        let plain = plain_mail(seed).await;
        let mut scene = Scene::plain(seed).await;
        let lead = scene.title(&scene.lead);
        let beside: Vec<String> = plain.cards().into_iter().filter(|card| *card != lead).collect();
        assert!(!beside.is_empty(), "the plain story shows nothing beside the cart");
        for product in scene.world.shelf.products.clone().iter().filter(|p| beside.contains(&p.title)) {
            scene.world.stock(&product.id, 0).await;
        }
        let mail = scene.settle().await.mail();
        assert!(mail.shows(&lead));
        assert!(beside.iter().all(|title| !mail.says(title)), "{}", mail.text);
        assert_eq!(mail.subject, plain.subject);
    });
}

#[test]
fn the_stock_of_something_else_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let shown = plain_mail(seed).await.cards();
        let elsewhere = scene.world.shelf.products.iter().rev().find(|p| !shown.contains(&p.title)).unwrap().id.clone();
        scene.world.stock(&elsewhere, 0).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn few_units_are_as_good_as_many() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.stock(&scene.lead, 2).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn what_sells_out_and_comes_back_before_its_time_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.stock(&scene.lead, 0).await;
        scene.world.stock(&scene.lead, 40).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn what_sells_out_after_the_draft_is_never_mailed() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        assert_eq!(scene.settle().await.to_string(), "waiting flow_review");
        let first = scene.world.asked().await.record.id;
        scene.world.stock(&scene.lead, 0).await;
        scene.world.approve_all().await;
        // The approved draft is dropped; another one is written, and a person sees it anew.
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        scene.nothing_left();
        let second = scene.world.asked().await;
        assert_ne!(second.record.id, first);
        scene.world.approve_all().await;
        let mail = scene.now().await.mail();
        assert!(!mail.shows(&scene.title(&scene.lead)));
        assert_eq!(scene.world.outbox().len(), 1);
    });
}

#[test]
fn when_everything_sells_out_after_the_approval_nothing_leaves() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        scene.world.approve_all().await;
        for product in scene.world.shelf.products.clone() {
            scene.world.stock(&product.id, 0).await;
        }
        assert_eq!(scene.now().await, Fate::NoSend("out_of_stock".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn an_accessory_that_sells_out_after_the_draft_is_never_mailed() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        let lead = scene.title(&scene.lead);
        let shown = plain_mail(seed).await.cards();
        let beside =
            scene.world.shelf.products.iter().find(|p| p.title != lead && shown.contains(&p.title)).unwrap().clone();
        scene.world.stock(&beside.id, 0).await;
        scene.world.approve_all().await;
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        scene.world.approve_all().await;
        let mail = scene.now().await.mail();
        assert!(mail.shows(&lead) && !mail.says(&beside.title), "{}", mail.text);
    });
}
