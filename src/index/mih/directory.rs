//! Where the rows of each band value are listed.
//!
//! For every band and every value of its first `width` bits there is a bucket: of each row that has the value, its number
//! and its whole value of the band that follows. Most rows of a bucket are ruled out by the latter, which is why it lies
//! in an array of its own, 2 bytes a row: a bucket is read from one or two cache lines.
//!
//! Bytes a row and band: 2 + 3, and 4 a bucket.

use std::sync::{Mutex, PoisonError};
use std::thread;

use super::bands::{BAND_BITS, band_value, bands, following};
use crate::index::simd::{LANES, prefetch};
use crate::index::table::Table;

/// The most rows a directory can number: with three bytes a row, and 32 bits for the places of all bands.
pub(super) const ROWS_MAX: usize = 1 << 24;

pub(super) struct Directory {
    /// Bits of a band that buckets tell apart.
    width: u32,
    rows: usize,
    /// For each band, where each value's bucket starts among the band's places; and one more, where the last one ends.
    starts: Table<u32>,
    /// For each place, the row's value of the band that follows; the bands one after another. Then zeros, so that a whole
    /// vector can be read from any place.
    following: Table<u16>,
    /// For each place, the row's number in three bytes, the lowest first.
    numbers: Table<[u8; 3]>,
}

/// Places of one band that hold the rows of one value: from and to, without `to`. Small, as a search keeps hundreds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Directory {
    /// Of these hashes, at most [`ROWS_MAX`], numbered as they come; built by so many threads.
    pub(super) fn build<const W: usize>(hashes: &[[u64; W]], threads: usize) -> Self {
        let rows = hashes.len();
        let width = rows.checked_ilog2().unwrap_or(0).clamp(1, BAND_BITS);
        let mut starts = Table::zeroed(bands(W) * heads(width));
        let mut next = Table::zeroed(bands(W) * rows + LANES);
        let mut numbers = Table::zeroed(bands(W) * rows);

        // A chunk has at least one place, also without rows: then there are no chunks, and nothing to list.
        let parts =
            starts.chunks_mut(heads(width)).zip(next.chunks_mut(rows.max(1))).zip(numbers.chunks_mut(rows.max(1)));
        let parts = Mutex::new(parts.enumerate());
        let work = || {
            // Bound first: a `while let` would hold the lock while it lists.
            let next_part = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((band, ((starts, next), numbers))) = next_part() {
                list(hashes, band, width, starts, next, numbers);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                // Without a thread to be had, the others do its part.
                let _ = thread::Builder::new().name("index-builder".into()).spawn_scoped(scope, work);
            }
            work();
        });
        Self { width, rows, starts, following: next, numbers }
    }

    /// To look things up in, many at a time.
    #[inline(always)]
    pub(super) fn view(&self) -> View<'_> {
        let Self { width, rows, starts, following, numbers } = self;
        View { width: *width, rows: *rows, starts, following, numbers }
    }
}

/// A directory's tables as plain slices, which a search asks for once.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// Bits of a band that buckets tell apart: the first ones.
    pub(super) width: u32,
    rows: usize,
    starts: &'a [u32],
    following: &'a [u16],
    numbers: &'a [[u8; 3]],
}

impl<'a> View<'a> {
    /// Where the head of a bucket is: for [`Self::bucket`], after [`Self::prefetch_head`].
    #[inline(always)]
    pub(super) fn head(&self, band: usize, value: u32) -> u32 {
        (band * heads(self.width)) as u32 + value
    }

    #[inline(always)]
    pub(super) fn prefetch_head(&self, head: u32) {
        prefetch(self.starts, head as usize);
    }

    /// The bucket of a head of this band.
    #[inline(always)]
    pub(super) fn bucket(&self, band: usize, head: u32) -> Bucket {
        let (first, head) = ((band * self.rows) as u32, head as usize);
        Bucket { from: first + self.starts[head], to: first + self.starts[head + 1] }
    }

    /// The places from `from` on, as many as are compared at once: their rows' values of the following band. What lies
    /// beyond a bucket's end belongs to others.
    #[inline(always)]
    pub(super) fn following(&self, from: u32) -> &'a [u16; LANES] {
        // The table ends with that many values that belong to nobody.
        self.following[from as usize..].first_chunk().unwrap_or(&[0; LANES])
    }

    #[inline(always)]
    pub(super) fn prefetch_following(&self, bucket: Bucket) {
        prefetch(self.following, bucket.from as usize);
        // Two lines; if there are more, the processor sees where this is going.
        prefetch(self.following, bucket.to.saturating_sub(1) as usize);
    }

    /// The number of the row at a place.
    #[inline(always)]
    pub(super) fn number(&self, place: u32) -> u32 {
        let [low, middle, high] = self.numbers[place as usize];
        u32::from_le_bytes([low, middle, high, 0])
    }

    #[inline(always)]
    pub(super) fn prefetch_number(&self, place: u32) {
        prefetch(self.numbers, place as usize);
    }
}

/// Heads of one band.
const fn heads(width: u32) -> usize {
    (1 << width) + 1
}

/// Lists all rows under their values of one band: a counting sort. Each bucket is in the order of the rows.
fn list<const W: usize>(
    hashes: &[[u64; W]],
    band: usize,
    width: u32,
    starts: &mut [u32],
    next: &mut [u16],
    numbers: &mut [[u8; 3]],
) {
    let value = |hash| band_value(hash, band, width) as usize;
    for hash in hashes {
        starts[value(hash)] += 1;
    }
    // Now each value's end; filling from the back turns it into the start.
    let mut end = 0;
    for start in &mut *starts {
        end += *start;
        *start = end;
    }
    for (number, hash) in hashes.iter().enumerate().rev() {
        let start = &mut starts[value(hash)];
        *start -= 1;
        let place = *start as usize;
        next[place] = band_value(hash, following(band, bands(W)), BAND_BITS) as u16;
        let [low, middle, high, _] = (number as u32).to_le_bytes();
        numbers[place] = [low, middle, high];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::corpus::Bits;

    #[test]
    fn every_row_is_listed_under_its_values_and_no_other() {
        let mut bits = Bits(1);
        for rows in [0, 1, 2, 3, 100, 3000] {
            let hashes: Vec<[u64; 1]> = (0..rows).map(|_| [bits.word() & bits.word()]).collect();
            for threads in [1, 2, 3, 9] {
                let directory = Directory::build(&hashes, threads);
                let directory = directory.view();
                for band in 0..4 {
                    for value in 0..1 << directory.width {
                        let Bucket { from, to } = directory.bucket(band, directory.head(band, value));
                        let listed: Vec<_> = (from..to)
                            .map(|place| (directory.number(place) as usize, u32::from(directory.following(place)[0])))
                            .collect();
                        let of = |hash| band_value(hash, band, directory.width);
                        let expected: Vec<_> = (0..rows)
                            .filter(|&row| of(&hashes[row]) == value)
                            .map(|row| (row, band_value(&hashes[row], following(band, 4), 16)))
                            .collect();
                        assert_eq!(listed, expected, "{rows} rows, {threads} threads, band {band}, value {value}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_whole_vector_can_be_read_from_the_last_place() {
        let directory = Directory::build(&[[7_u64; 1]], 1);
        let directory = directory.view();
        let Bucket { from, to } = directory.bucket(3, directory.head(3, 0));
        assert_eq!((from, to), (3, 4));
        assert_eq!(directory.following(from)[..2], [0, 0]);
    }
}
