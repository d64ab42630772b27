//! How runs go on and what becomes of them; every mail that is looked at passes the oracle.

use std::sync::Arc;
use std::time::Duration;

use agent::Outcome;
use kit::message::{ApprovalState, SendState};
use kit::{ApprovalId, Principal, Role, RunId, Timestamp};
use mailwright::approvals::{Assent, DecideError, Looked, Signed};
use mailwright::intake::Intake;
use mailwright::runs::{DriveError, Rest, Silent};
use mailwright::store::{Approval, RunState};

use super::{Mail, World, team};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// A mail is in the outbox.
    Sent(Box<Mail>),
    /// No message, on purpose: the code.
    NoSend(String),
    /// A message was dropped: the code of the hold.
    Dropped(String),
    /// A message waits for its cause to pass: the code, and when it tries again by itself.
    Held(String, Option<Timestamp>),
    /// It waits for a person: the codes of the reasons.
    Waiting(Vec<String>),
    /// It waits for its time.
    Delayed(Timestamp),
    /// An operator must look: the code.
    Parked(String),
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sent(_) => f.write_str("sent"),
            Self::NoSend(code) => write!(f, "no_send {code}"),
            Self::Dropped(code) => write!(f, "dropped {code}"),
            Self::Held(code, _) => write!(f, "held {code}"),
            Self::Waiting(reasons) => write!(f, "waiting {}", reasons.join("+")),
            Self::Delayed(_) => f.write_str("delayed"),
            Self::Parked(code) => write!(f, "parked {code}"),
        }
    }
}

impl Fate {
    pub(crate) fn mail(self) -> Mail {
        match self {
            Self::Sent(mail) => *mail,
            other => panic!("no mail: {other}"),
        }
    }
}

/// The one run that an event began.
pub(crate) fn only_run(intake: &Intake) -> RunId {
    assert_eq!(intake.runs.len(), 1, "{intake:?}");
    intake.runs[0].run.clone()
}

impl World {
    /// Drives one run as the service would, now.
    pub(crate) async fn drive(&mut self, run: &RunId) -> Fate {
        self.step().await;
        let driver = self.tenant.driver(Arc::new(Silent));
        let rest = loop {
            match driver.drive(run).await {
                // A server in the same world has it in hand; how that ended is told by the next try.
                Err(DriveError::Elsewhere(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                other => break other.unwrap(),
            }
        };
        match rest {
            Rest::Done(Outcome::Delivered { state: SendState::Sent { .. } }) => {
                Fate::Sent(Box::new(self.mail_of(run).await))
            }
            Rest::Done(Outcome::Delivered { state }) => Fate::Dropped(state.as_str().to_owned()),
            Rest::Done(Outcome::Written { .. }) => panic!("a flow's run writes for one person"),
            Rest::Done(Outcome::NoSend(reason)) => Fate::NoSend(reason.code),
            Rest::Done(Outcome::Held { hold }) => Fate::Dropped(hold.code().to_owned()),
            Rest::Done(Outcome::Parked(reason)) => Fate::Parked(format!("{} ({})", reason.code, reason.text)),
            Rest::Held { hold, at } => Fate::Held(hold.code().to_owned(), at),
            Rest::Approval { approval, .. } => {
                let found = self.tenant.store.approval(&approval).await.unwrap().unwrap();
                Fate::Waiting(found.reasons.into_iter().map(|r| r.code).collect())
            }
            Rest::Delayed { until } => Fate::Delayed(until),
            Rest::Marketer { ended } => panic!("a run for a customer waits for a marketer: {ended:?}"),
        }
    }

    /// Moves the clock to the run's own time, if that lies ahead, and drives it.
    pub(crate) async fn in_time(&mut self, run: &RunId) -> Fate {
        let row = self.tenant.store.run(run).await.unwrap().unwrap();
        if let (RunState::Delayed | RunState::Waiting, Some(at)) = (row.state, row.wake_at) {
            self.clock.set(at.max(self.now()));
        }
        self.drive(run).await
    }

    pub(crate) async fn pending(&self) -> Vec<Approval> {
        self.tenant.store.approvals(ApprovalState::Pending, 100).await.unwrap()
    }

    /// The one approval that is open.
    pub(crate) async fn asked(&self) -> Approval {
        let mut pending = self.pending().await;
        assert_eq!(pending.len(), 1);
        pending.remove(0)
    }

    /// Somebody looks at a request and says yes to what they saw.
    pub(crate) async fn approve(&self, id: &ApprovalId, who: &Principal) -> Result<Signed, DecideError> {
        let Looked { seen, route, .. } = self.tenant.look(id).await?;
        self.tenant.approve(id, who, &Assent { seen, typed_count: route.typed_count }).await
    }

    /// An approver who wrote nothing says yes to everything that is open.
    pub(crate) async fn approve_all(&mut self) -> Vec<ApprovalId> {
        self.step().await;
        let mut done = Vec::new();
        for approval in self.pending().await {
            self.approve(&approval.record.id, &team("nora", Role::Approver)).await.unwrap();
            done.push(approval.record.id);
        }
        done
    }

    pub(crate) async fn reject_all(&mut self, reason: &str, revise: bool) {
        self.step().await;
        for approval in self.pending().await {
            self.tenant.reject(&approval.record.id, &team("nora", Role::Approver), reason, revise, None).await.unwrap();
        }
    }

    async fn mail_of(&self, run: &RunId) -> Mail {
        let sends = self.tenant.store.sends(100).await.unwrap();
        let send = sends.iter().find(|s| s.run == *run).unwrap();
        let file = self.folder.path().join("outbox/new").join(format!("{}.eml", send.key));
        let mail = Mail::read(&std::fs::read(file).unwrap());
        self.examine(&mail, &send.customer);
        mail
    }

    /// Every mail in the outbox, whoever it went to.
    pub(crate) fn outbox(&self) -> Vec<Mail> {
        let entries = std::fs::read_dir(self.folder.path().join("outbox/new")).unwrap();
        entries.map(|entry| Mail::read(&std::fs::read(entry.unwrap().path()).unwrap())).collect()
    }
}
