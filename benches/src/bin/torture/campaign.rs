//! A campaign that waits for its day: sent by the server, in chunks, through the same ledger as everything else.

use std::path::Path;
use std::sync::Arc;

use esp::Outbox;
use jiff::Timestamp;
use jiff::civil::{date, time};
use kit::campaign::{
    Angle, AudienceSpec, Brief, BriefProduct, OfferChoice, OfferPlan, Predicate, Schedule, SendZone, VipTreatment,
};
use kit::message::Channel;
use kit::{Language, Principal, Role, ShopId};
use mailwright::approvals::Assent;
use mailwright::clock::SetClock;
use mailwright::runs::Silent;
use mailwright::store::{RecipientState, ShopStore, Store};
use mailwright::tenant::{Parts, Tenant};

use crate::Failure;

/// When everybody's hour has come: the brief says Thursday at ten, where its reader is.
pub(crate) const EVENING: &str = "2026-11-19T19:00:00Z";

/// Freezes, writes, approves and schedules a campaign to everybody who has bought something.
pub(crate) async fn schedule(store: &Store, shop: &ShopId, outbox: &Path, now: Timestamp) -> Result<(), Failure> {
    let parts = Parts::new(Arc::new(SetClock::at(now)), Arc::new(Outbox::open(outbox)?), Vec::new());
    let tenant = Arc::new(Tenant::open(store, shop, parts).await?);
    let id = tenant.freeze_campaign("brf-torture", &brief(&tenant), &person("mira")).await?;
    tenant.write_campaign(&id, &person("mira"), Arc::new(Silent)).await?;
    let approval = tenant.ask_for_campaign(&id, &person("mira")).await?;
    let looked = tenant.look(&approval).await?;
    let assent = Assent { seen: looked.seen, typed_count: looked.route.typed_count };
    tenant.approve(&approval, &person("nora"), &assent).await?;
    tenant.schedule_campaign(&id, &person("mira")).await?;
    Ok(())
}

/// Recipients who still wait, of all campaigns.
pub(crate) async fn waiting(shop: &ShopStore) -> Result<usize, Failure> {
    let mut waiting = 0;
    for campaign in shop.campaigns(10).await? {
        let counts = shop.recipient_counts(&campaign.id).await?;
        let pending = counts.iter().filter(|((state, _), _)| state == RecipientState::Pending.as_str());
        waiting += pending.map(|(_, count)| *count as usize).sum::<usize>();
    }
    Ok(waiting)
}

fn brief(tenant: &Tenant) -> Brief {
    let packs = tenant.catalog.products().filter(|product| {
        product.category.as_str().starts_with("packs/") && product.stock > 20 && product.regulated.is_none()
    });
    let products = packs.take(2).map(|product| BriefProduct {
        product: product.id.clone(),
        title: product.id.to_string(),
        category: product.category.clone(),
        because: "packs for the season".to_owned(),
        path: String::new(),
        regulated: None,
    });
    Brief {
        title: Some("Packs".to_owned()),
        objective: Some("Sell packs to people who know us".to_owned()),
        audience: AudienceSpec { include: vec![Predicate::OrdersAtLeast { orders: 1 }], exclude: Vec::new() },
        vip: VipTreatment::Excluded,
        offer: OfferPlan { choice: OfferChoice::None, ..OfferPlan::default() },
        products: products.collect(),
        channels: vec![Channel::Email],
        schedule: Some(Schedule {
            on: date(2026, 11, 19),
            at: time(10, 0, 0, 0),
            zone: SendZone::Recipient,
            not_after: date(2026, 11, 20),
            said: Some("thursday".to_owned()),
        }),
        angles: vec![Angle::Occasion, Angle::Comeback],
        languages: vec![Language::EN, Language::DE],
        owner: Some("user:mira".to_owned()),
        ..Brief::default()
    }
}

fn person(name: &str) -> Principal {
    Principal::User { name: name.to_owned(), role: Role::Approver }
}
