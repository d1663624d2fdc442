//! What is kept of the questions around one listed hash: how often each bit was touched, in an order that the secret tells.

use std::mem::size_of;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::WalkSecret;
use super::limits::{Level, WalkLimits};
use crate::domain::{Distance, Signal, SignalKind, Timestamp};
use crate::policy::Band;

/// Bits of the longest hash.
const BITS: usize = 256;
/// So many tests are told apart from their repetitions; of more, the latest.
const TESTS_KNOWN_MAX: usize = 256;
/// A question so far or less from the end of a band, on either side, is a test: a step of one or a few bits may change its
/// answer.
const fn reach(kind: SignalKind) -> u32 {
    match kind {
        SignalKind::Pdq => 4,
        _ => 1,
    }
}
/// Set bits of a PDQ hash: those above the median of 256 coefficients.
const PDQ_SET: u32 = 128;

/// Where a signal lies among those of its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    kind: SignalKind,
    /// 64-bit kinds leave all but the first zero.
    words: [u64; 4],
}

impl Place {
    /// `None` for kinds that only match when equal.
    pub(super) fn of(signal: &Signal) -> Option<Self> {
        let (kind, words) = match signal {
            Signal::Pdq { hash, .. } => (SignalKind::Pdq, hash.words()),
            Signal::Phash(hash) => (SignalKind::Phash, [hash.word(), 0, 0, 0]),
            Signal::Dhash(hash) => (SignalKind::Dhash, [hash.word(), 0, 0, 0]),
            Signal::Md5(_) | Signal::Sha256(_) => return None,
        };
        Some(Self { kind, words })
    }

    fn distance(&self, other: &Self) -> u32 {
        self.words.iter().zip(other.words).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// Whether a small step from here can change the answer about `anchor`.
    pub(super) fn is_at_a_bands_end_of(&self, anchor: &Self) -> bool {
        let reach = reach(self.kind);
        let max = u32::from(self.kind.radius_max().bits()) + reach;
        // Nearly always far more than that in half of the bits already.
        let half = (self.words[0] ^ anchor.words[0]).count_ones() + (self.words[1] ^ anchor.words[1]).count_ones();
        if half > max || self.kind != anchor.kind {
            return false;
        }
        is_at_an_end(self.kind, self.distance(anchor))
    }

    /// Whether no picture has this hash.
    fn is_forged(&self) -> bool {
        self.kind == SignalKind::Pdq && self.words.iter().map(|word| word.count_ones()).sum::<u32>() != PDQ_SET
    }

    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.words) {
            *chunk = word.to_be_bytes();
        }
        bytes
    }
}

/// Whether a small step at this distance can change the answer.
fn is_at_an_end(kind: SignalKind, distance: u32) -> bool {
    let reach = reach(kind);
    ends(kind).any(|end| distance + reach > end && distance <= end + reach)
}

/// Whether a question at this distance from a stored signal could be part of a walk around it.
pub fn is_at_a_bands_end(kind: SignalKind, distance: Distance) -> bool {
    is_at_an_end(kind, distance.bits().into())
}

/// The distances where a band ends and another, or nothing, begins; not 0, where there is nothing left to learn.
fn ends(kind: SignalKind) -> impl Iterator<Item = u32> {
    let last = move |band: &Band| band.distances(kind).map(|all| u32::from(all.end().bits()));
    [Band::Near, Band::Similar].into_iter().filter_map(move |band| last(&band))
}

/// The tests around one listed hash: different questions at the ends of its bands.
pub(super) struct Trail {
    /// The listed hash itself, not one that was asked about.
    pub(super) anchor: Place,
    last: Timestamp,
    tests: u32,
    forged: u32,
    level: Level,
    /// How many tests differ from the anchor in each bit, in the secret order.
    differing: Box<[u16; BITS]>,
    /// Keyed fingerprints of the latest tests.
    known: Vec<u32>,
}

/// The most bytes that a trail takes.
pub(super) const TRAIL_BYTES_MAX: usize =
    size_of::<Trail>() + size_of::<[u16; BITS]>() + TESTS_KNOWN_MAX * size_of::<u32>();

impl Trail {
    pub(super) fn new(anchor: Place, now: Timestamp) -> Self {
        let differing = Box::new([0; BITS]);
        Self { anchor, last: now, tests: 0, forged: 0, level: Level::Clear, differing, known: Vec::new() }
    }

    /// The gravest that it ever was: what follows cannot make good for it.
    pub(super) fn level(&self) -> Level {
        self.level
    }

    pub(super) fn tests(&self) -> u32 {
        self.tests
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> &[u32] {
        &self.known
    }

    pub(super) fn is_stale(&self, limits: &WalkLimits, now: Timestamp) -> bool {
        now >= self.last.plus(limits.life)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of::<[u16; BITS]>() + self.known.capacity() * size_of::<u32>()
    }

    /// Takes note of a test. One that is known changes nothing.
    pub(super) fn record(&mut self, asked: &Place, secret: &WalkSecret, limits: &WalkLimits, now: Timestamp) {
        let [a, b, c, d, ..] = secret.mac(&[b"test", &self.anchor.bytes(), &asked.bytes()]);
        let fingerprint = u32::from_be_bytes([a, b, c, d]);
        if self.known.contains(&fingerprint) {
            return;
        }
        if self.known.len() < TESTS_KNOWN_MAX {
            if self.known.is_empty() {
                self.known.reserve_exact(TESTS_KNOWN_MAX / 8);
            }
            self.known.push(fingerprint);
        } else {
            self.known[self.tests as usize % TESTS_KNOWN_MAX] = fingerprint;
        }
        self.last = now;
        self.tests = self.tests.saturating_add(1);
        self.forged = self.forged.saturating_add(u32::from(asked.is_forged()));
        let order = order(secret, &self.anchor);
        for (word, (asked, anchor)) in asked.words.iter().zip(self.anchor.words).enumerate() {
            let mut difference = asked ^ anchor;
            while difference != 0 {
                let bit = word * 64 + difference.trailing_zeros() as usize;
                let count = &mut self.differing[usize::from(order[bit])];
                *count = count.saturating_add(1);
                difference &= difference - 1;
            }
        }
        self.level = self.level.max(limits.level(&self.measures()));
    }

    pub(super) fn measures(&self) -> Measures {
        let mut measures = Measures {
            kind: self.anchor.kind,
            tests: self.tests,
            forged: self.forged,
            touched: 0,
            rare: 0,
            touches: 0,
            meetings: 0,
        };
        for count in self.differing.iter() {
            // A bit in which nearly all tests differ from the anchor is one where the asker's own hash does. What it tries
            // there is to have it equal.
            let touches = u32::from(*count).min(self.tests.saturating_sub(u32::from(*count)));
            measures.touched += u32::from(touches > 0);
            measures.rare += u32::from(touches == 1 || touches == 2);
            measures.touches += u64::from(touches);
            measures.meetings += u64::from(touches) * u64::from(touches.saturating_sub(1));
        }
        measures
    }
}

/// How tests touch the bits. A test touches those where it is not like most of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Measures {
    pub(super) kind: SignalKind,
    pub(super) tests: u32,
    /// Tests with a hash that no picture has.
    pub(super) forged: u32,
    /// Bits that were touched at all.
    pub(super) touched: u32,
    /// Bits that only one or two tests touched.
    pub(super) rare: u32,
    /// Touches of all bits.
    touches: u64,
    /// Ordered pairs of touches of the same bit.
    meetings: u64,
}

impl Measures {
    /// How many times as often as by even chance two touches are of the same bit: 1 if all bits are touched alike often,
    /// less if each is touched in turn, more if some are touched much more than others.
    pub(super) fn evenness(&self) -> f64 {
        let pairs = self.touches.saturating_mul(self.touches.saturating_sub(1)).max(1);
        let bits = self.kind.bytes() as u64 * 8;
        self.meetings as f64 * bits as f64 / pairs as f64
    }
}

/// In which place the count of each bit is. Without the secret the counts do not tell which bits they are of.
pub(super) fn order(secret: &WalkSecret, anchor: &Place) -> [u8; BITS] {
    let mut order = std::array::from_fn(|place| place as u8);
    order.shuffle(&mut StdRng::from_seed(secret.mac(&[b"order", &anchor.bytes()])));
    order
}
