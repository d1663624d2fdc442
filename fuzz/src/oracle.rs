//! PDQ the plain way: this project's first implementation, which was held to the published vectors, in one piece. It shares
//! nothing with what is fuzzed but the types, so that a mistake is not made twice.

use std::f64::consts::PI;

use crate::domain::{Orientation, Pdq, Quality};
use crate::media::Picture;

const GRID: usize = 64;
const FREQUENCIES: usize = 16;
const PASSES: usize = 2;

/// `[vertical][horizontal]`; index 0 is one half period.
pub type Spectrum = [[f32; FREQUENCIES]; FREQUENCIES];

/// The lowest frequencies of a picture, and its quality.
pub fn spectrum(picture: &Picture) -> (Spectrum, Quality) {
    let grid = grid(picture);
    (lowest_frequencies(&grid), quality(&grid))
}

/// The hash of a picture with this spectrum if it were turned so.
pub fn hash(spectrum: &Spectrum, orientation: Orientation) -> Pdq {
    use Orientation::*;
    // Column `x` of the turned picture is a row of the stored one; the stored row, or column, is counted backwards.
    let lies = matches!(orientation, Rotated90 | Rotated270 | Transposed | Transversed);
    let columns_backwards = matches!(orientation, FlippedHorizontally | Rotated180 | Rotated270 | Transversed);
    let rows_backwards = matches!(orientation, FlippedVertically | Rotated180 | Rotated90 | Transversed);
    let turned: Spectrum = std::array::from_fn(|v| {
        std::array::from_fn(|h| {
            let (down, across) = if lies { (h, v) } else { (v, h) };
            // An odd number of half periods, which an even index has, is its own negative backwards.
            let negative = (columns_backwards && across % 2 == 0) != (rows_backwards && down % 2 == 0);
            if negative { -spectrum[down][across] } else { spectrum[down][across] }
        })
    });
    above_median(&turned)
}

fn above_median(spectrum: &Spectrum) -> Pdq {
    let coefficients = spectrum.as_flattened();
    let mut sorted = coefficients.to_vec();
    sorted.sort_by(f32::total_cmp);
    let median = sorted[sorted.len() / 2 - 1];
    let mut words = [0; 4];
    for (bit, coefficient) in coefficients.iter().enumerate() {
        if *coefficient > median {
            words[3 - bit / 64] |= 1 << (bit % 64);
        }
    }
    Pdq::from_words(words)
}

fn grid(picture: &Picture) -> [[f32; GRID]; GRID] {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let luma = |&[red, green, blue]: &[u8; 3]| {
        (0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)) as f32
    };
    let mut plane: Vec<f32> = picture.pixels().iter().map(luma).collect();
    if (width, height) != (GRID, GRID) {
        for _ in 0..PASSES {
            for y in 0..height {
                let row: Vec<f32> = plane[y * width..][..width].to_vec();
                plane[y * width..][..width].copy_from_slice(&blurred(&row));
            }
            for x in 0..width {
                let column: Vec<f32> = plane.iter().skip(x).step_by(width).copied().collect();
                let blurred = blurred(&column);
                plane.iter_mut().skip(x).step_by(width).zip(blurred).for_each(|(place, value)| *place = value);
            }
        }
    }
    let middle = |cell: usize, side: usize| (2 * cell + 1) * side / (2 * GRID);
    std::array::from_fn(|y| std::array::from_fn(|x| plane[middle(y, height) * width + middle(x, width)]))
}

/// The mean over the box around each value: the sum slides along, one value enters, one leaves, in this order.
fn blurred(line: &[f32]) -> Vec<f32> {
    let window = line.len().div_ceil(PASSES * GRID);
    let lag = window / 2;
    let (mut sum, mut means) = (0.0f32, Vec::with_capacity(line.len()));
    for step in 0..line.len() + lag {
        if step < line.len() {
            sum += line[step];
        }
        if step >= window {
            sum -= line[step - window];
        }
        if step >= lag {
            let inside = (step + 1).min(line.len()) - (step + 1).saturating_sub(window);
            means.push(sum / inside as f32);
        }
    }
    means
}

fn lowest_frequencies(grid: &[[f32; GRID]; GRID]) -> Spectrum {
    let scale = f64::from((2.0 / GRID as f64).sqrt() as f32);
    let wave = |f: usize, cell: usize| {
        let angle = PI / 2.0 / GRID as f64 * (f + 1) as f64 * (2 * cell + 1) as f64;
        (scale * angle.cos()) as f32
    };
    let waves: [[f32; GRID]; FREQUENCIES] = std::array::from_fn(|f| std::array::from_fn(|cell| wave(f, cell)));
    std::array::from_fn(|vertical| {
        let along: [f32; GRID] =
            std::array::from_fn(|x| (0..GRID).fold(0.0, |sum, y| sum + waves[vertical][y] * grid[y][x]));
        std::array::from_fn(|horizontal| (0..GRID).fold(0.0, |sum, x| sum + along[x] * waves[horizontal][x]))
    })
}

fn quality(grid: &[[f32; GRID]; GRID]) -> Quality {
    let percents = |a: f32, b: f32| ((a - b) * 100.0 / 255.0).abs() as u32;
    let mut steps = 0;
    for y in 0..GRID {
        for x in 0..GRID {
            steps += if y + 1 < GRID { percents(grid[y][x], grid[y + 1][x]) } else { 0 };
            steps += if x + 1 < GRID { percents(grid[y][x], grid[y][x + 1]) } else { 0 };
        }
    }
    Quality::new((steps / 90).min(100)).expect("is at most 100")
}
