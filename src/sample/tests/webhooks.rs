//! The cast's webhooks tell what the generated world tells.

use kit::ShopId;
use shop::{Cart, Delivery, EventBody, LineItem, ShopDefaults, ShopEvent, Source};

use super::*;

fn event(source: Source, topic: &str, file: &str) -> ShopEvent {
    let body = read(&format!("webhooks/{file}.json"));
    let delivery =
        Delivery { source, topic, body: body.as_bytes(), event_id: None, triggered_at: None, received_at: SAMPLE_NOW };
    let defaults = ShopDefaults { shop: ShopId::new("tarn-and-trail").unwrap(), currency: Currency::EUR };
    let event = shop::parse(&delivery, &defaults).unwrap_or_else(|e| panic!("{file}: {e}"));
    assert!(
        event.triggered_at <= SAMPLE_NOW && SAMPLE_NOW.duration_since(event.triggered_at).as_hours() < 4 * 24,
        "{file}"
    );
    event
}

/// The lines are the member's products, with the catalogue's titles and prices, and the address is the member's.
fn told(event: &ShopEvent, who: &CastMember, items: &[LineItem]) {
    assert_eq!(event.customer.as_ref().and_then(|customer| customer.email.as_ref()), Some(&who.email));
    let ours = |line: &LineItem| match event.source {
        Source::Shopify => line.sku.clone().unwrap(),
        _ => line.product.as_ref().unwrap().to_string(),
    };
    assert_eq!(
        items.iter().map(ours).collect::<Vec<_>>(),
        who.products.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    for line in items {
        let product = &PRODUCTS[&ours(line)];
        assert_eq!(product["title"].as_str(), Some(line.title.raw()));
        assert_eq!(product["price"].as_str(), Some(line.price.decimal().as_str()));
    }
}

fn cart(event: &ShopEvent) -> &Cart {
    match &event.body {
        EventBody::Cart(cart) => cart,
        other => panic!("{other:?}"),
    }
}

fn order(event: &ShopEvent) -> &shop::Order {
    match &event.body {
        EventBody::Order(order) => order,
        other => panic!("{other:?}"),
    }
}

#[test]
fn carts_and_checkouts_are_the_casts() {
    let cast = cast(&CATALOGUE).unwrap();
    let (shopify, generic) = (Source::Shopify, Source::Generic);
    for (source, topic, file, who) in [
        (shopify, "checkouts/update", "shopify-checkouts-update-ada", &cast.ada),
        (shopify, "checkouts/update", "shopify-checkouts-update-vip", &cast.vip),
        (generic, "cart.updated", "generic-cart-updated-ticket", &cast.ticket),
        (generic, "cart.updated", "generic-cart-updated-optout", &cast.optout),
        (generic, "cart.updated", "generic-cart-updated-bought", &cast.bought),
    ] {
        let event = event(source, topic, file);
        told(&event, who, &cart(&event).items);
        assert!(cart(&event).recover_url.as_ref().unwrap().starts_with("https://www.tarnandtrail.example/"), "{file}");
    }
}

#[test]
fn the_order_ends_the_cart_that_was_left() {
    let cast = cast(&CATALOGUE).unwrap();
    let left = event(Source::Generic, "cart.updated", "generic-cart-updated-bought");
    let bought = event(Source::Shopify, "orders/create", "shopify-orders-create-bought");
    told(&bought, &cast.bought, &order(&bought).items);
    assert_eq!(order(&bought).cart.as_ref(), Some(&cart(&left).id));
    assert!(left.triggered_at < order(&bought).placed_at);
    assert!(WORLD.orders.iter().all(|known| known.id != order(&bought).id), "it comes by webhook only");
}

#[test]
fn orders_that_the_world_holds_are_the_same_in_their_webhooks() {
    let cast = cast(&CATALOGUE).unwrap();
    for (topic, file, who) in [
        ("orders/fulfilled", "shopify-orders-fulfilled-jonas", &cast.jonas),
        ("orders/cancelled", "shopify-orders-cancelled-lapsed", &cast.lapsed),
    ] {
        let event = event(Source::Shopify, topic, file);
        let told_order = order(&event);
        told(&event, who, &told_order.items);
        let known = WORLD.orders.iter().find(|known| known.id == told_order.id).unwrap();
        assert_eq!((known.placed_at, known.total), (told_order.placed_at, told_order.total), "{file}");
        assert_eq!(
            (known.fulfilled_at, known.cancelled_at),
            (told_order.fulfilled_at, told_order.cancelled_at),
            "{file}"
        );
        assert_eq!(known.cancel_reason.as_deref(), told_order.cancel_reason.map(shop::CancelReason::as_str), "{file}");
    }
}
