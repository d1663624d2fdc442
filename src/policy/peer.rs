//! Who is at the other end of a connection, as far as the transport can tell.

use std::net::{IpAddr, Ipv6Addr};

use crate::domain::SpkiFingerprint;

/// The other end of the connection that a request came by. Every request carries one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address, an IPv4 address that came as IPv6 being IPv4 again. Behind a proxy it is the proxy's: the hub believes no
    /// header that names another.
    pub address: IpAddr,
    /// Of the certificate that the client showed in the TLS handshake, signed by the hub's client authority. `None` if it
    /// showed none or there is no TLS.
    pub certificate: Option<SpkiFingerprint>,
}

/// Whose an address is, as far as it tells: itself, or of IPv6 its /64, which one host has whole. IPv4 within IPv6 is IPv4.
pub fn holder(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}
