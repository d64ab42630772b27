//! A person edits a class's copy, before the approval or after it. Every content rule runs again, the editor becomes an
//! author, and whatever was signed or waits to be signed is void: a new approval is asked for, of somebody else.

use std::sync::Arc;

use ::campaign::{Change, ClassEdit, changes};
use kit::campaign::{CampaignId, ClassCopy, ClassId};
use kit::message::Draft;
use kit::{ApprovalId, FactBook, Principal};

use super::CampaignError;
use super::classes::{check_class, class_facts, try_out};
use crate::store::{CampaignState, ClassRow};
use crate::tenant::Tenant;

/// What an edit did.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ClassEdited {
    /// The copy as it is now.
    pub copy: ClassCopy,
    /// What differs from before, in reading order.
    pub changes: Vec<Change>,
    /// What takes the place of every earlier approval of the campaign.
    pub approval: ApprovalId,
}

impl Tenant {
    /// A class of a campaign as stored.
    ///
    /// # Errors
    /// [`CampaignError::NoClass`].
    pub async fn campaign_class(&self, campaign: &CampaignId, class: &ClassId) -> Result<ClassRow, CampaignError> {
        let rows = self.store.campaign_classes(campaign).await?;
        let row = rows.into_iter().find(|row| row.id == *class);
        row.ok_or_else(|| CampaignError::NoClass { campaign: campaign.clone(), class: class.clone() })
    }

    /// Edits the copy of a class and asks for the approval of the campaign as it is then.
    ///
    /// Copy, state and earlier approvals change in one transaction. Broken off before the new approval is open, the campaign
    /// has none, and nothing of it can leave until it is asked for again.
    ///
    /// # Errors
    /// [`CampaignError`]; nothing has changed then, unless it is about composing the campaign after the edit.
    pub async fn edit_class(
        self: &Arc<Self>,
        id: &CampaignId,
        class: &ClassId,
        who: &Principal,
        edit: &ClassEdit,
    ) -> Result<ClassEdited, CampaignError> {
        let campaign = self.store.campaign(id).await?.ok_or_else(|| CampaignError::Unknown(id.clone()))?;
        match campaign.state {
            CampaignState::Written | CampaignState::Asked => {}
            CampaignState::Frozen => return Err(CampaignError::State(campaign.state, "write it first")),
            state @ (CampaignState::Scheduled | CampaignState::Done | CampaignState::Cancelled) => {
                return Err(CampaignError::State(state, "its words stay; cancel it and brief it anew"));
            }
        }
        let row = self.campaign_class(id, class).await?;
        let now = self.clock.now();
        let facts = class_facts(self, &row, now)?;
        let unwritten = || CampaignError::NotWritten { class: class.clone(), why: "no copy yet".to_owned() };
        let before = row.copy.ok_or_else(unwritten)?;
        let check = |draft: &Draft, facts: &FactBook| check_class(self, draft, facts, facts, now);
        let copy = edit.apply(&facts, &before, &who.name(), &check)?;
        try_out(self, &copy)?;
        self.store.edit_class_copy(id, class, &before, &copy, &who.name(), now).await?;
        let approval = self.ask_for_campaign(id, who).await?;
        Ok(ClassEdited { changes: changes(&before, &copy), copy, approval })
    }
}
