//! The rules of a decision.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::{flow, now};
use kit::message::{ApprovalRecord, ApprovalState};
use kit::{ApprovalId, Digest, Principal, Role};
use mailwright_approval::{Decision, DecisionError, decide, expire};

fn user(name: &str, role: Role) -> Principal {
    Principal::User { name: name.into(), role }
}

fn pending() -> ApprovalRecord {
    ApprovalRecord {
        id: ApprovalId::new("apr-1").unwrap(),
        envelope: Digest::of_bytes(b"envelope"),
        state: ApprovalState::Pending,
        authors: BTreeSet::from(["flow:win-back".to_owned(), "user:ada".to_owned()]),
        decided_by: None,
        expires_at: "2026-06-15T13:00:00Z".parse().unwrap(),
        used_by: None,
        own_work: false,
    }
}

fn reject(reason: &str) -> Decision {
    Decision::Reject { reason: reason.into() }
}

#[test]
fn a_decision_changes_the_state_and_names_the_person_and_nothing_else() {
    for (who, decision, state) in [
        (user("bo", Role::Approver), Decision::Approve, ApprovalState::Approved),
        (user("cy", Role::Admin), Decision::Approve, ApprovalState::Approved),
        (user("bo", Role::Approver), reject("the apology is not ours to make"), ApprovalState::Rejected),
        (user("ada", Role::Approver), reject("mine, and wrong"), ApprovalState::Rejected),
        (user("ada", Role::Marketer), Decision::Edit, ApprovalState::Superseded),
        (user("ada", Role::Approver), Decision::ApproveOwn, ApprovalState::Approved),
    ] {
        let decided = decide(&pending(), &who, now(), &decision).unwrap();
        let own_work = decision == Decision::ApproveOwn;
        assert_eq!(decided, ApprovalRecord { state, decided_by: Some(who), own_work, ..pending() });
    }
}

#[test]
fn who_may_not_is_told_why() {
    let refused =
        |who: Principal, decision: Decision| decide(&pending(), &who, now(), &decision).unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            refused(user("dee", Role::Viewer), Decision::Approve),
            refused(user("dee", Role::Viewer), Decision::Edit),
            refused(user("mo", Role::Marketer), Decision::Approve),
            refused(user("mo", Role::Marketer), reject("I do not like it")),
            refused(user("ada", Role::Approver), Decision::Approve),
            refused(user("ada", Role::Admin), Decision::Approve),
            refused(Principal::Flow { flow: flow("win-back") }, Decision::Approve),
            refused(Principal::System, Decision::Edit),
            refused(user("bo", Role::Approver), reject(" no ")),
            refused(user("bo", Role::Approver), reject(&"x".repeat(501))),
        ]
        .join("\n")
    );
}

#[test]
fn only_a_pending_request_in_time_can_be_decided() {
    let bo = user("bo", Role::Approver);
    for state in [ApprovalState::Approved, ApprovalState::Rejected, ApprovalState::Superseded, ApprovalState::Expired] {
        let record = ApprovalRecord { state, ..pending() };
        let refused = decide(&record, &bo, now(), &Decision::Approve);
        assert_eq!(refused, Err(DecisionError::NotPending { id: record.id.clone(), state }));
        assert_eq!(expire(&record, record.expires_at), None);
    }
    let end = pending().expires_at;
    let refused = decide(&pending(), &bo, end, &Decision::Approve);
    assert_eq!(refused, Err(DecisionError::Expired { id: pending().id, at: end }));
    assert_eq!(expire(&pending(), now()), None);
    assert_eq!(expire(&pending(), end), Some(ApprovalRecord { state: ApprovalState::Expired, ..pending() }));
}
