//! Use case: statistics of what the ledger holds; and random samples of entries, which auditors judge.

use std::sync::Arc;

use tokio::sync::watch;

use super::commit::Head;
use super::count::Count;
use super::decide::StandingIntent;
use super::load::LoadError;
use super::read::{self, ReadError};
use super::sequencer::{SequenceError, Sequencer};
use super::state::register_of;
use super::survey::{SurveyError, Surveyed, Surveys, survey};
use crate::domain::{
    Action, Assessment, Clock, Code, Context, EntryId, FieldError, ReadKind, Sample, SampleVerdict, Signal, Standing,
    Taxonomies, Timestamp, check_count,
};
use crate::ledger::Hash;
use crate::policy::{
    Gathered, Grounds, Matching, Period, Permit, Roster, Statistics, Tallying, assess, gone, operation,
};
use crate::store::{Snapshot, Store, StoreError};

/// Counts, draws and notes judgements.
#[derive(Clone)]
pub struct Statist {
    pub(super) sequencer: Sequencer,
    pub(super) store: Arc<Store>,
    pub(super) head: watch::Receiver<Head>,
    pub(super) taxonomies: Arc<Taxonomies>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) count: Count,
    pub(super) surveys: Surveys,
}

/// A sample as it is judged: without a word of who contributed what, or what it counts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its leaf.
    pub id: u64,
    pub size: u64,
    pub items: Vec<Item>,
}

/// What an auditor judges by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub entry: EntryId,
    pub signals: Vec<Signal>,
    pub labels: Vec<Code>,
    pub contexts: Vec<Context>,
    pub content_types: Vec<Code>,
}

/// Why there are no statistics.
#[derive(Debug, thiserror::Error)]
pub enum StatisticsError {
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There is no going through all leaves now.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// A row could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Nor what standing rests on.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
}

impl From<StoreError> for StatisticsError {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

impl Statist {
    /// The statistics of a period, as of now. Reads every leaf: seconds, on threads of its own.
    ///
    /// # Errors
    /// [`StatisticsError`].
    pub async fn report(
        &self,
        _permit: &Permit<operation::ReadStatistics>,
        period: Period,
    ) -> Result<Statistics, StatisticsError> {
        let (store, taxonomies, clock) = (self.store.clone(), self.taxonomies.clone(), self.clock.clone());
        self.surveys
            .run(move || {
                let snapshot = store.snapshot();
                let size = snapshot.size()?;
                statistics(&snapshot, size, &taxonomies, period, clock.now())
            })
            .await?
    }

    /// Draws at most `count` (1 to 500) of the entries that match, by the newest root and the auditor's `nonce`, which is recorded.
    /// That they were read is counted.
    ///
    /// # Errors
    /// [`StatisticsError`], also if there are none.
    pub async fn draw(
        &self,
        permit: &Permit<operation::Sample>,
        nonce: [u8; 32],
        count: usize,
    ) -> Result<Drawn, StatisticsError> {
        check_count("count", count, Sample::ENTRIES_MAX)?;
        let head = self.head.borrow().clone();
        let (size, root) = (head.size, head.checkpoint.claimed().root());
        let store = self.store.clone();
        let entries = self.surveys.run(move || draw(&store, size, root, &nonce, count)).await??;
        if entries.is_empty() {
            return Err(FieldError::new("count", "is more than there are: no entry matches").into());
        }
        let sample = Sample { size, nonce, entries: entries.clone() };
        let intent = StandingIntent::DrawSample(sample);
        let id = self.sequencer.submit(permit.authority(), intent.into()).await?.index;
        let mut items = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(found) = read::entry(&self.store, entry)? else { continue };
            let provenance = found.draft.provenance();
            items.push(Item {
                entry,
                signals: found.draft.signals().to_vec(),
                labels: found.draft.labels().to_vec(),
                contexts: provenance.contexts.clone(),
                content_types: provenance.content_types.clone(),
            });
        }
        self.count.add(permit.principal().member, ReadKind::Entries, items.len() as u64)?;
        Ok(Drawn { id, size, items })
    }

    /// Records what an auditor found about an entry of a sample; gives its leaf.
    ///
    /// # Errors
    /// [`StatisticsError`], also if there is no such sample or it has no such entry.
    pub async fn judge(
        &self,
        permit: &Permit<operation::Sample>,
        sample: u64,
        entry: EntryId,
        verdict: SampleVerdict,
    ) -> Result<u64, StatisticsError> {
        let intent = StandingIntent::JudgeSample { sample, entry, verdict };
        Ok(self.sequencer.submit(permit.authority(), intent.into()).await?.index)
    }
}

/// The statistics of the first `size` leaves, which the snapshot is of, as of `at`. The same for a hub and for whoever has made its rows
/// anew from the ledger.
///
/// # Errors
/// [`StatisticsError`] if something cannot be read.
pub fn statistics(
    rows: &Snapshot<'_>,
    size: u64,
    taxonomies: &Taxonomies,
    period: Period,
    at: Timestamp,
) -> Result<Statistics, StatisticsError> {
    let mut tallying = Tallying::new(period);
    each_event(rows.store(), size, |index, event| tallying.event(index, &event))?;
    let mut roster = Roster::default();
    rows.members()?.into_iter().for_each(|member| roster.set_member(member));
    rows.keys()?.into_iter().for_each(|key| roster.set_key(key));
    let register = register_of(rows.store(), rows.register()?)?;
    let grounds = Grounds { taxonomies, roster: &roster, register: &register };
    let is_drill = |incident: Option<&Code>| {
        incident.and_then(|code| register.incident(code)).is_some_and(|incident| incident.is_drill)
    };
    let gathered = survey(rows, size, |gathered: &mut Gathered, surveyed, state| match surveyed {
        Surveyed::Whole(entry) if !is_drill(entry.draft.incident().as_ref()) => {
            let Assessment { standing, action, .. } = assess(entry, state, &grounds, at);
            gathered.add(&period, entry.contributed, state, (standing, action));
        }
        Surveyed::Erased { contributed, remains } if !is_drill(remains.incident.as_ref()) => {
            // Only what had ended was erased.
            let standing = gone(state, at).unwrap_or(Standing::Expired);
            gathered.add(&period, contributed, state, (standing, Action::LogOnly));
        }
        _ => {}
    })?;
    Ok(tallying.finish(gathered, size, at))
}

/// Draws from the entries that match after the first `size` leaves, whose root is `root`.
///
/// # Errors
/// [`ReadError`] if a leaf cannot be read.
pub fn draw(store: &Store, size: u64, root: Hash, nonce: &[u8; 32], count: usize) -> Result<Vec<EntryId>, ReadError> {
    let mut matching = Matching::default();
    each_event(store, size, |index, event| matching.add(index, &event))?;
    Ok(matching.draw(&root.to_bytes(), nonce, count))
}

fn each_event(store: &Store, size: u64, mut each: impl FnMut(u64, crate::domain::Event)) -> Result<(), ReadError> {
    for row in store.events(0)? {
        let (index, stored) = row?;
        if index >= size {
            break;
        }
        each(index, read::decode(index, stored.opening().1)?);
    }
    Ok(())
}
