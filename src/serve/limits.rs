//! What strangers may cost: every number of the transport in one place. None is left to a library's default.

use std::time::Duration;

/// What all connections together, and each, may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportLimits {
    /// Connections at the same time. Fewer if the process may not open so many files: see
    /// [`DESCRIPTORS_RESERVED`](super::DESCRIPTORS_RESERVED). One more is closed before TLS.
    pub connections_max: usize,
    /// Of them, those of one address; of IPv6, of one /64. One more is closed before TLS.
    pub connections_per_address_max: usize,
    /// How fast an address makes new ones. `None`: as fast as it can.
    pub arrivals: Option<ArrivalLimit>,
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From there to a first whole request.
    pub first_request: Duration,
    /// How long a connection without a request may go on.
    pub idle: Duration,
    /// Requests of one connection at the same time, one of which is a stream, too. One more is refused (REFUSED_STREAM).
    pub streams_per_connection_max: u32,
    /// A request's headers, unpacked, with 32 bytes more for each. More is answered with 431; headers that do not end, and
    /// four times as much, end the connection.
    pub header_bytes_max: u32,
    /// After so long without a byte of a request the hub asks whether the other end is there (PING) ...
    pub keepalive_interval: Duration,
    /// ... and closes the connection if it does not say so within this.
    pub keepalive_timeout: Duration,
    /// Requests that the client took back before the hub had looked at them. More at a time end the connection
    /// (ENHANCE_YOUR_CALM): CVE-2023-44487, "rapid reset".
    pub pending_reset_streams_max: usize,
    /// Requests that the hub had to break off because the client broke the protocol. More, over the whole connection, end it
    /// (ENHANCE_YOUR_CALM): CVE-2025-8671, "made you reset".
    pub local_reset_streams_max: usize,
    /// What a client may send of one request before the hub has read it ...
    pub stream_window_bytes: u32,
    /// ... and of all requests of a connection.
    pub connection_window_bytes: u32,
    /// What the hub keeps of one answer that the client has not taken yet.
    pub send_buffer_bytes: usize,
    /// A whole request of one message, and each message of a stream that has begun.
    pub message: Duration,
    /// From a request's headers to those of its answer: the longest that a use case may take. A client that names a shorter
    /// time (`grpc-timeout`) gets that.
    pub answer: Duration,
    /// An answer of which the client takes nothing for so long is broken off within twice this; so is a connection that takes
    /// no byte at all, within this.
    pub unread: Duration,
    /// Questions about the schema that are answered at the same time, of all connections; others are refused
    /// (RESOURCE_EXHAUSTED). They need no key, and an answer is tens of KiB for a question of a few bytes.
    pub reflections_max: usize,
    /// After the signal to stop, or when an idle connection is told to go.
    pub drain: Duration,
}

/// How fast one address, or one /64 of IPv6, may make new connections. Beyond it one is closed before TLS. What makes a connection
/// end costs an attacker a new one each time, so that this is also how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalLimit {
    /// A second.
    pub per_second: u32,
    /// At once, after a time without any.
    pub burst: u32,
    /// Whether this machine's own addresses are held to it: they are those of a proxy, of an operator, of a test.
    pub loopback: bool,
}

impl Default for ArrivalLimit {
    fn default() -> Self {
        Self { per_second: 50, burst: 200, loopback: false }
    }
}

impl Default for TransportLimits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            connections_per_address_max: 128,
            arrivals: Some(ArrivalLimit::default()),
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(15),
            idle: Duration::from_secs(10 * 60),
            streams_per_connection_max: 256,
            header_bytes_max: 16 << 10,
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
            pending_reset_streams_max: 20,
            local_reset_streams_max: 128,
            stream_window_bytes: 256 << 10,
            connection_window_bytes: 1 << 20,
            send_buffer_bytes: 64 << 10,
            message: Duration::from_secs(30),
            answer: Duration::from_secs(120),
            unread: Duration::from_secs(30),
            reflections_max: 32,
            drain: Duration::from_secs(15),
        }
    }
}
