//! The offer ladder: which discounts exist, and who may get one.
//!
//! * [`ladder`]: the ladder file (`knowledge/offers/ladder.toml`), parsed and checked.
//! * [`request`]: what policy must know about the basket and the customer before it says yes.
//! * [`grant`]: [`Ladder::grant`], the only door to an [`Offer`]. A discount outside the limits cannot be constructed
//!   (mission N3): [`Offer`] has private fields and no `Deserialize`.
//! * [`affinity`]: how much a customer buys at a discount, beside the shop's others.
//! * [`quote_offer`]: the tool. The model names a step; code says yes or no. It never sees a margin.

pub mod affinity;
mod code;
pub mod grant;
pub mod ladder;
pub mod quote_offer;
pub mod request;

pub use code::DRAWS;
pub use grant::{Denied, Offer};
pub use ladder::{Concession, Ladder, LadderError, LadderErrors, Step};
pub use quote_offer::{Held, OfferDesk, QuoteOffer};
pub use request::{BasketLine, OfferHistory, OfferRequest};
