//! One active process, and how the command line talks to it.
//!
//! [`Lease`]: whoever drives runs holds the data folder's lock and the database's lease; a second one is told who holds it.
//! [`Door`]: the active process listens on a Unix socket in the data folder, and [`ask`] is the command line's side of it:
//! what decides (approvals, kill switch, cancellations, webhooks by hand) is done by the process that drives.
//!
//! The socket and its folder are the owner's alone. Whoever may open it may open the database as well; once the shop has users,
//! a decision takes a token all the same, here as on the command line ([`crate::access`]).

mod desk;
#[cfg(unix)]
mod door;
#[cfg(not(unix))]
#[path = "control/no_door.rs"]
mod door;
mod lease;
mod wire;

pub use desk::{CancelError, perform};
pub use door::{Desk, Door, ask};
pub use lease::{Lease, LeaseError, is_taken};
pub use wire::{Command, ControlError, Reply, Request};
