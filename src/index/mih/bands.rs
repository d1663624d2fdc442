//! Where to look for all hashes within a radius, and why that is enough.
//!
//! # Why it is exact
//! Cut a hash into `B` bands, in a ring: the last is followed by the first. Allot band `b` some number of units `u_b`,
//! `radius + 1` in all, and look at the hashes that
//!
//! 1. differ from the query in at most `u_b - 1` bits of band `b`, and
//! 2. differ in at most `u_b + u_b' - 1` bits of band `b` and the band after it, `b'`, together,
//!
//! for each band with a unit. No hash within the radius is overlooked:
//!
//! Let `d_b` be the bits of band `b` in which a hash differs, and `x_b = d_b - u_b`. If the hash is within the radius, the `x_b`
//! add up to at most -1. Walk around the ring adding them up, and let `b` be the band after the last highest sum of the
//! first lap. Started at `b` instead, the sum is below 0 after every single step of a lap: within the first lap since it
//! stays below the last highest one, and after it since each lap loses at least 1. Whole numbers below 0 are at most -1:
//! the first step says 1. and the second says 2. (That one band must satisfy 1. is multi-index hashing: Norouzi, Punjani &
//! Fleet 2014, with units as in Qin et al., GPH, 2018. That its followers must too is the pigeonring: Qin & Xiao 2018. The
//! walk is the cycle lemma: Dvoretzky & Motzkin 1947.)
//!
//! The same holds when only some of the bits are compared: differing bits can only be ignored, so no hash is overlooked
//! that was not before. Small segments compare the first `width` bits of band `b`, to keep their tables small.
//!
//! # Why it is cheap
//! Looking within `u - 1` bits of a value costs one probe for each value there, `C(16, 0) + ... + C(16, u - 1)` of them:
//! 1, 17, 137, 697. Each further unit in a band costs more than the one before (up to the eighth), so moving a unit from
//! a band with more units to one with at least two fewer saves probes: the even allotment is the cheapest one.
//!
//! | hash | bands | radius | units a band | probes |
//! |---|---|---|---|---|
//! | 256 bits | 16 | 31 | 2 | 16 x 17 = 272 |
//! | 256 bits | 16 | 15 | 1 | 16 |
//! | 64 bits | 4 | 8 | 3, 2, 2, 2 | 137 + 3 x 17 = 188 |
//! | 64 bits | 4 | 4 | 2, 1, 1, 1 | 17 + 3 = 20 |
//!
//! A probe meets `n / 65,536` hashes if bits are fair. With two units a band, 2. leaves one in 380 of them: those that
//! differ in at most 2 bits of the next 16, or in 3 if they do not differ in the first band.

use std::iter;
use std::sync::LazyLock;

use crate::domain::Distance;

/// Bits of a whole band.
pub(super) const BAND_BITS: u32 = 16;

/// Bands of a hash of `words` words.
pub(super) const fn bands(words: usize) -> usize {
    words * (u64::BITS / BAND_BITS) as usize
}

/// The first `width` bits of a band of a hash; bands are counted from the most significant one.
pub(super) fn band_value<const W: usize>(hash: &[u64; W], band: usize, width: u32) -> u32 {
    let bands_a_word = bands(1);
    let below = u64::BITS - BAND_BITS * (band % bands_a_word) as u32 - width;
    let mask = (1 << width) - 1;
    (hash[band / bands_a_word] >> below) as u32 & mask
}

/// How many bits off each band of a hash is looked at in one search.
#[derive(Clone, Copy)]
pub(super) struct Allotment {
    bands: usize,
    /// Units of every band.
    units_each: u32,
    /// The first so many bands have one unit more.
    one_more: usize,
}

impl Allotment {
    /// The cheapest allotment that overlooks nothing within `radius`.
    pub(super) fn exact(radius: Distance, bands: usize) -> Self {
        Self::of_units(usize::from(radius.bits()) + 1, bands)
    }

    /// `units` spread evenly over the bands: overlooks nothing nearer than `units` bits.
    pub(super) fn of_units(units: usize, bands: usize) -> Self {
        Self { bands, units_each: (units / bands) as u32, one_more: units % bands }
    }

    /// How many bits off to look at in `band`; `None`: not at all.
    pub(super) fn band_radius(&self, band: usize) -> Option<u32> {
        self.units(band).checked_sub(1)
    }

    /// In how many bits of the band after `band` a hash may differ that differs in `differing` bits of `band` itself, which
    /// is at most the band's radius.
    pub(super) fn following_radius(&self, band: usize, differing: u32) -> u32 {
        self.units(band) + self.units(following(band, self.bands)) - 1 - differing
    }

    /// The first band on which hashes that differ in `difference` are found; `None`: on none.
    ///
    /// A row may be met in several bands: counting it in this one alone counts it once, without remembering the others.
    /// Whole bands decide, in every segment alike: where the first bits are probed, all rows of the whole band are met.
    pub(super) fn first_finder<const W: usize>(&self, difference: &[u64; W]) -> Option<usize> {
        let differing = |band| band_value(difference, band, BAND_BITS).count_ones();
        (0..self.bands).find(|&band| {
            let here = differing(band);
            self.band_radius(band).is_some_and(|radius| here <= radius)
                && differing(following(band, self.bands)) <= self.following_radius(band, here)
        })
    }

    fn units(&self, band: usize) -> u32 {
        self.units_each + u32::from(band < self.one_more)
    }
}

/// The band after `band` in the ring.
pub(super) const fn following(band: usize, bands: usize) -> usize {
    if band + 1 == bands { 0 } else { band + 1 }
}

/// Every `width`-bit value with exactly `weight` bits set, ascending; `width` is at most [`BAND_BITS`].
pub(super) fn flips(width: u32, weight: u32) -> &'static [u16] {
    /// By width and weight: 256 KiB in all.
    static FLIPS: LazyLock<Vec<Vec<Box<[u16]>>>> = LazyLock::new(|| {
        let of = |width, weight| of_weight(weight, width).map(|flips| flips as u16).collect();
        (0..=BAND_BITS).map(|width| (0..=width).map(|weight| of(width, weight)).collect()).collect()
    });
    FLIPS.get(width as usize).and_then(|of_width| of_width.get(weight as usize)).map_or(&[], |flips| flips)
}

fn of_weight(weight: u32, width: u32) -> impl Iterator<Item = u32> {
    // The next larger number of equal weight (Gosper): the lowest run of ones moves its top bit up by one place and
    // drops the rest of itself to the bottom.
    let next = |&x: &u32| {
        let lowest = x & x.wrapping_neg();
        let carried = x + lowest;
        (x != 0).then(|| carried | ((x ^ carried) >> 2 >> lowest.trailing_zeros()))
    };
    iter::successors(Some((1 << weight) - 1), next).take_while(move |&x| x < 1 << width)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::corpus::{flip, hash};

    fn probes(units: u32) -> u32 {
        [0, 1, 17, 137, 697, 2_517][units as usize]
    }

    #[test]
    fn bands_are_the_hash_from_its_most_significant_bit() {
        let hash = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
        let values: Vec<_> = (0..bands(2)).map(|band| band_value(&hash, band, 16)).collect();
        assert_eq!(values, [0x0123, 0x4567, 0x89ab, 0xcdef, 0xfedc, 0xba98, 0x7654, 0x3210]);
        assert_eq!(band_value(&hash, 2, 4), 0x8);
        assert_eq!(band_value(&hash, 7, 12), 0x321);
    }

    #[test]
    fn probing_visits_each_value_within_the_radius_once_and_no_other() {
        for width in 1..=9 {
            for radius in 0..=10 {
                let value = 0b1_0110_1001 & ((1 << width) - 1);
                let weights = 0..=radius.min(width);
                let mut visited: Vec<_> =
                    weights.flat_map(|weight| flips(width, weight)).map(|flips| u32::from(*flips) ^ value).collect();
                visited.sort_unstable();
                let expected: Vec<_> = (0..1 << width).filter(|v: &u32| (v ^ value).count_ones() <= radius).collect();
                assert_eq!(visited, expected, "width {width}, radius {radius}");
            }
        }
        for units in 1..5 {
            let visited: usize = (0..units).map(|weight| flips(16, weight).len()).sum();
            assert_eq!(visited, probes(units) as usize);
        }
    }

    #[test]
    fn the_table_of_the_documentation_is_what_is_allotted() {
        let radii = |radius, words: usize| -> Vec<_> {
            let allotment = Allotment::exact(Distance::new(radius), bands(words));
            (0..bands(words)).map(|band| allotment.band_radius(band)).collect()
        };
        assert_eq!(radii(31, 4), [Some(1); 16]);
        assert_eq!(radii(15, 4), [Some(0); 16]);
        assert_eq!(radii(8, 1), [Some(2), Some(1), Some(1), Some(1)]);
        assert_eq!(radii(4, 1), [Some(1), Some(0), Some(0), Some(0)]);
        assert_eq!(radii(1, 1), [Some(0), Some(0), None, None]);
    }

    #[test]
    fn no_other_exact_allotment_of_four_bands_needs_fewer_probes() {
        for radius in 0..=15_u16 {
            let allotment = Allotment::exact(Distance::new(radius), 4);
            let ours: u32 = (0..4).map(|b| probes(allotment.band_radius(b).map_or(0, |r| r + 1))).sum();
            let fewest = (0..6_u32.pow(4))
                .map(|code| [code % 6, code / 6 % 6, code / 36 % 6, code / 216])
                .filter(|units| units.iter().sum::<u32>() > u32::from(radius))
                .map(|units| units.into_iter().map(probes).sum::<u32>())
                .min();
            assert_eq!(Some(ours), fewest, "radius {radius}");
        }
    }

    fn any_pair_within_the_radius_is_met<const W: usize>(a: [u64; W], bits: &[usize], radius: u16) {
        let b = flip(a, &bits[..usize::from(radius).min(bits.len())]);
        let difference: [u64; W] = std::array::from_fn(|word| a[word] ^ b[word]);
        let allotment = Allotment::exact(Distance::new(radius), bands(W));
        assert!(allotment.first_finder(&difference).is_some());
    }

    proptest! {
        #[test]
        fn two_hashes_within_the_radius_agree_on_a_band(
            a in hash::<4>(), bits in prop::collection::vec(0..256_usize, 0..=40), radius in 0..=40_u16,
        ) {
            any_pair_within_the_radius_is_met(a, &bits, radius);
        }

        #[test]
        fn two_short_hashes_within_the_radius_agree_on_a_band(
            a in hash::<1>(), bits in prop::collection::vec(0..64_usize, 0..=12), radius in 0..=12_u16,
        ) {
            any_pair_within_the_radius_is_met(a, &bits, radius);
        }
    }

    #[test]
    fn one_unit_too_few_overlooks_a_pair_that_spreads_its_bits_evenly() {
        // Two bits in each of sixteen bands but one in the last: distance 31.
        let mut difference = [0x0003_0003_0003_0003; 4];
        difference[3] ^= 0b10;
        assert_eq!(difference.iter().map(|word: &u64| word.count_ones()).sum::<u32>(), 31);
        assert_eq!(Allotment::of_units(32, 16).first_finder(&difference), Some(15));
        assert_eq!(Allotment::of_units(31, 16).first_finder(&difference), None);
    }
}
