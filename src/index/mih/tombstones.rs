//! Which rows of a part are removed: one bit a row, set once, never cleared.
//!
//! Readers test bits while the writer sets them. A bit set before a search began is seen by it; one set meanwhile may be.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A set of row numbers that only grows.
pub(super) struct Tombstones {
    words: Box<[AtomicU64]>,
    count: AtomicUsize,
}

impl Tombstones {
    /// None of `rows` rows removed.
    pub(super) fn new(rows: usize) -> Self {
        let words = (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { words, count: AtomicUsize::new(0) }
    }

    /// Marks `row` removed; whether it was not before.
    pub(super) fn insert(&self, row: usize) -> bool {
        let bit = 1 << (row % 64);
        let is_new = self.words[row / 64].fetch_or(bit, Ordering::AcqRel) & bit == 0;
        if is_new {
            self.count.fetch_add(1, Ordering::Release);
        }
        is_new
    }

    /// Whether `row` is removed.
    pub(super) fn contains(&self, row: usize) -> bool {
        self.words[row / 64].load(Ordering::Acquire) & (1 << (row % 64)) != 0
    }

    /// How many rows are removed.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_counts_once_and_touches_no_other_row() {
        let dead = Tombstones::new(130);
        assert!(dead.insert(64) && dead.insert(129) && !dead.insert(64));
        let removed: Vec<_> = (0..130).filter(|&row| dead.contains(row)).collect();
        assert_eq!((removed, dead.count()), (vec![64, 129], 2));
    }
}
