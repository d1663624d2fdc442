//! The brightness of a pixel, by the weights of ITU-R BT.601.
//!
//! The reference's Python binding, by which the published vectors and most hashes in circulation were made, sums
//! `0.299 r + 0.587 g + 0.114 b` in 64 bits and rounds to 32. (Meta's own command line sums in 32 bits. The last digit is all that
//! differs, and it decides a bit only in pictures drawn by formula, where coefficients would be equal but for rounding.)
//!
//! Here the sum is taken in whole thousandths, which is exact, and divided once. Both are the exact value, rounded to the nearest
//! `f32`: the division by definition; the 64-bit sum because it is off by less than 2^-50 of the value, and no point
//! half-way between two `f32` is within 2^-35 of it (`divisor`, step 4, with n = 1000). A test compares all 2^24 colours.

/// Thousandths of red, green and blue.
pub(super) const WEIGHTS: [u16; 3] = [299, 587, 114];

/// What their sum is in.
pub(super) const THOUSANDTHS: usize = 1000;

/// Brightness in thousandths, 0 to 255,000.
#[inline(always)]
pub(super) fn thousandths(pixel: [u8; 3]) -> i32 {
    let [red, green, blue] = pixel.map(i32::from);
    let [of_red, of_green, of_blue] = WEIGHTS;
    i32::from(of_red) * red + i32::from(of_green) * green + i32::from(of_blue) * blue
}
