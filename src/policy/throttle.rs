//! How often somebody may come with a key that is none.
//!
//! A wrong key costs the hub a microsecond, and guessing 160 bits is hopeless: what is to be kept small is the noise that a flood of
//! them makes, and the time of whoever reads it. So failures are counted, by address and by the key that was named, and whoever
//! has had too many is told to come later instead of why. A key that is right always opens: nobody can lock out a member
//! by failing in its name, nor those with whom it shares an address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::peer::holder;
use crate::domain::{KeyId, Timestamp};

/// Failures that may come at once.
const BURST: f64 = 20.0;
/// Failures a second, after those.
const PER_SECOND: f64 = 0.2;
/// Addresses, and keys, that are kept in mind; the ones that failed longest ago go first.
const MAX: usize = 10_000;

/// Failed more often than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "too many requests with a key that opens nothing have come from this address or with this key; try again later"
)]
pub struct Throttled {
    pub retry_after: Duration,
}

/// Counts failures.
#[derive(Clone, Debug, Default)]
pub struct Throttle(Arc<Mutex<Failures>>);

#[derive(Debug, Default)]
struct Failures {
    addresses: HashMap<IpAddr, Level>,
    keys: HashMap<KeyId, Level>,
}

/// Failures lately: sinks with time.
#[derive(Clone, Copy, Debug)]
struct Level {
    failures: f64,
    at: Timestamp,
}

impl Throttle {
    /// Notes that somebody at `address` came with something that is no live key, and which key it named, if any.
    ///
    /// # Errors
    /// [`Throttled`] if there were too many before.
    pub fn failed(&self, address: IpAddr, key: Option<KeyId>, now: Timestamp) -> Result<(), Throttled> {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Failures { addresses, keys } = &mut *failures;
        let by_address = note(addresses, holder(address), now);
        let by_key = key.and_then(|key| note(keys, key, now));
        match by_address.max(by_key) {
            Some(retry_after) => Err(Throttled { retry_after }),
            None => Ok(()),
        }
    }
}

/// Notes one more failure; how long to wait if it is one too many. Failures beyond the burst are not counted: who goes on is let
/// in as soon as who waits.
fn note<K: Copy + Eq + Hash>(levels: &mut HashMap<K, Level>, who: K, now: Timestamp) -> Option<Duration> {
    if !levels.contains_key(&who) && levels.len() >= MAX {
        forget(levels, now);
    }
    let level = levels.entry(who).or_insert(Level { failures: 0.0, at: now });
    *level = Level { failures: level.now(now) + 1.0, at: now.max(level.at) };
    let excess = level.failures - BURST;
    if excess <= 1e-6 {
        return None;
    }
    level.failures -= 1.0;
    Some(Duration::from_secs_f64(excess / PER_SECOND))
}

/// Makes room: lets go of those who have sunk to nothing, or else of the half that failed longest ago.
fn forget<K: Copy + Eq + Hash>(levels: &mut HashMap<K, Level>, now: Timestamp) {
    levels.retain(|_, level| level.now(now) > 0.0);
    if levels.len() >= MAX {
        let mut times: Vec<Timestamp> = levels.values().map(|level| level.at).collect();
        let (_, &mut middle, _) = times.select_nth_unstable(MAX / 2);
        let mut left = MAX / 2;
        levels.retain(|_, level| {
            let keep = level.at >= middle && left > 0;
            left -= usize::from(keep);
            keep
        });
    }
}

impl Level {
    fn now(&self, now: Timestamp) -> f64 {
        let elapsed = now.millis().saturating_sub(self.at.millis());
        (self.failures - elapsed as f64 / 1_000.0 * PER_SECOND).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000).unwrap()
    }

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(n).into()
    }

    fn key(n: u8) -> KeyId {
        KeyId::from_bytes([n; 5])
    }

    #[test]
    fn a_burst_is_told_why_and_what_follows_is_told_when() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            assert_eq!(throttle.failed(address(1), None, at(0)), Ok(()));
        }
        let refused = Throttled { retry_after: Duration::from_secs(5) };
        for _ in 0..100 {
            assert_eq!(throttle.failed(address(1), None, at(0)), Err(refused));
        }
        assert_eq!(throttle.failed(address(2), None, at(0)), Ok(()));
        assert_eq!(throttle.failed(address(1), None, at(5)), Ok(()));
        assert!(throttle.failed(address(1), None, at(5)).is_err());
    }

    #[test]
    fn a_key_that_is_tried_from_everywhere_is_counted_as_well() {
        let throttle = Throttle::default();
        for n in 0..20 {
            assert_eq!(throttle.failed(address(n), Some(key(1)), at(0)), Ok(()));
        }
        assert!(throttle.failed(address(99), Some(key(1)), at(0)).is_err());
        assert_eq!(throttle.failed(address(98), Some(key(2)), at(0)), Ok(()));
    }

    #[test]
    fn a_64_of_ipv6_is_one_and_ipv4_in_ipv6_is_ipv4() {
        let throttle = Throttle::default();
        for n in 0..20 {
            let address = format!("2001:db8::{n:x}").parse().unwrap();
            assert_eq!(throttle.failed(address, None, at(0)), Ok(()));
        }
        assert!(throttle.failed("2001:db8::ffff:1".parse().unwrap(), None, at(0)).is_err());
        assert_eq!(throttle.failed("2001:db8:0:1::1".parse().unwrap(), None, at(0)), Ok(()));
        for _ in 0..20 {
            assert_eq!(throttle.failed("192.0.2.1".parse().unwrap(), None, at(0)), Ok(()));
        }
        assert!(throttle.failed("::ffff:192.0.2.1".parse().unwrap(), None, at(0)).is_err());
    }

    #[test]
    fn it_keeps_no_more_in_mind_than_it_may_and_the_latest_of_them() {
        let throttle = Throttle::default();
        for n in 0..3 * MAX as u32 {
            let _ =
                throttle.failed(address(n), Some(KeyId::from_bytes([0, 1, 2, (n >> 8) as u8, n as u8])), at(n.into()));
        }
        let failures = throttle.0.lock().unwrap();
        assert!(failures.addresses.len() <= MAX && failures.keys.len() <= MAX);
        assert!(failures.addresses.contains_key(&address(3 * MAX as u32 - 1)));
    }

    #[test]
    fn even_at_one_moment_it_keeps_no_more_than_it_may() {
        let throttle = Throttle::default();
        for n in 0..2 * MAX as u32 {
            assert_eq!(throttle.failed(address(n), None, at(0)), Ok(()));
        }
        assert!(throttle.0.lock().unwrap().addresses.len() <= MAX);
    }
}
