//! Edits of a marketer that need no model.

use kit::campaign::Brief;

use crate::desk::ShopFacts;
use crate::standing;

/// Why an assumption cannot be flipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlipError {
    /// There is none of that number.
    #[error("the brief has no assumption A{0}; /show lists them")]
    Unknown(u32),
    /// What it flips to is forbidden.
    #[error("it cannot be flipped: {0}")]
    Forbidden(String),
}

/// The brief with an assumption flipped, one version later; computed parts are as they were.
///
/// # Errors
/// When there is no such assumption, or a standing constraint forbids the other setting.
pub fn flip(brief: &Brief, id: u32, facts: &ShopFacts) -> Result<Brief, FlipError> {
    let mut next = brief.clone();
    let assumption = next.assumptions.iter_mut().find(|a| a.id == id).ok_or(FlipError::Unknown(id))?;
    assumption.flipped = !assumption.flipped;
    let setting = assumption.holds().clone();
    next.set(setting);
    if let Some((constraint, what)) = standing::broken(&next, facts).first() {
        return Err(FlipError::Forbidden(format!("{} stands, and {what}", constraint.words())));
    }
    next.version = brief.version.saturating_add(1);
    Ok(next)
}
