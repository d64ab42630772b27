//! What policy must know before it grants a discount.

use std::sync::Arc;

use ::offers::affinity::Bought;
use ::offers::{BasketLine, Held, Ladder, Offer, OfferDesk, OfferHistory, OfferRequest};
use catalog::Catalog;
use jiff::SignedDuration;
use kit::tool::ToolContext;
use kit::{BoxFuture, CustomerId, OfferStepId, RunId, ShopId, StoreError, Timestamp};

use super::Acts;
use crate::release::Release;
use crate::store::{Budget, OfferHold, OfferLimits, OfferWish, ShopStore};
use crate::tenant::Learned;

/// How long after a cart an order still counts as its order.
const CART_TO_ORDER_HOURS: i64 = 72;

pub(crate) struct Offers {
    pub(crate) store: ShopStore,
    pub(crate) release: Arc<Release>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) learned: Arc<Learned>,
    pub(crate) acts: Acts,
}

impl Offers {
    async fn gather(&self, cx: &ToolContext, step: Option<OfferStepId>) -> Result<OfferRequest, StoreError> {
        let customer = &cx.subject.customer;
        let vip = self.store.customer(customer).await?.is_some_and(|c| c.vip);
        Ok(OfferRequest {
            flow: cx.subject.flow.clone(),
            step,
            basket: cx.subject.products.iter().filter_map(|id| self.line(id)).collect(),
            history: self.history(customer, &cx.run, cx.now).await?,
            vip,
            triggered_at: cx.subject.triggered_at,
            now: cx.now,
        })
    }

    pub(crate) fn line(&self, id: &kit::ProductId) -> Option<BasketLine> {
        let product = self.catalog.get(id)?;
        let price = self.catalog.live(id).map_or(product.price, |live| live.price);
        Some(BasketLine {
            product: id.clone(),
            category: product.category.clone(),
            price,
            cost: product.cost,
            quantity: 1,
            reduced: product.compare_at.is_some_and(|was| was.minor > price.minor),
            tags: product.tags.clone(),
            regulated: product.regulated.is_some(),
        })
    }

    /// Holds an offer against the customer's own limit and the budgets of the month, or against none of them.
    pub(crate) async fn hold_for(&self, hold: OfferHold, now: Timestamp) -> Result<Held, StoreError> {
        let limits = self.release.ladder.limits();
        let month = now.to_zoned(self.release.ladder.zone().clone()).strftime("%Y-%m").to_string();
        let budgets = [
            (format!("month:{month}"), limits.budget_month),
            (format!("customer:{}:{month}", hold.customer), limits.budget_customer_month),
        ];
        let budgets: Vec<Budget> =
            budgets.into_iter().filter_map(|(name, limit)| Some(Budget { name, limit_minor: limit?.minor })).collect();
        let since = before(now, i64::from(self.release.ladder.window_days()));
        self.store.hold_offer(hold, OfferLimits { budgets, per_customer: limits.per_customer, since }, now).await
    }

    /// What the shop gave this customer before, as `asker` sees it: its own hold is not in its way.
    pub(crate) async fn history(
        &self,
        customer: &CustomerId,
        asker: &RunId,
        now: Timestamp,
    ) -> Result<OfferHistory, StoreError> {
        let orders: Vec<_> =
            self.store.orders_of(customer).await?.into_iter().filter(|o| o.cancelled_at.is_none()).collect();
        let reduced = orders.iter().filter(|o| o.discount.minor > 0).count();
        let bought = Bought { orders: small(orders.len()), discounted: small(reduced) };
        let discounted = orders.iter().rev().take_while(|o| o.discount.minor > 0).count();
        let since = before(now, i64::from(self.release.ladder.window_days()));
        let granted = self.store.offers_since(customer, since, asker).await?;
        let carts: std::collections::BTreeSet<Timestamp> = self
            .store
            .activity_of(customer, before(now, 90))
            .await?
            .into_iter()
            .filter(|a| a.kind == "cart")
            .map(|a| a.at)
            .collect();
        let led_to_order = |cart: Timestamp| {
            let until = cart.checked_add(SignedDuration::from_hours(CART_TO_ORDER_HOURS)).unwrap_or(cart);
            orders.iter().any(|o| o.placed_at >= cart && o.placed_at <= until)
        };
        Ok(OfferHistory {
            orders: small(orders.len()),
            granted_in_window: small(granted.len()),
            last_orders_discounted: small(discounted),
            abandoned_carts_90d: small(carts.into_iter().filter(|cart| !led_to_order(*cart)).count()),
            discount_affinity_percentile: self.learned.affinities().await?.percentile(bought),
            last_step: granted.into_iter().next_back(),
        })
    }
}

/// So many days before a time.
fn before(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now)
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl OfferDesk for Offers {
    fn ladder(&self, shop: &ShopId) -> Option<Arc<Ladder>> {
        (shop == self.store.id()).then(|| self.release.ladder.clone())
    }

    fn request<'a>(
        &'a self,
        cx: &'a ToolContext,
        step: Option<OfferStepId>,
    ) -> BoxFuture<'a, Result<OfferRequest, StoreError>> {
        Box::pin(self.gather(cx, step))
    }

    fn hold<'a>(
        &'a self,
        cx: &'a ToolContext,
        offer: &'a Offer,
        code: &'a str,
    ) -> BoxFuture<'a, Result<Held, StoreError>> {
        let hold = OfferHold {
            run: cx.run.clone(),
            customer: cx.subject.customer.clone(),
            step: offer.step().clone(),
            code: code.to_owned(),
            cost: offer.cost(),
        };
        match self.acts {
            Acts::ForReal => Box::pin(self.hold_for(hold, cx.now)),
            // A rehearsal spends nothing: it would be held now.
            Acts::InSandbox => Box::pin(async { Ok(Held::Held) }),
        }
    }

    fn beyond<'a>(
        &'a self,
        cx: &'a ToolContext,
        step: &'a OfferStepId,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let wish = OfferWish {
            run: cx.run.clone(),
            step: step.as_str().to_owned(),
            reason: kit::personal::mask(reason, &kit::personal::Known::nobody()).into_owned(),
            asked_at: cx.now,
            answer: None,
            answered_by: None,
            note: None,
        };
        match self.acts {
            Acts::ForReal => Box::pin(self.store.wish_offer(wish)),
            Acts::InSandbox => Box::pin(async { Ok(()) }),
        }
    }
}
