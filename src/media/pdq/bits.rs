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

/// The coefficient that 127 of the others are at most as large as.
///
/// Found from its highest bit to its lowest: 32 times all are counted that are below what it would be with one more bit. That takes a
/// processor less time than any way that has to guess how a comparison ends.
fn lower_median(spectrum: &Spectrum) -> f32 {
    const BELOW: i32 = (FREQUENCIES * FREQUENCIES) as i32 / 2 - 1;
    // Integers in the order of `f32::total_cmp`; the same again makes numbers of them.
    let key = |bits: i32| bits ^ ((bits >> 31).cast_unsigned() >> 1).cast_signed();
    let keys = spectrum.as_flattened().iter();
    let mut sortable = [0; FREQUENCIES * FREQUENCIES];
    sortable.iter_mut().zip(keys).for_each(|(to, coefficient)| *to = key(coefficient.to_bits().cast_signed()));
    let mut median = i32::MIN;
    for bit in (0..32).rev() {
        let more = median.wrapping_add(1 << bit);
        let below: i32 = sortable.iter().map(|key| i32::from(*key < more)).sum();
        if below <= BELOW {
            median = more;
        }
    }
    f32::from_bits(key(median).cast_unsigned())
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
        fn the_median_is_that_of_sorting(
            coefficients in prop::collection::vec(prop_oneof![
                -2_000.0..2_000.0_f32, -1e-30..1e-30_f32, Just(0.0), Just(-0.0), Just(7.0), prop::num::f32::NORMAL,
            ], FREQUENCIES * FREQUENCIES),
        ) {
            let spectrum: Spectrum = std::array::from_fn(|v| std::array::from_fn(|h| coefficients[FREQUENCIES * v + h]));
            let mut sorted = coefficients;
            sorted.sort_by(f32::total_cmp);
            prop_assert_eq!(lower_median(&spectrum).to_bits(), sorted[127].to_bits());
        }

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
