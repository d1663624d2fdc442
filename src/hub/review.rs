//! Use cases of reviewers: decide on entries, and say that an entity was taken off its list.

use std::sync::Arc;

use super::decide::StandingIntent;
use super::read::{self, ReadError};
use super::sequencer::{SequenceError, Sequencer};
use super::turn;
use super::view::{EntryView, Viewer};
use crate::domain::{Decision, EntryId, Fact, Reference, Taxonomies};
use crate::policy::{Permit, is_matchable, operation};
use crate::store::Store;

/// Takes reviewers' decisions.
#[derive(Clone)]
pub struct Review {
    pub(super) sequencer: Sequencer,
    pub(super) store: Arc<Store>,
    pub(super) viewer: Viewer,
    pub(super) taxonomies: Arc<Taxonomies>,
}

/// What became of a decision.
#[derive(Clone, Debug)]
pub struct Ruled {
    /// The entry as it stands now.
    pub view: EntryView,
    /// If not, it waits for a second reviewer.
    pub acts: bool,
    /// Its leaf.
    pub event: u64,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// It was taken, but could not be read again.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Review {
    /// Decides on `entry`. Labels are those of the entry's own taxonomy.
    ///
    /// # Errors
    /// [`ReviewError`]; [`crate::policy::RulingError`] in it says why a decision does not stand.
    pub async fn decide(
        &self,
        permit: &Permit<operation::Review>,
        entry: EntryId,
        decision: Decision,
    ) -> Result<Ruled, ReviewError> {
        let version = read::entry(&self.store, entry)?.map(|entry| entry.taxonomy);
        let taxonomy = version.and_then(|version| self.taxonomies.version(version));
        let taxonomy = Arc::new(taxonomy.unwrap_or_else(|| self.taxonomies.current()).clone());
        let intent = StandingIntent::Decide { entry, decision, taxonomy };
        let sequenced = self.sequencer.submit(permit.authority(), intent.into()).await?;
        let acts = read::event(&self.store, sequenced.index)?
            .is_some_and(|event| matches!(event.fact, Fact::Decided { is_enough: true, .. }));
        // It was there a moment ago.
        let (found, state) = read::entry_with_state(&self.store, entry)?
            .ok_or(SequenceError::Refused(super::Refusal::NoSuchEntry(entry)))?;
        let view = self.viewer.view(found, &state, permit.principal());
        Ok(Ruled { view, acts, event: sequenced.index })
    }

    /// Notes that `entity` was taken off its list; gives the leaf that says so, and how many entries that match rest on its listing.
    ///
    /// # Errors
    /// [`ReviewError`].
    pub async fn delist(
        &self,
        permit: &Permit<operation::Delist>,
        entity: Reference,
    ) -> Result<(u64, u64), ReviewError> {
        let intent = StandingIntent::Delist(entity.clone());
        let sequenced = self.sequencer.submit(permit.authority(), intent.into()).await?;
        let (mut entries, now) = (0, self.viewer.clock.now());
        for entry in self.store.listed_entries(&entity, EntryId(0)).map_err(ReadError::from)? {
            turn::step().await;
            let state = self.store.entry_state(entry.map_err(ReadError::from)?).map_err(ReadError::from)?;
            entries += u64::from(state.is_some_and(|state| is_matchable(&state, now)));
        }
        Ok((sequenced.index, entries))
    }
}
