//! What one search asks of every part of the index.

use super::bands::{Allotment, Cut};
use crate::domain::Distance;
use crate::index::neighbours::distance;

/// A query with everything that is the same for all parts.
pub(super) struct Ask<'a, const W: usize> {
    pub(super) query: &'a [u64; W],
    narrow: Allotment,
    wide: Allotment,
    radius: Distance,
    is_scan_allowed: bool,
}

impl<'a, const W: usize> Ask<'a, W> {
    /// For all rows within `radius` of `query`.
    pub(super) fn new(query: &'a [u64; W], radius: Distance) -> Self {
        let allot = |cut| Allotment::exact(cut, W, radius);
        Self { query, radius, narrow: allot(Cut::NARROW), wide: allot(Cut::WIDE), is_scan_allowed: true }
    }

    /// Where to look in hashes that are cut like this.
    pub(super) fn allotment(&self, cut: Cut) -> &Allotment {
        if cut == Cut::WIDE { &self.wide } else { &self.narrow }
    }

    /// What probing may cost in a part of so many rows before scanning it is cheaper.
    pub(super) fn budget(&self, rows: usize) -> Budget {
        Budget { left: if self.is_scan_allowed { rows.saturating_mul(SCANNED_ROW) } else { usize::MAX } }
    }

    /// The distance of a hash, if it is near enough.
    #[inline(always)]
    pub(super) fn near(&self, hash: &[u64; W]) -> Option<Distance> {
        let distance = distance(self.query, hash);
        (distance <= self.radius).then_some(distance)
    }

    /// For tests on few rows, which would all be scanned: probes whatever it costs, with any allotment.
    #[cfg(test)]
    pub(super) fn always_probing(query: &'a [u64; W], radius: Distance, allot: impl Fn(Cut) -> Allotment) -> Self {
        Self { query, radius, narrow: allot(Cut::NARROW), wide: allot(Cut::WIDE), is_scan_allowed: false }
    }
}

// What things cost, in units of a sixth of a nanosecond or so: measured where each dominates, and only roughly, since it
// decides nothing but which of two exact ways is taken.
const SCANNED_ROW: usize = 12;
const PROBE: usize = 60;
const BUCKET_ROW: usize = 1;
const CANDIDATE: usize = 60;

/// What a search may still spend on probing a part. It ends with less than the cost of a scan wasted, so a search never
/// costs more than two scans, whatever the corpus.
pub(super) struct Budget {
    left: usize,
}

/// Each returns `None` when the budget is spent.
impl Budget {
    /// Whether so many buckets may be looked up in all.
    pub(super) fn allows_probes(&self, probes: usize) -> Option<()> {
        (probes.saturating_mul(PROBE) <= self.left).then_some(())
    }

    /// For rows in buckets, whose following bands are compared.
    pub(super) fn spend_rows(&mut self, rows: usize) -> Option<()> {
        self.spend(rows.saturating_mul(BUCKET_ROW))
    }

    /// For rows compared in full.
    pub(super) fn spend_candidates(&mut self, candidates: usize) -> Option<()> {
        self.spend(candidates.saturating_mul(CANDIDATE))
    }

    fn spend(&mut self, cost: usize) -> Option<()> {
        self.left = self.left.checked_sub(cost)?;
        Some(())
    }
}
