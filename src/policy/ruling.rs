//! Who may decide what about an entry, and how many it takes.

use std::time::Duration;

use super::Roster;
use crate::domain::{
    At, Code, Decided, Decision, Entry, EntryState, FieldError, KeyId, MemberId, Ruling, Taxonomy, Timestamp,
    check_count,
};

/// What one reviewer has proposed waits so long for a second one.
const PROPOSAL: Duration = Duration::from_hours(30 * 24);
/// The most labels of an entry.
const LABELS_MAX: usize = crate::domain::Draft::LABELS_MAX;

/// Why a decision does not stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulingError {
    /// It is an entry of the reviewer's own organisation, or one under the same owner.
    #[error("entry: is of your own organisation, or of one under the same owner; somebody else has to decide")]
    OwnEntry,
    /// There is nothing left to decide on.
    #[error("entry: its contributor has withdrawn it")]
    Withdrawn,
    /// It takes a reinstatement first.
    #[error("entry: is revoked; it takes `reinstate`")]
    Revoked,
    /// It matches.
    #[error("entry: is not revoked")]
    NotRevoked,
    /// The first of the two was the same person.
    #[error(
        "entry: {ruling} was proposed with this key or one that stems from the same key of the first start; it takes two \
         reviewers"
    )]
    SameHand { ruling: Ruling },
    /// A field that does not fit the ruling.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Whether with this decision, by `member`'s key `by` at `at`, there are reviewers enough for it to act.
///
/// # Errors
/// [`RulingError`]: it does not stand.
pub fn rule(
    roster: &Roster,
    (entry, state): (&Entry, &EntryState),
    taxonomy: &Taxonomy,
    decision: &Decision,
    (member, by, at): (MemberId, KeyId, Timestamp),
) -> Result<bool, RulingError> {
    let unit = |id| roster.member(id).map(crate::domain::Member::unit);
    if member == entry.contributor || unit(member) == unit(entry.contributor) {
        return Err(RulingError::OwnEntry);
    }
    if state.withdrawn.is_some() {
        return Err(RulingError::Withdrawn);
    }
    let is_revoked = state.decided.as_ref().is_some_and(|decided| decided.decision.ruling == Ruling::Revoke);
    match decision.ruling {
        Ruling::Reinstate if !is_revoked => return Err(RulingError::NotRevoked),
        Ruling::Reinstate => {}
        _ if is_revoked => return Err(RulingError::Revoked),
        _ => {}
    }
    check_labels(decision, taxonomy)?;
    if decision.ruling.reviewers_needed() == 1 {
        return Ok(true);
    }
    let same = |earlier: &&Decided| earlier.decision.ruling == decision.ruling;
    let others = state.proposed.iter().filter(same);
    second(roster, others.map(|earlier| (earlier.key, earlier.at)), PROPOSAL, by, at)
        .ok_or(RulingError::SameHand { ruling: decision.ruling })
}

/// Whether `by` is a second person beside those who have proposed the same within `wait`; `None` if it is one of them.
pub fn second(
    roster: &Roster,
    proposed: impl Iterator<Item = (KeyId, Timestamp)>,
    wait: Duration,
    by: KeyId,
    at: Timestamp,
) -> Option<bool> {
    // A key may have been revoked because somebody else had it.
    let is_revoked = |id| roster.key(id).is_none_or(|key| key.revoked.is_some());
    let standing = proposed.filter(|(key, proposed)| at < proposed.plus(wait) && !is_revoked(*key));
    let roots: Vec<_> = standing.map(|(key, _)| roster.root(key)).collect();
    (!roots.contains(&roster.root(by))).then_some(!roots.is_empty())
}

fn check_labels(decision: &Decision, taxonomy: &Taxonomy) -> Result<(), FieldError> {
    if decision.ruling != Ruling::Relabel {
        let problem = "only of `relabel`";
        return if decision.labels.is_empty() { Ok(()) } else { Err(FieldError::new("labels", problem)) };
    }
    check_count("labels", decision.labels.len(), LABELS_MAX)?;
    for (at, label) in decision.labels.iter().enumerate() {
        if decision.labels[..at].contains(label) {
            return Err(FieldError::new(format!("labels[{at}]"), format_args!("`{label}` is given twice")));
        }
        check_label(label, taxonomy).at(format!("labels[{at}]"))?;
    }
    Ok(())
}

fn check_label(label: &Code, taxonomy: &Taxonomy) -> Result<(), String> {
    if taxonomy.label(label).is_some() {
        return Ok(());
    }
    let known: Vec<_> = taxonomy.labels.iter().map(|label| label.code.as_str()).collect();
    Err(format!("unknown code `{label}`: must be one of {}", known.join(", ")))
}
