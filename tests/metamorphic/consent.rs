//! The reader's will: without a standing yes for this channel nothing leaves, whenever it is taken back.

use kit::message::{Channel, ConsentState};

use super::{Scene, in_every_shop};
use crate::world::{Fate, Terms};

fn no_send(code: &str) -> Fate {
    Fate::NoSend(code.to_owned())
}

#[test]
fn no_answer_is_a_no() {
    in_every_shop(async |seed| {
        let mut scene = Scene::with(Terms::of(seed), |person| person.consent = ConsentState::None).await;
        assert_eq!(scene.settle().await, no_send("no_consent"));
        scene.nothing_left();
    });
}

#[test]
fn a_no_before_the_cart_counts() {
    in_every_shop(async |seed| {
        let mut scene = Scene::with(Terms::of(seed), |person| person.consent = ConsentState::Withdrawn).await;
        assert_eq!(scene.settle().await, no_send("withdrawn"));
        scene.nothing_left();
    });
}

#[test]
fn a_no_while_the_run_waits_counts() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.says(&scene.reader.clone(), "email", ConsentState::Withdrawn).await;
        assert_eq!(scene.settle().await, no_send("withdrawn"));
        scene.nothing_left();
    });
}

#[test]
fn a_no_after_the_draft_counts_before_and_after_the_approval() {
    in_every_shop(async |seed| {
        for approve_first in [false, true] {
            let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
            scene.settle().await;
            if approve_first {
                scene.world.approve_all().await;
            }
            scene.world.says(&scene.reader.clone(), "email", ConsentState::Withdrawn).await;
            scene.world.approve_all().await;
            assert_eq!(scene.now().await, Fate::Dropped("withdrawn".to_owned()));
            scene.nothing_left();
        }
    });
}

#[test]
fn yes_and_no_in_the_same_second_is_a_no() {
    in_every_shop(async |seed| {
        let mut scene = Scene::with(Terms::of(seed), |person| person.consent = ConsentState::None).await;
        let at = scene.world.now();
        scene.world.consent(&scene.reader, Channel::Email, ConsentState::Subscribed, at).await;
        scene.world.consent(&scene.reader, Channel::Email, ConsentState::Withdrawn, at).await;
        assert_eq!(scene.settle().await, no_send("withdrawn"));
        scene.nothing_left();
    });
}

#[test]
fn a_late_word_of_an_old_yes_does_not_undo_the_no() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let now = scene.world.now();
        scene.world.consent(&scene.reader, Channel::Email, ConsentState::Withdrawn, now).await;
        let before = now - jiff::SignedDuration::from_hours(1);
        scene.world.consent(&scene.reader, Channel::Email, ConsentState::Subscribed, before).await;
        assert_eq!(scene.settle().await, no_send("withdrawn"));
    });
}

#[test]
fn a_new_yes_after_a_no_sends_the_plain_mail() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.says(&scene.reader.clone(), "email", ConsentState::Withdrawn).await;
        scene.world.clock.set(scene.world.now() + jiff::SignedDuration::from_secs(60));
        scene.world.says(&scene.reader.clone(), "email", ConsentState::Subscribed).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_no_to_another_channel_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.says(&scene.reader.clone(), "sms", ConsentState::Withdrawn).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn somebody_elses_no_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let other = scene.world.reader().await;
        scene.world.says(&other, "email", ConsentState::Withdrawn).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_suppressed_address_gets_nothing_whenever_it_was_suppressed() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.suppress(&scene.reader).await;
        assert_eq!(scene.settle().await, no_send("suppressed"));
        scene.nothing_left();

        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        scene.world.approve_all().await;
        scene.world.suppress(&scene.reader).await;
        assert_eq!(scene.now().await, Fate::Dropped("suppressed".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn an_empty_box_at_the_next_checkout_takes_nothing_back_and_a_ticked_one_undoes_no_refusal() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        let mut basket = scene.same_cart();
        basket.customer["accepts_email_marketing"] = serde_json::json!(false);
        scene.world.fire(&basket).await;
        assert!(matches!(scene.settle().await, Fate::Sent(_)));

        let mut scene = Scene::with(Terms::of(seed), |person| person.consent = ConsentState::Withdrawn).await;
        let mut basket = scene.same_cart();
        basket.customer["accepts_email_marketing"] = serde_json::json!(true);
        scene.world.fire(&basket).await;
        assert_eq!(scene.settle().await, no_send("withdrawn"));
    });
}
