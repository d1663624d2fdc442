//! Which segments to merge.
//!
//! Segments of similar size form a tier; two of a tier become one of the next. So a row is rewritten once a tier, and
//! there is at most one segment a tier at rest: `n` rows cost about `log2(n / smallest)` rewrites each, in the background,
//! and leave a search that many segments to probe at the most. More segments a tier would be rewritten less and searched
//! longer (four: half the rewrites, half as many segments again), and searching is what the hub is for. A segment more
//! than half removed is rewritten alone.
//!
//! Large segments are left as they are: merging them would save a search little, since nearly all its time goes to rows,
//! and would need as much memory again while it lasts.

use std::collections::BTreeMap;

/// Segments of one tier that become one.
pub(super) const FAN_IN: usize = 2;

/// The most rows in a segment. Bounds the memory and the time a merge takes.
pub(super) const SEGMENT_ROWS_MAX: usize = 1 << 22;

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
}

/// The positions of segments to merge into one now, ascending; none if all is well. `smallest` is the usual size of a
/// segment that was never merged.
pub(super) fn to_merge(sizes: &[Size], smallest: usize) -> Vec<usize> {
    if let Some(wasteful) = sizes.iter().position(|size| 2 * size.dead > size.rows) {
        return vec![wasteful];
    }
    let mut tiers = BTreeMap::<u32, Vec<usize>>::new();
    for (position, size) in sizes.iter().enumerate().filter(|(_, size)| size.live() < SEGMENT_ROWS_MAX / FAN_IN) {
        let tier = (size.live() / smallest).max(1).ilog(FAN_IN);
        tiers.entry(tier).or_default().push(position);
    }
    let mut merged = tiers.into_values().find(|tier| tier.len() >= FAN_IN).unwrap_or_default();
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
        assert_eq!(to_merge(&live(&[100, 200, 400, 800]), 100), [0usize; 0]);
        assert_eq!(to_merge(&live(&[100, 800, 10, 399, 199]), 100), [0, 2, 4]);
        assert_eq!(to_merge(&live(&[900, 1599, 10, 200]), 100), [0, 1]);
    }

    #[test]
    fn a_segment_more_than_half_removed_is_rewritten_alone() {
        let mut sizes = live(&[100, 900]);
        sizes[1].dead = 450;
        assert_eq!(to_merge(&sizes, 100), [0usize; 0]);
        sizes[1].dead = 451;
        assert_eq!(to_merge(&sizes, 100), [1]);
    }

    #[test]
    fn no_merge_makes_a_segment_larger_than_the_most() {
        assert_eq!(to_merge(&live(&[SEGMENT_ROWS_MAX / FAN_IN; 9]), 100), [0usize; 0]);
        let many = live(&[SEGMENT_ROWS_MAX / FAN_IN - 1; 9]);
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
        assert!(sizes.len() <= 10, "{} segments", sizes.len());
        assert!(rewritten <= 10 * 100_000, "{rewritten} rows rewritten");
    }
}
