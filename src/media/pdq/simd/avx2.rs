//! Eight lines in a register of 256 bits.
//!
//! This is the one file of `media` with `unsafe` in it. An instruction the processor does not have is undefined
//! behaviour; what rules it out is that an [`Avx2`] is only ever made where the processor was asked.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, _mm256_add_epi32, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_fmadd_ps, _mm256_fnmadd_ps, _mm256_madd_epi16,
    _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_set_m128i, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi8,
    _mm256_shuffle_epi8, _mm256_shuffle_ps, _mm256_sub_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::super::divisor::Divisor;
use super::super::luma::{self, THOUSANDTHS};
use super::super::tile::{EIGHT, Eight, Tile};
use super::{Lanes, Sliding, Task};

/// The proof that this processor has AVX2 and fused multiply-add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx2(());

impl Avx2 {
    /// The proof, if there is one.
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    /// Runs a task compiled for these instructions.
    pub(super) fn run<T: Task>(self, task: T) -> T::Outcome {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<T: Task>(avx2: Avx2, task: T) -> T::Outcome {
            task.with(avx2)
        }
        // SAFETY: `compiled` needs just the features that were detected when `self` was made.
        unsafe { compiled(self, task) }
    }
}

impl Lanes for Avx2 {
    #[inline(always)]
    fn luma(self, rows: [&[[u8; 3]; EIGHT]; EIGHT], tile: &mut Tile) {
        // SAFETY: the function needs just the features that were detected when `self` was made.
        unsafe { luma_avx2(rows, tile) }
    }

    #[inline(always)]
    fn slide(self, boxes: [Sliding; 3]) {
        // SAFETY: as above.
        unsafe { slide_avx2(boxes) }
    }

    #[inline(always)]
    fn means(self, sums: &Tile, divisors: &[Divisor; EIGHT], means: &mut Tile) {
        // SAFETY: as above.
        unsafe { means_avx2(sums, divisors, means) }
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn luma_avx2(rows: [&[[u8; 3]; EIGHT]; EIGHT], tile: &mut Tile) {
    const PER: Divisor = Divisor::of(THOUSANDTHS);
    let [of_red, of_green, of_blue] = luma::WEIGHTS.map(i32::from);
    // Eight pixels are 24 bytes: the low half takes four from the first 16 bytes, the high half four from the last 16. Red and
    // green go side by side in 16 bits each, so that one instruction multiplies and adds them; blue beside nothing.
    let red_and_green = _mm256_setr_epi8(
        0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1, 4, -1, 5, -1, 7, -1, 8, -1, 10, -1, 11, -1, 13, -1,
        14, -1,
    );
    let blue = _mm256_setr_epi8(
        2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1, 12, -1, -1, -1, 15,
        -1, -1, -1,
    );
    let luma = |row: &[[u8; 3]; EIGHT]| {
        let [a, b, c]: [[u8; 8]; 3] = bytemuck::cast(*row);
        let pixels = _mm256_set_m128i(bytemuck::cast([b, c]), bytemuck::cast([a, b]));
        let thousandths = _mm256_add_epi32(
            _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, red_and_green), _mm256_set1_epi32(of_green << 16 | of_red)),
            _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, blue), _mm256_set1_epi32(of_blue)),
        );
        quotient_avx2(_mm256_cvtepi32_ps(thousandths), PER)
    };
    let [a, b, c, d, e, f, g, h] = rows;
    transpose_avx2([luma(a), luma(b), luma(c), luma(d), luma(e), luma(f), luma(g), luma(h)], tile);
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn slide_avx2(mut boxes: [Sliding; 3]) {
    let mut sums: [__m256; 3] = boxes.each_ref().map(|sliding| bytemuck::cast(sliding.sums.0));
    for i in 0..EIGHT {
        for (sum, Sliding { tile, places, offset, .. }) in sums.iter_mut().zip(&mut boxes) {
            let leaving = bytemuck::cast(places[i + *offset % EIGHT].0);
            *sum = _mm256_sub_ps(_mm256_add_ps(*sum, bytemuck::cast(tile[i].0)), leaving);
            places[i] = tile[i];
            tile[i] = Eight(bytemuck::cast(*sum));
        }
    }
    for (sum, sliding) in sums.into_iter().zip(boxes) {
        *sliding.sums = Eight(bytemuck::cast(sum));
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn means_avx2(sums: &Tile, divisors: &[Divisor; EIGHT], means: &mut Tile) {
    let mean = |i: usize| quotient_avx2(bytemuck::cast(sums[i].0), divisors[i]);
    transpose_avx2([mean(0), mean(1), mean(2), mean(3), mean(4), mean(5), mean(6), mean(7)], means);
}

/// `sums / divisor`, by three multiplications: `divisor` has the proof.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn quotient_avx2(sums: __m256, divisor: Divisor) -> __m256 {
    let (by, reciprocal) = (_mm256_set1_ps(divisor.by), _mm256_set1_ps(divisor.reciprocal));
    let quotient = _mm256_mul_ps(sums, reciprocal);
    let error = _mm256_fnmadd_ps(quotient, by, sums);
    _mm256_fmadd_ps(error, reciprocal, quotient)
}

/// Exchanges lines and steps: pairs of rows, then fours, then halves.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn transpose_avx2(rows: [__m256; EIGHT], columns: &mut Tile) {
    let [a, b, c, d, e, f, g, h] = rows;
    let four = |a, b, c, d| {
        let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        [
            _mm256_shuffle_ps::<0b01_00_01_00>(ab_low, cd_low),
            _mm256_shuffle_ps::<0b11_10_11_10>(ab_low, cd_low),
            _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
            _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
        ]
    };
    let (upper, lower) = (four(a, b, c, d), four(e, f, g, h));
    for i in 0..EIGHT / 2 {
        columns[i] = Eight(bytemuck::cast(_mm256_permute2f128_ps::<0x20>(upper[i], lower[i])));
        columns[i + EIGHT / 2] = Eight(bytemuck::cast(_mm256_permute2f128_ps::<0x31>(upper[i], lower[i])));
    }
}
