//! Requests by the page, messages and campaigns in one order: what lapses first stands first.

use kit::message::ApprovalState;
use kit::{ApprovalId, StoreError};

use super::look::Asked;
use crate::store::ListPlace;
use crate::tenant::Tenant;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// There is no such place to go on from. To begin anew in silence would show everything once more, for ever.
    #[error("there is no approval {0} to go on behind; begin at the first page, without `after`")]
    NoPlace(ApprovalId),
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Tenant {
    /// Requests in one state behind `after`, or from the beginning. Whatever has become of `after` meanwhile, its place stays.
    ///
    /// # Errors
    /// [`PageError`].
    pub async fn asked_page(
        &self,
        state: ApprovalState,
        after: Option<&ApprovalId>,
        limit: u32,
    ) -> Result<Vec<Asked>, PageError> {
        let place = match after {
            None => ListPlace::start(),
            Some(id) => self.store.list_place(id).await?.ok_or_else(|| PageError::NoPlace(id.clone()))?,
        };
        let messages = self.store.approvals_page(state, &place, limit).await?;
        let campaigns = self.store.campaign_approvals_page(state, &place, limit).await?;
        let mut page: Vec<Asked> = messages.into_iter().map(|one| Asked::Message(Box::new(one))).collect();
        page.extend(campaigns.into_iter().map(|one| Asked::Campaign(Box::new(one))));
        page.sort_by(|one, other| {
            let (one, other) = (one.record(), other.record());
            (one.expires_at, &one.id).cmp(&(other.expires_at, &other.id))
        });
        page.truncate(limit as usize);
        Ok(page)
    }
}
