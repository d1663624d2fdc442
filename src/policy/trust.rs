//! How far a member's contributions are to be believed, computed from what became of the earlier ones.
//!
//! What spoke for its entries and what spoke against them is added up, halves every [`HALF_LIFE_DAYS`] days, and is set
//! against a beginning of 8 to 2, so that the first outcomes do not decide. Whole numbers throughout: every replica computes the same.

use crate::domain::{Outcome, Ruling, Status, Timestamp, Trust};

/// What was said counts half after so many days.
pub const HALF_LIFE_DAYS: u32 = 90;
/// What everybody begins with, in thousandths.
const BEGINNING: (u64, u64) = (8_000, 2_000);
/// 2^(-1/90) in 2^32ths, rounded down.
const DAILY: u64 = 4_262_016_076;
const ONE: u64 = 1 << 32;

/// Something that speaks for a member's contributions or against them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Another organisation said what it found.
    Outcome { outcome: Outcome, by: Status },
    /// Reviewers decided.
    Ruling(Ruling),
    /// An entry was near a benign item when it came.
    NearBenign,
}

impl Sign {
    /// What it adds to both sides, in thousandths.
    const fn weight(self) -> (u64, u64) {
        match self {
            Self::Outcome { outcome, by } => {
                let full = if matches!(by, Status::Trusted) { 1_000 } else { 250 };
                match outcome {
                    Outcome::Confirmed => (full, 0),
                    Outcome::FalsePositive => (0, full),
                    Outcome::ContextProtects | Outcome::WrongLabel => (0, full / 2),
                    Outcome::NoLongerRelevant => (0, 0),
                }
            }
            Self::Ruling(Ruling::Uphold) => (2_000, 0),
            Self::Ruling(Ruling::Confirm | Ruling::Reinstate) => (4_000, 0),
            Self::Ruling(Ruling::Lower | Ruling::Relabel) => (0, 1_000),
            Self::Ruling(Ruling::Revoke) => (0, 4_000),
            Self::NearBenign => (0, 500),
        }
    }
}

/// The day of `at`, from 1970-01-01.
pub const fn day(at: Timestamp) -> u32 {
    (at.millis() / 86_400_000) as u32
}

/// `trust` with what `sign` adds at `at`.
pub fn add(trust: Trust, sign: Sign, at: Timestamp) -> Trust {
    let (good, bad) = sign.weight();
    let mut trust = aged(trust, at);
    trust.good_milli = trust.good_milli.saturating_add(good);
    trust.bad_milli = trust.bad_milli.saturating_add(bad);
    let count = match sign {
        Sign::Outcome { outcome: Outcome::Confirmed, .. } => &mut trust.confirmed,
        Sign::Outcome { .. } => &mut trust.objected,
        Sign::Ruling(ruling) if ruling.reverses() => &mut trust.reversed,
        Sign::Ruling(_) => &mut trust.upheld,
        Sign::NearBenign => &mut trust.near_benign,
    };
    *count += 1;
    trust
}

/// `trust` with one contribution more at `at`.
pub fn contributed(trust: Trust, at: Timestamp) -> Trust {
    let mut trust = aged(trust, at);
    trust.contributed += 1;
    trust
}

/// As it is at `at`.
pub fn aged(trust: Trust, at: Timestamp) -> Trust {
    let days = day(at).saturating_sub(trust.day);
    if days == 0 {
        return trust;
    }
    let left = power(days);
    let age = |milli: u64| ((u128::from(milli) * u128::from(left)) >> 32) as u64;
    Trust { good_milli: age(trust.good_milli), bad_milli: age(trust.bad_milli), day: day(at), contributed: 0, ..trust }
}

/// How far to believe a member at `at`: 0 to 100.
pub fn percent(trust: &Trust, at: Timestamp) -> u8 {
    let trust = aged(*trust, at);
    let good = u128::from(trust.good_milli) + u128::from(BEGINNING.0);
    let all = good + u128::from(trust.bad_milli) + u128::from(BEGINNING.1);
    (good * 100 / all) as u8
}

/// What a trust of so many percent means, in plain words, where less than `review_below` is too little.
pub fn words(percent: u8, review_below: u8) -> String {
    let follows = if percent < review_below {
        format!(
            "below {review_below} %: what it contributes supports at most review by itself, and corroborates nothing"
        )
    } else {
        format!("not below {review_below} %: what it contributes counts as anybody's")
    };
    format!(
        "{percent} %, {follows}; whoever begins has 80 %, and what was said about its entries counts half after \
         {HALF_LIFE_DAYS} days"
    )
}

/// `DAILY` to the power of `days`, in 2^32ths.
fn power(mut days: u32) -> u64 {
    let multiply = |a: u64, b: u64| ((u128::from(a) * u128::from(b)) >> 32) as u64;
    let (mut result, mut base) = (ONE, DAILY);
    while days > 0 {
        if days & 1 == 1 {
            result = multiply(result, base);
        }
        base = multiply(base, base);
        days >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn on(day: u64) -> Timestamp {
        Timestamp::from_millis(day * 86_400_000).unwrap()
    }

    fn after(signs: &[Sign], at: u64) -> Trust {
        signs.iter().fold(Trust::default(), |trust, sign| add(trust, *sign, on(at)))
    }

    const REVOKED: Sign = Sign::Ruling(Ruling::Revoke);

    #[test]
    fn whoever_begins_is_believed_and_what_is_revoked_or_benign_lowers_it() {
        assert_eq!(percent(&Trust::default(), on(1)), 80);
        assert_eq!(percent(&after(&[REVOKED; 2], 1), on(1)), 44);
        assert_eq!(percent(&after(&[Sign::NearBenign; 12], 1), on(1)), 50);
        assert!(percent(&after(&[Sign::NearBenign; 1_000], 1), on(1)) < 2);
        let confirmed = Sign::Outcome { outcome: Outcome::Confirmed, by: Status::Trusted };
        assert_eq!(percent(&after(&[confirmed; 10], 1), on(1)), 90);
    }

    #[test]
    fn what_was_said_counts_half_after_ninety_days_and_hardly_after_years() {
        let trust = after(&[REVOKED; 100], 10);
        let half = aged(trust, on(100)).bad_milli;
        assert!(half.abs_diff(trust.bad_milli / 2) <= 2, "{half}");
        assert_eq!(percent(&trust, on(10 + 3_650)), 80);
        assert_eq!(aged(trust, on(100)).reversed, 100, "how often it was stays");
    }

    #[test]
    fn contributions_are_counted_by_day() {
        let twice = contributed(contributed(Trust::default(), on(3)), on(3));
        assert_eq!((twice.contributed, contributed(twice, on(4)).contributed), (2, 1));
    }

    proptest! {
        #[test]
        fn aging_in_steps_is_aging_at_once_but_for_rounding(milli in 0..1_000_000u64, a in 0..400u64, b in 0..400u64) {
            let trust = Trust { good_milli: milli, ..Trust::default() };
            let (steps, once) = (aged(aged(trust, on(a)), on(a + b)), aged(trust, on(a + b)));
            prop_assert!(steps.good_milli.abs_diff(once.good_milli) <= 2);
            prop_assert!(percent(&steps, on(a + b)) <= 100);
        }
    }
}
