//! Many rows that no longer change but by removals, found by band.
//!
//! Rows are numbered in order of their ids, so that removing one is a binary search whatever the hashes look like. Each
//! band has a directory: for every value of the band's first `width` bits, the numbers of the rows that have it. The width
//! grows with the number of rows up to the whole band, so that a directory is never much larger than what it lists.
//!
//! Bytes a row with `W` = 4: 32 the hash, 8 the id, 64 the sixteen directories' entries; and 32 to 64 for their heads
//! while there are fewer rows than band values, 4 MiB altogether from there on.

use std::hint::black_box;

use super::ask::Ask;
use super::bands::{BAND_BITS, band_value, bands, within};
use super::tombstones::Tombstones;
use crate::index::{Neighbour, Row};

pub(super) struct Segment<const W: usize> {
    /// Ascending.
    ids: Box<[u64]>,
    hashes: Box<[[u64; W]]>,
    directories: Box<[Directory]>,
    /// Bits of a band that the directories distinguish.
    width: u32,
    dead: Tombstones,
}

impl<const W: usize> Segment<W> {
    /// Of these rows, in any order; at most `tiers::SEGMENT_ROWS_MAX`, so that a row's number fits 32 bits.
    pub(super) fn build(mut rows: Vec<Row<W>>) -> Self {
        rows.sort_unstable_by_key(|(_, id)| *id);
        let ids = rows.iter().map(|(_, id)| *id).collect();
        let hashes: Box<[_]> = rows.iter().map(|(hash, _)| *hash).collect();
        // A large segment is built while the ones it replaces still serve: free what is no longer needed.
        drop(rows);

        let width = hashes.len().checked_ilog2().unwrap_or(0).clamp(1, BAND_BITS);
        let directories = (0..bands(W)).map(|band| Directory::build(&hashes, band, width)).collect();
        Self { ids, dead: Tombstones::new(hashes.len()), hashes, directories, width }
    }

    /// Rows, removed ones included.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Removed rows.
    pub(super) fn dead(&self) -> usize {
        self.dead.count()
    }

    /// Removes all rows equal to this one and says how many there were.
    pub(super) fn remove(&self, hash: &[u64; W], id: u64) -> usize {
        let first = self.ids.partition_point(|known| *known < id);
        let same_id = self.ids[first..].iter().take_while(|known| **known == id).count();
        (first..first + same_id).filter(|&row| self.hashes[row] == *hash && self.dead.insert(row)).count()
    }

    /// The row of this number, unless it is removed.
    pub(super) fn live_row(&self, row: usize) -> Option<Row<W>> {
        (!self.dead.contains(row)).then(|| (self.hashes[row], self.ids[row]))
    }

    /// Appends every live row within the asked radius to `hits`, each once.
    pub(super) fn search(&self, ask: &Ask<W>, hits: &mut Vec<Neighbour>) {
        match self.buckets(ask) {
            Some(buckets) => self.probe(ask, &buckets, hits),
            None => self.scan(ask, hits),
        }
    }

    fn scan(&self, ask: &Ask<W>, hits: &mut Vec<Neighbour>) {
        let rows = self.hashes.iter().zip(&self.ids).enumerate();
        let near = rows.filter_map(|(row, (hash, id))| Some((row, ask.hit(hash, *id)?)));
        hits.extend(near.filter(|(row, _)| !self.dead.contains(*row)).map(|(_, hit)| hit));
    }

    fn probe(&self, ask: &Ask<W>, buckets: &[Bucket], hits: &mut Vec<Neighbour>) {
        let mut candidates = Vec::new();
        for of_one_band in buckets.chunk_by(|a, b| a.band == b.band) {
            candidates.clear();
            of_one_band.iter().for_each(|bucket| candidates.extend_from_slice(bucket.rows));
            self.fetch(&candidates);
            for &row in &candidates {
                let row = row as usize;
                let Some(hit) = ask.hit(&self.hashes[row], self.ids[row]) else { continue };
                let difference: [_; W] = std::array::from_fn(|word| self.hashes[row][word] ^ ask.query[word]);
                let counts_here = ask.allotment.first_finder(&difference) == Some(of_one_band[0].band);
                if counts_here && !self.dead.contains(row) {
                    hits.push(hit);
                }
            }
        }
    }

    /// Brings the hashes of these rows into the cache: their misses overlap here as they would not between comparisons,
    /// which at a million rows halves the time of a search. First and last word, since a hash may lie across two lines.
    fn fetch(&self, rows: &[u32]) {
        let ends = rows.iter().map(|&row| &self.hashes[row as usize]).map(|hash| hash[0] ^ hash[W - 1]);
        black_box(ends.fold(0, |a, b| a ^ b));
    }

    /// Where to look. `None` if that is so much that a scan is cheaper.
    fn buckets(&self, ask: &Ask<W>) -> Option<Vec<Bucket<'_>>> {
        let mut left = ask.touches_max(self.len());
        let mut buckets = Vec::new();
        for (band, directory) in self.directories.iter().enumerate() {
            let Some(radius) = ask.allotment.band_radius(band) else { continue };
            for value in within(band_value(ask.query, band, self.width), self.width, radius) {
                let rows = directory.rows_with(value);
                left = left.checked_sub(1 + rows.len())?;
                buckets.push(Bucket { band, rows });
            }
        }
        Some(buckets)
    }
}

/// Rows that have one value of one band.
struct Bucket<'a> {
    band: usize,
    rows: &'a [u32],
}

/// Row numbers by the value of one band.
struct Directory {
    /// Where in `rows` each value's row numbers start; one more, where the last value's end.
    starts: Box<[u32]>,
    rows: Box<[u32]>,
}

impl Directory {
    /// By the first `width` bits of `band`: a counting sort.
    fn build<const W: usize>(hashes: &[[u64; W]], band: usize, width: u32) -> Self {
        let value = |hash| band_value(hash, band, width) as usize;
        let mut starts = vec![0_u32; (1 << width) + 1].into_boxed_slice();
        for hash in hashes {
            starts[value(hash)] += 1;
        }
        // Now each value's end; filling from the back turns it into the start.
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut rows = vec![0; hashes.len()].into_boxed_slice();
        for (row, hash) in hashes.iter().enumerate().rev() {
            let start = &mut starts[value(hash)];
            *start -= 1;
            rows[*start as usize] = row as u32;
        }
        Self { starts, rows }
    }

    fn rows_with(&self, value: u32) -> &[u32] {
        let value = value as usize;
        &self.rows[self.starts[value] as usize..self.starts[value + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Distance;
    use crate::index::mih::bands::Allotment;

    #[test]
    fn a_directory_lists_every_row_under_its_value_and_no_other() {
        let hashes: Vec<[u64; 1]> = (0..100).map(|n| [(n * n) << 40]).collect();
        for width in [1, 5, 16] {
            for band in 0..4 {
                let directory = Directory::build(&hashes, band, width);
                for value in 0..1 << width {
                    let expected: Vec<_> =
                        (0..100_u32).filter(|&row| band_value(&hashes[row as usize], band, width) == value).collect();
                    assert_eq!(directory.rows_with(value), expected);
                }
            }
        }
    }

    #[test]
    fn a_segment_without_rows_is_no_special_case() {
        let empty = Segment::<4>::build(Vec::new());
        assert_eq!((empty.len(), empty.remove(&[0; 4], 1)), (0, 0));
        let mut hits = Vec::new();
        empty.search(&Ask::new(&[0; 4], Distance::new(31)), &mut hits);
        assert_eq!(hits, []);
    }

    #[test]
    fn removing_marks_equal_rows_among_those_of_the_same_id() {
        let segment = Segment::build(vec![([1], 5), ([2], 5), ([1], 4), ([1], 5), ([1], 6)]);
        assert_eq!((segment.remove(&[1], 5), segment.remove(&[1], 5), segment.dead()), (2, 0, 2));
        let left: Vec<_> = (0..segment.len()).filter_map(|row| segment.live_row(row)).collect();
        assert_eq!(left, [([1], 4), ([2], 5), ([1], 6)]);
    }

    #[test]
    fn a_row_that_is_near_on_every_band_is_one_hit() {
        let segment = Segment::build((0..1000).map(|id| ([7; 4], id)).collect());
        let ask = Ask::always_probing(&[6; 4], Distance::new(31), Allotment::exact(Distance::new(31), 16));
        let mut hits = Vec::new();
        segment.search(&ask, &mut hits);
        assert_eq!(hits.len(), 1000);
    }
}
