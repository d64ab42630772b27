//! Customers as the profile and the graph want to know them.

use std::collections::BTreeMap;
use std::sync::Arc;

use graph::{History, Owned};
use jiff::SignedDuration;
use kit::{BoxFuture, CustomerId, ProductId, ShopId, StoreError, Timestamp};
use profile::{Activity, ActivityKind, CustomerSnapshot, OrderFacts, OrderLine, Profiles, Said, StoreNorms};

use crate::retention::SAID_DAYS;
use crate::store::{Order, ShopStore};
use crate::tenant::Learned;

/// How far back browsing is looked at: older signals say nothing about now.
const ACTIVITY_DAYS: i64 = 60;
/// How far back messages are counted.
const SENT_DAYS: i64 = 90;

/// Customers of one shop, for the profile and the graph.
#[derive(Debug, Clone)]
pub struct People {
    pub(crate) store: ShopStore,
    pub(crate) learned: Arc<Learned>,
}

impl People {
    async fn read(&self, customer: &CustomerId, now: Timestamp) -> Result<Option<CustomerSnapshot>, StoreError> {
        let Some(known) = self.store.customer(customer).await?.filter(|c| c.erased_at.is_none()) else {
            return Ok(None);
        };
        let since = |days: i64| now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now);
        let activity = self.store.activity_of(customer, since(ACTIVITY_DAYS)).await?;
        let said = self.store.said_by(customer, since(SAID_DAYS.into())).await?;
        let vip = known.vip.then(|| "vip".to_owned());
        Ok(Some(CustomerSnapshot {
            id: known.id,
            first_name: known.first_name,
            language: known.language,
            country: known.country,
            time_zone: Some(known.time_zone),
            created_at: known.created_at,
            tags: vip.into_iter().collect(),
            loyalty_tier: known.loyalty_tier,
            consents: Vec::new(),
            orders: self.store.orders_of(customer).await?.into_iter().map(order).collect(),
            activity: activity
                .into_iter()
                .filter_map(|a| {
                    kind(&a.kind).map(|kind| Activity {
                        kind,
                        product: a.product,
                        category: a.category,
                        at: a.at,
                        dwell_s: a.dwell_s,
                    })
                })
                .collect(),
            open_tickets: self.store.open_tickets(customer).await?,
            said: said.into_iter().map(|said| Said { at: said.at, gist: said.gist }).collect(),
            sent: self.store.sends_to(customer, since(SENT_DAYS)).await?,
        }))
    }
}

impl Profiles for People {
    fn snapshot<'a>(
        &'a self,
        _: &'a ShopId,
        customer: &'a CustomerId,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<CustomerSnapshot>, StoreError>> {
        Box::pin(self.read(customer, now))
    }

    fn norms<'a>(&'a self, _: &'a ShopId, _: Timestamp) -> BoxFuture<'a, Result<StoreNorms, StoreError>> {
        Box::pin(async { Ok(StoreNorms::clone(&*self.learned.norms().await?)) })
    }
}

impl History for People {
    fn owned<'a>(&'a self, _: &'a ShopId, customer: &'a CustomerId) -> BoxFuture<'a, Result<Vec<Owned>, StoreError>> {
        Box::pin(async move {
            let mut owned: BTreeMap<ProductId, Owned> = BTreeMap::new();
            for order in self.store.orders_of(customer).await?.into_iter().filter(|o| o.cancelled_at.is_none()) {
                for line in order.lines {
                    let entry = Owned {
                        product: line.product.clone(),
                        last_bought: order.placed_at,
                        returned: line.returned,
                        due_at: None,
                    };
                    owned.insert(line.product, entry);
                }
            }
            Ok(owned.into_values().collect())
        })
    }
}

pub(super) fn order(order: Order) -> OrderFacts {
    OrderFacts {
        id: order.id,
        placed_at: order.placed_at,
        total: order.total,
        discount: order.discount,
        lines: order
            .lines
            .into_iter()
            .map(|l| OrderLine {
                product: l.product,
                category: l.category,
                quantity: l.quantity,
                price: l.price,
                returned: l.returned,
            })
            .collect(),
        cancelled_at: order.cancelled_at,
        cancel_reason: order.cancel_reason,
        fulfilled_at: order.fulfilled_at,
    }
}

/// Kinds that a newer binary may have stored are no signal to this one.
fn kind(name: &str) -> Option<ActivityKind> {
    Some(match name {
        "viewed" => ActivityKind::Viewed,
        "searched" => ActivityKind::Searched,
        "wishlist" => ActivityKind::Wished,
        "cart" => ActivityKind::Cart,
        "checkout" => ActivityKind::Checkout,
        _ => return None,
    })
}
