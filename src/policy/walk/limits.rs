//! From when on questions are taken for a walk.

use std::time::Duration;

use super::Verdict;
use super::trail::{Measures, TRAIL_BYTES_MAX};
use crate::domain::SignalKind;

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
/// Two touches are of the same bit at most so many times as often as by even chance. Variants of pictures: at least 2.1 times.
const EVEN_MAX: f64 = 1.7;
/// Bits that only one or two tests touched: evenly, if one looks away from some bits that change all the time. Of variants of
/// pictures there are at most about 67, and the fewer the more is asked.
const RARE: Steps = [72, 80, 88];
/// Before so many tests there may be more.
const RARE_TESTS_MIN: u32 = 64;
/// Bits that any test touched, of 256. Variants of pictures never touch the bits that stand out most.
const TOUCHED: Steps = [220, 230, 240];
/// Tests with a PDQ hash that no picture has.
const FORGED: Steps = [12, 20, 32];

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
        let even = if measures.evenness() <= EVEN_MAX { reached(EVEN, measures.tests) } else { Level::Clear };
        if measures.kind != SignalKind::Pdq {
            // Unrelated pictures are often as near as that in 64 bits, so nobody is hindered for it.
            return even.min(Level::Flagged);
        }
        let rare = if measures.tests >= RARE_TESTS_MIN { reached(RARE, measures.rare) } else { Level::Clear };
        even.max(rare).max(reached(TOUCHED, measures.touched)).max(reached(FORGED, measures.forged))
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
