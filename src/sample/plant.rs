//! Writes a generated world to a store.

use kit::StoreError;

use super::SampleWorld;
use crate::store::ShopStore;

/// Rows in one commit.
const BATCH: usize = 500;

/// Writes the world in batches, telling `progress` rows done and rows in all after each. Customers come first and consents
/// before anything else about them. Writing the same world again changes nothing, so a broken-off run is simply repeated.
///
/// # Errors
/// [`StoreError`] of the first batch that could not be written; earlier batches stay, each whole.
pub async fn plant(
    world: SampleWorld,
    store: &ShopStore,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(), StoreError> {
    let SampleWorld { customers, phones, mut consents, sms_consents, orders, activity, tickets } = world;
    consents.extend(sms_consents);
    let total = customers.len() + phones.len() + consents.len() + orders.len() + activity.len() + tickets.len();
    let mut done = 0;
    let mut tell = |rows: usize| {
        done += rows;
        progress(done, total);
    };
    for batch in customers.chunks(BATCH) {
        store.put_customers(batch.to_vec()).await?;
        tell(batch.len());
    }
    for batch in phones.chunks(BATCH) {
        store.put_phones(batch.to_vec()).await?;
        tell(batch.len());
    }
    for batch in consents.chunks(BATCH) {
        store.add_consents(batch.to_vec()).await?;
        tell(batch.len());
    }
    for batch in orders.chunks(BATCH) {
        store.put_orders(batch.to_vec()).await?;
        tell(batch.len());
    }
    for batch in activity.chunks(BATCH) {
        store.add_activity(batch.to_vec()).await?;
        tell(batch.len());
    }
    for batch in tickets.chunks(BATCH) {
        store.put_tickets(batch.to_vec()).await?;
        tell(batch.len());
    }
    Ok(())
}
