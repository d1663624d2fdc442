//! The few operations that use the processor's wide registers, each with a portable twin of the same answers.
//!
//! [`Simd`] names an instruction set and [`Simd::best`] finds the fastest one at run time, so one program runs anywhere. A
//! [`Task`] is written once against [`Lanes`] and compiled for each set.
//!
//! The same answers means the same bits: each sum and difference is rounded as in plain code and in the same order, since what
//! is done side by side are different lines. The one operation done otherwise, the division, is proved equal (`divisor`), and
//! only there multiplications and additions are fused.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use self::portable::Portable;
use super::divisor::Divisor;
use super::tile::{EIGHT, Eight, Tile};
#[cfg(target_arch = "x86_64")]
use avx2::Avx2;

/// An instruction set to hash with. All of them give the same answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

impl Simd {
    /// What any processor can do.
    pub const PORTABLE: Self = Self(Set::Portable);

    /// The fastest this processor has.
    pub fn best() -> Self {
        Self::available().next_back().unwrap_or(Self::PORTABLE)
    }

    /// Every one this processor has, the slowest first: for tests, which force each in turn.
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let wide = Avx2::detect().map(|avx2| Self(Set::Avx2(avx2)));
        #[cfg(not(target_arch = "x86_64"))]
        let wide = None;
        std::iter::once(Self::PORTABLE).chain(wide)
    }

    /// Runs a task compiled for this set.
    pub(super) fn run<T: Task>(self, task: T) -> T::Outcome {
        match self.0 {
            Set::Portable => task.with(Portable),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(avx2) => avx2.run(task),
        }
    }
}

/// By its name, if this processor has it.
impl FromStr for Simd {
    type Err = UnknownSimd;

    fn from_str(name: &str) -> Result<Self, UnknownSimd> {
        Self::available().find(|simd| simd.to_string() == name).ok_or_else(|| UnknownSimd(name.to_owned()))
    }
}

/// This processor has no instruction set of that name, or nothing is written for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be used here: there is {available}", available = names())]
pub struct UnknownSimd(String);

fn names() -> String {
    Simd::available().map(|simd| simd.to_string()).collect::<Vec<_>>().join(", ")
}

/// Its name, as in `avx2`.
impl fmt::Display for Simd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => "avx2",
        })
    }
}

/// Code to compile for every instruction set. What is to be compiled for the set must be `#[inline(always)]`, down to the
/// functions of [`Lanes`]: the rest is right all the same, and portable.
pub(super) trait Task {
    type Outcome;

    fn with<L: Lanes>(self, lanes: L) -> Self::Outcome;
}

/// What is done with eight lines side by side.
pub(super) trait Lanes: Copy {
    /// The brightness of the eight pixels of eight rows: the tile's lines are the rows.
    fn luma(self, rows: [&[[u8; 3]; EIGHT]; EIGHT], tile: &mut Tile);

    /// Moves three boxes by eight steps each. They have nothing to do with one another: a sum can only be taken when the one
    /// before it is there, and while the processor waits for one box it can add to another.
    fn slide(self, boxes: [Sliding; 3]);

    /// Divides the sums of step `i` by `divisors[i]` and exchanges steps and lines.
    fn means(self, sums: &Tile, divisors: &[Divisor; EIGHT], means: &mut Tile);
}

/// Boxes of eight lines, about to slide by eight steps.
pub(super) struct Sliding<'a> {
    /// What enters at each step. The sums over the boxes after each step take its place.
    pub(super) tile: &'a mut Tile,
    /// The sums before the first step; after the last.
    pub(super) sums: &'a mut Eight,
    /// What leaves and what enters, as [`Ring::open`](super::ring::Ring::open) says.
    pub(super) places: &'a mut [Eight; 2 * EIGHT],
    /// How far behind what enters is what leaves: 0 to 7.
    pub(super) offset: usize,
}
