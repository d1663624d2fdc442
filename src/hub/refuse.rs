//! Use case: note that somebody was refused who asked for a change of members or keys.

use std::sync::{Arc, Mutex, MutexGuard};

use super::decide::Intent;
use super::sequencer::Sequencer;
use crate::domain::{Clock, EventKind, Timestamp};
use crate::policy::{Attempt, Authority, Counted, Principal, Refusals, Refused};

/// What was refused lately, by whoever refused it: the check before the services, or the sequencer.
#[derive(Clone, Debug, Default)]
pub struct SharedRefusals(Arc<Mutex<Refusals>>);

impl SharedRefusals {
    /// Whether this refusal is to be an event. If not, it is counted.
    pub fn admit(&self, authority: &Authority, attempt: &Attempt, now: Timestamp) -> bool {
        let by = (authority.principal.member, authority.principal.key);
        self.lock().admit(by, attempt, now)
    }

    /// What was counted in hours that are over.
    pub fn take_ended(&self, now: Timestamp) -> Vec<Counted> {
        self.lock().take_ended(now)
    }

    /// What was counted so far.
    pub fn take_all(&self) -> Vec<Counted> {
        self.lock().take_all()
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        // Numbers: nothing is left half done.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Notes refusals that the sequencer does not see.
#[derive(Clone)]
pub struct Refuse {
    pub(super) sequencer: Sequencer,
    pub(super) refusals: SharedRefusals,
    pub(super) clock: Arc<dyn Clock>,
}

impl Refuse {
    /// Notes that `principal` was refused what would have been an `attempted`: it is in the ledger when this returns, or counted.
    pub async fn run(&self, principal: &Principal, attempted: EventKind, refused: &Refused) {
        let attempt = Attempt { attempted, member: None, key: None, reason: refused.reason() };
        let authority = principal.refused();
        if !self.refusals.admit(&authority, &attempt, self.clock.now()) {
            return;
        }
        if let Err(error) = self.sequencer.submit(authority, Intent::Refused(attempt)).await {
            // It is refused all the same.
            tracing::warn!(%error, key = %principal.key, %attempted, %refused, "a refusal could not be recorded");
        }
    }
}
