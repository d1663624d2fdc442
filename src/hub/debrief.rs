//! Use case: what an incident has come to, in numbers that follow from the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::commit::Head;
use super::incidents::{IncidentView, IncidentsError};
use super::read::{self, ReadError};
use super::turn;
use super::view::Viewer;
use crate::domain::{AppealState, Code, EntryId, Fact, MemberId, Outcome, Producer, SignalKind, Standing, Timestamp};
use crate::policy::{Corroborated, Grounds, IncidentError, Permit, assess, corroborated, is_matchable, operation};
use crate::store::{Store, StoreError};

/// Makes debriefs.
#[derive(Clone)]
pub struct Debriefs {
    pub(super) store: Arc<Store>,
    pub(super) viewer: Viewer,
    pub(super) head: watch::Receiver<Head>,
}

/// What an incident has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debrief {
    pub incident: IncidentView,
    pub at: Timestamp,
    /// Of the ledger when it was begun: all that was before is counted.
    pub ledger_size: u64,
    /// All but those that were erased since.
    pub entries: u64,
    /// Hashes and provenance of these were erased: they are in no other number.
    pub erased: u64,
    pub members: BTreeMap<MemberId, u64>,
    pub standings: BTreeMap<Standing, u64>,
    /// By each of the labels that entries have now.
    pub labels: BTreeMap<Code, u64>,
    pub producers: BTreeMap<Producer, u64>,
    /// Signals, not entries.
    pub signal_kinds: BTreeMap<SignalKind, u64>,
    /// By the beginning of the hour in which they came.
    pub hours: BTreeMap<Timestamp, u64>,
    /// Of those that still match.
    pub corroborated: BTreeMap<Corroborated, u64>,
    /// All that was reported of its entries.
    pub outcomes: BTreeMap<Outcome, u64>,
    pub appeals: BTreeMap<AppealState, u64>,
}

impl Debriefs {
    /// Goes through all entries of the incident `code`. However long that takes, others have their turn in between.
    ///
    /// # Errors
    /// [`IncidentsError`], also if it was never opened.
    pub async fn run(&self, _permit: &Permit<operation::ReadDebrief>, code: Code) -> Result<Debrief, IncidentsError> {
        let (roster, register) = (self.viewer.roster.load_full(), self.viewer.register.load_full());
        let now = self.viewer.clock.now();
        let opened = register.incident(&code).filter(|incident| incident.opened.is_some());
        let mut incident = opened.ok_or(IncidentError::NoSuch(code.clone()))?.clone();
        incident.proposed.clear();
        let ledger_size = self.head.borrow().size;
        let grounds = Grounds { taxonomies: &self.viewer.taxonomies, roster: &roster, register: &register };
        let mut debrief = Debrief {
            incident: IncidentView { is_open: incident.is_open(now), incident },
            at: now,
            ledger_size,
            entries: 0,
            erased: 0,
            members: BTreeMap::new(),
            standings: BTreeMap::new(),
            labels: BTreeMap::new(),
            producers: BTreeMap::new(),
            signal_kinds: BTreeMap::new(),
            hours: BTreeMap::new(),
            corroborated: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            appeals: BTreeMap::new(),
        };
        for id in self.store.incident_entries(&code, EntryId(0))? {
            let id = id?;
            turn::step().await;
            if id.0 >= ledger_size {
                break;
            }
            let Some((entry, state)) = read::entry_with_state(&self.store, id)? else {
                debrief.erased += 1;
                continue;
            };
            let assessment = assess(&entry, &state, &grounds, now);
            debrief.entries += 1;
            add(&mut debrief.members, entry.contributor);
            add(&mut debrief.standings, assessment.standing);
            assessment.labels.into_iter().for_each(|label| add(&mut debrief.labels, label));
            add(&mut debrief.producers, entry.draft.provenance().producer);
            entry.draft.signals().iter().for_each(|signal| add(&mut debrief.signal_kinds, signal.kind()));
            add(&mut debrief.hours, entry.contributed.hour());
            if is_matchable(&state, now) {
                add(&mut debrief.corroborated, corroborated(&entry, &state, &grounds, now));
            }
            self.add_history(id, &mut debrief).await?;
        }
        Ok(debrief)
    }

    /// Counts what was reported of an entry, and appeals against it.
    async fn add_history(&self, id: EntryId, debrief: &mut Debrief) -> Result<(), ReadError> {
        for index in self.store.history(id, usize::MAX)? {
            turn::step().await;
            let event = read::event(&self.store, index)?.filter(|_| index < debrief.ledger_size);
            match event.map(|event| event.fact) {
                Some(Fact::OutcomeReported(report)) => add(&mut debrief.outcomes, report.outcome),
                Some(Fact::AppealOpened { .. }) => {
                    let appeal = self.store.appeal(index)?;
                    appeal.into_iter().for_each(|appeal| add(&mut debrief.appeals, appeal.state));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

impl From<StoreError> for IncidentsError {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}
