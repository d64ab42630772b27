//! What time does to requests that wait: escalated, and lapsed. A run's own request lapses where the run waits for it.

use kit::StoreError;
use kit::message::ApprovalState;

use super::look::Asked;
use crate::store::Waits;
use crate::tenant::Tenant;

/// Requests that are looked at in one round, the most urgent first.
const AT_ONCE: u32 = 1_000;

impl Tenant {
    /// Notes what is escalated, and closes campaigns' requests that nobody decided in time. Repeatable.
    ///
    /// # Errors
    /// When storage cannot answer; the next round goes on.
    pub async fn tend_approvals(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for approval in self.store.approvals(ApprovalState::Pending, AT_ONCE).await? {
            let asked = Asked::Message(Box::new(approval));
            self.note_if_escalated(&asked).await?;
        }
        for approval in self.store.campaign_approvals(None).await? {
            if approval.record.state != ApprovalState::Pending {
                continue;
            }
            let asked = Asked::Campaign(Box::new(approval.clone()));
            if self.route(&asked, now).await?.decide_by <= now {
                self.store.lapse_campaign(&approval.record.id, &approval.campaign, now).await?;
            } else {
                self.note_if_escalated(&asked).await?;
            }
        }
        Ok(())
    }

    async fn note_if_escalated(&self, asked: &Asked) -> Result<(), StoreError> {
        let now = self.clock.now();
        let route = self.route(asked, now).await?;
        if !route.escalated {
            return Ok(());
        }
        let waits = match asked {
            Asked::Message(approval) => Waits::Run { run: approval.run.clone(), signal: String::new() },
            Asked::Campaign(approval) => Waits::Campaign(approval.campaign.clone()),
        };
        let may: Vec<String> = route.sections.iter().map(|s| format!("{}: {}", s.name, s.who_may())).collect();
        self.store.note_escalated(&asked.record().id, &waits, &may.join("; "), now).await.map(|_| ())
    }
}
