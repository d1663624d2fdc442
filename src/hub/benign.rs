//! Use case: the benign list. Put items on it, take them off, list them.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::decide::StandingIntent;
use super::read::{self, ReadError};
use super::sequencer::{SequenceError, Sequencer};
use super::turn;
use crate::domain::{self, Actor, FieldError, MemberId, Signal, Timestamp};
use crate::policy::{Permit, operation};
use crate::store::Store;

/// The most items of one request, and of a page.
pub const BENIGN_ITEMS_MAX: usize = 256;

/// Keeps the benign list.
#[derive(Clone)]
pub struct BenignList {
    pub(super) sequencer: Sequencer,
    pub(super) store: Arc<Store>,
}

/// An item that is on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddedBenign {
    /// Its leaf.
    pub id: u64,
    /// An item of the same signals was there already.
    pub repeated: bool,
}

/// An item and when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBenign {
    pub id: u64,
    pub item: domain::Benign,
    pub added: Timestamp,
    pub by: Option<MemberId>,
}

/// Why the list was not changed.
#[derive(Debug, thiserror::Error)]
pub enum BenignError {
    /// The item is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// The list could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl BenignList {
    /// Puts items on the list; what becomes of each, in their order. An item whose signals are all those of one that is there is that one.
    pub async fn add(
        &self,
        permit: &Permit<operation::Review>,
        items: Vec<Result<domain::Benign, FieldError>>,
    ) -> Vec<Result<AddedBenign, BenignError>> {
        let mut first_of: HashMap<Vec<Signal>, usize> = HashMap::new();
        let mut pending = Vec::with_capacity(items.len());
        for (at, item) in items.into_iter().enumerate() {
            let same =
                item.as_ref().ok().map(|item| *first_of.entry(sorted(item)).or_insert(at)).filter(|one| *one != at);
            pending.push((same, item));
        }
        let answers = join_all(pending.iter().map(|(same, item)| async move {
            match (same, item) {
                (None, item) => Some(self.add_one(permit, item.clone()).await),
                (Some(_), _) => None,
            }
        }));
        let mut answers: Vec<_> = answers.await;
        for (at, (same, _)) in pending.iter().enumerate() {
            let Some(same) = same else { continue };
            answers[at] = answers[*same].as_ref().map(|answer| match answer {
                Ok(added) => Ok(AddedBenign { repeated: true, ..*added }),
                // As it went with the first of them: its turn is over.
                Err(_) => Err(SequenceError::QueueFull.into()),
            });
        }
        answers.into_iter().flatten().collect()
    }

    async fn add_one(
        &self,
        permit: &Permit<operation::Review>,
        item: Result<domain::Benign, FieldError>,
    ) -> Result<AddedBenign, BenignError> {
        let item = item?;
        if let Some(id) = self.find(&item)? {
            return Ok(AddedBenign { id, repeated: true });
        }
        let intent = StandingIntent::AddBenign(item);
        let sequenced = self.sequencer.submit(permit.authority(), intent.into()).await?;
        Ok(AddedBenign { id: sequenced.index, repeated: false })
    }

    /// The item on the list that has the same signals.
    fn find(&self, item: &domain::Benign) -> Result<Option<u64>, ReadError> {
        let Some(first) = item.signals().first() else { return Ok(None) };
        for id in self.store.equal_benign(&first.unrated())? {
            if read::benign(&self.store, id)?.is_some_and(|(other, _)| sorted(&other) == sorted(item)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Takes an item off the list; gives the leaf that says so.
    ///
    /// # Errors
    /// [`BenignError`], also if there is no such item now.
    pub async fn remove(&self, permit: &Permit<operation::Review>, id: u64) -> Result<u64, BenignError> {
        let intent = StandingIntent::RemoveBenign(id);
        match self.sequencer.submit(permit.authority(), intent.into()).await {
            Ok(sequenced) => Ok(sequenced.index),
            Err(error) => Err(error.into()),
        }
    }

    /// At most `size` items from `from` on, oldest first; and from where the next page goes on, if there is one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn list(
        &self,
        _permit: &Permit<operation::ReadQueue>,
        from: u64,
        size: usize,
    ) -> Result<(Vec<ListedBenign>, Option<u64>), ReadError> {
        let mut items = Vec::new();
        for id in self.store.benign_items(from)? {
            turn::step().await;
            let id = id?;
            if items.len() == size {
                return Ok((items, Some(id)));
            }
            let Some((item, event)) = read::benign(&self.store, id)? else { continue };
            let by = match event.by {
                Actor::Hub => None,
                Actor::Member { member, .. } => Some(member),
            };
            items.push(ListedBenign { id, item, added: event.at, by });
        }
        Ok((items, None))
    }
}

fn sorted(item: &domain::Benign) -> Vec<Signal> {
    let mut signals: Vec<_> = item.signals().iter().map(|signal| signal.unrated()).collect();
    signals.sort_unstable();
    signals
}
