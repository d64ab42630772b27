//! What a message may be built on, by flow and journey stage.

use kit::FlowId;
use serde::Serialize;

use crate::explain::Stage;

/// One way to build a message. The description of `lookup_profile` tells the model what each one means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Angle {
    /// What waits in the cart, and one good thing about it.
    CartReminder,
    /// The doubt that may have stopped them, answered by a catalogue fact, a guide or a review.
    Reassurance,
    /// Something in stock instead of what ran out.
    Alternatives,
    /// How to set up, use or look after what they bought.
    Care,
    /// One thing that goes with what they bought.
    Accessory,
    /// It may be running out.
    Replenish,
    /// Good to have you back, from what they liked.
    Comeback,
    /// What is new where they like to look.
    NewArrivals,
    /// Things they come back for.
    Favourites,
    /// What the shop is good at, and where to begin.
    Welcome,
}

/// What kind of occasion a flow is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Abandoned,
    PostPurchase,
    WinBack,
    Other,
}

impl Family {
    /// By the flow's name: variants such as `win-back-second` belong to `win-back`.
    pub(crate) fn of(flow: &FlowId) -> Self {
        let name = flow.as_str();
        match name {
            _ if name.starts_with("abandoned-") || name.starts_with("browse-") => Self::Abandoned,
            _ if name.starts_with("post-purchase") => Self::PostPurchase,
            _ if name.starts_with("win-back") => Self::WinBack,
            _ => Self::Other,
        }
    }
}

/// The allowed angles, best first. `bought_again`: there are favourites; `sold_out`: something of the occasion ran out.
pub fn angles(flow: &FlowId, stage: Stage, bought_again: bool, sold_out: bool) -> Vec<Angle> {
    let mut angles = match (Family::of(flow), stage) {
        (Family::Abandoned, Stage::New) => vec![Angle::CartReminder, Angle::Reassurance, Angle::Welcome],
        (Family::Abandoned, _) => vec![Angle::CartReminder, Angle::Reassurance],
        (Family::PostPurchase, Stage::Due) => vec![Angle::Care, Angle::Accessory, Angle::Replenish],
        (Family::PostPurchase, _) => vec![Angle::Care, Angle::Accessory],
        (Family::WinBack, Stage::Due | Stage::AtRisk) => vec![Angle::Comeback, Angle::Replenish, Angle::NewArrivals],
        (Family::WinBack, _) => vec![Angle::Comeback, Angle::NewArrivals],
        (Family::Other, Stage::New) => vec![Angle::Welcome, Angle::NewArrivals],
        (Family::Other, Stage::FirstTime) => vec![Angle::Care, Angle::Accessory],
        (Family::Other, Stage::Active) => vec![Angle::Accessory, Angle::NewArrivals],
        (Family::Other, Stage::Due) => vec![Angle::Replenish, Angle::NewArrivals],
        (Family::Other, Stage::AtRisk | Stage::Lapsed) => vec![Angle::Comeback, Angle::NewArrivals],
        (Family::Other, Stage::Seasonal) => vec![Angle::NewArrivals],
    };
    if !bought_again {
        angles.retain(|angle| *angle != Angle::Replenish);
    } else if Family::of(flow) != Family::Abandoned && Family::of(flow) != Family::PostPurchase {
        angles.push(Angle::Favourites);
    }
    if sold_out {
        angles.push(Angle::Alternatives);
    }
    angles
}
