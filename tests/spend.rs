//! Spend caps under any order of runs side by side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use agent::{FinishReason, ModelError, ModelReply, Quote, Usage};
use kit::{FlowId, RunId, ShopId, Timestamp};
use mailwright::spend::{Capped, Caps, Purchase, Purse, Refusal};
use mailwright::store::{ShopStore, Store};
use proptest::prelude::*;
use tokio::task::JoinSet;

const NOON: &str = "2026-11-17T12:00:00Z";

/// One call that a run makes.
#[derive(Debug, Clone)]
struct Call {
    run: u8,
    flow: u8,
    estimate: u64,
    /// How it ends: at a share of the estimate, unheard of, or turned away.
    end: End,
}

#[derive(Debug, Clone)]
enum End {
    Cost(u64),
    Unheard,
    TurnedAway,
}

impl Call {
    fn run(&self) -> RunId {
        RunId::new(format!("run-{:012x}", self.run)).unwrap()
    }

    fn flow(&self) -> FlowId {
        FlowId::new(format!("flow-{}", self.flow)).unwrap()
    }

    /// What it counts for in the end.
    fn counts(&self) -> u64 {
        match self.end {
            End::Cost(percent) => self.estimate * percent / 100,
            End::Unheard => self.estimate,
            End::TurnedAway => 0,
        }
    }

    fn came(&self) -> Result<ModelReply, ModelError> {
        match self.end {
            End::Unheard => Err(ModelError::Timeout { seconds: 1 }),
            End::TurnedAway => Err(ModelError::RateLimited),
            End::Cost(_) => Ok(ModelReply {
                text: None,
                calls: Vec::new(),
                finish: FinishReason::Stop,
                usage: Usage { cost_micros: self.counts(), ..Usage::default() },
                model: "m".to_owned(),
            }),
        }
    }
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let end = prop_oneof![(0..=100_u64).prop_map(End::Cost), Just(End::Unheard), Just(End::TurnedAway)];
    let call = (0..4_u8, 0..2_u8, 1..=100_u64, end);
    let call = call.prop_map(|(run, flow, estimate, end)| Call { run: run * 2 + flow, flow, estimate, end });
    prop::collection::vec(call, 1..40)
}

fn caps() -> impl Strategy<Value = Caps> {
    let cap = || prop::option::of(0..600_u64);
    (cap(), cap(), cap()).prop_map(|(run, flow_day, shop_day)| Caps { run, flow_day, shop_day, ..Caps::default() })
}

async fn shop(dir: &std::path::Path) -> (Store, ShopStore) {
    let store = Store::open(dir).await.unwrap();
    let shop = store.shop(&ShopId::new("shop-a").unwrap());
    (store, shop)
}

/// All at once; returns the calls that were let through.
async fn all_at_once(purse: &Purse, calls: &[Call], now: Timestamp) -> Vec<Call> {
    let mut tasks = JoinSet::new();
    for call in calls.iter().cloned() {
        let purse = purse.clone();
        tasks.spawn(async move {
            let (run, flow) = (call.run(), call.flow());
            let quote = Quote::AtMost { micros: call.estimate };
            let of = Purchase { run: &run, flow: &flow, profile: "main", quote };
            let ticket = purse.reserve(of, now).await.unwrap().ok()?;
            tokio::task::yield_now().await;
            purse.settle(ticket, &call.came()).await.unwrap();
            Some(call)
        });
    }
    let mut through = Vec::new();
    while let Some(done) = tasks.join_next().await {
        through.extend(done.unwrap());
    }
    through
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever runs side by side: no cap is passed, and the sums are those of the calls that were made.
    #[test]
    fn no_order_of_calls_passes_a_cap(calls in calls(), caps in caps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let (store, shop) = shop(dir.path()).await;
            let now: Timestamp = NOON.parse().unwrap();
            let purse = Purse::new(shop.clone(), caps.clone());
            let through = all_at_once(&purse, &calls, now).await;
            let sum = |of: &dyn Fn(&Call) -> bool| through.iter().filter(|call| of(call)).map(Call::counts).sum::<u64>();
            let total = shop.spent_in("shop/2026-11-17").await.unwrap();
            prop_assert_eq!(total, sum(&|_| true));
            prop_assert!(caps.shop_day.is_none_or(|cap| total <= cap));
            for call in &calls {
                let of_flow = shop.spent_in(&format!("flow/2026-11-17/{}", call.flow())).await.unwrap();
                prop_assert_eq!(of_flow, sum(&|other| other.flow == call.flow));
                prop_assert!(caps.flow_day.is_none_or(|cap| of_flow <= cap));
                let of_run = shop.spent_in(&format!("run/{}", call.run())).await.unwrap();
                prop_assert_eq!(of_run, sum(&|other| other.run == call.run));
                prop_assert!(caps.run.is_none_or(|cap| of_run <= cap));
                let rows = shop.spend_of(&call.run()).await.unwrap();
                prop_assert_eq!(rows.iter().map(|row| row.settled.unwrap_or(row.reserved)).sum::<u64>(), of_run);
            }
            // Without caps nobody is turned away.
            prop_assert!(caps != Caps::default() || through.len() == calls.len());
            store.close().await;
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn open_reservations_count_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let now: Timestamp = NOON.parse().unwrap();
    let (run, flow) = (RunId::new("run-000000000001").unwrap(), FlowId::new("flow-a").unwrap());
    let of = |micros| Purchase { run: &run, flow: &flow, profile: "main", quote: Quote::AtMost { micros } };
    let caps = Caps { shop_day: Some(100), ..Caps::default() };
    {
        let (store, shop) = shop(dir.path()).await;
        // Never settled: the process dies over it.
        let _open = Purse::new(shop, caps.clone()).reserve(of(70), now).await.unwrap().unwrap();
        store.close().await;
    }
    let (store, shop) = shop(dir.path()).await;
    let purse = Purse::new(shop.clone(), caps);
    let over = purse.reserve(of(31), now).await.unwrap().unwrap_err();
    assert_eq!(over, Refusal::Cap { what: Capped::Shop, asked: 31, used: 70, cap: 100 });
    assert_eq!(
        over.to_string(),
        "a call for at most $0.000031 would pass the spend cap of the shop for today: $0.000070 of $0.000100 are used"
    );
    assert_eq!((purse.affords(of(30), now).await.unwrap(), purse.affords(of(31), now).await.unwrap()), (true, false));
    // To the cap and no further; a new day begins at nothing.
    let exact = purse.reserve(of(30), now).await.unwrap().unwrap();
    purse.settle(exact, &Err(ModelError::RateLimited)).await.unwrap();
    assert_eq!(shop.spent_in("shop/2026-11-17").await.unwrap(), 70);
    let tomorrow: Timestamp = "2026-11-18T00:00:00Z".parse().unwrap();
    let ticket = purse.reserve(of(100), tomorrow).await.unwrap().unwrap();
    purse.settle(ticket, &Err(ModelError::Timeout { seconds: 1 })).await.unwrap();
    assert_eq!(shop.spent_in("shop/2026-11-18").await.unwrap(), 100);
    store.close().await;
}
