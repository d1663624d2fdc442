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
        Budget { whole: self.is_scan_allowed.then(|| rows * SCANNED_ROW), spent: 0 }
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
/// How much may be spent ahead of the progress: probes are not alike.
const ADVANCE_SHARE: usize = 8;

/// What a search spends on probing a part, and what it may: the cost of a scan. The part is scanned as soon as probing is seen to
/// be dearer if it goes on as it began. So a search that was badly begun costs little more than a scan, and none more than about
/// two, whatever the corpus.
pub(super) struct Budget {
    /// `None`: anything.
    whole: Option<usize>,
    spent: usize,
}

impl Budget {
    /// Whether so many probes are worth beginning with.
    pub(super) fn allows_probes(&self, probes: usize) -> bool {
        self.whole.is_none_or(|whole| probes * PROBE <= whole)
    }

    /// Rows in buckets, of which the following bits are compared.
    pub(super) fn spend_rows(&mut self, rows: usize) {
        self.spent += rows * BUCKET_ROW;
    }

    /// Rows compared in full.
    pub(super) fn spend_candidates(&mut self, candidates: usize) {
        self.spent += candidates * CANDIDATE;
    }

    /// Whether to go on after `done` of `all` probes.
    pub(super) fn allows(&self, done: usize, all: usize) -> bool {
        self.whole.is_none_or(|whole| self.spent <= whole / ADVANCE_SHARE + whole / all.max(1) * done)
    }
}
