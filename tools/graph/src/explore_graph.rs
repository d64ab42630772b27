//! The tool `explore_graph`: the graph as a model may ask it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kit::fence::ThirdParty;
use kit::product::{ProductCard, ProductView, Shelf};
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError};
use kit::{BoxFuture, CategoryId, CustomerId, FactId, FactKind, FactValue, ProductId, Provenance, ShopId, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::ProductGraph;
use crate::model::{Availability, Live, Owned, Recommendation, Relation, Request, compact};

/// The engine name on facts.
const SOURCE: &str = "graph";
/// Products in an answer when the model names no number.
const DEFAULT_LIMIT: usize = 4;
/// Guides in an answer, at most.
const MAX_GUIDES: usize = 8;
/// Favourite categories taken from the history.
const FAVOURITES: usize = 3;

/// Where the tool gets the graph of a shop.
pub trait Graphs: Send + Sync {
    /// The newest graph; `None` before the first was built.
    fn graph<'a>(&'a self, shop: &'a ShopId) -> BoxFuture<'a, Result<Option<Arc<ProductGraph>>, StoreError>>;
}

/// Where the tool gets what a customer has bought.
pub trait History: Send + Sync {
    /// Everything paid for, a product once with its latest purchase; `returned` when it was sent back.
    fn owned<'a>(&'a self, shop: &'a ShopId, customer: &'a CustomerId)
    -> BoxFuture<'a, Result<Vec<Owned>, StoreError>>;
}

/// What to ask the product graph.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What you want to know.
    pub question: Question,
    /// The products asked about. Empty: the products of the cart or order that started this run.
    #[schemars(length(max = 10))]
    pub products: Vec<ProductId>,
    /// For neighbours: only along this relation. Null for any, and for the other questions.
    pub relation: Option<Along>,
    /// How many results; 4 when null. A message shows 3-4 products.
    #[schemars(range(min = 1, max = 8))]
    pub limit: Option<u32>,
}

/// The kinds of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A varied few that fit the products and the customer's past purchases.
    Recommend,
    /// What lies beside the products.
    Neighbours,
    /// What can stand in for the products.
    Substitutes,
    /// Guides that explain the products.
    Guides,
}

/// Relations between two products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// Used with the product.
    Accessory,
    /// The next step after the product.
    Next,
    /// Bought in a later order.
    BoughtNext,
    /// Bought by the same people.
    BoughtTogether,
    /// Can stand in for the product.
    Substitute,
    /// Serves the same purpose.
    SameIntent,
}

impl Along {
    const fn relation(self) -> Relation {
        match self {
            Self::Accessory => Relation::Accessory,
            Self::Next => Relation::Next,
            Self::BoughtNext => Relation::BoughtNext,
            Self::BoughtTogether => Relation::BoughtTogether,
            Self::Substitute => Relation::Substitute,
            Self::SameIntent => Relation::ServesIntent,
        }
    }
}

/// What the model gets back.
#[derive(Debug, Serialize)]
pub struct Output {
    /// Products, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// Guides, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guides: Vec<GuideItem>,
    /// What to do about a thin answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// A product and why it is shown.
#[derive(Debug, Serialize)]
pub struct Item {
    /// The product fact.
    #[serde(flatten)]
    pub product: ProductView,
    /// The path in words.
    pub because: String,
    /// The path in ids.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// A guide.
#[derive(Debug, Serialize)]
pub struct GuideItem {
    /// Cite it by this id.
    pub fact: FactId,
    /// Its title.
    pub title: String,
    /// What it says.
    pub summary: String,
    /// The path in ids.
    pub path: String,
}

/// The tool.
pub struct ExploreGraph {
    graphs: Arc<dyn Graphs>,
    history: Arc<dyn History>,
    shelf: Arc<dyn Shelf>,
}

impl ExploreGraph {
    /// A tool over these sources.
    pub fn new(graphs: Arc<dyn Graphs>, history: Arc<dyn History>, shelf: Arc<dyn Shelf>) -> Self {
        Self { graphs, history, shelf }
    }
}

impl Tool for ExploreGraph {
    type Args = Args;
    type Output = Output;

    const NAME: &'static str = "explore_graph";
    const DESCRIPTION: &'static str = include_str!("explore_graph.md");
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Brief, Phase::Gather, Phase::Compose];

    async fn call(&self, cx: &ToolContext, args: Args) -> Result<Output, ToolError> {
        let graph = self.graphs.graph(&cx.shop).await?.ok_or_else(|| {
            ToolError::ForModel("this shop has no product graph yet; choose products with search_catalog".to_owned())
        })?;
        let asked = asked(&graph, cx, &args)?;
        if args.question == Question::Guides {
            return guides(&graph, cx, asked, limit(&args));
        }
        let history = self.history.owned(&cx.shop, &cx.subject.customer).await?;
        let counter = Counter { shelf: self.shelf.as_ref(), cx, cards: RefCell::default() };
        let favourites = favourites(&graph, &history);
        // A regulated product may be replaced by another; elsewhere regulated ones are not volunteered.
        let regulated = args.question == Question::Substitutes && asked.iter().any(|id| counter.is_regulated(id));
        let request = Request {
            basket: asked,
            exclude: &cx.subject.products,
            history: &history,
            favourites: &favourites,
            k: limit(&args),
            language: &cx.subject.language,
            now: cx.now,
            regulated,
            price_band: None,
        };
        let found = match args.question {
            Question::Recommend => graph.recommend(&request, &counter),
            Question::Neighbours => graph.related_products(args.relation.map(Along::relation), &request, &counter),
            Question::Substitutes => each_in_turn(asked, request.k, |id| graph.substitutes(id, &request, &counter)),
            Question::Guides => Vec::new(),
        };
        let note = note(args.question, found.len(), request.k);
        let items = found.into_iter().filter_map(|r| counter.item(r)).collect::<Result<_, _>>()?;
        Ok(Output { items, guides: Vec::new(), note })
    }
}

fn limit(args: &Args) -> usize {
    args.limit.map_or(DEFAULT_LIMIT, |limit| limit as usize)
}

/// The products meant. Ids that the model gives must exist; those of the run may be gone meanwhile.
fn asked<'a>(graph: &ProductGraph, cx: &'a ToolContext, args: &'a Args) -> Result<&'a [ProductId], ToolError> {
    let unknown: Vec<&str> = args.products.iter().filter(|id| !graph.contains(id)).map(ProductId::as_str).collect();
    if !unknown.is_empty() {
        return Err(ToolError::ForModel(format!(
            "this shop has no {}; use product ids from earlier results, or an empty list for this run's own products",
            unknown.join(", ")
        )));
    }
    if args.relation.is_some() && args.question != Question::Neighbours {
        return Err(ToolError::ForModel("`relation` is for neighbours only; set it to null or ask neighbours".into()));
    }
    let asked = if args.products.is_empty() { &cx.subject.products } else { &args.products };
    if asked.is_empty() && args.question != Question::Recommend {
        return Err(ToolError::ForModel(
            "this run has no products of its own; name at least one in `products`, or ask recommend".to_owned(),
        ));
    }
    Ok(asked)
}

fn note(question: Question, found: usize, wanted: usize) -> Option<&'static str> {
    match (question, found) {
        (Question::Recommend, 0) => {
            Some("nothing may be offered to this customer now; search_catalog can look further")
        }
        (Question::Recommend, n) if n < wanted => Some("no more may be offered now; fewer good products are fine"),
        (Question::Neighbours, 0) => Some("nothing that may be offered lies there; try another relation or recommend"),
        (Question::Substitutes, 0) => Some("nothing in stock can stand in; search_catalog can look further"),
        (Question::Guides, 0) => Some("no guide explains these products; highlights and care are in the product facts"),
        (Question::Recommend | Question::Neighbours | Question::Substitutes | Question::Guides, _) => None,
    }
}

/// Answers for several products, taken in turn so that each gets a place before any gets a second.
fn each_in_turn(
    products: &[ProductId],
    k: usize,
    answer: impl Fn(&ProductId) -> Vec<Recommendation>,
) -> Vec<Recommendation> {
    let mut answers: Vec<_> = products.iter().map(|id| answer(id).into_iter()).collect();
    let mut found: Vec<Recommendation> = Vec::new();
    for _ in 0..k {
        for next in answers.iter_mut().filter_map(Iterator::next) {
            if found.len() < k && !found.iter().any(|f| f.product == next.product) {
                found.push(next);
            }
        }
    }
    found
}

/// The categories the customer kept most from, most first.
fn favourites(graph: &ProductGraph, history: &[Owned]) -> Vec<CategoryId> {
    let mut counts: BTreeMap<&CategoryId, usize> = BTreeMap::new();
    for category in history.iter().filter(|o| !o.returned).filter_map(|o| graph.category_of(&o.product)) {
        *counts.entry(category).or_default() += 1;
    }
    let mut categories: Vec<_> = counts.into_iter().collect();
    categories.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    categories.into_iter().take(FAVOURITES).map(|(category, _)| category.clone()).collect()
}

fn guides(graph: &ProductGraph, cx: &ToolContext, products: &[ProductId], limit: usize) -> Result<Output, ToolError> {
    let mut guides: Vec<GuideItem> = Vec::new();
    let mut seen = Vec::new();
    for guide in products.iter().flat_map(|id| graph.guides(id, &cx.subject.language)) {
        if guides.len() == limit.min(MAX_GUIDES) || seen.contains(&guide.id) {
            continue;
        }
        let fields = [
            ("title", FactValue::text(&guide.title)),
            ("summary", FactValue::text(&guide.summary)),
            ("url", FactValue::url(&guide.url)),
        ];
        let fact = cx.mint(FactKind::Guide, guide.id.as_str(), SOURCE, guide.as_of, fields)?;
        guides.push(GuideItem { fact, title: guide.title, summary: guide.summary, path: compact(&guide.path) });
        seen.push(guide.id);
    }
    let note = note(Question::Guides, guides.len(), limit);
    Ok(Output { items: Vec::new(), guides, note })
}

/// The shelf as one call sees it: each card is fetched once.
struct Counter<'a> {
    shelf: &'a dyn Shelf,
    cx: &'a ToolContext,
    cards: RefCell<HashMap<ProductId, Option<Arc<ProductCard>>>>,
}

impl Counter<'_> {
    fn card(&self, product: &ProductId) -> Option<Arc<ProductCard>> {
        if let Some(card) = self.cards.borrow().get(product) {
            return card.clone();
        }
        let card = self.shelf.card(product, &self.cx.subject.language, self.cx.now).map(Arc::new);
        self.cards.borrow_mut().insert(product.clone(), card.clone());
        card
    }

    fn is_regulated(&self, product: &ProductId) -> bool {
        self.card(product).is_some_and(|card| card.regulated.is_some())
    }

    /// The product as the model sees it. It passed the filters, so its card is at hand.
    fn item(&self, found: Recommendation) -> Option<Result<Item, ToolError>> {
        let card = self.card(&found.product)?;
        let item = |product| Item { product, because: found.reason, path: compact(&found.path) };
        Some(card.mint(self.cx, SOURCE).map(item))
    }
}

impl Live for Counter<'_> {
    fn availability(&self, product: &ProductId) -> Availability {
        match self.card(product) {
            Some(card) if card.stock > 0 => {
                Availability::Sellable { price: card.price, regulated: card.regulated.is_some() }
            }
            Some(_) | None => Availability::Unavailable,
        }
    }

    fn title(&self, product: &ProductId) -> Option<String> {
        let card = self.card(product)?;
        Some(match card.provenance {
            Provenance::ThirdParty => ThirdParty::new(&card.title).fenced(),
            Provenance::Platform | Provenance::Merchant | Provenance::Marketer => card.title.clone(),
        })
    }
}
