//! Which segments to merge.
//!
//! A tier is eight times as large as the one below, and two segments of a tier become one, until that is large enough for
//! the next tier. So there is at rest at most one segment a tier, four from 2,048 rows to four million: each costs a search
//! a few microseconds. A row is rewritten about four times a tier, in the background. (Tiers that double would rewrite a
//! row once each, eleven times in all instead of about fifteen, and leave eleven segments to search.) A segment more than
//! half removed is rewritten alone.
//!
//! Large segments are left as they are: merging them would save a search little, since nearly all its time goes to rows,
//! and would need as much memory again while it lasts.

use std::collections::BTreeMap;

/// How much larger each tier is than the one below.
const GROWTH: usize = 8;

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
}

/// What there is to know of a segment here.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// Removed ones included.
    pub(super) rows: usize,
    pub(super) dead: usize,
}

impl Size {
    fn live(self) -> usize {
        self.rows - self.dead
    }

    /// The tier it belongs to, from 0; `smallest` is the usual size of a segment that was never merged.
    pub(super) fn tier(self, smallest: usize) -> u32 {
        (self.live() / smallest).max(1).ilog(GROWTH)
    }
}

/// The positions of segments to merge into one now, ascending; none if all is well.
pub(super) fn to_merge(sizes: &[Size], smallest: usize) -> Vec<usize> {
    if let Some(wasteful) = sizes.iter().position(|size| 2 * size.dead > size.rows) {
        return vec![wasteful];
    }
    let mut tiers = BTreeMap::<u32, Vec<usize>>::new();
    for (position, size) in sizes.iter().enumerate().filter(|(_, size)| size.live() < SEGMENT_ROWS_MAX / 2) {
        tiers.entry(size.tier(smallest)).or_default().push(position);
    }
    let mut merged = tiers.into_values().find(|tier| tier.len() > 1).unwrap_or_default();
    // After a burst of additions a tier may hold many more than two.
    let mut rows = 0;
    merged.retain(|&position| {
        rows += sizes[position].live();
        rows <= SEGMENT_ROWS_MAX
    });
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(rows: &[usize]) -> Vec<Size> {
        rows.iter().map(|&rows| Size { rows, dead: 0 }).collect()
    }

    #[test]
    fn segments_of_a_tier_are_merged_smallest_tier_first() {
        assert_eq!(to_merge(&live(&[100, 800, 6400, 51_200]), 100), [0usize; 0]);
        assert_eq!(to_merge(&live(&[100, 800, 10, 6000, 799]), 100), [0, 2, 4]);
        assert_eq!(to_merge(&live(&[900, 6399, 10]), 100), [0, 1]);
    }

    #[test]
    fn a_segment_more_than_half_removed_is_rewritten_alone() {
        let mut sizes = live(&[100, 8000]);
        sizes[1].dead = 4000;
        assert_eq!(to_merge(&sizes, 100), [0usize; 0]);
        sizes[1].dead = 4001;
        assert_eq!(to_merge(&sizes, 100), [1]);
    }

    #[test]
    fn no_merge_makes_a_segment_larger_than_the_most() {
        assert_eq!(to_merge(&live(&[SEGMENT_ROWS_MAX / 2; 9]), 100), [0usize; 0]);
        let many = live(&[SEGMENT_ROWS_MAX / 2 - 1; 9]);
        assert_eq!(to_merge(&many, 100), [0, 1]);
    }

    #[test]
    fn merging_comes_to_an_end_with_few_segments_left() {
        let mut sizes = Vec::new();
        let mut rewritten = 0;
        for _ in 0..1000 {
            sizes.push(Size { rows: 100, dead: 0 });
            loop {
                let merged = to_merge(&sizes, 100);
                if merged.is_empty() {
                    break;
                }
                let rows = merged.iter().map(|&position| sizes[position].rows).sum();
                rewritten += rows;
                let mut position = 0..;
                sizes.retain(|_| position.next().is_some_and(|position| !merged.contains(&position)));
                sizes.push(Size { rows, dead: 0 });
            }
        }
        assert_eq!(sizes.iter().map(|size| size.rows).sum::<usize>(), 100_000);
        assert!(sizes.len() <= 4, "{} segments", sizes.len());
        assert!(rewritten <= 16 * 100_000, "{rewritten} rows rewritten");
    }
}
