//! What is kept of matches: which member met which entry in which hour, and how often. Never the query.

use super::{EntryId, MemberId, Timestamp};

const HOUR_MILLIS: u64 = 3_600_000;

/// Which entry a member met in which hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchKey {
    pub entry: EntryId,
    pub member: MemberId,
    /// Its beginning.
    pub hour: Timestamp,
}

/// How far an entry reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// Members that met it.
    pub members: u64,
    /// How often they did.
    pub matches: u64,
}

/// How often a member met an entry, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    pub matches: u64,
    /// The beginning of the first hour in which it did.
    pub first: Timestamp,
    /// The beginning of the last.
    pub last: Timestamp,
}

impl Timestamp {
    /// The beginning of the hour that it is in.
    #[must_use]
    pub fn hour(self) -> Self {
        Self::from_millis(self.millis() - self.millis() % HOUR_MILLIS).unwrap_or(self)
    }
}
