//! How often and when: holdout, quiet hours, caps, the kill switch, the end of a message's use.

use kit::Timestamp;

use super::{Scene, in_every_shop};
use crate::world::{Fate, Terms, World, only_run};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_holdout_gets_nothing_and_stays_the_same_people() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).holdout(50).open().await;
        let lead = world.shelf.lead();
        let (mut sent, mut held_out) = (0, 0);
        for _ in 0..8 {
            let reader = world.reader().await;
            let mut fates = Vec::new();
            for _ in 0..2 {
                let basket = world.basket(&reader, std::slice::from_ref(&lead));
                let run = only_run(&world.fire(&basket).await);
                fates.push(world.in_time(&run).await.to_string());
            }
            assert_eq!(fates[0], fates[1], "the second cart of the same person");
            match fates[0].as_str() {
                "sent" => sent += 1,
                "no_send holdout" => held_out += 1,
                other => panic!("{other}"),
            }
        }
        assert_eq!(world.outbox().len(), 2 * sent);
        assert!(held_out > 0, "half of eight people, and none was held out");
    });
}

#[test]
fn quiet_hours_are_the_readers_own() {
    in_every_shop(async |seed| {
        // The run is due at 11:00 UTC: evening in Auckland, noon in Vienna, early morning in Denver.
        for (zone, until) in [
            ("Pacific/Auckland", Some("2026-11-17T19:00:00Z")),
            ("Europe/Vienna", None),
            ("America/Denver", Some("2026-11-17T15:00:00Z")),
        ] {
            let mut scene = Scene::with(Terms::of(seed).quiet(21, 8), |person| person.zone = zone).await;
            let Some(until) = until.map(at) else {
                scene.settle().await.mail();
                continue;
            };
            assert_eq!(scene.settle().await, Fate::Held("quiet_hours".to_owned(), Some(until)), "{zone}");
            scene.nothing_left();
            scene.settle().await.mail();
            assert_eq!(scene.world.now(), until);
            scene.plain_mail_left(seed).await;
        }
    });
}

#[test]
fn what_changes_in_quiet_hours_counts_in_the_morning() {
    in_every_shop(async |seed| {
        let night = |person: &mut crate::world::Person| person.zone = "America/Denver";
        let mut scene = Scene::with(Terms::of(seed).quiet(21, 8), night).await;
        scene.settle().await;
        scene.world.says(&scene.reader.clone(), "email", kit::message::ConsentState::Withdrawn).await;
        assert_eq!(scene.settle().await, Fate::Dropped("withdrawn".to_owned()));

        let mut scene = Scene::with(Terms::of(seed).quiet(21, 8), night).await;
        scene.settle().await;
        scene.world.stock(&scene.lead, 0).await;
        assert!(!scene.settle().await.mail().shows(&scene.title(&scene.lead)));

        let mut scene = Scene::with(Terms::of(seed).quiet(21, 8), night).await;
        scene.settle().await;
        scene.world.buys(&scene.reader.clone(), &[scene.lead.clone()]).await;
        assert_eq!(scene.settle().await, Fate::NoSend("order.created".to_owned()));
        scene.nothing_left();
    });
}

/// A second cart of the same reader, at its time.
async fn second_cart(scene: &mut Scene) -> (kit::RunId, Fate) {
    let other = scene.world.shelf.other();
    let basket = scene.world.basket(&scene.reader, &[other]);
    let run = only_run(&scene.world.fire(&basket).await);
    let fate = scene.world.in_time(&run).await;
    (run, fate)
}

#[test]
fn the_daily_cap_holds_the_second_mail_until_a_day_has_passed() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).cap(1, 3)).await;
        scene.settle().await.mail();
        let first = scene.world.now();
        let (run, fate) = second_cart(&mut scene).await;
        assert_eq!(fate, Fate::Held("capped".to_owned(), Some(first + jiff::SignedDuration::from_hours(24))));
        assert_eq!(scene.world.outbox().len(), 1);
        scene.world.in_time(&run).await.mail();
        assert_eq!(scene.world.outbox().len(), 2);
    });
}

#[test]
fn a_higher_cap_lets_the_second_mail_go_at_once() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).cap(2, 3)).await;
        scene.settle().await.mail();
        let (_, fate) = second_cart(&mut scene).await;
        fate.mail();
        assert_eq!(scene.world.outbox().len(), 2);
    });
}

#[test]
fn the_weekly_cap_outlasts_the_window() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).cap(1, 1)).await;
        scene.settle().await.mail();
        let (run, mut fate) = second_cart(&mut scene).await;
        for _ in 0..3 {
            if matches!(&fate, Fate::Held(code, Some(_)) if code == "capped") {
                fate = scene.world.in_time(&run).await;
            }
        }
        assert_eq!(fate, Fate::Dropped("window_closed".to_owned()));
        assert_eq!(scene.world.outbox().len(), 1);
    });
}

#[test]
fn another_flow_uses_up_the_same_cap() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).cap(1, 3)).await;
        let other = scene.world.shelf.other();
        let arrived = scene.world.purchase("order.fulfilled", &scene.reader.clone(), &[other]);
        let care = only_run(&scene.world.report(&arrived).await);
        // The care mail comes three days later, so the cart's run is driven late, in its own window, after it.
        scene.world.later(71);
        let now = scene.world.now();
        scene.world.tenant.store.wake(&care, now).await.unwrap();
        scene.world.drive(&care).await.mail();
        let fate = scene.now().await;
        assert!(matches!(&fate, Fate::Held(code, Some(_)) if code == "capped"), "{fate}");
        assert_eq!(scene.world.outbox().len(), 1);
    });
}

#[test]
fn somebody_elses_mail_uses_up_no_cap() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).cap(1, 1)).await;
        let other = scene.world.reader().await;
        let basket = scene.world.basket(&other, &[scene.lead.clone()]);
        let run = only_run(&scene.world.fire(&basket).await);
        scene.world.in_time(&run).await.mail();
        scene.now().await.mail();
        assert_eq!(scene.world.outbox().len(), 2);
    });
}

#[test]
fn the_kill_switch_holds_everything_it_names_and_nothing_else() {
    in_every_shop(async |seed| {
        for scope in ["global", "shop", "flow:abandoned-checkout"] {
            let mut scene = Scene::plain(seed).await;
            scene.world.kill(scope).await;
            let fate = scene.settle().await;
            assert_eq!(fate, Fate::Held("killed".to_owned(), None), "{scope}");
            scene.nothing_left();
            scene.world.revive(scope).await;
            scene.now().await.mail();
            scene.plain_mail_left(seed).await;
        }
        let mut scene = Scene::plain(seed).await;
        scene.world.kill("flow:win-back").await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn the_kill_switch_stops_what_is_approved_already() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
        scene.settle().await;
        scene.world.approve_all().await;
        scene.world.kill("shop").await;
        assert_eq!(scene.now().await, Fate::Held("killed".to_owned(), None));
        scene.nothing_left();
        scene.world.restart().await;
        assert_eq!(scene.now().await, Fate::Held("killed".to_owned(), None));
        scene.world.revive("shop").await;
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn one_of_two_kill_switches_off_is_not_enough() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.kill("global").await;
        scene.world.kill("flow:abandoned-checkout").await;
        scene.settle().await;
        scene.world.revive("global").await;
        assert_eq!(scene.now().await, Fate::Held("killed".to_owned(), None));
        scene.nothing_left();
    });
}

#[test]
fn a_run_that_is_driven_after_its_window_says_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.later(24 * 3);
        assert_eq!(scene.now().await, Fate::NoSend("window_closed".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn a_run_that_is_driven_late_but_in_its_window_sends_the_same_mail() {
    in_every_shop(async |seed| {
        let mut scene = Scene::plain(seed).await;
        scene.world.later(20);
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_purchase_to_think_over_gets_more_time() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).open().await;
        let due = async |world: &mut World, product: kit::ProductId| {
            let reader = world.reader().await;
            let basket = world.basket(&reader, &[product]);
            world.fire(&basket).await.runs[0].due
        };
        let (plain, considered) = (world.shelf.lead(), world.shelf.considered());
        let (soon, later) = (due(&mut world, plain).await, due(&mut world, considered).await);
        assert!(soon < later, "{soon} {later}");
    });
}
