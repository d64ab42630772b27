//! The finished graph and the plain questions to it: neighbours, guides, popularity.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kit::{CategoryId, GuideId, IntentId, Language, Money, ProductId, Timestamp};
use petgraph::Direction::{self, Incoming, Outgoing};
use petgraph::graph::{DiGraph, EdgeIndex, EdgeReference, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::curated::Bilingual;
use crate::model::{GuideRef, Neighbour, NodeRef, PathStep, Provenance, Relation};
use crate::scratch::Scratch;

/// A node: its kind and its place in the table of that kind. Products come first, so that the place of a product is
/// also its node index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Product(u32),
    Category(u32),
    Attribute(u32),
    Intent(u32),
    Guide(u32),
}

/// An edge in 8 bytes. Its time is that of its source (see [`ProductGraph::as_of`]), its words are in a side table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) weight: f32,
    /// Customers behind a learned edge; 0 for the others.
    pub(crate) support: u16,
    pub(crate) relation: Relation,
}

impl Edge {
    /// An edge that was not counted but stated.
    pub(crate) fn fixed(relation: Relation, weight: f32) -> Self {
        Self { weight, support: 0, relation }
    }
}

#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) id: ProductId,
    pub(crate) price: Money,
    pub(crate) margin_permille: Option<u16>,
    pub(crate) consumable: bool,
    /// Median days until the same customer buys it again.
    pub(crate) reorder_days: Option<u16>,
    /// Distinct customers.
    pub(crate) buyers: u32,
    /// Place in the table of categories.
    pub(crate) category: u32,
}

#[derive(Debug)]
pub(crate) struct IntentEntry {
    pub(crate) id: IntentId,
    pub(crate) label: Bilingual,
}

#[derive(Debug)]
pub(crate) struct GuideEntry {
    pub(crate) id: GuideId,
    pub(crate) title: Bilingual,
    pub(crate) url: String,
    pub(crate) summary: Bilingual,
}

/// What the nodes stand for.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) products: Vec<Product>,
    pub(crate) categories: Vec<CategoryId>,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) intents: Vec<IntentEntry>,
    pub(crate) guides: Vec<GuideEntry>,
    /// The node of each category.
    pub(crate) category_nodes: HashMap<CategoryId, NodeIndex>,
    /// Product positions in order of id.
    pub(crate) by_id: Vec<u32>,
    /// Product positions, most bought first.
    pub(crate) popular: Vec<u32>,
    /// What merchandisers wrote about their edges.
    pub(crate) whys: HashMap<EdgeIndex, Bilingual>,
}

impl Tables {
    /// The position of a product.
    pub(crate) fn position(&self, product: &ProductId) -> Option<u32> {
        let id = |position: &u32| self.products.get(*position as usize).map(|p| &p.id);
        let place = self.by_id.binary_search_by(|position| id(position).cmp(&Some(product))).ok()?;
        self.by_id.get(place).copied()
    }
}

/// Products, categories, attributes, intents and guides of a shop, and how they are related.
#[derive(Debug)]
pub struct ProductGraph {
    pub(crate) graph: DiGraph<Node, Edge>,
    pub(crate) tables: Tables,
    as_of: Timestamp,
    learned_as_of: Timestamp,
    median_margin: Option<u16>,
    scratch: Mutex<Vec<Scratch>>,
}

impl ProductGraph {
    pub(crate) fn new(graph: DiGraph<Node, Edge>, tables: Tables, as_of: Timestamp, learned_as_of: Timestamp) -> Self {
        let mut margins: Vec<u16> = tables.products.iter().filter_map(|p| p.margin_permille).collect();
        margins.sort_unstable();
        let median_margin = margins.get(margins.len() / 2).copied();
        Self { graph, tables, as_of, learned_as_of, median_margin, scratch: Mutex::default() }
    }

    /// How many products.
    pub fn products(&self) -> usize {
        self.tables.products.len()
    }

    /// How many edges.
    pub fn edges(&self) -> usize {
        self.graph.edge_count()
    }

    /// True when the product is in the graph.
    pub fn contains(&self, product: &ProductId) -> bool {
        self.tables.position(product).is_some()
    }

    /// The category of a product.
    pub fn category_of(&self, product: &ProductId) -> Option<&CategoryId> {
        let product = self.product(self.tables.position(product)?)?;
        self.tables.categories.get(product.category as usize)
    }

    /// When edges of this relation were true: learned ones at the newest order, the others when they were read.
    pub fn as_of(&self, relation: Relation) -> Timestamp {
        if relation.is_learned() { self.learned_as_of } else { self.as_of }
    }

    /// The margin in the middle of those known; above it counts as higher margin.
    pub(crate) fn median_margin(&self) -> Option<u16> {
        self.median_margin
    }

    /// What lies beside a node, strongest first; with a relation, only along it. Learned relations are followed in
    /// their direction, the others both ways.
    pub fn neighbours(
        &self,
        node: &NodeRef,
        relation: Option<Relation>,
        k: usize,
        language: &Language,
    ) -> Vec<Neighbour> {
        let Some(node) = self.find(node) else { return Vec::new() };
        let wanted = |edge: &Edge| relation.is_none_or(|r| r == edge.relation);
        let mut found: Vec<_> = (self.graph.edges_directed(node, Outgoing).map(|e| (e, Outgoing)))
            .chain(self.graph.edges_directed(node, Incoming).map(|e| (e, Incoming)))
            .filter(|(e, way)| wanted(e.weight()) && (*way == Outgoing || !e.weight().relation.is_learned()))
            .collect();
        // Stable: equal weights stay as the adjacency has them, best-sellers first.
        found.sort_by(|(x, _), (y, _)| {
            let (x, y) = (x.weight(), y.weight());
            x.relation.cmp(&y.relation).then(y.weight.total_cmp(&x.weight))
        });
        let neighbour = |(edge, way): (EdgeReference<'_, Edge>, Direction)| {
            Some(Neighbour {
                step: self.step(edge.id(), way == Incoming, language)?,
                weight: edge.weight().weight,
                provenance: provenance(edge.weight()),
                as_of: self.as_of(edge.weight().relation),
            })
        };
        found.into_iter().filter_map(neighbour).take(k).collect()
    }

    /// Guides for a product: those written for it, then those for an intent it serves.
    pub fn guides(&self, product: &ProductId, language: &Language) -> Vec<GuideRef> {
        let Some(position) = self.tables.position(product) else { return Vec::new() };
        let node = NodeIndex::new(position as usize);
        let mut found: Vec<GuideRef> = Vec::new();
        let mut add = |guide: NodeIndex, path: Vec<PathStep>| {
            let Some(guide) = self.guide(guide, path, language) else { return };
            if !found.iter().any(|g| g.id == guide.id) {
                found.push(guide);
            }
        };
        for edge in self.along(node, Relation::Explains, Incoming) {
            add(edge.source(), self.step(edge.id(), true, language).into_iter().collect());
        }
        for intent in self.along(node, Relation::ServesIntent, Outgoing) {
            for edge in self.along(intent.target(), Relation::ServesIntent, Incoming) {
                let path = [self.step(intent.id(), false, language), self.step(edge.id(), true, language)];
                add(edge.source(), path.into_iter().flatten().collect());
            }
        }
        found
    }

    fn guide(&self, node: NodeIndex, path: Vec<PathStep>, language: &Language) -> Option<GuideRef> {
        let Node::Guide(place) = self.graph.node_weight(node)? else { return None };
        let entry = self.tables.guides.get(*place as usize)?;
        Some(GuideRef {
            id: entry.id.clone(),
            title: entry.title.best_in(language).to_owned(),
            summary: entry.summary.best_in(language).to_owned(),
            url: entry.url.clone(),
            path,
            as_of: self.as_of,
        })
    }

    pub(crate) fn product(&self, position: u32) -> Option<&Product> {
        self.tables.products.get(position as usize)
    }

    /// Edges of one fixed relation. They come before the learned ones, so reading stops there.
    pub(crate) fn along(
        &self,
        node: NodeIndex,
        relation: Relation,
        way: Direction,
    ) -> impl Iterator<Item = EdgeReference<'_, Edge>> {
        let edges = self.graph.edges_directed(node, way);
        edges.take_while(move |e| !e.weight().relation.is_learned()).filter(move |e| e.weight().relation == relation)
    }

    /// A node by its public name. Attributes, intents and guides are searched one by one: only people ask for them.
    pub(crate) fn find(&self, node: &NodeRef) -> Option<NodeIndex> {
        match node {
            NodeRef::Product(id) => self.tables.position(id).map(|p| NodeIndex::new(p as usize)),
            NodeRef::Category(id) => self.tables.category_nodes.get(id).copied(),
            NodeRef::Attribute { .. } | NodeRef::Intent(_) | NodeRef::Guide(_) => {
                self.graph.node_indices().skip(self.products()).find(|n| self.node_ref(*n).as_ref() == Some(node))
            }
        }
    }

    pub(crate) fn node_ref(&self, node: NodeIndex) -> Option<NodeRef> {
        let tables = &self.tables;
        Some(match *self.graph.node_weight(node)? {
            Node::Product(p) => NodeRef::Product(tables.products.get(p as usize)?.id.clone()),
            Node::Category(c) => NodeRef::Category(tables.categories.get(c as usize)?.clone()),
            Node::Attribute(a) => {
                let (name, value) = tables.attributes.get(a as usize)?.clone();
                NodeRef::Attribute { name, value }
            }
            Node::Intent(i) => NodeRef::Intent(tables.intents.get(i as usize)?.id.clone()),
            Node::Guide(g) => NodeRef::Guide(tables.guides.get(g as usize)?.id.clone()),
        })
    }

    /// An edge as a step of a path, against its arrow when `reversed`.
    pub(crate) fn step(&self, edge: EdgeIndex, reversed: bool, language: &Language) -> Option<PathStep> {
        let (source, target) = self.graph.edge_endpoints(edge)?;
        let (from, to) = if reversed { (target, source) } else { (source, target) };
        Some(PathStep {
            from: self.node_ref(from)?,
            to: self.node_ref(to)?,
            relation: self.graph.edge_weight(edge)?.relation,
            reversed,
            why: self.tables.whys.get(&edge).and_then(|why| why.only_in(language)).map(str::to_owned),
        })
    }

    /// Lends a pooled scratch area, so that a question allocates nothing of the size of the catalogue.
    pub(crate) fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let pool = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = pool().pop().unwrap_or_else(|| Scratch::new(self.products()));
        let done = work(&mut scratch);
        scratch.clear();
        pool().push(scratch);
        done
    }
}

fn provenance(edge: &Edge) -> Provenance {
    match edge.relation {
        Relation::InCategory | Relation::HasAttribute => Provenance::Catalogue,
        Relation::BoughtNext | Relation::BoughtTogether => Provenance::Learned { support: edge.support },
        Relation::Accessory | Relation::Next | Relation::ServesIntent | Relation::Substitute | Relation::Explains => {
            Provenance::Curated
        }
    }
}
