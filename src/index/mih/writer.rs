//! The one handle that changes the index.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::{io, thread};

use super::merge::Merge;
use super::merger::{Build, Merger};
use super::reader::Reader;
use super::segment::Segment;
use super::shelf::Shelf;
use super::sizes::{SEGMENT_ROWS_MAX, Sizes};
use crate::domain::Distance;
use crate::index::Row;
use crate::index::simd::Simd;

/// With more segments than this that could be merged, insertions wait for merges.
const SEGMENTS_MAX: usize = 64;

/// Adds and removes rows. Dropping it stops the merging thread; readers go on with what there is.
///
/// Every change is visible to each search that begins after the call has returned, in every thread. A search that runs
/// meanwhile sees it or not. No change makes a search wait, and no search makes a change wait.
pub struct Writer<const W: usize> {
    merger: Merger<W>,
    reader: Reader<W>,
    sizes: Sizes,
}

impl<const W: usize> Writer<W> {
    /// An empty index that promises exact answers up to `radius_max`, with a thread of its own for merging.
    ///
    /// Any `radius_max` is kept; far beyond 31 for 256 bits or 8 for 64, a search costs as much as a scan.
    ///
    /// # Errors
    /// If the operating system has no thread to give.
    pub fn open(radius_max: Distance) -> io::Result<Self> {
        Self::open_on(Simd::best(), radius_max)
    }

    /// The same with an instruction set of the caller's choice.
    ///
    /// # Errors
    /// If the operating system has no thread to give.
    pub fn open_on(simd: Simd, radius_max: Distance) -> io::Result<Self> {
        Self::with(simd, radius_max, Sizes::USUAL, Merge::build)
    }

    pub(super) fn with(simd: Simd, radius_max: Distance, sizes: Sizes, build: Build<W>) -> io::Result<Self> {
        // A band's number is kept in one byte.
        const { assert!(W > 0 && W < 32, "a hash has 1 to 31 words") };
        let shelf = Shelf::new(sizes);
        let reader = Reader::new(shelf.published(), radius_max, simd);
        Ok(Self { merger: Merger::start(shelf, build)?, reader, sizes })
    }

    /// A handle to search with, for any number of threads.
    pub fn reader(&self) -> Reader<W> {
        self.reader.clone()
    }

    /// Adds a row, even if there is an equal one.
    ///
    /// About every thousandth call takes a millisecond or two: it makes a segment of the rows before. A caller that adds faster
    /// than can be merged is made to wait.
    pub fn insert(&mut self, hash: [u64; W], id: u64) {
        self.insert_few(&[(hash, id)]);
    }

    /// Adds many rows: much cheaper than one by one from a few thousand on, and how to fill an index at start. Uses all
    /// processors.
    ///
    /// They become visible in portions of up to four million, all of them by the time this returns.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = Row<W>>) {
        let mut rows = rows.into_iter().fuse();
        let (merger, wide_rows_min) = (&self.merger, self.sizes.wide_rows_min);
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let mut next_portion = move || rows.by_ref().take(SEGMENT_ROWS_MAX).collect::<Vec<_>>();
        let mut portion = next_portion();
        while portion.len() > self.sizes.recent_rows {
            // The next one is gathered while this one is built.
            let waiting = Mutex::new(Some(portion));
            let build = || {
                let portion = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(portion) = portion {
                    let segment = Segment::build(portion, wide_rows_min, threads);
                    merger.change(|shelf| shelf.add_segment(segment));
                }
            };
            portion = thread::scope(|scope| {
                // Without a thread to be had it is built here, afterwards.
                let _ = thread::Builder::new().name("index-builder".into()).spawn_scoped(scope, build);
                next_portion()
            });
            build();
        }
        self.insert_few(&portion);
    }

    fn insert_few(&mut self, rows: &[Row<W>]) {
        self.merger.change(|shelf| shelf.insert(rows));
        self.merger.wait_for_room(SEGMENTS_MAX);
    }

    /// Removes all rows equal to this one and says how many there were; 0 if there were none.
    pub fn remove(&mut self, hash: &[u64; W], id: u64) -> usize {
        self.merger.change(|shelf| shelf.remove(hash, id))
    }

    /// Waits until there is nothing left to merge, as before measuring; nothing else depends on it.
    pub fn settle(&self) {
        self.merger.settle();
    }

    /// How many merges have panicked since the start. Not 0: answers stay exact, but searches grow slower.
    pub fn merge_failures(&self) -> u64 {
        self.merger.failures()
    }

    #[cfg(test)]
    pub(super) fn segments(&self) -> Vec<std::sync::Arc<Segment<W>>> {
        self.reader.segments()
    }
}
