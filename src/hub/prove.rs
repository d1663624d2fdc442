//! Use case: checkpoints, proofs and receipts. Nothing here reveals an event; a receipt's opening is its caller's to allow.

use std::sync::Arc;

use tokio::sync::watch;

use super::commit::Head;
use crate::domain::FieldError;
use crate::ledger::{
    Hash, Leaf, Opening, ProofError, Receipt, ReceiptLimitError, SignedCheckpoint, VerifierKey, consistency_proof,
    inclusion_proof,
};
use crate::policy::{Permit, operation};
use crate::store::{Store, StoreError, StoredEvent};

/// Proves what the ledger holds.
#[derive(Clone)]
pub struct Prove {
    pub(super) store: Arc<Store>,
    pub(super) head: watch::Receiver<Head>,
    pub(super) verifier: Arc<VerifierKey>,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// An index or size that the ledger does not have.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The ledger's rows do not make a proof: the store is damaged.
    #[error("the ledger's tree is damaged: {0}")]
    Tree(#[from] ProofError<StoreError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The event is too large for a receipt. The hub takes none that is.
    #[error(transparent)]
    Limit(#[from] ReceiptLimitError),
}

/// That a leaf is in the tree of a size.
#[derive(Clone, Debug)]
pub struct Inclusion {
    pub index: u64,
    pub tree_size: u64,
    pub leaf: Leaf,
    pub hashes: Vec<Hash>,
    /// Where `tree_size` is the newest.
    pub checkpoint: Option<Arc<SignedCheckpoint>>,
}

/// That the tree of one size begins with that of a smaller one.
#[derive(Clone, Debug)]
pub struct Consistency {
    pub from_size: u64,
    pub to_size: u64,
    pub hashes: Vec<Hash>,
    /// Where `to_size` is the newest.
    pub checkpoint: Option<Arc<SignedCheckpoint>>,
}

impl Prove {
    /// The newest checkpoint.
    pub fn checkpoint(&self, _permit: &Permit<operation::ReadLedger>) -> Arc<SignedCheckpoint> {
        self.head.borrow().checkpoint.clone()
    }

    /// The key that verifies the hub's checkpoints.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// That leaf `index` is in the tree of `tree_size`, or of the newest size.
    ///
    /// # Errors
    /// [`ProveError::Field`] if the tree is not that large or the leaf not in it.
    pub fn inclusion(
        &self,
        _permit: &Permit<operation::ReadLedger>,
        index: u64,
        tree_size: Option<u64>,
    ) -> Result<Inclusion, ProveError> {
        let head = self.head.borrow().clone();
        let tree_size = at_most("tree_size", tree_size.unwrap_or(head.size), head.size)?;
        let leaf = self.leaf(index, tree_size)?.leaf();
        let hashes = inclusion_proof(index, tree_size, |node| self.store.node(node))?;
        let checkpoint = (tree_size == head.size).then_some(head.checkpoint);
        Ok(Inclusion { index, tree_size, leaf, hashes, checkpoint })
    }

    /// That the tree of `to_size`, or of the newest size, begins with that of `from_size`.
    ///
    /// # Errors
    /// [`ProveError::Field`] if the tree is not that large or the sizes are the wrong way round.
    pub fn consistency(
        &self,
        _permit: &Permit<operation::ReadLedger>,
        from_size: u64,
        to_size: Option<u64>,
    ) -> Result<Consistency, ProveError> {
        let head = self.head.borrow().clone();
        let to_size = at_most("to_size", to_size.unwrap_or(head.size), head.size)?;
        let from_size = at_most("from_size", from_size, to_size)?;
        let hashes = consistency_proof(from_size, to_size, |node| self.store.node(node))?;
        let checkpoint = (to_size == head.size).then_some(head.checkpoint);
        Ok(Consistency { from_size, to_size, hashes, checkpoint })
    }

    /// The receipt of leaf `index` against `checkpoint`, opened: only for who may read the event.
    pub(super) fn receipt(&self, index: u64, checkpoint: &SignedCheckpoint) -> Result<Receipt, ProveError> {
        let size = checkpoint.claimed().size();
        let opening = match self.leaf(index, size)? {
            StoredEvent::Open { salt, event } => Opening::Open { salt, event },
            StoredEvent::Erased { leaf, .. } => Opening::Sealed(leaf),
        };
        let proof = inclusion_proof(index, size, |node| self.store.node(node))?;
        Ok(Receipt::new(opening, index, proof, checkpoint.clone())?)
    }

    /// The same against the newest checkpoint.
    pub(super) fn receipt_now(&self, index: u64) -> Result<Receipt, ProveError> {
        let checkpoint = self.head.borrow().checkpoint.clone();
        self.receipt(index, &checkpoint)
    }

    fn leaf(&self, index: u64, tree_size: u64) -> Result<StoredEvent, ProveError> {
        let found = if index < tree_size { self.store.event(index)? } else { None };
        let problem = || FieldError::new("index", format_args!("must be less than the tree's size, {tree_size}"));
        Ok(found.ok_or_else(problem)?)
    }
}

fn at_most(path: &str, value: u64, max: u64) -> Result<u64, FieldError> {
    if value <= max { Ok(value) } else { Err(FieldError::new(path, format_args!("must be 0 to {max}, got {value}"))) }
}
