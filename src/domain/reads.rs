//! How much members read of what others brought: counted by day, never which.

use super::codes::codes;
use super::{Date, MemberId};

codes! {
    /// What is counted.
    ReadKind, "kind" {
        /// Entries of others that were traced.
        Entries = "entries",
        /// Events of others that were opened to a follower.
        Events = "events",
        /// Times that a member's name was shown beside its pseudonym.
        Names = "names",
    }
}

/// Whose reading of what, on which day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadKey {
    pub day: Date,
    pub member: MemberId,
    pub kind: ReadKind,
}
