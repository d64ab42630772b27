//! What happened, in words that hold for every platform.

use std::fmt;

/// What happened in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// A cart was made or changed.
    CartUpdated,
    /// The shop itself says that a cart was left.
    CartAbandoned,
    /// A checkout began.
    CheckoutStarted,
    /// A checkout changed: address, items, completion.
    CheckoutUpdated,
    /// An order was placed.
    OrderCreated,
    /// An order changed.
    OrderUpdated,
    /// An order was paid.
    OrderPaid,
    /// An order was cancelled.
    OrderCancelled,
    /// All of an order was sent.
    OrderFulfilled,
    /// Money was given back.
    RefundCreated,
    /// A parcel changed.
    FulfillmentUpdated,
    /// A customer was created.
    CustomerCreated,
    /// A customer changed.
    CustomerUpdated,
    /// Consent to marketing was given or taken back.
    ConsentUpdated,
    /// A product changed.
    ProductUpdated,
    /// A stock level changed.
    InventoryUpdated,
    /// A support ticket was opened.
    TicketOpened,
    /// A support ticket was closed.
    TicketClosed,
    /// A product page was looked at.
    ProductViewed,
    /// A product was put on a wishlist or taken off.
    WishlistUpdated,
    /// The shop removed the app: stop.
    AppUninstalled,
    /// A customer wants to know what is stored.
    DataRequested,
    /// A customer must be forgotten.
    CustomerErased,
    /// A shop must be forgotten.
    ShopErased,
}

impl Topic {
    /// Every topic.
    pub const ALL: &'static [Self] = &[
        Self::CartUpdated,
        Self::CartAbandoned,
        Self::CheckoutStarted,
        Self::CheckoutUpdated,
        Self::OrderCreated,
        Self::OrderUpdated,
        Self::OrderPaid,
        Self::OrderCancelled,
        Self::OrderFulfilled,
        Self::RefundCreated,
        Self::FulfillmentUpdated,
        Self::CustomerCreated,
        Self::CustomerUpdated,
        Self::ConsentUpdated,
        Self::ProductUpdated,
        Self::InventoryUpdated,
        Self::TicketOpened,
        Self::TicketClosed,
        Self::ProductViewed,
        Self::WishlistUpdated,
        Self::AppUninstalled,
        Self::DataRequested,
        Self::CustomerErased,
        Self::ShopErased,
    ];

    /// The name in tables and traces, the same for every platform.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CartUpdated => "cart.updated",
            Self::CartAbandoned => "cart.abandoned",
            Self::CheckoutStarted => "checkout.started",
            Self::CheckoutUpdated => "checkout.updated",
            Self::OrderCreated => "order.created",
            Self::OrderUpdated => "order.updated",
            Self::OrderPaid => "order.paid",
            Self::OrderCancelled => "order.cancelled",
            Self::OrderFulfilled => "order.fulfilled",
            Self::RefundCreated => "refund.created",
            Self::FulfillmentUpdated => "fulfillment.updated",
            Self::CustomerCreated => "customer.created",
            Self::CustomerUpdated => "customer.updated",
            Self::ConsentUpdated => "consent.updated",
            Self::ProductUpdated => "product.updated",
            Self::InventoryUpdated => "inventory.updated",
            Self::TicketOpened => "ticket.opened",
            Self::TicketClosed => "ticket.closed",
            Self::ProductViewed => "product.viewed",
            Self::WishlistUpdated => "wishlist.updated",
            Self::AppUninstalled => "app.uninstalled",
            Self::DataRequested => "data.requested",
            Self::CustomerErased => "customer.erased",
            Self::ShopErased => "shop.erased",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
