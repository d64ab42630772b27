//! Three accounts that must agree: what the platform was told, what the ledger says, what the provider wrote down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use agent::Outcome;
use kit::message::SendState;
use mailwright::store::{InboxState, RunState};
use serde_json::json;

use crate::Failure;
use crate::esp::{Counts, Provider};
use crate::life::{Death, Died};
use crate::platform::Platform;
use crate::shop::{Settled, Shop};

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    faults: Vec<String>,
    kills: usize,
    hits: BTreeMap<&'static str, u64>,
    in_flight: usize,
    webhooks: usize,
    acknowledged: u64,
    refused: u64,
    carts: usize,
    runs: BTreeMap<String, u64>,
    sends: BTreeMap<&'static str, u64>,
    taken: usize,
    provider: Counts,
    settled_lives: u32,
    settled_in: Duration,
}

pub(crate) async fn judge(
    shop: &Shop,
    platform: &Platform,
    provider: &Provider,
    deaths: &[Died],
    settled: Settled,
) -> Result<Verdict, Failure> {
    let store = shop.open().await?;
    let own = store.shop(&shop.id);
    let taken = provider.taken();
    let mut verdict = Verdict {
        kills: deaths.len(),
        in_flight: deaths.iter().flat_map(|died| &died.in_flight).collect::<BTreeSet<_>>().len(),
        webhooks: platform.webhooks(),
        acknowledged: platform.acknowledged,
        refused: platform.refused,
        carts: platform.carts(),
        taken: taken.len(),
        provider: provider.counts(),
        settled_lives: settled.lives,
        settled_in: settled.took,
        ..Verdict::default()
    };
    for place in Death::places() {
        verdict.hits.insert(place, deaths.iter().filter(|died| died.at == Some(*place)).count() as u64);
    }
    verdict.inbox(&own, platform).await?;
    verdict.runs(&own, platform).await?;
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

    /// Every acknowledged webhook is in the inbox, once, and worked in.
    async fn inbox(&mut self, shop: &mailwright::store::ShopStore, platform: &Platform) -> Result<(), Failure> {
        let rows = shop.inbox(None, 10_000_000).await?;
        if !platform.owes_nothing() {
            self.fault("webhooks are not acknowledged in the end".to_owned());
        }
        if rows.len() != platform.webhooks() {
            self.fault(format!("{} webhooks were acknowledged, {} are stored", platform.webhooks(), rows.len()));
        }
        for row in rows {
            if row.state != InboxState::Done {
                self.fault(format!("event {} is {:?}: {}", row.id, row.state, row.note.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Every cart has one run, and the run has an end.
    async fn runs(&mut self, shop: &mailwright::store::ShopStore, platform: &Platform) -> Result<(), Failure> {
        let mut of: BTreeMap<String, u32> = BTreeMap::new();
        for run in shop.runs(10_000_000).await? {
            *of.entry(run.customer.to_string()).or_default() += 1;
            let outcome: Option<Outcome> = run.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let end = match (run.state, outcome) {
                (RunState::Done, Some(Outcome::Delivered { state })) => format!("delivered: {}", state.as_str()),
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
        for cart in platform.all() {
            let runs = of.get(&cart.customer).copied().unwrap_or(0);
            // An order that overtook its cart leaves nothing to begin.
            if runs > 1 || (runs == 0 && cart.ordered_in.is_none()) {
                self.fault(format!("{} has {runs} runs", cart.customer));
            }
        }
        Ok(())
    }

    /// Nothing twice, nothing lost, nothing unknown without a cause, nothing after an order.
    async fn ledger(
        &mut self,
        shop: &mailwright::store::ShopStore,
        platform: &Platform,
        taken: &[crate::esp::Taken],
    ) -> Result<(), Failure> {
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
        for cart in platform.all() {
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

    pub(crate) fn print(&self, took: Duration) {
        println!("\nkilled {} times; failpoints hit:", self.kills);
        for (place, hits) in &self.hits {
            println!("  {place:<20} {hits}");
        }
        println!(
            "webhooks {} ({} deliveries acknowledged, {} not), carts {}",
            self.webhooks, self.acknowledged, self.refused, self.carts
        );
        println!("runs:");
        for (end, count) in &self.runs {
            println!("  {count:>6} {end}");
        }
        println!("ledger {:?}; the provider took {}; in flight at kills {}", self.sends, self.taken, self.in_flight);
        println!("provider {:?}", self.provider);
        println!(
            "at rest after {} more lives, {:.1} s; {:.0} s in all",
            self.settled_lives,
            self.settled_in.as_secs_f64(),
            took.as_secs_f64()
        );
        for fault in self.faults.iter().take(40) {
            println!("FAULT {fault}");
        }
        let result = json!({
            "clean": self.is_clean(), "faults": self.faults.len(), "kills": self.kills, "failpoints": self.hits,
            "webhooks": self.webhooks, "acknowledged": self.acknowledged, "refused": self.refused, "carts": self.carts,
            "runs": self.runs, "sends": self.sends, "provider_took": self.taken, "provider_calls": self.provider.calls,
            "provider_answers": self.provider.answers, "cut": self.provider.cut, "in_flight_at_kills": self.in_flight,
            "settled_lives": self.settled_lives, "seconds": took.as_secs(),
        });
        println!("{result}");
    }
}
