//! Where a run stands and what moves it: drafts, decisions of people, hand-overs and holds.

use std::sync::Arc;

use jiff::Timestamp;
use kit::ApprovalId;
use kit::campaign::{BriefChoice, ClassCopy, Question};
use kit::message::{DraftRecord, Hold, Release, SendState};
use kit::tool::{Disposition, NoSend, Phase};

use super::stored::Version;
use super::{Machine, Patience, Stage, prompts};
use crate::step::{ApprovalDecision, Outcome};

/// Drafts that a person may send back within one run.
const MAX_REVISIONS: u32 = 2;
/// Drafts that may be written anew because facts or rules changed after the check.
const MAX_RECHECKS: u32 = 1;
/// Holds that are waited for. A cap of nothing or a wrong clock would otherwise hold and release for ever.
const MAX_HOLDS: u32 = 24;

/// How a call ended the turn, and perhaps the run.
pub(super) enum Ending {
    AwaitApproval { approval: ApprovalId, until: Timestamp },
    Queued { state: SendState },
    Held { hold: Hold },
    NoSend(NoSend),
    Written(Box<ClassCopy>),
    Asked(Vec<Question>),
    Offered(Vec<BriefChoice>),
    NoBrief,
}

impl Machine {
    /// A tool that ends gathering has answered.
    pub(super) fn gathered(&mut self) {
        self.gathered = true;
        if self.phase == Phase::Gather {
            self.phase = Phase::Compose;
        }
    }

    /// Takes what a call changed. A draft stands at once and the turn goes on; anything else ends the turn.
    pub(super) fn dispose(&mut self, disposition: Disposition) -> Option<Ending> {
        match disposition {
            Disposition::Drafted { draft, needs_approval } => {
                self.phase = if needs_approval.is_empty() { Phase::Deliver } else { Phase::Clear };
                self.draft = Some(Arc::new(*draft));
                self.needs_approval = needs_approval;
                self.approval = None;
                None
            }
            Disposition::AwaitApproval { approval, expires_at } => {
                Some(Ending::AwaitApproval { approval, until: expires_at })
            }
            Disposition::Queued { state } => Some(Ending::Queued { state }),
            Disposition::Held { hold } => Some(Ending::Held { hold }),
            Disposition::NoSend(reason) => Some(Ending::NoSend(reason)),
            Disposition::Written { copy } => Some(Ending::Written(copy)),
            Disposition::Briefed { brief } => (!self.briefed(*brief)).then_some(Ending::NoBrief),
            Disposition::Asked { questions } => Some(Ending::Asked(questions)),
            Disposition::Offered { choices } => Some(Ending::Offered(choices)),
        }
    }

    /// Goes on as a call decided, once every call of its turn is answered.
    pub(super) fn end_with(&mut self, ending: Ending) {
        match ending {
            Ending::AwaitApproval { approval, until } => self.await_approval(approval, until),
            Ending::Queued { state } => self.finish(Outcome::Delivered { state }),
            Ending::Held { hold } => self.held(hold),
            Ending::NoSend(reason) => self.finish(Outcome::NoSend(reason)),
            Ending::Written(copy) => self.finish(Outcome::Written { copy }),
            Ending::Asked(questions) => self.asked(questions),
            Ending::Offered(choices) => self.offered_briefs(choices),
            Ending::NoBrief => self.park("fatal", "a tool changed the brief of a run that has none".to_owned()),
        }
    }

    /// Takes a person's decision about the open request.
    pub(super) fn decided(&mut self, approval: ApprovalId, decision: ApprovalDecision) {
        match decision {
            ApprovalDecision::Approved => {
                self.approval = Some(approval);
                self.phase = Phase::Deliver;
                self.stage = Stage::Deliver;
            }
            ApprovalDecision::Rejected { reason, revise } => self.rejected(reason, revise),
            ApprovalDecision::Edited { approval, expires_at, draft } => self.edited(approval, expires_at, *draft),
            ApprovalDecision::Expired => self.finish(Outcome::NoSend(NoSend {
                code: "approval_expired".to_owned(),
                reason: "nobody decided about the message in time".to_owned(),
            })),
            ApprovalDecision::Lapsed { why } => self.finish(Outcome::NoSend(NoSend {
                code: "approval_expired".to_owned(),
                reason: format!("nobody decided about the message in time, and its control stayed: {why}"),
            })),
            ApprovalDecision::Control { control: _, approval, draft } => {
                self.version = Version::WITH_CONTROLS;
                self.draft = Some(Arc::new(*draft));
                self.approval = Some(approval);
                // It was approved as it is: no model writes it anew when a gate holds it.
                self.rounds.rechecks = MAX_RECHECKS;
                self.phase = Phase::Deliver;
                self.stage = Stage::Deliver;
            }
        }
    }

    /// Takes the outcome of a hand-over that needed no model.
    pub(super) fn handed_over(&mut self, result: Result<SendState, Hold>) {
        match result {
            Ok(state) => self.finish(Outcome::Delivered { state }),
            Err(hold) => self.held(hold),
        }
    }

    /// Begins a new stretch of conversation: no draft stands, and nothing said before counts against the model.
    pub(super) fn start_afresh(&mut self, phase: Phase) {
        self.phase = phase;
        self.draft = None;
        self.needs_approval.clear();
        self.approval = None;
        self.patience = Patience::default();
    }

    fn await_approval(&mut self, approval: ApprovalId, until: Timestamp) {
        if self.draft.is_none() {
            return self.park("fatal", format!("approval {approval} was asked for without a draft"));
        }
        self.phase = Phase::Clear;
        self.stage = Stage::AwaitApproval { approval, until };
    }

    fn rejected(&mut self, reason: String, revise: bool) {
        if !revise || self.rounds.revisions >= MAX_REVISIONS {
            return self.finish(Outcome::NoSend(NoSend { code: "rejected".to_owned(), reason }));
        }
        self.rounds.revisions = self.rounds.revisions.saturating_add(1);
        self.start_afresh(Phase::Compose);
        self.say(&prompts::revise(&reason, &self.plan.offer(self.phase)));
        self.ask();
    }

    /// The editor is an author now; somebody else decides about the new words.
    fn edited(&mut self, approval: ApprovalId, until: Timestamp, draft: DraftRecord) {
        self.draft = Some(Arc::new(draft));
        self.approval = None;
        self.await_approval(approval, until);
    }

    fn held(&mut self, hold: Hold) {
        match hold.release() {
            Release::Never if may_be_rewritten(&hold) && self.rounds.rechecks < MAX_RECHECKS => self.recheck(&hold),
            Release::Never => self.finish(Outcome::Held { hold }),
            Release::At { at } => self.await_release(Some(at), hold),
            Release::WhenLifted => self.await_release(None, hold),
        }
    }

    fn recheck(&mut self, hold: &Hold) {
        self.rounds.rechecks = self.rounds.rechecks.saturating_add(1);
        self.start_afresh(Phase::Compose);
        self.say(&prompts::recheck(hold, &self.plan.offer(self.phase)));
        self.ask();
    }

    /// Waits with a message that may be handed over again as it is.
    fn await_release(&mut self, at: Option<Timestamp>, hold: Hold) {
        if self.draft.is_none() {
            return self.park("fatal", format!("a message was held ({}) without a draft", hold.code()));
        }
        if !self.needs_approval.is_empty() && self.approval.is_none() {
            return self.park("fatal", format!("a message was held ({}) that nobody had approved", hold.code()));
        }
        self.rounds.holds = self.rounds.holds.saturating_add(1);
        if self.rounds.holds > MAX_HOLDS {
            return self.park("holds", format!("the message was held {MAX_HOLDS} times, at last because {hold}"));
        }
        self.phase = Phase::Deliver;
        self.stage = Stage::AwaitRelease { at, hold };
    }
}

/// True when the person may be written to and only the words are out of date.
fn may_be_rewritten(hold: &Hold) -> bool {
    match hold {
        Hold::FactsChanged { .. } | Hold::RulesChanged | Hold::ApprovalVoid { .. } => true,
        Hold::Killed { .. }
        | Hold::Erased
        | Hold::Cancelled { .. }
        | Hold::Unreachable { .. }
        | Hold::NoConsent
        | Hold::Withdrawn
        | Hold::Suppressed { .. }
        | Hold::TicketOpen { .. }
        | Hold::Bought { .. }
        | Hold::Holdout
        | Hold::Capped { .. }
        | Hold::Quiet { .. }
        | Hold::Recallable { .. }
        | Hold::WindowClosed { .. }
        | Hold::OtherAudience => false,
    }
}
