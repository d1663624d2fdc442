//! Use case: everything the hub knows of one entry.

use std::sync::Arc;

use super::check::{Evidence, QUERIES_MAX};
use super::count::Count;
use super::prove::{Prove, ProveError};
use super::read::{self, ReadError};
use super::unseal::Unseal;
use super::view::{EntryView, Viewer};
use crate::domain::{
    Actor, At, EntryId, Event, EventKind, Fact, FieldError, Label, MemberId, Note, ReadKind, Signal, Taxonomies,
    Timestamp,
};
use crate::ledger::Receipt;
use crate::policy::{Entries, Nearness, Permit, operation};
use crate::store::Store;

/// Events of an entry that are told, the first.
const STEPS_MAX: usize = 1_000;

/// Traces entries.
#[derive(Clone)]
pub struct Trace {
    pub(super) store: Arc<Store>,
    pub(super) prove: Prove,
    pub(super) viewer: Viewer,
    pub(super) taxonomies: Arc<Taxonomies>,
    pub(super) count: Count,
    pub(super) unseal: Unseal,
}

/// One event in an entry's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub index: u64,
    pub at: Timestamp,
    pub kind: EventKind,
    /// `None`: the hub itself; or a member that said what came of a match, where the caller is not to know which.
    pub actor: Option<MemberId>,
    /// The code of why, where the event says it; of an outcome and a ruling also which.
    pub reason: Option<String>,
    /// What whoever did it added, for those who read all entries.
    pub note: Option<Note>,
}

/// Everything about one entry.
#[derive(Clone, Debug)]
pub struct Traced {
    pub view: EntryView,
    /// Distances from the signals the caller brought: strong kinds first, then nearest first.
    pub evidence: Vec<Evidence>,
    /// The entry's labels as its taxonomy defines them.
    pub labels: Vec<Label>,
    /// Oldest first.
    pub history: Vec<Step>,
    pub receipt: Receipt,
}

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// There is no such entry, or it is not the caller's to see: the two look the same.
    #[error("entry {0}: no such entry, or not one you may see")]
    NoSuchEntry(EntryId),
    /// Its hashes and provenance are gone; told to who could see it.
    #[error("entry {entry}: was erased on {at} (leaf {by}), as the policy's retention says")]
    Erased { entry: EntryId, by: u64, at: Timestamp },
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be proven.
    #[error(transparent)]
    Prove(#[from] ProveError),
}

impl Trace {
    /// Traces entry `id`. Distances are given from each of `against`, at most 16. That somebody else's entry was read is counted.
    ///
    /// # Errors
    /// [`TraceError`].
    pub async fn run(
        &self,
        permit: &Permit<operation::Trace>,
        id: EntryId,
        against: &[Signal],
    ) -> Result<Traced, TraceError> {
        if against.len() > QUERIES_MAX {
            return Err(format!("must be at most {QUERIES_MAX}, got {}", against.len()))
                .at("against")
                .map_err(TraceError::Field);
        }
        let principal = permit.principal();
        let sees_all = principal.sight().entries == Entries::All;
        // What is on disk but not yet in a checkpoint is not there yet.
        let provable = id.0 < self.prove.head.borrow().size;
        let found = read::entry_with_state(&self.store, id)?
            .filter(|_| provable)
            .filter(|(entry, _)| sees_all || entry.contributor == principal.member);
        let Some((entry, state)) = found else { return Err(self.no_such(id, principal.member, sees_all)?) };
        let mut history = vec![Step {
            index: id.0,
            at: entry.contributed,
            kind: EventKind::Contributed,
            actor: Some(entry.contributor),
            reason: None,
            note: None,
        }];
        for event in self.store.history(id, STEPS_MAX).map_err(ReadError::from)? {
            // What is on disk but not yet in a checkpoint is not there yet.
            if event < self.prove.head.borrow().size {
                history.extend(self.step(event, sees_all)?);
            }
        }
        let evidence = distances(against, entry.draft.signals());
        let labels = self.labels(entry.taxonomy, entry.draft.labels());
        let receipt = self.prove.receipt_now(id.0)?;
        let view = self.viewer.view(entry, &state, principal);
        if !view.contributor.is_caller {
            self.count.add(principal.member, ReadKind::Entries, 1).map_err(ReadError::from)?;
            self.unseal.run(&permit.authority(), view.names()).await.map_err(ReadError::from)?;
        }
        Ok(Traced { view, evidence, labels, history, receipt })
    }

    /// Why there is no entry to trace.
    fn no_such(&self, id: EntryId, caller: MemberId, sees_all: bool) -> Result<TraceError, ReadError> {
        let event = read::event(&self.store, id.0)?.filter(|event| matches!(event.fact, Fact::Remains(_)));
        let is_own = |event: &Event| matches!(event.by, Actor::Member { member, .. } if member == caller);
        let by = match event.filter(|event| sees_all || is_own(event)) {
            Some(_) => self.store.entry_state(id)?.and_then(|state| state.erased),
            None => None,
        };
        let Some(by) = by else { return Ok(TraceError::NoSuchEntry(id)) };
        let at = read::time(&self.store, by)?.ok_or(ReadError::NoSuchEvent { index: by })?;
        Ok(TraceError::Erased { entry: id, by, at })
    }

    fn step(&self, index: u64, sees_all: bool) -> Result<Option<Step>, ReadError> {
        let Some(event) = read::event(&self.store, index)? else { return Ok(None) };
        let (reason, note) = match &event.fact {
            Fact::Withdrawn { reason, .. } => (Some(reason.to_string()), None),
            Fact::OutcomeReported(report) => {
                (Some(format!("{}: {}", report.outcome, report.reason)), report.note.clone())
            }
            Fact::Decided { decision, is_enough, .. } => {
                let proposed = if *is_enough { "" } else { " (proposed)" };
                (Some(format!("{}: {}{proposed}", decision.ruling, decision.reason)), None)
            }
            Fact::AppealOpened { ground, note, .. } => (Some(ground.to_string()), note.clone()),
            Fact::FloodSeen { matches, usual, .. } => (Some(format!("{matches} matches, {usual} usual")), None),
            _ => (None, None),
        };
        let is_feedback = matches!(event.fact, Fact::OutcomeReported(_) | Fact::AppealOpened { .. });
        Ok(Some(Step {
            index,
            at: event.at,
            kind: event.fact.kind(),
            actor: match event.by {
                Actor::Hub => None,
                // Whoever objects to an entry is not to be asked why by its contributor.
                Actor::Member { .. } if is_feedback && !sees_all => None,
                Actor::Member { member, .. } => Some(member),
            },
            reason,
            note: note.filter(|_| sees_all),
        }))
    }

    fn labels(&self, version: u32, codes: &[crate::domain::Code]) -> Vec<Label> {
        let Some(taxonomy) = self.taxonomies.version(version) else { return Vec::new() };
        codes.iter().map(|code| taxonomy.describe(code)).collect()
    }
}

/// Every pair of signals of one kind that has a distance, strong kinds first, then nearest first.
fn distances(against: &[Signal], stored: &[Signal]) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    for (query, signal) in against.iter().enumerate() {
        let found = stored.iter().filter_map(|stored| signal.distance(stored));
        // Whoever reads an entry reads its hashes.
        evidence.extend(found.map(|distance| Evidence::new(query, signal.kind(), distance, Nearness::Distances)));
    }
    evidence.sort_by_key(|evidence| (evidence.rank(), evidence.query));
    evidence
}
