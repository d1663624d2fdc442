//! Use case: who is asking.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::Clock;
use crate::policy::{
    ApiKey, AuthError, Authority, Exhausted, Lapsed, MacSecret, OpenStream, Principal, Quotas, Roster,
};

/// Tells who holds a key.
#[derive(Clone)]
pub struct Gate {
    pub(super) roster: Arc<ArcSwap<Roster>>,
    pub(super) secret: MacSecret,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) quotas: Quotas,
}

impl Gate {
    /// The member behind `key`.
    ///
    /// # Errors
    /// [`AuthError`] unless the key is live.
    pub fn authenticate(&self, key: &ApiKey) -> Result<Principal, AuthError> {
        self.roster.load().authenticate(key, &self.secret, self.clock.now())
    }

    /// Notes that `principal` has one more stream open, for as long as the answer is kept.
    ///
    /// # Errors
    /// [`Exhausted`] if it may have no more.
    pub fn open_stream(&self, principal: &Principal) -> Result<OpenStream, Exhausted> {
        self.quotas.open_stream(principal)
    }

    /// Whether what was permitted when a stream began still is.
    ///
    /// # Errors
    /// [`Lapsed`] if the key is no longer live or has lost its role.
    pub fn confirm(&self, authority: &Authority) -> Result<(), Lapsed> {
        self.roster.load().confirm(authority, self.clock.now())
    }
}
