//! What changes between approval and send takes people out, or holds a message; it never lets anything else through.

use std::collections::BTreeSet;

use kit::message::{Channel, ConsentState};
use mailwright::campaigns::CampaignError;
use mailwright::store::{CampaignState, Consent, RecipientState};

use super::*;

/// Who got a mail, by address.
fn readers(shop: &Shop) -> BTreeSet<String> {
    let to = |mail: &str| mail.lines().find_map(|l| l.strip_prefix("To: ").map(str::to_owned)).unwrap();
    shop.files("new").values().map(|m| to(m)).collect()
}

async fn sent(shop: &Shop, id: &CampaignId) -> BTreeSet<String> {
    shop.clock.set(THURSDAY_EVENING.parse().unwrap());
    shop.tenant.run_campaign(id, &|_| {}).await.unwrap();
    readers(shop)
}

#[test]
fn whoever_takes_consent_back_is_left_out_and_nobody_else_notices() {
    block_on(async {
        let plain = Shop::open(120).await;
        let everybody = {
            let id = plain.scheduled(&plain.brief()).await;
            sent(&plain, &id).await
        };
        let shop = Shop::open(120).await;
        let id = shop.scheduled(&shop.brief()).await;
        let first = shop.tenant.store.recipients(&id, 0, 1).await.unwrap().remove(0);
        assert_eq!(first.channel, Channel::Email);
        let gone = shop.tenant.store.customer(&first.customer).await.unwrap().unwrap().email.unwrap();
        let consent = Consent {
            channel: Channel::Email,
            state: ConsentState::Withdrawn,
            at: shop.clock.now(),
            source: "unsubscribe link".to_owned(),
            wording: "v1".to_owned(),
        };
        shop.tenant.store.add_consents(vec![(first.customer.clone(), consent)]).await.unwrap();
        let others = sent(&shop, &id).await;
        let mut expected = everybody;
        assert!(expected.remove(gone.reveal()));
        assert_eq!(others, expected);
        let counts = shop.counts(&id).await;
        assert_eq!(counts.get(&("removed".to_owned(), "withdrawn".to_owned())), Some(&1), "{counts:?}");
    });
}

#[test]
fn a_price_beyond_what_was_approved_holds_the_messages_that_show_it() {
    block_on(async {
        let shop = Shop::open(120).await;
        let id = shop.scheduled(&shop.brief()).await;
        let lead = shop.brief().products.remove(0).product;
        let raise = async |permille: i64| {
            let mut row = shop.tenant.store.products().await.unwrap().into_iter().find(|row| row.id == lead).unwrap();
            row.price.minor += row.price.minor * permille / 1000;
            let price = row.price;
            shop.tenant.store.put_products(vec![row], shop.clock.now()).await.unwrap();
            shop.tenant.catalog.set_price(&lead, price).unwrap();
        };
        raise(200).await;
        sent(&shop, &id).await;
        let recipients = shop.tenant.store.recipients(&id, 0, 10_000).await.unwrap();
        let held: Vec<_> = recipients.iter().filter(|r| r.state == RecipientState::Held).collect();
        assert!(!held.is_empty());
        assert!(held.iter().all(|r| r.detail.as_ref().unwrap().contains("was approved")), "{:?}", held[0].detail);
        // Nobody is shown the new price.
        let classes = shop.tenant.store.campaign_classes(&id).await.unwrap();
        let of_lead = |class: &kit::campaign::ClassId| {
            classes.iter().any(|row| row.id == *class && row.facts.contains(&format!("\"lead\":\"{lead}\"")))
        };
        for r in &recipients {
            assert_eq!(r.state == RecipientState::Held, of_lead(&r.class), "{r:?}");
        }
    });
}

#[test]
fn other_words_or_another_audience_are_not_covered() {
    block_on(async {
        let shop = Shop::open(90).await;
        let id = shop.scheduled(&shop.brief()).await;
        // Somebody changes a class behind the approver's back.
        let class = shop.tenant.store.campaign_classes(&id).await.unwrap().remove(0);
        let mut copy = class.copy.unwrap();
        copy.mail.as_mut().unwrap().draft.preheader = "Something else than what was approved, said to all.".to_owned();
        shop.tenant.store.put_class_copy(&id, &class.id, &copy).await.unwrap();
        sent(&shop, &id).await;
        let recipients = shop.tenant.store.recipients(&id, 0, 10_000).await.unwrap();
        for r in &recipients {
            let expected = if r.class == class.id { RecipientState::Held } else { RecipientState::Sent };
            assert_eq!(r.state, expected, "{:?}", r.detail);
        }
    });
}

#[test]
fn a_campaign_that_is_called_off_or_killed_sends_nothing() {
    block_on(async {
        let shop = Shop::open(90).await;
        let id = shop.scheduled(&shop.brief()).await;
        let scope = format!("flow:{id}");
        shop.tenant.store.kill_on(&scope, "wrong week", &nora(), shop.clock.now()).await.unwrap();
        shop.clock.set(THURSDAY_EVENING.parse().unwrap());
        let progress = shop.tenant.run_campaign(&id, &|_| {}).await.unwrap();
        assert_eq!((progress.sent, progress.held, progress.removed), (0, 0, 0));
        assert!(progress.waiting > 0 && readers(&shop).is_empty());
        shop.tenant.cancel_campaign(&id, &nora(), "wrong week").await.unwrap();
        shop.tenant.store.kill_off(&scope, &nora(), shop.clock.now()).await.unwrap();
        assert!(shop.tenant.run_campaign(&id, &|_| {}).await.is_err());
        assert!(readers(&shop).is_empty());
        assert_eq!(shop.tenant.store.campaign(&id).await.unwrap().unwrap().state, CampaignState::Cancelled);
    });
}

#[test]
fn whoever_is_erased_meanwhile_is_in_no_row_and_nobody_else_notices() {
    block_on(async {
        let shop = Shop::open(120).await;
        let id = shop.scheduled(&shop.brief()).await;
        let before = shop.tenant.store.recipients(&id, 0, 10_000).await.unwrap();
        let gone = before[0].customer.clone();
        let now = shop.clock.now();
        let body = serde_json::json!({
            "shop_id": 1, "shop_domain": "x", "customer": { "id": gone }, "orders_to_redact": [],
        });
        let text = body.to_string();
        let delivery = ::shop::Delivery {
            source: ::shop::Source::Shopify,
            topic: "customers/redact",
            body: text.as_bytes(),
            event_id: Some("r1"),
            triggered_at: Some(now),
            received_at: now,
        };
        shop.tenant.take_in(&delivery).await.unwrap();
        sent(&shop, &id).await;
        let after = shop.tenant.store.recipients(&id, 0, 10_000).await.unwrap();
        assert_eq!(after.len(), before.len());
        for (was, is) in before.iter().zip(&after) {
            let erased = was.customer == gone;
            assert_eq!((is.place, is.destination), (was.place, was.destination));
            assert_eq!(is.customer.as_str().starts_with("erased-"), erased);
            let expected = if erased { RecipientState::Removed } else { RecipientState::Sent };
            assert_eq!(is.state, expected, "{:?}", is.detail);
        }
        let mailed = before.iter().filter(|r| r.channel == Channel::Email && r.customer != gone).count();
        assert_eq!(readers(&shop).len(), mailed);
    });
}

#[test]
fn a_recalled_campaign_sends_nothing_and_is_asked_about_again() {
    block_on(async {
        let shop = Shop::open(400).await;
        let (id, approval) = shop.asked(&shop.brief()).await;
        let tenant = &shop.tenant;
        let Looked { seen, route, .. } = tenant.look(&approval).await.unwrap();
        let recipients = tenant.store.campaign(&id).await.unwrap().unwrap().count.recipients;
        assert!(recipients > 100, "{recipients}");
        assert_eq!(route.typed_count, Some(recipients), "a large audience is typed");
        for typed_count in [None, Some(recipients + 1)] {
            let assent = Assent { seen: seen.clone(), typed_count };
            let refused = tenant.approve(&approval, &nora(), &assent).await;
            assert!(refused.is_err(), "{typed_count:?}");
        }
        tenant.approve(&approval, &nora(), &Assent { seen, typed_count: route.typed_count }).await.unwrap();
        tenant.schedule_campaign(&id, &mira()).await.unwrap();
        let early = tenant.run_campaign(&id, &|_| {}).await.unwrap_err();
        assert!(matches!(early, CampaignError::Recallable { .. }), "{early}");
        tenant.recall(&approval, &mira(), "the wrong week").await.unwrap();
        shop.clock.set(THURSDAY_EVENING.parse().unwrap());
        let stopped = tenant.run_campaign(&id, &|_| {}).await.unwrap_err();
        assert!(matches!(stopped, CampaignError::State(CampaignState::Written, _)), "{stopped}");
        assert!(shop.files("new").is_empty() && shop.files("sms").is_empty());
        let again = tenant.ask_for_campaign(&id, &mira()).await.unwrap();
        assert_ne!(again, approval);
        let refused = shop.approve(&again, &mira()).await.unwrap_err();
        assert!(matches!(refused, DecideError::Rule(_)), "who shaped it cannot approve it: {refused}");
    });
}

#[test]
fn a_campaigns_offers_stay_within_the_months_budgets() {
    block_on(async {
        let mut shop = Shop::open(220).await;
        shop.release(|files| {
            let ladder = files.get_mut("knowledge/offers/ladder.toml").unwrap();
            assert!(ladder.contains("month = \"2500.00\""));
            *ladder = ladder.replace("month = \"2500.00\"", "month = \"100.00\"");
        })
        .await;
        let id = shop.scheduled(&shop.with_offer("five-percent")).await;
        shop.clock.set(THURSDAY_EVENING.parse().unwrap());
        shop.tenant.run_campaign(&id, &|_| {}).await.unwrap();
        let counts = shop.counts(&id).await;
        let spent = shop.tenant.store.budget_spent("month:2026-11").await.unwrap();
        assert!(spent > 0 && spent <= 10_000, "{spent}");
        let over = counts.get(&("removed".to_owned(), "offer_budget".to_owned())).copied().unwrap_or(0);
        let sent = counts.iter().filter(|((state, _), _)| state == "sent").map(|(_, n)| n).sum::<u32>();
        assert!(over > 0 && sent > 0, "{counts:?}");
        // Once more changes nothing: a person's offer is held once.
        let _ = shop.tenant.run_campaign(&id, &|_| {}).await;
        assert_eq!(shop.tenant.store.budget_spent("month:2026-11").await.unwrap(), spent);
    });
}
