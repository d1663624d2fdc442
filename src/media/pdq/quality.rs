//! How much there is in a picture to hash.

use super::Grid;
use crate::domain::Quality;

/// The sum of all steps between neighbouring cells, from 0 (flat) to 100 (enough), as the reference measures it.
///
/// A step counts in whole percents of the full range, rounded towards zero: many tiny steps, such as noise or a faint
/// gradient, do not add up to a picture. The factor at the end was tuned by PDQ's authors.
pub(super) fn quality(grid: &Grid) -> Quality {
    const STEPS_PER_POINT: i32 = 90;
    const BEST: i32 = 100;
    let mut steps = 0;
    for (above, below) in grid.iter().zip(&grid[1..]) {
        steps += above.iter().zip(below).map(|(&a, &b)| percents(a, b)).sum::<i32>();
    }
    for row in grid {
        steps += row.windows(2).map(|pair| percents(pair[0], pair[1])).sum::<i32>();
    }
    #[expect(clippy::expect_used, reason = "`BEST` is the most that a quality may be")]
    Quality::new((steps / STEPS_PER_POINT).min(BEST).cast_unsigned()).expect("is at most 100")
}

/// The step between two brightnesses of 0.0 to 255.0, in whole percents.
fn percents(a: f32, b: f32) -> i32 {
    ((a - b) * 100.0 / 255.0).abs() as i32
}

#[cfg(test)]
mod tests {
    use super::super::GRID;
    use super::*;

    fn percent(cell: impl Fn(usize, usize) -> f32) -> u8 {
        quality(&std::array::from_fn(|y| std::array::from_fn(|x| cell(x, y)))).percent()
    }

    #[test]
    fn a_flat_grid_has_quality_0_and_a_checkerboard_100() {
        assert_eq!(percent(|_, _| 200.0), 0);
        assert_eq!(percent(|x, y| if (x + y) % 2 == 0 { 255.0 } else { 0.0 }), 100);
    }

    #[test]
    fn steps_below_one_percent_count_nothing_and_steps_just_above_count_one() {
        // 63 steps in each of 64 rows: 4,032 of one percent are 44 points.
        assert_eq!(percent(|x, _| 2.54 * x as f32), 0);
        assert_eq!(percent(|x, _| 2.56 * x as f32), 44);
    }

    #[test]
    fn one_edge_across_the_picture_is_worth_71_points() {
        assert_eq!(percent(|x, _| if x < GRID / 2 { 0.0 } else { 255.0 }), 71);
        assert_eq!(percent(|_, y| if y < GRID / 2 { 255.0 } else { 0.0 }), 71);
    }
}
