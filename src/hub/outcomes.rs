//! Use case: say what came of a match.

use super::appeals::FeedbackError;
use super::decide::StandingIntent;
use super::matches::Matches;
use super::sequencer::Sequencer;
use crate::domain::{Code, EntryId, FieldError, Note, Outcome, OutcomeReason, Report, SignalKind};
use crate::policy::{Entries, Meter, Permit, Quotas, operation};

/// Takes reports.
#[derive(Clone)]
pub struct ReportOutcome {
    pub(super) sequencer: Sequencer,
    pub(super) matches: Matches,
    pub(super) quotas: Quotas,
}

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A match, by its receipt.
    Match(String),
    /// An entry, for those who may trace it.
    Entry(EntryId),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub outcome: Outcome,
    /// Sorted. None: all of the entry's.
    pub labels: Vec<Code>,
    pub kind: Option<SignalKind>,
    pub reason: OutcomeReason,
    pub note: Option<Note>,
}

impl ReportOutcome {
    /// Adds a report; gives its leaf and the entry that it is about.
    ///
    /// # Errors
    /// [`FeedbackError`]; nothing was written then.
    pub async fn run(
        &self,
        permit: &Permit<operation::Report>,
        subject: &Subject,
        finding: Finding,
    ) -> Result<(u64, EntryId), FeedbackError> {
        let principal = permit.principal();
        let entry = match subject {
            Subject::Match(receipt) => self.matches.entry_of(principal.member, receipt)?,
            Subject::Entry(entry) if principal.sight().entries == Entries::All => *entry,
            Subject::Entry(_) => {
                let problem = "is for those who may trace all entries: give the match's receipt";
                return Err(FieldError::new("entry_id", problem).into());
            }
        };
        self.quotas.take(principal, Meter::Feedback, 1, self.matches.now())?;
        let Finding { outcome, labels, kind, reason, note } = finding;
        let report = Report { entry, outcome, labels, kind, reason, note };
        let intent = StandingIntent::Report(report);
        let sequenced = self.sequencer.submit(permit.authority(), intent.into()).await?;
        Ok((sequenced.index, entry))
    }
}
