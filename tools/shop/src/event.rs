//! The one event that every platform's webhook becomes.

use std::fmt;

use jiff::Timestamp;
use kit::fence::ThirdParty;
use kit::message::{Channel, ConsentState};
use kit::person::Email;
use kit::{CartId, CategoryId, CustomerId, EventId, Language, Money, OrderId, ProductId, TicketId};

use crate::Source;
use crate::topic::Topic;

/// One event of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopEvent {
    /// The sender's id, or a digest of shop, source, topic and body: the same for a repeat of the same event.
    pub id: EventId,
    /// Which platform spoke.
    pub source: Source,
    /// What happened.
    pub topic: Topic,
    /// When it happened.
    pub triggered_at: Timestamp,
    /// Whom it is about, as far as the body tells.
    pub customer: Option<EventCustomer>,
    /// The details.
    pub body: EventBody,
}

/// What a body tells about a customer. `None` is "not told", never "no".
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EventCustomer {
    /// The platform's id; absent for guests, who are found by address.
    pub id: Option<CustomerId>,
    /// The address.
    pub email: Option<Email>,
    /// As the customer typed it; goes through [`kit::person::MergeName`] before it is printed.
    pub first_name: Option<String>,
    /// The language of the checkout or account.
    pub language: Option<Language>,
    /// Two letters, upper case (ISO 3166-1).
    pub country: Option<String>,
    /// An IANA name such as `Europe/Dublin`, as sent.
    pub time_zone: Option<String>,
    /// What the box at the checkout says. A hint: consent is [`Consent`].
    pub accepts_email_marketing: Option<bool>,
    /// The shop's own tier, such as `gold`.
    pub loyalty_tier: Option<String>,
    /// Orders so far, as the shop counts.
    pub total_orders: Option<u32>,
    /// The shop's tags, such as `vip`.
    pub tags: Vec<String>,
}

impl fmt::Debug for EventCustomer {
    // Names stay out of logs; addresses mask themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventCustomer")
            .field("id", &self.id)
            .field("email", &self.email)
            .field("first_name", &self.first_name.as_ref().map(|_| "…"))
            .field("language", &self.language)
            .field("country", &self.country)
            .field("time_zone", &self.time_zone)
            .field("accepts_email_marketing", &self.accepts_email_marketing)
            .field("loyalty_tier", &self.loyalty_tier)
            .field("total_orders", &self.total_orders)
            .field("tags", &self.tags)
            .finish()
    }
}

/// The details of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventBody {
    /// A cart or checkout.
    Cart(Cart),
    /// An order.
    Order(Order),
    /// A refund.
    Refund(Refund),
    /// A parcel.
    Fulfillment(Fulfillment),
    /// A customer; everything known stands in [`ShopEvent::customer`].
    Customer,
    /// Consent.
    Consent(Consent),
    /// A subscription is gone; the platform names it and nobody.
    Unsubscribed(String),
    /// A product in full.
    Product(Product),
    /// Price and stock of a product, without its words.
    Shelf(Shelf),
    /// A stock level.
    Inventory(Inventory),
    /// A support ticket.
    Ticket(Ticket),
    /// A look at a product page.
    View(View),
    /// A product put on a wishlist, or taken off.
    Wish(Wish),
    /// The app was removed.
    AppUninstalled,
    /// A customer asks for their data; the orders meant.
    DataRequest(Vec<OrderId>),
    /// A customer must be forgotten; the orders meant.
    EraseCustomer(Vec<OrderId>),
    /// The shop must be forgotten.
    EraseShop,
}

impl EventBody {
    /// Products the event is about, the most valuable line first, each once. Lines without a catalogue product are left out.
    pub fn products(&self) -> Vec<ProductId> {
        let mut lines: Vec<(Option<&ProductId>, i64)> = match self {
            Self::Cart(Cart { items, .. }) | Self::Order(Order { items, .. }) => {
                items.iter().map(|line| (line.product.as_ref(), line.value())).collect()
            }
            Self::Refund(refund) => refund.lines.iter().map(|line| (line.product.as_ref(), 0)).collect(),
            Self::View(view) => vec![(Some(&view.product), 0)],
            Self::Wish(wish) => vec![(Some(&wish.product), 0)],
            Self::Product(product) => vec![(Some(&product.id), 0)],
            Self::Shelf(shelf) => vec![(Some(&shelf.product), 0)],
            Self::Fulfillment(_)
            | Self::Customer
            | Self::Consent(_)
            | Self::Unsubscribed(_)
            | Self::Inventory(_)
            | Self::Ticket(_)
            | Self::AppUninstalled
            | Self::DataRequest(_)
            | Self::EraseCustomer(_)
            | Self::EraseShop => Vec::new(),
        };
        lines.sort_by_key(|(_, value)| std::cmp::Reverse(*value));
        let mut products: Vec<ProductId> = Vec::new();
        for product in lines.into_iter().filter_map(|(product, _)| product) {
            if !products.contains(product) {
                products.push(product.clone());
            }
        }
        products
    }
}

/// One line of a cart or order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineItem {
    /// The catalogue product; absent for custom lines such as a protection plan.
    pub product: Option<ProductId>,
    /// The platform's variant id.
    pub variant: Option<String>,
    /// The platform's stock-keeping unit.
    pub sku: Option<String>,
    /// The name as the platform shows it.
    pub title: ThirdParty,
    /// Price of one unit.
    pub price: Money,
    /// Units, at least 1.
    pub quantity: u32,
    /// The category, when the platform tells.
    pub category: Option<CategoryId>,
}

impl LineItem {
    /// Price times quantity in minor units, for ordering only.
    fn value(&self) -> i64 {
        self.price.minor.saturating_mul(i64::from(self.quantity))
    }
}

/// A cart or a checkout: one thing to us, since a checkout grows out of its cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// The cart's token; a checkout without a cart goes by its own. The order that ends it names the same one.
    pub id: CartId,
    /// What is in it; empty when it was emptied.
    pub items: Vec<LineItem>,
    /// The value of the items after discounts, before shipping and tax.
    pub total: Money,
    /// When the shop says that it was left.
    pub abandoned_at: Option<Timestamp>,
    /// When the checkout became an order.
    pub completed_at: Option<Timestamp>,
    /// The link back to it.
    pub recover_url: Option<String>,
    /// What the customer wrote.
    pub note: Option<ThirdParty>,
}

/// Why an order was cancelled, in Shopify's words, which other platforms' words are mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CancelReason {
    /// The customer did not want it any more.
    Customer,
    /// It was not in stock.
    Inventory,
    /// It looked like fraud.
    Fraud,
    /// The payment was declined.
    Declined,
    /// The shop's team made a mistake.
    Staff,
    /// Anything else, words we do not know included.
    Other,
}

impl CancelReason {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Inventory => "inventory",
            Self::Fraud => "fraud",
            Self::Declined => "declined",
            Self::Staff => "staff",
            Self::Other => "other",
        }
    }

    /// Reads a platform's word. Platforms add words without notice, so an unknown one is `Other`.
    pub fn read(word: &str) -> Self {
        match word {
            "customer" => Self::Customer,
            "inventory" => Self::Inventory,
            "fraud" => Self::Fraud,
            "declined" => Self::Declined,
            "staff" => Self::Staff,
            _ => Self::Other,
        }
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The cart or checkout it ended.
    pub cart: Option<CartId>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What was bought.
    pub items: Vec<LineItem>,
    /// What was to be paid, with shipping and tax.
    pub total: Money,
    /// What was taken off.
    pub discount: Money,
    /// Codes that were used.
    pub discount_codes: Vec<String>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Why it was cancelled.
    pub cancel_reason: Option<CancelReason>,
    /// When all of it was sent.
    pub fulfilled_at: Option<Timestamp>,
    /// Whether all of it was given back. Parts of an order come as a [`Refund`].
    pub refunded: bool,
    /// What the customer wrote.
    pub note: Option<ThirdParty>,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The order.
    pub order: OrderId,
    /// What came back.
    pub lines: Vec<RefundLine>,
    /// When.
    pub at: Timestamp,
}

/// One line of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundLine {
    /// The catalogue product.
    pub product: Option<ProductId>,
    /// Units.
    pub quantity: u32,
}

/// A parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulfillment {
    /// The order.
    pub order: OrderId,
    /// The platform's word: `pending`, `success`, `cancelled`.
    pub status: String,
    /// The carrier's word: `in_transit`, `delivered`.
    pub shipment_status: Option<String>,
    /// When it changed.
    pub at: Timestamp,
}

/// Consent given or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// For which channel.
    pub channel: Channel,
    /// What holds from now on.
    pub state: ConsentState,
    /// When the person said so; `None` when the platform does not tell.
    pub at: Option<Timestamp>,
    /// Where, such as `checkout` or `single_opt_in`.
    pub given_via: Option<String>,
    /// The words the person agreed to.
    pub wording: Option<String>,
    /// The platform's id of the subscription, where it tells no more than that when it is deleted.
    pub subscription: Option<String>,
}

/// A product that changed; the catalogue's importer reads the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The body as it came.
    pub json: String,
}

/// Price and stock of a product as its platform has them. Its words stay those of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The platform's id.
    pub product: ProductId,
    /// The platform's stock-keeping unit, by which the catalogue may go.
    pub sku: Option<String>,
    /// What it costs, when told.
    pub price: Option<Money>,
    /// Units that can be sold, when told; 0 when it is not on sale.
    pub stock: Option<i64>,
}

/// A product on a wishlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The product.
    pub product: ProductId,
    /// Put there, or taken off.
    pub added: bool,
}

/// A stock level. The platform names an inventory item, not a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The inventory item.
    pub item: String,
    /// The place.
    pub location: String,
    /// Units that can be sold; negative when oversold.
    pub available: i64,
}

/// A support ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Open from now on, or closed.
    pub open: bool,
    /// What the customer wrote as its title.
    pub subject: Option<ThirdParty>,
}

/// A look at a product page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The product.
    pub product: ProductId,
    /// Its category, when told.
    pub category: Option<CategoryId>,
    /// Seconds on the page; 0 when not told.
    pub dwell_s: u32,
}
