//! Three accounts that must agree: what the platform was told, what the ledger says, what the provider wrote down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use agent::Outcome;
use kit::message::SendState;
use mailwright::store::{InboxState, RunState, ShopStore};

use crate::Failure;
use crate::esp::{Counts, Taken};
use crate::life::End;
use crate::platform::Platform;
use crate::round::World;
use crate::shop::ALLOWED;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) faults: Vec<String>,
    /// Lives that ended by `kill -9`, at a failpoint, or by themselves in trouble.
    pub(crate) deaths: usize,
    pub(crate) killed: usize,
    pub(crate) alone: usize,
    pub(crate) hits: BTreeMap<&'static str, u32>,
    pub(crate) troubles: BTreeMap<&'static str, u64>,
    pub(crate) jumps: usize,
    pub(crate) in_flight: usize,
    pub(crate) webhooks: usize,
    pub(crate) parked: usize,
    pub(crate) answers: BTreeMap<String, u64>,
    pub(crate) carts: usize,
    pub(crate) runs: BTreeMap<String, u64>,
    pub(crate) campaign: BTreeMap<String, u32>,
    pub(crate) sends: BTreeMap<&'static str, u64>,
    pub(crate) taken: usize,
    pub(crate) provider: Counts,
    pub(crate) settled_in: Duration,
}

pub(crate) async fn judge(world: &World, quota: u32, settled_in: Duration) -> Result<Verdict, Failure> {
    let (platform, deaths) = (&world.platform, &world.deaths);
    let store = world.shop.open().await?;
    let own = store.shop(&world.shop.id);
    let taken = world.provider.taken();
    let mut verdict = Verdict {
        deaths: deaths.len(),
        killed: deaths.iter().filter(|died| matches!(died.end, End::Killed)).count(),
        hits: world.planner.hits().clone(),
        jumps: deaths.iter().filter(|died| died.jumped).count(),
        in_flight: deaths.iter().flat_map(|died| &died.in_flight).collect::<BTreeSet<_>>().len(),
        webhooks: platform.webhooks(),
        answers: platform.answers.clone(),
        carts: platform.carts().len(),
        taken: taken.len(),
        provider: world.provider.counts(),
        settled_in,
        ..Verdict::default()
    };
    verdict.lives(world, quota);
    verdict.inbox(&own, platform).await?;
    verdict.runs(&own, platform).await?;
    verdict.campaigns(&own).await?;
    verdict.ledger(&own, platform, &taken).await?;
    if let Err(finding) = own.verify_audit(None).await? {
        verdict.fault(format!("the audit trail is not sound: {finding}"));
    }
    store.close().await;
    Ok(verdict)
}

impl Verdict {
    fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    /// Nobody but torture and trouble ends a life, every place was met, and the end came in time.
    fn lives(&mut self, world: &World, quota: u32) {
        for died in &world.deaths {
            if let Some(word) = died.trouble {
                *self.troubles.entry(word).or_default() += 1;
            }
            if let End::Alone(status) = &died.end {
                self.alone += 1;
                if died.trouble.is_none() {
                    self.fault(format!("the server ended by itself with {status}: {}", died.said));
                }
            }
        }
        for (place, hits) in self.hits.clone() {
            if hits < quota {
                self.fault(format!("{place} was met {hits} times, not {quota}"));
            }
        }
        if self.settled_in > ALLOWED {
            let took = self.settled_in.as_secs();
            self.fault(format!("not everything was at its end {took} s after the last start"));
        }
    }

    /// Every acknowledged webhook is in the inbox, once, and worked in or kept for a person.
    async fn inbox(&mut self, shop: &ShopStore, platform: &Platform) -> Result<(), Failure> {
        let rows = shop.inbox(None, 10_000_000).await?;
        if !platform.owes_nothing() {
            self.fault("webhooks are not acknowledged in the end".to_owned());
        }
        if platform.forged_taken > 0 {
            self.fault(format!("{} forged webhooks were taken", platform.forged_taken));
        }
        if rows.len() != platform.webhooks() {
            self.fault(format!("{} webhooks were acknowledged, {} are stored", platform.webhooks(), rows.len()));
        }
        self.parked = rows.iter().filter(|row| row.state == InboxState::Parked).count();
        if self.parked != platform.for_a_person() {
            self.fault(format!("{} events are parked, not {}", self.parked, platform.for_a_person()));
        }
        for row in rows.iter().filter(|row| row.state == InboxState::Received) {
            self.fault(format!("event {} is not worked in: {}", row.id, row.note.as_deref().unwrap_or_default()));
        }
        Ok(())
    }

    /// Everybody of a campaign has an end.
    async fn campaigns(&mut self, shop: &ShopStore) -> Result<(), Failure> {
        for campaign in shop.campaigns(10).await? {
            for ((state, reason), count) in shop.recipient_counts(&campaign.id).await? {
                if state == "pending" {
                    self.fault(format!("{count} people of a campaign still wait: {reason}"));
                }
                let end = if reason.is_empty() { state } else { format!("{state}: {reason}") };
                *self.campaign.entry(end).or_default() += count;
            }
        }
        Ok(())
    }

    /// Every cart has one run, and the run has an end.
    async fn runs(&mut self, shop: &ShopStore, platform: &Platform) -> Result<(), Failure> {
        let mut of: BTreeMap<String, u32> = BTreeMap::new();
        for run in shop.runs(10_000_000).await? {
            *of.entry(run.customer.to_string()).or_default() += 1;
            let outcome: Option<Outcome> = run.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let end = match (run.state, outcome) {
                (RunState::Done, Some(Outcome::Delivered { state })) => format!("delivered: {}", state.as_str()),
                (RunState::Done, Some(Outcome::Written { .. })) => "a class of the campaign written".to_owned(),
                (RunState::Done, Some(Outcome::NoSend(reason))) => format!("no message: {}", reason.code),
                (RunState::Done, Some(Outcome::Held { hold })) => format!("held for good: {}", hold.code()),
                (RunState::Parked, _) => format!("parked: {}", run.wait_for.unwrap_or_default()),
                (state, _) => {
                    let waits = run.wait_for.unwrap_or_default();
                    self.fault(format!("run {} has no end: {} {waits}", run.id, state.as_str()));
                    continue;
                }
            };
            *self.runs.entry(end).or_default() += 1;
        }
        for cart in platform.carts() {
            let runs = of.get(&cart.customer).copied().unwrap_or(0);
            // An order that overtook its cart leaves nothing to begin.
            if runs > 1 || (runs == 0 && cart.ordered_in.is_none()) {
                self.fault(format!("{} has {runs} runs", cart.customer));
            }
        }
        Ok(())
    }

    /// Nothing twice, nothing lost, nothing unknown without a cause, nothing after an order.
    async fn ledger(&mut self, shop: &ShopStore, platform: &Platform, taken: &[Taken]) -> Result<(), Failure> {
        let mut times: BTreeMap<&str, u32> = BTreeMap::new();
        let mut letters: BTreeMap<&str, u32> = BTreeMap::new();
        for one in taken {
            *times.entry(&one.key).or_default() += 1;
            *letters.entry(&one.to).or_default() += 1;
        }
        for (key, count) in times.iter().filter(|(_, count)| **count > 1) {
            self.fault(format!("duplicate: the provider took {key} {count} times"));
        }
        for (to, count) in letters.iter().filter(|(_, count)| **count > 1) {
            self.fault(format!("duplicate: {count} messages to {to}"));
        }
        let mut known = BTreeSet::new();
        for row in shop.sends(10_000_000).await? {
            *self.sends.entry(row.state.as_str()).or_default() += 1;
            let has_it = times.contains_key(row.key.as_str());
            match &row.state {
                SendState::Sent { .. } if !has_it => {
                    self.fault(format!("lost: {} is sent, the provider has it not", row.key))
                }
                SendState::Refused { why } if has_it => {
                    self.fault(format!("{} is refused ({why}), the provider has it", row.key))
                }
                SendState::Reserved => self.fault(format!("{} is still reserved", row.key)),
                SendState::Sent { .. } | SendState::Refused { .. } | SendState::Unknown { .. } => {}
            }
            known.insert(row.key);
        }
        for key in times.keys().filter(|key| !known.contains(**key)) {
            self.fault(format!("the provider took {key}, the ledger does not know it"));
        }
        let unknown = self.sends.get("unknown").copied().unwrap_or(0);
        let allowed = self.in_flight as u64 + self.provider.cut;
        if unknown > allowed {
            self.fault(format!("{unknown} outcomes are unknown, only {allowed} calls were cut or in flight at a kill"));
        }
        for cart in platform.carts() {
            let Some(ordered) = cart.ordered_in else { continue };
            if let Some(late) = taken.iter().find(|one| one.to == cart.email && one.life > ordered) {
                self.fault(format!(
                    "{} ordered in life {ordered}, its mail was taken in life {}",
                    cart.customer, late.life
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }
}
