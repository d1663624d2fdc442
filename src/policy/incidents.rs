//! How incidents are opened, extended and closed: by two people, and by themselves when nobody extends them.

use std::time::Duration;

use super::ruling::second;
use super::{Grounds, Register, Roster, assess};
use crate::domain::{Code, Entry, EntryState, FieldError, Incident, IncidentChange, KeyId, Proposed, Timestamp};

/// What one person has proposed waits so long for a second one.
const PROPOSAL: Duration = Duration::from_hours(24);

/// Why a change of an incident does not stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncidentError {
    /// There is no such incident.
    #[error("code: there is no incident `{0}`")]
    NoSuch(Code),
    /// It is open, or was: a code stands for one incident.
    #[error("code: there is, or was, an incident `{0}`; choose another code")]
    Taken(Code),
    /// It is over.
    #[error("code: `{0}` is not open")]
    NotOpen(Code),
    /// The first of the two was the same person.
    #[error(
        "code: the same was proposed with this key or one that stems from the same key of the first start; it takes two \
         people"
    )]
    SameHand,
    /// A field that does not fit.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Whether others agreed with an entry of an incident, and when: by the policy's time after it came, or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Corroborated {
    InTime,
    Late,
    /// Not yet, and there is time left.
    Waiting,
    /// Not in time, nor since: it supports at most review.
    Demoted,
}

/// How it is with an entry that still matches at `now`, as far as what speaks for it still does.
pub fn corroborated(entry: &Entry, state: &EntryState, grounds: &Grounds<'_>, now: Timestamp) -> Corroborated {
    let hours = grounds.register.rules().incidents.corroborate_within_hours;
    let due = entry.contributed.plus(Duration::from_hours(u64::from(hours)));
    if is_agreed(entry, &as_of(state, due), grounds, due.min(now)) {
        Corroborated::InTime
    } else if is_agreed(entry, state, grounds, now) {
        Corroborated::Late
    } else if now < due {
        Corroborated::Waiting
    } else {
        Corroborated::Demoted
    }
}

/// Whether organisations enough stand for it, or reviewers have decided.
fn is_agreed(entry: &Entry, state: &EntryState, grounds: &Grounds<'_>, at: Timestamp) -> bool {
    let is_decided = state.decided.as_ref().is_some_and(|decided| decided.event > entry.id.0);
    is_decided || assess(entry, state, grounds, at).reasons.iter().any(|reason| reason.rule == "corroborated")
}

/// What had been said of an entry by `at`, of what is known of it now.
fn as_of(state: &EntryState, at: Timestamp) -> EntryState {
    let mut state = state.clone();
    state.corroboration.retain(|near| near.contributed <= at);
    state.opinions.retain(|opinion| opinion.at <= at);
    state.decided = state.decided.filter(|decided| decided.at <= at);
    state
}

/// Whether what one person has proposed can still be seconded at `now`.
pub fn is_standing(proposed: &Proposed, now: Timestamp) -> bool {
    now < proposed.at.plus(PROPOSAL)
}

/// Whether with this, by the key `by` at `at`, there are people enough for the change to act.
///
/// # Errors
/// [`IncidentError`]: it does not stand.
pub fn change_incident(
    roster: &Roster,
    register: &Register,
    code: &Code,
    change: &IncidentChange,
    (by, at): (KeyId, Timestamp),
) -> Result<bool, IncidentError> {
    let incident = register.incident(code);
    let opened = incident.is_some_and(|incident| incident.opened.is_some());
    let longest = Duration::from_hours(u64::from(register.rules().incidents.open_hours));
    let check_until = |until: Timestamp| {
        if at < until && until <= at.plus(longest) {
            return Ok(());
        }
        let hours = register.rules().incidents.open_hours;
        Err(FieldError::new(
            "until",
            format_args!("must be in the future, at most {hours} hours from now, got {until}"),
        ))
    };
    match change {
        IncidentChange::Open { .. } if opened => return Err(IncidentError::Taken(code.clone())),
        IncidentChange::Open { kind, until, .. } => {
            let types = &register.rules().incidents.types;
            if !types.iter().any(|known| known.code == kind.as_str()) {
                let known: Vec<_> = types.iter().map(|known| known.code.as_str()).collect();
                let problem = format!("unknown type `{kind}`: must be one of {}", known.join(", "));
                return Err(FieldError::new("type", problem).into());
            }
            if Incident::label_of(code).is_none() {
                let problem = format_args!("must be at most {} characters", Incident::CODE_CHARS_MAX);
                return Err(FieldError::new("code", problem).into());
            }
            check_until(*until)?;
        }
        _ if !opened => return Err(IncidentError::NoSuch(code.clone())),
        _ if incident.is_none_or(|incident| !incident.is_open(at)) => return Err(IncidentError::NotOpen(code.clone())),
        IncidentChange::Extend { until } => {
            check_until(*until)?;
            if let Some(end) = incident.map(|incident| incident.until).filter(|end| until <= end) {
                return Err(FieldError::new("until", format_args!("must be after its present end, {end}")).into());
            }
        }
        IncidentChange::Close => {}
    }
    let same = |proposed: &&Proposed| is_same(&proposed.change, change);
    let proposed = incident.into_iter().flat_map(|incident| &incident.proposed).filter(same);
    let proposed = proposed.map(|proposed| (proposed.by, proposed.at));
    second(roster, proposed, PROPOSAL, by, at).ok_or(IncidentError::SameHand)
}

/// Whether two people mean the same: of the time until when the second one's counts.
fn is_same(first: &IncidentChange, second: &IncidentChange) -> bool {
    match (first, second) {
        (
            IncidentChange::Open { kind, is_drill, .. },
            IncidentChange::Open { kind: other_kind, is_drill: other_is_drill, .. },
        ) => (kind, is_drill) == (other_kind, other_is_drill),
        (IncidentChange::Extend { .. }, IncidentChange::Extend { .. })
        | (IncidentChange::Close, IncidentChange::Close) => true,
        _ => false,
    }
}
