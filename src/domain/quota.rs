//! How much of the hub a member, or one of its keys, may use.

use std::fmt;

use super::{KeyId, MemberId};

/// A quota of its own, where the one of its status does not fit. `None`: that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Signals looked up, a second; ten times as many at once.
    pub checks_per_second: Option<u32>,
    /// Bytes of pictures, a second; ten times as many at once.
    pub media_bytes_per_second: Option<u32>,
    /// Entries put on the list, a day; all of them at once, if they come so.
    pub contributions_per_day: Option<u32>,
    /// Streams open at the same time.
    pub streams: Option<u32>,
}

/// Whose a quota is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    Member(MemberId),
    Key(KeyId),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(member) => member.fmt(f),
            Self::Key(key) => key.fmt(f),
        }
    }
}
