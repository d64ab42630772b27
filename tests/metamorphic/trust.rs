//! How a flow earns to send unseen, and how it loses that at once.

use kit::message::Channel;
use kit::{FlowId, Role, RunId};
use mailwright::approvals::{TrustError, TrustLevel};

use crate::world::{Fate, Terms, World, only_run, team};

/// Bars that ten approvals clear for `notify`, and not for `automatic`.
const BARS: [(&str, &str); 2] = [
    ("notify = { decisions = 50, at_least_percent = 85 }", "notify = { decisions = 10, at_least_percent = 70 }"),
    ("automatic = { decisions = 200, at_least_percent = 95 }", "automatic = { decisions = 12, at_least_percent = 75 }"),
];

fn checkout() -> FlowId {
    FlowId::new("abandoned-checkout").unwrap()
}

async fn shop(seed: u64) -> World {
    let mut world = Terms::of(seed).trust("earned").open().await;
    world
        .release(|files| {
            let text = files.get_mut("knowledge/policy/approvals.toml").unwrap();
            for (from, to) in BARS {
                assert!(text.contains(from), "{from}");
                *text = text.replacen(from, to, 1);
            }
        })
        .await;
    world
}

/// Somebody leaves a cart; its run at its time.
async fn another(world: &mut World, vip: bool) -> (RunId, Fate) {
    let mut person = world.person();
    person.vip = vip;
    let reader = world.join(person).await;
    let basket = world.basket(&reader, &[world.shelf.lead()]);
    let run = only_run(&world.fire(&basket).await);
    let fate = world.in_time(&run).await;
    (run, fate)
}

/// Approved as it was written.
async fn approved(world: &mut World) {
    let (run, fate) = another(world, false).await;
    assert_eq!(fate.to_string(), "waiting not_trusted");
    world.approve_all().await;
    assert!(matches!(world.drive(&run).await, Fate::Sent(_)));
}

async fn level(world: &World) -> TrustLevel {
    world.tenant.trust().await.unwrap().iter().find(|s| s.in_force).unwrap().level
}

async fn trusted(seed: u64) -> World {
    let mut world = shop(seed).await;
    for _ in 0..10 {
        approved(&mut world).await;
    }
    world.tenant.raise_trust(&checkout(), None, TrustLevel::Notify, &team("ada", Role::Admin)).await.unwrap();
    world
}

fn in_a_shop(story: impl AsyncFnOnce()) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(story());
}

#[test]
fn trust_is_earned_by_approvals_confirmed_by_an_admin_and_ends_with_an_objection() {
    in_a_shop(async || {
        let mut world = shop(11).await;
        for _ in 0..9 {
            approved(&mut world).await;
        }
        let ada = team("ada", Role::Admin);
        let raise =
            async |world: &World, to, who: &kit::Principal| world.tenant.raise_trust(&checkout(), None, to, who).await;
        let early = raise(&world, TrustLevel::Notify, &ada).await.unwrap_err();
        assert!(matches!(early, TrustError::NotEarned { .. }), "{early}");
        approved(&mut world).await;
        let standing = world.tenant.trust().await.unwrap().remove(0);
        assert_eq!((standing.record.unchanged, standing.record.decisions), (10, 10));
        assert_eq!((standing.level, standing.proposal), (TrustLevel::Approve, Some(TrustLevel::Notify)));
        let refused = raise(&world, TrustLevel::Notify, &team("nora", Role::Approver)).await.unwrap_err();
        assert!(matches!(refused, TrustError::NoRole { .. }), "{refused}");
        let beyond = raise(&world, TrustLevel::Automatic, &ada).await.unwrap_err();
        assert!(matches!(beyond, TrustError::NotEarned { .. }), "{beyond}");
        // A proposal does nothing by itself.
        assert_eq!(another(&mut world, false).await.1.to_string(), "waiting not_trusted");

        raise(&world, TrustLevel::Notify, &ada).await.unwrap();
        assert!(matches!(another(&mut world, false).await.1, Fate::Sent(_)));
        assert_eq!(another(&mut world, true).await.1.to_string(), "waiting vip", "what else needs a person still does");
        let notices = world.tenant.notices().await.unwrap();
        assert_eq!(notices.len(), 1);
        let nora = team("nora", Role::Approver);
        world.tenant.object(notices[0].key.parse().unwrap(), &nora, "the tone is wrong").await.unwrap();
        assert_eq!(level(&world).await, TrustLevel::Approve);
        assert_eq!(another(&mut world, false).await.1.to_string(), "waiting not_trusted");
        let rows = world.tenant.store.audit_trail(1_000).await.unwrap();
        let told: Vec<(&str, &str)> = rows
            .iter()
            .rev()
            .filter(|row| row.action.starts_with("trust."))
            .map(|row| (row.who.as_str(), row.action.as_str()))
            .collect();
        assert_eq!(told, [("user:ada", "trust.raised"), ("user:nora", "trust.lowered")]);
    });
}

#[test]
fn a_rejection_a_complaint_and_another_release_each_end_it_at_once() {
    in_a_shop(async || {
        let mut world = trusted(42).await;
        assert!(matches!(another(&mut world, false).await.1, Fate::Sent(_)));
        // A VIP's message is asked about, and turned down.
        assert_eq!(another(&mut world, true).await.1.to_string(), "waiting vip");
        for approval in world.pending().await {
            let nora = team("nora", Role::Approver);
            world.tenant.reject(&approval.record.id, &nora, "not to her", false, None).await.unwrap();
        }
        assert_eq!(level(&world).await, TrustLevel::Approve);
        assert_eq!(another(&mut world, false).await.1.to_string(), "waiting not_trusted");

        let mut world = trusted(42).await;
        let (run, fate) = another(&mut world, false).await;
        assert!(matches!(fate, Fate::Sent(_)));
        let reader = world.tenant.store.run(&run).await.unwrap().unwrap().customer;
        let email = world.tenant.store.customer(&reader).await.unwrap().unwrap().email.unwrap();
        world.tenant.store.suppress(Channel::Email, &email, "spam complaint", world.now()).await.unwrap();
        assert_eq!(level(&world).await, TrustLevel::Approve);

        let mut world = trusted(42).await;
        world
            .release(|files| {
                let sending = files.get_mut("knowledge/policy/sending.toml").unwrap();
                *sending = sending.replace("cap_day = 24", "cap_day = 23");
            })
            .await;
        assert_eq!(another(&mut world, false).await.1.to_string(), "waiting not_trusted");
    });
}
