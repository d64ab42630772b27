//! `mailwright graph recommend|explain`: ask the product-knowledge graph as a tool would.

use catalog::Catalog;
use clap::{Args, Subcommand};
use graph::{Availability, Live, NodeRef, Request, compact};
use kit::product::Shelf as _;
use kit::{CustomerId, Language, ProductId, Timestamp};

use super::app::App;
use super::out::{Ink, Out};
use super::{Failure, Global, failure};

#[derive(Debug, Args)]
#[command(after_help = "Example: mailwright graph recommend TT-1001")]
pub(super) struct GraphArgs {
    #[command(subcommand)]
    command: GraphCommand,
}

#[derive(Debug, Subcommand)]
enum GraphCommand {
    /// What goes with these products, and why.
    #[command(after_help = "Example: mailwright graph recommend TT-1001 --customer C-ADA")]
    Recommend {
        /// The basket.
        #[arg(required = true)]
        products: Vec<ProductId>,
        /// For whom: leaves out what they own or sent back.
        #[arg(long)]
        customer: Option<CustomerId>,
        /// How many.
        #[arg(long, default_value_t = 4)]
        limit: usize,
        /// The language of the reasons.
        #[arg(long, default_value = "en")]
        language: String,
    },
    /// How two products are connected.
    #[command(after_help = "Example: mailwright graph explain TT-1001 TT-1401")]
    Explain {
        /// From this product.
        from: ProductId,
        /// To this one.
        to: ProductId,
    },
}

struct Shop<'a> {
    catalog: &'a Catalog,
    language: &'a Language,
    now: Timestamp,
}

impl Live for Shop<'_> {
    fn availability(&self, product: &ProductId) -> Availability {
        match self.catalog.card(product, self.language, self.now) {
            Some(card) if card.stock > 0 => {
                Availability::Sellable { price: card.price, regulated: card.regulated.is_some() }
            }
            Some(_) | None => Availability::Unavailable,
        }
    }

    fn title(&self, product: &ProductId) -> Option<String> {
        self.catalog.card(product, self.language, self.now).map(|card| card.title)
    }
}

pub(super) async fn run(global: &Global, args: GraphArgs, out: &Out) -> Result<(), Failure> {
    let app = App::open(global, out).await?;
    let done = perform(&app, args.command, out).await;
    app.close().await;
    done
}

async fn perform(app: &App, command: GraphCommand, out: &Out) -> Result<(), Failure> {
    let tenant = &app.tenant;
    let now = tenant.clock.now();
    let graph = tenant.learned.graph().await.map_err(failure)?;
    match command {
        GraphCommand::Recommend { products, customer, limit, language } => {
            for product in &products {
                known(app, product)?;
            }
            let language = Language::parse(&language).map_err(failure)?;
            let history = match &customer {
                Some(customer) => tenant.owned_by(customer).await.map_err(failure)?,
                None => Vec::new(),
            };
            let live = Shop { catalog: &tenant.catalog, language: &language, now };
            let request = Request {
                basket: &products,
                exclude: &[],
                history: &history,
                favourites: &[],
                k: limit.clamp(1, 20),
                language: &language,
                now,
                regulated: false,
                price_band: None,
            };
            let found = graph.recommend(&request, &live);
            let json: Vec<_> = found
                .iter()
                .map(|r| serde_json::json!({ "product": r.product, "title": live.title(&r.product), "because": r.reason, "path": compact(&r.path), "score": r.score }))
                .collect();
            out.value(&json)?;
            for r in &found {
                let title = live.title(&r.product).unwrap_or_default();
                out.line(&format!("{}  {}", out.ink(Ink::Name, r.product.as_str()), out.ink(Ink::Bold, &title)));
                out.line(&format!("         {}\n         {}", r.reason, out.ink(Ink::Dim, &compact(&r.path))));
            }
            if found.is_empty() {
                out.line("Nothing fits: no relation leads to a product that is in stock and not owned.");
            }
            Ok(())
        }
        GraphCommand::Explain { from, to } => {
            known(app, &from)?;
            known(app, &to)?;
            let path = graph.explain(&NodeRef::Product(from.clone()), &NodeRef::Product(to.clone()), &Language::EN);
            out.value(&serde_json::json!({ "from": from, "to": to, "path": path.as_deref().map(compact) }))?;
            match path {
                Some(path) => {
                    out.line(&compact(&path));
                    for why in path.iter().filter_map(|step| step.why.as_deref()) {
                        out.line(&format!("  {why}"));
                    }
                }
                None => out.line("No path of three steps or fewer."),
            }
            Ok(())
        }
    }
}

fn known(app: &App, product: &ProductId) -> Result<(), Failure> {
    match app.tenant.catalog.get(product) {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!("there is no product `{product}`; see `mailwright catalog search`"))),
    }
}
