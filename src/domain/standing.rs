//! What an entry counts for now. Computed from events when somebody asks, never stored as truth.

use super::codes::codes;
use super::{Action, Code};

codes! {
    /// What an entry counts for.
    Standing, "standing" {
        /// Held back: it is there, but supports no action.
        Quarantined = "quarantined",
        /// One organisation stands for it.
        Provisional = "provisional",
        /// Independent organisations agree.
        Active = "active",
        /// Somebody disagrees.
        Disputed = "disputed",
        /// Its contributor took it back.
        Withdrawn = "withdrawn",
        /// Reviewers took it away.
        Revoked = "revoked",
        /// Its time has passed.
        Expired = "expired",
    }
}

impl Standing {
    /// Whether an entry of this standing may appear as a match.
    pub const fn is_matchable(self) -> bool {
        !matches!(self, Self::Withdrawn | Self::Revoked | Self::Expired)
    }
}

/// One rule's part in an assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code of the rule.
    pub rule: &'static str,
    /// The rule applied to this entry, in plain words.
    pub words: String,
    /// The ceiling this rule sets, if it sets one.
    pub ceiling: Option<Action>,
    /// The leaves that it rests on beside the entry's own, oldest first.
    pub events: Vec<u64>,
}

/// Standing, the strongest action the evidence supports, and every rule that had a part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    pub standing: Standing,
    pub action: Action,
    /// The labels that it has now: its contributor's, or those that reviewers gave it.
    pub labels: Vec<Code>,
    pub reasons: Vec<Reason>,
}
