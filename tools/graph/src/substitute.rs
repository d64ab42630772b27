//! What can stand in for a product that cannot be had.

use std::collections::HashMap;

use kit::{Money, ProductId};
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use crate::gate::Gate;
use crate::graph::ProductGraph;
use crate::model::{Live, Recommendation, Relation, Request};
use crate::recommend::step_reason;
use crate::words::{Because, PriceStep};

/// What makes a product of the same category an alternative. Judged, not fitted.
const PRICE_SHARE: f32 = 0.5;
const ATTRIBUTE_SHARE: f32 = 0.35;
const TOGETHER_SHARE: f32 = 0.15;
/// From this closeness on, prices are called similar.
const SIMILAR: f32 = 0.8;

impl ProductGraph {
    /// Substitutes for a product: first the merchandiser's own, then products of its category by nearness of price,
    /// attributes in common and customers in common. The filters of [`ProductGraph::recommend`] hold; rivals of
    /// basket items are wanted here.
    pub fn substitutes(&self, product: &ProductId, request: &Request<'_>, live: &dyn Live) -> Vec<Recommendation> {
        let Some(original) = self.tables.position(product) else { return Vec::new() };
        let gate = Gate::new(self, request, live);
        let name = self.name(product, live);
        let mut found: Vec<Recommendation> = Vec::new();
        let curated = self.curated_substitutes(original, &name, request);
        let same_kind = self.same_kind(original, &name, request);
        for (position, substitute) in curated.into_iter().chain(same_kind) {
            if found.len() >= request.k {
                break;
            }
            let fresh = position != original && !found.iter().any(|f| f.product == substitute.product);
            if fresh && gate.admits(position) {
                found.push(substitute);
            }
        }
        found
    }

    fn curated_substitutes(&self, original: u32, name: &str, request: &Request<'_>) -> Vec<(u32, Recommendation)> {
        let node = NodeIndex::new(original as usize);
        let outgoing = self.along(node, Relation::Substitute, Outgoing).map(|e| (e, e.target(), false));
        let incoming = self.along(node, Relation::Substitute, Incoming).map(|e| (e, e.source(), true));
        let found = outgoing.chain(incoming).filter_map(|(edge, other, reversed)| {
            let mut step = self.step(edge.id(), reversed, request.language)?;
            if reversed {
                // The merchandiser argued for the other direction.
                step.why = None;
            }
            let position = other.index() as u32;
            let reason = step_reason(&step, name, false)?.in_words(request.language);
            let product = self.product(position)?.id.clone();
            Some((position, Recommendation { product, score: 1.0 + edge.weight().weight, path: vec![step], reason }))
        });
        found.collect()
    }

    /// Products of the same category, best first. Built one at a time: the caller stops when it has enough.
    fn same_kind<'a>(
        &'a self,
        original: u32,
        name: &'a str,
        request: &'a Request<'_>,
    ) -> impl Iterator<Item = (u32, Recommendation)> + 'a {
        let node = NodeIndex::new(original as usize);
        let category = self.along(node, Relation::InCategory, Outgoing).next().map(|e| (e.id(), e.target()));
        let own = self.attributes(original);
        let together: HashMap<NodeIndex, f32> = (self.graph.edges_directed(node, Outgoing))
            .filter(|e| e.weight().relation == Relation::BoughtTogether)
            .map(|e| (e.target(), e.weight().weight))
            .collect();
        let members = category.map(|(_, node)| self.in_category(node)).unwrap_or_default();
        let mut scored: Vec<(u32, f32, PriceStep, usize)> = (members.into_iter())
            .filter_map(|position| {
                let (closeness, price) = price_step(self.product(original)?.price, self.product(position)?.price);
                let theirs = self.attributes(position);
                let shared = theirs.iter().filter(|a| own.binary_search(a).is_ok()).count();
                let union = (own.len() + theirs.len() - shared).max(1);
                let customers = together.get(&NodeIndex::new(position as usize)).copied().unwrap_or(0.0);
                let score = PRICE_SHARE * closeness
                    + ATTRIBUTE_SHARE * shared as f32 / union as f32
                    + TOGETHER_SHARE * customers;
                Some((position, score, price, shared))
            })
            .collect();
        // Stable: equal scores stay best-sellers first.
        scored.sort_by(|x, y| y.1.total_cmp(&x.1));
        scored.into_iter().filter_map(move |(position, score, price, shared)| {
            let there = NodeIndex::new(position as usize);
            let down = self.along(there, Relation::InCategory, Outgoing).next()?.id();
            let path = vec![self.step(category?.0, false, request.language)?, self.step(down, true, request.language)?];
            let reason = Because::SameKind { of: name, price, shared }.in_words(request.language);
            Some((position, Recommendation { product: self.product(position)?.id.clone(), score, path, reason }))
        })
    }

    /// Attribute nodes of a product, in order.
    fn attributes(&self, position: u32) -> Vec<NodeIndex> {
        let node = NodeIndex::new(position as usize);
        let mut found: Vec<NodeIndex> =
            self.along(node, Relation::HasAttribute, Outgoing).map(|e| e.target()).collect();
        found.sort_unstable();
        found
    }
}

/// Nearness of two prices, 0 to 1, and what to say about the second.
fn price_step(original: Money, other: Money) -> (f32, PriceStep) {
    let (a, b) = (original.minor as f32, other.minor as f32);
    if original.currency != other.currency || a <= 0.0 || b <= 0.0 {
        return (0.0, PriceStep::Unknown);
    }
    let closeness = 1.0 - (a - b).abs() / a.max(b);
    let step = match (closeness >= SIMILAR, b < a) {
        (true, _) => PriceStep::Similar,
        (false, true) => PriceStep::Lower,
        (false, false) => PriceStep::Higher,
    };
    (closeness, step)
}
