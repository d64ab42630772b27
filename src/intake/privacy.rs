//! Requests about a person's data: told, or erased for good.
//!
//! An erasure is idempotent and may be cut off anywhere: first nobody of that name is taken in any more, then copies at
//! the provider go, then the rows. The event that asked for it stays unsettled until all of it is done.

use std::io::Write as _;
use std::path::PathBuf;

use kit::tool::NoSend;
use kit::{CustomerId, Digest, EventId, ShopId, StoreError, Timestamp};
use serde_json::{Value, json};
use shop::{Delivery, EventCustomer, ShopEvent, Source};

use super::IntakeError;
use super::apply::Applied;
use crate::runs::Signal;
use crate::store::ERASED;
use crate::tenant::Tenant;

/// Events read at a time.
const PAGE: u32 = 200;
/// The folder of what was put together for people.
pub(super) const EXPORTS: &str = "exports";

/// What an erasure came to, beside the rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gone {
    /// Copies of messages at the provider.
    pub(super) messages: usize,
    /// Previews and exports of the data folder.
    pub(super) files: usize,
    /// Messages that the provider cannot be asked to forget.
    pub(super) left: usize,
}

impl Tenant {
    /// True when this person was erased: their id for good, their address for what happened before.
    pub(super) async fn was_erased(&self, said: &EventCustomer, at: Timestamp) -> Result<bool, StoreError> {
        let shop = self.store.id();
        if let Some(id) = &said.id
            && self.store.buried(&id_digest(shop, id)).await?.is_some()
        {
            return Ok(true);
        }
        let Some(email) = &said.email else { return Ok(false) };
        let since = self.store.buried(&address_digest(&email.digest(shop))).await?;
        Ok(since.is_some_and(|since| at <= since))
    }

    /// Erases whoever the event names.
    pub(super) async fn erase_person(&self, event: &ShopEvent) -> Result<Applied, IntakeError> {
        let Some(said) = &event.customer else {
            return Ok(Applied { unfinished: Some("it does not say whom".to_owned()), ..Applied::default() });
        };
        let people = self.people_of(said).await?;
        let shop = self.store.id();
        let mut subjects: Vec<String> = people.iter().map(|id| id_digest(shop, id)).collect();
        let mut addresses: Vec<String> = said.email.iter().map(kit::person::Email::normalised).collect();
        for id in &people {
            if let Some(email) = self.store.customer(id).await?.and_then(|customer| customer.email) {
                subjects.push(address_digest(&email.digest(shop)));
                addresses.push(email.normalised());
            }
        }
        subjects.extend(said.email.iter().map(|email| address_digest(&email.digest(shop))));
        self.store.bury(subjects, event.triggered_at, self.clock.now()).await?;
        let gone = self.erase_people(&people, &addresses, event.triggered_at, &event.id).await?;
        Ok(self.erased("erased", gone))
    }

    /// Erases these people everywhere; the event that asks for it stays until it is settled.
    pub(super) async fn erase_people(
        &self,
        people: &[CustomerId],
        addresses: &[String],
        at: Timestamp,
        asked_by: &EventId,
    ) -> Result<Gone, IntakeError> {
        let mut all = Gone::default();
        for id in people {
            self.store.forget_customer(id, at).await?;
            for run in self.store.open_runs_of(id).await? {
                let reason =
                    NoSend { code: "erased".to_owned(), reason: "the person asked to be forgotten".to_owned() };
                self.send_signal(&run.id, &Signal::Cancel(reason)).await?;
            }
            let copies = self.erase_copies(Some(id)).await?;
            all = Gone { messages: all.messages + copies.messages, files: 0, left: all.left + copies.left };
        }
        all.files = self.erase_files(people, addresses).await?;
        self.empty_events_about(people, addresses, asked_by).await?;
        for id in people {
            let mut random = [0u8; 16];
            getrandom::fill(&mut random)
                .map_err(|e| StoreError::Unavailable(format!("the system gives no random numbers: {e}")))?;
            self.store.erase_customer(id, format!("erased-{}", hex::encode(random)), at).await?;
        }
        Ok(all)
    }

    /// Erases everything that the shop's customers left.
    pub(super) async fn erase_shop(&self, event: &ShopEvent) -> Result<Applied, IntakeError> {
        self.store.bury(vec![shop_digest(self.store.id())], event.triggered_at, self.clock.now()).await?;
        let gone = self.erase_shop_of(event.triggered_at, &event.id).await?;
        Ok(self.erased("the shop is erased", gone))
    }

    pub(super) async fn erase_shop_of(&self, at: Timestamp, asked_by: &EventId) -> Result<Gone, IntakeError> {
        let mut gone = self.erase_copies(None).await?;
        gone.files = self.erase_all_files().await?;
        self.store.erase_shop(asked_by, at).await?;
        Ok(gone)
    }

    fn erased(&self, what: &str, Gone { messages, files, left }: Gone) -> Applied {
        let beside = if files == 0 { String::new() } else { format!(" and {files} file(s)") };
        let note = format!("{what}, with {messages} message(s){beside}");
        if left == 0 {
            return Applied { note: Some(note), ..Applied::default() };
        }
        let name = self.delivery.esp.name();
        let what = format!("{note}; {name} cannot be asked to forget {left} more: have them erased there");
        Applied { unfinished: Some(what), ..Applied::default() }
    }

    /// Copies at the provider.
    async fn erase_copies(&self, of: Option<&CustomerId>) -> Result<Gone, StoreError> {
        let mut gone = Gone::default();
        for key in self.store.keys_of(of).await? {
            match self.delivery.esp.erase(key).await {
                Ok(true) => gone.messages += 1,
                Ok(false) => gone.left += 1,
                Err(error) => return Err(StoreError::Unavailable(error.to_string())),
            }
        }
        Ok(gone)
    }

    /// Everybody under the id or the address that an event names.
    async fn people_of(&self, said: &EventCustomer) -> Result<Vec<CustomerId>, StoreError> {
        let mut people: Vec<CustomerId> = said.id.iter().cloned().collect();
        let mut addresses: Vec<String> = said.email.iter().map(kit::person::Email::normalised).collect();
        if let Some(id) = &said.id
            && let Some(email) = self.store.customer(id).await?.and_then(|customer| customer.email)
        {
            addresses.push(email.normalised());
        }
        for address in addresses {
            people.extend(self.store.customers_at(&address).await?);
        }
        people.sort();
        people.dedup();
        Ok(people)
    }

    /// Events that were never worked in, or were about nobody then, are read once more.
    async fn empty_events_about(
        &self,
        people: &[CustomerId],
        addresses: &[String],
        asked_by: &EventId,
    ) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let page = self.store.unread_events(&after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.to_string();
            let about = page.iter().filter(|event| {
                event.id != *asked_by && self.is_about(&event.source, &event.topic, &event.body, people, addresses)
            });
            let ids: Vec<EventId> = about.map(|event| event.id.clone()).collect();
            if !ids.is_empty() {
                self.store.empty_events(ids, ERASED).await?;
            }
        }
    }

    fn is_about(&self, source: &str, topic: &str, body: &[u8], people: &[CustomerId], addresses: &[String]) -> bool {
        let read = source.parse::<Source>().ok().and_then(|source| {
            let delivery = Delivery {
                source,
                topic,
                body,
                event_id: None,
                triggered_at: None,
                received_at: Timestamp::UNIX_EPOCH,
            };
            shop::parse(&delivery, &self.shop_defaults()).ok()
        });
        let named = read.and_then(|event| event.customer).is_some_and(|customer| {
            customer.id.is_some_and(|id| people.contains(&id))
                || customer.email.is_some_and(|email| addresses.contains(&email.normalised()))
        });
        // What cannot be read may name the person all the same, and so may a field that we do not use.
        named || serde_json::from_slice::<Value>(body).is_ok_and(|value| mentions(&value, people, addresses))
    }

    /// Puts together what is stored about whoever the event names, in a file for the shop.
    pub(super) async fn tell_person(&self, event: &ShopEvent) -> Result<Applied, IntakeError> {
        let said = event.customer.clone().unwrap_or_default();
        let mut told = Vec::new();
        for id in self.people_of(&said).await? {
            let customer = self.store.customer(&id).await?;
            let orders = self.store.orders_of(&id).await?;
            let activity = self.store.activity_of(&id, Timestamp::UNIX_EPOCH).await?;
            let said = self.store.said_by(&id, Timestamp::UNIX_EPOCH).await?;
            told.push(json!({
                "customer": {
                    "id": id,
                    "email": customer.as_ref().and_then(|c| c.email.as_ref()).map(kit::person::Email::reveal),
                    "first_name": customer.as_ref().and_then(|c| c.first_name.as_deref()),
                    "language": customer.as_ref().map(|c| c.language.as_str()),
                    "country": customer.as_ref().and_then(|c| c.country.as_deref()),
                    "time_zone": customer.as_ref().map(|c| c.time_zone.as_str()),
                    "loyalty_tier": customer.as_ref().and_then(|c| c.loyalty_tier.as_deref()),
                    "vip": customer.as_ref().map(|c| c.vip),
                    "known_since": customer.as_ref().map(|c| c.created_at.to_string()),
                },
                "orders": orders.iter().map(|order| json!({
                    "id": order.id, "placed_at": order.placed_at.to_string(), "total": order.total.to_string(),
                    "cancelled_at": order.cancelled_at.map(|at| at.to_string()), "cancel_reason": order.cancel_reason,
                    "lines": order.lines.iter().map(|line| json!({
                        "product": line.product, "quantity": line.quantity, "price": line.price.to_string(), "returned": line.returned,
                    })).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
                "activity": activity.iter().map(|row| json!({
                    "at": row.at.to_string(), "kind": row.kind, "product": row.product, "category": row.category, "seconds": row.dwell_s,
                })).collect::<Vec<_>>(),
                "wrote_about": said,
                "rest": self.store.traces_of(&id).await?,
            }));
        }
        let file = self.write_export(event, &told)?;
        let note = format!("what is stored is in {}: hand it to the shop's owner", file.display());
        Ok(Applied { note: Some(note), ..Applied::default() })
    }

    fn write_export(&self, event: &ShopEvent, told: &[Value]) -> Result<PathBuf, StoreError> {
        let folder = self.store.store().dir().join(EXPORTS);
        let name = Digest::of_parts([self.store.id().as_str(), event.id.as_str()]).short();
        let file = folder.join(format!("data-request-{name}.json"));
        let failed = |e: std::io::Error| StoreError::Unwritable(format!("{}: {e}", file.display()));
        let mut make = std::fs::DirBuilder::new();
        make.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
        make.create(&folder).map_err(failed)?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text = serde_json::to_vec_pretty(&told)
            .map_err(|e| StoreError::Corrupt { what: "export".to_owned(), why: e.to_string() })?;
        let mut out = options.open(&file).map_err(failed)?;
        out.write_all(&text).and_then(|()| out.sync_all()).map_err(failed)?;
        Ok(file)
    }
}

/// True when a value is one of these ids or addresses, at any depth.
pub(super) fn mentions(value: &Value, people: &[CustomerId], addresses: &[String]) -> bool {
    match value {
        Value::String(text) => addresses.contains(&text.trim().to_lowercase()),
        Value::Array(values) => values.iter().any(|value| mentions(value, people, addresses)),
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            // A bare number may be anything; one that is called a customer's id is theirs.
            let id = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
            };
            (name == "customer_id" && people.iter().any(|person| person.as_str() == id))
                || mentions(value, people, addresses)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

pub(super) fn id_digest(shop: &ShopId, id: &CustomerId) -> String {
    Digest::of_parts([shop.as_str(), "erased id", id.as_str()]).to_string()
}

pub(super) fn address_digest(address: &Digest) -> String {
    Digest::of_parts(["erased address", &address.to_string()]).to_string()
}

/// The shop itself, among what is erased.
pub(super) fn shop_digest(shop: &ShopId) -> String {
    Digest::of_parts([shop.as_str(), "erased shop"]).to_string()
}
