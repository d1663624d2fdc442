//! How incidents are opened, extended and closed: by two people, and by themselves when nobody extends them.

use std::time::Duration;

use super::ruling::second;
use super::{Register, Roster};
use crate::domain::{Code, FieldError, IncidentChange, KeyId, Proposed, Timestamp};

/// What one person has proposed waits so long for a second one.
const PROPOSAL: Duration = Duration::from_hours(24);

/// Why a change of an incident does not stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncidentError {
    /// There is no such incident.
    #[error("incident: there is no incident `{0}`")]
    NoSuch(Code),
    /// It is open, or was: a code stands for one incident.
    #[error("incident: there is, or was, an incident `{0}`; choose another code")]
    Taken(Code),
    /// It is over.
    #[error("incident: `{0}` is not open")]
    NotOpen(Code),
    /// The first of the two was the same person.
    #[error(
        "incident: the same was proposed with this key or one that stems from the same key of the first start; it takes two \
         people"
    )]
    SameHand,
    /// A field that does not fit.
    #[error(transparent)]
    Field(#[from] FieldError),
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
            check_until(*until)?;
        }
        _ if !opened => return Err(IncidentError::NoSuch(code.clone())),
        _ if incident.is_none_or(|incident| !incident.is_open(at)) => return Err(IncidentError::NotOpen(code.clone())),
        IncidentChange::Extend { until } => check_until(*until)?,
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
