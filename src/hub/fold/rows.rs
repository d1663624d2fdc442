//! The rows that folds lead to, in memory: for tests that compare them.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;
use crate::domain::{Appeal, Code, EntryId, EntryState, KeyId, MemberId, Reference, Signal, Trust};

/// The rows, as maps.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub states: BTreeMap<EntryId, EntryState>,
    pub attention: BTreeSet<EntryId>,
    pub signals: BTreeSet<(Signal, EntryId)>,
    pub requests: BTreeMap<[u8; 32], u64>,
    pub history: BTreeSet<(EntryId, u64)>,
    pub listed: BTreeSet<(Reference, EntryId)>,
    pub keys: BTreeSet<(KeyId, EntryId)>,
    pub reversals: BTreeMap<u64, EntryId>,
    pub trust: BTreeMap<MemberId, Trust>,
    pub appeals: BTreeMap<u64, Appeal>,
    pub incidents: BTreeSet<(Code, EntryId)>,
    pub benign: BTreeSet<u64>,
}

impl Rows {
    /// What a change makes of them.
    pub fn take(&mut self, change: Change) {
        match change {
            Change::Entry(id, state) => drop(self.states.insert(id, state)),
            Change::Attention(id, true) => drop(self.attention.insert(id)),
            Change::Attention(id, false) => drop(self.attention.remove(&id)),
            Change::SignalAdded(row) => drop(self.signals.insert((row.signal, row.entry))),
            Change::SignalRemoved(signal, entry) => drop(self.signals.remove(&(signal, entry))),
            Change::Request(request, index) => drop(self.requests.insert(request.0, index)),
            Change::History(entry, event) => drop(self.history.insert((entry, event))),
            Change::HistoryForgotten(entry) => self.history.retain(|(of, _)| *of != entry),
            Change::Listed(entity, entry) => drop(self.listed.insert((entity, entry))),
            Change::Unlisted(entity, entry) => drop(self.listed.remove(&(entity, entry))),
            Change::OfKey(key, entry) => drop(self.keys.insert((key, entry))),
            Change::Reversal(event, entry) => drop(self.reversals.insert(event, entry)),
            Change::Appeal(appeal) => drop(self.appeals.insert(appeal.id, appeal)),
            Change::OfIncident(incident, entry) => drop(self.incidents.insert((incident, entry))),
            Change::BenignItem(id, true) => drop(self.benign.insert(id)),
            Change::BenignItem(id, false) => drop(self.benign.remove(&id)),
            Change::Trust(member, trust) => drop(self.trust.insert(member, trust)),
            _ => {}
        }
    }
}
