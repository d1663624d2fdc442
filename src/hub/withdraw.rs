//! Use case: take an own entry back.

use std::sync::Arc;

use super::decide::Intent;
use super::prove::{Prove, ProveError};
use super::sequencer::{SequenceError, Sequencer};
use crate::domain::{CallId, Entropy, EntropyError, EntryId, Timestamp, WithdrawReason};
use crate::ledger::Receipt;
use crate::policy::{MacSecret, Permit, operation};

/// Takes entries back.
#[derive(Clone)]
pub struct Withdraw {
    pub(super) sequencer: Sequencer,
    pub(super) prove: Prove,
    pub(super) secret: MacSecret,
    pub(super) entropy: Arc<dyn Entropy>,
}

/// An entry is taken back.
#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// When that was, the first time.
    pub at: Timestamp,
    /// The withdrawal's own receipt.
    pub receipt: Receipt,
}

/// Why an entry was not taken back.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// It was taken back, but the receipt could not be made.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// No randomness to name the request by.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Withdraw {
    /// Takes `entry` back: no check finds it from now on, and its leaf stays provable. Again: the same answer.
    ///
    /// # Errors
    /// [`WithdrawError`].
    pub async fn run(
        &self,
        permit: &Permit<operation::Withdraw>,
        entry: EntryId,
        reason: WithdrawReason,
    ) -> Result<Withdrawn, WithdrawError> {
        let principal = permit.principal();
        // Who calls from within the program names no request.
        let call = principal.request.clone().map_or_else(|| CallId::random(&*self.entropy), Ok)?;
        let request = self.secret.call_digest(principal.member, &call);
        let intent = Intent::Withdraw { entry, reason, request };
        let sequenced = self.sequencer.submit(permit.authority(), intent).await?;
        let receipt = self.prove.receipt(sequenced.index, &sequenced.checkpoint)?;
        Ok(Withdrawn { at: sequenced.at, receipt })
    }
}
