//! Use case: look for walks in what those who see bands ask, and hinder them.
//!
//! How far a member has gone is recorded in the ledger, so that an operator sees it and a restart forgets no block. What was
//! asked is recorded nowhere. Each member, or control group, has a detector and a lock of its own: nobody's questions hold up
//! anybody else's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;

use super::decide::Intent;
use super::sequencer::Sequencer;
use crate::domain::{
    Distance, Entropy, EntropyError, EntryId, MemberId, Signal, SignalKind, Timestamp, Unit, WalkLevel,
};
use crate::policy::{Asker, Authority, Roster, Verdict, WalkLimits, WalkSecret, Walks, is_at_a_bands_end};

/// How often what is too old is forgotten.
const EXPIRE_EVERY: Duration = Duration::from_hours(1);
/// A level that was recorded so long ago is recorded again.
const RECORD_AGAIN: Duration = Duration::from_hours(24);
/// Of the entries that one question is at a band's end of, so many are looked at. Chosen by lot each time, so that none is never.
const ANCHORS_MAX: usize = 32;

/// Looks for walks.
#[derive(Clone)]
pub struct Watch {
    roster: Arc<ArcSwap<Roster>>,
    sequencer: Sequencer,
    secret: WalkSecret,
    limits: WalkLimits,
    /// What lots are drawn with.
    lots: Arc<Mutex<StdRng>>,
    seen: Arc<Mutex<Seen>>,
}

/// What has been asked, as far as it is kept.
#[derive(Default)]
struct Seen {
    walks: HashMap<Unit, Arc<Mutex<Walks>>>,
    expired: Option<Timestamp>,
    /// What is in the ledger or on its way there: a member's questions are many, and one event says it.
    recorded: HashMap<MemberId, (WalkLevel, Timestamp)>,
}

/// The member is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "checks of this member are blocked: its questions looked like a search for what a listed hash is. Ask the hub's operator, who \
     can release it"
)]
pub struct Blocked;

/// A signal that was looked up, and the stored ones that may be walked around.
pub(super) struct Question {
    pub asked: Signal,
    pub found: Vec<Signal>,
}

const fn level(verdict: Verdict) -> Option<WalkLevel> {
    match verdict {
        Verdict::Clear => None,
        Verdict::Flagged => Some(WalkLevel::Flagged),
        Verdict::Slowed(_) => Some(WalkLevel::Slowed),
        Verdict::Blocked => Some(WalkLevel::Blocked),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Sketches and numbers: nothing that is left half done does harm.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Has seen nothing yet.
    ///
    /// # Errors
    /// There is no randomness.
    pub(super) fn new(
        roster: Arc<ArcSwap<Roster>>,
        sequencer: Sequencer,
        entropy: &dyn Entropy,
        limits: WalkLimits,
    ) -> Result<Self, EntropyError> {
        let secret = WalkSecret::new(entropy.bytes()?);
        let lots = Arc::new(Mutex::new(StdRng::from_seed(entropy.bytes()?)));
        Ok(Self { roster, sequencer, secret, limits, lots, seen: Arc::default() })
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

    /// Which of the hits of one question may be walked around with it.
    pub(super) fn anchors(&self, kind: SignalKind, hits: &[(EntryId, Distance)]) -> Vec<EntryId> {
        let at_an_end = hits.iter().filter(|(_, distance)| is_at_a_bands_end(kind, *distance));
        at_an_end.map(|(id, _)| *id).sample(&mut *lock(&self.lots), ANCHORS_MAX)
    }

    /// Whether `member` and `contributor` have one owner: nobody walks to hashes of its own.
    pub(super) fn is_own(&self, member: MemberId, contributor: MemberId) -> bool {
        self.roster.load().speak_as_one(member, contributor)
    }

    /// Takes note of what was asked and found, and gives the answer up or delays it where that is a walk.
    ///
    /// # Errors
    /// [`Blocked`] from now on.
    pub(super) async fn observe(
        &self,
        authority: &Authority,
        questions: &[Question],
        now: Timestamp,
    ) -> Result<(), Blocked> {
        let member = authority.principal.member;
        let Some(asker) = self.roster.load().member(member).map(Asker::of) else { return Ok(()) };
        self.expire(now);
        let walks = self.walks(asker.unit());
        let verdict = {
            let mut walks = lock(&walks);
            let verdicts = questions.iter().map(|one| walks.observe(&asker, &one.asked, &one.found, now).verdict);
            verdicts.max_by_key(|verdict| level(*verdict)).unwrap_or(Verdict::Clear)
        };
        let Some(level) = level(verdict) else { return Ok(()) };
        if self.is_to_be_recorded(member, level, now) {
            tracing::warn!(%member, key = %authority.principal.key, %level, "a walk around a listed hash");
            let record = self.clone().record(authority.clone(), level);
            if level == WalkLevel::Blocked {
                record.await;
            } else {
                // The answer does not wait for the disk, which would tell the asker that it was seen.
                tokio::spawn(record);
            }
        }
        match verdict {
            Verdict::Blocked => return Err(Blocked),
            Verdict::Slowed(time) => tokio::time::sleep(time).await,
            Verdict::Flagged | Verdict::Clear => {}
        }
        Ok(())
    }

    fn walks(&self, unit: Unit) -> Arc<Mutex<Walks>> {
        let new = || Arc::new(Mutex::new(Walks::new(self.secret.clone(), self.limits.clone())));
        lock(&self.seen).walks.entry(unit).or_insert_with(new).clone()
    }

    /// Forgets what is too old, now and then.
    fn expire(&self, now: Timestamp) {
        let due: Vec<_> = {
            let mut seen = lock(&self.seen);
            if seen.expired.is_some_and(|expired| now < expired.plus(EXPIRE_EVERY)) {
                return;
            }
            seen.expired = Some(now);
            seen.walks.values().cloned().collect()
        };
        due.iter().for_each(|walks| lock(walks).expire(now));
    }

    /// Whether this is more than was recorded of the member lately. Then it is taken for recorded.
    fn is_to_be_recorded(&self, member: MemberId, level: WalkLevel, now: Timestamp) -> bool {
        let is_known = |&(known, at): &(WalkLevel, Timestamp)| known >= level && now < at.plus(RECORD_AGAIN);
        let recorded = &mut lock(&self.seen).recorded;
        if recorded.get(&member).is_some_and(is_known) {
            return false;
        }
        recorded.insert(member, (level, now));
        true
    }

    async fn record(self, authority: Authority, level: WalkLevel) {
        let member = authority.principal.member;
        if let Err(error) = self.sequencer.submit(authority, Intent::WalkSeen(level)).await {
            tracing::warn!(%error, %member, "a walk could not be recorded; the next question tries again");
            lock(&self.seen).recorded.remove(&member);
        }
    }

    /// Forgets what a member, or its control group, has asked, and that it is blocked.
    pub(super) fn forget(&self, member: MemberId) {
        let asker = self.roster.load().member(member).map(Asker::of);
        lock(&self.seen).recorded.remove(&member);
        if let Some(asker) = asker {
            lock(&self.walks(asker.unit())).release(&asker);
        }
    }
}
