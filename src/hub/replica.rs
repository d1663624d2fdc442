//! A ledger's events in a store of their own, folded as a hub folds them when it starts: to compute again what a hub says.

use std::path::Path;

use tokio::sync::watch;

use super::catch_up::catch_up;
use super::load::Loader;
use super::open::StartError;
use super::read;
use super::state::State;
use super::statistics::{StatisticsError, draw, statistics};
use crate::domain::{EntryId, Fact, Sample, Taxonomies, Timestamp};
use crate::ledger::{Frontier, Hash};
use crate::policy::{Period, Statistics};
use crate::store::{OpenError, Store, StoreError, StoredEvent};

/// Events that are written at once.
const BATCH_EVENTS: u64 = 1_000;

/// The first leaves of a ledger and all that follows from them.
#[derive(Debug)]
pub struct Replica {
    store: Store,
    frontier: Frontier,
}

/// Why events cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the ledger cannot be folded: {0}")]
    Fold(#[from] StartError),
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
    /// It does not draw what it says it drew from these leaves.
    #[error("sample {id} is not what is drawn from its root and nonce")]
    Sample { id: u64 },
}

impl Replica {
    /// A replica of no leaves yet, in an empty folder.
    ///
    /// # Errors
    /// [`ReplicaError`] if the folder cannot be used.
    pub fn new(directory: &Path) -> Result<Self, ReplicaError> {
        Ok(Self { store: Store::open(directory)?, frontier: Frontier::empty() })
    }

    /// Adds the next leaves.
    ///
    /// # Errors
    /// [`ReplicaError`] if they cannot be written.
    pub fn extend(&mut self, leaves: impl IntoIterator<Item = StoredEvent>) -> Result<(), ReplicaError> {
        let mut batch = self.store.batch();
        for stored in leaves {
            batch.put_stored(self.frontier.size(), &stored)?;
            self.frontier.append(stored.leaf().hash(), |_, _| {});
            if self.frontier.size().is_multiple_of(BATCH_EVENTS) {
                std::mem::replace(&mut batch, self.store.batch()).commit()?;
            }
        }
        Ok(batch.commit()?)
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Folds the leaves, and computes the statistics of a period as of `at`.
    ///
    /// # Errors
    /// [`ReplicaError`] if they do not fit one another.
    pub fn statistics(&self, period: Period, at: Timestamp) -> Result<Statistics, ReplicaError> {
        let (_stop, stopping) = watch::channel(false);
        let mut loader = Loader::new(&self.store, at, &stopping).map_err(StartError::from)?;
        let mut state = State::load(&self.store, &mut loader).map_err(StartError::from)?;
        catch_up(&self.store, &mut state, self.size(), &stopping)?;
        let taxonomies = Taxonomies::shipped().map_err(StartError::Taxonomy)?;
        Ok(statistics(&self.store.snapshot(), self.size(), &taxonomies, period, at)?)
    }

    /// Draws every sample again.
    ///
    /// # Errors
    /// [`ReplicaError::Sample`] of the first that comes out otherwise.
    pub fn draw_again(&self) -> Result<(), ReplicaError> {
        let mut frontier = Frontier::empty();
        let mut samples: Vec<(u64, Sample)> = Vec::new();
        let mut roots = vec![frontier.root()];
        for index in 0..self.size() {
            let Some(stored) = self.store.event(index)? else { break };
            frontier.append(stored.leaf().hash(), |_, _| {});
            let event = read::event(&self.store, index).map_err(StatisticsError::from)?;
            if let Some(Fact::SampleDrawn(sample)) = event.map(|event| event.fact) {
                samples.push((index, sample));
            }
            roots.push(frontier.root());
        }
        for (id, sample) in samples {
            let root = usize::try_from(sample.size).ok().and_then(|size| roots.get(size));
            let root = root.filter(|_| sample.size <= id).ok_or(ReplicaError::Sample { id })?;
            let drawn = draw(&self.store, sample.size, *root, &sample.nonce, sample.entries.len());
            let drawn: Vec<EntryId> = drawn.map_err(StatisticsError::from)?;
            if drawn != sample.entries {
                return Err(ReplicaError::Sample { id });
            }
        }
        Ok(())
    }
}
