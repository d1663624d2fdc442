//! The linear scan: the oracle.
//!
//! Every other index must give exactly its answers, so it is written to be read and shares no code with them but the
//! types of the answer. It knows nothing of speed or of threads.

use std::collections::BTreeMap;

use super::{HammingIndex, Neighbour, Neighbours, Row, SearchError};
use crate::domain::Distance;

/// All rows in a list, compared one by one. Any radius up to `64 * W`.
#[derive(Clone, Default)]
pub struct Flat<const W: usize> {
    rows: Vec<Row<W>>,
}

impl<const W: usize> Flat<W> {
    /// An empty list.
    pub fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a row, even if there is an equal one.
    pub fn insert(&mut self, hash: [u64; W], id: u64) {
        self.rows.push((hash, id));
    }

    /// Removes all rows equal to this one and says how many there were.
    pub fn remove(&mut self, hash: &[u64; W], id: u64) -> usize {
        let before = self.rows.len();
        self.rows.retain(|row| row != &(*hash, id));
        before - self.rows.len()
    }

    /// All rows in the order of insertion.
    pub fn rows(&self) -> &[Row<W>] {
        &self.rows
    }
}

impl<const W: usize> HammingIndex<W> for Flat<W> {
    fn search(&self, query: &[u64; W], radius: Distance, limit: usize) -> Result<Neighbours, SearchError> {
        let max = Distance::new(64 * W as u16);
        if radius > max {
            return Err(SearchError::RadiusTooWide { asked: radius, max });
        }
        let mut smallest = BTreeMap::new();
        for (hash, id) in &self.rows {
            let differing: u32 = (0..W).map(|word| (hash[word] ^ query[word]).count_ones()).sum();
            let distance = Distance::new(differing as u16);
            if distance <= radius {
                let known = smallest.entry(*id).or_insert(distance);
                *known = distance.min(*known);
            }
        }
        let total = smallest.len();
        let mut nearest: Vec<_> = smallest.into_iter().map(|(id, distance)| Neighbour { id, distance }).collect();
        nearest.sort_by_key(|neighbour| (neighbour.distance, neighbour.id));
        nearest.truncate(limit);
        Ok(Neighbours { nearest, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_answers_a_case_worked_out_by_hand() {
        let mut flat = Flat::<1>::new();
        for (hash, id) in [([0b0000], 3), ([0b0111], 3), ([0b0001], 9), ([0b1000], 1), ([u64::MAX], 4)] {
            flat.insert(hash, id);
        }
        let found = |radius, limit| {
            let found = flat.search(&[0b0001], Distance::new(radius), limit).unwrap();
            (found.nearest.iter().map(|n| (n.id, n.distance.bits())).collect::<Vec<_>>(), found.total)
        };
        assert_eq!(found(0, 9), (vec![(9, 0)], 1));
        assert_eq!(found(1, 9), (vec![(9, 0), (3, 1)], 2));
        assert_eq!(found(2, 2), (vec![(9, 0), (3, 1)], 3));
        assert_eq!(found(64, 9), (vec![(9, 0), (3, 1), (1, 2), (4, 63)], 4));
    }

    #[test]
    fn removing_takes_all_equal_rows_and_only_those() {
        let mut flat = Flat::<1>::new();
        for (hash, id) in [([1], 1), ([1], 1), ([1], 2), ([2], 1)] {
            flat.insert(hash, id);
        }
        assert_eq!((flat.remove(&[1], 1), flat.remove(&[1], 1)), (2, 0));
        assert_eq!(flat.rows(), [([1], 2), ([2], 1)]);
    }

    #[test]
    fn a_radius_wider_than_the_hash_is_refused() {
        let max = Distance::new(64);
        let asked = Distance::new(65);
        assert_eq!(Flat::<1>::new().search(&[0], asked, 1), Err(SearchError::RadiusTooWide { asked, max }));
        assert!(Flat::<1>::new().search(&[0], max, 1).is_ok());
    }
}
