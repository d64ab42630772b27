//! What goes over the socket: a length of four bytes, then JSON; one request, one reply.

use kit::{ApprovalId, RunId, ShopId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::approvals::{Edit, Seen};

/// The longest frame: a webhook body of 4 MB in hexadecimal, and room.
const MAX_FRAME: u32 = 12 << 20;

/// What the active process is asked to do, for one shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The shop; may be left out when the process drives one only.
    pub shop: Option<ShopId>,
    /// What.
    pub command: Command,
    /// A token that says who asks. It goes over the owner's socket alone, and is kept nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Say that you are there.
    Ping,
    /// Approve.
    Approve {
        /// What.
        approval: ApprovalId,
        /// Who.
        by: String,
        /// What they saw.
        seen: Seen,
        /// How many people get it, where that is asked.
        typed_count: Option<u32>,
    },
    /// Take an approval back.
    Recall {
        /// What.
        approval: ApprovalId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// Reject.
    Reject {
        /// What.
        approval: ApprovalId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// Let the writer try again.
        revise: bool,
        /// What they saw, when they say so.
        seen: Option<Seen>,
    },
    /// Edit.
    Edit {
        /// What.
        approval: ApprovalId,
        /// Who.
        by: String,
        /// How.
        edit: Edit,
    },
    /// Stop.
    KillOn {
        /// What.
        scope: String,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// Go on.
    KillOff {
        /// What.
        scope: String,
        /// Who.
        by: String,
    },
    /// Look at once for what is due.
    Resume {
        /// A run that was parked because a step failed too often.
        run: Option<RunId>,
    },
    /// Call a run off.
    Cancel {
        /// Which.
        run: RunId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// Take in a webhook by hand.
    Trigger {
        /// Which platform.
        source: String,
        /// The topic by its own name.
        topic: String,
        /// The platform's event id.
        event_id: Option<String>,
        /// The body, in hexadecimal.
        body: String,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done; what there is to say as JSON.
    Done(serde_json::Value),
    /// Not done, and why.
    Failed(String),
}

/// Why a talk over the socket failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket cannot be made.
    #[error("the local socket {path} cannot be opened: {source}")]
    Bind {
        /// Where.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The line broke.
    #[error(
        "the process that drives this data folder broke off the talk: {0}; whether it did what was asked shows in the lists"
    )]
    Line(#[from] std::io::Error),
    /// What came cannot be read.
    #[error("what came over the local socket cannot be read: {0}")]
    Form(#[from] serde_json::Error),
    /// A frame is too long.
    #[error("{0} bytes are too long for the local socket")]
    Long(u64),
}

pub(super) async fn send<T: Serialize>(line: &mut (impl AsyncWriteExt + Unpin), value: &T) -> Result<(), ControlError> {
    let body = serde_json::to_vec(value)?;
    let length = u32::try_from(body.len()).ok().filter(|n| *n <= MAX_FRAME);
    let length = length.ok_or(ControlError::Long(body.len() as u64))?;
    line.write_all(&length.to_be_bytes()).await?;
    line.write_all(&body).await?;
    line.flush().await?;
    Ok(())
}

pub(super) async fn receive<T: DeserializeOwned>(line: &mut (impl AsyncReadExt + Unpin)) -> Result<T, ControlError> {
    let mut length = [0u8; 4];
    line.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length);
    if length > MAX_FRAME {
        return Err(ControlError::Long(u64::from(length)));
    }
    let mut body = vec![0; length as usize];
    line.read_exact(&mut body).await?;
    Ok(serde_json::from_slice(&body)?)
}
