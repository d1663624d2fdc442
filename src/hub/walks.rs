//! Use case: look for walks in what those who see bands ask, and hinder them.
//!
//! How far a member has gone is recorded in the ledger, so that an operator sees it and a restart forgets no block. What was
//! asked is recorded nowhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::decide::Intent;
use super::sequencer::Sequencer;
use crate::domain::{MemberId, Signal, Timestamp, WalkLevel};
use crate::policy::{Asker, Authority, Nearness, Roster, Verdict, Walks};

/// How often what is too old is forgotten.
const EXPIRE_EVERY: Duration = Duration::from_hours(1);
/// A level that was recorded so long ago is recorded again.
const RECORD_AGAIN: Duration = Duration::from_hours(24);

/// Looks for walks.
#[derive(Clone)]
pub struct Watch {
    pub(super) roster: Arc<ArcSwap<Roster>>,
    pub(super) sequencer: Sequencer,
    pub(super) seen: Arc<Mutex<Seen>>,
}

/// What has been asked, as far as it is kept.
pub(super) struct Seen {
    walks: Walks,
    expired: Option<Timestamp>,
    /// What is on its way into the ledger: a member's questions are many, and one event says it.
    recorded: HashMap<MemberId, (WalkLevel, Timestamp)>,
}

/// The member is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "checks of this member are blocked: its questions looked like a search for what a listed hash is. Ask the hub's operator, who \
     can release it"
)]
pub struct Blocked;

/// A signal that was looked up, and the stored ones that it is near to.
pub(super) struct Question<'a> {
    pub asked: &'a Signal,
    pub found: Vec<Signal>,
}

impl Seen {
    pub(super) fn new(walks: Walks) -> Self {
        Self { walks, expired: None, recorded: HashMap::new() }
    }

    fn observe(&mut self, asker: &Asker, questions: &[Question<'_>], now: Timestamp) -> Verdict {
        let due = self.expired.is_none_or(|expired| now.millis() >= expired.plus(EXPIRE_EVERY).millis());
        if due {
            self.walks.expire(now);
            self.expired = Some(now);
        }
        let verdicts = questions.iter().map(|one| self.walks.observe(asker, one.asked, &one.found, now).verdict);
        verdicts.max_by_key(|verdict| level(*verdict)).unwrap_or(Verdict::Clear)
    }

    /// Whether this is more than was recorded of the member lately.
    fn is_to_be_recorded(&mut self, member: MemberId, level: WalkLevel, now: Timestamp) -> bool {
        let is_known = |&(known, at): &(WalkLevel, Timestamp)| known >= level && now < at.plus(RECORD_AGAIN);
        if self.recorded.get(&member).is_some_and(is_known) {
            return false;
        }
        self.recorded.insert(member, (level, now));
        true
    }
}

const fn level(verdict: Verdict) -> Option<WalkLevel> {
    match verdict {
        Verdict::Clear => None,
        Verdict::Flagged => Some(WalkLevel::Flagged),
        Verdict::Slowed(_) => Some(WalkLevel::Slowed),
        Verdict::Blocked => Some(WalkLevel::Blocked),
    }
}

impl Watch {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Sketches and numbers: nothing that is left half done does harm.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a member may ask at all.
    ///
    /// # Errors
    /// [`Blocked`].
    pub(super) fn admit(&self, member: MemberId) -> Result<(), Blocked> {
        let roster = self.roster.load();
        let walk = roster.member(member).and_then(|member| member.walk);
        if walk.is_some_and(|walk| walk.level == WalkLevel::Blocked) { Err(Blocked) } else { Ok(()) }
    }

    /// Takes note of what was asked and found, and gives the answer up or delays it where that is a walk.
    ///
    /// # Errors
    /// [`Blocked`] from now on.
    pub(super) async fn observe(
        &self,
        authority: &Authority,
        questions: &[Question<'_>],
        now: Timestamp,
    ) -> Result<(), Blocked> {
        let principal = &authority.principal;
        if principal.sight().nearness == Nearness::Distances {
            return Ok(());
        }
        let asker = self.roster.load().member(principal.member).map(Asker::of);
        let Some(asker) = asker else { return Ok(()) };
        let verdict = self.seen().observe(&asker, questions, now);
        let Some(level) = level(verdict) else { return Ok(()) };
        if self.seen().is_to_be_recorded(principal.member, level, now) {
            tracing::warn!(member = %principal.member, key = %principal.key, %level, "a walk around a listed hash");
            if let Err(error) = self.sequencer.submit(authority.clone(), Intent::WalkSeen(level)).await {
                tracing::warn!(%error, member = %principal.member, "a walk could not be recorded");
            }
        }
        match verdict {
            Verdict::Blocked => return Err(Blocked),
            Verdict::Slowed(time) => tokio::time::sleep(time).await,
            Verdict::Flagged | Verdict::Clear => {}
        }
        Ok(())
    }

    /// Forgets what a member, or its control group, has asked.
    pub(super) fn forget(&self, member: MemberId) {
        let asker = self.roster.load().member(member).map(Asker::of);
        let mut seen = self.seen();
        seen.recorded.remove(&member);
        if let Some(asker) = asker {
            seen.walks.release(&asker);
        }
    }
}
