//! Telephone numbers and the consent to text messages: for some, after everything else, so that nobody's life changes.
//!
//! The numbers begin with +999, a country code that is given to nobody (ITU E.164): no one can be texted by mistake.

use std::collections::BTreeSet;

use kit::CustomerId;
use kit::message::{Channel, ConsentState};
use kit::phone::Phone;

use super::rng::Rng;
use super::{SampleError, SampleWorld};
use crate::store::{Consent, CustomerPhone};

/// Share of subscribers who gave a number, of those who agreed to text messages, and of these who took it back.
const NUMBER: u32 = 520_000;
const AGREED: u32 = 600_000;
const LEFT: u32 = 70_000;
/// The version of the words that they agreed to: a consent in writing, apart from that to mail (47 CFR 64.1200(f)(9)).
const WORDING: &str = "sms-2026-01";
/// Streams of these draws, apart from those that people are made from.
const STREAMS: u64 = 2_000_000_000;
/// Of the cast these have agreed.
const CAST: [&str; 3] = ["C-ADA", "C-JONAS", "C-VIP"];

/// Gives numbers and consents to people of the world who have agreed to mail.
pub(super) fn give(seed: u64, world: &mut SampleWorld) -> Result<(), SampleError> {
    let subscribed: BTreeSet<&CustomerId> =
        world.consents.iter().filter(|(_, c)| c.state == ConsentState::Subscribed).map(|(id, _)| id).collect();
    let (mut phones, mut consents) = (Vec::new(), Vec::new());
    for (customer, number) in world.customers.iter().zip(0_u64..) {
        let mut rng = Rng::stream(seed, STREAMS + number);
        let cast = CAST.contains(&customer.id.as_str());
        let (has_number, agreed, left) = (rng.chance(NUMBER), rng.chance(AGREED), rng.chance(LEFT));
        let gave_one = has_number && subscribed.contains(&customer.id);
        if !cast && !gave_one {
            continue;
        }
        let phone = Phone::parse(&format!("+999{number:08}"))?;
        phones.push(CustomerPhone { customer: customer.id.clone(), phone, region: None });
        let Some((_, mail)) = world.consents.iter().find(|(id, _)| *id == customer.id).filter(|_| cast || agreed)
        else {
            continue;
        };
        let sms = |state, at, source: &str| {
            let (source, wording) = (source.to_owned(), WORDING.to_owned());
            (customer.id.clone(), Consent { channel: Channel::Sms, state, at, source, wording })
        };
        consents.push(sms(ConsentState::Subscribed, mail.at, &mail.source));
        let gone = world.consents.iter().rfind(|(id, c)| *id == customer.id && c.state == ConsentState::Withdrawn);
        if let Some((_, mail)) = gone.filter(|_| left && !cast) {
            consents.push(sms(ConsentState::Withdrawn, mail.at, "reply STOP"));
        }
    }
    (world.phones, world.sms_consents) = (phones, consents);
    Ok(())
}
