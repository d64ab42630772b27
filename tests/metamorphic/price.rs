//! Price changes: a mail shows the price of the moment it leaves, in the reader's own form.

use kit::Currency;

use super::{Scene, in_every_shop, plain_mail};
use crate::world::Terms;

/// As a reader of English sees an amount in euro.
fn euro(minor: i64) -> String {
    format!("€{}.{:02}", minor / 100, minor % 100)
}

#[test]
fn a_new_price_before_the_draft_is_the_one_shown() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let old = scene.world.price_of(&scene.lead);
        scene.world.price(&scene.lead, old + 137).await;
        let mail = scene.settle().await.mail();
        assert!(mail.says(&euro(old + 137)) && !mail.says(&euro(old)), "{}", mail.text);
        // Nothing but the price is another one.
        assert_eq!(mail.letter().replace(&euro(old + 137), &euro(old)), plain_mail(seed).await.letter());
    });
}

#[test]
fn a_lower_price_is_no_reason_to_speak_of_it() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let old = scene.world.price_of(&scene.lead);
        scene.world.price(&scene.lead, old / 2).await;
        let mail = scene.settle().await.mail();
        assert_eq!(mail.letter().replace(&euro(old / 2), &euro(old)), plain_mail(seed).await.letter());
    });
}

#[test]
fn an_old_price_never_leaves_when_it_changes_after_the_draft() {
    in_every_shop(async |seed| {
        for approve_first in [false, true] {
            let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
            scene.settle().await;
            let old = scene.world.price_of(&scene.lead);
            if approve_first {
                scene.world.approve_all().await;
                scene.world.price(&scene.lead, old + 200).await;
            } else {
                scene.world.price(&scene.lead, old + 200).await;
                scene.world.approve_all().await;
            }
            assert_eq!(scene.now().await.to_string(), "waiting flow_review");
            scene.nothing_left();
            scene.world.approve_all().await;
            let mail = scene.now().await.mail();
            assert!(mail.says(&euro(old + 200)) && !mail.says(&euro(old)), "{}", mail.text);
        }
    });
}

#[test]
fn the_price_of_something_else_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let shown = plain_mail(seed).await.cards();
        let elsewhere = scene.world.shelf.products.iter().rev().find(|p| !shown.contains(&p.title)).unwrap().id.clone();
        let old = scene.world.price_of(&elsewhere);
        scene.world.price(&elsewhere, old + 5).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_shop_with_another_currency_writes_the_same_mail_in_it() {
    in_every_shop(async |seed| {
        for (currency, symbol) in [(Currency::parse("GBP").unwrap(), "£"), (Currency::parse("USD").unwrap(), "$")] {
            let mut scene = Scene::of(Terms::of(seed).currency(currency)).await;
            let mail = scene.settle().await.mail();
            assert_eq!(mail.letter().replace(symbol, "€"), plain_mail(seed).await.letter());
        }
    });
}

#[test]
fn the_price_in_the_cart_event_is_not_believed() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        // The same cart again, with a price that somebody made up.
        let mut basket = scene.same_cart();
        basket.items[0]["price"] = serde_json::json!("1.11");
        let intake = scene.world.fire(&basket).await;
        assert_eq!(intake.runs[0].run, scene.run, "{intake:?}");
        let mail = scene.settle().await.mail();
        assert!(!mail.says("1.11"), "{}", mail.text);
        scene.plain_mail_left(seed).await;
    });
}
