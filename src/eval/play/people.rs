//! What people at the shop do in a story, and what the oracle is told of it.

use jiff::SignedDuration;
use kit::{ApprovalId, Principal, Role};
use oracle::world::Approval as Told;

use super::{PlayError, Player};
use crate::approvals::{Asked, Assent, DecideError, Edit, Signed};
use crate::runs::Rest;
use crate::store::Approval;

/// Who signs after somebody else where two people must.
const SECOND: &str = "lena";

/// What came of a yes.
pub(super) enum Yes {
    /// It is approved.
    Given {
        /// What was signed.
        asked: Asked,
        /// Who signed last.
        by: &'static str,
    },
    /// Signatures are missing: which, in words.
    Missing(String),
    /// Whoever signed may not: why.
    Refused(String),
}

/// Somebody with the right to stop sending.
pub(super) fn ops() -> Principal {
    user("ops", Role::Admin)
}

/// Somebody at the shop.
pub(super) fn user(name: &str, role: Role) -> Principal {
    Principal::User { name: name.to_owned(), role }
}

impl Player<'_> {
    /// Requests that wait now.
    fn waiting(&self) -> Vec<ApprovalId> {
        let asked =
            |rest: &Rest| if let Rest::Approval { approval, .. } = rest { Some(approval.clone()) } else { None };
        self.runs.iter().filter_map(|run| run.rest.as_ref().and_then(asked)).collect()
    }

    /// Nora, who wrote nothing, says yes to everything that waits.
    pub(super) async fn approve(&mut self) -> Result<(), PlayError> {
        if self.approve_campaign().await? {
            return Ok(());
        }
        self.bring_forward().await?;
        let waiting = self.waiting();
        if waiting.is_empty() {
            self.stumbles.push("there is nothing to approve".to_owned());
        }
        for id in waiting {
            self.approve_as(&id, "nora").await?;
        }
        Ok(())
    }

    /// Somebody signs what they saw, and Lena after them where it takes two.
    pub(super) async fn sign(&mut self, id: &ApprovalId, name: &'static str) -> Result<Yes, PlayError> {
        let tenant = self.stage.tenant.clone();
        let mut missing = Vec::new();
        for signer in [name, SECOND] {
            let signed = async {
                let looked = tenant.look(id).await?;
                let assent = Assent { typed_count: looked.route.typed_count, seen: looked.seen };
                tenant.approve(id, &user(signer, Role::Approver), &assent).await
            };
            match signed.await {
                Ok(Signed { asked, missing, .. }) if missing.is_empty() => {
                    // Nothing leaves while it can be recalled.
                    self.later(SignedDuration::from_secs(i64::from(tenant.release.approvals.recall_seconds)));
                    return Ok(Yes::Given { asked, by: signer });
                }
                Ok(signed) => missing = signed.missing,
                Err(DecideError::Store(error)) => return Err(error.into()),
                Err(refused) => return Ok(Yes::Refused(refused.to_string())),
            }
        }
        Ok(Yes::Missing(format!("it still takes {}", missing.join("; "))))
    }

    /// The same for one person's message. False when it was not approved.
    async fn approve_as(&mut self, id: &ApprovalId, name: &'static str) -> Result<bool, PlayError> {
        match self.sign(id, name).await? {
            Yes::Given { asked: Asked::Message(viewed), by } => {
                let told = self.told(&viewed, by);
                self.world.approvals.push(told);
                Ok(true)
            }
            Yes::Missing(why) => {
                self.stumbles.push(format!("approving it: {why}"));
                Ok(false)
            }
            Yes::Given { asked: Asked::Campaign(_), .. } | Yes::Refused(_) => Ok(false),
        }
    }

    fn told(&self, viewed: &Approval, by: &str) -> Told {
        Told {
            person: self.hero.id.to_string(),
            at: self.now(),
            until: viewed.record.expires_at,
            by: by.to_owned(),
            authors: viewed.record.authors.clone(),
            subjects: viewed.draft.draft.subjects.clone(),
        }
    }

    /// Somebody turns everything down that waits.
    pub(super) async fn reject(&mut self, reason: &str, revise: bool) -> Result<(), PlayError> {
        if self.reject_campaign(reason).await? {
            return Ok(());
        }
        self.bring_forward().await?;
        let waiting = self.waiting();
        if waiting.is_empty() {
            self.stumbles.push("there is nothing to turn down".to_owned());
        }
        for id in waiting {
            let done = self.stage.tenant.reject(&id, &user("nora", Role::Approver), reason, revise, None).await;
            if let Err(error) = done {
                self.stumbles.push(format!("turning it down: {error}"));
            }
        }
        Ok(())
    }

    /// Sam writes another subject; `approver` then says yes to it. Sam himself may not: his yes is refused.
    pub(super) async fn edit(&mut self, subject: &str, approver: &'static str) -> Result<(), PlayError> {
        self.bring_forward().await?;
        for id in self.waiting() {
            let edit = Edit { subject: Some(subject.to_owned()), ..Edit::default() };
            let edited = self.stage.tenant.edit(&id, &user("sam", Role::Approver), edit).await;
            match edited {
                Ok(successor) => {
                    self.approve_as(&successor, approver).await?;
                }
                Err(DecideError::Store(error)) => return Err(error.into()),
                // The rules turned the words down: the request stands as it was.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// What is not yet written is written first.
    async fn bring_forward(&mut self) -> Result<(), PlayError> {
        if self.runs.iter().any(|run| run.rest.is_none()) {
            self.due(true).await?;
        }
        Ok(())
    }
}
