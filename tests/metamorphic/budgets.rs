//! Offers and money: no sequence of tool calls, one after another or at once, gives away more than the ladder and its budgets allow.

use std::sync::Arc;

use kit::fact::FactBook;
use kit::tool::{Subject, ToolContext};
use kit::{
    Currency, CustomerId, FlowId, Language, Money, OfferStepId, OrderId, Principal, ProductId, RunId, Timestamp,
};
use mailwright::store::{Budget, OfferHold, OfferLimits, Order};
use offers::Held;
use serde_json::{Value, json};

use super::{Scene, in_every_shop};
use crate::world::{Terms, World};

/// What a model may ask for, sane or not.
const ASKED: [Option<&str>; 7] = [
    None,
    Some("none"),
    Some("free-shipping"),
    Some("five-percent"),
    Some("ten-percent"),
    Some("fifteen-percent"),
    Some("ninety-percent"),
];

fn context(world: &World, run: &str, customer: &CustomerId, flow: &str, products: &[ProductId]) -> ToolContext {
    let now: Timestamp = world.now();
    let subject = Subject {
        flow: FlowId::new(flow).unwrap(),
        customer: customer.clone(),
        occasion: format!("cart:{run}"),
        step: 1,
        triggered_at: now,
        products: products.to_vec(),
        cart_url: None,
        stops_on_purchase: true,
        language: Language::EN,
        release: world.tenant.release.digest,
    };
    let (shop, run) = (world.tenant.store.id().clone(), RunId::new(run).unwrap());
    ToolContext::new(shop, run, Principal::System, now, Arc::new(subject), Arc::new(FactBook::new()), None, 1)
}

async fn quote(world: &World, cx: &ToolContext, step: Option<&str>) -> Value {
    let args = json!({"step": step, "reason": "because the model says so"}).to_string();
    let tool = world.tenant.registry.get("quote_offer").unwrap();
    serde_json::from_str(&tool.call(cx, &args).await.unwrap()).unwrap()
}

#[test]
fn no_sequence_of_quotes_overdraws_a_budget_or_leaves_the_ladder() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).open().await;
        world
            .release(|files| {
                let ladder = files.get_mut("knowledge/offers/ladder.toml").unwrap();
                *ladder = ladder.replace("month = \"2500.00\"", "month = \"40.00\"").replace("60.00", "15.00");
            })
            .await;
        let products: Vec<ProductId> = world.shelf.products.iter().map(|p| p.id.clone()).collect();
        let mut readers = Vec::new();
        for _ in 0..8 {
            let reader = world.reader().await;
            world.bought(&reader, &products[..1], 200).await;
            readers.push(reader);
        }
        // A generator of calls: runs, readers, flows, products and steps in every mixture, many for a run that has asked before.
        let mut state = seed;
        let mut roll = |end: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % end
        };
        let mut granted = 0;
        for _ in 0..20 {
            let mut calls = Vec::new();
            for _ in 0..12 {
                let number = roll(60);
                let (reader, flow) =
                    (&readers[number % readers.len()], ["win-back", "abandoned-checkout", "post-purchase"][roll(3)]);
                let from = roll(products.len());
                let basket = &products[from..(from + 1 + roll(3)).min(products.len())];
                let cx = context(&world, &format!("r{number}"), reader, flow, basket);
                calls.push((cx, ASKED[roll(ASKED.len())]));
            }
            // All twelve at once.
            let mut answers = tokio::task::JoinSet::new();
            for (cx, step) in calls {
                let tool = world.tenant.registry.get("quote_offer").unwrap().clone();
                let args = json!({"step": step, "reason": "because the model says so"}).to_string();
                answers.spawn(async move { tool.call(&cx, &args).await.unwrap() });
            }
            for answer in answers.join_all().await {
                let answer: Value = serde_json::from_str(&answer).unwrap();
                if answer["answer"] == "granted" {
                    granted += 1;
                    let step = OfferStepId::new(answer["step"].as_str().unwrap()).unwrap();
                    assert!(world.tenant.release.ladder.step(&step).is_some(), "{answer}");
                }
            }
        }
        assert!(granted > 0);
        let store = &world.tenant.store;
        let spent = store.budget_spent("month:2026-11").await.unwrap();
        assert!(spent > 0 && spent <= 4_000, "{spent}");
        for reader in &readers {
            let spent = store.budget_spent(&format!("customer:{reader}:2026-11")).await.unwrap();
            assert!(spent <= 1_500, "{reader} {spent}");
        }
        // The wish beyond the ladder waits for a person, and the run got nothing for it.
        let reader = world.reader().await;
        world.bought(&reader, &products[..1], 200).await;
        let cx = context(&world, "wisher", &reader, "win-back", &products[..1]);
        assert_eq!(quote(&world, &cx, Some("ninety-percent")).await["answer"], "none");
        let wishes = store.offer_wishes(100).await.unwrap();
        assert!(wishes.iter().all(|w| w.step == "ninety-percent") && wishes.iter().any(|w| w.run.as_str() == "wisher"));
    });
}

#[test]
fn two_hundred_holds_at_once_spend_a_budget_to_the_cent_and_no_more() {
    in_every_shop(async |seed| {
        let scene = Scene::plain(seed).await;
        let store = scene.world.tenant.store.clone();
        let now = scene.world.now();
        let mut holds = tokio::task::JoinSet::new();
        for number in 0..200 {
            let (store, customer) = (store.clone(), scene.reader.clone());
            holds.spawn(async move {
                let hold = OfferHold {
                    run: RunId::new(format!("h{}", number % 150)).unwrap(),
                    customer,
                    step: OfferStepId::new("five-percent").unwrap(),
                    code: format!("TRAIL-{}", number % 150),
                    cost: Money::new(100, Currency::EUR),
                };
                let budgets = vec![
                    Budget { name: "month:2026-11".to_owned(), limit_minor: 10_000 },
                    Budget { name: "customer:x".to_owned(), limit_minor: 7_050 },
                ];
                let limits = OfferLimits { budgets, per_customer: u32::MAX, since: now };
                store.hold_offer(hold, limits, now).await.unwrap()
            });
        }
        let refused: Vec<String> = holds
            .join_all()
            .await
            .into_iter()
            .filter_map(|answer| if let Held::Over { budget } = answer { Some(budget) } else { None })
            .collect();
        // Seventy runs hold, the first budget got back what the second one refused.
        assert_eq!(store.budget_spent("month:2026-11").await.unwrap(), 7_000);
        assert_eq!(store.budget_spent("customer:x").await.unwrap(), 7_000);
        assert!(refused.len() >= 80 && refused.iter().all(|budget| budget == "customer:x"), "{}", refused.len());
    });
}

/// Orders of the past, the newest last; true for one with a discount.
async fn ordered(world: &World, customer: &CustomerId, discounts: &[bool]) {
    let placed = |number: usize| world.now() - jiff::SignedDuration::from_hours(24 * (300 - 10 * number as i64));
    let order = |(number, discounted): (usize, &bool)| Order {
        id: OrderId::new(format!("{customer}-{number}")).unwrap(),
        customer: customer.clone(),
        cart: None,
        placed_at: placed(number),
        total: Money::new(5_000, world.shelf.currency),
        discount: Money::new(if *discounted { 500 } else { 0 }, world.shelf.currency),
        cancelled_at: None,
        cancel_reason: None,
        fulfilled_at: None,
        lines: Vec::new(),
    };
    let orders = discounts.iter().enumerate().map(order).collect();
    world.tenant.store.put_orders(orders).await.unwrap();
}

#[test]
fn a_deal_seeker_gets_no_deeper_step_than_the_last_one() {
    in_every_shop(async |seed| {
        let mut world = Terms::of(seed).open().await;
        for _ in 0..25 {
            let reader = world.reader().await;
            ordered(&world, &reader, &[false, false]).await;
        }
        let (seeker, other) = (world.reader().await, world.reader().await);
        // Neither has two discounted orders in a row behind them; one of them waits for discounts all the same.
        ordered(&world, &seeker, &[true, true, true, true, true, false]).await;
        ordered(&world, &other, &[false, false, false, false, false, false]).await;
        // What the shop's orders teach is learned when it is opened.
        world.restart().await;
        let product = [world.shelf.lead()];
        let ask = async |run: &str, who: &CustomerId, step| {
            let cx = context(&world, &format!("{run}-{who}"), who, "win-back", &product);
            quote(&world, &cx, Some(step)).await["answer"].as_str().unwrap().to_owned()
        };
        for (who, deeper) in [(&other, "granted"), (&seeker, "none")] {
            assert_eq!(ask("first", who, "five-percent").await, "granted");
            assert_eq!(ask("second", who, "ten-percent").await, deeper, "{who}");
        }
        // As deep as before is no deeper.
        assert_eq!(ask("third", &seeker, "five-percent").await, "granted");
    });
}
