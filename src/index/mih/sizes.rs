//! How large segments are, and which of them to merge.
//!
//! A segment is merged with all smaller ones as soon as those have a sixteenth as many rows. So each segment is at least
//! sixteen times as large as all smaller ones together, and there are few: a million rows, some ten thousand, some
//! thousand. Each costs a search a few microseconds, and the large one anyway. The price is that a row is rewritten about
//! sixteen times for each such step, in the background: at half a microsecond for the largest. A segment more than half
//! removed is rewritten alone.
//!
//! Large segments are left as they are: merging them would save a search little, since nearly all its time goes to rows,
//! and would need as much memory again while it lasts. A segment that has grown is done at about two million rows; one
//! that was loaded at a start has four million.

use std::cmp::Reverse;

/// A segment is so many times as large as all smaller ones.
const RATIO: usize = 16;

/// The most rows in a segment. Bounds the memory and the time a merge takes.
pub(super) const SEGMENT_ROWS_MAX: usize = 1 << 22;

const _: () = assert!(SEGMENT_ROWS_MAX <= super::directory::ROWS_MAX);

/// From how many rows on things are done differently.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// Rows that are gathered, and scanned, before they become a segment.
    pub(super) recent_rows: usize,
    /// A segment of so many rows has wide bands.
    pub(super) wide_rows_min: usize,
}

impl Sizes {
    /// Measured with 256 bits at radius 31; neither is critical. Recent rows cost a search about a nanosecond each, so
    /// that all of them cost about as much as one more segment.
    pub(super) const USUAL: Self = Self { recent_rows: 1024, wide_rows_min: 1 << 17 };

    /// Segments of fewer rows are merged by who adds, as soon as there are more rows to add.
    pub(super) const fn small_rows(self) -> usize {
        8 * self.recent_rows
    }
}

/// What there is to know of a segment here.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// Removed ones included.
    pub(super) rows: usize,
    pub(super) dead: usize,
}

impl Size {
    pub(super) fn live(self) -> usize {
        self.rows - self.dead
    }

    /// Whether it may still be merged with others.
    pub(super) fn is_growing(self) -> bool {
        self.live() < SEGMENT_ROWS_MAX / 2
    }
}

/// The positions of segments to merge into one now, ascending; none if all is well.
pub(super) fn to_merge(sizes: &[Size]) -> Vec<usize> {
    if let Some(wasteful) = sizes.iter().position(|size| 2 * size.dead > size.rows) {
        return vec![wasteful];
    }
    let mut growing: Vec<_> = (0..sizes.len()).filter(|&at| sizes[at].is_growing()).collect();
    growing.sort_unstable_by_key(|&at| Reverse(sizes[at].live()));
    let mut smaller: usize = growing.iter().map(|&at| sizes[at].live()).sum();
    let is_outgrown = |&at: &usize| {
        smaller -= sizes[at].live();
        smaller > 0 && RATIO * smaller >= sizes[at].live()
    };
    let first = growing.iter().position(is_outgrown).unwrap_or(growing.len());
    let mut merged = growing.split_off(first);
    // After a burst of additions there may be far too many. Two always fit.
    let mut rows = 0;
    merged.retain(|&at| {
        let fits = rows + sizes[at].live() <= SEGMENT_ROWS_MAX;
        rows += if fits { sizes[at].live() } else { 0 };
        fits
    });
    merged.sort_unstable();
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(rows: &[usize]) -> Vec<Size> {
        rows.iter().map(|&rows| Size { rows, dead: 0 }).collect()
    }

    #[test]
    fn a_segment_is_merged_with_all_smaller_ones_when_those_have_a_sixteenth_of_its_rows() {
        assert_eq!(to_merge(&live(&[16_000, 50, 900])), [0usize; 0]);
        assert_eq!(to_merge(&live(&[16_000, 50, 950])), [0, 1, 2]);
        // The largest is left alone.
        assert_eq!(to_merge(&live(&[800, 100_000, 100])), [0, 2]);
        assert_eq!(to_merge(&live(&[100_000])), [0usize; 0]);
        assert_eq!(to_merge(&live(&[])), [0usize; 0]);
    }

    #[test]
    fn a_segment_more_than_half_removed_is_rewritten_alone() {
        let mut sizes = live(&[100, 8000]);
        sizes[1].dead = 4000;
        assert_eq!(to_merge(&sizes), [0usize; 0]);
        sizes[1].dead = 4001;
        assert_eq!(to_merge(&sizes), [1]);
    }

    #[test]
    fn no_merge_makes_a_segment_larger_than_the_most() {
        assert_eq!(to_merge(&live(&[SEGMENT_ROWS_MAX / 2; 9])), [0usize; 0]);
        assert_eq!(to_merge(&live(&[SEGMENT_ROWS_MAX / 2 - 1; 9])), [0, 1]);
        // What does not fit is passed over.
        let half = SEGMENT_ROWS_MAX / 2 - 1;
        assert_eq!(to_merge(&live(&[half, half, 3, 2])), [0, 1, 3]);
    }

    #[test]
    fn merging_comes_to_an_end_with_few_segments_left() {
        let mut sizes = Vec::new();
        let mut rewritten = 0;
        for _ in 0..1000 {
            sizes.push(Size { rows: 100, dead: 0 });
            loop {
                let merged = to_merge(&sizes);
                if merged.is_empty() {
                    break;
                }
                let rows = merged.iter().map(|&position| sizes[position].rows).sum();
                rewritten += rows;
                let mut position = 0..;
                sizes.retain(|_| position.next().is_some_and(|position| !merged.contains(&position)));
                sizes.push(Size { rows, dead: 0 });
            }
            // Each at least sixteen times as large as all smaller ones.
            assert!(sizes.len() <= 4, "{} segments", sizes.len());
        }
        assert_eq!(sizes.iter().map(|size| size.rows).sum::<usize>(), 100_000);
        assert!(rewritten <= 50 * 100_000, "{rewritten} rows rewritten");
    }
}
