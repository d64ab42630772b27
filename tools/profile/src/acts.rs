//! What this person did, as far as a message may speak of it: the cart and the orders, as facts that prove the words.

use std::collections::BTreeSet;

use kit::fact::{FactKind, FactValue};
use kit::tool::{Subject, ToolContext, ToolError};
use kit::{ProductId, Timestamp};

use crate::angle::Family;
use crate::snapshot::{CustomerSnapshot, OrderFacts};

/// Orders looked back at, newest first. A message about an older one is not proven.
const ORDERS: usize = 20;

/// The acts of one person at one moment.
#[derive(Debug, Default)]
pub(crate) struct Acts {
    /// In the cart or checkout that started the run.
    pub(crate) cart: BTreeSet<ProductId>,
    /// Ordered, whatever became of it.
    ordered: BTreeSet<ProductId>,
    /// Ordered, and neither cancelled nor sent back.
    bought: BTreeSet<ProductId>,
}

impl Acts {
    pub(crate) fn of(subject: &Subject, snapshot: Option<&CustomerSnapshot>, now: Timestamp) -> Self {
        let mut acts = Self::default();
        let mut orders: Vec<&OrderFacts> =
            snapshot.map(|s| s.orders.iter().filter(|o| o.placed_at <= now).collect()).unwrap_or_default();
        orders.sort_by_key(|order| std::cmp::Reverse(order.placed_at));
        for order in orders.iter().take(ORDERS) {
            acts.ordered.extend(order.lines.iter().map(|line| line.product.clone()));
            let kept = order.lines.iter().filter(|line| order.cancelled_at.is_none() && !line.returned);
            acts.bought.extend(kept.map(|line| line.product.clone()));
        }
        match Family::of(&subject.flow) {
            // Both begin with an order: what arrived, or what was cancelled.
            Family::PostPurchase => {
                acts.ordered.extend(subject.products.iter().cloned());
                acts.bought.extend(subject.products.iter().cloned());
            }
            Family::WinBack => acts.ordered.extend(subject.products.iter().cloned()),
            Family::Abandoned | Family::Other => {
                let of_run = of_run(subject, snapshot);
                acts.cart.extend(subject.products.iter().filter(|product| !of_run.contains(product)).cloned());
            }
        }
        acts
    }

    /// Mints the fact that proves words about orders; none when there is no order.
    pub(crate) fn prove_orders(self, cx: &ToolContext) -> Result<(), ToolError> {
        if self.ordered.is_empty() {
            return Ok(());
        }
        let fields = [
            ("ordered", FactValue::Products { products: self.ordered }),
            ("bought", FactValue::Products { products: self.bought }),
        ];
        cx.mint(FactKind::Order, &cx.subject.occasion, "shop", cx.now, fields).map(|_| ())
    }
}

/// Products of an order that started the run, bought or cancelled, or that came after its trigger.
fn of_run<'a>(subject: &Subject, snapshot: Option<&'a CustomerSnapshot>) -> BTreeSet<&'a ProductId> {
    // Occasions are `order:<id>`, `cart:<id>` or `month:<year-month>`.
    let occasion = subject.occasion.strip_prefix("order:");
    let orders = snapshot.into_iter().flat_map(|s| &s.orders);
    let of_run = orders.filter(|o| occasion == Some(o.id.as_str()) || o.placed_at >= subject.triggered_at);
    of_run.flat_map(|order| &order.lines).map(|line| &line.product).collect()
}
