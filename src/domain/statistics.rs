//! What statistics rest on that no other fact says: how often entries matched, and what auditors found in random samples.

use super::codes::codes;
use super::{Action, Code, EntryId, SignalKind, Timestamp};

/// Matches that were shown to checkers in a part of one hour. Neither whose they were nor which entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub since: Timestamp,
    /// Before then. At most the end of the hour that `since` is in.
    pub until: Timestamp,
    /// At most [`Tally::CELLS_MAX`], sorted, all different; what is not there is none.
    pub cells: Vec<TallyCell>,
}

impl Tally {
    /// The most cells of one event: more are told in several.
    pub const CELLS_MAX: usize = 400;
}

/// How many matches were alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TallyCell {
    /// A match of an entry with several labels is counted with each of them.
    pub label: Code,
    /// Of the best evidence.
    pub kind: SignalKind,
    /// The most that the match supported.
    pub action: Action,
    pub matches: u64,
}

/// Entries drawn at random from those that matched, so that an auditor can judge them. Its id is its leaf.
///
/// Drawn from the ledger's first `size` leaves: whoever has these and the nonce draws the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub size: u64,
    /// The auditor's: the hub cannot know it before it has signed the root of that size.
    pub nonce: [u8; 32],
    /// In the order in which they were drawn, all different.
    pub entries: Vec<EntryId>,
}

impl Sample {
    /// The most entries of one sample.
    pub const ENTRIES_MAX: usize = 500;
}

codes! {
    /// What an auditor found about an entry of a sample.
    SampleVerdict, "verdict" {
        /// It belongs on the list under its labels.
        Correct = "correct",
        /// It does not.
        Error = "error",
        /// That cannot be told from what the auditor could see.
        Undecidable = "undecidable",
    }
}
