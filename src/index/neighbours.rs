//! The answer to a search, and how raw hits become one.

use crate::domain::Distance;

/// An index of hashes of `W` words that finds all of a hash's neighbours.
pub trait HammingIndex<const W: usize> {
    /// Every id with a live row within `radius` of `query`, nearest first.
    ///
    /// Each id appears once, with the smallest distance over its rows; equally near ids are in ascending order. At most
    /// `limit` of them are returned, and [`Neighbours::total`] counts them all: one flooded cluster lengthens the count,
    /// not the answer. A `limit` of 0 only counts.
    ///
    /// Exact: no id within `radius` is missing and none beyond it is counted.
    ///
    /// # Errors
    /// [`SearchError::RadiusTooWide`] if `radius` exceeds what this index promises.
    fn search(&self, query: &[u64; W], radius: Distance, limit: usize) -> Result<Neighbours, SearchError>;
}

/// One id near a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The id as it was inserted.
    pub id: u64,
    /// The smallest distance of its live rows to the query.
    pub distance: Distance,
}

impl Neighbour {
    /// The order of an answer: nearest first, then by id.
    fn nearness(&self) -> (Distance, u64) {
        (self.distance, self.id)
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbours {
    /// The nearest ids, nearest first, at most as many as were asked for.
    pub nearest: Vec<Neighbour>,
    /// How many distinct ids are within the radius.
    pub total: usize,
}

impl Neighbours {
    /// Whether there are more ids within the radius than `nearest` lists.
    pub fn more(&self) -> bool {
        self.total > self.nearest.len()
    }

    /// From every live row within the radius, in any order: an id may come several times.
    pub(super) fn from_hits(mut hits: Vec<Neighbour>, limit: usize) -> Self {
        // Stable, as many hits come from scans: in runs of ascending ids, which it merges.
        hits.sort_by_key(|hit| (hit.id, hit.distance));
        hits.dedup_by_key(|hit| hit.id);
        let total = hits.len();
        if limit < total {
            hits.select_nth_unstable_by_key(limit, Neighbour::nearness);
            hits.truncate(limit);
        }
        hits.sort_unstable_by_key(Neighbour::nearness);
        Self { nearest: hits, total }
    }
}

/// Why a search was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The index cannot promise an exact answer this far out.
    #[error("a radius of {asked} bits is too wide: at most {max}")]
    RadiusTooWide { asked: Distance, max: Distance },
}

/// Number of differing bits.
#[inline(always)]
pub(super) fn distance<const W: usize>(a: &[u64; W], b: &[u64; W]) -> Distance {
    let bits: u32 = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
    // At most 64 * W, and a hash has a handful of words.
    Distance::new(bits as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbour(id: u64, bits: u16) -> Neighbour {
        Neighbour { id, distance: Distance::new(bits) }
    }

    #[test]
    fn an_answer_lists_each_id_once_with_its_smallest_distance_nearest_first() {
        let hits = vec![neighbour(7, 3), neighbour(2, 9), neighbour(7, 1), neighbour(1, 3), neighbour(5, 1)];

        let all = Neighbours::from_hits(hits.clone(), usize::MAX);
        assert_eq!(all.nearest, [neighbour(5, 1), neighbour(7, 1), neighbour(1, 3), neighbour(2, 9)]);
        assert_eq!((all.total, all.more()), (4, false));

        let two = Neighbours::from_hits(hits.clone(), 2);
        assert_eq!(two.nearest, [neighbour(5, 1), neighbour(7, 1)]);
        assert_eq!((two.total, two.more()), (4, true));

        let none = Neighbours::from_hits(hits, 0);
        assert_eq!((none.nearest.len(), none.total, none.more()), (0, 4, true));
    }

    #[test]
    fn a_refused_radius_is_told_the_widest_one() {
        let error = SearchError::RadiusTooWide { asked: Distance::new(40), max: Distance::new(31) };
        assert_eq!(error.to_string(), "a radius of 40 bits is too wide: at most 31");
    }
}
