//! Questions about offers: what one transaction holds against every limit, whoever asks at the same moment.

use kit::{Currency, CustomerId, Money, OfferStepId, RunId, StoreError};
use mailwright::store::{Budget, OfferHold, OfferLimits, RunState};
use offers::Held;

use super::suite::{minutes, new_run};
use super::{Home, now, shop};

fn hold(run: &str, customer: &str, code: &str, minor: i64) -> OfferHold {
    OfferHold {
        run: RunId::new(run).unwrap(),
        customer: CustomerId::new(customer).unwrap(),
        step: OfferStepId::new("five-percent").unwrap(),
        code: code.to_owned(),
        cost: Money::new(minor, Currency::EUR),
    }
}

fn limits(per_customer: u32) -> OfferLimits {
    let budgets = vec![Budget { name: "month:2026-11".to_owned(), limit_minor: 1_000 }];
    OfferLimits { budgets, per_customer, since: minutes(-60) }
}

pub(super) async fn an_offer_is_held_within_every_limit(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    let ask = async |hold: OfferHold, most| store.hold_offer(hold, limits(most), now()).await.unwrap();
    let spent = async || store.budget_spent("month:2026-11").await.unwrap();
    assert_eq!(ask(hold("r1", "c1", "A", 300), 1).await, Held::Held);
    // Again: nothing more. Dearer: the difference. Cheaper: what was held stays.
    for (minor, expected) in [(300, 300), (420, 420), (200, 420)] {
        assert_eq!(ask(hold("r1", "c1", "A", minor), 1).await, Held::Held);
        assert_eq!(spent().await, expected);
    }
    let other = OfferHold { step: OfferStepId::new("ten-percent").unwrap(), ..hold("r1", "c1", "B", 800) };
    let stands = Held::Stands { step: OfferStepId::new("five-percent").unwrap(), code: "A".to_owned() };
    assert_eq!(ask(other, 1).await, stands);
    assert_eq!(ask(hold("r2", "c1", "C", 100), 1).await, Held::TooMany { granted: 1 });
    assert_eq!(ask(hold("r3", "c2", "A", 100), 1).await, Held::CodeTaken);
    let over = Held::Over { budget: "month:2026-11".to_owned() };
    assert_eq!(ask(hold("r3", "c2", "D", 581), 1).await, over);
    let dollars = OfferHold { cost: Money::new(900, Currency::USD), ..hold("r1", "c1", "A", 0) };
    assert_eq!(ask(dollars, 1).await, Held::Over { budget: "held in EUR".to_owned() });
    assert_eq!(spent().await, 420);
    assert!(!store.code_is_free("A", &CustomerId::new("c2").unwrap()).await.unwrap());
    assert!(store.code_is_free("A", &CustomerId::new("c1").unwrap()).await.unwrap());
    // Shops share nothing.
    let there = home.open().await.shop(&shop("b"));
    assert_eq!(there.hold_offer(hold("r9", "c9", "A", 1_000), limits(1), now()).await.unwrap(), Held::Held);
}

pub(super) async fn an_offer_of_a_run_that_ended_unsent_counts_no_more(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    store.admit(new_run("r1", "cart:1", now()), now()).await.unwrap();
    assert_eq!(store.hold_offer(hold("r1", "c1", "A", 300), limits(1), now()).await.unwrap(), Held::Held);
    let ask = async || store.hold_offer(hold("r2", "c1", "B", 100), limits(1), minutes(90)).await.unwrap();
    assert_eq!(ask().await, Held::TooMany { granted: 1 });
    store.end_run(&RunId::new("r1").unwrap(), RunState::Done, None, None, minutes(80)).await.unwrap();
    assert_eq!(ask().await, Held::Held);
    // Its place and its budget, once however often it is ended.
    store.end_run(&RunId::new("r1").unwrap(), RunState::Done, None, None, minutes(81)).await.unwrap();
    assert_eq!(store.budget_spent("month:2026-11").await.unwrap(), 100);
    let late = store.hold_offer(hold("r1", "c1", "A", 300), limits(9), minutes(90)).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
}

pub(super) async fn what_an_erased_person_held_is_given_back(home: &Home) {
    let store = home.open().await.shop(&shop("a"));
    store.admit(new_run("r1", "cart:1", now()), now()).await.unwrap();
    let own = |customer: &str| Budget { name: format!("customer:{customer}:2026-11"), limit_minor: 900 };
    let both = |customer: &str| OfferLimits { budgets: vec![limits(1).budgets.remove(0), own(customer)], ..limits(1) };
    // One with a run, one of a campaign; and somebody else.
    for (run, customer, code) in [("r1", "c1", "A"), ("cof-1", "c2", "B"), ("cof-2", "c3", "C")] {
        let held = store.hold_offer(hold(run, customer, code, 300), both(customer), now()).await.unwrap();
        assert_eq!(held, Held::Held);
    }
    for customer in ["c1", "c2"] {
        let id = CustomerId::new(customer).unwrap();
        store.erase_customer(&id, format!("erased-{customer}"), now()).await.unwrap();
    }
    assert_eq!(store.budget_spent("month:2026-11").await.unwrap(), 300);
    let names = "SELECT budget || ' ' || spent_minor FROM offer_budgets ORDER BY budget";
    assert_eq!(home.sql(names).await, ["customer:c3:2026-11 300", "month:2026-11 300"]);
    let charged = "SELECT run_id || ' ' || budget FROM offer_charges ORDER BY budget";
    assert_eq!(home.sql(charged).await, ["cof-2 customer:c3:2026-11", "cof-2 month:2026-11"]);
}
