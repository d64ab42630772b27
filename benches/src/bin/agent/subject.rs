//! Whom the scripted runs are about. Each has an occasion of its own, as the store demands.

use kit::tool::Subject;
use kit::{CustomerId, Digest, FlowId, Language, Principal, RunId, ShopId, Timestamp};

/// Ids are made from a digest: no other way is sure to succeed.
fn digest() -> Digest {
    Digest::of_bytes(b"mailwright.bench.agent")
}

/// The release that all runs are pinned to.
pub(crate) fn release() -> Digest {
    digest()
}

/// The shop.
pub(crate) fn shop() -> ShopId {
    ShopId::from_digest("shop", &digest())
}

/// On whose behalf a run acts.
pub(crate) fn principal() -> Principal {
    Principal::Flow { flow: flow() }
}

/// The id of the run with this number.
pub(crate) fn run_id(number: u64) -> RunId {
    RunId::from_digest("run", &Digest::of_bytes(&number.to_be_bytes()))
}

/// The subject of a run.
pub(crate) fn subject(run: &RunId) -> Subject {
    Subject {
        flow: flow(),
        customer: CustomerId::from_digest("cus", &digest()),
        occasion: run.to_string(),
        step: 1,
        triggered_at: Timestamp::UNIX_EPOCH,
        products: Vec::new(),
        cart_url: None,
        stops_on_purchase: false,
        language: Language::EN,
        release: release(),
    }
}

fn flow() -> FlowId {
    FlowId::from_digest("flow", &digest())
}
