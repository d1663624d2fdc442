//! All parts together, and each change to them.
//!
//! A change makes a new [`Snapshot`] or marks something in the newest one; it never alters what an older snapshot found.
//! A merge is begun, built and finished in three steps, and anything may happen between them: removals made meanwhile are
//! kept and done again on what was built. No thread and no lock is named here: whoever owns the shelf is the one writer.

use std::mem;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::ask::Ask;
use super::merge::Merge;
use super::recent::Recent;
use super::segment::{Scratch, Segment};
use super::sizes::{Size, Sizes, to_merge};
use crate::index::simd::{Lanes, Search, Simd};
use crate::index::{Neighbour, Neighbours, Row};

/// Every row of the index at a moment, in parts that share no row.
#[derive(Clone)]
pub(super) struct Snapshot<const W: usize> {
    pub(super) segments: Vec<Arc<Segment<W>>>,
    pub(super) recent: Arc<Recent<W>>,
}

impl<const W: usize> Snapshot<W> {
    /// What all parts have near the query.
    pub(super) fn search(&self, simd: Simd, ask: &Ask<W>, limit: usize) -> Neighbours {
        struct Parts<'a, const W: usize>(&'a Snapshot<W>, &'a Ask<'a, W>);

        impl<const W: usize> Search for Parts<'_, W> {
            type Found = Vec<Neighbour>;

            #[inline(always)]
            fn with<L: Lanes>(self, lanes: L) -> Vec<Neighbour> {
                let Self(snapshot, ask) = self;
                let (mut hits, mut scratch) = (Vec::new(), Scratch::new());
                for segment in &snapshot.segments {
                    segment.search(lanes, ask, &mut scratch, &mut hits);
                }
                snapshot.recent.scan(ask, &mut hits);
                hits
            }
        }

        Neighbours::from_hits(simd.run(Parts(self, ask)), limit)
    }

    /// Live rows.
    pub(super) fn len(&self) -> usize {
        // Removed before added: a row that comes and goes in between must not make the difference negative.
        let dead = self.recent.dead();
        let recent = self.recent.len() - dead;
        recent + self.segments.iter().map(|segment| segment.len() - segment.dead()).sum::<usize>()
    }

    /// Every live row, in no particular order.
    pub(super) fn into_rows(self) -> impl Iterator<Item = Row<W>> {
        let old = self
            .segments
            .into_iter()
            .flat_map(|segment| (0..segment.len()).filter_map(move |row| segment.live_row(row)));
        let new = (0..self.recent.len()).filter_map(move |row| self.recent.live_row(row));
        old.chain(new)
    }
}

/// A merge that is under way.
struct Merging<const W: usize> {
    inputs: Vec<Arc<Segment<W>>>,
    /// The rows removed since it began.
    removed: Vec<Row<W>>,
}

/// The newest snapshot and what it takes to make the next.
pub(super) struct Shelf<const W: usize> {
    published: Arc<ArcSwap<Snapshot<W>>>,
    sizes: Sizes,
    /// Whether segments have come or lost rows since `wants_merge` was last asked.
    have_segments_changed: bool,
    merging: Option<Merging<W>>,
}

impl<const W: usize> Shelf<W> {
    /// Without rows.
    pub(super) fn new(sizes: Sizes) -> Self {
        let empty = Snapshot { segments: Vec::new(), recent: Arc::new(Recent::new(sizes.recent_rows)) };
        Self { published: Arc::new(ArcSwap::from_pointee(empty)), sizes, have_segments_changed: false, merging: None }
    }

    /// Where the newest snapshot is always to be found.
    pub(super) fn published(&self) -> Arc<ArcSwap<Snapshot<W>>> {
        Arc::clone(&self.published)
    }

    /// Adds rows to the recent ones, which become a segment each time they are full.
    pub(super) fn insert(&mut self, mut rows: &[Row<W>]) {
        while !rows.is_empty() {
            let appended = self.published.load().recent.append(rows);
            rows = &rows[appended..];
            if !rows.is_empty() {
                self.freeze();
            }
        }
    }

    /// Makes the recent rows a segment, together with those that are still as small, and starts with empty ones.
    ///
    /// Doing this here, at about a microsecond a row, keeps such segments from piling up while a large merge goes on.
    pub(super) fn freeze(&mut self) {
        let snapshot = self.published.load_full();
        let is_merging = |segment: &Arc<Segment<W>>| {
            self.merging.iter().flat_map(|merging| &merging.inputs).any(|input| Arc::ptr_eq(input, segment))
        };
        let is_taken = |segment: &Arc<Segment<W>>| segment.len() < self.sizes.small_rows() && !is_merging(segment);
        let (inputs, mut segments): (Vec<_>, Vec<_>) = snapshot.segments.iter().cloned().partition(is_taken);
        let rows = (0..snapshot.recent.len()).filter_map(|row| snapshot.recent.live_row(row)).collect();
        let newest = Segment::build(rows, self.sizes.wide_rows_min, 1);
        let inputs = inputs.into_iter().chain([Arc::new(newest)]).collect();
        let frozen = Merge::new(inputs, self.sizes.wide_rows_min).build();
        segments.extend((frozen.len() > 0).then(|| Arc::new(frozen)));
        let recent = Arc::new(Recent::new(self.sizes.recent_rows));
        self.published.store(Arc::new(Snapshot { segments, recent }));
        self.have_segments_changed = true;
    }

    /// Adds a segment of rows that are in no other part.
    pub(super) fn add_segment(&mut self, segment: Segment<W>) {
        let mut snapshot = Snapshot::clone(&self.published.load());
        snapshot.segments.push(Arc::new(segment));
        self.published.store(Arc::new(snapshot));
        self.have_segments_changed = true;
    }

    /// Removes all rows equal to this one and says how many there were.
    pub(super) fn remove(&mut self, hash: &[u64; W], id: u64) -> usize {
        let snapshot = self.published.load();
        let old: usize = snapshot.segments.iter().map(|segment| segment.remove(hash, id)).sum();
        if old > 0 {
            self.have_segments_changed = true;
            self.merging.iter_mut().for_each(|merging| merging.removed.push((*hash, id)));
        }
        old + snapshot.recent.remove(hash, id)
    }

    /// Whether changes since the last call have left something to merge.
    pub(super) fn wants_merge(&mut self) -> bool {
        mem::take(&mut self.have_segments_changed) && !self.to_merge(&self.published.load()).is_empty()
    }

    /// What to merge next. `None` if nothing needs to be, or a merge is under way.
    pub(super) fn begin_merge(&mut self) -> Option<Merge<W>> {
        let snapshot = self.published.load();
        let positions = self.to_merge(&snapshot);
        if positions.is_empty() || self.merging.is_some() {
            return None;
        }
        let inputs: Vec<_> = positions.into_iter().map(|position| Arc::clone(&snapshot.segments[position])).collect();
        self.merging = Some(Merging { inputs: inputs.clone(), removed: Vec::new() });
        Some(Merge::new(inputs, self.sizes.wide_rows_min))
    }

    /// Puts what `merge` built in the place of what it was built from.
    pub(super) fn finish_merge(&mut self, merge: &Merge<W>, built: Segment<W>) {
        for (hash, id) in self.merging.take().map(|merging| merging.removed).unwrap_or_default() {
            built.remove(&hash, id);
        }
        let mut snapshot = Snapshot::clone(&self.published.load());
        snapshot.segments.retain(|segment| !merge.replaces(segment));
        snapshot.segments.extend((built.len() > 0).then(|| Arc::new(built)));
        self.published.store(Arc::new(snapshot));
    }

    /// Gives up the merge under way; its inputs go on serving.
    pub(super) fn abandon_merge(&mut self) {
        self.merging = None;
    }

    /// How many segments there are that may still be merged.
    pub(super) fn growing_segments(&self) -> usize {
        self.published.load().segments.iter().filter(|segment| size(segment).is_growing()).count()
    }

    fn to_merge(&self, snapshot: &Snapshot<W>) -> Vec<usize> {
        let sizes: Vec<_> = snapshot.segments.iter().map(|segment| size(segment)).collect();
        to_merge(&sizes)
    }
}

fn size<const W: usize>(segment: &Segment<W>) -> Size {
    Size { rows: segment.len(), dead: segment.dead() }
}
