//! The handle that searches.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::ask::Ask;
use super::shelf::Snapshot;
use crate::domain::Distance;
use crate::index::simd::Simd;
use crate::index::{HammingIndex, Neighbours, Row, SearchError};

/// Searches the index. Cheap to clone; never waits for a lock, the writer or another reader.
///
/// Each call works on one snapshot: a row that is there from its begin to its end is found, however it is moved between
/// parts meanwhile.
#[derive(Clone)]
pub struct Reader<const W: usize> {
    published: Arc<ArcSwap<Snapshot<W>>>,
    radius_max: Distance,
    simd: Simd,
}

impl<const W: usize> Reader<W> {
    pub(super) fn new(published: Arc<ArcSwap<Snapshot<W>>>, radius_max: Distance, simd: Simd) -> Self {
        Self { published, radius_max, simd }
    }

    /// The widest radius a search may ask for.
    pub fn radius_max(&self) -> Distance {
        self.radius_max
    }

    /// How many live rows there are.
    pub fn len(&self) -> usize {
        self.published.load().len()
    }

    /// Whether there is no live row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every live row, in no particular order: for comparing the index with the store.
    ///
    /// The rows are those at the time of the call. One removed while iterating may still come; the iterator keeps the
    /// memory of its moment, so it should not be kept.
    pub fn rows(&self) -> impl Iterator<Item = Row<W>> + use<W> {
        Snapshot::clone(&self.published.load()).into_rows()
    }

    #[cfg(test)]
    pub(super) fn segments(&self) -> Vec<Arc<super::segment::Segment<W>>> {
        self.published.load().segments.clone()
    }
}

/// Up to the radius given to `Writer::open`.
impl<const W: usize> HammingIndex<W> for Reader<W> {
    fn search(&self, query: &[u64; W], radius: Distance, limit: usize) -> Result<Neighbours, SearchError> {
        if radius > self.radius_max {
            return Err(SearchError::RadiusTooWide { asked: radius, max: self.radius_max });
        }
        Ok(self.published.load().search(self.simd, &Ask::new(query, radius), limit))
    }
}
