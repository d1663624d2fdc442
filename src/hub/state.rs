//! What the hub holds in memory: the indexes and the roster, folded from rows. Written by the sequencer alone; everybody else
//! reads snapshots.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::fold::Change;
use crate::domain::{EntryId, Signal, SignalKind, Timestamp};
use crate::index::{self, Row};
use crate::policy::{Roster, expiry_passed};
use crate::store::{SignalRow, Store, StoreError};

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
    /// Signals by the time at which they stop matching by themselves.
    expiring: BTreeMap<Timestamp, Vec<(Signal, EntryId)>>,
    roster: Arc<ArcSwap<Roster>>,
}

/// The memory could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The indexes' merging threads could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

impl State {
    /// Fills the memory from the store's rows. What had expired by `now` stays out.
    ///
    /// # Errors
    /// [`LoadError`] if the store cannot be read or a thread not be started.
    pub fn load(store: &Store, now: Timestamp) -> Result<Self, LoadError> {
        let mut roster = Roster::default();
        store.members()?.into_iter().for_each(|member| roster.set_member(member));
        store.keys()?.into_iter().for_each(|key| roster.set_key(key));
        let mut state = Self {
            pdq: index::Writer::open(SignalKind::Pdq.radius_max())?,
            phash: index::Writer::open(SignalKind::Phash.radius_max())?,
            dhash: index::Writer::open(SignalKind::Dhash.radius_max())?,
            expiring: BTreeMap::new(),
            roster: Arc::new(ArcSwap::from_pointee(roster)),
        };
        let expiring = &mut state.expiring;
        fill(store, SignalKind::Pdq, now, expiring, pdq_words, &mut state.pdq)?;
        fill(store, SignalKind::Phash, now, expiring, word, &mut state.phash)?;
        fill(store, SignalKind::Dhash, now, expiring, word, &mut state.dhash)?;
        Ok(state)
    }

    /// What readers look up in.
    pub fn indexes(&self) -> Indexes {
        Indexes { pdq: self.pdq.reader(), phash: self.phash.reader(), dhash: self.dhash.reader() }
    }

    /// The roster, always the newest.
    pub fn roster(&self) -> &Arc<ArcSwap<Roster>> {
        &self.roster
    }

    /// Takes in changes that are on disk; `roster` is the roster after them.
    pub fn apply(&mut self, changes: &[Change], roster: Arc<Roster>) {
        for change in changes {
            match change {
                Change::SignalAdded(row) => self.insert(row),
                Change::SignalRemoved(signal, entry) => self.remove(signal, *entry),
                Change::Entry(..) | Change::Request(..) | Change::Member(_) | Change::Key(_) => {}
            }
        }
        if changes.iter().any(Change::concerns_roster) {
            self.roster.store(roster);
        }
    }

    /// Takes out what has expired by `now`. Checks look at the time themselves: this only keeps the indexes small.
    pub fn expire(&mut self, now: Timestamp) {
        while let Some(first) = self.expiring.first_entry().filter(|first| *first.key() <= now) {
            for (signal, entry) in first.remove() {
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
        note_expiry(&mut self.expiring, row);
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

/// Loads the live rows of one kind into its index.
fn fill<const W: usize>(
    store: &Store,
    kind: SignalKind,
    now: Timestamp,
    expiring: &mut BTreeMap<Timestamp, Vec<(Signal, EntryId)>>,
    words: fn(&Signal) -> Option<[u64; W]>,
    writer: &mut index::Writer<W>,
) -> Result<(), StoreError> {
    let mut failed = None;
    let rows = store.signals(kind)?.map_while(|row| row.map_err(|error| failed = Some(error)).ok()).filter_map(|row| {
        if expiry_passed(row.valid_until, now) {
            return None;
        }
        note_expiry(expiring, &row);
        Some::<Row<W>>((words(&row.signal)?, row.entry.0))
    });
    writer.extend(rows);
    failed.map_or(Ok(()), Err)
}

fn note_expiry(expiring: &mut BTreeMap<Timestamp, Vec<(Signal, EntryId)>>, row: &SignalRow) {
    if let Some(until) = row.valid_until {
        expiring.entry(until).or_default().push((row.signal, row.entry));
    }
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
