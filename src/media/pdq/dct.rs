//! The lowest frequencies of a grid, by the discrete cosine transform (DCT-II).

use std::f64::consts::PI;
use std::sync::LazyLock;

use super::{FREQUENCIES, GRID, Grid, Spectrum};

/// Row `f` is a cosine wave of `f + 1` half periods over the 64 cells of a line: frequency 0, the mean, is left out.
static WAVES: LazyLock<[[f32; GRID]; FREQUENCIES]> = LazyLock::new(|| {
    // Both roundings to 32 bits are the reference's: that of the scale, and that of the product.
    let scale = f64::from((2.0 / GRID as f64).sqrt() as f32);
    std::array::from_fn(|f| {
        std::array::from_fn(|cell| {
            let angle = PI / 2.0 / GRID as f64 * (f + 1) as f64 * (2 * cell + 1) as f64;
            (scale * angle.cos()) as f32
        })
    })
});

/// The 16x16 lowest frequencies of `grid`, without the constant ones.
///
/// That is `W G Wᵀ` where `W` is the 16x64 matrix of waves: first along the columns, then along the rows. A fast
/// transform would compute all 64x64 frequencies, and sum in another order than the reference.
pub(super) fn lowest_frequencies(grid: &Grid) -> Spectrum {
    let along_columns: [[f32; GRID]; FREQUENCIES] = std::array::from_fn(|f| {
        let mut sums = [0.0; GRID];
        for (weight, row) in WAVES[f].iter().zip(grid) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
        sums
    });
    std::array::from_fn(|vertical| {
        std::array::from_fn(|horizontal| {
            let pairs = along_columns[vertical].iter().zip(&WAVES[horizontal]);
            pairs.fold(0.0, |sum, (value, weight)| sum + value * weight)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_that_is_one_wave_has_one_coefficient() {
        let wave = |frequency: usize, cell: usize| (PI * (frequency * (2 * cell + 1)) as f64 / 128.0).cos() as f32;
        let grid: Grid = std::array::from_fn(|y| std::array::from_fn(|x| wave(3, y) * wave(7, x)));
        for (v, row) in lowest_frequencies(&grid).iter().enumerate() {
            for (h, coefficient) in row.iter().enumerate() {
                // A wave times itself sums to 32 in each direction; the matrix's scale squared is 1/32.
                let expected = if (v + 1, h + 1) == (3, 7) { 32.0 } else { 0.0 };
                assert!((coefficient - expected).abs() < 1e-4, "frequency {v}, {h}: {coefficient}");
            }
        }
    }
}
