//! People decide: who may, how often, until when, and about exactly which words.

use std::sync::Arc;

use approval::DecisionError;
use kit::Role;
use mailwright::approvals::{DecideError, Edit};
use mailwright::model::offline::OfflineModel;
use mailwright::release::{Release, defaults};
use testkit::Captured;

use super::{Scene, in_every_shop, plain_mail};
use crate::world::{Fate, Terms, only_run, team};

fn edit(subject: &str) -> Edit {
    Edit { subject: Some(subject.to_owned()), ..Edit::default() }
}

/// A draft waits for a person.
async fn drafted(seed: u64) -> Scene {
    let mut scene = Scene::of(Terms::of(seed).trust("review")).await;
    assert_eq!(scene.settle().await.to_string(), "waiting flow_review");
    scene
}

#[test]
fn a_review_delays_the_same_mail() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        scene.nothing_left();
        scene.world.approve_all().await;
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn a_new_flow_is_watched_and_then_trusted() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).first(1)).await;
        assert_eq!(scene.settle().await.to_string(), "waiting new_flow");
        scene.world.approve_all().await;
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;

        let second = scene.world.reader().await;
        let basket = scene.world.basket(&second, &[scene.lead.clone()]);
        let run = only_run(&scene.world.fire(&basket).await);
        assert!(matches!(scene.world.in_time(&run).await, Fate::Sent(_)));
    });
}

#[test]
fn a_high_risk_flow_is_seen_by_a_person_whatever_policy_says() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).trust("open").open().await;
        let (reader, lead) = (world.reader().await, world.shelf.lead());
        world.bought(&reader, &[world.shelf.at(2, 5).id.clone()], 60).await;
        let cancelled = world.purchase("order.cancelled", &reader, &[lead]);
        let run = only_run(&world.report(&cancelled).await);
        let fate = world.in_time(&run).await.to_string();
        assert!(fate.starts_with("waiting") && fate.contains("flow_review"), "{fate}");
        assert_eq!(world.outbox(), []);
    });
}

#[test]
fn who_only_looks_or_writes_may_not_approve() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        let id = scene.world.asked().await.record.id;
        for who in [team("vera", Role::Viewer), team("mark", Role::Marketer), kit::Principal::System] {
            let refused = scene.world.approve(&id, &who).await.unwrap_err();
            assert!(matches!(refused, DecideError::Rule(DecisionError::NoRole { .. })), "{refused}");
        }
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        scene.nothing_left();
    });
}

#[test]
fn an_editor_cannot_approve_and_somebody_else_sends_the_edited_words() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        let (first, editor) = (scene.world.asked().await.record.id, team("ed", Role::Approver));
        let second = scene.world.tenant.edit(&first, &editor, edit("A calmer subject line")).await.unwrap();
        scene.now().await;
        assert_eq!(scene.world.asked().await.record.id, second);

        let own = scene.world.approve(&second, &editor).await.unwrap_err();
        assert!(matches!(own, DecideError::Rule(DecisionError::OwnWork { .. })), "{own}");
        let old = scene.world.approve(&first, &team("nora", Role::Approver)).await.unwrap_err();
        let is_told = matches!(&old, DecideError::Replaced { successor, what, .. } if *successor == second && what[0].contains("A calmer subject line"));
        assert!(is_told, "{old}");
        scene.nothing_left();

        scene.world.approve_all().await;
        let mail = scene.now().await.mail();
        assert_eq!(mail.subject, "A calmer subject line");
        assert_eq!(mail.letter(), plain_mail(seed).await.letter());
    });
}

#[test]
fn an_edit_that_breaks_a_rule_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        let id = scene.world.asked().await.record.id;
        for subject in [
            "Only 3 left",
            "90 % off everything",
            "Hurry, last chance",
            "See https://evil.example",
            "",
            "{{f999.title}}",
        ] {
            let refused = scene.world.tenant.edit(&id, &team("ed", Role::Marketer), edit(subject)).await;
            assert!(refused.is_err(), "`{subject}` was taken");
        }
        scene.world.approve_all().await;
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn approved_twice_is_one_mail() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        let ids = scene.world.approve_all().await;
        let again = scene.world.approve(&ids[0], &team("zoe", Role::Admin)).await.unwrap_err();
        assert!(matches!(again, DecideError::Rule(DecisionError::NotPending { .. })), "{again}");
        scene.now().await.mail();
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn rejected_is_no_mail_and_stays_so() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        let id = scene.world.asked().await.record.id;
        scene.world.reject_all("wrong tone for this one", false).await;
        assert_eq!(scene.now().await, Fate::NoSend("rejected".to_owned()));
        assert!(scene.world.approve(&id, &team("nora", Role::Approver)).await.is_err());
        assert_eq!(scene.now().await, Fate::NoSend("rejected".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn a_rejection_needs_a_reason() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        let id = scene.world.asked().await.record.id;
        let refused = scene.world.tenant.reject(&id, &team("nora", Role::Approver), " ", true, None).await.unwrap_err();
        assert!(matches!(refused, DecideError::Rule(DecisionError::Reason { .. })), "{refused}");
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
    });
}

#[test]
fn sent_back_means_other_words_about_the_same_cart() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        scene.world.reject_all("too plain, say it differently", true).await;
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        scene.world.approve_all().await;
        let mail = scene.now().await.mail();
        assert_ne!(mail.message(), plain_mail(seed).await.message());
        assert!(mail.shows(&scene.title(&scene.lead)));
        assert_eq!(scene.world.outbox().len(), 1);
    });
}

/// An approver writes about a person by name; their words go to the writer, and become rules for everybody.
#[test]
fn whom_an_approver_names_is_named_to_no_model_and_in_no_rule() {
    in_every_shop(async |seed| {
        let release = Release::read(kit::Digest::of_bytes(b"x"), &defaults()).unwrap();
        let captured = Arc::new(Captured::keeping(Arc::new(OfflineModel::new(release.offline.clone()))));
        let terms = Terms::of(seed).trust("review").model(captured.clone());
        let mut scene = Scene::with(terms, |person| person.first_name = Some("Quintessa".to_owned())).await;
        assert_eq!(scene.settle().await.to_string(), "waiting flow_review");
        let typed = "Quintessa (quintessa.b@mailbox.example) rang: too plain, say it differently";
        scene.world.reject_all(typed, true).await;
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        let last = captured.asked().pop().unwrap();
        assert!(last.says("The reason, in their words: \"[name] ([email]) rang: too plain, say it differently\"."));
        assert!(captured.asked().iter().all(|asked| !asked.says("quintessa")));
        let store = &scene.world.tenant.store;
        let all = store.approvals_of(&scene.run).await.unwrap();
        let mut reasons: Vec<Option<String>> = all.into_iter().map(|approval| approval.reason).collect();
        reasons.sort();
        assert_eq!(reasons, [None, Some(typed.to_owned())]);

        // Every three words in a row of the next message are quoted: some of them no rule knows yet.
        let preheader = scene.world.asked().await.draft.draft.preheader;
        let words: Vec<&str> = preheader.split_whitespace().collect();
        let quoted: Vec<String> = words.windows(3).map(|words| format!("“{}”", words.join(" "))).collect();
        let quoted = quoted.join(" ");
        scene.world.reject_all(&format!("Quintessa dislikes {quoted}"), false).await;
        let proposed = scene.world.tenant.rule_proposals().await.unwrap();
        assert!(!proposed.is_empty(), "{quoted}");
        for proposal in proposed {
            let told: Vec<String> = proposal.rejected.into_values().collect();
            assert_eq!(told, [format!("[name] dislikes {quoted}")]);
        }
    });
}

#[test]
fn sending_back_for_ever_ends_in_no_mail() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        for _ in 0..6 {
            scene.world.reject_all("not yet, please try again", true).await;
            if !matches!(scene.now().await, Fate::Waiting(_)) {
                break;
            }
        }
        assert!(matches!(scene.now().await, Fate::NoSend(_)), "{}", scene.now().await);
        scene.nothing_left();
    });
}

#[test]
fn what_nobody_approves_lapses() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).trust("review").expires(5)).await;
        scene.settle().await;
        let id = scene.world.asked().await.record.id;
        scene.world.later(5);
        let late = scene.world.approve(&id, &team("nora", Role::Approver)).await.unwrap_err();
        assert!(matches!(late, DecideError::Rule(DecisionError::Expired { .. })), "{late}");
        assert_eq!(scene.now().await, Fate::NoSend("approval_expired".to_owned()));
        scene.nothing_left();
    });
}

#[test]
fn an_approval_covers_one_reader_only() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        let other = scene.world.reader().await;
        let basket = scene.world.basket(&other, &[scene.lead.clone()]);
        let run = only_run(&scene.world.fire(&basket).await);
        scene.world.in_time(&run).await;
        let pending = scene.world.pending().await;
        let mine = pending.iter().find(|a| a.run == scene.run).unwrap();
        scene.world.approve(&mine.record.id, &team("nora", Role::Approver)).await.unwrap();
        assert!(matches!(scene.world.drive(&run).await, Fate::Waiting(_)));
        scene.now().await.mail();
        assert_eq!(scene.world.outbox().len(), 1);
    });
}

#[test]
fn an_approval_does_not_follow_a_reader_to_another_address() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        scene.world.approve_all().await;
        let mut customer = scene.world.tenant.store.customer(&scene.reader).await.unwrap().unwrap();
        customer.email = Some(kit::person::Email::parse("somebody.new@mailbox.example").unwrap());
        scene.world.tenant.store.put_customers(vec![customer]).await.unwrap();
        // The message is written and shown again, for the address as it is now.
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        scene.nothing_left();
    });
}

#[test]
fn new_content_rules_void_what_was_checked_under_the_old_ones() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        scene.world.approve_all().await;
        let lead = scene.title(&scene.lead);
        scene.world.release(|files| {
            let rules = files.get_mut("knowledge/brand/rules.toml").unwrap();
            rules.push_str("\n[[phrase]]\nid = \"brand.test-word\"\nseverity = \"block\"\nwhy = \"a test\"\nmend = \"leave it out\"\nowner = \"test\"\nsource = \"test\"\nany = [\"zzyzx\"]\n");
        }).await;
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        scene.nothing_left();
        scene.world.approve_all().await;
        assert!(scene.now().await.mail().shows(&lead));
        assert_eq!(scene.world.outbox().len(), 1);
    });
}

#[test]
fn a_release_that_leaves_the_content_rules_alone_voids_nothing() {
    in_every_shop(async |seed| {
        let mut scene = drafted(seed).await;
        scene.world.approve_all().await;
        scene
            .world
            .release(|files| {
                let sending = files.get_mut("knowledge/policy/sending.toml").unwrap();
                *sending = sending.replace("cap_day = 24", "cap_day = 23");
            })
            .await;
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}

#[test]
fn another_process_between_every_step_changes_nothing() {
    in_every_shop(async |seed| {
        let mut scene = Scene::of(Terms::of(seed).restless()).await;
        scene.settle().await.mail();
        scene.plain_mail_left(seed).await;

        let mut scene = Scene::of(Terms::of(seed).trust("review").restless()).await;
        assert_eq!(scene.settle().await.to_string(), "waiting flow_review");
        scene.world.approve_all().await;
        scene.now().await.mail();
        scene.now().await.mail();
        scene.plain_mail_left(seed).await;
    });
}
