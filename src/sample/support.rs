//! Tickets: three customers in a hundred had a question, a few wait for an answer now.

use kit::{CustomerId, TicketId, Timestamp};

use super::SampleError;
use super::calendar::{earlier, later};
use super::purchase::Purchase;
use super::rng::Rng;
use crate::store::Ticket;

/// Buyers with a ticket: with a quarter of customers who never buy, 3 % of all.
const ASKED: u32 = 40_000;
/// How many of these wait now besides those whose answer is still to come: together about 25 of 2,400 customers.
const OPEN: u32 = 320_000;
const DAY: u32 = 24 * 3_600;

/// A ticket before it has its number.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) customer: CustomerId,
    pub(super) opened_at: Timestamp,
    pub(super) closed_at: Option<Timestamp>,
}

/// Whether this customer asked something, and when: after a parcel came, or lately.
pub(super) fn question(rng: &mut Rng, now: Timestamp, purchases: &[Purchase]) -> Result<Option<Question>, SampleError> {
    if purchases.is_empty() || !rng.chance(ASKED) {
        return Ok(None);
    }
    let Some(purchase) = rng.pick(purchases) else { return Ok(None) };
    let customer = purchase.customer.clone();
    let since_parcel = later(purchase.fulfilled_at.unwrap_or(purchase.placed_at), rng.between(DAY / 4, 9 * DAY))?;
    let answered = later(since_parcel, rng.between(DAY / 6, 6 * DAY))?;
    if rng.chance(OPEN) || answered > now {
        let opened_at = earlier(now, rng.between(3_600, 9 * DAY))?.max(purchase.placed_at);
        return Ok(Some(Question { customer, opened_at, closed_at: None }));
    }
    Ok(Some(Question { customer, opened_at: since_parcel, closed_at: Some(answered) }))
}

/// Numbers tickets in the order in which they were opened.
pub(super) fn number(mut questions: Vec<Question>) -> Result<Vec<Ticket>, SampleError> {
    questions.sort_by(|a, b| (a.opened_at, &a.customer).cmp(&(b.opened_at, &b.customer)));
    let ticket = |(index, question): (usize, Question)| {
        let Question { customer, opened_at, closed_at } = question;
        Ok(Ticket { id: TicketId::new(format!("TK-{:05}", index + 1))?, customer, opened_at, closed_at })
    };
    questions.into_iter().enumerate().map(ticket).collect()
}
