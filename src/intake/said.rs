//! What customers write beside carts, orders and tickets: kept as a gist, in closed words, and nowhere as text but in the event.

use kit::Digest;
use kit::fence::ThirdParty;
use kit::gist::Gist;
use shop::{EventBody, ShopEvent};

use super::IntakeError;
use crate::store::{Customer, NewGist, Wrote};
use crate::tenant::Tenant;

/// What somebody wrote in an event, and beside what.
pub(crate) struct Written<'a> {
    pub(crate) wrote: Wrote,
    /// What it stands beside.
    pub(crate) source: String,
    pub(crate) words: &'a ThirdParty,
}

impl Written<'_> {
    /// Tells one version of the words from another.
    pub(crate) fn digest(&self) -> Digest {
        digest_of(&self.source, self.words.raw())
    }
}

/// The digest that words are known by; `source` keeps equal words of two people apart.
pub(crate) fn digest_of(source: &str, words: &str) -> Digest {
    Digest::of_parts(["mailwright.gist/1", source, words])
}

/// What somebody wrote in this event, if anybody did.
pub(crate) fn written(event: &ShopEvent) -> Option<Written<'_>> {
    let (wrote, source, words) = match &event.body {
        EventBody::Cart(cart) => (Wrote::Note, format!("cart/{}", cart.id), &cart.note),
        EventBody::Order(order) => (Wrote::Note, format!("order/{}", order.id), &order.note),
        EventBody::Ticket(ticket) => (Wrote::Ticket, ticket.id.to_string(), &ticket.subject),
        EventBody::Refund(_)
        | EventBody::Fulfillment(_)
        | EventBody::Customer
        | EventBody::Consent(_)
        | EventBody::Unsubscribed(_)
        | EventBody::Product(_)
        | EventBody::Inventory(_)
        | EventBody::Shelf(_)
        | EventBody::View(_)
        | EventBody::Wish(_)
        | EventBody::AppUninstalled
        | EventBody::DataRequest(_)
        | EventBody::EraseCustomer(_)
        | EventBody::EraseShop => return None,
    };
    words.as_ref().map(|words| Written { wrote, source, words })
}

impl Tenant {
    /// Keeps what the customer's words in this event are about.
    pub(super) async fn note_said(&self, event: &ShopEvent, customer: Option<&Customer>) -> Result<(), IntakeError> {
        let customer = customer.filter(|customer| customer.erased_at.is_none());
        let (Some(written), Some(customer)) = (written(event), customer) else { return Ok(()) };
        let gist = NewGist {
            wrote: written.wrote,
            words: written.digest(),
            gist: Gist::by_code(written.words.raw()),
            source: written.source,
            customer: Some(customer.id.clone()),
            event: Some(event.id.clone()),
            at: event.triggered_at,
            read_by: None,
        };
        Ok(self.store.put_gists(vec![gist]).await?)
    }
}
