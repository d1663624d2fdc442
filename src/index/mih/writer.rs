//! The one handle that changes the index.

use std::io;

use super::merger::{Build, Merger};
use super::reader::Reader;
use super::segment::Segment;
use super::shelf::{Merge, Shelf};
use super::tiers::SEGMENT_ROWS_MAX;
use crate::domain::Distance;
use crate::index::Row;

/// Rows that are scanned before they become a segment: about as costly to a search as one more segment.
const RECENT_ROWS: usize = 2048;

/// Adds and removes rows. Dropping it stops the merging thread; readers go on with what there is.
///
/// Every change is visible to each search that begins after the call has returned, in every thread. A search that runs
/// meanwhile sees it or not. No change makes a search wait, and no search makes a change wait.
pub struct Writer<const W: usize> {
    merger: Merger<W>,
    reader: Reader<W>,
}

impl<const W: usize> Writer<W> {
    /// An empty index that promises exact answers up to `radius_max`, with a thread of its own for merging.
    ///
    /// Any `radius_max` is kept; far beyond 31 for 256 bits or 8 for 64, a search costs as much as a scan.
    ///
    /// # Errors
    /// If the operating system has no thread to give.
    pub fn open(radius_max: Distance) -> io::Result<Self> {
        Self::with(radius_max, RECENT_ROWS, Merge::build)
    }

    pub(super) fn with(radius_max: Distance, recent_rows: usize, build: Build<W>) -> io::Result<Self> {
        const { assert!(W > 0, "a hash has at least one word") };
        let shelf = Shelf::new(recent_rows);
        let reader = Reader::new(shelf.published(), radius_max);
        Ok(Self { merger: Merger::start(shelf, build)?, reader })
    }

    /// A handle to search with, for any number of threads.
    pub fn reader(&self) -> Reader<W> {
        self.reader.clone()
    }

    /// Adds a row, even if there is an equal one.
    pub fn insert(&mut self, hash: [u64; W], id: u64) {
        self.merger.change(|shelf| shelf.insert(&[(hash, id)]));
    }

    /// Adds many rows: much cheaper than one by one from a few thousand on, and how to fill an index at start.
    ///
    /// They become visible in portions of up to four million, all of them by the time this returns.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = Row<W>>) {
        let mut rows = rows.into_iter();
        loop {
            let portion: Vec<_> = rows.by_ref().take(SEGMENT_ROWS_MAX).collect();
            if portion.is_empty() {
                return;
            }
            if portion.len() < RECENT_ROWS {
                self.merger.change(|shelf| shelf.insert(&portion));
            } else {
                let segment = Segment::build(portion);
                self.merger.change(|shelf| shelf.add_segment(segment));
            }
        }
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
