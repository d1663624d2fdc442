//! Use case: who is asking.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::last_used::LastUsed;
use crate::domain::Clock;
use crate::policy::{
    ApiKey, AuthError, Authority, Exhausted, Lapsed, MacSecret, OpenStream, Operation, Peer, Permit, Principal, Quotas,
    Roster, Throttle, Throttled,
};

/// Tells who holds a key.
#[derive(Clone)]
pub struct Gate {
    pub(super) roster: Arc<ArcSwap<Roster>>,
    pub(super) secret: MacSecret,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) quotas: Quotas,
    pub(super) throttle: Throttle,
    pub(super) last_used: LastUsed,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error(transparent)]
    Key(#[from] AuthError),
    /// It failed too often.
    #[error(transparent)]
    Throttled(#[from] Throttled),
}

impl Gate {
    /// The member behind `key`, or without one behind the client certificate that `peer` has shown.
    ///
    /// # Errors
    /// [`Denied`] unless the key is live and for the peer's address.
    pub fn authenticate(&self, key: Option<&ApiKey>, peer: &Peer) -> Result<Principal, Denied> {
        let now = self.clock.now();
        match self.roster.load().authenticate(key, peer, &self.secret, now) {
            Ok(principal) => {
                self.last_used.note(principal.key, now);
                Ok(principal)
            }
            Err(error) => {
                self.throttle.failed(peer.address, key.map(ApiKey::id), now)?;
                Err(error.into())
            }
        }
    }

    /// Notes that `peer` came without anything that could be a key.
    ///
    /// # Errors
    /// [`Throttled`] if it has done so too often.
    pub fn came_without_key(&self, peer: &Peer) -> Result<(), Throttled> {
        self.throttle.failed(peer.address, None, self.clock.now())
    }

    /// Notes that `principal` has one more stream open, for as long as the answer is kept.
    ///
    /// # Errors
    /// [`Exhausted`] if it may have no more.
    pub fn open_stream(&self, principal: &Principal) -> Result<OpenStream, Exhausted> {
        self.quotas.open_stream(principal)
    }

    /// Whether what was permitted when a stream began still is. Notes that its key is used.
    ///
    /// # Errors
    /// [`Lapsed`] if the key is no longer live or has lost its role.
    pub fn confirm(&self, authority: &Authority) -> Result<(), Lapsed> {
        let now = self.clock.now();
        self.roster.load().confirm(authority, now)?;
        // Who keeps a stream open uses the key.
        self.last_used.note(authority.principal.key, now);
        Ok(())
    }

    /// The same permit as it would be given now: for each request of a stream.
    ///
    /// # Errors
    /// [`Lapsed`] if it would not be given.
    pub fn renew<O: Operation>(&self, permit: &Permit<O>) -> Result<Permit<O>, Lapsed> {
        self.roster.load().renew(permit, self.clock.now())
    }
}
