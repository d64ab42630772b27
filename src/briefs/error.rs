//! What can be in the way of a conversation.

use kit::{BriefId, StoreError};

use crate::runs::DriveError;

/// Why a conversation cannot go on. The conversation itself is unharmed.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Storage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run cannot be driven.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// No such brief.
    #[error("there is no brief {0}; see `mailwright chat list`")]
    Unknown(BriefId),
    /// Nothing or too much was said.
    #[error("say between 1 and {max} characters; these were {count}")]
    Words {
        /// How many came.
        count: usize,
        /// How many are allowed.
        max: usize,
    },
    /// It is the model's turn.
    #[error("a turn is under way; wait for its end, or stop it")]
    Busy,
    /// The conversation has ended.
    #[error("this conversation has ended: {0}; begin a new brief")]
    Ended(String),
    /// The first version cannot be undone.
    #[error("there is nothing to undo")]
    NothingToUndo,
    /// An assumption cannot be flipped.
    #[error(transparent)]
    Flip(#[from] brief::FlipError),
    /// There is no such choice.
    #[error("there is no brief {0} to choose; {1}")]
    NoChoice(usize, String),
    /// There is no such constraint.
    #[error("no constraint C{0} stands; /show lists them")]
    NoConstraint(u32),
    /// The brief changed meanwhile.
    #[error("the brief was changed by somebody else at this moment; look at it again")]
    Overtaken,
    /// Something is missing before messages can be written.
    #[error("nothing can be written yet; missing: {}", .0.join("; "))]
    NotReady(Vec<String>),
    /// A value that cannot be written or read.
    #[error("the conversation cannot be stored: {0}")]
    Form(String),
}

impl ChatError {
    pub(super) fn form(error: impl std::fmt::Display) -> Self {
        Self::Form(error.to_string())
    }

    /// True when the same request may work a little later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Drive(DriveError::Elsewhere(_)) | Self::Busy | Self::Overtaken => true,
            Self::Drive(DriveError::Store(error)) => error.is_retryable(),
            Self::Drive(DriveError::Unknown(_) | DriveError::Diverged { .. } | DriveError::Release { .. })
            | Self::Unknown(_)
            | Self::Words { .. }
            | Self::Ended(_)
            | Self::NothingToUndo
            | Self::Flip(_)
            | Self::NoChoice(..)
            | Self::NoConstraint(_)
            | Self::NotReady(_)
            | Self::Form(_) => false,
        }
    }
}
