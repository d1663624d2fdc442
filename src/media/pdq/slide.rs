//! Where a box stands, step by step, as it slides along a line; and which samples are taken.

use super::GRID;

/// Boxes laid over one another in each direction: two make a tent.
pub(super) const PASSES: usize = 2;

/// A box sliding along a line of values, such as a row of pixels.
///
/// At step `n` value `n` enters the box, and value `n - window` leaves it. The mean over the box belongs to the value in its
/// middle, which entered [`Slide::lag`] steps ago. At either end of the line part of the box lies outside; the mean is
/// then over the part inside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slide {
    length: usize,
    window: usize,
}

impl Slide {
    /// Along a side of a picture, in pixels.
    ///
    /// A tent that reaches one cell of the grid to either side needs boxes half a cell wide: a 128th of the side, rounded up.
    pub(super) fn along(side: usize) -> Self {
        Self { length: side, window: side.div_ceil(PASSES * GRID) }
    }

    /// How many values the box holds: at least 1, never more than are on the line.
    pub(super) fn window(self) -> usize {
        self.window
    }

    /// Steps from a value's entry until the box stands around it.
    pub(super) fn lag(self) -> usize {
        self.window / 2
    }

    /// All steps: until the box stands around the last value.
    pub(super) fn steps(self) -> usize {
        self.length + self.lag()
    }

    /// How many values are in the box after `step`; 0 once all have left it.
    pub(super) fn filled(self, step: usize) -> usize {
        let (entered, left) = ((step + 1).min(self.length), (step + 1).saturating_sub(self.window));
        entered.saturating_sub(left)
    }

    /// The value in the middle of each of the grid's cells along this line. On a short line some are in several.
    pub(super) fn middles(self) -> [usize; GRID] {
        std::array::from_fn(|cell| (2 * cell + 1) * self.length / (2 * GRID))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn boxes_and_samples_stay_inside_a_side_of_any_length(side in 1..100_000_usize) {
            let slide = Slide::along(side);
            prop_assert!((1..=side).contains(&slide.window()));
            let middles = slide.middles();
            prop_assert!(middles.is_sorted());
            // Around the last one the box is still within the line.
            prop_assert!(middles[GRID - 1] + slide.lag() < side);
        }

        #[test]
        fn the_box_fills_value_by_value_is_full_and_empties(side in 5..3_000_usize) {
            let slide = Slide::along(side);
            let holds = |step: usize| (0..side).filter(|value| (*value..value + slide.window()).contains(&step)).count();
            for step in [0, slide.lag(), slide.window() - 1, side / 2, side - 1, slide.steps() - 1, slide.steps() + 200] {
                prop_assert_eq!(slide.filled(step), holds(step), "step {}", step);
            }
        }
    }
}
