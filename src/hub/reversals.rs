//! Use case: learn which of one's own matches were wrong.

use std::sync::Arc;

use tokio::sync::watch;

use super::appeals::{FeedbackError, READ_MAX};
use super::commit::Head;
use super::matches::Matches;
use super::read;
use super::turn;
use crate::domain::{Code, EntryId, Fact, Met, Timestamp};
use crate::policy::{Permit, operation};
use crate::store::Store;

/// Tells of reversals.
#[derive(Clone)]
pub struct Reversals {
    pub(super) store: Arc<Store>,
    pub(super) head: watch::Receiver<Head>,
    pub(super) matches: Matches,
}

/// That an entry which a member met counts for less, or for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// The leaf that says so.
    pub event: u64,
    pub entry: EntryId,
    pub at: Timestamp,
    /// The ruling's code, or `withdraw`.
    pub ruling: String,
    /// The code of why.
    pub reason: String,
    /// Of a relabelling, the labels from then on.
    pub labels: Vec<Code>,
    /// How the member met it until then.
    pub met: Met,
}

/// Some reversals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReversalPage {
    /// In the order of their leaves.
    pub reversals: Vec<Reversal>,
    /// Where to go on.
    pub next: u64,
    /// Whether there is more to read at once.
    pub more: bool,
}

impl Reversals {
    /// At most `size` reversals from leaf `since` on, of entries that the caller's member met before.
    ///
    /// # Errors
    /// [`FeedbackError::Read`].
    pub async fn page(
        &self,
        permit: &Permit<operation::ListReversals>,
        since: u64,
        size: usize,
    ) -> Result<ReversalPage, FeedbackError> {
        let member = permit.principal().member;
        let committed = self.head.borrow().size;
        let mut reversals = Vec::new();
        for (read, row) in self.store.reversals(since)?.enumerate() {
            let (event, entry) = row?;
            // What is on disk but not yet in a checkpoint is not there yet.
            if event >= committed {
                break;
            }
            if reversals.len() == size || read == READ_MAX {
                return Ok(ReversalPage { reversals, next: event, more: true });
            }
            reversals.extend(self.reversal(event, entry, member)?);
            turn::step().await;
        }
        // Nothing below the ledger's size will be added.
        Ok(ReversalPage { reversals, next: committed.max(since), more: false })
    }

    fn reversal(
        &self,
        index: u64,
        entry: EntryId,
        member: crate::domain::MemberId,
    ) -> Result<Option<Reversal>, FeedbackError> {
        let Some(event) = read::event(&self.store, index)? else { return Ok(None) };
        let Some(met) = self.matches.met(entry, member, event.at)? else { return Ok(None) };
        let (ruling, reason, labels) = match event.fact {
            Fact::Decided { decision, .. } => {
                (decision.ruling.to_string(), decision.reason.to_string(), decision.labels)
            }
            Fact::Withdrawn { reason, .. } => ("withdraw".to_owned(), reason.to_string(), Vec::new()),
            _ => return Ok(None),
        };
        Ok(Some(Reversal { event: index, entry, at: event.at, ruling, reason, labels, met }))
    }
}
