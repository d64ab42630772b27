//! Opening an approval: what `request_approval` asks of us.

use std::sync::Arc;

use approval::{ApprovalDesk, Opened};
use kit::message::DraftRecord;
use kit::tool::ToolContext;
use kit::{BoxFuture, StoreError};

use super::Acts;
use crate::delivery::Delivery;
use crate::failpoint;

pub(super) struct Desk {
    pub(super) delivery: Arc<Delivery>,
    pub(super) acts: Acts,
}

impl Desk {
    async fn put(&self, cx: &ToolContext, draft: &DraftRecord, summary: &str) -> Result<Opened, StoreError> {
        let delivery = &self.delivery;
        let asked_by = format!("call {}", cx.call);
        let new = match delivery.approval_request(&cx.run, &cx.subject, draft, summary, &asked_by, cx.now).await? {
            Ok(new) => new,
            Err(no_send) => return Err(StoreError::Corrupt { what: "audience".to_owned(), why: no_send.reason }),
        };
        if self.acts == Acts::InSandbox {
            return Ok(Opened { approval: new.id, expires_at: new.expires_at });
        }
        let (approval, expires_at) = delivery.store.open_approval(new, cx.now).await?;
        failpoint::hit("after_open");
        Ok(Opened { approval, expires_at })
    }
}

impl ApprovalDesk for Desk {
    fn open<'a>(
        &'a self,
        cx: &'a ToolContext,
        draft: &'a DraftRecord,
        summary: &'a str,
    ) -> BoxFuture<'a, Result<Opened, StoreError>> {
        Box::pin(self.put(cx, draft, summary))
    }
}
