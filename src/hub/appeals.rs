//! Use case: appeal against an entry that matched, and see what became of appeals.

use std::sync::Arc;

use tokio::sync::watch;

use super::commit::Head;
use super::decide::StandingIntent;
use super::matches::Matches;
use super::read::{self, ReadError};
use super::sequencer::{SequenceError, Sequencer};
use super::turn;
use crate::domain::{Appeal, AppealGround, AppealState, Fact, FieldError, MemberId, Note};
use crate::policy::{Exhausted, Feedback, Meter, Permit, Quotas, operation};
use crate::store::{Store, StoreError};

/// Appeals or reversals in one page, if the caller does not say.
pub const FEEDBACK_PAGE_DEFAULT: usize = 100;
/// The most in one page.
pub const FEEDBACK_PAGE_MAX: usize = 1_000;
/// The most rows that are read for one page: where few are the caller's, a page has fewer, and the next one goes on.
pub(super) const READ_MAX: usize = 4_096;

/// Takes appeals, and tells of them.
#[derive(Clone)]
pub struct Appeals {
    pub(super) sequencer: Sequencer,
    pub(super) store: Arc<Store>,
    pub(super) head: watch::Receiver<Head>,
    pub(super) matches: Matches,
    pub(super) quotas: Quotas,
}

/// An appeal as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppealView {
    pub appeal: Appeal,
    pub note: Option<Note>,
    /// Whether it is open and its deadline has passed.
    pub is_overdue: bool,
}

/// Some appeals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppealPage {
    /// Oldest first.
    pub appeals: Vec<AppealView>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<u64>,
}

/// Why feedback was not taken, or not told.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// There is no such member, or its trust is not the caller's to see: the two look the same.
    #[error("member {0}: no such member, or not one whose trust you may see")]
    NoSuchMember(MemberId),
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The caller has said as much as it may for now.
    #[error(transparent)]
    Quota(#[from] Exhausted),
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// Something could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<StoreError> for FeedbackError {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

impl Appeals {
    /// Appeals against the entry of a match; gives the appeal, and whether it was open before.
    ///
    /// # Errors
    /// [`FeedbackError`].
    pub async fn open(
        &self,
        permit: &Permit<operation::Appeal>,
        receipt: &str,
        ground: AppealGround,
        note: Option<Note>,
    ) -> Result<(AppealView, bool), FeedbackError> {
        let principal = permit.principal();
        let entry = self.matches.entry_of(principal.member, receipt)?;
        self.quotas.take(principal, Meter::Feedback, 1, self.matches.now())?;
        let intent = StandingIntent::Appeal { entry, ground, note };
        let sequenced = self.sequencer.submit(permit.authority(), intent.into()).await?;
        if sequenced.repeated {
            self.quotas.give_back(principal, Meter::Feedback, 1);
        }
        let damaged = || FieldError::new("receipt", "its appeal cannot be read");
        let appeal = self.store.appeal(sequenced.index)?.ok_or_else(damaged)?;
        Ok((self.view(appeal)?, sequenced.repeated))
    }

    /// At most `size` appeals from `from` on: the caller's member's, or everybody's.
    ///
    /// # Errors
    /// [`FeedbackError::Read`].
    pub async fn page(
        &self,
        permit: &Permit<operation::ListAppeals>,
        open_only: bool,
        from: u64,
        size: usize,
    ) -> Result<AppealPage, FeedbackError> {
        let principal = permit.principal();
        let sees_all = principal.sight().feedback == Feedback::All;
        let committed = self.head.borrow().size;
        let mut appeals = Vec::new();
        for (read, row) in self.store.appeals(from)?.enumerate() {
            let appeal = row?;
            // What is on disk but not yet in a checkpoint is not there yet.
            if appeal.id >= committed {
                break;
            }
            if appeals.len() == size || read == READ_MAX {
                return Ok(AppealPage { appeals, next: Some(appeal.id) });
            }
            let is_wanted = !open_only || appeal.state == AppealState::Open;
            if is_wanted && (sees_all || appeal.by == principal.member) {
                appeals.push(self.view(appeal)?);
            }
            turn::step().await;
        }
        Ok(AppealPage { appeals, next: None })
    }

    fn view(&self, appeal: Appeal) -> Result<AppealView, ReadError> {
        let note = match read::event(&self.store, appeal.id)?.map(|event| event.fact) {
            Some(Fact::AppealOpened { note, .. }) => note,
            _ => None,
        };
        let is_overdue = appeal.state == AppealState::Open && appeal.deadline <= self.matches.now();
        Ok(AppealView { appeal, note, is_overdue })
    }
}
