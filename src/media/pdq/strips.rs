//! A picture through the first three of the four passes, eight rows at a time.
//!
//! The reference blurs all rows of the picture, then all columns, all rows and all columns again. The same values come of it when a row
//! that is blurred enters the boxes of the columns at once, and what comes out of those enters the boxes of the rows again. So all
//! that is kept of a picture are the boxes of its columns, and of the third pass only the 64 columns that the grid samples are divided.
//!
//! In a row a sum needs the one before it, so nothing can be done side by side but several rows; in columns several columns.
//! Hence tiles of eight by eight: after each pass a tile's rows become its columns. The three passes take turns: in turn `t` the
//! first is in tile `t`, the second in what the first made of the tile before, the third in what the second made of the one before
//! that. Then their sums do not wait for one another.

use super::divisor::Divisor;
use super::ring::Ring;
use super::simd::{Lanes, Sliding};
use super::slide::Slide;
use super::tile::{EIGHT, EMPTY, Eight, Tile};
use super::{GRID, Picture};

/// Turns that the third pass is behind the first.
const BEHIND: usize = 2;

/// The passes, between two strips of eight rows.
pub(super) struct Strips {
    across: Slide,
    down: Slide,
    /// What the first pass divides by at each step of each turn.
    divisors: Vec<[Divisor; EIGHT]>,
    /// What is taken from the third pass, from left to right.
    samples: [Sample; GRID],
    ring_across: Ring,
    ring_down: Ring,
    /// The values in the boxes of the first pass and of the third.
    in_rows: [Vec<Eight>; 2],
    /// The boxes of eight columns for each turn of the second pass, each their sums and then their ring. In the first turn there
    /// is nothing to do yet: it has some all the same, so that all turns are alike.
    in_columns: Vec<Eight>,
}

/// A column that the grid samples.
#[derive(Clone, Copy)]
struct Sample {
    /// When the box of the third pass stands around it.
    turn: usize,
    step: usize,
    /// How many values are in the box then.
    filled: usize,
}

impl Strips {
    /// Before the first row of a picture of these sides.
    pub(super) fn new(across: Slide, down: Slide) -> Self {
        let (ring_across, ring_down) = (Ring::new(across.window()), Ring::new(down.window()));
        let turns = (across.steps() + across.lag()).div_ceil(EIGHT) + BEHIND;
        let divisor = |step| Divisor::of(across.filled(step));
        Self {
            divisors: (0..turns).map(|turn| std::array::from_fn(|i| divisor(EIGHT * turn + i))).collect(),
            samples: across.middles().map(|column| {
                let step = column + across.lag();
                // The first pass is behind by as much again.
                let position = step + across.lag();
                Sample { turn: position / EIGHT + BEHIND, step: position % EIGHT, filled: across.filled(step) }
            }),
            in_rows: std::array::from_fn(|_| vec![Eight::ZERO; ring_across.len()]),
            in_columns: vec![Eight::ZERO; turns * (1 + ring_down.len())],
            across,
            down,
            ring_across,
            ring_down,
        }
    }

    /// Takes the next eight rows, of which the first is the `step`-th.
    ///
    /// Gives eight rows at the columns that the grid samples, ready for the last pass. Their first belongs [`Slide::lag`] rows
    /// above: what comes of rows above and below the picture means nothing.
    #[inline(always)]
    pub(super) fn next<L: Lanes>(&mut self, lanes: L, rows: &[Row; EIGHT], step: usize) -> [[f32; GRID]; EIGHT] {
        let divisors_down: [Divisor; EIGHT] = std::array::from_fn(|i| Divisor::of(self.down.filled(step + i)));
        let inside = self.across.lag()..self.across.steps();
        let mut sampled = [[0.0; EIGHT]; GRID];
        let mut samples = self.samples.iter().zip(&mut sampled).peekable();

        let mut ring_across = self.ring_across;
        let [in_first, in_third] = &mut self.in_rows;
        in_first.fill(Eight::ZERO);
        in_third.fill(Eight::ZERO);
        let (mut sums_of_first, mut sums_of_third) = (Eight::ZERO, Eight::ZERO);
        let (mut first, mut second, mut third) = (EMPTY, EMPTY, EMPTY);
        let in_columns = self.in_columns.chunks_exact_mut(1 + self.ring_down.len());
        for (turn, (divisors, in_second)) in self.divisors.iter().zip(in_columns).enumerate() {
            let [sums_of_second, in_second @ ..] = in_second else { break };
            lanes.luma(rows.each_ref().map(|row| row.eight(turn)), &mut first);
            lanes.slide([
                Sliding {
                    places: ring_across.open(in_first, &first),
                    tile: &mut first,
                    sums: &mut sums_of_first,
                    offset: ring_across.offset(),
                },
                Sliding {
                    places: self.ring_down.open(in_second, &second),
                    tile: &mut second,
                    sums: sums_of_second,
                    offset: self.ring_down.offset(),
                },
                Sliding {
                    places: ring_across.open(in_third, &third),
                    tile: &mut third,
                    sums: &mut sums_of_third,
                    offset: ring_across.offset(),
                },
            ]);
            while let Some((sample, means)) = samples.next_if(|(sample, _)| sample.turn == turn) {
                *means = third[sample.step].0.map(|sum| sum / sample.filled as f32);
            }
            lanes.means(&second, &divisors_down, &mut third);
            lanes.means(&first, divisors, &mut second);
            blank_outside(&mut second, EIGHT * turn, &inside);
            ring_across.advance();
        }
        self.ring_down.advance();
        std::array::from_fn(|row| std::array::from_fn(|column| sampled[column][row]))
    }
}

/// Left and right of the picture there is nothing: no column begins with the means of boxes that are not around one. `first` is the
/// step at which the first of eight columns came out.
#[inline(always)]
fn blank_outside(rows: &mut Tile, first: usize, inside: &std::ops::Range<usize>) {
    if inside.start <= first && first + EIGHT <= inside.end {
        return;
    }
    for column in (0..EIGHT).filter(|column| !inside.contains(&(first + column))) {
        for row in &mut *rows {
            row.0[column] = 0.0;
        }
    }
}

/// Pixels of a row, eight by eight.
pub(super) struct Row<'a> {
    full: &'a [[[u8; 3]; EIGHT]],
    /// The last few, and black.
    rest: [[u8; 3]; EIGHT],
}

/// What is outside of a picture: nothing to add.
static BLACK: [[u8; 3]; EIGHT] = [[0; 3]; EIGHT];

impl<'a> Row<'a> {
    /// Row `y`, or a black one if there is none.
    pub(super) fn of(picture: &'a Picture, y: usize) -> Self {
        let width = picture.width() as usize;
        let pixels = picture.pixels().get(y * width..).unwrap_or_default();
        let (full, rest) = pixels[..width.min(pixels.len())].as_chunks();
        let mut padded = BLACK;
        padded[..rest.len()].copy_from_slice(rest);
        Self { full, rest: padded }
    }

    /// The `turn`-th eight pixels, black beyond the last.
    #[inline(always)]
    pub(super) fn eight(&self, turn: usize) -> &[[u8; 3]; EIGHT] {
        self.full.get(turn).unwrap_or(if turn == self.full.len() { &self.rest } else { &BLACK })
    }
}
