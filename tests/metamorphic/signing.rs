//! What a signature is about, who may give it, and how it is taken back.

use approval::{DecisionError, NotSigned};
use jiff::SignedDuration;
use kit::{ApprovalId, Principal, Role};
use mailwright::approvals::{Assent, DecideError, Edit, Seen};

use super::{Scene, in_every_shop};
use crate::world::{Fate, Terms, team};

/// A draft waits for a person, in a shop whose approvals can be recalled for a minute.
async fn drafted(seed: u64) -> (Scene, ApprovalId) {
    let mut scene = Scene::of(Terms::of(seed).trust("review").recall(60)).await;
    assert_eq!(scene.settle().await.to_string(), "waiting flow_review");
    let id = scene.world.asked().await.record.id;
    (scene, id)
}

fn nora() -> Principal {
    team("nora", Role::Approver)
}

async fn seen(scene: &Scene, id: &ApprovalId) -> Seen {
    scene.world.tenant.look(id).await.unwrap().seen
}

fn later(scene: &Scene, seconds: i64) {
    scene.world.clock.set(scene.world.now() + SignedDuration::from_secs(seconds));
}

/// Puts other rules about signing in force.
async fn policy(scene: &mut Scene, changes: &[(&str, &str)]) {
    scene
        .world
        .release(|files| {
            let text = files.get_mut("knowledge/policy/approvals.toml").unwrap();
            for (from, to) in changes {
                assert!(text.contains(from), "{from}");
                *text = text.replacen(from, to, 1);
            }
        })
        .await;
}

#[test]
fn a_yes_counts_only_for_what_was_seen() {
    in_every_shop(async |seed| {
        let (mut scene, id) = drafted(seed).await;
        let before = seen(&scene, &id).await;
        assert_eq!(before.to_string().parse(), Ok(before.clone()));
        // The reader's name is part of what the approver read.
        let mut customer = scene.world.tenant.store.customer(&scene.reader).await.unwrap().unwrap();
        customer.first_name = Some("Zygmunt".to_owned());
        scene.world.tenant.store.put_customers(vec![customer]).await.unwrap();
        // And so is what signing takes.
        policy(&mut scene, &[("reasons = [\"regulated\"]", "reasons = [\"flow_review\"]")]).await;
        let assent = Assent { seen: before, typed_count: None };
        let refused = scene.world.tenant.approve(&id, &nora(), &assent).await.unwrap_err();
        let DecideError::Changed { what, .. } = &refused else { panic!("{refused}") };
        assert!(what.iter().any(|what| what.contains("other signatures")), "{refused}");
        assert!(scene.world.tenant.store.signatures(&id).await.unwrap().is_empty());
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        scene.nothing_left();
    });
}

#[test]
fn two_people_sign_what_takes_two_and_one_of_them_is_not_enough() {
    in_every_shop(async |seed| {
        let (mut scene, id) = drafted(seed).await;
        policy(&mut scene, &[("reasons = [\"regulated\"]", "reasons = [\"flow_review\"]")]).await;
        let first = scene.world.approve(&id, &nora()).await.unwrap();
        assert_eq!(first.missing, ["a second person, because of flow_review"]);
        assert_eq!(scene.now().await.to_string(), "waiting flow_review");
        let again = scene.world.approve(&id, &nora()).await.unwrap_err();
        let is_again =
            matches!(&again, DecideError::Rule(DecisionError::NotSigned { why: NotSigned::Again { .. }, .. }));
        assert!(is_again, "{again}");
        let second = scene.world.approve(&id, &team("lena", Role::Approver)).await.unwrap();
        assert!(second.missing.is_empty());
        later(&scene, 60);
        scene.now().await.mail();
        let signers: Vec<String> =
            scene.world.tenant.store.signatures(&id).await.unwrap().into_iter().map(|s| s.signer).collect();
        assert_eq!(signers, ["lena", "nora"]);
    });
}

#[test]
fn a_section_is_signed_by_its_owner_or_whoever_stands_in() {
    in_every_shop(async |seed| {
        let (mut scene, id) = drafted(seed).await;
        let legal = "owner = \"legal\"\nreasons = [\"flow_review\"]\nsigners = [\"lena\"]\n";
        let away = "[person.lena]\ndelegate = \"max\"\naway = [{ from = \"2026-11-18\", until = \"2026-11-20\" }]\n[section.offer]";
        let claims = "owner = \"legal\"\nreasons = [\"regulated\", \"legal.*\", \"disclosure.*\", \"claim.*\"]\n";
        policy(&mut scene, &[(claims, legal), ("[section.offer]", away)]).await;
        let first = scene.world.approve(&id, &nora()).await.unwrap();
        assert_eq!(first.missing, ["claims (legal: lena)"]);
        let max = team("max", Role::Approver);
        let theirs = scene.world.approve(&id, &max).await.unwrap_err();
        assert!(theirs.to_string().contains("max may not sign claims; claims is signed by lena"), "{theirs}");
        // On Wednesday she is away.
        scene.world.later(20);
        let stood_in = scene.world.approve(&id, &max).await.unwrap();
        assert!(stood_in.missing.is_empty());
        let standings: Vec<String> =
            scene.world.tenant.store.signatures(&id).await.unwrap().into_iter().map(|s| s.standing).collect();
        assert_eq!(standings, ["owner", "for lena"]);
        later(&scene, 60);
        scene.now().await.mail();
    });
}

#[test]
fn what_nobody_signed_in_time_is_escalated_once_and_then_lapses() {
    in_every_shop(async |seed| {
        let (mut scene, id) = drafted(seed).await;
        let section = "owner = \"marketing-ops\"";
        let owned = "owner = \"marketing-ops\"\nsigners = [\"lena\"]\nescalate_to = [\"ada\"]";
        policy(&mut scene, &[(section, owned)]).await;
        let ada = team("ada", Role::Approver);
        assert!(scene.world.approve(&id, &ada).await.is_err());
        scene.world.later(24);
        for _ in 0..3 {
            scene.world.tenant.tend_approvals().await.unwrap();
        }
        let rows = scene.world.tenant.store.audit_trail(1_000).await.unwrap();
        assert_eq!(rows.iter().filter(|row| row.action == "approval.escalated").count(), 1);
        let signed = scene.world.approve(&id, &ada).await.unwrap();
        assert!(signed.missing.is_empty());
        later(&scene, 60);
        scene.now().await.mail();
    });
}

#[test]
fn an_approval_is_recalled_within_its_minute_and_nothing_leaves() {
    in_every_shop(async |seed| {
        let (mut scene, id) = drafted(seed).await;
        let signed = scene.world.approve(&id, &nora()).await.unwrap();
        let until = scene.world.now() + SignedDuration::from_secs(60);
        assert_eq!(signed.recallable_until, Some(until));
        assert_eq!(scene.now().await, Fate::Held("recallable".to_owned(), Some(until)));
        later(&scene, 59);
        assert_eq!(scene.now().await, Fate::Held("recallable".to_owned(), Some(until)));
        let sam = team("sam", Role::Marketer);
        scene.world.tenant.recall(&id, &sam, "the wrong week").await.unwrap();
        later(&scene, 60);
        assert_eq!(scene.now().await, Fate::NoSend("recalled".to_owned()));
        scene.nothing_left();
        let again = scene.world.tenant.recall(&id, &sam, "once more").await.unwrap_err();
        assert!(matches!(again, DecideError::NotApproved { .. }), "{again}");
    });
}

#[test]
fn what_left_is_not_recalled() {
    in_every_shop(async |seed| {
        let (mut scene, id) = drafted(seed).await;
        scene.world.approve(&id, &nora()).await.unwrap();
        later(&scene, 60);
        scene.now().await.mail();
        let late = scene.world.tenant.recall(&id, &nora(), "the wrong week").await.unwrap_err();
        assert!(matches!(late, DecideError::Used { .. }), "{late}");
        scene.plain_mail_left(seed).await;
    });
}

/// A recall and the hand-over at the same moment: one of them wins, and both say the same about it.
#[test]
fn a_recall_and_a_hand_over_at_once_leave_a_mail_or_a_recall() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut mails, mut recalls) = (0, 0);
        for seed in 1..=16 {
            let (scene, id) = drafted(seed).await;
            scene.world.approve(&id, &nora()).await.unwrap();
            later(&scene, 60);
            let (tenant, run) = (scene.world.tenant.clone(), scene.run.clone());
            let pause = std::time::Duration::from_micros(seed * 400);
            let recalling = tokio::spawn({
                let (tenant, id) = (tenant.clone(), id.clone());
                async move {
                    tokio::time::sleep(pause).await;
                    tenant.recall(&id, &nora(), "the wrong week").await
                }
            });
            let driver = tenant.driver(std::sync::Arc::new(mailwright::runs::Silent));
            driver.drive(&run).await.unwrap();
            let recalled = recalling.await.unwrap();
            driver.drive(&run).await.unwrap();
            let left = scene.world.outbox().len();
            assert_eq!(left, usize::from(recalled.is_err()), "seed {seed}: {recalled:?}");
            mails += left;
            recalls += usize::from(recalled.is_ok());
        }
        println!("{mails} mails, {recalls} recalls");
        assert_eq!(mails + recalls, 16);
    });
}

#[test]
fn an_author_approves_their_own_work_only_where_an_admin_allowed_it() {
    in_every_shop(async |seed| {
        let (mut scene, id) = drafted(seed).await;
        let ed = team("ed", Role::Approver);
        let edit = Edit { subject: Some("A calmer subject line".to_owned()), ..Edit::default() };
        let second = scene.world.tenant.edit(&id, &ed, edit).await.unwrap();
        scene.now().await;
        let own = scene.world.approve(&second, &ed).await.unwrap_err();
        assert!(matches!(own, DecideError::Rule(DecisionError::OwnWork { .. })), "{own}");
        let (store, now) = (scene.world.tenant.store.clone(), scene.world.now());
        store.set_solo(true, &team("ada", Role::Admin), "I work alone", now).await.unwrap();
        assert!(scene.world.approve(&second, &ed).await.unwrap().missing.is_empty());
        later(&scene, 60);
        assert_eq!(scene.now().await.mail().subject, "A calmer subject line");
        assert!(store.approval(&second).await.unwrap().unwrap().record.own_work);
    });
}
