//! Requests in pages: whoever turns them sees each once, whatever happens between two pages.

use std::collections::BTreeSet;

use kit::campaign::{CampaignId, CampaignTerms, SlotRules};
use kit::{ApprovalId, Digest, Role, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::api::{asked, got};
use super::{Served, problem};
use crate::world::{Fate, Terms, World, only_run, team};
use mailwright::server::Limits;

/// Another message waits for a person.
async fn one_more(world: &mut World) -> ApprovalId {
    let before: BTreeSet<ApprovalId> = ids(world).await;
    let reader = world.reader().await;
    let basket = world.basket(&reader, &[world.shelf.lead()]);
    let run = only_run(&world.fire(&basket).await);
    assert!(matches!(world.in_time(&run).await, Fate::Waiting(_)));
    ids(world).await.difference(&before).next().unwrap().clone()
}

async fn ids(world: &World) -> BTreeSet<ApprovalId> {
    world.pending().await.into_iter().map(|approval| approval.record.id).collect()
}

/// A campaign waits for people until then.
async fn campaign(world: &World, name: &str, until: Timestamp) -> ApprovalId {
    let digest = Digest::of_bytes(name.as_bytes());
    let terms = CampaignTerms {
        shop: world.tenant.store.id().clone(),
        campaign: CampaignId::new(format!("cmp-{name}")).unwrap(),
        classes: Vec::new(),
        slots: SlotRules { least: 0, most: 0 },
        products: Default::default(),
        price_tolerance_permille: 0,
        audience: digest,
        recipients: 12,
        not_before: world.now(),
        not_after: until,
        rules: world.tenant.release.rules.version(),
        release: world.tenant.release.digest,
    };
    let (id, authors) = (ApprovalId::from_digest("apc", &digest), BTreeSet::from(["user:mia".to_owned()]));
    world.tenant.store.open_campaign_approval(&id, &terms, &authors, until, world.now()).await.unwrap()
}

/// The page behind an approval, as the API answers.
async fn page(served: &Served, token: &str, limit: usize, after: Option<&ApprovalId>) -> Vec<ApprovalId> {
    let after = after.map(|id| format!("&after={id}")).unwrap_or_default();
    let path = format!("/approvals?limit={limit}{after}");
    let listed = got(asked(served, Method::GET, &path, token)).await;
    let id = |one: &Value| ApprovalId::new(one["approval"].as_str().unwrap()).unwrap();
    listed.as_array().unwrap().iter().map(id).collect()
}

/// A shop in which five messages and three campaigns wait, with all of them in the order in which they lapse.
fn with_eight(story: impl AsyncFnOnce(Served, Vec<ApprovalId>)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = Terms::of(11).trust("review").open().await;
        for _ in 0..5 {
            one_more(&mut world).await;
        }
        let lapses: Vec<Timestamp> = world.pending().await.iter().map(|one| one.record.expires_at).collect();
        // One lapses before all messages, one at the moment of a message, one after all.
        let hour = std::time::Duration::from_secs(3600);
        campaign(&world, "first", lapses[0] - hour).await;
        campaign(&world, "amid", lapses[2]).await;
        campaign(&world, "last", lapses[4] + hour).await;
        let page = world.tenant.asked_page(kit::message::ApprovalState::Pending, None, 100).await.unwrap();
        let all: Vec<ApprovalId> = page.iter().map(|one| one.record().id.clone()).collect();
        assert_eq!(all.len(), 8);
        assert_eq!((&all[0].as_str()[..3], &all[7].as_str()[..3]), ("apc", "apc"));
        story(Served::with(world, Limits::default()).await, all).await;
    });
}

#[test]
fn every_request_is_on_one_page() {
    with_eight(async |served, all| {
        let token = served.token(Role::Viewer).await;
        for limit in 1..=9 {
            let (mut seen, mut after) = (Vec::new(), None);
            // One more turn than it takes: a list that begins anew would go on for ever.
            for _ in 0..=all.len() {
                let page = page(&served, &token, limit, after.as_ref()).await;
                assert!(page.len() <= limit);
                after = page.last().cloned().or(after);
                seen.extend(page);
            }
            assert_eq!(seen, all, "by {limit}");
        }
        served.stop().await;
    });
}

#[test]
fn what_is_decided_or_asked_between_two_pages_moves_nothing() {
    with_eight(async |mut served, all| {
        let token = served.token(Role::Viewer).await;
        let first = page(&served, &token, 3, None).await;
        assert_eq!(first, all[..3]);
        // The place itself, one before and one behind are decided; others come, before and behind.
        let message = |ids: &[ApprovalId]| ids.iter().find(|id| id.as_str().starts_with("apr")).cloned().unwrap();
        let (shown, behind) = (first[2].clone(), message(&all[4..]));
        assert!(shown.as_str().starts_with("apr"), "{all:?}");
        let nora = team("nora", Role::Approver);
        for id in [&message(&all[..2]), &shown, &behind] {
            served.world.tenant.reject(id, &nora, "not this one", false, None).await.unwrap();
        }
        let late = one_more(&mut served.world).await;
        let top = served.world.tenant.look(&all[0]).await.unwrap().asked.record().expires_at;
        let early = campaign(&served.world, "early", top - std::time::Duration::from_secs(60)).await;

        let (mut seen, mut after) = (first.clone(), Some(shown));
        for _ in 0..=all.len() {
            let page = page(&served, &token, 3, after.as_ref()).await;
            after = page.last().cloned().or(after);
            seen.extend(page);
        }
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "twice: {seen:?}");
        let missing: Vec<&ApprovalId> = all.iter().filter(|id| !seen.contains(id)).collect();
        assert_eq!(missing, [&behind]);
        assert!(seen.contains(&late) && !seen.contains(&early), "{seen:?}");
        assert_eq!(page(&served, &token, 1, None).await, [early]);
        served.stop().await;
    });
}

#[test]
fn a_place_that_is_nowhere_is_told() {
    with_eight(async |served, all| {
        let token = served.token(Role::Viewer).await;
        for (after, told) in [
            (
                "apr-000000000000",
                "there is no approval apr-000000000000 to go on behind; begin at the first page, without `after`",
            ),
            ("a%00b", "ApprovalId holds a control character or blanks at its edges"),
        ] {
            let path = format!("/approvals?after={after}");
            let (status, detail) = problem(asked(&served, Method::GET, &path, &token)).await;
            assert_eq!((status, detail.as_str()), (StatusCode::BAD_REQUEST, told));
        }
        // In another state there may be nothing behind it, which is no mistake.
        let path = format!("/approvals?state=rejected&after={}", all[3]);
        assert_eq!(got(asked(&served, Method::GET, &path, &token)).await, Value::Array(Vec::new()));
        served.stop().await;
    });
}
