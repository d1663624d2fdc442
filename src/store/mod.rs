//! The store: the ledger and everything folded from it, in one RocksDB. The only module that names RocksDB.
//!
//! Invariant: one commit is one synced `WriteBatch` across all column families: after a crash either all of it is there or
//! nothing. It knows rows, not rules: what a row means is decided above. Layout byte for byte: `docs/storage.md`.

mod batch;
mod files;
mod keys;
mod open;
mod read;
mod register;
mod signals;
mod snapshot;

pub use batch::{Batch, FOLD_VERSION, Fault};
pub use files::{read_secret, write_public, write_secret};
pub use open::{OpenError, Store};
pub use read::StoredEvent;
pub use register::RegisterRow;
pub use signals::{SignalPart, SignalRow};
pub use snapshot::Snapshot;

/// A row could not be read or written, or is not what it must be.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// RocksDB failed.
    #[error("the database failed: {0}")]
    Database(#[from] rocksdb::Error),
    /// A row is not what the hub writes: the disk or another program changed it.
    #[error("row {row} of `{family}` is damaged: {problem}")]
    Damaged { family: &'static str, row: String, problem: String },
    /// RocksDB did not write all files anew that it was to: it says nothing of why.
    #[error("{files} of the files that may hold erased rows were not written anew")]
    NotPurged { files: usize },
    /// A fault asked for by a test.
    #[error("an injected fault")]
    Injected,
}

impl StoreError {
    fn damaged(family: Family, row: impl std::fmt::Display, problem: impl std::fmt::Display) -> Self {
        Self::Damaged { family: family.name(), row: row.to_string(), problem: problem.to_string() }
    }
}

/// The column families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Leaf index -> what opens the leaf.
    Events,
    /// Level, index -> hash of a complete subtree.
    Tree,
    /// Entry id -> what has become of it.
    Entries,
    /// Kind, value, entry id -> valid-until: what the index is rebuilt from.
    Signals,
    /// Member id -> member.
    Members,
    /// Key id -> key.
    Keys,
    /// Request digest -> leaf index.
    Requests,
    /// Entry id, member, hour -> how often the member met the entry. No fold; kept for as long as the policy says.
    Receipts,
    /// Entry id, leaf index -> nothing: what happened to an entry after it was contributed.
    History,
    /// Entry id -> nothing: what reviewers are to look at.
    Attention,
    /// Incident's code, zero, entry id -> nothing: the entries of each incident.
    IncidentEntries,
    /// Entity, zero, entry id -> nothing: the entries that rest on a list's naming the entity.
    Listed,
    /// Key id, entry id -> nothing: what was contributed with each key.
    KeyEntries,
    /// Leaf index -> appeal.
    Appeals,
    /// Leaf index -> entry id: decisions and withdrawals after which an entry counts for less or for something else.
    Reversals,
    /// Kind, value, leaf index -> nothing: the signals of benign items.
    Benign,
    /// Leaf index -> nothing: the benign items.
    BenignItems,
    /// What standing rests on beside entries: rules, trust, incidents, what was taken off lists.
    Register,
    /// Leaf index of an event that is about no entry -> when it happened.
    Audit,
    /// Day, member, kind -> how much it read.
    Reads,
    /// Key -> the hour in which it was last used.
    LastUsed,
    /// Checkpoint, how far the fold has come.
    Meta,
}

impl Family {
    const ALL: [Self; 22] = [
        Self::Events,
        Self::Tree,
        Self::Entries,
        Self::Signals,
        Self::Members,
        Self::Keys,
        Self::Requests,
        Self::Receipts,
        Self::History,
        Self::Attention,
        Self::IncidentEntries,
        Self::Listed,
        Self::KeyEntries,
        Self::Appeals,
        Self::Reversals,
        Self::Benign,
        Self::BenignItems,
        Self::Register,
        Self::Audit,
        Self::Reads,
        Self::LastUsed,
        Self::Meta,
    ];

    /// Those that hold nothing but a fold of `events`.
    const FOLDED: [Self; 16] = [
        Self::Entries,
        Self::Signals,
        Self::Members,
        Self::Keys,
        Self::Requests,
        Self::History,
        Self::Attention,
        Self::IncidentEntries,
        Self::Listed,
        Self::KeyEntries,
        Self::Appeals,
        Self::Reversals,
        Self::Benign,
        Self::BenignItems,
        Self::Register,
        Self::Audit,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Tree => "tree",
            Self::Entries => "entries",
            Self::Signals => "signals",
            Self::Members => "members",
            Self::Keys => "keys",
            Self::Requests => "requests",
            Self::Receipts => "receipts",
            Self::History => "history",
            Self::Attention => "attention",
            Self::IncidentEntries => "incident_entries",
            Self::Listed => "listed",
            Self::KeyEntries => "key_entries",
            Self::Appeals => "appeals",
            Self::Reversals => "reversals",
            Self::Benign => "benign",
            Self::BenignItems => "benign_items",
            Self::Register => "register",
            Self::Audit => "audit",
            Self::Reads => "reads",
            Self::LastUsed => "last_used",
            Self::Meta => "meta",
        }
    }
}
