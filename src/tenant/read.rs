//! What a shop is opened from, read from its tables: catalogue, graph, norms.

use catalog::Catalog;
use graph::{BuildError, Curated, GraphBuilder, GraphProduct, Interaction, ProductGraph};
use kit::{Currency, ShopId, Timestamp};
use offers::affinity::{Affinities, Bought, Prior};
use profile::{CustomerHistory, StoreNorms};

use super::TenantError;
use crate::release::Release;
use crate::store::{ProductRow, SoldOrder};
use crate::toolbox;

/// The catalogue of these rows.
pub(super) fn open_catalog(shop: &ShopId, rows: &[ProductRow]) -> Result<Catalog, TenantError> {
    let products = read_products(shop, rows)?;
    Catalog::in_memory(products).map_err(|e| TenantError::Catalog { shop: shop.clone(), why: e.to_string() })
}

/// The stored products with their price and stock of now.
pub(super) fn read_products(shop: &ShopId, rows: &[ProductRow]) -> Result<Vec<catalog::Product>, TenantError> {
    let fail = |why: String| TenantError::Catalog { shop: shop.clone(), why };
    let mut products = Vec::with_capacity(rows.len());
    for row in rows {
        let mut product: catalog::Product =
            serde_json::from_str(&row.body).map_err(|e| fail(format!("{}: {e}", row.id)))?;
        product.price = row.price;
        product.stock = row.stock;
        products.push(product);
    }
    Ok(products)
}

/// A product of another currency cannot be sold in this shop, and must not keep the others from being sold.
pub(super) fn leave_out_other_currencies(rows: &mut Vec<ProductRow>, currency: Currency) -> Vec<String> {
    let mut left_out = Vec::new();
    rows.retain(|row| {
        let fits = row.price.currency == currency;
        if !fits {
            let (id, found) = (&row.id, row.price.currency);
            left_out.push(format!("product {id} is priced in {found}, the shop sells in {currency}: import it again"));
        }
        fits
    });
    left_out
}

/// The curated files that fit the catalogue; the shop must open for the mending of the others.
pub(super) fn fitting(
    catalog: &Catalog,
    release: &Release,
    left_out: &mut Vec<String>,
) -> Result<Vec<Curated>, BuildError> {
    let mut curated = release.curated.clone();
    loop {
        let Err(error) = builder(&shelf(catalog), &curated).check() else { return Ok(curated) };
        let wrong: Vec<&str> = error.faults.iter().filter_map(graph::BuildFault::file).collect();
        let before = curated.len();
        curated.retain(|file| !wrong.contains(&file.file()));
        if curated.len() == before {
            return Err(error);
        }
        let faults = error.faults.iter().map(ToString::to_string);
        left_out.extend(faults.map(|fault| format!("{fault}; the relations of this file are not used until then")));
    }
}

/// The graph of these orders.
pub(super) fn build_graph(
    sold: &[SoldOrder],
    catalog: &Catalog,
    curated: &[Curated],
    now: Timestamp,
) -> Result<ProductGraph, BuildError> {
    let products = shelf(catalog);
    let position: std::collections::HashMap<String, u32> =
        products.iter().zip(0u32..).map(|(product, at)| (product.id.to_string(), at)).collect();
    let (mut customers, mut baskets) = (Numbers::default(), Numbers::default());
    let mut orders = Vec::with_capacity(sold.len());
    for order in sold {
        for line in order.lines.iter().filter(|line| !line.returned) {
            let Some(&product) = position.get(line.product.as_str()) else { continue };
            let (customer, basket) = (customers.of(&order.customer), baskets.of(&order.order));
            orders.push(Interaction { customer, product, basket, at: order.placed_at });
        }
    }
    builder(&products, curated).orders(orders).build(now)
}

fn shelf(catalog: &Catalog) -> Vec<GraphProduct> {
    catalog.products().map(|product| toolbox::graph_product(product)).collect()
}

/// A graph of these products and relations, still without orders.
pub(super) fn builder(products: &[GraphProduct], curated: &[Curated]) -> GraphBuilder {
    curated.iter().cloned().fold(GraphBuilder::new(products.iter().cloned()), GraphBuilder::curated)
}

/// Dense numbers for text ids.
#[derive(Default)]
struct Numbers<'a>(std::collections::HashMap<&'a str, u32>);

impl<'a> Numbers<'a> {
    fn of(&mut self, id: &'a str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(id).or_insert(next)
    }
}

/// How much everybody who has bought something buys at a discount.
pub(super) fn affinities(sold: &[SoldOrder], norms: &StoreNorms) -> Affinities {
    let mut customers: std::collections::BTreeMap<&str, Bought> = std::collections::BTreeMap::new();
    for order in sold {
        let bought = customers.entry(&order.customer).or_insert(Bought { orders: 0, discounted: 0 });
        bought.orders += 1;
        bought.discounted += u32::from(order.discounted);
    }
    let prior = Prior { discounted: norms.discount_alpha, full_price: norms.discount_beta };
    Affinities::of(prior, customers.into_values())
}

/// What is usual in the shop, from all of its orders.
pub(super) fn fit_norms(sold: &[SoldOrder]) -> StoreNorms {
    let mut histories: std::collections::BTreeMap<&str, CustomerHistory> = std::collections::BTreeMap::new();
    for order in sold {
        let history = histories.entry(&order.customer).or_default();
        history.placed_at.push(order.placed_at);
        history.discounted += u32::from(order.discounted);
        history.line_prices.extend(order.lines.iter().map(|line| line.price_minor));
    }
    let histories: Vec<CustomerHistory> = histories.into_values().collect();
    StoreNorms::fit(&histories)
}
