//! Who is at the other end of a connection, as far as the transport can tell.

use std::net::IpAddr;

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
