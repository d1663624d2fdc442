//! Use case: put an item on the list.

use std::sync::Arc;

use super::decide::Intent;
use super::prove::{Prove, ProveError};
use super::read::{self, ReadError};
use super::sequencer::{SequenceError, Sequencer};
use super::view::Viewer;
use crate::domain::{Action, Assessment, Draft, EntryId, FieldError, RequestId, Standing, Taxonomies};
use crate::ledger::Receipt;
use crate::policy::{Admission, Exhausted, MacSecret, Meter, Permit, Principal, Quotas, admit, operation};
use crate::store::Store;

/// Takes contributions.
#[derive(Clone)]
pub struct Contribute {
    pub(super) sequencer: Sequencer,
    pub(super) prove: Prove,
    pub(super) store: Arc<Store>,
    pub(super) viewer: Viewer,
    pub(super) secret: MacSecret,
    pub(super) taxonomies: Arc<Taxonomies>,
    pub(super) quotas: Quotas,
}

/// What became of a contribution.
#[derive(Clone, Debug)]
pub enum Contributed {
    /// It is in the ledger: durable, provable, and, unless its standing says otherwise, found by every check from now on.
    Accepted {
        entry: EntryId,
        /// An earlier request of the same id had already put it there.
        repeated: bool,
        /// What it counts for, and why: the entry of an earlier request may have been withdrawn or have expired since.
        assessment: Box<Assessment>,
        /// If asked for.
        receipt: Option<Box<Receipt>>,
    },
    /// Its PDQ hash number `signal` says too little to share or match.
    TooFeatureless { signal: usize },
}

/// Why a contribution was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ContributeError {
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The caller has contributed as much as it may for now.
    #[error(transparent)]
    Quota(#[from] Exhausted),
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// It was taken, but its receipt could not be made.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// It was taken, but could not be read again.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Contribute {
    /// Puts `draft` on the list. The same `request` and draft again give the same entry again.
    ///
    /// # Errors
    /// [`ContributeError`]; nothing was written, except where [`SequenceError::Stopped`] or
    /// [`ContributeError::Prove`] say so.
    pub async fn run(
        &self,
        permit: &Permit<operation::Contribute>,
        request: &RequestId,
        draft: Draft,
        with_receipt: bool,
    ) -> Result<Contributed, ContributeError> {
        let taxonomy = self.taxonomies.current();
        if let Admission::TooFeatureless { signal } = admit(&draft, taxonomy).map_err(|error| error.within("draft"))? {
            return Ok(Contributed::TooFeatureless { signal });
        }
        self.quotas.take(permit.principal(), Meter::Contributions, 1, self.viewer.clock.now())?;
        let intent = Intent::Contribute {
            request: self.secret.request_digest(permit.principal().member, request),
            taxonomy: taxonomy.version,
            draft: Box::new(draft),
        };
        let sequenced = self.sequencer.submit(permit.authority(), intent).await;
        if sequenced.as_ref().map_or(true, |sequenced| sequenced.repeated) {
            // Nothing was put on the list.
            self.quotas.give_back(permit.principal(), Meter::Contributions, 1);
        }
        let sequenced = sequenced?;
        let receipt = if with_receipt {
            Some(Box::new(self.prove.receipt(sequenced.index, &sequenced.checkpoint)?))
        } else {
            None
        };
        let entry = EntryId(sequenced.index);
        let (repeated, assessment) = (sequenced.repeated, Box::new(self.assessment(permit.principal(), entry)?));
        Ok(Contributed::Accepted { entry, repeated, assessment, receipt })
    }

    fn assessment(&self, principal: &Principal, entry: EntryId) -> Result<Assessment, ReadError> {
        let found = read::entry_with_state(&self.store, entry)?;
        // One whose event was erased counts for nothing.
        let (labels, reasons) = (Vec::new(), Vec::new());
        let erased = Assessment { standing: Standing::Revoked, action: Action::LogOnly, labels, reasons };
        Ok(found.map_or(erased, |(entry, state)| self.viewer.view(entry, &state, principal).assessment))
    }
}
