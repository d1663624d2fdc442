//! Several segments made into one.
//!
//! Their rows are put one segment after another, so that every list of the new directory is the old lists' one after
//! another: memory is read and written in order, which takes a tenth of the time of listing the rows anew.

use std::sync::Arc;

use super::bands::Cut;
use super::directory::{Directory, Renumbering, View};
use super::segment::Segment;
use super::tombstones::Tombstones;
use crate::index::table::Table;

/// What a merge starts from.
pub(super) struct Merge<const W: usize> {
    inputs: Vec<Arc<Segment<W>>>,
    wide_rows_min: usize,
}

impl<const W: usize> Merge<W> {
    /// Of these segments, into one that has wide bands if it has so many rows.
    pub(super) fn new(inputs: Vec<Arc<Segment<W>>>, wide_rows_min: usize) -> Self {
        Self { inputs, wide_rows_min }
    }

    /// One segment of all live rows: the long part. Rows removed while it runs may be among them.
    pub(super) fn build(&self) -> Segment<W> {
        let mut inputs: Vec<_> = self.inputs.iter().collect();
        inputs.sort_unstable_by_key(|input| input.id_range());
        let follow = |pair: &[&Arc<Segment<W>>]| {
            let (before, after) = (pair[0].id_range(), pair[1].id_range());
            before.map(|(_, last)| last) <= after.map(|(first, _)| first)
        };
        if inputs.windows(2).all(follow) {
            self.join(&inputs)
        } else {
            // Rare, as younger rows have higher ids: after rows were loaded in another order.
            let live_rows = |input: &Arc<Segment<W>>| (0..input.len()).filter_map(|row| input.live_row(row)).collect();
            let rows = inputs.into_iter().flat_map(|input| -> Vec<_> { live_rows(input) }).collect();
            Segment::build(rows, self.wide_rows_min, 1)
        }
    }

    /// Of inputs that follow each other in the order of ids.
    fn join(&self, inputs: &[&Arc<Segment<W>>]) -> Segment<W> {
        let mut rows = 0;
        let mut renumberings = Vec::with_capacity(inputs.len());
        for input in inputs {
            let renumbering = renumbering(input.len(), input.tombstones(), rows);
            rows = renumbering.end;
            renumberings.push(renumbering);
        }
        let rows = rows as usize;
        let (mut hashes, mut ids) = (Table::zeroed(rows), Table::zeroed(rows));
        for (input, renumbering) in inputs.iter().zip(&renumberings) {
            for (old, (hash, id)) in input.rows().enumerate() {
                if let Some(new) = renumbering.number(old as u32) {
                    (hashes[new as usize], ids[new as usize]) = (hash, id);
                }
            }
        }
        let cut = Cut::for_rows(rows, self.wide_rows_min);
        let is_cut_otherwise = |input: &Segment<W>| input.directory().view().cut != cut;
        let joined: Vec<_> = inputs.iter().map(|input| &***input).zip(renumberings).collect();
        let parts: Vec<_> = joined
            .chunk_by(|(input, _), (next, _)| is_cut_otherwise(input) && is_cut_otherwise(next))
            .map(|run| match run {
                [(input, renumbering)] if !is_cut_otherwise(input) => Part::Known(input.directory(), renumbering),
                _ => Part::anew(&hashes, run.iter().map(|(_, renumbering)| renumbering), cut),
            })
            .collect();
        let parts: Vec<_> = parts.iter().map(Part::view).collect();
        let directory = Directory::join(&parts, cut, cut.bands(W), rows);
        Segment::of_parts(ids, hashes, directory)
    }

    /// Whether a snapshot still holds what this started from.
    pub(super) fn is_in_use(&self) -> bool {
        self.inputs.iter().any(|input| Arc::strong_count(input) > 1)
    }

    /// Whether this started from that segment too.
    pub(super) fn replaces(&self, segment: &Arc<Segment<W>>) -> bool {
        self.inputs.iter().any(|input| Arc::ptr_eq(input, segment))
    }
}

/// What lists some of the rows.
enum Part<'a> {
    /// One of the old directories.
    Known(&'a Directory, &'a Renumbering),
    /// A new one, as the old ones had other bands: small segments grow into wide ones.
    Anew(Directory, Renumbering),
}

impl<'a> Part<'a> {
    /// Of the rows of inputs that follow each other, as they lie in the new segment.
    fn anew<const W: usize>(
        hashes: &[[u64; W]],
        renumberings: impl Iterator<Item = &'a Renumbering> + Clone,
        cut: Cut,
    ) -> Self {
        let first = renumberings.clone().map(|renumbering| renumbering.first).min().unwrap_or(0);
        let end = renumberings.map(|renumbering| renumbering.end).max().unwrap_or(0);
        let directory = Directory::build(&hashes[first as usize..end as usize], cut, 1);
        Self::Anew(directory, Renumbering { first, end, numbers: None })
    }

    fn view(&self) -> (View<'_>, &Renumbering) {
        match self {
            Self::Known(directory, renumbering) => (directory.view(), renumbering),
            Self::Anew(directory, renumbering) => (directory.view(), renumbering),
        }
    }
}

/// The numbers that live rows get from `first` on, as things stand now.
fn renumbering(rows: usize, dead: &Tombstones, first: u32) -> Renumbering {
    if dead.count() == 0 {
        // A row that is removed from now on is only removed too late, which whoever merges sees to.
        return Renumbering { first, end: first + rows as u32, numbers: None };
    }
    let mut end = first;
    let number = |row| {
        if dead.contains(row) {
            return Renumbering::GONE;
        }
        end += 1;
        end - 1
    };
    let numbers = (0..rows).map(number).collect();
    Renumbering { first, end, numbers: Some(numbers) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Row;
    use crate::index::corpus::Bits;

    fn segment(rows: &[Row<1>], wide_rows_min: usize) -> Arc<Segment<1>> {
        Arc::new(Segment::build(rows.to_vec(), wide_rows_min, 1))
    }

    fn cut(segment: &Segment<1>) -> Cut {
        segment.directory().view().cut
    }

    fn listed(segment: &Segment<1>) -> Vec<(u32, usize, u32, u16)> {
        let view = segment.directory().view();
        let mut listed = Vec::new();
        for band in 0..view.cut.bands(1) {
            for value in 0..view.cut.values() as u32 {
                let bucket = view.bucket(view.head(band, value));
                listed.extend((bucket.from..bucket.to).map(|at| (value, band, view.number(at), view.following(at)[0])));
            }
        }
        listed
    }

    /// Joined or built anew, wide or narrow, with rows removed or not: it is the same segment.
    #[test]
    fn a_merged_segment_is_the_one_built_of_all_live_rows() {
        let mut bits = Bits(3);
        let rows: Vec<Row<1>> = (0..600).map(|id| ([bits.word() & bits.word()], id / 2)).collect();
        for (cuts, wide_rows_min, is_interleaved) in [
            ([0, 0, 0], 0, false),
            ([1000, 1000, 1000], 1000, false),
            ([1000, 0, 1000], 300, false),
            ([1000, 0, 1000], 300, true),
        ] {
            for removed in [0, 1, 7, 200] {
                let parts: Vec<Vec<_>> = if is_interleaved {
                    (0..3).map(|part| rows.iter().skip(part).step_by(3).copied().collect()).collect()
                } else {
                    rows.chunks(200).map(<[_]>::to_vec).collect()
                };
                let mut inputs: Vec<_> =
                    parts.iter().zip(cuts).map(|(rows, wide_rows_min)| segment(rows, wide_rows_min)).collect();
                let gone: Vec<_> = rows.iter().skip(50).take(removed).collect();
                for (hash, id) in &gone {
                    let removed: usize = inputs.iter().map(|input| input.remove(hash, *id)).sum();
                    assert_eq!(removed, 1);
                }
                inputs.rotate_left(1);
                let merged = Merge::new(inputs, wide_rows_min).build();
                let left: Vec<_> = rows.iter().filter(|row| !gone.contains(row)).copied().collect();
                let expected = segment(&left, wide_rows_min);
                let sorted = |segment: &Segment<1>| {
                    let mut rows: Vec<_> = segment.rows().collect();
                    rows.sort_unstable_by_key(|(hash, id)| (*id, *hash));
                    rows
                };
                assert_eq!((cut(&merged), sorted(&merged)), (cut(&expected), sorted(&expected)));
                if !is_interleaved {
                    assert_eq!(listed(&merged), listed(&expected), "{cuts:?}, {removed} removed");
                }
            }
        }
    }
}
