//! What the hub holds in memory: the indexes and the roster, folded from rows. Written by the sequencer alone; everybody else
//! reads snapshots.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::fold::Change;
use super::load::{LoadError, Loader};
use crate::domain::{EntryId, Signal, SignalKind, Timestamp};
use crate::index;
use crate::policy::Roster;
use crate::store::{SignalRow, Store};

/// The readers' side of the indexes, one for each kind that is compared by distance.
#[derive(Clone)]
pub struct Indexes {
    pub pdq: index::Reader<4>,
    pub phash: index::Reader<1>,
    pub dhash: index::Reader<1>,
}

/// The sequencer's side: what it changes after every commit.
pub struct State {
    pdq: index::Writer<4>,
    phash: index::Writer<1>,
    dhash: index::Writer<1>,
    /// What stops matching by itself, the next to do so on top.
    expiring: BinaryHeap<Reverse<Expiry>>,
    roster: Arc<ArcSwap<Roster>>,
    /// Those of all indexes that have been told.
    merge_failures: u64,
}

/// A signal that stops matching by itself, and when.
pub type Expiry = (Timestamp, EntryId, Signal);

impl State {
    /// Fills the memory from the store's rows.
    ///
    /// # Errors
    /// [`LoadError`] if the store cannot be read, a thread not be started, or the hub is to stop.
    pub fn load(store: &Store, loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let mut roster = Roster::default();
        store.members()?.into_iter().for_each(|member| roster.set_member(member));
        store.keys()?.into_iter().for_each(|key| roster.set_key(key));
        let mut pdq = index::Writer::open(SignalKind::Pdq.radius_max())?;
        let mut phash = index::Writer::open(SignalKind::Phash.radius_max())?;
        let mut dhash = index::Writer::open(SignalKind::Dhash.radius_max())?;
        loader.fill(SignalKind::Pdq, pdq_words, &mut pdq)?;
        loader.fill(SignalKind::Phash, word, &mut phash)?;
        loader.fill(SignalKind::Dhash, word, &mut dhash)?;
        let expiring = loader.expiring();
        Ok(Self { pdq, phash, dhash, expiring, roster: Arc::new(ArcSwap::from_pointee(roster)), merge_failures: 0 })
    }

    /// What readers look up in.
    pub fn indexes(&self) -> Indexes {
        Indexes { pdq: self.pdq.reader(), phash: self.phash.reader(), dhash: self.dhash.reader() }
    }

    /// The roster, always the newest.
    pub fn roster(&self) -> &Arc<ArcSwap<Roster>> {
        &self.roster
    }

    /// Lets the roster be `roster`, which it is after changes that are on disk, if they concern it.
    pub fn apply_to_roster(&self, changes: &[Change], roster: Arc<Roster>) {
        if changes.iter().any(Change::concerns_roster) {
            self.roster.store(roster);
        }
    }

    /// Takes changes that are on disk into the indexes.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::SignalAdded(row) => self.insert(row),
                Change::SignalRemoved(signal, entry) => self.remove(signal, *entry),
                Change::Entry(..)
                | Change::Request(..)
                | Change::Member(_)
                | Change::Key(_)
                | Change::Administrative(..) => {}
            }
        }
        self.tell_failures();
    }

    /// Answers stay exact, but somebody should know why they grow slower.
    fn tell_failures(&mut self) {
        let failures = self.pdq.merge_failures() + self.phash.merge_failures() + self.dhash.merge_failures();
        if failures > self.merge_failures {
            tracing::error!(failures, "merging an index has failed; look-ups stay exact and grow slower");
            self.merge_failures = failures;
        }
    }

    /// Takes out what has expired by `now`. Checks look at the time themselves: this only keeps the indexes small.
    pub fn expire(&mut self, now: Timestamp) {
        while self.expiring.peek().is_some_and(|Reverse((until, ..))| *until <= now) {
            if let Some(Reverse((_, entry, signal))) = self.expiring.pop() {
                self.remove(&signal, entry);
            }
        }
    }

    fn insert(&mut self, row: &SignalRow) {
        let id = row.entry.0;
        match row.signal {
            Signal::Pdq { hash, .. } => self.pdq.insert(hash.words(), id),
            Signal::Phash(hash) => self.phash.insert([hash.word()], id),
            Signal::Dhash(hash) => self.dhash.insert([hash.word()], id),
            // Exact kinds are looked up in the store, by key.
            Signal::Md5(_) | Signal::Sha256(_) => return,
        }
        self.expiring.extend(expiry(row).map(Reverse));
    }

    fn remove(&mut self, signal: &Signal, entry: EntryId) {
        match signal {
            Signal::Pdq { hash, .. } => self.pdq.remove(&hash.words(), entry.0),
            Signal::Phash(hash) => self.phash.remove(&[hash.word()], entry.0),
            Signal::Dhash(hash) => self.dhash.remove(&[hash.word()], entry.0),
            Signal::Md5(_) | Signal::Sha256(_) => 0,
        };
    }
}

/// When `row` stops matching by itself, if it does.
pub(super) fn expiry(row: &SignalRow) -> Option<Expiry> {
    row.valid_until.map(|until| (until, row.entry, row.signal))
}

fn pdq_words(signal: &Signal) -> Option<[u64; 4]> {
    match signal {
        Signal::Pdq { hash, .. } => Some(hash.words()),
        _ => None,
    }
}

fn word(signal: &Signal) -> Option<[u64; 1]> {
    match signal {
        Signal::Phash(hash) | Signal::Dhash(hash) => Some([hash.word()]),
        _ => None,
    }
}
