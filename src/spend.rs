//! Spend caps: what models may cost a run, a flow in a day, and a shop in a day.
//!
//! Before a model is asked, the most that the call may cost is reserved in every scope it counts in, in one transaction; so
//! runs side by side cannot pass a cap together. Afterwards what it did cost takes the place of the reservation. A call that
//! would pass a cap is not made: the run goes on with the next model that it can pay (the offline model costs nothing), or
//! is parked. A model whose price nobody knows is not asked where a cap holds. Days are days of UTC.

use std::collections::BTreeMap;

use agent::{ModelError, ModelReply, Quote};
use kit::{FlowId, RunId, StoreError, Timestamp};

use crate::config::SpendConfig;
use crate::store::{NewSpend, Reserved, ShopStore};

/// The most that models may cost, in millionths of a US dollar. `None`: no cap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caps {
    /// All calls of one run.
    pub run: Option<u64>,
    /// All calls of one flow in a day, for a flow without a cap of its own.
    pub flow_day: Option<u64>,
    /// All calls of a shop in a day.
    pub shop_day: Option<u64>,
    /// Caps of single flows for a day.
    pub flows: BTreeMap<String, u64>,
}

impl From<SpendConfig> for Caps {
    fn from(config: SpendConfig) -> Self {
        let SpendConfig { run_micros, flow_day_micros, shop_day_micros, flows } = config;
        Self { run: run_micros, flow_day: flow_day_micros, shop_day: shop_day_micros, flows }
    }
}

/// What has a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capped {
    /// A run.
    Run,
    /// A flow in a day.
    Flow,
    /// A shop in a day.
    Shop,
}

/// A call that must not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It might pass a cap.
    #[error("a call for at most {} would pass the spend cap of {}: {} of {} are used", dollars(*asked), of(*what), dollars(*used), dollars(*cap))]
    Cap {
        /// Of what.
        what: Capped,
        /// What the call may cost.
        asked: u64,
        /// What is used, open reservations among it.
        used: u64,
        /// The cap.
        cap: u64,
    },
    /// Nobody knows what it costs, and a cap holds.
    #[error(
        "a spend cap holds and the price of model profile `{profile}` is not known; give it input_micros_per_mtok and output_micros_per_mtok"
    )]
    Unpriced {
        /// The profile.
        profile: String,
    },
}

fn of(what: Capped) -> &'static str {
    match what {
        Capped::Run => "this run",
        Capped::Flow => "its flow for today",
        Capped::Shop => "the shop for today",
    }
}

/// Millionths of a US dollar, as people read them.
pub fn dollars(micros: u64) -> String {
    format!("${}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A shop's purse.
#[derive(Debug, Clone)]
pub struct Purse {
    store: ShopStore,
    caps: Caps,
}

/// What a run asks the purse for.
#[derive(Debug, Clone, Copy)]
pub struct Purchase<'a> {
    /// The run.
    pub run: &'a RunId,
    /// Its flow.
    pub flow: &'a FlowId,
    /// The model profile it would ask.
    pub profile: &'a str,
    /// What that may cost.
    pub quote: Quote,
}

/// A reservation to be settled.
#[derive(Debug)]
#[must_use = "an amount that is never settled counts at its estimate for ever"]
pub struct Ticket {
    run: RunId,
    /// `None` for a call that costs nothing, or whose price nobody knows.
    call: Option<(i64, Vec<String>)>,
}

impl Purse {
    /// A purse with these caps.
    pub fn new(store: ShopStore, caps: Caps) -> Self {
        Self { store, caps }
    }

    /// Reserves what a call may cost at the most.
    ///
    /// # Errors
    /// When storage fails; that a cap is reached is no error.
    pub async fn reserve(&self, of: Purchase<'_>, now: Timestamp) -> Result<Result<Ticket, Refusal>, StoreError> {
        let run = of.run.clone();
        let micros = match of.quote {
            Quote::Free => return Ok(Ok(Ticket { run, call: None })),
            Quote::Unknown if self.holds(of.flow) => {
                return Ok(Err(Refusal::Unpriced { profile: of.profile.to_owned() }));
            }
            Quote::Unknown => return Ok(Ok(Ticket { run, call: None })),
            Quote::AtMost { micros } => micros,
        };
        let (day, scopes) = (day(now), self.scopes(&of, now));
        let names = scopes.iter().map(|(_, scope, _)| scope.clone()).collect();
        let new = NewSpend {
            run: run.clone(),
            flow: of.flow.clone(),
            profile: of.profile.to_owned(),
            micros,
            scopes: scopes.iter().map(|(_, scope, cap)| (scope.clone(), *cap)).collect(),
            day,
        };
        Ok(match self.store.reserve_spend(new, now).await? {
            Reserved::Call(call) => Ok(Ticket { run, call: Some((call, names)) }),
            Reserved::Over { scope, used, cap } => {
                let what = scopes.get(scope).map_or(Capped::Shop, |(what, _, _)| *what);
                Err(Refusal::Cap { what, asked: micros, used, cap })
            }
        })
    }

    /// Settles a reservation by what came of the call. What may have been charged without our hearing of it stays at its
    /// estimate.
    ///
    /// # Errors
    /// When storage fails.
    pub async fn settle(&self, ticket: Ticket, came: &Result<ModelReply, ModelError>) -> Result<(), StoreError> {
        let Ticket { run, call: Some((call, scopes)) } = ticket else { return Ok(()) };
        let cost = match came {
            Ok(reply) if reply.usage.unpriced => return Ok(()),
            Ok(reply) => reply.usage.cost_micros,
            Err(error) if error.may_have_cost() => return Ok(()),
            Err(_) => 0,
        };
        self.store.settle_spend(&run, call, cost, scopes).await
    }

    /// True when a call for this much would be let through now. Only [`Purse::reserve`] makes sure of it.
    ///
    /// # Errors
    /// When storage fails.
    pub async fn affords(&self, of: Purchase<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let micros = match of.quote {
            Quote::Free => return Ok(true),
            Quote::Unknown => return Ok(!self.holds(of.flow)),
            Quote::AtMost { micros } => micros,
        };
        for (_, scope, cap) in self.scopes(&of, now) {
            let Some(cap) = cap else { continue };
            if self.store.spent_in(&scope).await?.saturating_add(micros) > cap {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// True when any cap counts for this flow.
    fn holds(&self, flow: &FlowId) -> bool {
        self.caps.run.is_some() || self.caps.shop_day.is_some() || self.flow_cap(flow).is_some()
    }

    fn flow_cap(&self, flow: &FlowId) -> Option<u64> {
        self.caps.flows.get(flow.as_str()).copied().or(self.caps.flow_day)
    }

    fn scopes(&self, of: &Purchase<'_>, now: Timestamp) -> [(Capped, String, Option<u64>); 3] {
        let day = day(now);
        [
            (Capped::Run, format!("run/{}", of.run), self.caps.run),
            (Capped::Flow, format!("flow/{day}/{}", of.flow), self.flow_cap(of.flow)),
            (Capped::Shop, format!("shop/{day}"), self.caps.shop_day),
        ]
    }
}

fn day(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d").to_string()
}
