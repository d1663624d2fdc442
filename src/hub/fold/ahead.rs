//! What the events of a batch have led to before any of it is written: the store's rows with the batch's laid over them.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use super::{Change, Contribution, FoldError, Past, fold};
use crate::domain::{Appeal, Benign, Distance, Entry, EntryId, EntryState, Event, Fact, Signal};
use crate::hub::read::{self, ReadError};
use crate::hub::state::{Near, State};
use crate::policy::{Register, Roster};
use crate::store::Store;

/// Of two equal digests.
const SAME: Distance = Distance::new(0);

/// Rows that are not on disk yet, over those that are.
pub struct Ahead<'a> {
    store: &'a Store,
    /// Where the rows on disk are found by their hashes; `None`: every row is ahead of the disk, as when they are made anew.
    near: Option<Near>,
    roster: Arc<Roster>,
    register: Arc<Register>,
    /// Contributions whose events are not on disk, or what remains of them.
    contributed: HashMap<EntryId, Event>,
    states: HashMap<EntryId, EntryState>,
    appeals: HashMap<u64, Appeal>,
    benign: HashMap<u64, Benign>,
    added: Signals<EntryId>,
    removed: HashSet<EntryId>,
    benign_added: Signals<u64>,
    benign_removed: HashSet<u64>,
}

impl<'a> Ahead<'a> {
    /// Nothing ahead of the store's rows, which `state` knows.
    pub fn of(store: &'a Store, state: &State) -> Self {
        let (roster, register) = (state.roster().load_full(), state.register().load_full());
        Self { near: Some(state.near()), ..Self::without_rows(store, roster, register) }
    }

    /// As if nothing had been folded yet.
    pub fn of_nothing(store: &'a Store) -> Self {
        Self::without_rows(store, Arc::default(), Arc::default())
    }

    fn without_rows(store: &'a Store, roster: Arc<Roster>, register: Arc<Register>) -> Self {
        Self {
            store,
            near: None,
            roster,
            register,
            contributed: HashMap::new(),
            states: HashMap::new(),
            appeals: HashMap::new(),
            benign: HashMap::new(),
            added: Signals::default(),
            removed: HashSet::new(),
            benign_added: Signals::default(),
            benign_removed: HashSet::new(),
        }
    }

    /// Folds `event`, leaf `index`, and remembers what it changes.
    ///
    /// # Errors
    /// [`FoldError`] if the event does not fit the ones before it.
    pub fn fold(&mut self, index: u64, event: &Event) -> Result<Vec<Change>, FoldError> {
        let changes = fold(index, event, self)?;
        match &event.fact {
            Fact::Contributed { .. } | Fact::Remains(_) => drop(self.contributed.insert(EntryId(index), event.clone())),
            Fact::BenignAdded(benign) => drop(self.benign.insert(index, benign.clone())),
            _ => {}
        }
        for change in &changes {
            self.remember(change);
        }
        Ok(changes)
    }

    fn remember(&mut self, change: &Change) {
        if change.concerns_roster() {
            change.apply_to(Arc::make_mut(&mut self.roster));
        }
        if change.concerns_register() {
            change.apply_to_register(Arc::make_mut(&mut self.register));
        }
        match change {
            Change::Entry(id, state) => drop(self.states.insert(*id, state.clone())),
            Change::Appeal(appeal) => drop(self.appeals.insert(appeal.id, appeal.clone())),
            Change::SignalAdded(row) => {
                self.removed.remove(&row.entry);
                self.added.add(&row.signal, row.entry);
            }
            // An entry, or a benign item, is taken out with all its signals.
            Change::SignalRemoved(_, entry) if self.removed.insert(*entry) => self.added.remove(*entry),
            Change::BenignAdded(signal, benign) => self.benign_added.add(signal, *benign),
            Change::BenignRemoved(_, benign) if self.benign_removed.insert(*benign) => {
                self.benign_added.remove(*benign)
            }
            _ => {}
        }
    }

    /// An entry, if there is such a one that was not erased.
    pub fn entry(&self, id: EntryId) -> Result<Option<Entry>, ReadError> {
        match self.contributed.get(&id) {
            Some(event) => Ok(read::as_entry(id, event.clone())),
            None => read::entry(self.store, id),
        }
    }

    /// The roster after all that was folded.
    pub fn shared_roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// The register after all that was folded.
    pub fn shared_register(&self) -> &Arc<Register> {
        &self.register
    }
}

impl Past for Ahead<'_> {
    fn roster(&self) -> &Roster {
        &self.roster
    }

    fn register(&self) -> &Register {
        &self.register
    }

    fn contribution(&self, id: EntryId) -> Result<Option<Contribution>, ReadError> {
        match self.contributed.get(&id) {
            Some(event) => Ok(Contribution::of(id, event)),
            None => Ok(read::event(self.store, id.0)?.and_then(|event| Contribution::of(id, &event))),
        }
    }

    fn state(&self, id: EntryId) -> Result<Option<EntryState>, ReadError> {
        match self.states.get(&id) {
            Some(state) => Ok(Some(state.clone())),
            None if self.near.is_none() => Ok(None),
            None => Ok(self.store.entry_state(id)?),
        }
    }

    fn appeal(&self, id: u64) -> Result<Option<Appeal>, ReadError> {
        match self.appeals.get(&id) {
            Some(appeal) => Ok(Some(appeal.clone())),
            None if self.near.is_none() => Ok(None),
            None => Ok(self.store.appeal(id)?),
        }
    }

    fn benign(&self, id: u64) -> Result<Option<Benign>, ReadError> {
        if let Some(benign) = self.benign.get(&id) {
            return Ok(Some(benign.clone()));
        }
        Ok(read::benign(self.store, id)?.map(|(benign, _)| benign))
    }

    fn near(&self, signals: &[Signal], radius: Distance) -> Result<Vec<(EntryId, Distance)>, ReadError> {
        let mut nearest = Nearest::default();
        for signal in signals.iter().filter(|signal| signal.kind().is_strong_evidence()) {
            self.added.near(signal, radius, &mut nearest);
            let Some(near) = &self.near else { continue };
            let rows = match signal {
                Signal::Pdq { hash, .. } => near.entries(&hash.words(), radius)?,
                _ => self.store.equal_signals(&signal.unrated())?.iter().map(|row| (row.entry, SAME)).collect(),
            };
            nearest.extend(rows.into_iter().filter(|(entry, _)| !self.removed.contains(entry)));
        }
        Ok(nearest.sorted())
    }

    fn near_benign(&self, signals: &[Signal], radius: Distance) -> Result<Vec<(u64, Distance)>, ReadError> {
        let mut nearest = Nearest::default();
        for signal in signals.iter().filter(|signal| signal.kind().is_strong_evidence()) {
            self.benign_added.near(signal, radius, &mut nearest);
            let Some(near) = &self.near else { continue };
            let rows = match signal {
                Signal::Pdq { hash, .. } => near.benign(&hash.words(), radius)?,
                _ => self.store.equal_benign(&signal.unrated())?.into_iter().map(|benign| (benign, SAME)).collect(),
            };
            nearest.extend(rows.into_iter().filter(|(benign, _)| !self.benign_removed.contains(benign)));
        }
        Ok(nearest.sorted())
    }
}

/// Signals of kinds that are strong evidence, found by going through them: a batch has few.
struct Signals<T> {
    pdq: Vec<([u64; 4], T)>,
    digests: HashMap<Signal, Vec<T>>,
}

impl<T> Default for Signals<T> {
    fn default() -> Self {
        Self { pdq: Vec::new(), digests: HashMap::new() }
    }
}

impl<T: Copy + Eq + Hash + Ord> Signals<T> {
    fn add(&mut self, signal: &Signal, of: T) {
        match signal {
            Signal::Pdq { hash, .. } => self.pdq.push((hash.words(), of)),
            Signal::Md5(_) | Signal::Sha256(_) => self.digests.entry(signal.unrated()).or_default().push(of),
            Signal::Phash(_) | Signal::Dhash(_) => {}
        }
    }

    fn remove(&mut self, of: T) {
        self.pdq.retain(|(_, other)| *other != of);
        self.digests.values_mut().for_each(|all| all.retain(|other| *other != of));
    }

    fn near(&self, signal: &Signal, radius: Distance, nearest: &mut Nearest<T>) {
        match signal {
            Signal::Pdq { hash, .. } => {
                let words = hash.words();
                for (stored, of) in &self.pdq {
                    if let Some(distance) = within(&words, stored, radius) {
                        nearest.add(*of, distance);
                    }
                }
            }
            _ => nearest.extend(self.digests.get(&signal.unrated()).into_iter().flatten().map(|of| (*of, SAME))),
        }
    }
}

/// The distance, unless it is more than `radius`: most pairs are told by their first word.
fn within(a: &[u64; 4], b: &[u64; 4], radius: Distance) -> Option<Distance> {
    let mut bits = 0;
    for (a, b) in a.iter().zip(b) {
        // At most 256 in all.
        bits += (a ^ b).count_ones() as u16;
        if bits > radius.bits() {
            return None;
        }
    }
    Some(Distance::new(bits))
}

/// The smallest distance to each.
struct Nearest<T>(HashMap<T, Distance>);

impl<T> Default for Nearest<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Copy + Eq + Hash + Ord> Nearest<T> {
    fn add(&mut self, of: T, distance: Distance) {
        self.0.entry(of).and_modify(|nearest| *nearest = distance.min(*nearest)).or_insert(distance);
    }

    fn extend(&mut self, found: impl IntoIterator<Item = (T, Distance)>) {
        found.into_iter().for_each(|(of, distance)| self.add(of, distance));
    }

    /// Nearest first, then the smallest.
    fn sorted(self) -> Vec<(T, Distance)> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_unstable_by_key(|(of, distance)| (*distance, *of));
        all
    }
}
