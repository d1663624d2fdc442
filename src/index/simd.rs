//! The few lines that use the processor's wide registers, each with a portable twin of the same answers.
//!
//! [`Simd`] names an instruction set and [`Simd::best`] finds the fastest one at run time, so one program runs anywhere. A
//! [`Search`] is written once against [`Lanes`] and compiled for each set: inside, even `count_ones` becomes one
//! instruction where the set has one.
//!
//! This is the one file of the index with `unsafe` in it. An instruction the processor does not have is undefined
//! behaviour; what rules it out is that an [`Avx2`] is only ever made where the processor was asked.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi8, _mm256_and_si256, _mm256_cmpgt_epi8, _mm256_maddubs_epi16,
    _mm256_movemask_epi8, _mm256_packs_epi16, _mm256_permute4x64_epi64, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_xor_si256,
};
use std::fmt;
use std::str::FromStr;

/// Values compared at once: two registers of 256 bits.
pub(super) const LANES: usize = 32;

/// An instruction set to search with. All of them give the same answers.
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

    /// Runs a search compiled for this set.
    pub(super) fn run<S: Search>(self, search: S) -> S::Found {
        match self.0 {
            Set::Portable => search.with(Portable),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(avx2) => avx2.run(search),
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
pub(super) trait Search {
    type Found;

    fn with<L: Lanes>(self, lanes: L) -> Self::Found;
}

/// What a search needs of an instruction set.
pub(super) trait Lanes: Copy {
    /// Which of the values differ from `query` in at most `most` bits, itself at most 16: bit `i` stands for `values[i]`.
    fn near(self, values: &[u16; LANES], query: u16, most: u8) -> u32;
}

/// Plain Rust.
#[derive(Clone, Copy, Debug)]
struct Portable;

impl Lanes for Portable {
    #[inline(always)]
    fn near(self, values: &[u16; LANES], query: u16, most: u8) -> u32 {
        // Four counts at a time in one word (the classic sideways addition): most processors' baseline has no
        // instruction that counts bits.
        let query = in_each_lane(query);
        // A count is at most 16, so this sets a lane's top bit if it is at most `most`, and touches no other lane.
        let most = in_each_lane(0x8000 + u16::from(most));
        let mut near = 0;
        for (nth, four) in values.chunks_exact(4).enumerate() {
            let word = four.iter().rev().fold(0, |word, value| (word << 16) | u64::from(*value));
            let x = word ^ query;
            let x = x - ((x >> 1) & in_each_lane(0x5555));
            let x = (x & in_each_lane(0x3333)) + ((x >> 2) & in_each_lane(0x3333));
            let x = (x + (x >> 4)) & in_each_lane(0x0f0f);
            let count = (x + (x >> 8)) & in_each_lane(0x001f);
            let tops = ((most - count) >> 15) & in_each_lane(1);
            // The four bits, 16 apart, side by side.
            near |= ((tops.wrapping_mul(0x0001_0002_0004_0008) >> 48) as u32 & 0xf) << (4 * nth);
        }
        near
    }
}

/// Four times the same 16 bits.
const fn in_each_lane(value: u16) -> u64 {
    value as u64 * 0x0001_0001_0001_0001
}

/// The proof that this processor has AVX2 and the counting instructions that always come with it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    /// The proof, if there is one.
    fn detect() -> Option<Self> {
        let has_counting = is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("bmi1");
        (is_x86_feature_detected!("avx2") && has_counting && is_x86_feature_detected!("bmi2")).then_some(Self(()))
    }

    fn run<S: Search>(self, search: S) -> S::Found {
        #[target_feature(enable = "avx2,popcnt,bmi1,bmi2")]
        fn compiled<S: Search>(avx2: Avx2, search: S) -> S::Found {
            search.with(avx2)
        }
        // SAFETY: `compiled` needs just the features that were detected when `self` was made.
        unsafe { compiled(self, search) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    #[inline(always)]
    fn near(self, values: &[u16; LANES], query: u16, most: u8) -> u32 {
        // SAFETY: `near_avx2` needs just the features that were detected when `self` was made.
        unsafe { near_avx2(values, query, most) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt,bmi1,bmi2")]
#[inline]
fn near_avx2(values: &[u16; LANES], query: u16, most: u8) -> u32 {
    let [first, second]: [__m256i; 2] = bytemuck::cast(*values);
    let query = _mm256_set1_epi16(query.cast_signed());
    // Bits in a value's two bytes: those of each half byte by table, then the bytes added.
    let half = _mm256_set1_epi8(0xf);
    let bits_of = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let count = |values| {
        let x = _mm256_xor_si256(values, query);
        let low = _mm256_shuffle_epi8(bits_of, _mm256_and_si256(x, half));
        let high = _mm256_shuffle_epi8(bits_of, _mm256_and_si256(_mm256_srli_epi16::<4>(x), half));
        _mm256_maddubs_epi16(_mm256_add_epi8(low, high), _mm256_set1_epi8(1))
    };
    // Packing takes 128 bits of each in turn; the permutation puts them back in order.
    let counts = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(count(first), count(second)));
    let more = _mm256_cmpgt_epi8(counts, _mm256_set1_epi8(most.cast_signed()));
    !_mm256_movemask_epi8(more).cast_unsigned()
}

/// Asks for the cache line of `of[index]`, so that it is there when it is read; any index will do.
#[inline(always)]
pub(super) fn prefetch<T>(of: &[T], index: usize) {
    let address = of.as_ptr().wrapping_add(index);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this kind has the instruction, and it reads nothing: a bad address is ignored.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Near<'a>(&'a [u16; LANES], u16, u8);

    impl Search for Near<'_> {
        type Found = u32;

        fn with<L: Lanes>(self, lanes: L) -> u32 {
            lanes.near(self.0, self.1, self.2)
        }
    }

    fn expected(values: &[u16; LANES], query: u16, most: u8) -> u32 {
        let is_near = |value: &u16| (value ^ query).count_ones() <= u32::from(most);
        values.iter().enumerate().fold(0, |near, (nth, value)| near | u32::from(is_near(value)) << nth)
    }

    #[test]
    fn every_set_finds_every_value_at_every_distance() {
        for simd in Simd::available() {
            for value in 0..=u16::MAX {
                let mut values = [!value; LANES];
                values[usize::from(value) % LANES] = value.rotate_left(5);
                let most = (value % 17) as u8;
                let near = simd.run(Near(&values, 0x5a3c, most));
                assert_eq!(near, expected(&values, 0x5a3c, most), "{simd}, value {value:#x}, at most {most}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_set_equals_counting_one_by_one(
            values in proptest::array::uniform32(any::<u16>()), query in any::<u16>(), most in 0..=16_u8,
        ) {
            for simd in Simd::available() {
                prop_assert_eq!(simd.run(Near(&values, query, most)), expected(&values, query, most), "{}", simd);
            }
        }
    }

    #[test]
    fn the_best_set_is_the_last_of_the_available_ones() {
        assert_eq!(Simd::available().next(), Some(Simd::PORTABLE));
        assert_eq!(Simd::available().last(), Some(Simd::best()));
        assert_eq!(Simd::PORTABLE.to_string(), "portable");
        for simd in Simd::available() {
            assert_eq!(simd.to_string().parse(), Ok(simd));
        }
        let error = "mmx".parse::<Simd>().unwrap_err().to_string();
        assert!(error.starts_with("`mmx` cannot be used here: there is portable"), "{error}");
    }

    #[test]
    fn asking_ahead_for_any_place_is_harmless() {
        prefetch(&[1_u64, 2], 0);
        prefetch::<u64>(&[], usize::MAX);
        prefetch(&[1_u8], 1 << 40);
    }
}
