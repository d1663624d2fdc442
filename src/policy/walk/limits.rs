//! From when on questions are taken for a walk.

use std::time::Duration;

use super::Verdict;
use super::trail::{Measures, TRAIL_BYTES_MAX};

/// How grave a trail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Clear,
    Flagged,
    Slowed,
    Blocked,
}

/// What [`super::Walks`] takes for a walk, and how much it keeps. Calibrated with `cargo bench --bench walks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkLimits {
    /// What is kept is forgotten so long after the last test.
    pub life: Duration,
    /// The most listed hashes around which the questions of one member, or control group, are followed.
    pub trails_max: usize,
    /// How much later a slowed question is answered.
    pub slow_by: Duration,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self { life: Duration::from_hours(14 * 24), trails_max: 512, slow_by: Duration::from_secs(2) }
    }
}

/// From how many on: flagged, slowed, blocked.
type Steps = [u32; 3];

/// Tests that touch the bits evenly.
const EVEN: Steps = [20, 28, 36];
/// Bits that only one or two tests touched. Of variants of a picture there are fewer, however many are asked about.
const RARE: Steps = [56, 64, 76];
/// Tests with a PDQ hash that no picture has.
const FORGED: Steps = [8, 16, 24];
/// Bits that any test touched.
const TOUCHED: Steps = [150, 170, 190];
/// So many tests are worth a look whatever they are like.
const MANY: u32 = 256;

/// Fewer tests say nothing of how evenly they touch the bits.
const TESTS_MIN: u32 = 20;
/// Two touches meet at the same bit so many times as often as by even chance: variants of a picture at least 2.4 times,
/// a walk about once or never.
const EVEN_MAX: f64 = 1.5;

impl WalkLimits {
    /// The most bytes that are kept of one member, or control group.
    pub const fn bytes_max(&self) -> usize {
        self.trails_max * TRAIL_BYTES_MAX
    }

    pub(super) const fn verdict(&self, level: Level) -> Verdict {
        match level {
            Level::Clear => Verdict::Clear,
            Level::Flagged => Verdict::Flagged,
            Level::Slowed => Verdict::Slowed(self.slow_by),
            Level::Blocked => Verdict::Blocked,
        }
    }

    /// What a trail's measures amount to.
    pub(super) fn level(&self, measures: &Measures) -> Level {
        if !measures.is_pdq {
            // Unrelated pictures are often as near as that in 64 bits, so nobody is hindered for it.
            return if measures.tests >= MANY { Level::Flagged } else { Level::Clear };
        }
        let forged = reached(FORGED, measures.forged);
        if measures.tests < TESTS_MIN {
            return forged;
        }
        let even = if measures.evenness() <= EVEN_MAX { reached(EVEN, measures.tests) } else { Level::Clear };
        let many = if measures.tests >= MANY { Level::Flagged } else { Level::Clear };
        let (rare, touched) = (reached(RARE, measures.rare), reached(TOUCHED, measures.touched));
        forged.max(even).max(many).max(rare).max(touched)
    }
}

fn reached(steps: Steps, count: u32) -> Level {
    match steps.iter().filter(|step| count >= **step).count() {
        0 => Level::Clear,
        1 => Level::Flagged,
        2 => Level::Slowed,
        _ => Level::Blocked,
    }
}
