//! How many connections there are, in all and of each address, and how fast an address makes new ones: one more than there may
//! be is turned away at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::limits::{ArrivalLimit, TransportLimits};
use crate::policy::holder;

/// Addresses whose arrivals are kept in mind before those that have sunk to nothing are let go of: more than that many are looked
/// through each time as many again have come.
const ARRIVALS_KEPT: usize = 4_096;

/// Counts connections.
#[derive(Clone, Debug)]
pub(super) struct Door(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all_max: usize,
    of_address_max: usize,
    arrivals: Option<ArrivalLimit>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    of_address: HashMap<IpAddr, usize>,
    arrivals: HashMap<IpAddr, Level>,
    /// How many arrivals are kept in mind when they are next looked through.
    look_at: usize,
}

/// An address's connections lately: sinks with time.
#[derive(Clone, Copy, Debug)]
struct Level {
    connections: f64,
    at: Instant,
}

impl Level {
    fn now(&self, limit: &ArrivalLimit, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.connections - elapsed * f64::from(limit.per_second)).max(0.0)
    }
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    door: Arc<Inner>,
    address: IpAddr,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("there are as many connections as there may be")]
    All,
    #[error("there are as many connections of this address as there may be")]
    Address,
    #[error("this address makes new connections faster than it may")]
    Arrivals,
}

impl Door {
    /// A door for so many connections as `limits` says of each address, and `all_max` in all.
    pub(super) fn new(all_max: usize, limits: &TransportLimits) -> Self {
        Self(Arc::new(Inner {
            all_max,
            of_address_max: limits.connections_per_address_max,
            arrivals: limits.arrivals,
            counts: Mutex::default(),
        }))
    }

    /// A place for a connection from `address`.
    pub(super) fn enter(&self, address: IpAddr) -> Result<Place, Full> {
        self.enter_at(address, Instant::now())
    }

    fn enter_at(&self, address: IpAddr, now: Instant) -> Result<Place, Full> {
        let own = address.to_canonical().is_loopback();
        let address = holder(address);
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limit) = self.0.arrivals.as_ref().filter(|limit| limit.loopback || !own) {
            counts.arrive(address, limit, now)?;
        }
        if counts.all >= self.0.all_max {
            return Err(Full::All);
        }
        let of_address = counts.of_address.entry(address).or_default();
        if *of_address >= self.0.of_address_max {
            return Err(Full::Address);
        }
        *of_address += 1;
        counts.all += 1;
        Ok(Place { door: self.0.clone(), address })
    }
}

impl Counts {
    /// Notes that a connection comes. One that is turned away is not counted: who goes on is let in as soon as who waits.
    fn arrive(&mut self, address: IpAddr, limit: &ArrivalLimit, now: Instant) -> Result<(), Full> {
        if self.arrivals.len() >= self.look_at.max(ARRIVALS_KEPT) {
            // Each address that is kept has made a connection within the time in which a level sinks to nothing.
            self.arrivals.retain(|_, level| level.now(limit, now) > 0.0);
            self.look_at = 2 * self.arrivals.len();
        }
        let level = self.arrivals.entry(address).or_insert(Level { connections: 0.0, at: now });
        let connections = level.now(limit, now) + 1.0;
        if connections > f64::from(limit.burst) {
            return Err(Full::Arrivals);
        }
        *level = Level { connections, at: now };
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.door.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        if let Some(of_address) = counts.of_address.get_mut(&self.address) {
            *of_address -= 1;
            // Or the table would grow with every address that ever came.
            if *of_address == 0 {
                counts.of_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn door(all_max: usize, connections_per_address_max: usize, arrivals: Option<ArrivalLimit>) -> Door {
        Door::new(all_max, &TransportLimits { connections_per_address_max, arrivals, ..TransportLimits::default() })
    }

    #[test]
    fn one_address_has_its_share_and_all_together_theirs_and_a_place_comes_back() {
        let door = door(3, 2, None);
        let first = door.enter(address("192.0.2.1")).unwrap();
        let _second = door.enter(address("::ffff:192.0.2.1")).unwrap();
        assert_eq!(door.enter(address("192.0.2.1")).unwrap_err(), Full::Address);
        let third = door.enter(address("192.0.2.2")).unwrap();
        assert_eq!(door.enter(address("192.0.2.3")).unwrap_err(), Full::All);
        drop(first);
        let _fourth = door.enter(address("192.0.2.1")).unwrap();
        drop(third);
        let counts = door.0.counts.lock().unwrap();
        assert_eq!((counts.all, counts.of_address.len()), (2, 1), "what is gone is forgotten");
    }

    #[test]
    fn a_64_of_ipv6_is_one_address() {
        let door = door(10, 1, None);
        let _place = door.enter(address("2001:db8:0:1::1")).unwrap();
        assert_eq!(door.enter(address("2001:db8:0:1:ffff::2")).unwrap_err(), Full::Address);
        assert!(door.enter(address("2001:db8:0:2::1")).is_ok());
    }

    #[test]
    fn new_connections_of_one_address_come_at_its_rate_and_others_at_theirs() {
        let limit = ArrivalLimit { per_second: 10, burst: 3, loopback: false };
        let door = door(1_000, 1_000, Some(limit));
        // A connection that has gone counts as well as one that stays.
        let now = Cell::new(Instant::now());
        let come = |text: &str| door.enter_at(address(text), now.get()).map(drop);
        for _ in 0..3 {
            come("192.0.2.1").unwrap();
            come("2001:db8:0:1::1").unwrap();
        }
        assert_eq!(come("::ffff:192.0.2.1"), Err(Full::Arrivals));
        assert_eq!(come("2001:db8:0:1:ffff::2"), Err(Full::Arrivals));
        come("192.0.2.2").unwrap();
        for _ in 0..100 {
            come("127.0.0.1").unwrap();
            come("::1").unwrap();
        }
        // What was turned away has not been counted.
        now.set(now.get() + Duration::from_millis(101));
        come("192.0.2.1").unwrap();
        assert_eq!(come("192.0.2.1"), Err(Full::Arrivals));
        now.set(now.get() + Duration::from_secs(3_600));
        for _ in 0..3 {
            come("192.0.2.1").unwrap();
        }
        assert_eq!(come("192.0.2.1"), Err(Full::Arrivals));
    }

    #[test]
    fn addresses_that_have_not_come_for_a_while_are_forgotten() {
        let limit = ArrivalLimit { per_second: 50, burst: 200, loopback: false };
        let door = door(1, 1, Some(limit));
        let begin = Instant::now();
        for n in 0..100_000_u32 {
            let now = begin + n * Duration::from_micros(100);
            drop(door.enter_at(IpAddr::V4((0x0a00_0000 + n).into()), now).unwrap());
        }
        // Each sinks in 20 ms, in which 200 come.
        assert!(door.0.counts.lock().unwrap().arrivals.len() <= ARRIVALS_KEPT);
    }
}
