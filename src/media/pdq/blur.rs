//! A picture of any size to a grid of 64x64 brightnesses: blur, then take the middle of each cell.
//!
//! Sampling without blurring would keep whatever pixel happens to lie in the middle, and a copy scaled by one percent
//! would give another grid. The blur is a tent: each sample is a mean of its surroundings in which what is near weighs
//! more. A tent is a box blurred by a box, and the mean over a box can be had from its neighbour by adding one value and
//! subtracting another, so the cost of a pixel does not depend on the size of the box (Jarosz, "Fast Image
//! Convolutions", SIGGRAPH 2001).
//!
//! A tent that reaches one cell to either side needs boxes half a cell wide: a 128th of the picture, rounded up.

use super::plane::Plane;
use super::{GRID, Grid};

/// Boxes laid over one another in each direction: two make a tent.
const PASSES: usize = 2;

/// The blurred picture's value in the middle of each cell.
///
/// A picture of exactly 64x64 pixels is its own grid: it is not blurred.
pub(super) fn grid(mut plane: Plane) -> Grid {
    let (width, height) = (plane.width(), plane.height());
    if (width, height) != (GRID, GRID) {
        for _ in 0..PASSES {
            box_blur_rows(&mut plane, window(width));
            box_blur_columns(&mut plane, window(height));
        }
    }
    let mut grid = [[0.0; GRID]; GRID];
    for (cell_y, cells) in grid.iter_mut().enumerate() {
        let row = plane.row(middle(cell_y, height));
        for (cell_x, cell) in cells.iter_mut().enumerate() {
            *cell = row[middle(cell_x, width)];
        }
    }
    grid
}

/// Width of the box, in pixels, along a side of `side` pixels: at least 1, never more than the side.
fn window(side: usize) -> usize {
    side.div_ceil(PASSES * GRID)
}

/// The pixel in the middle of cell number `cell`, along a side of `side` pixels.
fn middle(cell: usize, side: usize) -> usize {
    (2 * cell + 1) * side / (2 * GRID)
}

/// Where the box stands, step by step, as it slides along a line.
///
/// At step `n` value `n` enters the box, and value `n - window` leaves it. The mean over the box belongs to the value in its
/// middle, which entered [`Slide::lag`] steps ago. At either end of the line part of the box lies outside; the mean is
/// then over the part inside.
#[derive(Clone, Copy)]
struct Slide {
    length: usize,
    window: usize,
}

impl Slide {
    /// Steps from a value's entry until the box stands around it.
    fn lag(self) -> usize {
        self.window / 2
    }

    /// All steps: until the box stands around the last value.
    fn steps(self) -> std::ops::Range<usize> {
        0..self.length + self.lag()
    }

    /// How many values are in the box after `step`.
    fn filled(self, step: usize) -> f32 {
        let (entered, left) = ((step + 1).min(self.length), (step + 1).saturating_sub(self.window));
        (entered - left) as f32
    }
}

/// Replaces each value by the mean over the `window` values around it in its row.
fn box_blur_rows(plane: &mut Plane, window: usize) {
    let slide = Slide { length: plane.width(), window };
    let mut source = vec![0.0; plane.width()];
    for y in 0..plane.height() {
        let row = plane.row_mut(y);
        source.copy_from_slice(row);
        let mut sum = 0.0f32;
        for step in slide.steps() {
            if step < slide.length {
                sum += source[step];
            }
            if step >= window {
                sum -= source[step - window];
            }
            if step >= slide.lag() {
                row[step - slide.lag()] = sum / slide.filled(step);
            }
        }
    }
}

/// Replaces each value by the mean over the `window` values around it in its column.
///
/// All columns slide at once, row by row: memory is read in the order it lies in. What has entered the box and not left
/// it is kept aside in `inside`, because its place in the plane has been overwritten by then.
fn box_blur_columns(plane: &mut Plane, window: usize) {
    let slide = Slide { length: plane.height(), window };
    let width = plane.width();
    let mut sums = vec![0.0f32; width];
    let mut inside = vec![0.0f32; window * width];
    for step in slide.steps() {
        // The row that leaves is the one that entered `window` steps ago: it is in the place of the row that enters.
        let kept = &mut inside[(step % window) * width..][..width];
        if step < slide.length {
            let entering = plane.row(step);
            for (sum, value) in sums.iter_mut().zip(entering) {
                *sum += value;
            }
        }
        if step >= window {
            for (sum, value) in sums.iter_mut().zip(&*kept) {
                *sum -= value;
            }
        }
        if step < slide.length {
            kept.copy_from_slice(plane.row(step));
        }
        if step >= slide.lag() {
            let filled = slide.filled(step);
            for (mean, sum) in plane.row_mut(step - slide.lag()).iter_mut().zip(&sums) {
                *mean = sum / filled;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The mean over the part of the box around `at` that lies inside: the definition, without sliding.
    fn mean_around(line: &[f32], at: usize, window: usize) -> f32 {
        let end = (at + window / 2 + 1).min(line.len());
        let start = (at + window / 2 + 1).saturating_sub(window);
        (line[start..end].iter().map(|value| f64::from(*value)).sum::<f64>() / (end - start) as f64) as f32
    }

    proptest! {
        #[test]
        fn a_box_blur_is_the_mean_over_the_box_around_each_value(
            (window, line) in prop::collection::vec(0.0..255.0f32, 1..60)
                .prop_flat_map(|line| (1..=line.len(), Just(line))),
        ) {
            let mut row = Plane::from_rows(line.len(), line.clone());
            box_blur_rows(&mut row, window);
            let mut column = Plane::from_rows(1, line.clone());
            box_blur_columns(&mut column, window);
            for at in 0..line.len() {
                let expected = mean_around(&line, at, window);
                prop_assert!((row.row(0)[at] - expected).abs() < 0.01);
                // The same sums in the same order: not nearly equal, but equal.
                prop_assert_eq!(row.row(0)[at], column.row(at)[0]);
            }
        }

        #[test]
        fn boxes_and_cells_stay_inside_a_side_of_any_length(side in 1..100_000usize) {
            prop_assert!((1..=side).contains(&window(side)));
            prop_assert!(middle(GRID - 1, side) < side);
        }
    }
}
