//! A spectrum to 256 bits.

use super::{FREQUENCIES, Spectrum};
use crate::domain::Pdq;

/// One bit a frequency: bit `horizontal` of row `vertical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bits([u16; FREQUENCIES]);

impl Bits {
    /// Whether each coefficient is above the median of all 256.
    ///
    /// The median of an even number of values is here the lower of the two middle ones, so that, unless coefficients are
    /// equal, exactly 128 bits are set.
    pub(super) fn above_median(spectrum: &Spectrum) -> Self {
        let median = lower_median(spectrum);
        Self(spectrum.map(|row| {
            let bits = row.iter().enumerate();
            bits.fold(0, |bits, (horizontal, coefficient)| bits | u16::from(*coefficient > median) << horizontal)
        }))
    }

    /// Those of the transposed spectrum: it has the same coefficients, so the same median.
    pub(super) fn transposed(self) -> Self {
        let Self(mut rows) = self;
        // Exchanges the off-diagonal quarters of the square, of each of its quarters, and so on (Warren, "Hacker's Delight", 7-3).
        for (side, left) in [(8, 0x00ff), (4, 0x0f0f), (2, 0x3333), (1, 0x5555)] {
            for upper in (0..FREQUENCIES).filter(|row| row & side == 0) {
                let differing = (rows[upper] >> side ^ rows[upper + side]) & left;
                rows[upper] ^= differing << side;
                rows[upper + side] ^= differing;
            }
        }
        Self(rows)
    }

    /// Bit `16 * vertical + horizontal` counts from the least significant: the hexadecimal form ends with the lowest frequencies.
    pub(super) fn hash(self) -> Pdq {
        let mut words = [0; 4];
        for (word, rows) in words.iter_mut().rev().zip(self.0.as_chunks::<4>().0) {
            *word = rows.iter().rev().fold(0, |word, row| word << FREQUENCIES | u64::from(*row));
        }
        Pdq::from_words(words)
    }
}

fn lower_median(spectrum: &Spectrum) -> f32 {
    const MIDDLE: usize = (FREQUENCIES * FREQUENCIES - 1) / 2;
    let mut sorted = [0.0; FREQUENCIES * FREQUENCIES];
    sorted.copy_from_slice(spectrum.as_flattened());
    *sorted.select_nth_unstable_by(MIDDLE, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bit_n_from_the_end_of_the_hexadecimal_form_is_frequency_n() {
        let mut spectrum = [[0.0; FREQUENCIES]; FREQUENCIES];
        spectrum[0][0] = 1.0;
        spectrum[0][5] = 1.0;
        spectrum[15][15] = 1.0;
        let expected = format!("8{}21", "0".repeat(61));
        assert_eq!(Bits::above_median(&spectrum).hash().to_string(), expected);
    }

    #[test]
    fn of_256_different_coefficients_the_upper_128_are_set() {
        let spectrum: Spectrum = std::array::from_fn(|v| std::array::from_fn(|h| (16 * v + h) as f32 - 100.0));
        assert_eq!(Bits::above_median(&spectrum).hash().words(), [u64::MAX, u64::MAX, 0, 0]);
    }

    #[test]
    fn equal_coefficients_are_not_above_their_median() {
        assert_eq!(Bits::above_median(&[[-0.0; FREQUENCIES]; FREQUENCIES]).hash().words(), [0; 4]);
    }

    proptest! {
        #[test]
        fn transposing_exchanges_horizontal_and_vertical(rows in prop::array::uniform16(any::<u16>())) {
            let transposed = Bits(rows).transposed().0;
            for (v, row) in rows.iter().enumerate() {
                for (h, across) in transposed.iter().enumerate() {
                    prop_assert_eq!(row >> h & 1, across >> v & 1, "{}, {}", v, h);
                }
            }
        }
    }
}
