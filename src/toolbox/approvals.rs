//! Opening an approval: what `request_approval` asks of us.

use std::sync::Arc;

use approval::{ApprovalDesk, Opened};
use jiff::SignedDuration;
use kit::message::DraftRecord;
use kit::tool::ToolContext;
use kit::{ApprovalId, BoxFuture, Digest, StoreError};

use crate::delivery::Delivery;
use crate::failpoint;
use crate::store::NewApproval;

pub(super) struct Desk {
    pub(super) delivery: Arc<Delivery>,
}

impl Desk {
    async fn put(&self, cx: &ToolContext, draft: &DraftRecord, summary: &str) -> Result<Opened, StoreError> {
        let delivery = &self.delivery;
        let terms = match delivery.envelope(&cx.subject, draft).await? {
            Ok(terms) => terms,
            Err(no_send) => return Err(StoreError::Corrupt { what: "audience".to_owned(), why: no_send.reason }),
        };
        let risk = delivery.assess(&cx.subject, &draft.draft, &draft.facts, &draft.report).await?;
        let hours = i64::from(delivery.release.risk.expires_hours);
        let lapses = cx.now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(terms.not_after);
        let envelope = terms.digest();
        let new = NewApproval {
            id: ApprovalId::from_digest("apr", &Digest::of_parts([cx.run.as_str(), &envelope.to_string()])),
            run: cx.run.clone(),
            // An approval never outlives the window of what it approves.
            expires_at: lapses.min(terms.not_after),
            terms,
            draft: draft.clone(),
            summary: summary.to_owned(),
            reasons: risk.reasons,
        };
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
