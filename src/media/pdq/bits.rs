//! A spectrum to 256 bits.

use super::{FREQUENCIES, Spectrum};
use crate::domain::Pdq;

/// One bit a frequency: whether its coefficient is above the median of all 256.
///
/// The median of an even number of values is here the lower of the two middle ones, so that, unless coefficients are equal,
/// exactly 128 bits are set. Bit `16 * vertical + horizontal` counts from the least significant: the hexadecimal
/// form ends with the lowest frequencies.
pub(super) fn above_median(spectrum: &Spectrum) -> Pdq {
    let coefficients = spectrum.as_flattened();
    let median = lower_median(coefficients);
    let mut words = [0; 4];
    for (bit, coefficient) in coefficients.iter().enumerate() {
        if *coefficient > median {
            words[3 - bit / 64] |= 1 << (bit % 64);
        }
    }
    Pdq::from_words(words)
}

fn lower_median(coefficients: &[f32]) -> f32 {
    const MIDDLE: usize = (FREQUENCIES * FREQUENCIES - 1) / 2;
    let mut sorted = [0.0; FREQUENCIES * FREQUENCIES];
    sorted.copy_from_slice(coefficients);
    *sorted.select_nth_unstable_by(MIDDLE, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_n_from_the_end_of_the_hexadecimal_form_is_frequency_n() {
        let mut spectrum = [[0.0; FREQUENCIES]; FREQUENCIES];
        spectrum[0][0] = 1.0;
        spectrum[0][5] = 1.0;
        spectrum[15][15] = 1.0;
        let expected = format!("8{}21", "0".repeat(61));
        assert_eq!(above_median(&spectrum).to_string(), expected);
    }

    #[test]
    fn of_256_different_coefficients_the_upper_128_are_set() {
        let spectrum: Spectrum = std::array::from_fn(|v| std::array::from_fn(|h| (16 * v + h) as f32 - 100.0));
        assert_eq!(above_median(&spectrum).words(), [u64::MAX, u64::MAX, 0, 0]);
    }

    #[test]
    fn equal_coefficients_are_not_above_their_median() {
        assert_eq!(above_median(&[[-0.0; FREQUENCIES]; FREQUENCIES]).words(), [0; 4]);
    }
}
