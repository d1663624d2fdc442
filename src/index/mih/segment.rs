//! Many rows that no longer change but by removals, found by band.
//!
//! Rows are numbered in the order of their ids, so that removing one is a binary search whatever the hashes look like.
//!
//! Each step of a search asks for the memory of the next: listing the probes asks for the buckets' heads, a block of heads
//! for its buckets while the block before is read, a bucket for its candidates' numbers, and numbers for rows. So many
//! cache misses are waited for together, and the time of a search is that of moving its cache lines, not of their latency
//! one by one.
//!
//! Bytes a row with `W` = 4: 32 the hash, 8 the id, 80 the entries in the lists of 16 bands; 4 MiB for the lists' heads.
//! Few rows have 32 bands instead, which is 160 bytes a row and 32 KiB.

use super::ask::{Ask, Budget};
use super::bands::{Cut, flips};
use super::directory::{Bucket, Directory, View};
use super::tombstones::Tombstones;
use crate::index::simd::{LANES, Lanes, prefetch};
use crate::index::table::Table;
use crate::index::{Neighbour, Row};

/// Candidates compared at a time: enough to wait for together, few enough for the nearest cache.
const CANDIDATES: usize = 512;

/// Longer buckets are read in pieces, with what they give compared in between.
const LONG_BUCKET: u32 = 4096;

/// Buckets asked for at a time: comparing so many takes about as long as a cache miss, and the processor can wait for so
/// many lines. With 64 a search takes half as long again.
const BLOCK: usize = 12;

pub(super) struct Segment<const W: usize> {
    /// Ascending.
    ids: Table<u64>,
    hashes: Table<[u64; W]>,
    directory: Directory,
    dead: Tombstones,
}

/// What a search needs space for, kept from segment to segment.
pub(super) struct Scratch {
    probes: Vec<Probe>,
    candidates: Vec<Candidate>,
}

impl Scratch {
    pub(super) fn new() -> Self {
        // More than most searches need.
        Self { probes: Vec::with_capacity(CANDIDATES), candidates: Vec::with_capacity(2 * CANDIDATES) }
    }
}

/// One bucket to look into.
struct Probe {
    head: u32,
    /// The 16 bits of the query that follow the band, and how many may differ.
    following: u16,
    most: u8,
    band: u8,
}

/// A row that agrees well enough on a band and what follows it.
struct Candidate {
    /// Where it was met; then the row's number.
    place: u32,
    band: u8,
}

impl<const W: usize> Segment<W> {
    /// Of these rows, in any order, at most `directory::ROWS_MAX`, in wide bands from `wide_rows_min` rows on; built by so
    /// many threads.
    pub(super) fn build(mut rows: Vec<Row<W>>, wide_rows_min: usize, threads: usize) -> Self {
        rows.sort_unstable_by_key(|(_, id)| *id);
        let (mut hashes, mut ids) = (Table::<[u64; W]>::zeroed(rows.len()), Table::zeroed(rows.len()));
        for ((hash, id), row) in hashes.iter_mut().zip(ids.iter_mut()).zip(&rows) {
            (*hash, *id) = *row;
        }
        // Before the directory needs as much memory again.
        drop(rows);
        let directory = Directory::build(&hashes, Cut::for_rows(hashes.len(), wide_rows_min), threads);
        Self::of_parts(ids, hashes, directory)
    }

    /// Of ids in ascending order, their hashes, and the directory of those.
    pub(super) fn of_parts(ids: Table<u64>, hashes: Table<[u64; W]>, directory: Directory) -> Self {
        let dead = Tombstones::new(ids.len());
        Self { ids, hashes, directory, dead }
    }

    /// The lowest and the highest id, removed ones included; `None` without rows.
    pub(super) fn id_range(&self) -> Option<(u64, u64)> {
        Some((*self.ids.first()?, *self.ids.last()?))
    }

    /// All rows in their order, removed ones included.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<W>> {
        self.hashes.iter().copied().zip(self.ids.iter().copied())
    }

    /// Which rows are removed.
    pub(super) fn tombstones(&self) -> &Tombstones {
        &self.dead
    }

    /// Where its rows are listed.
    pub(super) fn directory(&self) -> &Directory {
        &self.directory
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
    #[inline(always)]
    pub(super) fn search<L: Lanes>(&self, lanes: L, ask: &Ask<W>, scratch: &mut Scratch, hits: &mut Vec<Neighbour>) {
        let before = hits.len();
        if self.probe(lanes, ask, scratch, hits).is_none() {
            hits.truncate(before);
            self.scan(ask, hits);
        }
    }

    #[inline(always)]
    fn scan(&self, ask: &Ask<W>, hits: &mut Vec<Neighbour>) {
        let ids = &self.ids[..];
        let near = self.hashes.iter().enumerate().filter_map(|(row, hash)| Some((row, ask.near(hash)?)));
        let live = near.filter(|(row, _)| !self.dead.contains(*row));
        hits.extend(live.map(|(row, distance)| Neighbour { id: ids[row], distance }));
    }

    /// `None` if a scan is cheaper, with some of the hits.
    #[inline(always)]
    fn probe<L: Lanes>(&self, lanes: L, ask: &Ask<W>, scratch: &mut Scratch, hits: &mut Vec<Neighbour>) -> Option<()> {
        let mut budget = ask.budget(self.len());
        let Scratch { probes, candidates } = scratch;
        let directory = self.directory.view();
        plan(directory, ask, &budget, probes)?;
        candidates.clear();
        // Each block's buckets are asked for before the block before it is compared.
        let mut blocks = probes.chunks(BLOCK);
        let mut coming = look_up(directory, blocks.next().unwrap_or_default(), &mut budget);
        for (nth, block) in probes.chunks(BLOCK).enumerate() {
            let buckets = coming;
            coming = look_up(directory, blocks.next().unwrap_or_default(), &mut budget);
            let mut compare = |candidates: &mut Vec<Candidate>| {
                budget.spend_candidates(candidates.len());
                let is_worth_it = budget.allows(nth * BLOCK, probes.len());
                self.compare(directory, ask, candidates, hits);
                is_worth_it.then_some(())
            };
            for (probe, mut bucket) in block.iter().zip(buckets) {
                // One bucket may hold everything.
                while bucket.to - bucket.from > LONG_BUCKET {
                    let piece = Bucket { from: bucket.from, to: bucket.from + LONG_BUCKET };
                    read(lanes, directory, probe, piece, candidates);
                    compare(candidates)?;
                    bucket.from = piece.to;
                }
                read(lanes, directory, probe, bucket, candidates);
            }
            if candidates.len() >= CANDIDATES {
                compare(candidates)?;
            }
        }
        self.compare(directory, ask, candidates, hits);
        Some(())
    }

    /// Compares candidates in full and forgets them.
    #[inline(always)]
    fn compare(&self, directory: View<'_>, ask: &Ask<W>, candidates: &mut Vec<Candidate>, hits: &mut Vec<Neighbour>) {
        let hashes = &self.hashes[..];
        for candidate in &mut *candidates {
            candidate.place = directory.number(candidate.place);
            prefetch(hashes, candidate.place as usize);
        }
        for Candidate { band, place: row } in candidates.drain(..) {
            let row = row as usize;
            let hash = &hashes[row];
            let Some(distance) = ask.near(hash) else { continue };
            let difference: [_; W] = std::array::from_fn(|word| hash[word] ^ ask.query[word]);
            // Once, though several bands may find it: an answer would leave out the repetitions, but they would take memory.
            let counts_here = ask.allotment(directory.cut).first_finder(&difference) == Some(band.into());
            if counts_here && !self.dead.contains(row) {
                hits.push(Neighbour { id: self.ids[row], distance });
            }
        }
    }
}

/// Lists the buckets to look into. `None` if a scan is cheaper.
#[inline(always)]
fn plan<const W: usize>(directory: View<'_>, ask: &Ask<W>, budget: &Budget, probes: &mut Vec<Probe>) -> Option<()> {
    let cut = directory.cut;
    let allotment = ask.allotment(cut);
    probes.clear();
    for band in 0..cut.bands(W) {
        let Some(radius) = allotment.band_radius(band) else { continue };
        let (value, following) = (cut.value(ask.query, band), cut.following(ask.query, band));
        for differing in 0..=radius {
            let most = allotment.following_radius(band, differing).min(16) as u8;
            probes.extend(flips(cut, differing).iter().map(|flips| {
                let head = directory.head(band, value ^ u32::from(*flips));
                directory.prefetch_head(head);
                Probe { head, following, most, band: band as u8 }
            }));
        }
        if !budget.allows_probes(probes.len()) {
            return None;
        }
    }
    Some(())
}

/// Reads a bucket: finds the rows that agree well enough, and asks for their numbers.
#[inline(always)]
fn read<L: Lanes>(lanes: L, directory: View<'_>, probe: &Probe, bucket: Bucket, candidates: &mut Vec<Candidate>) {
    let Bucket { mut from, to } = bucket;
    while from < to {
        let in_bucket = u32::MAX >> (LANES as u32 - (to - from).min(LANES as u32));
        let mut near = lanes.near(directory.following(from), probe.following, probe.most) & in_bucket;
        while near != 0 {
            let place = from + near.trailing_zeros();
            directory.prefetch_number(place);
            candidates.push(Candidate { place, band: probe.band });
            near &= near - 1;
        }
        from += LANES as u32;
    }
}

/// Finds the buckets of a block, and asks for them.
#[inline(always)]
fn look_up(directory: View<'_>, block: &[Probe], budget: &mut Budget) -> [Bucket; BLOCK] {
    let mut buckets = [Bucket::default(); BLOCK];
    let mut rows = 0;
    for (bucket, probe) in buckets.iter_mut().zip(block) {
        *bucket = directory.bucket(probe.head);
        directory.prefetch_following(*bucket);
        rows += bucket.to - bucket.from;
    }
    budget.spend_rows(rows as usize);
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Distance;
    use crate::index::mih::bands::Allotment;
    use crate::index::simd::{Search, Simd};

    fn always_probing(query: &[u64; 4]) -> Ask<'_, 4> {
        let radius = Distance::new(31);
        Ask::always_probing(query, radius, |cut| Allotment::exact(cut, 4, radius))
    }

    struct In<'a, const W: usize>(&'a Segment<W>, Ask<'a, W>);

    impl<const W: usize> Search for In<'_, W> {
        type Found = Vec<Neighbour>;

        fn with<L: Lanes>(self, lanes: L) -> Vec<Neighbour> {
            let mut hits = Vec::new();
            self.0.search(lanes, &self.1, &mut Scratch::new(), &mut hits);
            hits
        }
    }

    #[test]
    fn a_segment_without_rows_is_no_special_case() {
        let empty = Segment::<4>::build(Vec::new(), 0, 1);
        assert_eq!((empty.len(), empty.remove(&[0; 4], 1)), (0, 0));
        let ask = always_probing(&[0; 4]);
        assert_eq!(Simd::PORTABLE.run(In(&empty, ask)), []);
        assert_eq!(Simd::PORTABLE.run(In(&empty, Ask::new(&[0; 4], Distance::new(31)))), []);
    }

    #[test]
    fn removing_marks_equal_rows_among_those_of_the_same_id() {
        let segment = Segment::build(vec![([1], 5), ([2], 5), ([1], 4), ([1], 5), ([1], 6)], 1, 1);
        assert_eq!((segment.remove(&[1], 5), segment.remove(&[1], 5), segment.dead()), (2, 0, 2));
        let left: Vec<_> = (0..segment.len()).filter_map(|row| segment.live_row(row)).collect();
        assert_eq!(left, [([1], 4), ([2], 5), ([1], 6)]);
    }

    #[test]
    fn a_row_that_is_near_on_every_band_is_one_hit() {
        for wide_rows_min in [0, 1001] {
            let segment = Segment::build((0..1000).map(|id| ([7; 4], id)).collect(), wide_rows_min, 1);
            for simd in Simd::available() {
                assert_eq!(simd.run(In(&segment, always_probing(&[6; 4]))).len(), 1000, "{simd}");
            }
        }
    }
}
