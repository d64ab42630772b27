//! Puts nodes and edges together. The input is known to be sound.
//!
//! petgraph hands out the edges of a node newest first. So edges go in weakest first and the fixed relations go in
//! after the learned ones: reading a node meets the merchandiser's word first and, within a relation, the best first.

use std::cmp::Reverse;
use std::collections::HashMap;

use kit::{IntentId, ProductId, Timestamp};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::build::Tuning;
use crate::curated::{At, Curated, CuratedEdge, Guide, Intent};
use crate::graph::{Edge, GuideEntry, IntentEntry, Node, ProductGraph, Tables};
use crate::intake::{self, Intake};
use crate::learn::{self, Learned};
use crate::model::Relation;
use crate::orders::{Lists, RawLog};

/// A graph under construction. Nodes stand in this order: products, categories, attributes, intents, guides.
pub(crate) struct Assembly {
    graph: DiGraph<Node, Edge>,
    tables: Tables,
    described: Lists,
    as_of: Timestamp,
    learned_as_of: Timestamp,
    tuning: Tuning,
}

impl Assembly {
    pub(crate) fn new(intake: Intake, as_of: Timestamp, tuning: Tuning) -> Self {
        let mut graph = DiGraph::new();
        let by_id = intake.by_id();
        for position in 0..intake.products.len() as u32 {
            graph.add_node(Node::Product(position));
        }
        let category_nodes = (0u32..).zip(intake.categories.iter().cloned());
        let category_nodes = category_nodes.map(|(place, id)| (id, graph.add_node(Node::Category(place)))).collect();
        for place in 0..intake.attributes.len() as u32 {
            graph.add_node(Node::Attribute(place));
        }
        let tables = Tables {
            products: intake.products,
            categories: intake.categories,
            category_nodes,
            attributes: intake.attributes,
            by_id,
            ..Tables::default()
        };
        Self { graph, tables, described: intake.described, as_of, learned_as_of: as_of, tuning }
    }

    /// Learned relations, and what orders tell about single products. Large tables are dropped as soon as they have
    /// served: they and the edges would not fit the memory goal together.
    pub(crate) fn learn(mut self, log: RawLog) -> Self {
        let Self { graph, tables, tuning, learned_as_of, .. } = &mut self;
        let products = tables.products.len();
        let log = log.sorted();
        if let Some(newest) = log.newest.and_then(|s| Timestamp::from_second(i64::from(s)).ok()) {
            *learned_as_of = newest;
        }
        let buyers = log.buyers(products);
        let reorder_days = learn::reorder_days(&log, &tables.products, tuning);
        for ((position, product), days) in tables.products.iter_mut().enumerate().zip(reorder_days) {
            product.buyers = u32::try_from(buyers.of(position).len()).unwrap_or(u32::MAX);
            product.reorder_days = days;
        }
        learn::next(&log, &buyers, tuning, |from, edges| add_learned(graph, from, Relation::BoughtNext, edges));
        let bought = log.bought(|product| buyers.of(product as usize).len() >= tuning.min_support as usize);
        drop(log);
        learn::together(&bought, &buyers, tuning, |from, edges| {
            add_learned(graph, from, Relation::BoughtTogether, edges);
        });
        self
    }

    /// Categories and attributes of products.
    pub(crate) fn describe(mut self) -> Self {
        let products = self.tables.products.len();
        let categories = self.tables.categories.len();
        for (place, path) in self.tables.categories.iter().enumerate() {
            let above = intake::parent(path).and_then(|parent| self.tables.category_nodes.get(&parent));
            if let Some(above) = above {
                let own = NodeIndex::new(products + place);
                self.graph.add_edge(own, *above, Edge::fixed(Relation::InCategory, 1.0));
            }
        }
        let mut popular: Vec<u32> = (0..products as u32).collect();
        popular.sort_by_key(|p| Reverse(self.buyers(*p)));
        for position in popular.iter().rev() {
            let own = NodeIndex::new(*position as usize);
            for attribute in self.described.of(*position as usize) {
                let node = NodeIndex::new(products + categories + *attribute as usize);
                self.graph.add_edge(own, node, Edge::fixed(Relation::HasAttribute, 1.0));
            }
            let Some(category) = self.tables.products.get(*position as usize).map(|p| p.category) else { continue };
            let category = NodeIndex::new(products + category as usize);
            self.graph.add_edge(own, category, Edge::fixed(Relation::InCategory, 1.0));
        }
        self.tables.popular = popular;
        self
    }

    /// Intents, guides and curated edges; then the graph is done.
    pub(crate) fn curate(mut self, files: Vec<Curated>) -> ProductGraph {
        let mut intents: HashMap<IntentId, NodeIndex> = HashMap::new();
        let (mut edges, mut guides): (Vec<CuratedEdge>, Vec<Guide>) = (Vec::new(), Vec::new());
        for file in files {
            for Intent { id, label, products } in file.intents {
                let node = self.graph.add_node(Node::Intent(self.tables.intents.len() as u32));
                self.tables.intents.push(IntentEntry { id: id.value.clone(), label });
                intents.insert(id.value, node);
                for product in self.least_bought_first(&products) {
                    self.graph.add_edge(product, node, Edge::fixed(Relation::ServesIntent, 1.0));
                }
            }
            edges.extend(file.edges);
            guides.extend(file.guides);
        }
        for Guide { id, title, url, summary, intent, products } in guides {
            let node = self.graph.add_node(Node::Guide(self.tables.guides.len() as u32));
            self.tables.guides.push(GuideEntry { id: id.value, title, url, summary });
            if let Some(intent) = intent.and_then(|intent| intents.get(&intent.value)) {
                self.graph.add_edge(node, *intent, Edge::fixed(Relation::ServesIntent, 1.0));
            }
            for product in self.least_bought_first(&products) {
                self.graph.add_edge(node, product, Edge::fixed(Relation::Explains, 1.0));
            }
        }
        edges.sort_by(|x, y| x.weight.total_cmp(&y.weight));
        for CuratedEdge { from, to, relation, weight, why } in edges {
            let ends = (self.tables.position(&from.value), self.tables.position(&to.value));
            let (Some(from), Some(to)) = ends else { continue };
            let (from, to) = (NodeIndex::new(from as usize), NodeIndex::new(to as usize));
            let edge = self.graph.add_edge(from, to, Edge::fixed(relation, weight));
            self.tables.whys.insert(edge, why);
        }
        self.graph.shrink_to_fit();
        ProductGraph::new(self.graph, self.tables, self.as_of, self.learned_as_of)
    }

    fn buyers(&self, position: u32) -> u32 {
        self.tables.products.get(position as usize).map_or(0, |p| p.buyers)
    }

    /// Product nodes without repeats.
    fn least_bought_first(&self, products: &[At<ProductId>]) -> Vec<NodeIndex> {
        let mut found: Vec<u32> = products.iter().filter_map(|p| self.tables.position(&p.value)).collect();
        found.sort_by_key(|p| (self.buyers(*p), Reverse(*p)));
        found.dedup();
        found.into_iter().map(|p| NodeIndex::new(p as usize)).collect()
    }
}

fn add_learned(graph: &mut DiGraph<Node, Edge>, from: u32, relation: Relation, best_first: &[Learned]) {
    let from = NodeIndex::new(from as usize);
    for Learned { to, weight, support } in best_first.iter().rev() {
        let support = u16::try_from(*support).unwrap_or(u16::MAX);
        graph.add_edge(from, NodeIndex::new(*to as usize), Edge { weight: *weight, support, relation });
    }
}
