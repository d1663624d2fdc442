//! The newest rows, appended by the writer while readers scan them.
//!
//! Rows are written first and the length is published after them, so a reader that sees a length sees all rows before it
//! as they will always be. One thread at a time may append or remove; the shelf sees to that.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::ask::Ask;
use super::tombstones::Tombstones;
use crate::index::{Neighbour, Row};

pub(super) struct Recent<const W: usize> {
    hashes: Box<[[AtomicU64; W]]>,
    ids: Box<[AtomicU64]>,
    dead: Tombstones,
    len: AtomicUsize,
}

impl<const W: usize> Recent<W> {
    /// Room for so many rows.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            hashes: (0..capacity).map(|_| std::array::from_fn(|_| AtomicU64::new(0))).collect(),
            ids: (0..capacity).map(|_| AtomicU64::new(0)).collect(),
            dead: Tombstones::new(capacity),
            len: AtomicUsize::new(0),
        }
    }

    /// Rows, removed ones included.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Removed rows.
    pub(super) fn dead(&self) -> usize {
        self.dead.count()
    }

    /// Appends as many of `rows` as there is room for, all visible at once, and says how many.
    pub(super) fn append(&self, rows: &[Row<W>]) -> usize {
        let len = self.len();
        let slots = self.hashes[len..].iter().zip(&self.ids[len..]);
        for ((slot_hash, slot_id), (hash, id)) in slots.zip(rows) {
            for (slot, word) in slot_hash.iter().zip(hash) {
                slot.store(*word, Ordering::Relaxed);
            }
            slot_id.store(*id, Ordering::Relaxed);
        }
        let appended = rows.len().min(self.ids.len() - len);
        self.len.store(len + appended, Ordering::Release);
        appended
    }

    /// Removes all rows equal to this one and says how many there were.
    pub(super) fn remove(&self, hash: &[u64; W], id: u64) -> usize {
        let same_id =
            self.ids[..self.len()].iter().enumerate().filter(|(_, known)| known.load(Ordering::Relaxed) == id);
        same_id.filter(|(row, _)| self.row(*row).0 == *hash && self.dead.insert(*row)).count()
    }

    /// The row of this number, below `len`, unless it is removed.
    pub(super) fn live_row(&self, row: usize) -> Option<Row<W>> {
        (!self.dead.contains(row)).then(|| self.row(row))
    }

    /// Appends every live row within the asked radius to `hits`.
    #[inline(always)]
    pub(super) fn scan(&self, ask: &Ask<W>, hits: &mut Vec<Neighbour>) {
        for (row, hash) in self.hashes[..self.len()].iter().enumerate() {
            let hash = std::array::from_fn(|word| hash[word].load(Ordering::Relaxed));
            if let Some(distance) = ask.near(&hash).filter(|_| !self.dead.contains(row)) {
                hits.push(Neighbour { id: self.ids[row].load(Ordering::Relaxed), distance });
            }
        }
    }

    fn row(&self, row: usize) -> Row<W> {
        let hash = std::array::from_fn(|word| self.hashes[row][word].load(Ordering::Relaxed));
        (hash, self.ids[row].load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_beyond_the_capacity_are_left_to_the_caller() {
        let recent = Recent::<1>::new(3);
        assert_eq!(recent.append(&[([1], 1), ([2], 2)]), 2);
        assert_eq!(recent.append(&[([3], 3), ([4], 4)]), 1);
        assert_eq!(recent.append(&[([4], 4)]), 0);
        let rows: Vec<_> = (0..recent.len()).filter_map(|row| recent.live_row(row)).collect();
        assert_eq!(rows, [([1], 1), ([2], 2), ([3], 3)]);
    }
}
