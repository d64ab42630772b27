//! Hard filters: what is never offered, whatever its score.

use kit::Timestamp;
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use crate::graph::{Product, ProductGraph};
use crate::model::{Availability, Live, Owned, Relation, Request};

/// Days until a consumable is due when neither the customer nor the order log says so. A guess.
const DEFAULT_REORDER_DAYS: u16 = 30;
/// Share of the interval after which a consumable may be offered: somewhat before it runs out.
const EARLY: f64 = 0.9;

/// The filters of one request.
pub(crate) struct Gate<'a> {
    graph: &'a ProductGraph,
    request: &'a Request<'a>,
    live: &'a dyn Live,
    /// Positions in order: basket, excluded by name, owned and not due, returned.
    excluded: Vec<u32>,
}

impl<'a> Gate<'a> {
    pub(crate) fn new(graph: &'a ProductGraph, request: &'a Request<'a>, live: &'a dyn Live) -> Self {
        let basket = request.basket.iter().chain(request.exclude).filter_map(|id| graph.tables.position(id));
        let owned = request.history.iter().filter_map(|owned| {
            let position = graph.tables.position(&owned.product)?;
            let open = graph.product(position).is_some_and(|product| is_due(product, owned, request.now));
            (!open).then_some(position)
        });
        let mut gate = Self { graph, request, live, excluded: basket.chain(owned).collect() };
        gate.excluded.sort_unstable();
        gate
    }

    /// Also keeps out what could stand in for a basket item: a complement helps, a rival unsettles.
    pub(crate) fn without_rivals(mut self) -> Self {
        let graph = self.graph;
        for id in self.request.basket {
            let Some(position) = graph.tables.position(id) else { continue };
            let node = NodeIndex::new(position as usize);
            let rivals = (graph.along(node, Relation::Substitute, Outgoing).map(|e| e.target()))
                .chain(graph.along(node, Relation::Substitute, Incoming).map(|e| e.source()));
            self.excluded.extend(rivals.map(|n| n.index() as u32));
        }
        self.excluded.sort_unstable();
        self
    }

    /// True when the product may be offered. Asks the live catalogue last, since that costs most.
    pub(crate) fn admits(&self, position: u32) -> bool {
        if self.excluded.binary_search(&position).is_ok() {
            return false;
        }
        let Some(product) = self.graph.product(position) else { return false };
        match self.live.availability(&product.id) {
            Availability::Unavailable => false,
            Availability::Sellable { price, regulated } => {
                let allowed = !regulated || self.request.regulated;
                allowed && self.request.price_band.is_none_or(|band| band.holds(price))
            }
        }
    }
}

/// True when an owned product may be offered again: a consumable that was kept and is about used up.
fn is_due(product: &Product, owned: &Owned, now: Timestamp) -> bool {
    if owned.returned || !product.consumable {
        return false;
    }
    if let Some(due_at) = owned.due_at {
        return now >= due_at;
    }
    let interval = f64::from(product.reorder_days.unwrap_or(DEFAULT_REORDER_DAYS)) * 86_400.0 * EARLY;
    (now.as_second() - owned.last_bought.as_second()) as f64 >= interval
}
