//! Reading: single rows, and scans in key order.

use std::ops::RangeInclusive;

use prost::Message;
use rocksdb::{Direction, IteratorMode, ReadOptions};

use super::signals::{SignalRow, signal_row};
use super::{Family, RegisterRow, Store, StoreError, keys};
use crate::domain::{
    Appeal, Code, EntryId, EntryState, Key, KeyId, MatchKey, Member, MemberId, ReadKey, Reference, RequestDigest,
    Signal, Timestamp,
};
use crate::ledger::record::{self, RecordError, v1};
use crate::ledger::{Hash, Leaf, NodeId, Salt};

/// A leaf as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredEvent {
    /// Its event and the salt that opens it.
    Open { salt: Salt, event: Vec<u8> },
    /// The event was erased, by that of leaf `by`; its own leaf stays, and with it every proof. What remains of it has taken its place,
    /// with a salt that opens the commitment to it.
    Erased { leaf: Leaf, by: u64, salt: Salt, event: Vec<u8> },
}

impl StoredEvent {
    /// The public leaf.
    pub fn leaf(&self) -> Leaf {
        match self {
            Self::Open { salt, event } => Leaf::commit(salt, event),
            Self::Erased { leaf, .. } => *leaf,
        }
    }

    /// What is there of the event, and the salt that opens the commitment to it.
    pub fn opening(&self) -> (&Salt, &[u8]) {
        match self {
            Self::Open { salt, event } | Self::Erased { salt, event, .. } => (salt, event),
        }
    }

    /// The same, taken out.
    pub fn into_opening(self) -> (Salt, Vec<u8>) {
        match self {
            Self::Open { salt, event } | Self::Erased { salt, event, .. } => (salt, event),
        }
    }

    /// The leaf of the event that erased it, if it was.
    pub const fn erased_by(&self) -> Option<u64> {
        match self {
            Self::Open { .. } => None,
            Self::Erased { by, .. } => Some(*by),
        }
    }
}

/// Key and value.
pub(super) type RawRow = (Box<[u8]>, Box<[u8]>);

impl Store {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get_cf(self.family(family)?, key)?)
    }

    /// Every row of `family` from `start` on whose key begins with `prefix`.
    fn scan(
        &self,
        family: Family,
        prefix: &[u8],
        start: &[u8],
    ) -> Result<impl Iterator<Item = Result<RawRow, StoreError>> + use<'_>, StoreError> {
        let mut options = ReadOptions::default();
        if let Some(end) = after_prefix(prefix) {
            options.set_iterate_upper_bound(end);
        }
        let rows =
            self.db.iterator_cf_opt(self.family(family)?, options, IteratorMode::From(start, Direction::Forward));
        Ok(rows.map(|row| row.map_err(StoreError::from)))
    }

    /// The text of the newest checkpoint; `None` before the first commit.
    pub fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.get(Family::Meta, keys::META_CHECKPOINT)?.map(|bytes| text(bytes, "checkpoint")).transpose()
    }

    /// How many events, from the first, the folded families hold.
    pub fn folded(&self) -> Result<u64, StoreError> {
        match self.get(Family::Meta, keys::META_FOLDED)? {
            None => Ok(0),
            Some(bytes) => {
                keys::read_index(&bytes).ok_or_else(|| StoreError::damaged(Family::Meta, "folded", "must be 8 bytes"))
            }
        }
    }

    /// Among which leaves erased ones may be in the files still; `None`: there is none.
    pub fn purge_wanted(&self) -> Result<Option<RangeInclusive<u64>>, StoreError> {
        let row = self.get(Family::Meta, keys::META_PURGE)?;
        let damaged = || StoreError::damaged(Family::Meta, "purge", "must be two indexes, 8 bytes each");
        row.map(|bytes| keys::read_range(&bytes).ok_or_else(damaged)).transpose()
    }

    /// By which version of the fold the folded families were made; of a database before there were versions, 1.
    pub fn fold_version(&self) -> Result<u64, StoreError> {
        match self.get(Family::Meta, keys::META_FOLD_VERSION)? {
            None => Ok(1),
            Some(bytes) => keys::read_index(&bytes)
                .ok_or_else(|| StoreError::damaged(Family::Meta, "fold_version", "must be 8 bytes")),
        }
    }

    /// The leaf at `index`, if there is such a one.
    pub fn event(&self, index: u64) -> Result<Option<StoredEvent>, StoreError> {
        self.get(Family::Events, &keys::index(index))?.map(|bytes| stored_event(index, &bytes)).transpose()
    }

    /// Every leaf from `from` on, with its index.
    pub fn events(
        &self,
        from: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, StoredEvent), StoreError>> + use<'_>, StoreError> {
        let rows = self.scan(Family::Events, &[], &keys::index(from))?;
        Ok(rows.map(|row| {
            let (key, value) = row?;
            let index = keys::read_index(&key)
                .ok_or_else(|| StoreError::damaged(Family::Events, "?", "its key must be 8 bytes"))?;
            Ok((index, stored_event(index, &value)?))
        }))
    }

    /// The hash of a complete subtree.
    ///
    /// # Errors
    /// Also if there is no such node: who asks knows that there must be.
    pub fn node(&self, node: NodeId) -> Result<Hash, StoreError> {
        let damaged = |problem| StoreError::damaged(Family::Tree, format_args!("{node:?}"), problem);
        let bytes = self.get(Family::Tree, &keys::node(node))?.ok_or_else(|| damaged("is missing"))?;
        Ok(Hash::from_bytes(bytes.try_into().map_err(|_| damaged("must be 32 bytes"))?))
    }

    /// What has become of an entry; `None` if there is no such entry.
    pub fn entry_state(&self, entry: EntryId) -> Result<Option<EntryState>, StoreError> {
        let row = self.get(Family::Entries, &keys::index(entry.0))?;
        row.map(|bytes| decoded(record::decode_entry_state(&bytes), Family::Entries, entry)).transpose()
    }

    /// Every entry from `from` on and what has become of it, oldest first.
    pub fn entries(
        &self,
        from: EntryId,
    ) -> Result<impl Iterator<Item = Result<(EntryId, EntryState), StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(Family::Entries, &[], &keys::index(from.0))?.map(entry_row))
    }

    /// The rows with exactly this value, oldest entry first.
    pub fn equal_signals(&self, signal: &Signal) -> Result<Vec<SignalRow>, StoreError> {
        let prefix = keys::signal_prefix(signal);
        self.scan(Family::Signals, &prefix, &prefix)?
            .map(|row| row.and_then(|(key, value)| signal_row(&key, &value)))
            .collect()
    }

    /// All members.
    pub fn members(&self) -> Result<Vec<Member>, StoreError> {
        self.scan(Family::Members, &[], &[])?.map(member_row).collect()
    }

    /// All keys.
    pub fn keys(&self) -> Result<Vec<Key>, StoreError> {
        self.scan(Family::Keys, &[], &[])?.map(key_row).collect()
    }

    /// What happened to an entry after it was contributed: leaf indexes, ascending, at most `limit`.
    pub fn history(&self, entry: EntryId, limit: usize) -> Result<Vec<u64>, StoreError> {
        let prefix = keys::index(entry.0);
        let rows = self.scan(Family::History, &prefix, &prefix)?.take(limit).map(|row| {
            let (key, _) = row?;
            key.get(8..)
                .and_then(keys::read_index)
                .ok_or_else(|| StoreError::damaged(Family::History, entry, "its key must be 16 bytes"))
        });
        rows.collect()
    }

    /// The entries from `from` on that reviewers are to look at, oldest first.
    pub fn attention(
        &self,
        from: EntryId,
    ) -> Result<impl Iterator<Item = Result<EntryId, StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(Family::Attention, &[], &keys::index(from.0))?.map(|row| {
            let entry = keys::read_index(&row?.0);
            entry.map(EntryId).ok_or_else(|| StoreError::damaged(Family::Attention, "?", "its key must be 8 bytes"))
        }))
    }

    /// The entries of an incident from `from` on, oldest first: also those that were withdrawn, have expired, or are an exercise's.
    pub fn incident_entries(
        &self,
        incident: &Code,
        from: EntryId,
    ) -> Result<impl Iterator<Item = Result<EntryId, StoreError>> + use<'_>, StoreError> {
        self.grouped(Family::IncidentEntries, incident.as_str(), from)
    }

    /// The entries that rest on a list's naming an entity, from `from` on, oldest first: also those that no longer match.
    pub fn listed_entries(
        &self,
        entity: &Reference,
        from: EntryId,
    ) -> Result<impl Iterator<Item = Result<EntryId, StoreError>> + use<'_>, StoreError> {
        self.grouped(Family::Listed, entity.as_str(), from)
    }

    fn grouped(
        &self,
        family: Family,
        group: &str,
        from: EntryId,
    ) -> Result<impl Iterator<Item = Result<EntryId, StoreError>> + use<'_>, StoreError> {
        let rows = self.scan(family, &keys::group_prefix(group), &keys::grouped(group, from))?;
        Ok(rows.map(move |row| Ok(group_row(family, &row?.0)?.1)))
    }

    /// Every incident's code with each of its entries.
    pub fn all_incident_entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<(String, EntryId), StoreError>> + use<'_>, StoreError> {
        self.all_grouped(Family::IncidentEntries)
    }

    /// Every entity with each of the entries that rest on its listing.
    pub fn all_listed_entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<(String, EntryId), StoreError>> + use<'_>, StoreError> {
        self.all_grouped(Family::Listed)
    }

    fn all_grouped(
        &self,
        family: Family,
    ) -> Result<impl Iterator<Item = Result<(String, EntryId), StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(family, &[], &[])?.map(move |row| group_row(family, &row?.0)))
    }

    /// What was contributed with `key`, from `from` on, oldest first: also what no longer matches.
    pub fn key_entries(
        &self,
        key: KeyId,
        from: EntryId,
    ) -> Result<impl Iterator<Item = Result<EntryId, StoreError>> + use<'_>, StoreError> {
        let rows = self.scan(Family::KeyEntries, &key.bytes(), &keys::key_entry(key, from))?;
        Ok(rows.map(|row| Ok(key_entry_row(&row?.0)?.1)))
    }

    /// Every key with each of the entries that were contributed with it.
    pub fn all_key_entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<(KeyId, EntryId), StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(Family::KeyEntries, &[], &[])?.map(|row| key_entry_row(&row?.0)))
    }

    /// An appeal, if there is such a one.
    pub fn appeal(&self, id: u64) -> Result<Option<Appeal>, StoreError> {
        let row = self.get(Family::Appeals, &keys::index(id))?;
        row.map(|bytes| decoded(record::decode_appeal(id, &bytes), Family::Appeals, id)).transpose()
    }

    /// The appeals from `from` on, oldest first.
    pub fn appeals(&self, from: u64) -> Result<impl Iterator<Item = Result<Appeal, StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(Family::Appeals, &[], &keys::index(from))?.map(|row| {
            let (key, value) = row?;
            let id = keys::read_index(&key)
                .ok_or_else(|| StoreError::damaged(Family::Appeals, "?", "its key must be 8 bytes"))?;
            decoded(record::decode_appeal(id, &value), Family::Appeals, id)
        }))
    }

    /// The benign items from `from` on, oldest first, by their leaves.
    pub fn benign_items(
        &self,
        from: u64,
    ) -> Result<impl Iterator<Item = Result<u64, StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(Family::BenignItems, &[], &keys::index(from))?.map(|row| {
            let item = keys::read_index(&row?.0);
            item.ok_or_else(|| StoreError::damaged(Family::BenignItems, "?", "its key must be 8 bytes"))
        }))
    }

    /// Whether there is a benign item of this leaf now.
    pub fn is_benign_item(&self, benign: u64) -> Result<bool, StoreError> {
        Ok(self.get(Family::BenignItems, &keys::index(benign))?.is_some())
    }

    /// The events from leaf `from` on that reverse what an entry stood for, each with the entry.
    pub fn reversals(
        &self,
        from: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, EntryId), StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(Family::Reversals, &[], &keys::index(from))?.map(|row| {
            let (key, value) = row?;
            let read = || Some((keys::read_index(&key)?, EntryId(keys::read_index(&value)?)));
            read().ok_or_else(|| StoreError::damaged(Family::Reversals, "?", "must be two indexes, 8 bytes each"))
        }))
    }

    /// Every signal of every benign item, with the item's leaf.
    pub fn benign(&self) -> Result<impl Iterator<Item = Result<(Signal, u64), StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(Family::Benign, &[], &[])?.map(|row| benign_row(&row?.0)))
    }

    /// The benign items with exactly this signal, oldest first.
    pub fn equal_benign(&self, signal: &Signal) -> Result<Vec<u64>, StoreError> {
        let prefix = keys::signal_prefix(signal);
        self.scan(Family::Benign, &prefix, &prefix)?.map(|row| Ok(benign_row(&row?.0)?.1)).collect()
    }

    /// Everything that standing rests on beside entries.
    pub fn register(&self) -> Result<Vec<RegisterRow>, StoreError> {
        self.scan(Family::Register, &[], &[])?.map(register_row).collect()
    }

    /// The leaf indexes of events that are about no entry, each with its time: from `from` on, or backwards, `from` included.
    pub fn administrative(
        &self,
        from: u64,
        backwards: bool,
    ) -> Result<impl Iterator<Item = Result<(u64, Timestamp), StoreError>> + use<'_>, StoreError> {
        let start = keys::index(from);
        let direction = if backwards { Direction::Reverse } else { Direction::Forward };
        let rows = self.db.iterator_cf(self.family(Family::Audit)?, IteratorMode::From(&start, direction));
        Ok(rows.map(|row| {
            let (key, value) = row?;
            let read = || Some((keys::read_index(&key)?, Timestamp::from_millis(keys::read_index(&value)?).ok()?));
            read().ok_or_else(|| StoreError::damaged(Family::Audit, "?", "must be an index and a time, 8 bytes each"))
        }))
    }

    /// How much a member read of a kind on a day.
    pub fn reads(&self, key: &ReadKey) -> Result<u64, StoreError> {
        match self.get(Family::Reads, &keys::reads(key))? {
            None => Ok(0),
            Some(bytes) => keys::read_index(&bytes)
                .ok_or_else(|| StoreError::damaged(Family::Reads, format_args!("{key:?}"), "must be 8 bytes")),
        }
    }

    /// How much each member read of each kind on each day, by day: from `from` on.
    pub fn all_reads(
        &self,
        from: &ReadKey,
    ) -> Result<impl Iterator<Item = Result<(ReadKey, u64), StoreError>> + use<'_>, StoreError> {
        Ok(self.scan(Family::Reads, &[], &keys::reads(from))?.map(|row| {
            let (key, value) = row?;
            let read = || Some((keys::read_reads(&key)?, keys::read_index(&value)?));
            read().ok_or_else(|| StoreError::damaged(Family::Reads, "?", "must be a day's reading and 8 bytes"))
        }))
    }

    /// How often a member met an entry in an hour.
    pub fn match_count(&self, key: &MatchKey) -> Result<u64, StoreError> {
        match self.get(Family::Receipts, &keys::matches(key))? {
            None => Ok(0),
            Some(bytes) => keys::read_index(&bytes)
                .ok_or_else(|| StoreError::damaged(Family::Receipts, key.entry, "must be 8 bytes")),
        }
    }

    /// How often members met an entry, or one of them did, by member and hour.
    pub fn matches_of(
        &self,
        entry: EntryId,
        member: Option<MemberId>,
    ) -> Result<impl Iterator<Item = Result<(MatchKey, u64), StoreError>> + use<'_>, StoreError> {
        let prefix = match member {
            Some(member) => keys::met_prefix(entry, member).to_vec(),
            None => keys::index(entry.0).to_vec(),
        };
        Ok(self.scan(Family::Receipts, &prefix, &prefix)?.map(match_row))
    }

    /// All of them after `after`.
    pub fn matches_after(
        &self,
        after: Option<MatchKey>,
    ) -> Result<impl Iterator<Item = Result<(MatchKey, u64), StoreError>> + use<'_>, StoreError> {
        let start = after.map_or_else(Vec::new, |after| [&keys::matches(&after)[..], &[0]].concat());
        Ok(self.scan(Family::Receipts, &[], &start)?.map(match_row))
    }

    /// The beginning of the hour in which each key was last used, of those that were.
    pub fn last_used(&self) -> Result<Vec<(KeyId, Timestamp)>, StoreError> {
        let rows = self.scan(Family::LastUsed, &[], &[])?.map(|row| {
            let (key, value) = row?;
            let id = || Some(KeyId::from_bytes(key[..].try_into().ok()?));
            let read = || Some((id()?, Timestamp::from_millis(keys::read_index(&value)?).ok()?));
            read().ok_or_else(|| {
                StoreError::damaged(Family::LastUsed, "?", "must be a key's id and a time, 5 and 8 bytes")
            })
        });
        rows.collect()
    }

    /// Which event this request led to, if it was seen before.
    pub fn request(&self, request: &RequestDigest) -> Result<Option<u64>, StoreError> {
        match self.get(Family::Requests, &request.0)? {
            None => Ok(None),
            Some(bytes) => keys::read_index(&bytes)
                .map(Some)
                .ok_or_else(|| StoreError::damaged(Family::Requests, "?", "must be 8 bytes")),
        }
    }
}

/// The first key after all that begin with `prefix`; `None` if there is none.
pub(super) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

pub(super) fn entry_row(row: Result<RawRow, StoreError>) -> Result<(EntryId, EntryState), StoreError> {
    let (key, value) = row?;
    let entry =
        keys::read_index(&key).ok_or_else(|| StoreError::damaged(Family::Entries, "?", "its key must be 8 bytes"))?;
    Ok((EntryId(entry), decoded(record::decode_entry_state(&value), Family::Entries, entry)?))
}

pub(super) fn member_row(row: Result<RawRow, StoreError>) -> Result<Member, StoreError> {
    decoded(record::decode_member(&row?.1), Family::Members, "?")
}

pub(super) fn key_row(row: Result<RawRow, StoreError>) -> Result<Key, StoreError> {
    decoded(record::decode_key(&row?.1), Family::Keys, "?")
}

pub(super) fn register_row(row: Result<RawRow, StoreError>) -> Result<RegisterRow, StoreError> {
    let (key, value) = row?;
    RegisterRow::decode(&key, &value).map_err(|problem| StoreError::damaged(Family::Register, "?", problem))
}

fn match_row(row: Result<RawRow, StoreError>) -> Result<(MatchKey, u64), StoreError> {
    let (key, value) = row?;
    let read = || Some((keys::read_matches(&key)?, keys::read_index(&value)?));
    read().ok_or_else(|| StoreError::damaged(Family::Receipts, "?", "must be an entry, a member, an hour, and 8 bytes"))
}

fn key_entry_row(row: &[u8]) -> Result<(KeyId, EntryId), StoreError> {
    keys::read_key_entry(row)
        .ok_or_else(|| StoreError::damaged(Family::KeyEntries, "?", "its key must be a key's id and an index"))
}

fn group_row(family: Family, key: &[u8]) -> Result<(String, EntryId), StoreError> {
    let row = keys::read_grouped(key).map(|(group, entry)| (group.to_owned(), entry));
    row.ok_or_else(|| StoreError::damaged(family, "?", "its key must be a text, a zero and an index"))
}

fn benign_row(key: &[u8]) -> Result<(Signal, u64), StoreError> {
    let (signal, item) = keys::read_signal(key)
        .ok_or_else(|| StoreError::damaged(Family::Benign, "?", "its key must be a kind, a value and an index"))?;
    Ok((signal, item.0))
}

fn text(bytes: Vec<u8>, row: &str) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|error| StoreError::damaged(Family::Meta, row, error))
}

fn decoded<T>(row: Result<T, RecordError>, family: Family, key: impl std::fmt::Display) -> Result<T, StoreError> {
    row.map_err(|error| StoreError::damaged(family, key, error))
}

fn stored_event(index: u64, bytes: &[u8]) -> Result<StoredEvent, StoreError> {
    let damaged = |problem: String| StoreError::damaged(Family::Events, index, problem);
    let row = v1::EventRow::decode(bytes).map_err(|error| damaged(error.to_string()))?;
    let salt = row.salt.try_into().map_err(|_| damaged("its salt must be 32 bytes".to_owned()))?;
    let (salt, event) = (Salt::from_bytes(salt), row.event);
    match row.erased_by {
        None if row.leaf.is_empty() => Ok(StoredEvent::Open { salt, event }),
        None => Err(damaged("it has a leaf, and nothing has erased it".to_owned())),
        Some(by) => {
            let leaf = Leaf::from_bytes(&row.leaf).map_err(|error| damaged(error.to_string()))?;
            Ok(StoredEvent::Erased { leaf, by, salt, event })
        }
    }
}
