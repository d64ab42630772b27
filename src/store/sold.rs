//! What was sold, all of it, in one reading: what the graph and the shop's norms are learned from at every start.

use kit::{StoreError, Timestamp};

use super::error::map;
use super::{ShopStore, corrupt, stamp};

/// An order that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldOrder {
    /// Its id.
    pub order: String,
    /// Whose.
    pub customer: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// True when it was given a discount.
    pub discounted: bool,
    /// Its lines, in their order.
    pub lines: Vec<SoldLine>,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldLine {
    /// What.
    pub product: String,
    /// The price of one, in minor units.
    pub price_minor: i64,
    /// True when it came back.
    pub returned: bool,
}

impl ShopStore {
    /// Every order that stands, oldest first; cancelled ones are left out.
    pub async fn sold(&self) -> Result<Vec<SoldOrder>, StoreError> {
        // One row an order, its lines in a text: a start waits for this, and a row costs more than what is in it. No id holds
        // a tab or a line break.
        let rows: Vec<(String, String, i64, i64, Option<String>)> = sqlx::query_as(
            "SELECT o.order_id, o.customer_id, o.placed_at, o.discount_minor, (
                 SELECT string_agg(l.product_id || $2 || CAST(l.price_minor AS TEXT) || $2 || CAST(l.returned AS TEXT), $3 ORDER BY l.line_no)
                 FROM order_lines l WHERE l.shop_id = o.shop_id AND l.order_id = o.order_id
             ) FROM orders o WHERE o.shop_id = $1 AND o.cancelled_at IS NULL ORDER BY o.placed_at, o.order_id",
        )
        .bind(self.shop.as_str())
        .bind("\t")
        .bind("\n")
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        rows.into_iter()
            .map(|(order, customer, at, discount, lines)| {
                let lines = lines.iter().flat_map(|lines| lines.lines()).map(line).collect::<Result<_, _>>()?;
                Ok(SoldOrder { order, customer, placed_at: stamp(at, "order")?, discounted: discount > 0, lines })
            })
            .collect()
    }
}

fn line(text: &str) -> Result<SoldLine, StoreError> {
    let mut fields = text.split('\t');
    let (Some(product), Some(price), Some(returned), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(corrupt("order line", "it has not three fields"));
    };
    let price_minor = price.parse().map_err(|e| corrupt("order line", e))?;
    Ok(SoldLine { product: product.to_owned(), price_minor, returned: returned != "0" })
}
