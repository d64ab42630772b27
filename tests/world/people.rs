//! Customers: those a story is about, and bystanders whose data must never turn up anywhere.

use kit::message::{Channel, ConsentState};
use kit::person::Email;
use kit::{CustomerId, Language, OrderId, ProductId};
use mailwright::store::{Consent, Customer, Order, OrderLine};

use super::World;
use super::tongue::Dice;

/// A customer as a test describes one.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: CustomerId,
    pub(crate) email: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) language: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) vip: bool,
    pub(crate) tier: Option<&'static str>,
    pub(crate) consent: ConsentState,
}

impl World {
    /// Somebody who agreed to mail and reads English; change what matters, then let them [`World::join`].
    pub(crate) fn person(&self) -> Person {
        let number = self.number();
        let mut dice = Dice::of(u64::from(number) * 7919);
        let name = dice.word();
        Person {
            id: CustomerId::new(format!("P{number}")).unwrap(),
            email: Some(format!("{}.{number}@mailbox.example", name.to_lowercase())),
            first_name: Some(name),
            language: "en",
            zone: "Europe/Vienna",
            vip: false,
            tier: None,
            consent: ConsentState::Subscribed,
        }
    }

    pub(crate) async fn join(&self, person: Person) -> CustomerId {
        let since = self.now() - jiff::SignedDuration::from_hours(24 * 400);
        let customer = Customer {
            id: person.id.clone(),
            email: person.email.as_deref().map(|e| Email::parse(e).unwrap()),
            first_name: person.first_name.clone(),
            language: Language::parse(person.language).unwrap(),
            country: None,
            time_zone: person.zone.to_owned(),
            loyalty_tier: person.tier.map(str::to_owned),
            vip: person.vip,
            created_at: since,
            erased_at: None,
        };
        self.tenant.store.put_customers(vec![customer]).await.unwrap();
        if person.consent != ConsentState::None {
            self.consent(&person.id, Channel::Email, person.consent, since).await;
        }
        let id = person.id.clone();
        self.people.borrow_mut().push(person);
        id
    }

    /// Joins somebody with nothing special about them.
    pub(crate) async fn reader(&self) -> CustomerId {
        let person = self.person();
        self.join(person).await
    }

    pub(super) async fn bystanders(&self, seed: u64) {
        for number in 0..3 {
            let name = Dice::of(seed * 31 + number + 1).word();
            let mut person = self.person();
            person.first_name = Some(format!("{name}bystander"));
            person.email = Some(format!("{name}.bystander.{number}@elsewhere.example"));
            let id = self.join(person).await;
            let product = self.shelf.at(usize::try_from(number).unwrap(), 2).id.clone();
            self.bought(&id, &[product], 20 + i64::try_from(number).unwrap()).await;
        }
    }

    pub(crate) fn who(&self, id: &CustomerId) -> Person {
        self.people.borrow().iter().find(|p| p.id == *id).cloned().unwrap()
    }

    pub(crate) fn everybody_but(&self, id: &CustomerId) -> Vec<Person> {
        self.people.borrow().iter().filter(|p| p.id != *id).cloned().collect()
    }

    /// Writes a consent event as an import would.
    pub(crate) async fn consent(
        &self,
        customer: &CustomerId,
        channel: Channel,
        state: ConsentState,
        at: kit::Timestamp,
    ) {
        let row = Consent { channel, state, at, source: "test".to_owned(), wording: "v1".to_owned() };
        self.tenant.store.add_consents(vec![(customer.clone(), row)]).await.unwrap();
    }

    pub(crate) async fn suppress(&self, customer: &CustomerId) {
        let email = self.tenant.store.customer(customer).await.unwrap().unwrap().email.unwrap();
        self.tenant.store.suppress(Channel::Email, &email, "hard bounce", self.now()).await.unwrap();
    }

    /// An order of the past, known from an import.
    pub(crate) async fn bought(&self, customer: &CustomerId, products: &[ProductId], days_ago: i64) {
        self.history(customer, products, days_ago, false).await;
    }

    /// An order of the past whose goods all came back.
    pub(crate) async fn returned(&self, customer: &CustomerId, products: &[ProductId], days_ago: i64) {
        self.history(customer, products, days_ago, true).await;
    }

    async fn history(&self, customer: &CustomerId, products: &[ProductId], days_ago: i64, returned: bool) {
        let lines: Vec<OrderLine> = products
            .iter()
            .map(|id| {
                let product = self.shelf.product_of(id);
                OrderLine {
                    product: id.clone(),
                    category: product.category.clone(),
                    quantity: 1,
                    price: product.price,
                    returned,
                }
            })
            .collect();
        let total = lines.iter().map(|l| l.price.minor).sum();
        let placed_at = self.now() - jiff::SignedDuration::from_hours(24 * days_ago);
        let order = Order {
            id: OrderId::new(format!("H{}", self.number())).unwrap(),
            customer: customer.clone(),
            cart: None,
            placed_at,
            total: kit::Money::new(total, self.shelf.currency),
            discount: kit::Money::new(0, self.shelf.currency),
            cancelled_at: None,
            cancel_reason: None,
            fulfilled_at: Some(placed_at + jiff::SignedDuration::from_hours(48)),
            lines,
        };
        self.tenant.store.put_orders(vec![order]).await.unwrap();
    }
}
