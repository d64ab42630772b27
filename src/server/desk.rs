//! What the command line beside the server asks of it.

use kit::BoxFuture;

use super::Server;
use crate::control::{Desk, Reply, Request, perform};

impl Desk for Server {
    fn perform<'a>(&'a self, request: Request) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if let Some(other) = request.shop.filter(|shop| *shop != self.shop) {
                return Reply::Failed(format!("the server drives shop {}, not {other}", self.shop));
            }
            let reply = perform(&self.tenant(), request.command, request.token.as_deref()).await;
            self.wake.notify_one();
            reply
        })
    }
}
