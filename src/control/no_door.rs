//! Where there are no Unix sockets: nobody listens, and the command line opens the folder itself.

use std::path::Path;
use std::sync::Arc;

use kit::BoxFuture;

use super::wire::{ControlError, Reply, Request};

/// Does what comes through the door.
pub trait Desk: Send + Sync {
    /// Performs one request.
    fn perform<'a>(&'a self, request: Request) -> BoxFuture<'a, Reply>;
}

/// The active process's side: nothing ever comes.
#[derive(Debug)]
pub struct Door;

impl Door {
    /// There is nothing to open.
    ///
    /// # Errors
    /// None.
    pub fn open(_: &Path) -> Result<Self, ControlError> {
        Ok(Self)
    }

    /// Waits until this future is dropped.
    pub async fn answer<T>(&self, _: Arc<dyn Desk>) -> T {
        std::future::pending().await
    }
}

/// Nobody listens.
///
/// # Errors
/// None.
pub async fn ask(_: &Path, _: &Request) -> Result<Option<Reply>, ControlError> {
    Ok(None)
}
