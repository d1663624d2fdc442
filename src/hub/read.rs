//! Reading entries and events: rows of the store turned into words of the domain.

use crate::domain::{Actor, Benign, Entry, EntryId, EntryState, Event, Fact, Timestamp};
use crate::index::SearchError;
use crate::ledger::record::{RecordError, decode_event};
use crate::store::{Store, StoreError};

/// Something that is in the store could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bytes of an event are not an event.
    #[error("event {index} {source}")]
    Record { index: u64, source: RecordError },
    /// An event that must be there is not.
    #[error("event {index} is missing")]
    NoSuchEvent { index: u64 },
    /// An index promises less than its kind: the hub was put together wrongly.
    #[error(transparent)]
    Search(#[from] SearchError),
}

/// The event of leaf `index`, or what remains of it; `None` if there is no such leaf.
pub fn event(store: &Store, index: u64) -> Result<Option<Event>, ReadError> {
    store.event(index)?.map(|stored| decode(index, stored.opening().1)).transpose()
}

/// Reads an event's bytes.
pub fn decode(index: u64, bytes: &[u8]) -> Result<Event, ReadError> {
    decode_event(bytes).map_err(|source| ReadError::Record { index, source })
}

/// The entry `id`, as contributed; `None` if there is no such entry, or it was erased.
pub fn entry(store: &Store, id: EntryId) -> Result<Option<Entry>, ReadError> {
    Ok(event(store, id.0)?.and_then(|event| as_entry(id, event)))
}

/// The entry `id` and what has become of it; `None` if there is no such entry, or it was erased.
pub fn entry_with_state(store: &Store, id: EntryId) -> Result<Option<(Entry, EntryState)>, ReadError> {
    let Some(state) = store.entry_state(id)? else { return Ok(None) };
    Ok(entry(store, id)?.map(|entry| (entry, state)))
}

/// The benign item `id` and the event that put it on the list, also if it was removed since; `None` if there is no such item.
pub fn benign(store: &Store, id: u64) -> Result<Option<(Benign, Event)>, ReadError> {
    Ok(event(store, id)?.and_then(|event| match &event.fact {
        Fact::BenignAdded(benign) => Some((benign.clone(), event)),
        _ => None,
    }))
}

/// The entry that `event` contributed, if it is such an event.
pub fn as_entry(id: EntryId, event: Event) -> Option<Entry> {
    match (event.fact, event.by) {
        (Fact::Contributed { taxonomy, draft, .. }, Actor::Member { member, key }) => {
            Some(Entry { id, contributor: member, key, contributed: event.at, taxonomy, draft })
        }
        _ => None,
    }
}

/// The first leaf whose event is not older. Events are in the order of their times.
pub fn first_since(store: &Store, since: Timestamp) -> Result<u64, ReadError> {
    let (mut low, mut high) = (0, store.folded()?);
    while low < high {
        let middle = low + (high - low) / 2;
        let is_older = time(store, middle)?.is_none_or(|at| at < since);
        if is_older { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// When the event of leaf `index` happened.
pub fn time(store: &Store, index: u64) -> Result<Option<Timestamp>, ReadError> {
    Ok(event(store, index)?.map(|event| event.at))
}
