//! Hashes for tests: what stored ones look like, and what is hard for an index.

use proptest::prelude::*;

/// Any hash, each bit fair.
pub(super) fn hash<const W: usize>() -> impl Strategy<Value = [u64; W]> {
    proptest::array::uniform::<_, W>(any::<u64>())
}

/// `hash` with these bits flipped, one after another: a bit named twice is as it was.
pub(super) fn flip<const W: usize>(mut hash: [u64; W], bits: &[usize]) -> [u64; W] {
    for bit in bits {
        hash[bit / 64] ^= 1 << (bit % 64);
    }
    hash
}

/// At most `most` bits to flip.
pub(super) fn flips<const W: usize>(most: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..64 * W, 0..=most)
}

/// `count` bits to flip, as many in each band of 16 as in any other or one fewer, the later bands fewer: the differences
/// that probing too little overlooks first. They are among the first three bits of a band, where small segments look too;
/// `turn` says which comes first.
pub(super) fn evenly<const W: usize>(count: usize, turn: usize) -> Vec<usize> {
    let bands = 4 * W;
    let bit = |(band, place)| band / 4 * 64 + 63 - 16 * (band % 4) - place;
    (0..count).map(|nth| bit((nth % bands, (turn + nth / bands) % 3))).collect()
}

/// Hashes to store: independent ones, near-duplicates of a few, and the degenerate.
pub(super) fn corpus<const W: usize>() -> impl Strategy<Value = Vec<[u64; W]>> {
    let uniform = prop::collection::vec(hash(), 1..40);
    let clustered =
        (prop::collection::vec(hash(), 1..4), prop::collection::vec((any::<usize>(), flips::<W>(40)), 1..60)).prop_map(
            |(centres, variants)| {
                variants.iter().map(|(centre, bits)| flip(centres[centre % centres.len()], bits)).collect()
            },
        );
    let one_bit_apart = hash().prop_map(|hash| (0..64 * W).map(|bit| flip(hash, &[bit])).chain([hash]).collect());
    let equal = hash().prop_map(|hash| vec![hash]);
    let one_bucket = (hash::<W>(), prop::collection::vec(hash::<W>(), 1..60)).prop_map(|(shared, rest)| {
        let with_first_bits = |hash: [u64; W]| {
            std::array::from_fn(|word| {
                let first = if word == 0 { !0 << 32 } else { 0 };
                shared[word] & first | hash[word] & !first
            })
        };
        rest.into_iter().map(with_first_bits).collect()
    });
    // One bit in eight, as in flat pictures: lists near zero are long.
    let words = || proptest::array::uniform::<_, W>((any::<u64>(), any::<u64>(), any::<u64>()));
    let skewed = prop::collection::vec(words(), 1..60)
        .prop_map(|hashes| hashes.into_iter().map(|hash| hash.map(|(a, b, c)| a & b & c)).collect());
    prop_oneof![
        uniform,
        clustered,
        skewed,
        one_bit_apart,
        equal,
        one_bucket,
        Just(vec![[0; W]]),
        Just(vec![[0; W], [u64::MAX; W]])
    ]
}

/// A fast source of fair bits for large corpora (SplitMix64).
pub(super) struct Bits(pub(super) u64);

impl Bits {
    pub(super) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.word() % end as u64) as usize
    }

    pub(super) fn hash<const W: usize>(&mut self) -> [u64; W] {
        std::array::from_fn(|_| self.word())
    }

    /// `hash` at exactly `distance` bits.
    pub(super) fn near<const W: usize>(&mut self, hash: [u64; W], distance: usize) -> [u64; W] {
        let mut bits = Vec::new();
        while bits.len() < distance {
            let bit = self.below(64 * W);
            if !bits.contains(&bit) {
                bits.push(bit);
            }
        }
        flip(hash, &bits)
    }
}
