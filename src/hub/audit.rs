//! Use case: check that everything the hub holds follows from its ledger, and the ledger from its leaves.
//!
//! Slow by design: it reads every row. Invariants 1 and 2 of the design are what it checks.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::{Ahead, Change};
use super::read;
use super::remains::CheckedRemains;
use super::state::{Indexes, load_register};
use crate::domain::{Appeal, EntryId, EntryState, Event, KeyId, Signal, SignalKind, Timestamp};
use crate::index::{Reader, Row};
use crate::ledger::{Frontier, NodeId, SignedCheckpoint, VerifierKey};
use crate::policy::{Register, Roster, expiry_passed};
use crate::store::{SignalRow, Store, StoreError};

/// What an audit went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub events: u64,
    pub entries: u64,
    pub signals: u64,
    pub tree_nodes: u64,
}

/// Something does not follow from something else.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A row could not be read.
    #[error(transparent)]
    Unreadable(#[from] StoreError),
    /// Two things that must agree do not.
    #[error("{what}: {problem}")]
    Disagreement { what: &'static str, problem: String },
}

fn disagreement(what: &'static str, problem: impl std::fmt::Display) -> AuditError {
    AuditError::Disagreement { what, problem: problem.to_string() }
}

/// Re-computes the tree and every folded row from the events, and compares; with `indexes`, their rows as well.
///
/// # Errors
/// The first disagreement.
pub fn audit(
    store: &Store,
    verifier: &VerifierKey,
    indexes: Option<&Indexes>,
    now: Timestamp,
) -> Result<Report, AuditError> {
    let text = store.checkpoint()?.ok_or_else(|| disagreement("checkpoint", "there is none"))?;
    let checkpoint: SignedCheckpoint = text.parse().map_err(|error| disagreement("checkpoint", error))?;
    let head = checkpoint.verify(verifier).map_err(|error| disagreement("checkpoint", error))?;

    let mut report = Report::default();
    let mut frontier = Frontier::empty();
    let mut folded = Folded::new(store);
    let mut remains = CheckedRemains::new(store);
    for row in store.events(0)? {
        let (index, stored) = row?;
        if index != report.events {
            return Err(disagreement("events", format_args!("leaf {} is missing", report.events)));
        }
        let mut nodes: Vec<(NodeId, _)> = Vec::new();
        frontier.append(stored.leaf().hash(), |node, hash| nodes.push((node, hash)));
        for (node, hash) in nodes {
            if store.node(node)? != hash {
                return Err(disagreement("tree", format_args!("node {node:?} is not the hash of its leaves")));
            }
            report.tree_nodes += 1;
        }
        let event = read::decode(index, stored.opening().1).map_err(|error| disagreement("events", error))?;
        remains.check(index, &stored, &event).map_err(|error| disagreement("erasures", error))?;
        folded.add(store, index, &event)?;
        report.events += 1;
    }
    if (report.events, frontier.root()) != (head.size(), head.root()) {
        let problem = format!("it signs {} leaves, and the events are {} of another root", head.size(), report.events);
        return Err(disagreement("checkpoint", problem));
    }
    folded.compare(store, &mut report)?;
    if let Some(indexes) = indexes {
        folded.compare_indexes(indexes, now)?;
    }
    Ok(report)
}

/// What the folded rows must be: all of them made anew, with entries and benign items found by going through them.
struct Folded<'a> {
    ahead: Ahead<'a>,
    entries: BTreeMap<EntryId, EntryState>,
    signals: BTreeMap<(Signal, EntryId), Option<Timestamp>>,
    administrative: Vec<(u64, Timestamp)>,
    history: BTreeSet<(EntryId, u64)>,
    attention: BTreeSet<EntryId>,
    incident_entries: BTreeSet<(String, EntryId)>,
    listed: BTreeSet<(String, EntryId)>,
    key_entries: BTreeSet<(KeyId, EntryId)>,
    benign_items: BTreeSet<u64>,
    appeals: BTreeMap<u64, Appeal>,
    reversals: BTreeMap<u64, EntryId>,
    benign: BTreeSet<(Signal, u64)>,
    register: Register,
}

impl<'a> Folded<'a> {
    fn new(store: &'a Store) -> Self {
        Self {
            ahead: Ahead::of_nothing(store),
            entries: BTreeMap::new(),
            signals: BTreeMap::new(),
            administrative: Vec::new(),
            history: BTreeSet::new(),
            attention: BTreeSet::new(),
            incident_entries: BTreeSet::new(),
            listed: BTreeSet::new(),
            key_entries: BTreeSet::new(),
            benign_items: BTreeSet::new(),
            appeals: BTreeMap::new(),
            reversals: BTreeMap::new(),
            benign: BTreeSet::new(),
            register: Register::default(),
        }
    }

    fn add(&mut self, store: &Store, index: u64, event: &Event) -> Result<(), AuditError> {
        let changes = self.ahead.fold(index, event).map_err(|error| disagreement("events", error))?;
        for change in changes {
            change.apply_to_register(&mut self.register);
            match change {
                Change::Entry(id, state) => drop(self.entries.insert(id, state)),
                Change::SignalAdded(SignalRow { signal, entry, valid_until }) => {
                    self.signals.insert((signal, entry), valid_until);
                }
                Change::SignalRemoved(signal, entry) => drop(self.signals.remove(&(signal, entry))),
                Change::Request(request, index) => {
                    if store.request(&request)? != Some(index) {
                        return Err(disagreement(
                            "requests",
                            format_args!("event {index} is not found by its request"),
                        ));
                    }
                }
                Change::Administrative(index, at) => self.administrative.push((index, at)),
                Change::History(entry, event) => drop(self.history.insert((entry, event))),
                Change::Attention(entry, true) => drop(self.attention.insert(entry)),
                Change::Attention(entry, false) => drop(self.attention.remove(&entry)),
                Change::OfIncident(incident, entry) => {
                    self.incident_entries.insert((incident.as_str().to_owned(), entry));
                }
                Change::Listed(entity, entry) => {
                    self.listed.insert((entity.as_str().to_owned(), entry));
                }
                Change::Unlisted(entity, entry) => drop(self.listed.remove(&(entity.as_str().to_owned(), entry))),
                Change::HistoryForgotten(entry) => {
                    let all: Vec<_> = self.history.range((entry, 0)..=(entry, u64::MAX)).copied().collect();
                    for one in all {
                        self.history.remove(&one);
                    }
                }
                Change::OfKey(key, entry) => drop(self.key_entries.insert((key, entry))),
                Change::BenignItem(benign, true) => drop(self.benign_items.insert(benign)),
                Change::BenignItem(benign, false) => drop(self.benign_items.remove(&benign)),
                Change::Reversal(event, entry) => drop(self.reversals.insert(event, entry)),
                Change::Appeal(appeal) => drop(self.appeals.insert(appeal.id, appeal)),
                Change::BenignAdded(signal, benign) => drop(self.benign.insert((signal, benign))),
                Change::BenignRemoved(signal, benign) => drop(self.benign.remove(&(signal, benign))),
                Change::Member(_)
                | Change::Key(_)
                | Change::Rules { .. }
                | Change::Trust(..)
                | Change::Incident(_)
                | Change::Delisted { .. }
                | Change::Hold(_) => {}
            }
        }
        Ok(())
    }

    fn compare(&self, store: &Store, report: &mut Report) -> Result<(), AuditError> {
        let entries: BTreeMap<_, _> = store.entries(EntryId(0))?.collect::<Result<_, _>>()?;
        if let Some(id) = entries.keys().chain(self.entries.keys()).find(|id| entries.get(id) != self.entries.get(id)) {
            return Err(disagreement("entries", format_args!("the row of entry {id} is not the fold of the events")));
        }
        report.entries = entries.len() as u64;
        let mut signals = BTreeMap::new();
        for kind in SignalKind::ALL {
            for row in store.signals(*kind)? {
                let row = row?;
                signals.insert((row.signal, row.entry), row.valid_until);
            }
        }
        if signals != self.signals {
            let (stored, folded) = (signals.len(), self.signals.len());
            return Err(disagreement(
                "signals",
                format_args!("{stored} rows, and the events make {folded}, or others"),
            ));
        }
        report.signals = signals.len() as u64;
        let administrative: Vec<_> = store.administrative(0, false)?.collect::<Result<_, _>>()?;
        if administrative != self.administrative {
            return Err(disagreement("audit", "the rows are not the events about members and keys"));
        }
        let mut roster = Roster::default();
        store.members()?.into_iter().for_each(|member| roster.set_member(member));
        store.keys()?.into_iter().for_each(|key| roster.set_key(key));
        if roster != **self.ahead.shared_roster() {
            return Err(disagreement("members and keys", "the rows are not the fold of the events"));
        }
        let attention: BTreeSet<_> = store.attention(EntryId(0))?.collect::<Result<_, _>>()?;
        let incident_entries: BTreeSet<_> = store.all_incident_entries()?.collect::<Result<_, _>>()?;
        let listed: BTreeSet<_> = store.all_listed_entries()?.collect::<Result<_, _>>()?;
        let key_entries: BTreeSet<_> = store.all_key_entries()?.collect::<Result<_, _>>()?;
        let benign_items: BTreeSet<_> = store.benign_items(0)?.collect::<Result<_, _>>()?;
        let appeals: BTreeMap<_, _> =
            store.appeals(0)?.map(|row| row.map(|row| (row.id, row))).collect::<Result<_, _>>()?;
        let reversals: BTreeMap<_, _> = store.reversals(0)?.collect::<Result<_, _>>()?;
        let benign: BTreeSet<_> = store.benign()?.collect::<Result<_, _>>()?;
        let mut history = BTreeSet::new();
        for entry in entries.keys() {
            history.extend(store.history(*entry, usize::MAX)?.into_iter().map(|event| (*entry, event)));
        }
        let register = load_register(store).map_err(|error| disagreement("register", error))?;
        for (what, same) in [
            ("attention", attention == self.attention),
            ("incident_entries", incident_entries == self.incident_entries),
            ("listed", listed == self.listed),
            ("key_entries", key_entries == self.key_entries),
            ("benign_items", benign_items == self.benign_items),
            ("appeals", appeals == self.appeals),
            ("reversals", reversals == self.reversals),
            ("benign", benign == self.benign),
            ("history", history == self.history),
            ("register", register == self.register),
        ] {
            if !same {
                return Err(disagreement(what, "the rows are not the fold of the events"));
            }
        }
        Ok(())
    }

    fn compare_indexes(&self, indexes: &Indexes, now: Timestamp) -> Result<(), AuditError> {
        let live = || {
            let rows = self.signals.iter().filter(|(_, valid_until)| !expiry_passed(**valid_until, now));
            rows.map(|((signal, entry), _)| (signal, entry))
        };
        let pdq = live().filter_map(|(signal, entry)| match signal {
            Signal::Pdq { hash, .. } => Some((hash.words(), entry.0)),
            _ => None,
        });
        same_rows("pdq index", &indexes.pdq, pdq)?;
        let phash = live().filter_map(|(signal, entry)| match signal {
            Signal::Phash(hash) => Some(([hash.word()], entry.0)),
            _ => None,
        });
        same_rows("phash index", &indexes.phash, phash)?;
        let dhash = live().filter_map(|(signal, entry)| match signal {
            Signal::Dhash(hash) => Some(([hash.word()], entry.0)),
            _ => None,
        });
        same_rows("dhash index", &indexes.dhash, dhash)
    }
}

fn same_rows<const W: usize>(
    what: &'static str,
    index: &Reader<W>,
    expected: impl Iterator<Item = Row<W>>,
) -> Result<(), AuditError> {
    let mut expected: Vec<_> = expected.collect();
    let mut rows: Vec<_> = index.rows().collect();
    expected.sort_unstable();
    rows.sort_unstable();
    if rows == expected {
        Ok(())
    } else {
        Err(disagreement(what, format_args!("it has {} rows and must have {}, or others", rows.len(), expected.len())))
    }
}
