//! What time does to requests that wait: escalated, and lapsed. A run's own request lapses where the run waits for it.

use approval::{Ask, Route};
use kit::message::ApprovalState;
use kit::{ApprovalId, StoreError, Timestamp};

use super::look::Asked;
use crate::store::{ListPlace, Waiting, Waits};
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
        for Waiting { id, run, reasons, created_at, expires_at } in self.store.not_escalated(AT_ONCE).await? {
            let ask =
                Ask { reasons: &reasons, recipients: 1, offer_cost: None, asked_at: created_at, last: expires_at };
            let route = self.release.approvals.route(&ask, now);
            if route.escalated {
                self.note_escalated(&id, &Waits::Run { run, signal: String::new() }, &route, now).await?;
            }
        }
        let first = ListPlace::start();
        for approval in self.store.campaign_approvals_page(ApprovalState::Pending, &first, AT_ONCE).await? {
            let asked = Asked::Campaign(Box::new(approval.clone()));
            if self.route(&asked, now).await?.decide_by <= now {
                self.store.lapse_campaign(&approval.record.id, &approval.campaign, now).await?;
            } else {
                let route = self.route(&asked, now).await?;
                if route.escalated {
                    let waits = Waits::Campaign(approval.campaign.clone());
                    self.note_escalated(&approval.record.id, &waits, &route, now).await?;
                }
            }
        }
        Ok(())
    }

    async fn note_escalated(
        &self,
        id: &ApprovalId,
        waits: &Waits,
        route: &Route,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let may: Vec<String> = route.sections.iter().map(|s| format!("{}: {}", s.name, s.who_may())).collect();
        self.store.note_escalated(id, waits, &may.join("; "), now).await.map(|_| ())
    }
}
