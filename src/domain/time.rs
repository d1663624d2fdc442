//! Time as the hub records it: milliseconds, UTC. Who reads a clock takes a [`Clock`], so that tests can turn it.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time, milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Text that is not a point in time the hub can record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a UTC time from 1970 to 9999 as in 2026-11-22T06:08:00Z")]
pub struct TimestampError;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// 9999-12-31T23:59:59.999Z, the last time that RFC 3339 can spell.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From milliseconds since the epoch.
    ///
    /// # Errors
    /// [`TimestampError`] after [`Timestamp::MAX`].
    pub const fn from_millis(millis: u64) -> Result<Self, TimestampError> {
        if millis > Self::MAX.0 { Err(TimestampError) } else { Ok(Self(millis)) }
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This time plus `duration`, at most [`Timestamp::MAX`].
    pub fn plus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis).min(Self::MAX.0))
    }

    /// This time less `duration`, at least [`Timestamp::EPOCH`].
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The day that it is on, in UTC.
    pub fn date(self) -> Date {
        // By days: jiff's points in time end a few hours before `MAX`, its days do not.
        let days = jiff::Span::new().days((self.0 / 86_400_000) as i64);
        let epoch = jiff::civil::date(1970, 1, 1);
        Date(epoch.checked_add(days).unwrap_or(jiff::civil::Date::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0 as i64) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let time: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        Self::from_millis(u64::try_from(time.as_millisecond()).map_err(|_| TimestampError)?)
    }
}

/// A calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

impl Date {
    /// Its first millisecond, in UTC; of a day before 1970 the epoch.
    pub fn begins(self) -> Timestamp {
        let days = jiff::civil::date(1970, 1, 1).until(self.0).map_or(0, |span| span.get_days());
        Timestamp(u64::try_from(days).unwrap_or_default() * 86_400_000).min(Timestamp::MAX)
    }

    /// The first millisecond after it, in UTC.
    pub fn ends(self) -> Timestamp {
        self.begins().plus(Duration::from_hours(24))
    }
}

/// Text that is not a calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date as in 2026-11-22")]
pub struct DateError;

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        // jiff reads more than the plain form (times, week dates): only what prints the same is taken.
        let date: jiff::civil::Date = text.parse().map_err(|_| DateError)?;
        if date.to_string() == text { Ok(Self(date)) } else { Err(DateError) }
    }
}

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where everybody else gets it from")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(since.as_millis().min(u128::from(Timestamp::MAX.0)) as u64)
    }
}

/// A clock that stands still until it is moved: for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(AtomicU64::new(start.millis()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::timestamp;

    proptest! {
        #[test]
        fn a_time_reads_back_as_itself(time in timestamp()) {
            prop_assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
        }

        #[test]
        fn no_text_makes_a_time_or_a_date_panic(text in ".{0,40}") {
            let _ = text.parse::<Timestamp>();
            if let Ok(date) = text.parse::<Date>() {
                prop_assert_eq!(date.to_string(), text);
            }
        }
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let date = |text: &str| text.parse::<Timestamp>().unwrap().date().to_string();
        assert_eq!(date("2026-11-22T00:00:00Z"), "2026-11-22");
        assert_eq!(date("2026-11-21T23:59:59.999Z"), "2026-11-21");
        assert_eq!((Timestamp::EPOCH.date().to_string(), Timestamp::MAX.date().to_string()), {
            ("1970-01-01".to_owned(), "9999-12-31".to_owned())
        });
        assert_eq!(Timestamp(5).minus(Duration::from_millis(2)), Timestamp(3));
        assert_eq!(Timestamp(5).minus(Duration::from_secs(2)), Timestamp::EPOCH);
    }

    #[test]
    fn a_day_ends_where_the_next_begins() {
        for day in ["1970-01-01", "2024-02-29", "2026-11-22", "9999-12-30"] {
            let day: Date = day.parse().unwrap();
            assert_eq!(day.begins().to_string(), format!("{day}T00:00:00.000Z"));
            assert_eq!((day.begins().date(), day.ends().minus(Duration::from_millis(1)).date()), (day, day));
            assert_eq!(day.ends().date().begins(), day.ends());
        }
    }

    #[test]
    fn times_before_1970_and_dates_of_other_forms_are_refused() {
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
        assert!("2026-11-22".parse::<Timestamp>().is_err());
        assert!("2026-11-22".parse::<Date>().is_ok());
        for bad in ["2026-02-30", "2026-11-22T00:00:00", "20261122", "2026-W47-7", ""] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }
}
