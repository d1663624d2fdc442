//! Plain Rust, in loops that a compiler finds registers for where the processor has some.

use super::super::divisor::Divisor;
use super::super::luma::{self, THOUSANDTHS};
use super::super::tile::{EIGHT, Tile};
use super::{Lanes, Sliding};

#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

impl Lanes for Portable {
    #[inline(always)]
    fn luma(self, rows: [&[[u8; 3]; EIGHT]; EIGHT], tile: &mut Tile) {
        let mut thousandths = [[0; EIGHT]; EIGHT];
        for (y, row) in rows.iter().enumerate() {
            for (x, pixel) in row.iter().enumerate() {
                thousandths[x][y] = luma::thousandths(*pixel);
            }
        }
        for (column, thousandths) in tile.iter_mut().zip(thousandths) {
            for (luma, thousandths) in column.0.iter_mut().zip(thousandths) {
                *luma = thousandths as f32 / THOUSANDTHS as f32;
            }
        }
    }

    #[inline(always)]
    fn slide(self, boxes: [Sliding; 3]) {
        for Sliding { tile, sums, places, offset } in boxes {
            let offset = offset % EIGHT;
            let mut sum = sums.0;
            for (i, values) in tile.iter_mut().enumerate() {
                let leaving = places[i + offset].0;
                places[i] = *values;
                sum = std::array::from_fn(|line| sum[line] + values.0[line] - leaving[line]);
                values.0 = sum;
            }
            sums.0 = sum;
        }
    }

    #[inline(always)]
    fn means(self, sums: &Tile, divisors: &[Divisor; EIGHT], means: &mut Tile) {
        for (i, (sums, divisor)) in sums.iter().zip(divisors).enumerate() {
            for (means, sum) in means.iter_mut().zip(sums.0) {
                means.0[i] = sum / divisor.by;
            }
        }
    }
}
