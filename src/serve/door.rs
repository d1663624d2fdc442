//! How many connections there are, in all and of each address: one more than there may be is turned away at once.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections.
#[derive(Clone, Debug)]
pub(super) struct Door(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all_max: usize,
    of_address_max: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    of_address: HashMap<IpAddr, usize>,
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
}

impl Door {
    /// A door for so many connections, and so many of one address.
    pub(super) fn new(all_max: usize, of_address_max: usize) -> Self {
        Self(Arc::new(Inner { all_max, of_address_max, counts: Mutex::default() }))
    }

    /// A place for a connection from `address`.
    pub(super) fn enter(&self, address: IpAddr) -> Result<Place, Full> {
        let address = holder(address);
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Who has an address: of IPv6 the /64, all of which one customer of a provider has.
fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_has_its_share_and_all_together_theirs_and_a_place_comes_back() {
        let door = Door::new(3, 2);
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
        let door = Door::new(10, 1);
        let _place = door.enter(address("2001:db8:0:1::1")).unwrap();
        assert_eq!(door.enter(address("2001:db8:0:1:ffff::2")).unwrap_err(), Full::Address);
        assert!(door.enter(address("2001:db8:0:2::1")).is_ok());
    }
}
