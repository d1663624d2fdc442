//! How a member climbs from status to status, and how it falls.
//!
//! Up to checker one operator suffices. From contributor on, what a member does acts on every platform at once, so two
//! people have to stand for it. The hub knows keys, not people: two keys count as two people if they do not stem from the
//! same key of the first start, whichever keys were issued with which in between.

use std::time::Duration;

use super::Roster;
use crate::domain::{Checklist, ChecklistItem, KeyId, Member, RefusalReason, Status, Timestamp};

/// An approval counts so long. What was made sure of may have changed since.
const APPROVAL: Duration = Duration::from_hours(30 * 24);

/// Why a member's status is not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// It is not above where the member is.
    #[error("to: the member is {from}, and can be approved for {}, not for {to}", list(.above))]
    NotAbove { from: Status, to: Status, above: Vec<Status> },
    /// Nobody comes back: enrol it anew.
    #[error("member: has left; an organisation that comes back is enrolled anew")]
    HasLeft,
    /// The checklist has gaps.
    #[error("checklist: {to} needs {} as well", list(.missing))]
    Incomplete { to: Status, missing: Vec<ChecklistItem> },
    /// An approval of the same hand stands already.
    #[error(
        "member: was approved for {to} with this key or one that stems from the same key of the first start; {to} needs two \
         people"
    )]
    SameHand { to: Status },
    /// It is not below where the member is.
    #[error("status: the member is {from}, and can be set to {}, not to {to}", list(.below))]
    NotBelow { from: Status, to: Status, below: Vec<Status> },
}

fn list<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl LadderError {
    /// The same, of a bounded set.
    pub const fn reason(&self) -> RefusalReason {
        match self {
            Self::NotAbove { .. } => RefusalReason::NotAbove,
            Self::HasLeft => RefusalReason::HasLeft,
            Self::Incomplete { .. } => RefusalReason::Checklist,
            Self::SameHand { .. } => RefusalReason::SameHand,
            Self::NotBelow { .. } => RefusalReason::NotBelow,
        }
    }
}

/// The statuses that members climb, from the lowest.
const RUNGS: [Status; 5] = [Status::Applicant, Status::Mentee, Status::Checker, Status::Contributor, Status::Trusted];

/// How many people have to stand for it.
pub const fn approvals_needed(to: Status) -> usize {
    match to {
        Status::Contributor | Status::Trusted => 2,
        _ => 1,
    }
}

/// What has to be made sure of.
pub const fn checklist_needed(to: Status) -> &'static [ChecklistItem] {
    match to {
        Status::Mentee => &[ChecklistItem::Contact],
        Status::Checker => &[ChecklistItem::Contact, ChecklistItem::DataProtection],
        Status::Contributor | Status::Trusted => ChecklistItem::ALL,
        _ => &[],
    }
}

/// Whether with this approval, by the key `by` at `at`, there are enough for `member` to have the status `to`.
///
/// # Errors
/// [`LadderError`]: the approval does not count.
pub fn approve(
    roster: &Roster,
    member: &Member,
    to: Status,
    checklist: &Checklist,
    (by, at): (KeyId, Timestamp),
) -> Result<bool, LadderError> {
    let from = member.status;
    let above = above(from)?;
    if !above.contains(&to) {
        return Err(LadderError::NotAbove { from, to, above });
    }
    let missing: Vec<_> = checklist_needed(to).iter().copied().filter(|item| !checklist.contains(item)).collect();
    if !missing.is_empty() {
        return Err(LadderError::Incomplete { to, missing });
    }
    let others = member.approvals.iter().filter(|approval| approval.to == to);
    let is_second = roster.seconds(others.map(|approval| (approval.by, approval.at)), APPROVAL, by, at);
    Ok(is_second.ok_or(LadderError::SameHand { to })? || approvals_needed(to) == 1)
}

/// Whether `member` can be set to `to`, which takes one operator and acts at once.
///
/// # Errors
/// [`LadderError`] if that is not below.
pub fn set_down(member: &Member, to: Status) -> Result<(), LadderError> {
    let from = member.status;
    let below = match from {
        Status::Left => return Err(LadderError::HasLeft),
        Status::Suspended => vec![Status::Left],
        _ => RUNGS.into_iter().take_while(|rung| *rung != from).chain([Status::Suspended, Status::Left]).collect(),
    };
    if below.contains(&to) { Ok(()) } else { Err(LadderError::NotBelow { from, to, below }) }
}

/// The rungs that a member of this status can climb. A suspended one is approved anew.
fn above(from: Status) -> Result<Vec<Status>, LadderError> {
    match from {
        Status::Left => Err(LadderError::HasLeft),
        Status::Suspended => Ok(RUNGS[1..].to_vec()),
        _ => Ok(RUNGS.into_iter().skip_while(|rung| *rung != from).skip(1).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Approval, Credential, Key, KeyMac, MemberId, Roles};

    fn at(days: u64) -> Timestamp {
        Timestamp::from_millis(days * 24 * 3_600_000).unwrap()
    }

    fn key(n: u8) -> KeyId {
        KeyId::from_bytes([n; 5])
    }

    fn member(status: Status) -> Member {
        let id = MemberId::from_bytes([1; 5]);
        Member { status, ..Member::new(id, "Example".parse().unwrap(), "NZ".parse().unwrap(), at(0)) }
    }

    /// Keys 1 and 2 are of the first start, 3 was issued with 1, 4 with 3.
    fn roster() -> Roster {
        let mut roster = Roster::default();
        for (n, issued_by) in [(1, None), (2, None), (3, Some(key(1))), (4, Some(key(3)))] {
            let new = Key::new(
                key(n),
                MemberId::from_bytes([9; 5]),
                Roles::new(),
                Credential::Secret(KeyMac([0; 32])),
                at(0),
            );
            roster.set_key(Key { issued_by, ..new });
        }
        roster
    }

    fn all() -> Checklist {
        ChecklistItem::ALL.iter().copied().collect()
    }

    fn approved(to: Status, by: u8, on: u64) -> Approval {
        Approval { to, checklist: all(), by: key(by), at: at(on) }
    }

    #[test]
    fn a_checker_takes_one_approval_and_a_contributor_two() {
        let roster = roster();
        let by = (key(1), at(1));
        assert_eq!(approve(&roster, &member(Status::Applicant), Status::Checker, &all(), by), Ok(true));
        for to in [Status::Contributor, Status::Trusted] {
            let mut member = member(Status::Applicant);
            assert_eq!(approve(&roster, &member, to, &all(), by), Ok(false));
            member.approvals.push(approved(to, 1, 1));
            assert_eq!(approve(&roster, &member, to, &all(), (key(2), at(2))), Ok(true));
        }
    }

    #[test]
    fn two_keys_of_one_descent_are_one_hand_however_far_apart() {
        let roster = roster();
        let to = Status::Contributor;
        let mut member = member(Status::Checker);
        member.approvals.push(approved(to, 1, 1));
        for by in [1, 3, 4] {
            assert_eq!(approve(&roster, &member, to, &all(), (key(by), at(2))), Err(LadderError::SameHand { to }));
        }
        member.approvals = vec![approved(to, 4, 1)];
        assert_eq!(approve(&roster, &member, to, &all(), (key(3), at(2))), Err(LadderError::SameHand { to }));
        assert_eq!(approve(&roster, &member, to, &all(), (key(2), at(2))), Ok(true));
    }

    #[test]
    fn an_approval_for_another_status_or_of_more_than_a_month_ago_does_not_count() {
        let roster = roster();
        let mut member = member(Status::Checker);
        let to = Status::Contributor;
        member.approvals = vec![approved(Status::Trusted, 1, 1)];
        assert_eq!(approve(&roster, &member, to, &all(), (key(2), at(2))), Ok(false));
        member.approvals = vec![approved(to, 1, 1)];
        assert_eq!(approve(&roster, &member, to, &all(), (key(2), at(30))), Ok(true));
        assert_eq!(approve(&roster, &member, to, &all(), (key(2), at(31))), Ok(false));
        // The same hand may then approve again.
        assert_eq!(approve(&roster, &member, to, &all(), (key(1), at(31))), Ok(false));
    }

    #[test]
    fn an_approval_by_a_key_that_was_revoked_since_does_not_count() {
        let mut roster = roster();
        let to = Status::Contributor;
        let mut member = member(Status::Checker);
        member.approvals.push(approved(to, 2, 1));
        assert_eq!(approve(&roster, &member, to, &all(), (key(1), at(2))), Ok(true));
        let stolen = roster.key(key(2)).unwrap().clone();
        roster.set_key(Key { revoked: Some(at(2)), ..stolen });
        assert_eq!(approve(&roster, &member, to, &all(), (key(1), at(2))), Ok(false));
    }

    #[test]
    fn what_is_missing_on_the_checklist_is_named() {
        let mut checklist = all();
        checklist.remove(&ChecklistItem::HumanRights);
        checklist.remove(&ChecklistItem::Contact);
        let by = (key(1), at(1));
        let error = approve(&roster(), &member(Status::Checker), Status::Trusted, &checklist, by).unwrap_err();
        assert_eq!(error.to_string(), "checklist: trusted needs human-rights, contact as well");
        let error = approve(&roster(), &member(Status::Applicant), Status::Checker, &checklist, by).unwrap_err();
        assert_eq!(error.to_string(), "checklist: checker needs contact as well");
    }

    #[test]
    fn nobody_climbs_to_where_it_is_or_below_and_who_left_does_not_come_back() {
        let by = (key(1), at(1));
        let try_to = |from, to| approve(&roster(), &member(from), to, &all(), by).map_err(|error| error.to_string());
        let refused = "to: the member is checker, and can be approved for contributor, trusted, not for checker";
        assert_eq!(try_to(Status::Checker, Status::Checker), Err(refused.to_owned()));
        for (from, to) in [
            (Status::Checker, Status::Mentee),
            (Status::Applicant, Status::Applicant),
            (Status::Trusted, Status::Trusted),
            (Status::Checker, Status::Suspended),
            (Status::Suspended, Status::Applicant),
            (Status::Suspended, Status::Left),
        ] {
            assert!(try_to(from, to).unwrap_err().starts_with("to: "), "{from} to {to}");
        }
        assert!(try_to(Status::Left, Status::Checker).unwrap_err().contains("has left"));
        assert_eq!(try_to(Status::Suspended, Status::Checker), Ok(true));
    }

    #[test]
    fn anybody_can_be_set_to_a_lower_rung_or_to_none() {
        use Status::*;
        for (from, below) in [
            (Applicant, &[Suspended, Left][..]),
            (Checker, &[Applicant, Mentee, Suspended, Left]),
            (Trusted, &[Applicant, Mentee, Checker, Contributor, Suspended, Left]),
            (Suspended, &[Left]),
            (Left, &[]),
        ] {
            for to in Status::ALL {
                assert_eq!(set_down(&member(from), *to).is_ok(), below.contains(to), "{from} to {to}");
            }
        }
    }
}
