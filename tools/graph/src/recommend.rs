//! Recommendations: evidence from basket and history, hard filters, then a varied few.
//!
//! Three tiers answer in turn, each only for the places the one before left empty: what relates to something the
//! customer has; best-sellers of favourite categories; best-sellers of the shop. The later tiers say so.

use std::collections::BTreeSet;

use kit::{CategoryId, ProductId, Timestamp};
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use crate::gate::Gate;
use crate::graph::{Node, ProductGraph};
use crate::model::{Live, PathStep, Recommendation, Relation, Request};
use crate::scratch::{Evidence, Scratch, Via};
use crate::select::{self, Choosable};
use crate::words::{Because, OFTEN};

/// Candidates that reach the choice. Enough for variety, few enough to ask the live catalogue for each.
const POOL: usize = 40;
/// Products of the customer that evidence starts from, strongest first.
const MAX_SEEDS: usize = 60;
/// Best-sellers of an intent that are looked at.
const PER_INTENT: usize = 50;
/// Products of a category that are looked at.
const PER_CATEGORY: usize = 400;
/// Best-sellers of the shop that are looked at.
const BEST_SELLERS: usize = 2_000;
/// Share of an edge's strength that its relation alone gives; the rest is its weight. Large enough that the weakest
/// "bought next" still counts for more than the strongest "bought together".
const RELATION_SHARE: f32 = 0.7;
/// What a full margin adds to relevance: enough to break near-ties, too little to push what does not fit.
const MARGIN_BONUS: f32 = 0.15;
/// Margin assumed when the shop knows none, in thousandths.
const UNKNOWN_MARGIN: u16 = 300;
/// Weight of a past purchase against a basket item, when fresh, and after which it halves.
const HISTORY_WEIGHT: f32 = 0.85;
const HISTORY_HALF_LIFE_DAYS: f32 = 180.0;
/// A past purchase never weighs less.
const HISTORY_FLOOR: f32 = 0.2;

/// How alike two candidates are, 0 to 1.
pub(crate) fn likeness(same_category: bool, same_root: bool) -> f32 {
    match (same_category, same_root) {
        (true, _) => 1.0,
        (false, true) => 0.3,
        (false, false) => 0.0,
    }
}

/// A product that passed the filters.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    product: u32,
    score: f32,
    category: u32,
    rich: bool,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Origin {
    Related(Evidence),
    PopularIn(NodeIndex),
    Popular,
}

impl Candidate {
    /// The product it is an accessory of.
    fn root(&self, graph: &ProductGraph) -> Option<u32> {
        match self.origin {
            Origin::Related(Evidence { seed, via: Via::Edge(edge), .. }) => {
                let edge = graph.graph.edge_weight(edge)?;
                (edge.relation == Relation::Accessory).then_some(seed)
            }
            Origin::Related(_) | Origin::PopularIn(_) | Origin::Popular => None,
        }
    }
}

/// A candidate with what is compared at hand.
struct Rooted {
    candidate: Candidate,
    root: Option<u32>,
}

impl Choosable for Rooted {
    fn score(&self) -> f32 {
        self.candidate.score
    }
    fn similarity(&self, other: &Self) -> f32 {
        likeness(self.candidate.category == other.candidate.category, self.root.is_some() && self.root == other.root)
    }
    fn is_rich(&self) -> bool {
        self.candidate.rich
    }
}

impl ProductGraph {
    /// A few products for this basket and history, each with its path and the path in words.
    ///
    /// Never: basket items and what could replace them, owned products (unless consumable and due), returned ones,
    /// what cannot be bought now, regulated ones unless asked for, prices outside the band. Among three or more, one
    /// is of higher margin where one is to be had. The same input gives the same answer.
    pub fn recommend(&self, request: &Request<'_>, live: &dyn Live) -> Vec<Recommendation> {
        let gate = Gate::new(self, request, live).without_rivals();
        let mut chosen: Vec<Rooted> = Vec::new();
        let rooted = |c: Candidate| Rooted { root: c.root(self), candidate: c };
        let tiers: [&dyn Fn() -> Vec<Candidate>; 3] = [
            &|| self.related(self.seeds(request), |relation| relation != Relation::Substitute, &gate),
            &|| self.popular_in(request, &gate),
            &|| self.popular(request, &gate),
        ];
        for tier in tiers {
            if chosen.len() >= request.k {
                break;
            }
            let mut pool: Vec<Rooted> = tier().into_iter().map(rooted).collect();
            pool.retain(|p| !chosen.iter().any(|c| c.candidate.product == p.candidate.product));
            select::extend(&mut chosen, pool, request.k);
        }
        chosen.into_iter().filter_map(|c| self.explained(&c.candidate, request, live)).collect()
    }

    /// What lies beside the basket items, best first; with a relation, only along it. The filters of
    /// [`ProductGraph::recommend`] hold, but variety plays no part, and rivals may be asked for.
    pub fn related_products(
        &self,
        relation: Option<Relation>,
        request: &Request<'_>,
        live: &dyn Live,
    ) -> Vec<Recommendation> {
        let seeds = request.basket.iter().filter_map(|id| Some((self.tables.position(id)?, 1.0))).collect();
        let gate = Gate::new(self, request, live);
        let found = self.related(seeds, |r| relation.is_none_or(|wanted| wanted == r), &gate);
        found.iter().take(request.k).filter_map(|c| self.explained(c, request, live)).collect()
    }

    /// Admitted candidates that evidence along the wanted relations leads to, best first.
    fn related(&self, seeds: Vec<(u32, f32)>, wanted: impl Fn(Relation) -> bool, gate: &Gate<'_>) -> Vec<Candidate> {
        let mut scored: Vec<Candidate> = self.with_scratch(|scratch| {
            for (seed, weight) in seeds {
                self.gather(seed, weight, &wanted, scratch);
            }
            let scored = scratch
                .candidates()
                .filter_map(|(product, relevance, best)| self.candidate(product, relevance, Origin::Related(best)));
            scored.collect()
        });
        scored.sort_unstable_by(|x, y| y.score.total_cmp(&x.score).then(x.product.cmp(&y.product)));
        scored.into_iter().filter(|c| gate.admits(c.product)).take(POOL).collect()
    }

    /// Products of the customer with the weight of their word, strongest first.
    fn seeds(&self, request: &Request<'_>) -> Vec<(u32, f32)> {
        let basket = request.basket.iter().filter_map(|id| Some((self.tables.position(id)?, 1.0)));
        let kept = request.history.iter().filter(|owned| !owned.returned);
        let history = kept.filter_map(|owned| {
            Some((self.tables.position(&owned.product)?, history_weight(owned.last_bought, request.now)))
        });
        let mut seeds: Vec<(u32, f32)> = basket.chain(history).collect();
        seeds.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
        let mut seen = BTreeSet::new();
        seeds.retain(|(position, _)| seen.insert(*position));
        seeds.truncate(MAX_SEEDS);
        seeds
    }

    fn gather(&self, seed: u32, weight: f32, wanted: impl Fn(Relation) -> bool, scratch: &mut Scratch) {
        let strength = |relation: Relation, edge_weight: f32| {
            weight * relation.strength() * (RELATION_SHARE + (1.0 - RELATION_SHARE) * edge_weight)
        };
        for edge in self.graph.edges_directed(NodeIndex::new(seed as usize), Outgoing) {
            let (relation, target) = (edge.weight().relation, edge.target());
            if !wanted(relation) {
                continue;
            }
            match relation {
                Relation::Accessory | Relation::Next | Relation::BoughtNext | Relation::Substitute => {
                    let strength = strength(relation, edge.weight().weight);
                    scratch.add(target.index() as u32, Evidence { strength, seed, via: Via::Edge(edge.id()) });
                }
                Relation::BoughtTogether => {
                    // Cosines of real shops crowd near 0; the root spreads them over the scale.
                    let strength = strength(relation, edge.weight().weight.sqrt());
                    scratch.add(target.index() as u32, Evidence { strength, seed, via: Via::Edge(edge.id()) });
                }
                Relation::ServesIntent => {
                    let evidence = Evidence { strength: strength(relation, 1.0), seed, via: Via::Intent(target) };
                    self.gather_intent(target, evidence, scratch);
                }
                Relation::Explains | Relation::InCategory | Relation::HasAttribute => {}
            }
        }
    }

    fn gather_intent(&self, intent: NodeIndex, evidence: Evidence, scratch: &mut Scratch) {
        let sources = self.along(intent, Relation::ServesIntent, Incoming).map(|e| e.source());
        let products = sources.filter_map(|node| match self.graph.node_weight(node)? {
            Node::Product(position) => Some(*position),
            Node::Category(_) | Node::Attribute(_) | Node::Intent(_) | Node::Guide(_) => None,
        });
        for product in products.filter(|p| *p != evidence.seed).take(PER_INTENT) {
            scratch.add(product, evidence);
        }
    }

    fn candidate(&self, position: u32, relevance: f32, origin: Origin) -> Option<Candidate> {
        let product = self.product(position)?;
        let margin = product.margin_permille.or(self.median_margin()).unwrap_or(UNKNOWN_MARGIN);
        Some(Candidate {
            product: position,
            score: relevance * (1.0 + MARGIN_BONUS * f32::from(margin) / 1000.0),
            category: product.category,
            rich: product.margin_permille > self.median_margin(),
            origin,
        })
    }

    /// Best-sellers of the favourite categories, favourites first.
    fn popular_in(&self, request: &Request<'_>, gate: &Gate<'_>) -> Vec<Candidate> {
        let known = request.favourites.iter().filter_map(|c| self.tables.category_nodes.get(c).copied());
        let each = known.map(|node| (self.in_category(node), Origin::PopularIn(node)));
        self.best_sellers(each.flat_map(|(found, origin)| found.into_iter().map(move |p| (p, origin))), request, gate)
    }

    fn popular(&self, request: &Request<'_>, gate: &Gate<'_>) -> Vec<Candidate> {
        let all = self.tables.popular.iter().take(BEST_SELLERS);
        self.best_sellers(all.map(|p| (*p, Origin::Popular)), request, gate)
    }

    /// Candidates in the order given, the relevance falling with it; categories of basket items are left out, since
    /// nothing but rivals would come from there.
    fn best_sellers(
        &self,
        ranked: impl Iterator<Item = (u32, Origin)>,
        request: &Request<'_>,
        gate: &Gate<'_>,
    ) -> Vec<Candidate> {
        let in_basket: Vec<&CategoryId> = request.basket.iter().filter_map(|id| self.category_of(id)).collect();
        let mut seen = BTreeSet::new();
        let complement = |product: &u32| {
            let category = self.product(*product).and_then(|p| self.tables.categories.get(p.category as usize));
            category.is_some_and(|c| !in_basket.contains(&c))
        };
        let admitted = ranked.filter(|(p, _)| seen.insert(*p) && complement(p) && gate.admits(*p)).take(POOL);
        let falling = (0u8..).map(|rank| 1.0 / (1.0 + f32::from(rank)));
        admitted.zip(falling).filter_map(|((p, origin), relevance)| self.candidate(p, relevance, origin)).collect()
    }

    /// Products of a category and those below it, most bought first.
    pub(crate) fn in_category(&self, category: NodeIndex) -> Vec<u32> {
        let (mut found, mut open) = (Vec::new(), vec![category]);
        while let Some(node) = open.pop() {
            let mut own = 0;
            for member in self.along(node, Relation::InCategory, Incoming).map(|e| e.source()) {
                match self.graph.node_weight(member) {
                    Some(Node::Product(position)) if own < PER_CATEGORY => {
                        found.push(*position);
                        own += 1;
                    }
                    Some(Node::Category(_)) => open.push(member),
                    Some(Node::Product(_) | Node::Attribute(_) | Node::Intent(_) | Node::Guide(_)) | None => {}
                }
            }
        }
        found.sort_by_key(|p| (std::cmp::Reverse(self.product(*p).map(|p| p.buyers)), *p));
        found
    }

    fn explained(&self, candidate: &Candidate, request: &Request<'_>, live: &dyn Live) -> Option<Recommendation> {
        let product = self.product(candidate.product)?;
        let (path, reason) = match candidate.origin {
            Origin::Related(evidence) => self.related_path(candidate.product, evidence, request, live)?,
            Origin::PopularIn(category) => {
                let path = self.category_path(category, candidate.product, request)?;
                let name = path.first().map(|step| step.from.to_string()).unwrap_or_default();
                let because = if product.buyers >= u32::from(OFTEN) {
                    Because::PopularIn { category: &name }
                } else {
                    Because::FewOrders { category: &name }
                };
                (path, because.in_words(request.language))
            }
            Origin::Popular => {
                let category = self.tables.categories.get(product.category as usize)?;
                let because = if product.buyers >= u32::from(OFTEN) {
                    Because::Popular
                } else {
                    Because::FewOrders { category: category.as_str() }
                };
                (Vec::new(), because.in_words(request.language))
            }
        };
        Some(Recommendation { product: product.id.clone(), score: candidate.score, path, reason })
    }

    fn related_path(
        &self,
        product: u32,
        evidence: Evidence,
        request: &Request<'_>,
        live: &dyn Live,
    ) -> Option<(Vec<PathStep>, String)> {
        let seed = self.name(&self.product(evidence.seed)?.id, live);
        match evidence.via {
            Via::Edge(edge) => {
                let step = self.step(edge, false, request.language)?;
                let often = self.graph.edge_weight(edge)?.support >= OFTEN;
                let reason = step_reason(&step, &seed, often)?.in_words(request.language);
                Some((vec![step], reason))
            }
            Via::Intent(node) => {
                let here = NodeIndex::new(evidence.seed as usize);
                let there = NodeIndex::new(product as usize);
                let (to, from) = (self.graph.find_edge(here, node)?, self.graph.find_edge(there, node)?);
                let path = vec![self.step(to, false, request.language)?, self.step(from, true, request.language)?];
                let label = self.intent_label(node, request);
                Some((path, Because::SameIntent { with: &seed, label }.in_words(request.language)))
            }
        }
    }

    fn intent_label(&self, node: NodeIndex, request: &Request<'_>) -> Option<&str> {
        let Node::Intent(place) = self.graph.node_weight(node)? else { return None };
        self.tables.intents.get(*place as usize)?.label.only_in(request.language)
    }

    fn category_path(&self, favourite: NodeIndex, product: u32, request: &Request<'_>) -> Option<Vec<PathStep>> {
        let (mut node, mut path) = (NodeIndex::new(product as usize), Vec::new());
        while node != favourite {
            let up = self.along(node, Relation::InCategory, Outgoing).next()?;
            path.push(self.step(up.id(), true, request.language)?);
            node = up.target();
        }
        path.reverse();
        Some(path)
    }

    /// The title of a product; its id when the shop no longer has it.
    pub(crate) fn name(&self, product: &ProductId, live: &dyn Live) -> String {
        live.title(product).unwrap_or_else(|| product.to_string())
    }
}

/// The words for one step that leads from `seed`; `None` for relations that recommend nothing.
pub(crate) fn step_reason<'a>(step: &'a PathStep, seed: &'a str, often: bool) -> Option<Because<'a>> {
    let why = step.why.as_deref();
    match step.relation {
        Relation::Accessory => Some(Because::Accessory { of: seed, why }),
        Relation::Next => Some(Because::Next { after: seed, why }),
        Relation::BoughtNext => Some(Because::BoughtNext { after: seed, often }),
        Relation::BoughtTogether => Some(Because::BoughtTogether { with: seed, often }),
        Relation::Substitute => Some(Because::Substitute { of: seed, why }),
        Relation::ServesIntent | Relation::Explains | Relation::InCategory | Relation::HasAttribute => None,
    }
}

fn history_weight(bought: Timestamp, now: Timestamp) -> f32 {
    let days = (now.as_second() - bought.as_second()).max(0) as f32 / 86_400.0;
    (HISTORY_WEIGHT * (-days / HISTORY_HALF_LIFE_DAYS).exp2()).max(HISTORY_FLOOR)
}
