//! Keeping a campaign's brief while a marketer talks.
//!
//! * [`update_brief`]: the model proposes a typed patch; code applies it or says what is in the way. Rules of a marketer stand
//!   until they take them back in words, and what code computes (cost, gaps, risk) is computed anew after every change.
//! * [`ask_marketer`]: at most once, at most three questions, and only where the answer changes audience, offer, date or
//!   legal class. Everything else becomes an assumption that can be flipped.
//! * [`propose_briefs`]: a goal alone gives three different briefs to choose from.
//!
//! [`compute`] holds what follows from a brief, for edits that come without a model; [`edit`] flips an assumption.

mod apply;
pub mod ask_marketer;
pub mod compute;
mod dates;
pub mod desk;
pub mod edit;
mod gaps;
mod patch;
pub mod propose_briefs;
mod quotes;
mod standing;
pub mod update_brief;

pub use ask_marketer::AskMarketer;
pub use compute::computed;
pub use desk::{BriefDesk, Figures, Goods, Rung, ShopFacts, ShownProduct};
pub use edit::{FlipError, flip};
pub use propose_briefs::ProposeBriefs;
pub use update_brief::UpdateBrief;
