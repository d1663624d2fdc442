//! Division by a small whole number, as a multiplication and two corrections.
//!
//! The reference divides every pixel by the number of values in a box, twice. Where the processor has a fused multiply-add (`a * b + c`,
//! rounded once), three multiplications give the very bits of a division (Markstein, "Computation of elementary functions on the
//! IBM RISC System/6000 processor", 1990). With RN for rounding to the nearest `f32`:
//!
//! ```text
//! r = RN(1 / n)      q = RN(s * r)      e = RN(s - q * n)      q' = RN(q + e * r)
//! ```
//!
//! That `q'` is `RN(s / n)`, for a whole `n` from 2 to below 2^22 (for 1 it is plain) and numbers that do not underflow: let `x = s / n`,
//! and `u` the distance between neighbouring `f32` where `x` is, so that `2^23 u <= |x| < 2^24 u`.
//!
//! 1. `r` and `q` are each off by a factor of at most `1 ± 2^-24`, so `q` is within about `2 u` of `x`.
//! 2. `s` and `q * n` are multiples of `u / 2`, and differ by at most about `2 n u`: that fits into 24 bits, so `e` is exact.
//! 3. So `q + e * r`, before it is rounded, is `x` but for the error of `r` times `x - q`: within `2^-23 u` of `x`.
//! 4. No point half-way between neighbouring `f32` is that near to `x`. Such a point is `m = M * u / 2` with an odd `M` of 25
//!    bits. `m * n` has at least those 25 significant bits and `s` has 24, so they differ; both are multiples of `u / 2`; hence
//!    `|x - m| >= u / (2 n)`, more than `2^-23 u`. (Below a power of two neighbours are nearer: there it is at least `u / 4`.)
//! 5. With nothing half-way between them, `x` and `q + e * r` round to the same `f32`.
//!
//! Nothing here underflows. Brightnesses other than 0 are above 2^-4, so they and sums along a row are multiples of 2^-27. Means
//! of those are 0 or at least 2^-27 / n, so they and sums along a column are multiples of 2^-51 / n. Then `u` is above 2^-75 / n^2.
//! And no sum is -0, of which this would make 0: a sum begins as 0, and what is subtracted from itself leaves 0.

/// What sums are divided by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divisor {
    /// A whole number.
    pub(super) by: f32,
    /// Its reciprocal, rounded.
    pub(super) reciprocal: f32,
}

impl Divisor {
    /// Of `count` values, fewer than 2^22. An empty box, which nobody looks at, is divided by 1.
    pub(super) const fn of(count: usize) -> Self {
        let by = if count == 0 { 1.0 } else { count as f32 };
        Self { by, reciprocal: 1.0 / by }
    }
}
