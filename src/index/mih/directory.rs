//! Where the rows of each band value are listed.
//!
//! For every band and every value of it there is a bucket: of each row that has the value, its number and the 16 bits that
//! follow the band. Most rows of a bucket are ruled out by the latter, which is why they lie in an array of their own, 2
//! bytes a row: a bucket is read from one or two cache lines.
//!
//! Bytes a row and band: 2 + 3, and 4 a bucket.

use std::sync::{Mutex, PoisonError};
use std::thread;

use super::bands::Cut;
use crate::index::simd::{LANES, prefetch};
use crate::index::table::Table;

/// The most rows a directory can number: with three bytes a row, and 32 bits for the places of all bands.
pub(super) const ROWS_MAX: usize = 1 << 24;

pub(super) struct Directory {
    cut: Cut,
    /// For each band and value, the place where its bucket starts, which is where the one before ends; then the end of all.
    starts: Table<u32>,
    /// For each place, the 16 bits of the row that follow the band. Then zeros, so that a whole vector can be read from any
    /// place.
    following: Table<u16>,
    /// For each place, the row's number in three bytes, the lowest first.
    numbers: Table<[u8; 3]>,
}

/// Places of the rows that have one value of one band: from and to, without `to`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Directory {
    /// Of these hashes, at most [`ROWS_MAX`], numbered as they come; built by so many threads.
    pub(super) fn build<const W: usize>(hashes: &[[u64; W]], cut: Cut, threads: usize) -> Self {
        let rows = hashes.len();
        assert!(rows <= ROWS_MAX, "more rows than can be numbered");
        let places = cut.bands(W) * rows;
        let mut starts = Table::zeroed(cut.bands(W) * cut.values() + 1);
        let mut following = Table::zeroed(places + LANES);
        let mut numbers = Table::zeroed(places);

        starts[cut.bands(W) * cut.values()] = places as u32;
        // A chunk has at least one place, also without rows: then there are no chunks, and nothing to list.
        let heads = starts.chunks_exact_mut(cut.values());
        let parts = heads.zip(following.chunks_mut(rows.max(1))).zip(numbers.chunks_mut(rows.max(1)));
        let parts = Mutex::new(parts.enumerate());
        let work = || {
            // Bound first: a `while let` would hold the lock while it lists.
            let next_part = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((band, ((starts, following), numbers))) = next_part() {
                list(hashes, cut, band, starts, following, numbers);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                // Without a thread to be had, the others do its part.
                let _ = thread::Builder::new().name("index-builder".into()).spawn_scoped(scope, work);
            }
            work();
        });
        Self { cut, starts, following, numbers }
    }

    /// Of the rows of others of the same cut, which get `rows` numbers as the renumberings say. They ascend from directory to
    /// directory, so every bucket is the old ones, one after another.
    pub(super) fn join(parts: &[(View<'_>, &Renumbering)], cut: Cut, bands: usize, rows: usize) -> Self {
        assert!(rows <= ROWS_MAX, "more rows than can be numbered");
        let mut starts = Table::<u32>::zeroed(bands * cut.values() + 1);
        let mut following = Table::zeroed(bands * rows + LANES);
        let mut numbers = Table::zeroed(bands * rows);
        let mut place = 0;
        for (head, start) in starts.iter_mut().enumerate() {
            *start = place as u32;
            if head == bands * cut.values() {
                break;
            }
            for (part, renumbering) in parts {
                let Bucket { from, to } = part.bucket(head as u32);
                for old in from..to {
                    let Some(number) = renumbering.number(part.number(old)) else { continue };
                    following[place] = part.following[old as usize];
                    numbers[place] = three_bytes(number);
                    place += 1;
                }
            }
        }
        Self { cut, starts, following, numbers }
    }

    /// To look things up in, many at a time.
    #[inline(always)]
    pub(super) fn view(&self) -> View<'_> {
        let Self { cut, starts, following, numbers } = self;
        View { cut: *cut, starts, following, numbers }
    }
}

/// Which numbers the rows of a directory get in one that it is joined into.
pub(super) struct Renumbering {
    /// The first new number, and the one after the last.
    pub(super) first: u32,
    pub(super) end: u32,
    /// By old number, where some are gone; else all follow `first`.
    pub(super) numbers: Option<Vec<u32>>,
}

impl Renumbering {
    /// No row's number.
    pub(super) const GONE: u32 = u32::MAX;

    /// The new number of a row; `None` if it is gone.
    #[inline]
    pub(super) fn number(&self, old: u32) -> Option<u32> {
        match &self.numbers {
            None => Some(self.first + old),
            Some(numbers) => Some(numbers[old as usize]).filter(|number| *number != Self::GONE),
        }
    }
}

/// A directory's tables as plain slices, which a search asks for once.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) cut: Cut,
    starts: &'a [u32],
    following: &'a [u16],
    numbers: &'a [[u8; 3]],
}

impl<'a> View<'a> {
    /// Where the head of a bucket is: for [`Self::bucket`], after [`Self::prefetch_head`].
    #[inline(always)]
    pub(super) fn head(&self, band: usize, value: u32) -> u32 {
        (band * self.cut.values()) as u32 + value
    }

    #[inline(always)]
    pub(super) fn prefetch_head(&self, head: u32) {
        prefetch(self.starts, head as usize);
    }

    /// The bucket of a head.
    #[inline(always)]
    pub(super) fn bucket(&self, head: u32) -> Bucket {
        let head = head as usize;
        Bucket { from: self.starts[head], to: self.starts[head + 1] }
    }

    /// Of the places from `from` on, as many as are compared at once: the 16 bits that follow the band. What lies beyond a bucket's end belongs to others.
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

/// Lists all rows under their values of one band: a counting sort. Each bucket is in the order of the rows.
fn list<const W: usize>(
    hashes: &[[u64; W]],
    cut: Cut,
    band: usize,
    starts: &mut [u32],
    following: &mut [u16],
    numbers: &mut [[u8; 3]],
) {
    let value = |hash| cut.value(hash, band) as usize;
    for hash in hashes {
        starts[value(hash)] += 1;
    }
    // Now each value's end; filling from the back turns it into the start.
    let first = (band * hashes.len()) as u32;
    let mut end = first;
    for start in &mut *starts {
        end += *start;
        *start = end;
    }
    for (number, hash) in hashes.iter().enumerate().rev() {
        let start = &mut starts[value(hash)];
        *start -= 1;
        let place = (*start - first) as usize;
        following[place] = cut.following(hash, band);
        numbers[place] = three_bytes(number as u32);
    }
}

/// A number below [`ROWS_MAX`], the lowest byte first.
fn three_bytes(number: u32) -> [u8; 3] {
    let [low, middle, high, _] = number.to_le_bytes();
    [low, middle, high]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::corpus::Bits;

    #[test]
    fn every_row_is_listed_under_its_values_and_no_other() {
        let mut bits = Bits(1);
        for (rows, threads, cut) in [
            (0, 1, Cut::WIDE),
            (1, 2, Cut::WIDE),
            (3000, 3, Cut::WIDE),
            (0, 9, Cut::NARROW),
            (2, 1, Cut::NARROW),
            (3000, 9, Cut::NARROW),
        ] {
            let hashes: Vec<[u64; 1]> = (0..rows).map(|_| [bits.word() & bits.word()]).collect();
            let directory = Directory::build(&hashes, cut, threads);
            let directory = directory.view();
            for band in 0..cut.bands(1) {
                let mut listed = Vec::new();
                for value in 0..cut.values() as u32 {
                    let Bucket { from, to } = directory.bucket(directory.head(band, value));
                    listed.extend((from..to).map(|at| (value, directory.number(at), directory.following(at)[0])));
                }
                let entry = |(row, hash)| (cut.value(hash, band), row as u32, cut.following(hash, band));
                let mut expected: Vec<_> = hashes.iter().enumerate().map(entry).collect();
                expected.sort_unstable();
                assert_eq!(listed, expected, "{rows} rows, {threads} threads, {cut:?}, band {band}");
            }
        }
    }

    #[test]
    fn a_whole_vector_can_be_read_from_the_last_place() {
        let directory = Directory::build(&[[7_u64; 1]], Cut::NARROW, 1);
        let directory = directory.view();
        let Bucket { from, to } = directory.bucket(directory.head(7, 7));
        assert_eq!((from, to), (7, 8));
        assert_eq!(directory.following(from)[..2], [0, 0]);
    }
}
