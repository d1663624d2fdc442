//! Use case: take an own entry back.

use super::decide::Intent;
use super::prove::{Prove, ProveError};
use super::sequencer::{SequenceError, Sequencer};
use crate::domain::{EntryId, Timestamp, WithdrawReason};
use crate::ledger::Receipt;
use crate::policy::{Permit, operation};

/// Takes entries back.
#[derive(Clone)]
pub struct Withdraw {
    pub(super) sequencer: Sequencer,
    pub(super) prove: Prove,
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
        let sequenced = self.sequencer.submit(permit.authority(), Intent::Withdraw { entry, reason }).await?;
        let receipt = self.prove.receipt(sequenced.index, &sequenced.checkpoint)?;
        Ok(Withdrawn { at: sequenced.at, receipt })
    }
}
