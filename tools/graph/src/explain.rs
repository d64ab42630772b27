//! How two nodes hang together.

use kit::Language;
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::graph::ProductGraph;
use crate::model::{NodeRef, PathStep};

/// A longer chain explains nothing to a reader.
const MAX_HOPS: usize = 3;

/// How a node was reached first.
#[derive(Debug, Clone, Copy)]
struct Reached {
    hops: usize,
    strength: f32,
    /// The edge it was reached by, and whether against its arrow; `None` for the start.
    by: Option<(EdgeIndex, bool)>,
}

impl ProductGraph {
    /// The shortest path between two nodes, edges followed either way; of the shortest, the strongest (the product
    /// of relation strength and weight). `None` beyond three steps, for unknown nodes and for a node and itself.
    ///
    /// It reads up to the whole graph: for people and tests, not for the hot path.
    pub fn explain(&self, from: &NodeRef, to: &NodeRef, language: &Language) -> Option<Vec<PathStep>> {
        let (start, goal) = (self.find(from)?, self.find(to)?);
        if start == goal {
            return None;
        }
        let mut reached: Vec<Option<Reached>> = vec![None; self.graph.node_count()];
        *reached.get_mut(start.index())? = Some(Reached { hops: 0, strength: 1.0, by: None });
        let mut frontier = vec![start];
        for hops in 1..=MAX_HOPS {
            frontier = self.expand(&frontier, hops, &mut reached);
            if reached.get(goal.index()).is_some_and(Option::is_some) {
                return self.trace(goal, &reached, language);
            }
        }
        None
    }

    fn expand(&self, frontier: &[NodeIndex], hops: usize, reached: &mut [Option<Reached>]) -> Vec<NodeIndex> {
        let mut found = Vec::new();
        for node in frontier {
            let Some(Some(Reached { strength: so_far, .. })) = reached.get(node.index()).copied() else { continue };
            let outgoing = self.graph.edges_directed(*node, Outgoing).map(|e| (e, e.target(), false));
            let incoming = self.graph.edges_directed(*node, Incoming).map(|e| (e, e.source(), true));
            for (edge, next, reversed) in outgoing.chain(incoming) {
                let strength = so_far * edge.weight().relation.strength() * edge.weight().weight;
                let Some(place) = reached.get_mut(next.index()) else { continue };
                let better = place.is_none_or(|old| old.hops == hops && strength > old.strength);
                if !better {
                    continue;
                }
                if place.is_none() {
                    found.push(next);
                }
                *place = Some(Reached { hops, strength, by: Some((edge.id(), reversed)) });
            }
        }
        found
    }

    fn trace(&self, goal: NodeIndex, reached: &[Option<Reached>], language: &Language) -> Option<Vec<PathStep>> {
        let (mut node, mut path) = (goal, Vec::new());
        while let Some((edge, reversed)) = (*reached.get(node.index())?)?.by {
            path.push(self.step(edge, reversed, language)?);
            let (source, target) = self.graph.edge_endpoints(edge)?;
            node = if reversed { target } else { source };
        }
        path.reverse();
        Some(path)
    }
}
