//! When the hashes and the provenance of an entry are erased, and what keeps them. Pure.

use std::time::Duration;

use super::{Register, Roster, Rules, expiry_passed};
use crate::domain::{Code, EntryId, EntryState, FieldError, Hold, HoldScope, HoldTerms, KeyId, MemberId, Timestamp};

/// Why a hold was not placed or lifted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// There is no such hold.
    #[error("hold {0}: no such hold")]
    NoSuch(u64),
    /// It is over.
    #[error("hold {0}: has lapsed or was lifted already")]
    Over(u64),
    /// What is on hold is destroyed once it no longer is: that takes somebody else.
    #[error(
        "hold {0}: was placed with this key or one that stems from the same key of the first start; lifting it before its time \
         takes another person"
    )]
    SameHand(u64),
    /// A field that does not fit.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Since when an entry no longer matches for good, as far as is known at `now`: it was withdrawn, or revoked and not brought back, or
/// its time has passed. `None`: it matches.
pub fn ended(state: &EntryState, now: Timestamp) -> Option<Timestamp> {
    let revoked = state.decided.as_ref().filter(|_| state.is_revoked()).map(|decided| decided.at);
    let expired = state.expires.filter(|_| expiry_passed(state.expires, now));
    [state.withdrawn.map(|withdrawal| withdrawal.at), revoked, expired].into_iter().flatten().min()
}

/// Whether an entry is to be erased at `now`, if no hold is on it: it ended long ago, and nobody has asked since for it to be brought
/// back.
pub fn is_due(state: &EntryState, rules: &Rules, now: Timestamp) -> bool {
    let Some(kept) = rules.retention.erase_after() else { return false };
    if state.erased.is_some() || !state.appeals.is_empty() {
        return false;
    }
    let asked = state.proposed.iter().map(|proposed| proposed.at).max();
    ended(state, now).is_some_and(|ended| asked.unwrap_or(ended).max(ended).plus(kept) <= now)
}

/// The hold that keeps an entry of this incident and contributor at `now`, the first of several.
pub fn held<'a>(
    register: &'a Register,
    entry: EntryId,
    incident: Option<&Code>,
    contributor: MemberId,
    now: Timestamp,
) -> Option<&'a Hold> {
    register.holds().find(|hold| hold.is_in_force(now) && hold.terms.scope.is_on(entry, incident, contributor))
}

/// Checks what a hold says of itself. Whether its entries are there is not looked at.
///
/// # Errors
/// [`HoldError::Field`].
pub fn check_hold(terms: &HoldTerms, roster: &Roster, register: &Register, at: Timestamp) -> Result<(), HoldError> {
    let days = u64::from(register.rules().retention.hold_days_max);
    if terms.until <= at {
        return Err(FieldError::new("until", format_args!("must be in the future, got {}", terms.until)).into());
    }
    if terms.until > at.plus(Duration::from_hours(24 * days)) {
        let problem =
            format_args!("must be at most {days} days from now, as the policy says; place another hold before then");
        return Err(FieldError::new("until", problem).into());
    }
    match &terms.scope {
        HoldScope::Incident(code) if register.incident(code).is_none_or(|incident| incident.opened.is_none()) => {
            Err(FieldError::new("scope.incident", format_args!("there is no incident `{code}`")).into())
        }
        HoldScope::Member(member) if roster.member(*member).is_none() => {
            Err(FieldError::new("scope.member_id", format_args!("there is no member {member}")).into())
        }
        _ => Ok(()),
    }
}

/// Whether the key `by` may lift hold `id` at `at`: only with somebody other than who placed it.
///
/// # Errors
/// [`HoldError`].
pub fn check_lift(register: &Register, roster: &Roster, id: u64, by: KeyId, at: Timestamp) -> Result<(), HoldError> {
    let hold = register.hold(id).ok_or(HoldError::NoSuch(id))?;
    if !hold.is_in_force(at) {
        return Err(HoldError::Over(id));
    }
    if roster.root(hold.by) == roster.root(by) { Err(HoldError::SameHand(id)) } else { Ok(()) }
}
