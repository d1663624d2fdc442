//! Whether what stands in the place of an erased contribution is what the event that erased it committed to.

use std::collections::BTreeMap;

use super::read::{self, ReadError};
use crate::domain::{EntryId, Event, Fact};
use crate::ledger::Leaf;
use crate::store::{Store, StoreError, StoredEvent};

/// What stands in the place of a contribution is not what the ledger says remains of it; or the other way round.
#[derive(Debug, thiserror::Error)]
pub enum RemainsError {
    /// It has no event of its own, and none that the ledger says to have erased it.
    #[error("event {index} is said to be erased by event {by}, which does not say so")]
    NotErased { index: u64, by: u64 },
    /// The event that erased it committed to something else.
    #[error("what remains of event {index} is not what event {by} committed to")]
    Commitment { index: u64, by: u64 },
    /// It should have been erased.
    #[error("event {index} was erased by event {by}, and is there still")]
    StillThere { index: u64, by: u64 },
    /// What remains of a contribution stands where there was none.
    #[error("event {index} is what remains of a contribution, and was not erased")]
    Whole { index: u64 },
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<StoreError> for RemainsError {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

/// Compares leaves with the events that erased them, and the other way round.
pub struct CheckedRemains<'a> {
    store: &'a Store,
    /// What the event that was read last said to have erased: those of one event lie side by side.
    last: Option<(u64, BTreeMap<EntryId, [u8; 33]>)>,
}

impl<'a> CheckedRemains<'a> {
    /// All leaves are in the store.
    pub const fn new(store: &'a Store) -> Self {
        Self { store, last: None }
    }

    /// Checks leaf `index`, whose event is `event`.
    ///
    /// # Errors
    /// [`RemainsError`].
    pub fn check(&mut self, index: u64, stored: &StoredEvent, event: &Event) -> Result<(), RemainsError> {
        if let Some(by) = stored.erased_by() {
            let (salt, bytes) = stored.opening();
            let commitment = self.erased(by)?.get(&EntryId(index)).ok_or(RemainsError::NotErased { index, by })?;
            let is_committed_to = Leaf::from_bytes(commitment).is_ok_and(|leaf| leaf.opens(salt, bytes));
            let is_remains = matches!(event.fact, Fact::Remains(_)) && index < by;
            return if is_committed_to && is_remains { Ok(()) } else { Err(RemainsError::Commitment { index, by }) };
        }
        match &event.fact {
            Fact::Remains(_) => Err(RemainsError::Whole { index }),
            Fact::Erased { erased, .. } => {
                for one in erased {
                    let stored = self.store.event(one.entry.0)?;
                    if stored.and_then(|stored| stored.erased_by()) != Some(index) {
                        return Err(RemainsError::StillThere { index: one.entry.0, by: index });
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What event `by` said to have erased.
    fn erased(&mut self, by: u64) -> Result<&BTreeMap<EntryId, [u8; 33]>, RemainsError> {
        let known = self.last.take().filter(|(index, _)| *index == by);
        let read = match known {
            Some(known) => known,
            None => {
                let fact = read::event(self.store, by)?.map(|event| event.fact);
                let Some(Fact::Erased { erased, .. }) = fact else {
                    return Ok(&self.last.insert((by, BTreeMap::new())).1);
                };
                (by, erased.into_iter().map(|one| (one.entry, one.commitment)).collect())
            }
        };
        Ok(&self.last.insert(read).1)
    }
}
