//! What the hub holds in memory: the indexes and the roster, folded from rows. Written by the sequencer alone; everybody else
//! reads snapshots.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::fold::{Ahead, Change};
use super::load::{LoadError, Loader};
use super::read;
use crate::domain::{Distance, EntryId, Fact, Signal, SignalKind, Timestamp};
use crate::index::{self, HammingIndex};
use crate::policy::{Delisted, Register, Roster, Rules};
use crate::store::{RegisterRow, SignalRow, Store};

/// The readers' side of the indexes, one for each kind that is compared by distance.
#[derive(Clone)]
pub struct Indexes {
    pub pdq: index::Reader<4>,
    pub phash: index::Reader<1>,
    pub dhash: index::Reader<1>,
}

/// The rows on disk by their PDQ hashes, as folds look for them: all that are near, however many.
pub struct Near {
    pdq: index::Reader<4>,
    benign: index::Reader<4>,
}

impl Near {
    /// Entries with a hash within `radius` of this one.
    pub fn entries(&self, hash: &[u64; 4], radius: Distance) -> Result<Vec<(EntryId, Distance)>, index::SearchError> {
        let found = self.pdq.search(hash, radius, usize::MAX)?;
        Ok(found.nearest.iter().map(|one| (EntryId(one.id), one.distance)).collect())
    }

    /// Benign items with a hash within `radius` of this one.
    pub fn benign(&self, hash: &[u64; 4], radius: Distance) -> Result<Vec<(u64, Distance)>, index::SearchError> {
        let found = self.benign.search(hash, radius, usize::MAX)?;
        Ok(found.nearest.iter().map(|one| (one.id, one.distance)).collect())
    }
}

/// The sequencer's side: what it changes after every commit.
pub struct State {
    pdq: index::Writer<4>,
    phash: index::Writer<1>,
    dhash: index::Writer<1>,
    /// What stops matching by itself, the next to do so on top.
    expiring: BinaryHeap<Reverse<Expiry>>,
    /// Signals of benign items. By leaf.
    benign: index::Writer<4>,
    roster: Arc<ArcSwap<Roster>>,
    register: Arc<ArcSwap<Register>>,
    /// Those of all indexes that have been told.
    merge_failures: u64,
}

/// A signal that stops matching by itself, and when.
pub type Expiry = (Timestamp, EntryId, Signal);

/// The most entries that one event says to have expired.
pub const EXPIRED_MAX: usize = 1_000;

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
        for kind in [SignalKind::Md5, SignalKind::Sha256] {
            loader.expiring_of(kind)?;
        }
        let expiring = loader.expiring();
        let mut benign = index::Writer::open(SignalKind::Pdq.radius_max())?;
        let rows: Vec<_> = store.benign()?.collect::<Result<_, _>>()?;
        benign.extend(rows.iter().filter_map(|(signal, benign)| Some((pdq_words(signal)?, *benign))));
        let register = load_register(store)?;
        let (roster, register) = (Arc::new(ArcSwap::from_pointee(roster)), Arc::new(ArcSwap::from_pointee(register)));
        Ok(Self { pdq, phash, dhash, expiring, benign, roster, register, merge_failures: 0 })
    }

    /// What readers look up in.
    pub fn indexes(&self) -> Indexes {
        Indexes { pdq: self.pdq.reader(), phash: self.phash.reader(), dhash: self.dhash.reader() }
    }

    /// The roster, always the newest.
    pub fn roster(&self) -> &Arc<ArcSwap<Roster>> {
        &self.roster
    }

    /// Rules, trust and incidents, always the newest.
    pub fn register(&self) -> &Arc<ArcSwap<Register>> {
        &self.register
    }

    /// What readers look benign items up in.
    pub fn benign(&self) -> index::Reader<4> {
        self.benign.reader()
    }

    /// Lets the roster and the register be what they are after changes that are on disk, if they concern them.
    pub fn apply_ahead(&self, changes: &[Change], ahead: &Ahead<'_>) {
        if changes.iter().any(Change::concerns_roster) {
            self.roster.store(ahead.shared_roster().clone());
        }
        if changes.iter().any(Change::concerns_register) {
            self.register.store(ahead.shared_register().clone());
        }
    }

    /// For folds.
    pub fn near(&self) -> Near {
        Near { pdq: self.pdq.reader(), benign: self.benign.reader() }
    }

    /// Takes changes that are on disk into the indexes.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::SignalAdded(row) => self.insert(row),
                Change::SignalRemoved(signal, entry) => self.remove(signal, *entry),
                Change::BenignAdded(signal, benign) => {
                    if let Some(words) = pdq_words(signal) {
                        self.benign.insert(words, *benign);
                    }
                }
                Change::BenignRemoved(signal, benign) => {
                    if let Some(words) = pdq_words(signal) {
                        self.benign.remove(&words, *benign);
                    }
                }
                Change::Entry(..)
                | Change::Request(..)
                | Change::Member(_)
                | Change::Key(_)
                | Change::Administrative(..)
                | Change::History(..)
                | Change::Attention(..)
                | Change::OfKey(..)
                | Change::BenignItem(..)
                | Change::OfIncident(..)
                | Change::Listed(..)
                | Change::Appeal(_)
                | Change::Reversal(..)
                | Change::Rules { .. }
                | Change::Trust(..)
                | Change::Incident(_)
                | Change::Delisted { .. }
                | Change::Hold(_)
                | Change::Unlisted(..)
                | Change::HistoryForgotten(_) => {}
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

    /// Takes out what has expired by `now`, and says which entries these are, at most [`EXPIRED_MAX`] at a time. Checks look at the
    /// time themselves: this keeps the indexes small, and tells those who follow.
    pub fn expire(&mut self, now: Timestamp) -> BTreeSet<EntryId> {
        let mut expired = BTreeSet::new();
        while self.expiring.peek().is_some_and(|Reverse((until, ..))| *until <= now) {
            let is_full = |entry| expired.len() == EXPIRED_MAX && !expired.contains(entry);
            if self.expiring.peek().is_some_and(|Reverse((_, entry, _))| is_full(entry)) {
                break;
            }
            if let Some(Reverse((_, entry, signal))) = self.expiring.pop() {
                self.remove(&signal, entry);
                expired.insert(entry);
            }
        }
        expired
    }

    fn insert(&mut self, row: &SignalRow) {
        let id = row.entry.0;
        match row.signal {
            Signal::Pdq { hash, .. } => self.pdq.insert(hash.words(), id),
            Signal::Phash(hash) => self.phash.insert([hash.word()], id),
            Signal::Dhash(hash) => self.dhash.insert([hash.word()], id),
            // Exact kinds are looked up in the store, by key.
            Signal::Md5(_) | Signal::Sha256(_) => {}
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

/// Rules, trust and incidents, from their rows.
pub fn load_register(store: &Store) -> Result<Register, LoadError> {
    register_of(store, store.register()?)
}

/// The register of these rows; its rules are an event's.
pub fn register_of(store: &Store, rows: Vec<RegisterRow>) -> Result<Register, LoadError> {
    let mut register = Register::default();
    for row in rows {
        match row {
            RegisterRow::Rules { event } => {
                let set = read::event(store, event)?.map(|event| event.fact);
                let Some(Fact::PolicySet { text }) = set else { return Err(LoadError::Rules { event }) };
                register.set_rules(Rules::from_toml(&text).map_err(|_| LoadError::Rules { event })?, event);
            }
            RegisterRow::Trust(member, trust) => register.set_trust(member, trust),
            RegisterRow::Incident(incident) => register.set_incident(incident),
            RegisterRow::Hold(hold) => register.set_hold(hold),
            RegisterRow::Delisted { entity, event, at } => register.set_delisted(entity, Delisted { event, at }),
        }
    }
    Ok(register)
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
