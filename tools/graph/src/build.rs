//! Builds the graph from catalogue, curated files and orders, or says everything that is wrong with them.

use std::collections::HashSet;
use std::fmt;

use kit::{IntentId, ProductId, Timestamp};

use crate::assembly::Assembly;
use crate::curated::{At, Curated};
use crate::graph::ProductGraph;
use crate::intake::Intake;
use crate::model::{GraphProduct, Interaction};
use crate::orders::RawLog;

/// What learning keeps. The defaults come from the measurements in reference/marketing-science.md, section 5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// Customers a learned edge needs; below, it is chance.
    pub min_support: u32,
    /// Bought-together edges kept for a product.
    pub together_per_product: usize,
    /// Bought-next edges kept for a product.
    pub next_per_product: usize,
    /// Days within which a later order counts as next.
    pub next_within_days: u16,
    /// Pseudo counts that pull the lift of rare pairs towards 1.
    pub pseudo_counts: f32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            min_support: 3,
            together_per_product: 50,
            next_per_product: 20,
            next_within_days: 90,
            pseudo_counts: 20.0,
        }
    }
}

/// Products a graph holds: nodes are numbered with 32 bits, and categories and attributes need some as well.
pub const MAX_PRODUCTS: usize = 100_000_000;

/// Why no graph was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    /// Every fault found.
    pub faults: Vec<BuildFault>,
}

/// One fault of the input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildFault {
    /// The catalogue names a product twice.
    #[error("the catalogue has product `{0}` twice; keep one")]
    ProductTwice(ProductId),
    /// More products than the graph has positions for.
    #[error("{0} products are too many; at most {MAX_PRODUCTS}")]
    TooManyProducts(usize),
    /// A curated file names a product that the catalogue does not have.
    #[error("{file}:{line}: product `{product}` is not in the catalogue; correct the id or remove the entry")]
    UnknownProduct {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The id.
        product: ProductId,
    },
    /// A guide names an intent that no file has.
    #[error("{file}:{line}: intent `{intent}` is not defined; add an [[intent]] or correct the id")]
    UnknownIntent {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The id.
        intent: IntentId,
    },
    /// Two curated files define the same intent or guide.
    #[error("{file}:{line}: {what} is already defined in another file; keep one")]
    DefinedTwice {
        /// The later file.
        file: String,
        /// The line.
        line: usize,
        /// `intent x` or `guide y`.
        what: String,
    },
    /// An order line points behind the end of the product list.
    #[error("{lines} order lines name a product position beyond {products} products, the first is {first}")]
    OrderPosition {
        /// How many lines.
        lines: usize,
        /// The first such position.
        first: u32,
        /// Products there are.
        products: usize,
    },
}

impl BuildFault {
    /// The curated file the fault is in; `None` for faults of catalogue or orders.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::UnknownProduct { file, .. } | Self::UnknownIntent { file, .. } | Self::DefinedTwice { file, .. } => {
                Some(file)
            }
            Self::ProductTwice(_) | Self::TooManyProducts(_) | Self::OrderPosition { .. } => None,
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the product graph cannot be built:")?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n- {fault}"))
    }
}

impl std::error::Error for BuildError {}

/// Collects the inputs of a [`ProductGraph`].
#[derive(Debug)]
pub struct GraphBuilder {
    intake: Intake,
    curated: Vec<Curated>,
    log: RawLog,
    /// Order lines beyond the product list: how many, and the first position.
    stray: Option<(usize, u32)>,
    tuning: Tuning,
}

impl GraphBuilder {
    /// Starts from the catalogue, read product by product. [`Interaction::product`] is the position in this order.
    pub fn new(products: impl IntoIterator<Item = GraphProduct>) -> Self {
        let mut intake = Intake::default();
        for product in products {
            intake.add(product);
        }
        Self { intake, curated: Vec::new(), log: RawLog::default(), stray: None, tuning: Tuning::default() }
    }

    /// Adds a curated file; call again for more.
    pub fn curated(mut self, curated: Curated) -> Self {
        self.curated.push(curated);
        self
    }

    /// Adds paid order lines in any order. They are read one by one, so a database cursor will do.
    pub fn orders(mut self, lines: impl IntoIterator<Item = Interaction>) -> Self {
        for line in lines {
            if (line.product as usize) < self.intake.products.len() {
                self.log.push(line);
                continue;
            }
            let stray = self.stray.get_or_insert((0, line.product));
            stray.0 += 1;
        }
        self
    }

    /// Replaces the defaults of learning.
    pub fn tuning(mut self, tuning: Tuning) -> Self {
        self.tuning = tuning;
        self
    }

    /// Builds the graph. `as_of` is when catalogue and curated files were read.
    ///
    /// # Errors
    /// Every dangling or doubled id, with its place.
    pub fn build(self, as_of: Timestamp) -> Result<ProductGraph, BuildError> {
        self.check()?;
        Ok(Assembly::new(self.intake, as_of, self.tuning).learn(self.log).describe().curate(self.curated))
    }

    /// Compares all names, and learns nothing: in a fraction of the time of [`GraphBuilder::build`].
    ///
    /// # Errors
    /// As [`GraphBuilder::build`].
    pub fn check(&self) -> Result<(), BuildError> {
        let faults = self.faults();
        if faults.is_empty() { Ok(()) } else { Err(BuildError { faults }) }
    }

    fn faults(&self) -> Vec<BuildFault> {
        let products = self.intake.products.len();
        if products > MAX_PRODUCTS {
            return vec![BuildFault::TooManyProducts(products)];
        }
        let ids = self.intake.ids();
        let repeated = ids.iter().zip(ids.iter().skip(1)).filter(|(a, b)| a == b);
        let mut faults: Vec<BuildFault> = repeated.map(|(id, _)| BuildFault::ProductTwice((*id).clone())).collect();
        if let Some((lines, first)) = self.stray {
            faults.push(BuildFault::OrderPosition { lines, first, products });
        }
        self.repeated_definitions(&mut faults);
        let intents: HashSet<&IntentId> = self.curated.iter().flat_map(|f| &f.intents).map(|i| &i.id.value).collect();
        for curated in &self.curated {
            dangling(curated, &ids, &intents, &mut faults);
        }
        faults
    }

    /// A file is free of repeats in itself; here files are compared.
    fn repeated_definitions(&self, faults: &mut Vec<BuildFault>) {
        let mut seen = HashSet::new();
        for curated in &self.curated {
            let intents = curated.intents.iter().map(|i| (i.id.line, format!("intent {}", i.id.value)));
            let guides = curated.guides.iter().map(|g| (g.id.line, format!("guide {}", g.id.value)));
            for (line, what) in intents.chain(guides) {
                if !seen.insert(what.clone()) {
                    faults.push(BuildFault::DefinedTwice { file: curated.file.clone(), line, what });
                }
            }
        }
    }
}

/// Names in a curated file that nothing stands behind.
fn dangling(curated: &Curated, products: &[&ProductId], intents: &HashSet<&IntentId>, faults: &mut Vec<BuildFault>) {
    let file = &curated.file;
    let named = (curated.intents.iter().flat_map(|i| &i.products))
        .chain(curated.edges.iter().flat_map(|e| [&e.from, &e.to]))
        .chain(curated.guides.iter().flat_map(|g| &g.products));
    for At { line, value } in named.filter(|at| products.binary_search(&&at.value).is_err()) {
        faults.push(BuildFault::UnknownProduct { file: file.clone(), line: *line, product: value.clone() });
    }
    let named = curated.guides.iter().filter_map(|g| g.intent.as_ref());
    for At { line, value } in named.filter(|at| !intents.contains(&at.value)) {
        faults.push(BuildFault::UnknownIntent { file: file.clone(), line: *line, intent: value.clone() });
    }
}
