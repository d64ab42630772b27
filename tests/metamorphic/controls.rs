//! Nobody decides in time: nothing goes out, or what a person has approved for the whole flow before.

use kit::message::{ApprovalState, ConsentState};
use kit::{ApprovalId, FlowId, Role};
use mailwright::approvals::{ControlRefused, DecideError};
use mailwright::release::Files;

use super::{Scene, in_every_shop};
use crate::world::{Fate, Person, Terms, World, team};

const FLOW: &str = "prompts/flows/abandoned-checkout.md";
const CONTROL: &str = "prompts/controls/abandoned-checkout.toml";
const WORDS: &str = r#"schema = "mailwright.control/1"
[text.en]
subjects = ["What you put in your cart", "Your cart, as you left it", "A note on your cart"]
preheader = "Everything is where you left it, and it stays there."
heading = "Still in your cart"
paragraphs = ["Hi {{customer.first_name}}, what you put in your cart is still there."]
product = "In your cart."
button = { to = "cart", label = "Open your cart" }
"#;

fn flow() -> FlowId {
    FlowId::new("abandoned-checkout").unwrap()
}

fn with_control(files: &mut Files) {
    let flow = files.get_mut(FLOW).unwrap();
    *flow = flow.replace("risk = \"standard\"", "risk = \"standard\"\non_expiry = \"control\"");
    files.insert(CONTROL.to_owned(), WORDS.to_owned());
}

/// A shop whose flow has a control, which nobody has approved.
async fn shop(seed: u64) -> World {
    let mut world = Terms::of(seed).trust("review").open().await;
    world.release(with_control).await;
    world
}

async fn approve(world: &World) -> ApprovalId {
    let seen = world.tenant.control(&flow()).await.unwrap().control.unwrap().0;
    world.tenant.approve_control(&flow(), &team("nora", Role::Approver), &seen).await.unwrap();
    seen
}

/// A message waits for a person, who does not come.
async fn waiting(world: World, change: impl FnOnce(&mut Person)) -> Scene {
    let mut scene = Scene::in_world(world, change).await;
    let fate = scene.settle().await.to_string();
    assert!(fate.starts_with("waiting"), "{fate}");
    scene
}

/// Why the run ended without a message.
async fn why(scene: &Scene) -> String {
    let run = scene.world.tenant.store.run(&scene.run).await.unwrap().unwrap();
    let outcome: serde_json::Value = serde_json::from_str(&run.outcome.unwrap()).unwrap();
    outcome["reason"].as_str().unwrap().to_owned()
}

async fn actions(world: &World) -> Vec<String> {
    world.tenant.store.audit_trail(200).await.unwrap().into_iter().map(|row| row.action).collect()
}

#[test]
fn an_approved_control_goes_out_once_and_a_late_yes_is_told() {
    in_every_shop(async |seed| {
        let world = shop(seed).await;
        let control = approve(&world).await;
        let mut scene = waiting(world, |_| {}).await;
        let asked = scene.world.asked().await;
        let mail = scene.settle().await.mail();
        assert_eq!(mail.subject, "What you put in your cart");
        assert!(mail.links().iter().any(|link| link.contains("/cart/")));
        assert_eq!(scene.world.outbox().len(), 1);

        let late = scene.world.approve(&asked.record.id, &team("max", Role::Approver)).await.unwrap_err();
        let all = scene.world.tenant.store.approvals_of(&scene.run).await.unwrap();
        let stands_in = all.iter().find(|approval| approval.control.is_some()).unwrap();
        assert_eq!((all.len(), stands_in.control.as_ref()), (2, Some(&control)));
        assert_eq!(
            late.to_string(),
            format!(
                "nobody decided about {} in time: the control has gone out in its place, by {}",
                asked.record.id, stands_in.record.id
            )
        );
        assert!(matches!(late, DecideError::ControlWent { .. }));
        assert_eq!(stands_in.record.decided_by, Some(team("nora", Role::Approver)));
        let actions = actions(&scene.world).await;
        for action in ["control.approved", "approval.expired", "control.stands_in", "send.sent"] {
            assert_eq!(actions.iter().filter(|row| *row == action).count(), 1, "{action}");
        }
        // The occasion is used up, whatever comes about the same cart.
        scene.world.fire(&scene.same_cart()).await;
        scene.world.later(200);
        assert_eq!(scene.world.outbox().len(), 1);
        scene.world.tenant.store.verify_audit(None).await.unwrap().unwrap();
    });
}

#[test]
fn a_control_that_nobody_approved_or_that_was_taken_back_stays_at_home() {
    in_every_shop(async |seed| {
        let mut scene = waiting(shop(seed).await, |_| {}).await;
        assert_eq!(scene.settle().await.to_string(), "no_send approval_expired");
        let name = scene.world.tenant.control(&flow()).await.unwrap().control.unwrap().0;
        let told = format!("nobody has approved {name}, the control of this release");
        assert_eq!(
            why(&scene).await,
            format!("nobody decided about the message in time, and its control stayed: {told}")
        );
        scene.nothing_left();

        let world = shop(seed).await;
        approve(&world).await;
        let nora = team("nora", Role::Approver);
        let mut scene = waiting(world, |_| {}).await;
        scene.world.tenant.revoke_control(&flow(), &nora, "the wrong season").await.unwrap();
        let again = scene.world.tenant.revoke_control(&flow(), &nora, "twice").await;
        assert!(matches!(again, Err(ControlRefused::NotApproved(_))));
        assert_eq!(scene.settle().await.to_string(), "no_send approval_expired");
        scene.nothing_left();
    });
}

#[test]
fn a_control_that_was_edited_after_its_approval_stays_at_home() {
    in_every_shop(async |seed| {
        let world = shop(seed).await;
        let seen = approve(&world).await;
        let mut scene = waiting(world, |_| {}).await;
        let edited = WORDS.replace("Still in your cart", "Waiting for you");
        scene.world.release(|files| drop(files.insert(CONTROL.to_owned(), edited))).await;
        assert_eq!(scene.settle().await.to_string(), "no_send approval_expired");
        assert!(why(&scene).await.contains("nobody has approved ctl-"), "{}", why(&scene).await);
        scene.nothing_left();
        // What was seen is not what is there.
        let stale = scene.world.tenant.approve_control(&flow(), &team("nora", Role::Approver), &seen).await;
        assert!(matches!(stale, Err(ControlRefused::Changed { .. })));
    });
}

#[test]
fn whom_policy_shows_to_a_person_gets_no_control() {
    in_every_shop(async |seed| {
        let world = shop(seed).await;
        approve(&world).await;
        let mut scene = waiting(world, |person| person.vip = true).await;
        assert_eq!(scene.settle().await.to_string(), "no_send approval_expired");
        assert!(why(&scene).await.ends_with("a person must see this reader's message: vip: the customer is a VIP"));
        scene.nothing_left();
    });
}

#[test]
fn every_gate_looks_at_a_control_too() {
    in_every_shop(async |seed| {
        let world = shop(seed).await;
        approve(&world).await;
        let mut scene = waiting(world, |_| {}).await;
        let (reader, now) = (scene.reader.clone(), scene.world.now());
        scene.world.consent(&reader, kit::message::Channel::Email, ConsentState::Withdrawn, now).await;
        assert_eq!(scene.settle().await.to_string(), "dropped withdrawn");
        scene.nothing_left();

        // Words that are true of some readers do not reach the others, whoever approved them.
        let mut world = shop(seed).await;
        let bought = WORDS.replace("what you put in your cart is still there", "thank you for what you bought from us");
        world.release(|files| drop(files.insert(CONTROL.to_owned(), bought))).await;
        approve(&world).await;
        let mut scene = waiting(world, |_| {}).await;
        assert_eq!(scene.settle().await.to_string(), "no_send approval_expired");
        assert!(why(&scene).await.contains("a content rule stops it"), "{}", why(&scene).await);
        scene.nothing_left();
    });
}

#[test]
fn words_that_could_reach_nobody_are_not_approved() {
    in_every_shop(async |seed| {
        let mut world = shop(seed).await;
        let loud = WORDS.replace("is still there", "costs 90 % less today. Only a few left");
        world.release(|files| drop(files.insert(CONTROL.to_owned(), loud))).await;
        let nora = team("nora", Role::Approver);
        let seen = world.tenant.control(&flow()).await.unwrap().control.unwrap().0;
        let refused = world.tenant.approve_control(&flow(), &nora, &seen).await.unwrap_err();
        let told = refused.to_string();
        let ControlRefused::Words { findings, .. } = refused else { panic!("{told}") };
        let text = "Hi {{customer.first_name}}, what you put in your cart costs 90 % less today. Only a few left.";
        let stopped: Vec<(&str, &str, String, &str)> = findings
            .iter()
            .map(|found| {
                let (finding, (start, end)) = (&found.finding, found.finding.span.unwrap());
                (found.language.as_str(), finding.rule.as_str(), finding.place.to_string(), &text[start..end])
            })
            .collect();
        let at = |rule, words| ("en", rule, "blocks[1].text".to_owned(), words);
        assert_eq!(
            stopped,
            [
                at("figure.digits", "90"),
                at("figure.percent", "%"),
                at("urgency.today", "today. Only"),
                at("urgency.scarcity", "Only a few left"),
            ]
        );
        assert!(findings.iter().all(|found| !found.finding.mend.is_empty()), "{told}");
        assert_eq!(world.tenant.control(&flow()).await.unwrap().standing, None);
        assert_eq!(actions(&world).await.iter().filter(|row| *row == "control.approved").count(), 0);

        // Mended, they are.
        world.release(|files| drop(files.insert(CONTROL.to_owned(), WORDS.to_owned()))).await;
        approve(&world).await;
    });
}

#[test]
fn a_control_can_be_recalled_and_survives_other_processes() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).trust("review").recall(60).restless().open().await;
        world.release(with_control).await;
        approve(&world).await;
        let mut scene = waiting(world, |_| {}).await;
        let fate = scene.settle().await;
        assert!(matches!(&fate, Fate::Held(code, Some(_)) if code == "recallable"), "{fate}");
        let all = scene.world.tenant.store.approvals_of(&scene.run).await.unwrap();
        let stands_in = all.into_iter().find(|approval| approval.control.is_some()).unwrap();
        assert_eq!(stands_in.record.state, ApprovalState::Approved);
        let id = stands_in.record.id;
        scene.world.tenant.recall(&id, &team("nora", Role::Approver), "not today").await.unwrap();
        assert_eq!(scene.settle().await.to_string(), "no_send recalled");
        scene.nothing_left();
    });
}

#[test]
fn a_flow_that_says_nothing_skips_and_only_approvers_approve() {
    in_every_shop(async |seed| {
        let world = Terms::of(seed).trust("review").open().await;
        let (nora, id) = (team("nora", Role::Approver), ApprovalId::new("ctl-1").unwrap());
        let none = world.tenant.approve_control(&flow(), &nora, &id).await;
        assert!(matches!(none, Err(ControlRefused::NoControl(_))));
        let mut scene = waiting(world, |_| {}).await;
        assert_eq!(scene.settle().await.to_string(), "no_send approval_expired");
        assert_eq!(why(&scene).await, "nobody decided about the message in time");

        let world = shop(seed).await;
        let seen = world.tenant.control(&flow()).await.unwrap().control.unwrap().0;
        let mark = world.tenant.approve_control(&flow(), &team("mark", Role::Marketer), &seen).await;
        assert!(matches!(mark, Err(ControlRefused::NoRole(_))));
    });
}
