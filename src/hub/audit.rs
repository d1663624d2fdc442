//! Use case: check that everything the hub holds follows from its ledger, and the ledger from its leaves.
//!
//! Slow by design: it reads every row. Invariants 1 and 2 of the design are what it checks.

use std::collections::BTreeSet;

use super::fold::{Change, fold};
use super::read;
use super::state::Indexes;
use crate::domain::{EntryId, EntryState, Signal, SignalKind, Timestamp};
use crate::index::{Reader, Row};
use crate::ledger::{Frontier, NodeId, SignedCheckpoint, VerifierKey};
use crate::policy::{Roster, expiry_passed};
use crate::store::{SignalRow, Store, StoreError, StoredEvent};

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
    let mut folded = Folded::default();
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
        if let StoredEvent::Open { event, .. } = stored {
            folded.add(store, index, &event)?;
        }
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

/// What the folded rows must be.
#[derive(Default)]
struct Folded {
    roster: Roster,
    entries: Vec<(EntryId, EntryState)>,
    signals: BTreeSet<(Signal, EntryId, Option<Timestamp>)>,
    administrative: Vec<(u64, Timestamp)>,
}

impl Folded {
    fn add(&mut self, store: &Store, index: u64, event: &[u8]) -> Result<(), AuditError> {
        let event = read::decode(index, event).map_err(|error| disagreement("events", error))?;
        let changes = fold(index, &event, &self.roster, |id| read::entry(store, id))
            .map_err(|error| disagreement("events", error))?;
        for change in changes {
            change.apply_to(&mut self.roster);
            match change {
                Change::Entry(id, state) => match self.entries.binary_search_by_key(&id, |(id, _)| *id) {
                    Ok(at) => self.entries[at].1 = state,
                    Err(at) => self.entries.insert(at, (id, state)),
                },
                Change::SignalAdded(SignalRow { signal, entry, valid_until }) => {
                    self.signals.insert((signal, entry, valid_until));
                }
                Change::SignalRemoved(signal, entry) => {
                    self.signals.retain(|(other, of, _)| (other, of) != (&signal, &entry));
                }
                Change::Request(request, index) => {
                    if store.request(&request)? != Some(index) {
                        return Err(disagreement(
                            "requests",
                            format_args!("event {index} is not found by its request"),
                        ));
                    }
                }
                Change::Administrative(index, at) => self.administrative.push((index, at)),
                Change::Member(_) | Change::Key(_) => {}
            }
        }
        Ok(())
    }

    fn compare(&self, store: &Store, report: &mut Report) -> Result<(), AuditError> {
        let entries: Vec<_> = store.entries()?.collect::<Result<_, _>>()?;
        if entries != self.entries {
            return Err(disagreement("entries", "the rows are not the fold of the events"));
        }
        report.entries = entries.len() as u64;
        let mut signals = BTreeSet::new();
        for kind in SignalKind::ALL {
            for row in store.signals(*kind)? {
                let row = row?;
                signals.insert((row.signal, row.entry, row.valid_until));
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
        if roster != self.roster {
            return Err(disagreement("members and keys", "the rows are not the fold of the events"));
        }
        Ok(())
    }

    fn compare_indexes(&self, indexes: &Indexes, now: Timestamp) -> Result<(), AuditError> {
        let live = || self.signals.iter().filter(|(_, _, valid_until)| !expiry_passed(*valid_until, now));
        let pdq = live().filter_map(|(signal, entry, _)| match signal {
            Signal::Pdq { hash, .. } => Some((hash.words(), entry.0)),
            _ => None,
        });
        same_rows("pdq index", &indexes.pdq, pdq)?;
        let phash = live().filter_map(|(signal, entry, _)| match signal {
            Signal::Phash(hash) => Some(([hash.word()], entry.0)),
            _ => None,
        });
        same_rows("phash index", &indexes.phash, phash)?;
        let dhash = live().filter_map(|(signal, entry, _)| match signal {
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
