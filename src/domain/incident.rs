//! Incidents: an attack whose footage is spreading, while its entries take a faster way.

use super::{Code, KeyId, Timestamp};

/// An incident as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its label is the taxonomy's prefix and this.
    pub code: Code,
    /// Of the policy's types of incidents.
    pub kind: Code,
    /// Entries of a drill never match anything.
    pub is_drill: bool,
    /// The leaf that opened it, or proposed to.
    pub event: u64,
    /// `None`: one person has proposed it, and nobody has seconded that.
    pub opened: Option<Timestamp>,
    /// It is open until then at the latest.
    pub until: Timestamp,
    /// When it was closed, or ended by itself.
    pub closed: Option<Timestamp>,
    /// What one person has proposed and nobody has seconded yet.
    pub proposed: Vec<Proposed>,
}

impl Incident {
    /// What the labels of incidents begin with; their codes follow.
    pub const LABEL_PREFIX: &'static str = "incident-";
    /// The longest code, so that its label is not too long for one.
    pub const CODE_CHARS_MAX: usize = Code::CHARS_MAX - Self::LABEL_PREFIX.len();

    /// What entries of the incident `code` are labelled with; `None` if the code is longer than one of an incident can be.
    pub fn label_of(code: &Code) -> Option<Code> {
        format!("{}{code}", Self::LABEL_PREFIX).parse().ok()
    }

    /// The incident whose label this is, if it is one's.
    pub fn of_label(label: &Code) -> Option<Code> {
        label.as_str().strip_prefix(Self::LABEL_PREFIX)?.parse().ok()
    }

    /// Whether it is, or was, open at `at`.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.opened.is_some_and(|opened| opened <= at)
            && at < self.until
            && self.closed.is_none_or(|closed| at < closed)
    }
}

/// What is to become of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncidentChange {
    Open {
        kind: Code,
        is_drill: bool,
        until: Timestamp,
    },
    /// It ends then instead.
    Extend {
        until: Timestamp,
    },
    Close,
}

impl IncidentChange {
    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Extend { .. } => "extend",
            Self::Close => "close",
        }
    }
}

/// A change that waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    pub change: IncidentChange,
    pub by: KeyId,
    pub at: Timestamp,
}
