//! Entries: one member's contribution about one item.

use std::fmt;
use std::str::FromStr;

use super::provenance::sort_distinct;
use super::{Code, FieldError, MemberId, Provenance, Signal, Timestamp};

/// An entry's id: the index of its leaf in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

/// Text that is not an entry id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an entry id: digits only")]
pub struct EntryIdError;

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EntryId {
    type Err = EntryIdError;

    fn from_str(text: &str) -> Result<Self, EntryIdError> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse().map(Self).map_err(|_| EntryIdError)
        } else {
            Err(EntryIdError)
        }
    }
}

/// What a member wants to put on the list: 1 to 16 signals of one item, 1 to 8 labels, provenance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Draft {
    signals: Vec<Signal>,
    labels: Vec<Code>,
    provenance: Provenance,
}

impl Draft {
    /// An item has about six hashes in practice: crops and re-encodings of one picture.
    pub const SIGNALS_MAX: usize = 16;
    /// More labels than behaviours there are would say nothing.
    pub const LABELS_MAX: usize = 8;

    /// Checks what can be checked without a taxonomy or a clock, and puts lists into their one order.
    ///
    /// # Errors
    /// The first field that is not as it must be.
    pub fn new(signals: Vec<Signal>, mut labels: Vec<Code>, provenance: Provenance) -> Result<Self, FieldError> {
        check_count("signals", signals.len(), Self::SIGNALS_MAX)?;
        check_count("labels", labels.len(), Self::LABELS_MAX)?;
        for (at, signal) in signals.iter().enumerate() {
            let same = |other: &Signal| other.kind() == signal.kind() && other.value() == signal.value();
            if let Some(first) = signals[..at].iter().position(same) {
                return Err(FieldError::new(format!("signals[{at}]"), format_args!("is the same as signals[{first}]")));
            }
        }
        sort_distinct(&mut labels, "labels")?;
        let provenance = provenance.normalized().map_err(|error| error.within("provenance"))?;
        Ok(Self { signals, labels, provenance })
    }

    /// 1 to 16, all different, in the contributor's order.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// 1 to 8, sorted.
    pub fn labels(&self) -> &[Code] {
        &self.labels
    }

    /// The provenance.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

/// Refuses an empty list and one that is too long.
pub fn check_count(path: &str, count: usize, max: usize) -> Result<(), FieldError> {
    if (1..=max).contains(&count) {
        Ok(())
    } else {
        Err(FieldError::new(path, format_args!("must be 1 to {max}, got {count}")))
    }
}

/// A draft as the ledger holds it. Immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    pub contributor: MemberId,
    /// When the hub took it in.
    pub contributed: Timestamp,
    /// The taxonomy its labels belong to.
    pub taxonomy: u32,
    pub draft: Draft,
}

/// What has become of an entry since it was contributed, as far as events say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryState {
    /// The event that withdrew it.
    pub withdrawn: Option<Withdrawal>,
}

/// When and by which event an entry was withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub event: u64,
    pub at: Timestamp,
}
