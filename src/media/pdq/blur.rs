//! A picture of any size to a grid of 64x64 brightnesses: blur, then take the middle of each cell.
//!
//! Sampling without blurring would keep whatever pixel happens to lie in the middle, and a copy scaled by one percent
//! would give another grid. The blur is a tent: each sample is a mean of its surroundings in which what is near weighs
//! more. A tent is a box blurred by a box, and the mean over a box can be had from its neighbour by adding one value and
//! subtracting another, so the cost of a pixel does not depend on the size of the box (Jarosz, "Fast Image
//! Convolutions", SIGGRAPH 2001).
//!
//! So there are four passes: rows, columns, rows, columns. `strips` does three of them, of eight rows after eight rows; here is
//! the last, in the 64 columns that are sampled, which divides only in the 64 rows that are.
//!
//! Beside the picture this takes the memory of as many rows of 4-byte numbers as the box of the columns holds, a 128th of
//! the height, and of some twenty more.

use super::simd::{Lanes, Simd, Task};
use super::slide::Slide;
use super::strips::{Row, Strips};
use super::tile::{EIGHT, EMPTY};
use super::{GRID, Grid, Picture};

/// The blurred picture's value in the middle of each cell.
///
/// A picture of exactly 64x64 pixels is its own grid: it is not blurred.
pub(super) fn grid(simd: Simd, picture: &Picture) -> Grid {
    let is_grid = (picture.width() as usize, picture.height() as usize) == (GRID, GRID);
    if is_grid { simd.run(AsItIs(picture)) } else { simd.run(Blur(picture)) }
}

struct AsItIs<'a>(&'a Picture);

impl Task for AsItIs<'_> {
    type Outcome = Grid;

    #[inline(always)]
    fn with<L: Lanes>(self, lanes: L) -> Grid {
        let mut grid = [[0.0; GRID]; GRID];
        let mut tile = EMPTY;
        for (strip, cells) in grid.as_chunks_mut::<EIGHT>().0.iter_mut().enumerate() {
            let rows: [Row; EIGHT] = std::array::from_fn(|i| Row::of(self.0, EIGHT * strip + i));
            for turn in 0..GRID / EIGHT {
                lanes.luma(rows.each_ref().map(|row| row.eight(turn)), &mut tile);
                for (y, cells) in cells.iter_mut().enumerate() {
                    for (x, column) in tile.iter().enumerate() {
                        cells[EIGHT * turn + x] = column.0[y];
                    }
                }
            }
        }
        grid
    }
}

struct Blur<'a>(&'a Picture);

impl Task for Blur<'_> {
    type Outcome = Grid;

    #[inline(always)]
    fn with<L: Lanes>(self, lanes: L) -> Grid {
        let (across, down) = (Slide::along(self.0.width() as usize), Slide::along(self.0.height() as usize));
        let mut strips = Strips::new(across, down);
        let mut last = LastPass::new(down);
        for first in (0..down.steps()).step_by(EIGHT) {
            let rows = std::array::from_fn(|i| Row::of(self.0, first + i));
            for (i, row) in strips.next(lanes, &rows, first).iter().enumerate() {
                // What comes out of the columns' boxes belongs to the row that entered so long ago.
                if first + i >= down.lag() {
                    last.enter(row);
                }
            }
        }
        last.grid
    }
}

/// Boxes that slide along the 64 sampled columns.
struct LastPass {
    slide: Slide,
    /// The rows that are sampled.
    middles: [usize; GRID],
    /// Rows that have entered.
    step: usize,
    sums: [f32; GRID],
    /// The rows in the boxes: row `n` is in place `n % window`.
    inside: Vec<[f32; GRID]>,
    grid: Grid,
    /// Rows of the grid that are there.
    sampled: usize,
}

impl LastPass {
    fn new(slide: Slide) -> Self {
        let inside = vec![[0.0; GRID]; slide.window()];
        let middles = slide.middles();
        Self { slide, middles, step: 0, sums: [0.0; GRID], inside, grid: [[0.0; GRID]; GRID], sampled: 0 }
    }

    /// Takes the next row. The boxes around the lowest row that is sampled do not reach beyond the picture, so it is complete when
    /// the last row of the picture has entered; what enters after it does not count.
    fn enter(&mut self, row: &[f32; GRID]) {
        let leaving = std::mem::replace(&mut self.inside[self.step % self.slide.window()], *row);
        for ((sum, entering), leaving) in self.sums.iter_mut().zip(row).zip(leaving) {
            *sum += entering;
            *sum -= leaving;
        }
        // In a low picture one row is the middle of several cells.
        while self.sampled < GRID && self.middles[self.sampled] + self.slide.lag() == self.step {
            let filled = self.slide.filled(self.step) as f32;
            self.grid[self.sampled] = self.sums.map(|sum| sum / filled);
            self.sampled += 1;
        }
        self.step += 1;
    }
}
