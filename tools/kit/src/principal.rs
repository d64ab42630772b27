//! Who acts. A principal is passed to everything that decides.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::FlowId;

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May look.
    Viewer,
    /// May write and edit messages.
    Marketer,
    /// May approve what somebody else wrote.
    Approver,
    /// May change settings and use the kill switch.
    Admin,
}

/// The actor behind a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    /// A named person.
    User {
        /// The name they signed in with.
        name: String,
        /// What they may do.
        role: Role,
    },
    /// A flow that runs by itself.
    Flow {
        /// Which flow.
        flow: FlowId,
    },
    /// The service itself: migrations, reconciliation.
    System,
}

impl Principal {
    /// A person by the name they give; `None` when it is none. One person, one name: "Ada" must not approve what "ada" wrote,
    /// nor anybody under a name by which author lists know a flow or the system, or with characters that nobody sees.
    pub fn person(name: &str, role: Role) -> Option<Self> {
        let name = name.trim().to_lowercase();
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        };
        let taken = name.contains(':') || name == Self::System.name();
        (!name.is_empty() && !taken && !name.chars().any(hidden)).then_some(Self::User { name, role })
    }

    /// True when this person may approve at all (not whether they may approve *this*).
    pub fn may_approve(&self) -> bool {
        matches!(self, Self::User { role: Role::Approver | Role::Admin, .. })
    }

    /// The stable name that author lists and audit rows hold.
    pub fn name(&self) -> String {
        match self {
            Self::User { name, .. } => format!("user:{name}"),
            Self::Flow { flow } => format!("flow:{flow}"),
            Self::System => "system".to_owned(),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
