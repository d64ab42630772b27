//! The stored form of a machine: a version in front, shared parts in full.

use serde::{Deserialize, Serialize};

use super::{Machine, RestoreError};

/// The newest version of the stored state and of the rules that fold inputs into it. A change to either raises it, and a
/// fixture of every version is kept under tests/fixtures.
///
/// Version 2 added conversations about briefs. A run for a customer is written as version 1 still: nothing about it changed,
/// and a program that knows version 1 only can go on with it. Version 3 added controls that stand in for a message; only a run
/// that sends one is written so.
pub const MACHINE_VERSION: u32 = 3;

/// The version of conversations.
const TALKS: u32 = 2;

/// The oldest version that is read.
const OLDEST: u32 = 1;

/// The version in front of a state; reading an unknown one fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(super) struct Version(u32);

impl Version {
    /// What a run is written as whose message a control stands in for.
    pub(super) const WITH_CONTROLS: Self = Self(MACHINE_VERSION);

    /// What a run of this kind is written as.
    pub(super) fn for_run(talks: bool) -> Self {
        Self(if talks { TALKS } else { OLDEST })
    }
}

impl From<Version> for u32 {
    fn from(version: Version) -> u32 {
        version.0
    }
}

impl TryFrom<u32> for Version {
    type Error = RestoreError;
    fn try_from(found: u32) -> Result<Self, RestoreError> {
        if (OLDEST..=MACHINE_VERSION).contains(&found) { Ok(Self(found)) } else { Err(RestoreError::Version { found }) }
    }
}

impl Machine {
    /// Reads a stored state.
    ///
    /// # Errors
    /// [`RestoreError::Version`] for the state of another machine version, [`RestoreError::Form`] for anything else that is
    /// no state.
    pub fn restore(json: &str) -> Result<Self, RestoreError> {
        #[derive(Deserialize)]
        struct Header {
            version: u32,
        }
        // The version is read on its own: the rest of another version's state need not fit.
        let header: Header = serde_json::from_str(json)?;
        Version::try_from(header.version)?;
        Ok(serde_json::from_str(json)?)
    }
}

/// Writes what an `Arc` holds, and reads it into a new one.
pub(super) mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().serialize(to)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}

/// The same for something that may be missing.
pub(super) mod shared_option {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &Option<Arc<T>>, to: S) -> Result<S::Ok, S::Error> {
        value.as_deref().serialize(to)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Arc<T>>, D::Error> {
        Ok(Option::<T>::deserialize(from)?.map(Arc::new))
    }
}
