//! Orders and first-party activity.

use kit::{CartId, CategoryId, Currency, CustomerId, Money, OrderId, ProductId, StoreError, Timestamp};

use super::error::map;
use super::{DbConnection, ShopStore, corrupt, micros, stamp};

/// An order as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Whose.
    pub customer: CustomerId,
    /// The cart it came from.
    pub cart: Option<CartId>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What was paid.
    pub total: Money,
    /// What was taken off.
    pub discount: Money,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Why, as the platform says.
    pub cancel_reason: Option<String>,
    /// When it was fulfilled.
    pub fulfilled_at: Option<Timestamp>,
    /// What was bought.
    pub lines: Vec<OrderLine>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// The product.
    pub product: ProductId,
    /// Its category at the time.
    pub category: CategoryId,
    /// Units.
    pub quantity: u32,
    /// Price of one unit.
    pub price: Money,
    /// Sent back.
    pub returned: bool,
}

/// A first-party event: a view, a search, a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Whose.
    pub customer: CustomerId,
    /// When.
    pub at: Timestamp,
    /// `viewed`, `searched`, `cart`, `checkout`, `wishlist`.
    pub kind: String,
    /// Of what.
    pub product: Option<ProductId>,
    /// In which category.
    pub category: Option<CategoryId>,
    /// Seconds on the page.
    pub dwell_s: u32,
}

type ActivityTuple = (i64, String, Option<String>, Option<String>, i64);
pub(super) type OrderTuple =
    (String, String, Option<String>, i64, String, i64, i64, Option<i64>, Option<String>, Option<i64>);
pub(super) type LineTuple = (String, String, String, i64, i64, i64);

impl ShopStore {
    /// Inserts or updates orders with their lines, in one commit.
    pub async fn put_orders(&self, orders: Vec<Order>) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for order in &orders {
                    put_order(c, shop.as_str(), order).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Whose order it is.
    pub async fn customer_of_order(&self, order: &OrderId) -> Result<Option<CustomerId>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT customer_id FROM orders WHERE shop_id = $1 AND order_id = $2")
                .bind(self.shop.as_str())
                .bind(order.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(map)?;
        row.map(|(id,)| CustomerId::new(id).map_err(|e| corrupt("order", e))).transpose()
    }

    /// Marks lines of an order as sent back.
    pub async fn return_lines(&self, order: &OrderId, products: Vec<ProductId>) -> Result<(), StoreError> {
        let order = order.clone();
        self.write(move |c, shop| {
            Box::pin(async move {
                for product in &products {
                    sqlx::query(
                        "UPDATE order_lines SET returned = 1 WHERE shop_id = $1 AND order_id = $2 AND product_id = $3",
                    )
                    .bind(shop.as_str())
                    .bind(order.as_str())
                    .bind(product.as_str())
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// A customer's orders, oldest first.
    pub async fn orders_of(&self, customer: &CustomerId) -> Result<Vec<Order>, StoreError> {
        let heads: Vec<OrderTuple> = sqlx::query_as(
            "SELECT order_id, customer_id, cart_id, placed_at, currency, total_minor, discount_minor, cancelled_at, cancel_reason, fulfilled_at
             FROM orders WHERE shop_id = $1 AND customer_id = $2 ORDER BY placed_at, order_id",
        )
        .bind(self.shop.as_str()).bind(customer.as_str()).fetch_all(self.readers()).await.map_err(map)?;
        let lines: Vec<LineTuple> = sqlx::query_as(
            "SELECT l.order_id, l.product_id, l.category, l.quantity, l.price_minor, l.returned
             FROM order_lines l JOIN orders o ON o.shop_id = l.shop_id AND o.order_id = l.order_id
             WHERE o.shop_id = $1 AND o.customer_id = $2 ORDER BY l.order_id, l.line_no",
        )
        .bind(self.shop.as_str())
        .bind(customer.as_str())
        .fetch_all(self.readers())
        .await
        .map_err(map)?;
        let mut by_order = std::collections::HashMap::<String, Vec<LineTuple>>::new();
        for line in lines {
            by_order.entry(line.0.clone()).or_default().push(line);
        }
        heads
            .into_iter()
            .map(|head| {
                let lines = by_order.remove(&head.0).unwrap_or_default();
                order(head, lines)
            })
            .collect()
    }

    /// The first order placed after a time and not cancelled.
    pub async fn bought_since(&self, customer: &CustomerId, since: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(BOUGHT_SINCE)
            .bind(self.shop.as_str())
            .bind(customer.as_str())
            .bind(micros(since))
            .fetch_optional(self.readers())
            .await
            .map_err(map)?;
        row.map(|(at,)| stamp(at, "order")).transpose()
    }

    /// Appends activity.
    pub async fn add_activity(&self, activity: Vec<Activity>) -> Result<(), StoreError> {
        self.write(move |c, shop| {
            Box::pin(async move {
                for (seq, event) in activity.iter().enumerate() {
                    sqlx::query(
                        "INSERT INTO activity (shop_id, customer_id, at, seq, kind, product_id, category, dwell_s)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                    )
                    .bind(shop.as_str())
                    .bind(event.customer.as_str())
                    .bind(micros(event.at))
                    .bind(i64::try_from(seq).unwrap_or(0))
                    .bind(&event.kind)
                    .bind(event.product.as_ref().map(ProductId::as_str))
                    .bind(event.category.as_ref().map(CategoryId::as_str))
                    .bind(i64::from(event.dwell_s))
                    .execute(&mut *c)
                    .await
                    .map_err(map)?;
                }
                Ok(())
            })
        })
        .await
    }

    /// A customer's activity since a time, oldest first.
    pub async fn activity_of(&self, customer: &CustomerId, since: Timestamp) -> Result<Vec<Activity>, StoreError> {
        let rows: Vec<ActivityTuple> = sqlx::query_as(
            "SELECT at, kind, product_id, category, dwell_s FROM activity WHERE shop_id = $1 AND customer_id = $2 AND at >= $3 ORDER BY at, seq",
        )
        .bind(self.shop.as_str()).bind(customer.as_str()).bind(micros(since)).fetch_all(self.readers()).await.map_err(map)?;
        rows.into_iter()
            .map(|(at, kind, product, category, dwell_s)| {
                Ok(Activity {
                    customer: customer.clone(),
                    at: stamp(at, "activity")?,
                    kind,
                    product: product.map(ProductId::new).transpose().map_err(|e| corrupt("activity", e))?,
                    category: category.map(CategoryId::new).transpose().map_err(|e| corrupt("activity", e))?,
                    dwell_s: u32::try_from(dwell_s).unwrap_or(0),
                })
            })
            .collect()
    }
}

pub(super) const BOUGHT_SINCE: &str = "SELECT placed_at FROM orders WHERE shop_id = $1 AND customer_id = $2 AND placed_at > $3 AND cancelled_at IS NULL ORDER BY placed_at LIMIT 1";

impl ShopStore {
    /// True when an order of this very cart stands, whenever it was placed: an update of the cart may come after it.
    pub async fn cart_was_ordered(&self, customer: &CustomerId, cart: &str) -> Result<bool, StoreError> {
        let row: Option<(String,)> = sqlx::query_as(
            "SELECT order_id FROM orders WHERE shop_id = $1 AND customer_id = $2 AND cart_id = $3 AND cancelled_at IS NULL LIMIT 1",
        )
        .bind(self.shop.as_str())
        .bind(customer.as_str())
        .bind(cart)
        .fetch_optional(self.readers())
        .await
        .map_err(map)?;
        Ok(row.is_some())
    }
}

pub(super) async fn put_order(c: &mut DbConnection, shop: &str, order: &Order) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO orders (shop_id, order_id, customer_id, cart_id, placed_at, currency, total_minor, discount_minor, cancelled_at, cancel_reason, fulfilled_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (shop_id, order_id) DO UPDATE SET total_minor = excluded.total_minor, discount_minor = excluded.discount_minor,
            cancelled_at = COALESCE(excluded.cancelled_at, orders.cancelled_at), cancel_reason = COALESCE(excluded.cancel_reason, orders.cancel_reason),
            fulfilled_at = COALESCE(excluded.fulfilled_at, orders.fulfilled_at)",
    )
    .bind(shop).bind(order.id.as_str()).bind(order.customer.as_str()).bind(order.cart.as_ref().map(CartId::as_str))
    .bind(micros(order.placed_at)).bind(order.total.currency.as_str()).bind(order.total.minor).bind(order.discount.minor)
    .bind(order.cancelled_at.map(micros)).bind(&order.cancel_reason).bind(order.fulfilled_at.map(micros))
    .execute(&mut *c).await.map_err(map)?;
    for (line_no, line) in order.lines.iter().enumerate() {
        sqlx::query(
            "INSERT INTO order_lines (shop_id, order_id, line_no, product_id, category, quantity, price_minor, returned)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (shop_id, order_id, line_no) DO UPDATE SET returned = CASE WHEN order_lines.returned = 1 THEN 1 ELSE excluded.returned END, quantity = excluded.quantity",
        )
        .bind(shop).bind(order.id.as_str()).bind(i64::try_from(line_no).unwrap_or(0)).bind(line.product.as_str())
        .bind(line.category.as_str()).bind(i64::from(line.quantity)).bind(line.price.minor).bind(i64::from(line.returned))
        .execute(&mut *c).await.map_err(map)?;
    }
    Ok(())
}

pub(super) fn order(head: OrderTuple, lines: Vec<LineTuple>) -> Result<Order, StoreError> {
    let (id, customer, cart, placed_at, currency, total, discount, cancelled_at, cancel_reason, fulfilled_at) = head;
    let bad = |e: kit::InvalidId| corrupt("order", e);
    let currency = Currency::parse(&currency).map_err(|e| corrupt("order", e))?;
    let lines = lines
        .into_iter()
        .map(|(_, product, category, quantity, price, returned)| {
            Ok(OrderLine {
                product: ProductId::new(product).map_err(bad)?,
                category: CategoryId::new(category).map_err(bad)?,
                quantity: u32::try_from(quantity).map_err(|e| corrupt("order line", e))?,
                price: Money::new(price, currency),
                returned: returned != 0,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(Order {
        id: OrderId::new(id).map_err(bad)?,
        customer: CustomerId::new(customer).map_err(bad)?,
        cart: cart.map(CartId::new).transpose().map_err(bad)?,
        placed_at: stamp(placed_at, "order")?,
        total: Money::new(total, currency),
        discount: Money::new(discount, currency),
        cancelled_at: cancelled_at.map(|at| stamp(at, "order")).transpose()?,
        cancel_reason,
        fulfilled_at: fulfilled_at.map(|at| stamp(at, "order")).transpose()?,
        lines,
    })
}
