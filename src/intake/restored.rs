//! A backup that is older than an erasure brings people back. They are erased again before anything else happens.

use std::collections::BTreeMap;

use kit::{CustomerId, Digest, EventId, Timestamp};

use super::IntakeError;
use super::privacy::{Gone, address_digest, id_digest, shop_digest};
use crate::store::Tombstone;
use crate::tenant::Tenant;

/// Customers looked at together.
const PAGE: u32 = 500;

/// What erasing again came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct ErasedAgain {
    /// People.
    pub people: usize,
    /// Copies of messages to them.
    pub messages: usize,
    /// Previews and exports.
    pub files: usize,
    /// Messages that the provider cannot be asked to forget. It was asked, or a person saw to it, when they were erased first.
    pub left: usize,
}

impl Tenant {
    /// Erases whoever these tombstones name: digests noted after the backup was taken. Whoever is erased already is left as
    /// they are, so that it can be called again after a crash.
    ///
    /// # Errors
    /// When storage or the provider is not available; call it again.
    pub async fn erase_again(&self, stones: &[Tombstone]) -> Result<ErasedAgain, IntakeError> {
        let shop = self.store.id();
        let own: BTreeMap<&str, Timestamp> =
            stones.iter().filter(|stone| stone.shop == *shop).map(|stone| (stone.subject.as_str(), stone.at)).collect();
        for (subject, at) in &own {
            self.store.bury(vec![(*subject).to_owned()], *at, self.clock.now()).await?;
        }
        if let Some(at) = own.get(shop_digest(shop).as_str()) {
            let Gone { messages, files, left } = self.erase_shop_of(*at, &no_event()).await?;
            return Ok(ErasedAgain { people: 0, messages, files, left });
        }
        let mut done = ErasedAgain::default();
        let mut after: Option<CustomerId> = None;
        loop {
            let page = self.store.customers(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = Some(last.id.clone());
            for customer in page {
                let address = customer.email.as_ref().map(|email| address_digest(&email.digest(shop)));
                let by_id = own.get(id_digest(shop, &customer.id).as_str());
                let named = by_id.or_else(|| address.as_ref().and_then(|address| own.get(address.as_str())));
                if let Some(at) = named {
                    let addresses: Vec<String> = customer.email.iter().map(|email| email.normalised()).collect();
                    let gone = self.erase_people(&[customer.id], &addresses, *at, &no_event()).await?;
                    done = ErasedAgain {
                        people: done.people + 1,
                        messages: done.messages + gone.messages,
                        files: done.files + gone.files,
                        left: done.left + gone.left,
                    };
                }
            }
        }
    }
}

/// Nobody asks by an event here.
fn no_event() -> EventId {
    EventId::from_digest("none", &Digest::of_bytes(b""))
}
