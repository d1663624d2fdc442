//! What one search asks of every part of the index.

use super::bands::{Allotment, bands};
use crate::domain::Distance;
use crate::index::Neighbour;
use crate::index::neighbours::distance;

/// A segment is scanned when probing it would touch more than one in so many of its rows: a candidate costs a jump in
/// memory, a scanned row does not. This bounds a search by the cost of a scan, whatever the corpus.
const SCAN_SHARE: usize = 4;

/// A query with everything that is the same for all parts.
pub(super) struct Ask<'a, const W: usize> {
    pub(super) query: &'a [u64; W],
    pub(super) allotment: Allotment,
    radius: Distance,
    /// 0: never scanned.
    scan_share: usize,
}

impl<'a, const W: usize> Ask<'a, W> {
    /// For all rows within `radius` of `query`.
    pub(super) fn new(query: &'a [u64; W], radius: Distance) -> Self {
        Self { query, radius, allotment: Allotment::exact(radius, bands(W)), scan_share: SCAN_SHARE }
    }

    /// How much may be touched in a part of `rows` rows before scanning it is cheaper.
    pub(super) fn touches_max(&self, rows: usize) -> usize {
        rows.checked_div(self.scan_share).unwrap_or(usize::MAX)
    }

    /// The row as a hit, if it is near enough.
    pub(super) fn hit(&self, hash: &[u64; W], id: u64) -> Option<Neighbour> {
        let distance = distance(self.query, hash);
        (distance <= self.radius).then_some(Neighbour { id, distance })
    }

    /// For tests on few rows, which would all be scanned: probes whatever it costs, with any allotment.
    #[cfg(test)]
    pub(super) fn always_probing(query: &'a [u64; W], radius: Distance, allotment: Allotment) -> Self {
        Self { query, allotment, radius, scan_share: 0 }
    }
}
