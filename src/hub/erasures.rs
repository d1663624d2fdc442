//! The retention job: entries that ended long ago lose their hashes and their provenance, unless a hold keeps them.
//!
//! Invariant: whoever folds the ledger without what was erased makes the same rows as the hub, which once had it. What an erased entry
//! may have changed of those that stay is who agrees with an entry near it for which there was no room: that is counted anew.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::fold::{Ahead, Contribution, Past};
use super::read::{self, ReadError};
use super::state::State;
use crate::domain::{
    Corroboration, Entropy, EntropyError, EntryId, EntryState, Erased, Event, Fact, Remains, Signal, Timestamp,
};
use crate::ledger::record::encode_event;
use crate::ledger::{Leaf, Salt};
use crate::policy::Register;
use crate::policy::retention::{held, is_due};
use crate::store::{Store, StoreError, StoredEvent};

/// Entries that are looked at in one go, a millisecond's worth.
const STEP: usize = 1_000;
/// Between two goes.
const PAUSE: Duration = Duration::from_millis(500);
/// Entries of one event.
const ERASED_MAX: usize = 250;
/// Entries that are counted anew in one event: one with more of them near it waits until they are fewer.
const RECOUNTED_MAX: usize = 64;
/// Rows of other entries that are read in one go, a tenth of a second's worth or two: to see what is near, and to count anew.
const NEAR_MAX: usize = 20_000;
/// All entries are gone through so often.
const EVERY: Duration = Duration::from_hours(1);
/// Nothing is erased by rules that are younger: whoever else answers for the hub has so long to see them.
const RULES_STAND: Duration = Duration::from_hours(24);
/// The files in which erased rows lie are written anew so often.
const PURGE_EVERY: Duration = Duration::from_hours(24);
/// A stop waits so long for that.
const STOP_AFTER: Duration = Duration::from_secs(20);

/// What is to be erased.
pub struct Erasure {
    pub fact: Fact,
    /// The leaves among which all are that may be in the files still.
    pub purge: Option<RangeInclusive<u64>>,
    /// The rows of the entries, but for the event that erases them.
    rows: Vec<(EntryId, Leaf, Salt, Vec<u8>)>,
}

impl Erasure {
    /// The leaves as they are to be stored, once the event that erases them is leaf `by`.
    pub fn rows(&self, by: u64) -> impl Iterator<Item = (u64, StoredEvent)> {
        let stored = move |(id, leaf, salt, event): &(EntryId, Leaf, Salt, Vec<u8>)| {
            (id.0, StoredEvent::Erased { leaf: *leaf, by, salt: *salt, event: event.clone() })
        };
        self.rows.iter().map(stored)
    }
}

/// Why it is not known what is to be erased.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl From<StoreError> for ErasureError {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

/// Goes through all entries again and again, a few at a time. The sequencer's thread has the only one.
pub struct Erasures {
    store: Arc<Store>,
    /// Where it goes on.
    next: EntryId,
    /// When it began with the first entry, or started at all: time enough to place a hold before anything goes.
    begun: Timestamp,
    looked: Option<Instant>,
    /// Of this going through: erased; kept by a hold; kept because too much near it would have to be counted anew.
    counts: [u64; 3],
    purge: Purge,
}

/// Writing the files anew in which erased rows may be still. What of them is to be, the store knows, so that a restart forgets nothing.
struct Purge {
    store: Arc<Store>,
    last: Option<Timestamp>,
    running: Option<JoinHandle<Result<(), StoreError>>>,
    /// More was erased since that began.
    is_behind: bool,
}

impl Erasures {
    pub(super) fn new(store: Arc<Store>, now: Timestamp) -> Self {
        let purge = Purge { store: store.clone(), last: None, running: None, is_behind: false };
        Self { store, next: EntryId(0), begun: now, looked: None, counts: [0; 3], purge }
    }

    /// Looks at the next entries; gives what of them is to be erased.
    ///
    /// # Errors
    /// [`ErasureError`]; it begins anew an hour later.
    pub(super) fn look(
        &mut self,
        state: &State,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Option<Erasure>, ErasureError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < PAUSE) {
            return Ok(None);
        }
        self.looked = Some(Instant::now());
        let erasure = self.look_on(state, now, entropy);
        if erasure.is_err() {
            (self.next, self.begun) = (EntryId(0), now);
        }
        erasure
    }

    fn look_on(
        &mut self,
        state: &State,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Option<Erasure>, ErasureError> {
        let register = state.register().load_full();
        if self.next == EntryId(0) {
            if now < self.begun.plus(EVERY) {
                return Ok(None);
            }
            self.begun = now;
            let set = register.rules_event().map_or(Ok(None), |event| read::time(&self.store, event))?;
            if set.is_some_and(|set| now < set.plus(RULES_STAND)) {
                return Ok(None);
            }
        }
        let store = self.store.clone();
        let ahead = Ahead::of(&store, state);
        let (mut erased, mut rows, mut recounted) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (mut next, mut is_last, mut near) = (self.next, true, 0);
        for (seen, row) in store.entries(self.next)?.enumerate() {
            let (id, entry_state) = row?;
            if seen == STEP || erased.len() == ERASED_MAX || near > NEAR_MAX {
                is_last = false;
                break;
            }
            if is_due(&entry_state, register.rules(), now) {
                match self.take(&ahead, &register, (id, &entry_state), now, &mut near)? {
                    Taken::No => {}
                    Taken::Held => self.counts[1] += 1,
                    Taken::Crowded => self.counts[2] += 1,
                    Taken::Yes { crowded, leaf, event } => {
                        let all: BTreeSet<EntryId> = recounted.union(&crowded).copied().collect();
                        if all.len() > RECOUNTED_MAX {
                            is_last = false;
                            break;
                        }
                        recounted = all;
                        let (salt, bytes) = (Salt::from_bytes(entropy.bytes()?), encode_event(&event));
                        erased.push(Erased { entry: id, commitment: Leaf::commit(&salt, &bytes).to_bytes() });
                        rows.push((id, leaf, salt, bytes));
                    }
                }
            }
            next = EntryId(id.0 + 1);
        }
        self.next = if is_last { self.ended() } else { next };
        if erased.is_empty() {
            return Ok(None);
        }
        self.counts[0] += erased.len() as u64;
        let purge = self.purge.with(&erased)?;
        Ok(Some(Erasure { purge, fact: Fact::Erased { erased, recounted: recounted.into_iter().collect() }, rows }))
    }

    /// The end of a going through; where the next begins.
    fn ended(&mut self) -> EntryId {
        let [erased, held, crowded] = std::mem::take(&mut self.counts);
        if erased + held + crowded > 0 {
            tracing::info!(erased, held, crowded, "what ended long ago is erased, unless a hold is on it");
        }
        EntryId(0)
    }

    /// What becomes of an entry whose time it is.
    fn take(
        &self,
        ahead: &Ahead<'_>,
        register: &Register,
        (id, state): (EntryId, &EntryState),
        now: Timestamp,
        read_near: &mut usize,
    ) -> Result<Taken, ErasureError> {
        let stored = self.store.event(id.0)?.ok_or(ReadError::NoSuchEvent { index: id.0 })?;
        let event = read::decode(id.0, stored.opening().1)?;
        let remains = event.fact.remains().map(Cow::into_owned);
        let Some((found, remains)) = Contribution::of(id, &event).zip(remains) else { return Ok(Taken::No) };
        if held(register, id, found.incident.as_ref(), found.contributor, now).is_some() {
            return Ok(Taken::Held);
        }
        let (crowded, cost) = crowded_near(ahead, &found.signals)?;
        *read_near += cost;
        let Some(crowded) = crowded else { return Ok(Taken::Crowded) };
        let remains = Remains { came_near_benign: state.came_near_benign, ..remains };
        let event = Box::new(Event { fact: Fact::Remains(remains), ..event });
        Ok(Taken::Yes { crowded, leaf: stored.leaf(), event })
    }

    /// Begins to write the files anew in which erased rows lie, if it is time.
    pub(super) fn purge_now_and_then(&mut self, now: Timestamp) {
        if let Err(error) = self.purge.now_and_then(now) {
            tracing::error!(%error, "erased rows may be in the database's files still");
        }
    }

    /// Waits until nothing of it goes on.
    pub(super) fn close(&mut self) {
        if let Err(error) = self.purge.close() {
            tracing::error!(%error, "erased rows may be in the database's files still");
        }
    }
}

/// The entries near these signals that had no room for one of their neighbours, and have to be counted anew if one is erased that has
/// these signals; `None`: it cannot be. And about how many rows it takes to see that, and to count them anew.
fn crowded_near(past: &impl Past, signals: &[Signal]) -> Result<(Option<BTreeSet<EntryId>>, usize), ReadError> {
    let near = past.near(signals, Corroboration::RADIUS_MAX)?;
    let mut crowded = BTreeSet::new();
    for (seen, (other, _)) in near.iter().enumerate() {
        match past.state(*other)? {
            // Without what is erased it would have met others, and who these are is not found out again.
            Some(EntryState { is_cut: true, .. }) => return Ok((None, seen)),
            Some(EntryState { is_crowded: true, .. }) => drop(crowded.insert(*other)),
            _ => {}
        }
        // What is near each of them is about what is near these.
        if crowded.len() > RECOUNTED_MAX || crowded.len() * near.len() > NEAR_MAX {
            return Ok((None, seen));
        }
    }
    let cost = near.len() * (1 + crowded.len());
    Ok((Some(crowded), cost))
}

/// What becomes of an entry.
enum Taken {
    No,
    Held,
    /// More entries near it would have to be counted anew than can be.
    Crowded,
    Yes {
        /// Entries near it that had no room for one of their neighbours.
        crowded: BTreeSet<EntryId>,
        leaf: Leaf,
        /// With what remains of it.
        event: Box<Event>,
    },
}

impl Purge {
    /// What is to be written anew already, and these.
    fn with(&mut self, erased: &[Erased]) -> Result<Option<RangeInclusive<u64>>, StoreError> {
        self.is_behind = true;
        let known = self.store.purge_wanted()?.into_iter().flat_map(|range| [*range.start(), *range.end()]);
        let all = || known.clone().chain(erased.iter().map(|one| one.entry.0));
        Ok(all().min().zip(all().max()).map(|(first, last)| first..=last))
    }

    fn now_and_then(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.running.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join()?;
        }
        if self.running.is_some() || self.last.is_some_and(|last| now < last.plus(PURGE_EVERY)) {
            return Ok(());
        }
        let Some(range) = self.store.purge_wanted()? else { return Ok(()) };
        let store = self.store.clone();
        (self.last, self.is_behind) = (Some(now), false);
        match thread::Builder::new().name("purge".to_owned()).spawn(move || store.purge(range)) {
            Ok(running) => self.running = Some(running),
            Err(error) => tracing::error!(%error, "cannot start a thread"),
        }
        Ok(())
    }

    /// Waits until what runs is done.
    fn join(&mut self) -> Result<(), StoreError> {
        // If it panicked, the next time does it.
        let Some(Ok(purged)) = self.running.take().map(JoinHandle::join) else { return Ok(()) };
        purged?;
        if !self.is_behind {
            let mut batch = self.store.batch();
            batch.set_purge(None)?;
            batch.commit()?;
        }
        Ok(())
    }

    /// The last that it does: what is not done in a while the next start does.
    fn close(&mut self) -> Result<(), StoreError> {
        let begun = Instant::now();
        while self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            if begun.elapsed() > STOP_AFTER {
                self.store.stop_purging();
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.join()
    }
}

#[cfg(test)]
mod tests;
