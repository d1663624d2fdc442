//! How incidents are opened, extended and closed: by two people, and by themselves when nobody extends them.

use std::time::Duration;

use super::{Grounds, Register, Roster, is_corroborated};
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
    state.is_settled(entry.id.0) || is_corroborated(entry, state, grounds, at)
}

/// What had been said of an entry by `at`, of what is known of it now.
fn as_of(state: &EntryState, at: Timestamp) -> EntryState {
    let mut state = state.clone();
    state.corroboration.retain(|near| near.contributed <= at);
    state.opinions.retain(|opinion| opinion.at <= at);
    state.decided = state.decided.filter(|decided| decided.at <= at);
    state.confirmed = state.confirmed.filter(|confirmed| confirmed.at <= at);
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
    roster.seconds(proposed, PROPOSAL, by, at).ok_or(IncidentError::SameHand)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Credential, Key, KeyMac, MemberId, Roles};

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_millis((10_000 + hours) * 3_600_000).unwrap()
    }

    fn code(text: &str) -> Code {
        text.parse().unwrap()
    }

    fn key(n: u8) -> KeyId {
        KeyId::from_bytes([n; 5])
    }

    /// Keys 1 and 2 are of the first start, 3 stems from 1.
    fn roster() -> Roster {
        let mut roster = Roster::default();
        for (n, issued_by) in [(1, None), (2, None), (3, Some(key(1)))] {
            let member = MemberId::from_bytes([n; 5]);
            let made = Key::new(key(n), member, Roles::new(), Credential::Secret(KeyMac([n; 32])), at(0));
            roster.set_key(Key { issued_by, ..made });
        }
        roster
    }

    fn proposed(change: IncidentChange, by: u8, hours: u64) -> Proposed {
        Proposed { change, by: key(by), at: at(hours) }
    }

    fn opening(until: u64) -> IncidentChange {
        IncidentChange::Open { kind: code("livestream"), is_drill: false, until: at(until) }
    }

    /// An incident that was opened at 0, until 24.
    fn register(proposals: Vec<Proposed>, is_opened: bool) -> Register {
        let mut register = Register::default();
        register.set_incident(Incident {
            code: code("harbour"),
            kind: code("livestream"),
            is_drill: false,
            event: 9,
            opened: is_opened.then(|| at(0)),
            until: at(24),
            closed: None,
            proposed: proposals,
        });
        register
    }

    fn change(register: &Register, change: &IncidentChange, by: u8, hours: u64) -> Result<bool, IncidentError> {
        change_incident(&roster(), register, &code("harbour"), change, (key(by), at(hours)))
    }

    #[test]
    fn it_takes_another_person_who_means_the_same_within_a_day() {
        let first = register(vec![proposed(opening(20), 1, 1)], false);
        assert_eq!(change(&first, &opening(20), 2, 1), Ok(true));
        assert_eq!(change(&first, &opening(12), 2, 1), Ok(true), "the second one's time counts");
        assert_eq!(change(&first, &opening(26), 2, 24), Ok(true));
        assert_eq!(change(&first, &opening(26), 2, 25), Ok(false), "what is a day old is forgotten");
        for same in [1, 3] {
            assert_eq!(change(&first, &opening(20), same, 2), Err(IncidentError::SameHand));
        }
        let other = |kind, is_drill| IncidentChange::Open { kind: code(kind), is_drill, until: at(20) };
        assert_eq!(change(&first, &other("livestream", true), 2, 1), Ok(false), "a drill is something else");
        assert_eq!(change(&first, &other("footage", false), 2, 1), Ok(false));
        let extend = IncidentChange::Extend { until: at(26) };
        let closing = register(vec![proposed(IncidentChange::Close, 1, 1)], true);
        assert_eq!(change(&closing, &extend, 2, 3), Ok(false));
        assert_eq!(change(&closing, &IncidentChange::Close, 2, 3), Ok(true));
    }

    #[test]
    fn it_is_open_for_as_long_as_the_rules_say_and_then_over() {
        let none = Register::default();
        assert_eq!(change(&none, &opening(25), 1, 1), Ok(false));
        for until in [1, 26] {
            let error = change(&none, &opening(until), 1, 1).unwrap_err().to_string();
            assert!(error.starts_with("until: must be in the future, at most 24 hours from now, got "), "{error}");
        }
        assert_eq!(change(&none, &IncidentChange::Close, 1, 1), Err(IncidentError::NoSuch(code("harbour"))));
        let open = register(vec![], true);
        assert_eq!(change(&open, &opening(20), 1, 1), Err(IncidentError::Taken(code("harbour"))));
        assert_eq!(change(&open, &IncidentChange::Extend { until: at(25) }, 1, 1), Ok(false));
        let shorter = change(&open, &IncidentChange::Extend { until: at(24) }, 1, 1).unwrap_err().to_string();
        assert!(shorter.starts_with("until: must be after its present end, "), "{shorter}");
        assert_eq!(change(&open, &IncidentChange::Close, 1, 23), Ok(false));
        for over in [IncidentChange::Close, IncidentChange::Extend { until: at(30) }] {
            assert_eq!(change(&open, &over, 1, 24), Err(IncidentError::NotOpen(code("harbour"))), "also unclosed");
        }
    }

    #[test]
    fn a_code_leaves_room_for_the_label() {
        let longest = code(&"x".repeat(Incident::CODE_CHARS_MAX));
        let long = code(&"x".repeat(Incident::CODE_CHARS_MAX + 1));
        let open = |code: &Code| change_incident(&roster(), &Register::default(), code, &opening(20), (key(1), at(1)));
        assert_eq!(open(&longest), Ok(false));
        assert_eq!(open(&long).unwrap_err().to_string(), "code: must be at most 39 characters");
        assert_eq!(Incident::of_label(&Incident::label_of(&longest).unwrap()), Some(longest));
    }
}
