//! The command line beside a running process: what decides is done there.

use serde_json::Value;

use super::{Failure, Global, app, failure};
use crate::control::{self, Command, Reply, Request};

/// Has the process that drives this data folder do it; `None` when there is none, and the command line does it itself.
pub(super) async fn ask(global: &Global, command: Command) -> Result<Option<Value>, Failure> {
    let dir = app::data_dir(global)?;
    let shop = global.shop.clone().map(kit::ShopId::new).transpose().map_err(failure)?;
    if global.at.is_some() && control::is_taken(&dir).map_err(failure)? {
        let why = "--at cannot be used while a process drives this data folder: the time is that process's";
        return Err(Failure::new(why));
    }
    let token = crate::access::token_of_environment().map_err(failure)?;
    match control::ask(&dir, &Request { shop, command, token }).await.map_err(failure)? {
        Some(Reply::Done(value)) => Ok(Some(value)),
        Some(Reply::Failed(why)) => Err(Failure::new(why)),
        None if control::is_taken(&dir).map_err(failure)? => Err(Failure::new(
            "a process drives this data folder but does not answer at its local socket; try again in a moment, or stop it",
        )),
        None => Ok(None),
    }
}
