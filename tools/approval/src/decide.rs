//! The rules of a decision: who may decide what, and when. Pure, so that every door to it has the same rules.

use kit::message::{ApprovalRecord, ApprovalState};
use kit::{ApprovalId, Principal, Role, Timestamp};

use crate::route::{NotSigned, Route, Signature};

/// The longest reason kept, in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// What a person decides about a pending approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may leave, exactly as shown.
    Approve,
    /// The same by its author, in a shop of one person; the caller knows that the shop is one and nothing regulated is in it.
    ApproveOwn,
    /// It does not leave. The reason is kept and becomes an eval case.
    Reject {
        /// Why, in words.
        reason: String,
    },
    /// It was edited: this request is closed, and a new one is opened in which the editor is an author.
    Edit,
}

/// Why a decision does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// Somebody was faster.
    #[error("approval {id} is {state:?} already; list the pending ones")]
    NotPending {
        /// Which.
        id: ApprovalId,
        /// Where it stands.
        state: ApprovalState,
    },
    /// Too late.
    #[error("approval {id} lapsed at {at}; the message has to be proposed again")]
    Expired {
        /// Which.
        id: ApprovalId,
        /// When.
        at: Timestamp,
    },
    /// The role is too low.
    #[error("{who} may not {action} {id}: it takes {needed}")]
    NoRole {
        /// Which.
        id: ApprovalId,
        /// Who tried.
        who: String,
        /// To do what.
        action: &'static str,
        /// Which roles may.
        needed: &'static str,
    },
    /// The approver wrote or edited it.
    #[error("{who} is an author of {id} and cannot approve it; somebody else must look")]
    OwnWork {
        /// Which.
        id: ApprovalId,
        /// Who tried.
        who: String,
    },
    /// A rejection without a reason teaches nobody anything.
    #[error("this needs a reason of 3 to {MAX_REASON_CHARS} characters, found {chars}")]
    Reason {
        /// Characters found.
        chars: usize,
    },
    /// The signature does not count.
    #[error("{id}: {why}")]
    NotSigned {
        /// Which.
        id: ApprovalId,
        /// Why.
        why: NotSigned,
    },
}

/// Decides a pending approval. Editing leaves it `Superseded`; opening the new one is the caller's part of the same transaction.
///
/// # Errors
/// [`DecisionError`]; the record is then untouched.
pub fn decide(
    record: &ApprovalRecord,
    who: &Principal,
    now: Timestamp,
    decision: &Decision,
) -> Result<ApprovalRecord, DecisionError> {
    let id = || record.id.clone();
    if record.state != ApprovalState::Pending {
        return Err(DecisionError::NotPending { id: id(), state: record.state });
    }
    if record.expires_at <= now {
        return Err(DecisionError::Expired { id: id(), at: record.expires_at });
    }
    let no_role = |action, needed| DecisionError::NoRole { id: id(), who: who.name(), action, needed };
    let state = match decision {
        Decision::Approve | Decision::ApproveOwn if !who.may_approve() => {
            return Err(no_role("approve", "an approver or an admin"));
        }
        Decision::Approve if record.authors.contains(&who.name()) => {
            return Err(DecisionError::OwnWork { id: id(), who: who.name() });
        }
        Decision::Approve | Decision::ApproveOwn => ApprovalState::Approved,
        // Authors may take their own work back.
        Decision::Reject { .. } if !who.may_approve() => return Err(no_role("reject", "an approver or an admin")),
        Decision::Reject { reason } => {
            reason_fits(reason)?;
            ApprovalState::Rejected
        }
        Decision::Edit if !may_edit(who) => return Err(no_role("edit", "a marketer, an approver or an admin")),
        Decision::Edit => ApprovalState::Superseded,
    };
    let own_work = *decision == Decision::ApproveOwn;
    Ok(ApprovalRecord { state, decided_by: Some(who.clone()), own_work, ..record.clone() })
}

/// What a person signs of a pending approval with their yes ([`Decision::Approve`] or, of their own work,
/// [`Decision::ApproveOwn`]), and the record as it is once everything is signed. It is approved once [`Route::is_signed`] says so of all signatures.
///
/// # Errors
/// [`DecisionError`]; nothing is signed then.
pub fn sign(
    record: &ApprovalRecord,
    route: &Route,
    who: &Principal,
    yes: &Decision,
    given: &[Signature],
    typed: Option<u32>,
    now: Timestamp,
) -> Result<(ApprovalRecord, Vec<Signature>), DecisionError> {
    let approved = decide(record, who, now, yes)?;
    let id = || record.id.clone();
    if route.decide_by <= now {
        return Err(DecisionError::Expired { id: id(), at: route.decide_by });
    }
    match who {
        Principal::User { name, .. } => {
            let signed = route.sign(name, given, typed, now);
            Ok((approved, signed.map_err(|why| DecisionError::NotSigned { id: id(), why })?))
        }
        Principal::Flow { .. } | Principal::System => {
            let needed = "an approver or an admin";
            Err(DecisionError::NoRole { id: id(), who: who.name(), action: "approve", needed })
        }
    }
}

/// Whether somebody may take an approval back: whoever may edit may stop, and says why.
///
/// # Errors
/// [`DecisionError`].
pub fn may_recall(record: &ApprovalRecord, who: &Principal, reason: &str) -> Result<(), DecisionError> {
    if !may_edit(who) {
        let needed = "a marketer, an approver or an admin";
        return Err(DecisionError::NoRole { id: record.id.clone(), who: who.name(), action: "recall", needed });
    }
    reason_fits(reason)
}

fn reason_fits(reason: &str) -> Result<(), DecisionError> {
    let chars = reason.trim().chars().count();
    if (3..=MAX_REASON_CHARS).contains(&chars) { Ok(()) } else { Err(DecisionError::Reason { chars }) }
}

fn may_edit(who: &Principal) -> bool {
    match who {
        Principal::User { role, .. } => match role {
            Role::Marketer | Role::Approver | Role::Admin => true,
            Role::Viewer => false,
        },
        Principal::Flow { .. } | Principal::System => false,
    }
}

/// The record as expired, when it is pending and its time is over; `None` when nothing changes.
pub fn expire(record: &ApprovalRecord, now: Timestamp) -> Option<ApprovalRecord> {
    let over = record.state == ApprovalState::Pending && record.expires_at <= now;
    over.then(|| ApprovalRecord { state: ApprovalState::Expired, ..record.clone() })
}
