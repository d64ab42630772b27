//! The tool `get_products`: ids to products as facts, with a review each.

use std::sync::Arc;

use kit::ProductId;
use kit::product::{ProductView, Shelf};
use kit::tool::{Effect, Phase, Tool, ToolContext, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::search_catalog::index_fault;
use crate::{Catalogs, SOURCE, catalog_of};

/// Known ids offered for an unknown one.
const NEAREST: usize = 3;

/// Which products.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetArgs {
    /// Product ids as other tools return them, 1 to 8.
    #[schemars(length(min = 1, max = 8))]
    pub products: Vec<ProductId>,
}

/// The products, and the ids that are none.
#[derive(Debug, Serialize)]
pub struct GetOutput {
    products: Vec<ProductView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<Unknown>,
}

/// An id the shop does not have.
#[derive(Debug, Serialize)]
struct Unknown {
    asked: ProductId,
    nearest: Vec<ProductId>,
}

/// The tool.
pub struct GetProducts {
    catalogs: Arc<dyn Catalogs>,
}

impl GetProducts {
    /// A tool over the catalogues of all shops; a call sees that of its own shop.
    pub fn new(catalogs: Arc<dyn Catalogs>) -> Self {
        Self { catalogs }
    }
}

impl Tool for GetProducts {
    type Args = GetArgs;
    type Output = GetOutput;

    const NAME: &'static str = "get_products";
    const DESCRIPTION: &'static str = include_str!("get_products.md");
    const EFFECT: Effect = Effect::Read;
    const PHASES: &'static [Phase] = &[Phase::Brief, Phase::Gather, Phase::Compose];

    async fn call(&self, cx: &ToolContext, args: GetArgs) -> Result<GetOutput, ToolError> {
        let catalog = catalog_of(&*self.catalogs, &cx.shop)?;
        let mut output = GetOutput { products: Vec::new(), unknown: Vec::new() };
        for (i, id) in args.products.iter().enumerate() {
            if args.products.iter().take(i).any(|earlier| earlier == id) {
                continue;
            }
            match catalog.card(id, &cx.subject.language, cx.now) {
                Some(card) => output.products.push(card.mint(cx, SOURCE)?),
                None => output.unknown.push(Unknown {
                    asked: id.clone(),
                    nearest: catalog.nearest(id.as_str(), NEAREST).map_err(index_fault)?,
                }),
            }
        }
        if output.products.is_empty() {
            return Err(ToolError::ForModel(none_known(&output.unknown)));
        }
        Ok(output)
    }
}

fn none_known(unknown: &[Unknown]) -> String {
    let lines = unknown.iter().map(|Unknown { asked, nearest }| {
        let nearest: Vec<&str> = nearest.iter().map(ProductId::as_str).collect();
        match nearest.as_slice() {
            [] => format!("{asked} (no id is near)"),
            near => format!("{asked} (nearest: {})", near.join(", ")),
        }
    });
    let lines: Vec<String> = lines.collect();
    format!(
        "the shop has none of these: {}; ask by one of the nearest ids, or find it with search_catalog",
        lines.join("; ")
    )
}
