//! Snapshots: rows as they are together after one commit, whatever is committed meanwhile.

use rocksdb::{Direction, IteratorMode, ReadOptions};

use super::read::{RawRow, entry_row, key_row, member_row, register_row};
use super::{Family, RegisterRow, Store, StoreError, keys};
use crate::domain::{EntryId, EntryState, Key, Member};

/// The rows after some commit. As long as it lives the database keeps what it replaces.
pub struct Snapshot<'a> {
    store: &'a Store,
    rows: rocksdb::Snapshot<'a>,
}

impl Store {
    /// The rows as they are now.
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { store: self, rows: self.db.snapshot() }
    }
}

impl<'a> Snapshot<'a> {
    /// What it is of: for events. One that is erased meanwhile gives way to what remains of it, which counts for the same.
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// How many events, from the first, it holds with all that follows from them.
    pub fn size(&self) -> Result<u64, StoreError> {
        match self.rows.get_cf(self.store.family(Family::Meta)?, keys::META_FOLDED)? {
            None => Ok(0),
            Some(bytes) => {
                keys::read_index(&bytes).ok_or_else(|| StoreError::damaged(Family::Meta, "folded", "must be 8 bytes"))
            }
        }
    }

    fn scan(
        &self,
        family: Family,
        start: &[u8],
    ) -> Result<impl Iterator<Item = Result<RawRow, StoreError>> + use<'_, 'a>, StoreError> {
        let mode = IteratorMode::From(start, Direction::Forward);
        let rows = self.rows.iterator_cf_opt(self.store.family(family)?, ReadOptions::default(), mode);
        Ok(rows.map(|row| row.map_err(StoreError::from)))
    }

    /// Every entry from `from` on and what has become of it, oldest first.
    pub fn entries(
        &self,
        from: EntryId,
    ) -> Result<impl Iterator<Item = Result<(EntryId, EntryState), StoreError>> + use<'_, 'a>, StoreError> {
        Ok(self.scan(Family::Entries, &keys::index(from.0))?.map(entry_row))
    }

    /// All members.
    pub fn members(&self) -> Result<Vec<Member>, StoreError> {
        self.scan(Family::Members, &[])?.map(member_row).collect()
    }

    /// All keys.
    pub fn keys(&self) -> Result<Vec<Key>, StoreError> {
        self.scan(Family::Keys, &[])?.map(key_row).collect()
    }

    /// Everything that standing rests on beside entries.
    pub fn register(&self) -> Result<Vec<RegisterRow>, StoreError> {
        self.scan(Family::Register, &[])?.map(register_row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_does_not_see_what_is_written_after_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let write = |entry, is_excess, folded| {
            let mut batch = store.batch();
            batch.put_entry(EntryId(entry), &EntryState { is_excess, ..EntryState::default() }).unwrap();
            batch.set_folded(folded).unwrap();
            batch.commit().unwrap();
        };
        write(1, false, 2);
        let before = store.snapshot();
        write(1, true, 3);
        write(5, true, 6);
        let seen = |snapshot: &Snapshot<'_>| -> Vec<_> {
            let rows = snapshot.entries(EntryId(0)).unwrap().map(Result::unwrap);
            rows.map(|(entry, state)| (entry.0, state.is_excess)).collect()
        };
        assert_eq!((before.size().unwrap(), seen(&before)), (2, vec![(1, false)]));
        let after = store.snapshot();
        assert_eq!((after.size().unwrap(), seen(&after)), (6, vec![(1, true), (5, true)]));
    }
}
