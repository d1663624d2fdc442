//! The lowest frequencies of a grid, by the discrete cosine transform (DCT-II).

use std::f64::consts::PI;
use std::sync::LazyLock;

use super::simd::{Lanes, Simd, Task};
use super::{FREQUENCIES, GRID, Grid, Spectrum};

/// `WAVES[cell][f]` is a cosine wave of `f + 1` half periods over the 64 cells of a line: frequency 0, the mean, is left out.
static WAVES: LazyLock<[[f32; FREQUENCIES]; GRID]> = LazyLock::new(|| {
    // Both roundings to 32 bits are the reference's: that of the scale, and that of the product.
    let scale = f64::from((2.0 / GRID as f64).sqrt() as f32);
    std::array::from_fn(|cell| {
        std::array::from_fn(|f| {
            let angle = PI / 2.0 / GRID as f64 * (f + 1) as f64 * (2 * cell + 1) as f64;
            (scale * angle.cos()) as f32
        })
    })
});

/// The 16x16 lowest frequencies of `grid`, without the constant ones.
///
/// That is `W G Wᵀ` where `W` is the 16x64 matrix of waves: first along the columns, then along the rows. A fast
/// transform would compute all 64x64 frequencies, and sum in another order than the reference. Here each coefficient's sum is taken
/// from the first cell to the last, and sixteen sums side by side.
pub(super) fn lowest_frequencies(simd: Simd, grid: &Grid) -> Spectrum {
    simd.run(Transform(grid))
}

struct Transform<'a>(&'a Grid);

impl Task for Transform<'_> {
    type Outcome = Spectrum;

    #[inline(always)]
    fn with<L: Lanes>(self, _: L) -> Spectrum {
        let waves = &*WAVES;
        let mut spectrum = [[0.0; FREQUENCIES]; FREQUENCIES];
        for (vertical, row) in spectrum.iter_mut().enumerate() {
            for columns in (0..GRID).step_by(FREQUENCIES) {
                let mut along_columns = [0.0; FREQUENCIES];
                for (waves, cells) in waves.iter().zip(self.0) {
                    for (i, sum) in along_columns.iter_mut().enumerate() {
                        *sum += waves[vertical] * cells[columns + i];
                    }
                }
                for (value, waves) in along_columns.iter().zip(&waves[columns..]) {
                    for (sum, wave) in row.iter_mut().zip(waves) {
                        *sum += value * wave;
                    }
                }
            }
        }
        spectrum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_that_is_one_wave_has_one_coefficient() {
        let wave = |frequency: usize, cell: usize| (PI * (frequency * (2 * cell + 1)) as f64 / 128.0).cos() as f32;
        let grid: Grid = std::array::from_fn(|y| std::array::from_fn(|x| wave(3, y) * wave(7, x)));
        for simd in Simd::available() {
            for (v, row) in lowest_frequencies(simd, &grid).iter().enumerate() {
                for (h, coefficient) in row.iter().enumerate() {
                    // A wave times itself sums to 32 in each direction; the matrix's scale squared is 1/32.
                    let expected = if (v + 1, h + 1) == (3, 7) { 32.0 } else { 0.0 };
                    assert!((coefficient - expected).abs() < 1e-4, "{simd}, frequency {v}, {h}: {coefficient}");
                }
            }
        }
    }
}
