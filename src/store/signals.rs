//! Reading the signals of a kind, all or in parts that several threads read at the same time: what the indexes are filled from.
//!
//! At ten million rows a start spends most of its time here that the index does not take, so a row costs no allocation.

use rocksdb::{DBRawIterator, ReadOptions};

use super::read::after_prefix;
use super::{Family, Store, StoreError, keys};
use crate::domain::{EntryId, Signal, SignalKind, Timestamp};

/// Read at once from a file. RocksDB's own guess ends at 256 KiB, which a disk across a network answers slowly.
const READ_AHEAD_BYTES: usize = 2 << 20;

/// One signal that checks can meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalRow {
    /// Without its quality: that stands in the event.
    pub signal: Signal,
    pub entry: EntryId,
    /// When the entry stops matching by itself.
    pub valid_until: Option<Timestamp>,
}

/// Consecutive rows: the keys from `start` up to and without `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalPart {
    start: Vec<u8>,
    /// `None`: to the last key there is.
    end: Option<Vec<u8>>,
}

impl Store {
    /// Every signal of `kind` that checks can meet.
    pub fn signals(
        &self,
        kind: SignalKind,
    ) -> Result<impl Iterator<Item = Result<SignalRow, StoreError>> + use<'_>, StoreError> {
        self.signals_of(&whole(kind))
    }

    /// Cuts the rows of `kind` into parts, so that each row is in exactly one.
    ///
    /// Cut where RocksDB's files begin: they are of about equal size, however the values are spread. There is always one part,
    /// and one only while little has been written.
    pub fn signal_parts(&self, kind: SignalKind) -> Result<Vec<SignalPart>, StoreError> {
        let whole = whole(kind);
        let files = self.db.live_files()?.into_iter().filter(|file| file.column_family_name == Family::Signals.name());
        let mut starts: Vec<Vec<u8>> = files.filter_map(|file| file.start_key).filter(|key| whole.cuts(key)).collect();
        starts.sort_unstable();
        starts.dedup();
        let mut parts = Vec::with_capacity(starts.len() + 1);
        let mut start = whole.start;
        for cut in starts {
            parts.push(SignalPart { start: std::mem::replace(&mut start, cut.clone()), end: Some(cut) });
        }
        parts.push(SignalPart { start, end: whole.end });
        Ok(parts)
    }

    /// The rows of a part, in key order.
    pub fn signals_of(
        &self,
        part: &SignalPart,
    ) -> Result<impl Iterator<Item = Result<SignalRow, StoreError>> + use<'_>, StoreError> {
        let mut options = ReadOptions::default();
        if let Some(end) = &part.end {
            options.set_iterate_upper_bound(end.clone());
        }
        options.set_readahead_size(READ_AHEAD_BYTES);
        // Read once: the cache is for what checks ask.
        options.fill_cache(false);
        let mut rows = self.db.raw_iterator_cf_opt(self.family(Family::Signals)?, options);
        rows.seek(&part.start);
        Ok(Rows { rows, ended: false })
    }

    /// About how many signals there are, of all kinds: for telling how far a start has come, nothing else.
    pub fn signals_about(&self) -> Result<u64, StoreError> {
        let estimate = self.db.property_int_value_cf(self.family(Family::Signals)?, "rocksdb.estimate-num-keys")?;
        Ok(estimate.unwrap_or_default())
    }
}

fn whole(kind: SignalKind) -> SignalPart {
    let start = keys::kind_prefix(kind);
    SignalPart { start: start.to_vec(), end: after_prefix(&start) }
}

impl SignalPart {
    /// Whether `key` would leave rows on both sides.
    fn cuts(&self, key: &[u8]) -> bool {
        key > &self.start[..] && self.end.as_deref().is_none_or(|end| key < end)
    }
}

/// Stands on the row to give next.
struct Rows<'a> {
    rows: DBRawIterator<'a>,
    ended: bool,
}

impl Iterator for Rows<'_> {
    type Item = Result<SignalRow, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let Some((key, value)) = self.rows.item() else {
            self.ended = true;
            // The end, or a failure that looks like it.
            return self.rows.status().err().map(|error| Err(error.into()));
        };
        let row = signal_row(key, value);
        self.rows.next();
        Some(row)
    }
}

pub(super) fn signal_row(key: &[u8], value: &[u8]) -> Result<SignalRow, StoreError> {
    let damaged = |problem| StoreError::damaged(Family::Signals, "?", problem);
    let (signal, entry) = keys::read_signal(key).ok_or_else(|| damaged("its key is malformed"))?;
    let valid_until = match value.len() {
        0 => None,
        _ => {
            let millis = keys::read_index(value).ok_or_else(|| damaged("must be empty or 8 bytes"))?;
            Some(Timestamp::from_millis(millis).map_err(|_| damaged("its time is out of range"))?)
        }
    };
    Ok(SignalRow { signal, entry, valid_until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Entropy, SeededEntropy};

    /// A store of signals of all kinds, written in `files` files of the family; and the rows, in key order.
    fn store(directory: &std::path::Path, files: usize) -> (Store, Vec<SignalRow>) {
        let store = Store::open(directory).unwrap();
        // It would make one file of a few.
        let family = store.family(Family::Signals).unwrap();
        store.db.set_options_cf(family, &[("disable_auto_compactions", "true")]).unwrap();
        let entropy: &dyn Entropy = &SeededEntropy::new(7);
        let mut rows = Vec::new();
        for file in 0..files {
            let mut batch = store.batch();
            for n in 0..200 {
                // Files begin in all kinds, not all in the first.
                let kind = SignalKind::ALL[(n % SignalKind::ALL.len()).max(file % SignalKind::ALL.len())];
                let mut value: [u8; 32] = entropy.bytes().unwrap();
                // Crowded at one end, as real values are.
                value[0] >>= 5;
                let signal = Signal::from_bytes(kind, &value[..kind.bytes()]).unwrap();
                let entry = EntryId((1_000 * file + n) as u64);
                let valid_until = n.is_multiple_of(3).then(|| Timestamp::from_millis(n as u64).unwrap());
                batch.put_signal(&signal, entry, valid_until).unwrap();
                rows.push(SignalRow { signal, entry, valid_until });
            }
            batch.commit().unwrap();
            store.db.flush_cf(store.family(Family::Signals).unwrap()).unwrap();
        }
        rows.sort_by_key(|row| keys::signal(&row.signal, row.entry));
        (store, rows)
    }

    fn read(store: &Store, part: &SignalPart) -> Vec<SignalRow> {
        store.signals_of(part).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn the_parts_of_a_kind_together_are_its_rows_each_once() {
        for files in [0, 1, 3, 20] {
            let directory = tempfile::tempdir().unwrap();
            let (store, rows) = store(directory.path(), files);
            let mut cuts = Vec::new();
            for kind in SignalKind::ALL {
                let of_kind: Vec<_> = rows.iter().filter(|row| row.signal.kind() == *kind).cloned().collect();
                let parts = store.signal_parts(*kind).unwrap();
                let together: Vec<_> = parts.iter().flat_map(|part| read(&store, part)).collect();
                assert_eq!(together, of_kind, "{kind} in {files} files");
                assert_eq!(store.signals(*kind).unwrap().collect::<Result<Vec<_>, _>>().unwrap(), of_kind);
                cuts.push(parts.len() - 1);
            }
            let cut_everywhere = cuts.iter().all(|cuts| *cuts > 0);
            assert_eq!(cut_everywhere, files == 20, "{files} files: {cuts:?}");
            assert_eq!(store.signals_about().unwrap(), rows.len() as u64);
        }
    }
}
