//! Where to look for all hashes within a radius, and why that is enough.
//!
//! # Why it is exact
//! Cut a hash into `B` bands, in a ring: the last is followed by the first. Allot band `b` some number of units `u_b`,
//! `radius + 1` in all, and look at the hashes that, for some band `b` with a unit,
//!
//! 1. differ from the query in at most `u_b - 1` bits of band `b`, and
//! 2. differ in at most `u_b + ... + u_c - 1` bits of the bands from `b` to `c`, where `c` is a fixed number of bands on.
//!
//! No hash within the radius is overlooked. Let `d_b` be the number of bits of band `b` in which it differs, and
//! `x_b = d_b - u_b`. As it is within the radius, the `x_b` add up to at most -1. Walk around the ring adding them up, and
//! let `b` be the band after the last of the highest sums of the first lap (that of no bands, 0, is one of them). Begun at
//! `b` instead, the sum is below 0 after every step of a lap: until the first lap's end since what follows the last of the
//! highest sums is lower, and from there on since the lap has lost at least 1. Whole numbers below 0 are at most -1: the
//! first step says 1., and the step to `c` says 2.
//!
//! That some band must satisfy 1. is multi-index hashing (Norouzi, Punjani & Fleet 2014), with units as in GPH (Qin et al.
//! 2018). That those after it must agree too is the pigeonring (Qin & Xiao 2018); the walk is the cycle lemma (Dvoretzky &
//! Motzkin 1947). We take as many bands to `c` as make 16 bits beyond `b`: [`Cut::following`].
//!
//! # Why it is cheap
//! Looking within `u - 1` bits of a value costs one probe for each value there, `C(16, 0) + ... + C(16, u - 1)` of them for
//! a band of 16 bits: 1, 17, 137, 697. Each further unit in a band costs more than the one before (up to half of its bits),
//! so moving a unit from a band with more units to one with at least two fewer saves probes: the even allotment is the
//! cheapest one.
//!
//! | hash | radius | wide bands | units | probes | narrow bands | units | probes |
//! |---|---|---|---|---|---|---|---|
//! | 256 bits | 31 | 16 of 16 bits | 2 | 16 x 17 = 272 | 32 of 8 bits | 1 | 32 |
//! | 256 bits | 15 | | 1 | 16 | | 1 or 0 | 16 |
//! | 64 bits | 8 | 4 of 16 bits | 3, 2, 2, 2 | 137 + 3 x 17 = 188 | 8 of 8 bits | 2, then 1 | 9 + 7 = 16 |
//! | 64 bits | 4 | | 2, 1, 1, 1 | 17 + 3 = 20 | | 1 or 0 | 5 |
//!
//! Of `n` hashes with fair bits a probe meets `n / 65,536` in wide bands and `n / 256` in narrow ones: few rows are found
//! with fewer probes in narrow bands, many rows with less to read in wide ones. At radius 31, 2. leaves one of 380 hashes
//! met in wide bands, and one of 480 in narrow ones.

use std::iter;
use std::sync::LazyLock;

use crate::domain::Distance;

/// Into bands of how many bits hashes are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Divides 16.
    bits: u32,
}

impl Cut {
    /// For few rows.
    pub(super) const NARROW: Self = Self { bits: 8 };
    /// For many.
    pub(super) const WIDE: Self = Self { bits: 16 };

    /// The one for so many rows.
    pub(super) const fn for_rows(rows: usize, wide_rows_min: usize) -> Self {
        if rows < wide_rows_min { Self::NARROW } else { Self::WIDE }
    }

    /// Values a band can have.
    pub(super) const fn values(self) -> usize {
        1 << self.bits
    }

    /// Bands of a hash of `words` words.
    pub(super) const fn bands(self, words: usize) -> usize {
        words * self.bands_a_word()
    }

    /// A band of a hash; bands are counted from the most significant one.
    #[inline(always)]
    pub(super) const fn value<const W: usize>(self, hash: &[u64; W], band: usize) -> u32 {
        let below = u64::BITS - self.bits * (band % self.bands_a_word() + 1) as u32;
        (hash[band / self.bands_a_word()] >> below) as u32 & (u32::MAX >> (u32::BITS - self.bits))
    }

    /// The 16 bits after a band, in the ring.
    #[inline(always)]
    pub(super) const fn following<const W: usize>(self, hash: &[u64; W], band: usize) -> u16 {
        let (mut following, mut nth) = (0, 1);
        while nth <= self.followers() {
            following = following << self.bits | self.value(hash, (band + nth) % self.bands(W));
            nth += 1;
        }
        following as u16
    }

    /// Bands in 16 bits.
    const fn followers(self) -> usize {
        (16 / self.bits) as usize
    }

    const fn bands_a_word(self) -> usize {
        (u64::BITS / self.bits) as usize
    }
}

/// How many bits off each band of a hash is looked at in one search.
#[derive(Clone, Copy)]
pub(super) struct Allotment {
    pub(super) cut: Cut,
    bands: usize,
    /// Units of every band.
    units_each: u32,
    /// The first so many bands have one unit more.
    one_more: usize,
}

impl Allotment {
    /// The cheapest allotment that overlooks nothing within `radius`, for hashes of `words` words.
    pub(super) fn exact(cut: Cut, words: usize, radius: Distance) -> Self {
        Self::of_units(cut, words, usize::from(radius.bits()) + 1)
    }

    /// `units` spread evenly over the bands: overlooks nothing nearer than `units` bits.
    pub(super) fn of_units(cut: Cut, words: usize, units: usize) -> Self {
        let bands = cut.bands(words);
        Self { cut, bands, units_each: (units / bands) as u32, one_more: units % bands }
    }

    /// How many bits off to look at in `band`; `None`: not at all.
    pub(super) fn band_radius(&self, band: usize) -> Option<u32> {
        self.units(band).checked_sub(1)
    }

    /// In how many of the 16 bits after `band` a hash may differ that differs in `differing` bits of `band` itself; those
    /// are at most the band's radius.
    pub(super) fn following_radius(&self, band: usize, differing: u32) -> u32 {
        let units: u32 = (0..=self.cut.followers()).map(|nth| self.units((band + nth) % self.bands)).sum();
        units - 1 - differing
    }

    /// The first band on which hashes that differ in `difference` are found; `None`: on none.
    ///
    /// A row may be met in several bands: counting it in this one alone counts it once, without remembering the others.
    pub(super) fn first_finder<const W: usize>(&self, difference: &[u64; W]) -> Option<usize> {
        (0..self.bands).find(|&band| {
            let differing = self.cut.value(difference, band).count_ones();
            self.band_radius(band).is_some_and(|radius| differing <= radius)
                && self.cut.following(difference, band).count_ones() <= self.following_radius(band, differing)
        })
    }

    fn units(&self, band: usize) -> u32 {
        self.units_each + u32::from(band < self.one_more)
    }
}

/// Every value of a band with exactly `weight` bits set, ascending.
pub(super) fn flips(cut: Cut, weight: u32) -> &'static [u16] {
    static NARROW: LazyLock<Vec<Box<[u16]>>> = LazyLock::new(|| by_weight(Cut::NARROW));
    static WIDE: LazyLock<Vec<Box<[u16]>>> = LazyLock::new(|| by_weight(Cut::WIDE));
    let known = if cut == Cut::WIDE { &WIDE } else { &NARROW };
    known.get(weight as usize).map_or(&[], |flips| flips)
}

fn by_weight(cut: Cut) -> Vec<Box<[u16]>> {
    (0..=cut.bits).map(|weight| of_weight(weight, cut.bits).map(|flips| flips as u16).collect()).collect()
}

/// Every `bits`-bit value with exactly `weight` bits set, ascending.
fn of_weight(weight: u32, bits: u32) -> impl Iterator<Item = u32> {
    // The next larger number of equal weight (Gosper): the lowest run of ones moves its top bit up by one place and
    // drops the rest of itself to the bottom.
    let next = |&x: &u32| {
        let lowest = x & x.wrapping_neg();
        let carried = x + lowest;
        (x != 0).then(|| carried | ((x ^ carried) >> 2 >> lowest.trailing_zeros()))
    };
    iter::successors(Some((1 << weight) - 1), next).take_while(move |&x| x < 1 << bits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::corpus::{flip, hash};

    const CUTS: [Cut; 2] = [Cut::NARROW, Cut::WIDE];

    fn probes(cut: Cut, words: usize, radius: u16) -> usize {
        let allotment = Allotment::exact(cut, words, Distance::new(radius));
        let of_band = |band| (0..allotment.units(band)).map(|weight| flips(cut, weight).len()).sum::<usize>();
        (0..cut.bands(words)).map(of_band).sum()
    }

    fn weight<const W: usize>(hash: &[u64; W]) -> u32 {
        hash.iter().map(|word| word.count_ones()).sum()
    }

    #[test]
    fn bands_are_the_hash_from_its_most_significant_bit() {
        let hash = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
        let values = |cut: Cut| -> Vec<_> { (0..cut.bands(2)).map(|band| cut.value(&hash, band)).collect() };
        assert_eq!(values(Cut::WIDE), [0x0123, 0x4567, 0x89ab, 0xcdef, 0xfedc, 0xba98, 0x7654, 0x3210]);
        assert_eq!(values(Cut::NARROW)[..9], [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe]);
    }

    #[test]
    fn sixteen_bits_follow_a_band_around_the_ring() {
        let hash = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
        let following = |cut: Cut, bands: [usize; 3]| bands.map(|band| cut.following(&hash, band));
        assert_eq!(following(Cut::WIDE, [0, 3, 7]), [0x4567, 0xfedc, 0x0123]);
        assert_eq!(following(Cut::NARROW, [0, 6, 15]), [0x2345, 0xeffe, 0x0123]);
        assert_eq!(Cut::NARROW.following(&hash, 14), 0x1001);
        assert_eq!(Cut::NARROW.following(&[0x0123_4567_89ab_cdef], 7), 0x0123);
    }

    #[test]
    fn the_flips_of_a_band_are_each_of_its_values_once_by_weight() {
        for cut in CUTS {
            let mut all = Vec::new();
            for weight in 0..=cut.bits {
                assert!(flips(cut, weight).iter().all(|flips| flips.count_ones() == weight));
                all.extend_from_slice(flips(cut, weight));
            }
            all.sort_unstable();
            assert!(all.iter().map(|value| usize::from(*value)).eq(0..cut.values()));
            assert_eq!(flips(cut, cut.bits + 1), [0_u16; 0]);
        }
    }

    #[test]
    fn the_table_of_the_documentation_is_what_is_probed() {
        let wide = [(4, 31), (4, 15), (1, 8), (1, 4)].map(|(words, radius)| probes(Cut::WIDE, words, radius));
        assert_eq!(wide, [272, 16, 188, 20]);
        let narrow = [(4, 31), (4, 15), (1, 8), (1, 4)].map(|(words, radius)| probes(Cut::NARROW, words, radius));
        assert_eq!(narrow, [32, 16, 16, 5]);

        let radii = |cut, words, radius| -> Vec<_> {
            let allotment = Allotment::exact(cut, words, Distance::new(radius));
            (0..cut.bands(words)).map(|band| allotment.band_radius(band)).collect()
        };
        assert_eq!(radii(Cut::WIDE, 4, 31), [Some(1); 16]);
        assert_eq!(radii(Cut::NARROW, 4, 31), [Some(0); 32]);
        assert_eq!(radii(Cut::WIDE, 1, 8), [Some(2), Some(1), Some(1), Some(1)]);
        assert_eq!(radii(Cut::WIDE, 1, 1), [Some(0), Some(0), None, None]);
    }

    #[test]
    fn no_other_exact_allotment_of_four_bands_needs_fewer_probes() {
        let of_units = |units| (0..units).map(|weight| flips(Cut::WIDE, weight).len()).sum::<usize>();
        for radius in 0..=15_u16 {
            let fewest = (0..6_u32.pow(4))
                .map(|code| [code % 6, code / 6 % 6, code / 36 % 6, code / 216])
                .filter(|units| units.iter().sum::<u32>() > u32::from(radius))
                .map(|units| units.into_iter().map(of_units).sum::<usize>())
                .min();
            assert_eq!(Some(probes(Cut::WIDE, 1, radius)), fewest, "radius {radius}");
        }
    }

    fn any_pair_within_the_radius_is_met<const W: usize>(a: [u64; W], bits: &[usize], radius: u16) {
        let b = flip(a, &bits[..usize::from(radius).min(bits.len())]);
        let difference: [u64; W] = std::array::from_fn(|word| a[word] ^ b[word]);
        for cut in CUTS {
            assert!(Allotment::exact(cut, W, Distance::new(radius)).first_finder(&difference).is_some(), "{cut:?}");
        }
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
        // Two bits in each of sixteen bands, one in each of thirty-two, but for one bit: distance 31.
        let mut difference = [0x0101_0101_0101_0101; 4];
        difference[3] ^= 1;
        assert_eq!(weight(&difference), 31);
        for (cut, finder) in [(Cut::WIDE, 15), (Cut::NARROW, 31)] {
            assert_eq!(Allotment::of_units(cut, 4, 32).first_finder(&difference), Some(finder));
            assert_eq!(Allotment::of_units(cut, 4, 31).first_finder(&difference), None);
        }
    }

    #[test]
    fn the_following_bits_must_be_allowed_to_differ_as_much_as_they_are() {
        // One bit and three, over and over, but two at the end: the last two bands are the only ones that find it, and the
        // last one differs in all the bits that it may.
        let mut difference = [0x0001_0007_0001_0007; 4];
        difference[3] ^= 1;
        assert_eq!(weight(&difference), 31);
        let wide = Allotment::exact(Cut::WIDE, 4, Distance::new(31));
        assert_eq!(wide.first_finder(&difference), Some(14));
        assert_eq!((Cut::WIDE.following(&difference, 14).count_ones(), wide.following_radius(14, 1)), (2, 2));

        // None, two, one, over and over, but one and none at the end.
        let bits = |band| [0, 0b11, 0b1][if band < 30 { band % 3 } else { 2 * (31 - band) }];
        let word = |word| (0..8).fold(0, |bytes, byte| bytes << 8 | bits(8 * word + byte));
        let difference: [u64; 4] = std::array::from_fn(word);
        assert_eq!(weight(&difference), 31);
        let narrow = Allotment::exact(Cut::NARROW, 4, Distance::new(31));
        assert_eq!(narrow.first_finder(&difference), Some(31));
        assert_eq!((Cut::NARROW.following(&difference, 31).count_ones(), narrow.following_radius(31, 0)), (2, 2));
    }
}
