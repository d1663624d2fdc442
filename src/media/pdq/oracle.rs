//! The same grid by the plain way, step by step as the reference takes it: what the fast way is held to in tests.

use super::slide::{PASSES, Slide};
use super::{GRID, Grid, Picture};

/// Brightness as the reference's Python binding computes it.
pub(super) fn luma(&[red, green, blue]: &[u8; 3]) -> f32 {
    (0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)) as f32
}

/// The blurred picture's brightness in the middle of each cell: the whole picture as numbers, rows blurred, columns blurred, and
/// both again.
pub(super) fn grid(picture: &Picture) -> Grid {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (across, down) = (Slide::along(width), Slide::along(height));
    let mut plane: Vec<f32> = picture.pixels().iter().map(luma).collect();
    if (width, height) != (GRID, GRID) {
        for _ in 0..PASSES {
            plane.chunks_exact_mut(width).for_each(|row| blur_row(row, across));
            blur_columns(&mut plane, width, down);
        }
    }
    let (columns, rows) = (across.middles(), down.middles());
    rows.map(|y| columns.map(|x| plane[y * width + x]))
}

/// Replaces each value by the mean over the box around it.
fn blur_row(row: &mut [f32], slide: Slide) {
    let source = row.to_vec();
    let mut sum = 0.0_f32;
    for step in 0..slide.steps() {
        if step < source.len() {
            sum += source[step];
        }
        if step >= slide.window() {
            sum -= source[step - slide.window()];
        }
        if step >= slide.lag() {
            row[step - slide.lag()] = sum / slide.filled(step) as f32;
        }
    }
}

/// The same for each column.
///
/// All columns slide at once, row by row. What has entered the box and not left it is kept aside in `inside`, because its place in
/// the plane has been overwritten by then.
fn blur_columns(plane: &mut [f32], width: usize, slide: Slide) {
    let height = plane.len() / width;
    let mut sums = vec![0.0_f32; width];
    let mut inside = vec![0.0_f32; slide.window() * width];
    for step in 0..slide.steps() {
        // The row that leaves is the one that entered `window` steps ago: it is in the place of the row that enters.
        let kept = &mut inside[(step % slide.window()) * width..][..width];
        if step < height {
            let entering = &plane[step * width..][..width];
            sums.iter_mut().zip(entering).for_each(|(sum, value)| *sum += value);
        }
        if step >= slide.window() {
            sums.iter_mut().zip(&*kept).for_each(|(sum, value)| *sum -= value);
        }
        if step < height {
            kept.copy_from_slice(&plane[step * width..][..width]);
        }
        if step >= slide.lag() {
            let filled = slide.filled(step) as f32;
            let means = &mut plane[(step - slide.lag()) * width..][..width];
            means.iter_mut().zip(&sums).for_each(|(mean, sum)| *mean = sum / filled);
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
        fn a_box_blur_is_the_mean_over_the_box_around_each_value(line in prop::collection::vec(0.0..255.0_f32, 1..1_000)) {
            let slide = Slide::along(line.len());
            let (mut row, mut column) = (line.clone(), line.clone());
            blur_row(&mut row, slide);
            blur_columns(&mut column, 1, slide);
            for at in 0..line.len() {
                let expected = mean_around(&line, at, slide.window());
                prop_assert!((row[at] - expected).abs() < 0.01);
                // The same sums in the same order: not nearly equal, but equal.
                prop_assert_eq!(row[at], column[at]);
            }
        }
    }
}
