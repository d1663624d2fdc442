//! Use case: what was contributed with a key that is thought to have been in other hands.

use std::sync::Arc;

use super::read::{self, ReadError};
use crate::domain::{Actor, EntryId, Fact, KeyId, Timestamp};
use crate::policy::{Permit, operation};
use crate::store::{Store, StoredEvent};

/// Events that are read at a time: reading is blocking, and others have their turn between two pages.
const PAGE: usize = 2_000;

/// Looks through the ledger for what was done with a key.
#[derive(Clone)]
pub struct Examine {
    pub(super) store: Arc<Store>,
}

/// An entry that was contributed with the key, and what has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    pub entry: EntryId,
    pub contributed: Timestamp,
    pub is_withdrawn: bool,
}

/// Suspects, and where the next page begins; nowhere after the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspectPage {
    pub suspects: Vec<Suspect>,
    pub next: Option<u64>,
}

impl Examine {
    /// Where to begin for everything since then: the first leaf whose event is not older. Events are in the order of their times.
    ///
    /// # Errors
    /// [`ReadError`] if the ledger cannot be read.
    pub fn first_since(&self, since: Timestamp) -> Result<u64, ReadError> {
        let (mut low, mut high) = (0, self.store.folded()?);
        while low < high {
            let middle = low + (high - low) / 2;
            // Of an erased one the time is not known: the nearest before it tells.
            let is_older = self.time_at_or_before(middle)?.is_none_or(|at| at < since);
            if is_older { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    fn time_at_or_before(&self, index: u64) -> Result<Option<Timestamp>, ReadError> {
        for index in (0..=index).rev() {
            if let Some(event) = read::event(&self.store, index)? {
                return Ok(Some(event.at));
            }
        }
        Ok(None)
    }

    /// One page of what was contributed with `key` from leaf `from` on.
    ///
    /// # Errors
    /// [`ReadError`] if the ledger cannot be read.
    pub fn page(
        &self,
        _permit: &Permit<operation::ListMembers>,
        key: KeyId,
        from: u64,
    ) -> Result<SuspectPage, ReadError> {
        let (mut suspects, mut seen) = (Vec::new(), 0);
        for row in self.store.events(from)?.take(PAGE) {
            let (index, stored) = row?;
            seen += 1;
            let StoredEvent::Open { event: record, .. } = stored else { continue };
            let event = read::decode(index, &record)?;
            let with_it = matches!(event.by, Actor::Member { key: by, .. } if by == key);
            if with_it && matches!(event.fact, Fact::Contributed { .. }) {
                let entry = EntryId(index);
                let state = self.store.entry_state(entry)?.unwrap_or_default();
                suspects.push(Suspect { entry, contributed: event.at, is_withdrawn: state.withdrawn.is_some() });
            }
        }
        Ok(SuspectPage { suspects, next: (seen == PAGE).then_some(from + PAGE as u64) })
    }
}
