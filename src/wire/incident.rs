//! Incidents and their debriefs.

use std::collections::BTreeMap;

use super::{optional, timestamp, timestamp_from_wire, v1};
use crate::domain::{At, Code, FieldError, Incident, IncidentChange, Proposed, Timestamp};
use crate::hub::{Debrief, IncidentView, WantedChange};
use crate::policy::Corroborated;

/// Reads what is to be opened: the code and how.
///
/// # Errors
/// The first field that is not as it must be.
pub fn open_request(request: &v1::OpenIncidentRequest) -> Result<(Code, WantedChange), FieldError> {
    let code = incident_code(&request.code)?;
    let kind = request.r#type.parse().at("type")?;
    let until = until(request.until.as_ref())?;
    Ok((code, WantedChange::Open { kind, is_drill: request.is_drill, until }))
}

/// Reads what is to be extended, and until when.
///
/// # Errors
/// The first field that is not as it must be.
pub fn extend_request(request: &v1::ExtendIncidentRequest) -> Result<(Code, WantedChange), FieldError> {
    Ok((incident_code(&request.code)?, WantedChange::Extend { until: until(request.until.as_ref())? }))
}

/// Reads an incident's code.
///
/// # Errors
/// At `code`.
pub fn incident_code(code: &str) -> Result<Code, FieldError> {
    code.parse().at("code")
}

/// Reads the drill that a check is for, if it is for one.
///
/// # Errors
/// At `drill`.
pub(super) fn drill_code(code: &str) -> Result<Option<Code>, FieldError> {
    optional(code, "drill")
}

fn until(time: Option<&prost_types::Timestamp>) -> Result<Option<Timestamp>, FieldError> {
    time.map(|time| timestamp_from_wire(time, "until")).transpose()
}

/// Writes an incident.
pub fn incident(view: &IncidentView) -> v1::Incident {
    let incident = &view.incident;
    let is_opened = incident.opened.is_some();
    v1::Incident {
        code: incident.code.to_string(),
        r#type: if is_opened { incident.kind.to_string() } else { String::new() },
        label: Incident::label_of(&incident.code).map(|label| label.to_string()).unwrap_or_default(),
        is_drill: incident.is_drill,
        opened: incident.opened.map(timestamp),
        until: is_opened.then(|| timestamp(incident.until)),
        closed: incident.closed.map(timestamp),
        is_open: view.is_open,
        proposed: incident.proposed.iter().map(proposal).collect(),
    }
}

fn proposal(proposed: &Proposed) -> v1::IncidentProposal {
    let (kind, is_drill, until) = match &proposed.change {
        IncidentChange::Open { kind, is_drill, until } => (kind.to_string(), *is_drill, Some(*until)),
        IncidentChange::Extend { until } => (String::new(), false, Some(*until)),
        IncidentChange::Close => (String::new(), false, None),
    };
    v1::IncidentProposal {
        change: proposed.change.code().to_owned(),
        r#type: kind,
        is_drill,
        until: until.map(timestamp),
        key_id: proposed.by.to_string(),
        at: Some(timestamp(proposed.at)),
    }
}

/// Writes what an incident has come to.
pub fn debrief(debrief: &Debrief) -> v1::Debrief {
    let corroborated = |how| debrief.corroborated.get(&how).copied().unwrap_or_default();
    let hours = debrief.hours.iter().map(|(hour, count)| v1::HourCount { hour: Some(timestamp(*hour)), count: *count });
    v1::Debrief {
        incident: Some(incident(&debrief.incident)),
        at: Some(timestamp(debrief.at)),
        ledger_size: debrief.ledger_size,
        entries: debrief.entries,
        erased: debrief.erased,
        members: counts(&debrief.members),
        standings: counts(&debrief.standings),
        labels: counts(&debrief.labels),
        producers: counts(&debrief.producers),
        signal_kinds: counts(&debrief.signal_kinds),
        hours: hours.collect(),
        corroborated: Some(v1::Corroborated {
            in_time: corroborated(Corroborated::InTime),
            late: corroborated(Corroborated::Late),
            waiting: corroborated(Corroborated::Waiting),
            demoted: corroborated(Corroborated::Demoted),
        }),
        outcomes: counts(&debrief.outcomes),
        appeals: counts(&debrief.appeals),
    }
}

fn counts<K: ToString>(counts: &BTreeMap<K, u64>) -> Vec<v1::Count> {
    let mut counts: Vec<_> =
        counts.iter().map(|(code, count)| v1::Count { code: code.to_string(), count: *count }).collect();
    counts.sort_by(|one, other| one.code.cmp(&other.code));
    counts
}
