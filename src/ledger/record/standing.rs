//! What standing rests on, as it is written down: events about it, and the rows folded from them.

use prost::Message;

use super::{RecordError, key_id, member_id, optional, parse, parse_all, texts, time, v1};
use crate::domain::{
    Appeal, Appealed, Code, Confirmed, Corroboration, Decided, Decision, Distance, EntryId, EntryState, FieldError,
    Flood, Incident, IncidentChange, NearBenign, Opinion, Proposed, Report, Timestamp, Trust, Withdrawal,
};

/// The bytes of a row of `entries`.
pub fn encode_entry_state(state: &EntryState) -> Vec<u8> {
    v1::EntryState {
        withdrawn: state.withdrawn.map(|w| v1::Withdrawal { event: w.event, at_ms: w.at.millis() }),
        expires_ms: state.expires.map(Timestamp::millis),
        is_excess: state.is_excess,
        came_near_benign: state.came_near_benign,
        corroboration: state.corroboration.iter().map(corroboration_to_record).collect(),
        opinions: state.opinions.iter().map(opinion_to_record).collect(),
        benign: state.benign.map(|near| v1::NearBenign {
            benign: near.benign,
            event: near.event,
            distance: u32::from(near.distance.bits()),
        }),
        flood: state.flood.map(|flood| v1::Flood {
            event: flood.event,
            at_ms: flood.at.millis(),
            matches: flood.matches,
            usual: flood.usual,
        }),
        decided: state.decided.as_ref().map(decided_to_record),
        proposed: state.proposed.iter().map(decided_to_record).collect(),
        appeals: state
            .appeals
            .iter()
            .map(|appeal| v1::Appealed { id: appeal.id, by: appeal.by.bytes().to_vec() })
            .collect(),
        is_crowded: state.is_crowded,
        is_cut: state.is_cut,
        erased: state.erased,
        confirmed: state.confirmed.as_ref().map(|confirmed| v1::Confirmed {
            event: confirmed.event,
            at_ms: confirmed.at.millis(),
            members: confirmed.by.iter().map(|member| member.bytes().to_vec()).collect(),
        }),
    }
    .encode_to_vec()
}

/// The state of a row of `entries`.
///
/// # Errors
/// [`RecordError`] if the bytes are not such a row.
pub fn decode_entry_state(bytes: &[u8]) -> Result<EntryState, RecordError> {
    let record = v1::EntryState::decode(bytes)?;
    let withdrawn = match record.withdrawn {
        Some(w) => Some(Withdrawal { event: w.event, at: time(w.at_ms, "withdrawn.at_ms")? }),
        None => None,
    };
    let flood = match record.flood {
        Some(flood) => Some(Flood {
            event: flood.event,
            at: time(flood.at_ms, "flood.at_ms")?,
            matches: flood.matches,
            usual: flood.usual,
        }),
        None => None,
    };
    let benign = match record.benign {
        Some(near) => Some(NearBenign {
            benign: near.benign,
            event: near.event,
            distance: distance(near.distance, "benign.distance")?,
        }),
        None => None,
    };
    let appealed = |appeal: &v1::Appealed| Ok(Appealed { id: appeal.id, by: member_id(&appeal.by, "appeals.by")? });
    Ok(EntryState {
        expires: record.expires_ms.map(|millis| time(millis, "expires_ms")).transpose()?,
        is_excess: record.is_excess,
        came_near_benign: record.came_near_benign,
        withdrawn,
        corroboration: record.corroboration.iter().map(corroboration_from_record).collect::<Result<_, _>>()?,
        opinions: record.opinions.iter().map(opinion_from_record).collect::<Result<_, _>>()?,
        benign,
        flood,
        decided: record.decided.as_ref().map(decided_from_record).transpose()?,
        proposed: record.proposed.iter().map(decided_from_record).collect::<Result<_, _>>()?,
        appeals: record.appeals.iter().map(appealed).collect::<Result<_, FieldError>>()?,
        is_crowded: record.is_crowded,
        is_cut: record.is_cut,
        erased: record.erased,
        confirmed: record.confirmed.as_ref().map(confirmed_from_record).transpose()?,
    })
}

/// The bytes of a row of `appeals`. Its key is the appeal's id.
pub fn encode_appeal(appeal: &Appeal) -> Vec<u8> {
    v1::Appeal {
        entry: appeal.entry.0,
        by: appeal.by.bytes().to_vec(),
        ground: appeal.ground.to_string(),
        opened_ms: appeal.opened.millis(),
        deadline_ms: appeal.deadline.millis(),
        state: appeal.state.to_string(),
        decided: appeal.decided,
    }
    .encode_to_vec()
}

/// The appeal of the row `id` of `appeals`.
///
/// # Errors
/// [`RecordError`] if the bytes are not such a row.
pub fn decode_appeal(id: u64, bytes: &[u8]) -> Result<Appeal, RecordError> {
    let record = v1::Appeal::decode(bytes)?;
    Ok(Appeal {
        id,
        entry: EntryId(record.entry),
        by: member_id(&record.by, "by")?,
        ground: parse(&record.ground, "ground")?,
        opened: time(record.opened_ms, "opened_ms")?,
        deadline: time(record.deadline_ms, "deadline_ms")?,
        state: parse(&record.state, "state")?,
        decided: record.decided,
    })
}

/// The bytes of a row of `incidents`.
pub fn encode_incident(incident: &Incident) -> Vec<u8> {
    let proposed = incident.proposed.iter().map(|proposed| v1::Proposed {
        change: Some(change_to_record(&incident.code, &proposed.change, false)),
        by: proposed.by.bytes().to_vec(),
        at_ms: proposed.at.millis(),
    });
    v1::Incident {
        code: incident.code.to_string(),
        kind: incident.kind.to_string(),
        is_drill: incident.is_drill,
        event: incident.event,
        opened_ms: incident.opened.map(Timestamp::millis),
        until_ms: incident.until.millis(),
        closed_ms: incident.closed.map(Timestamp::millis),
        proposed: proposed.collect(),
    }
    .encode_to_vec()
}

/// The incident of a row of `incidents`.
///
/// # Errors
/// [`RecordError`] if the bytes are not such a row.
pub fn decode_incident(bytes: &[u8]) -> Result<Incident, RecordError> {
    let record = v1::Incident::decode(bytes)?;
    let mut proposed = Vec::with_capacity(record.proposed.len());
    for one in record.proposed {
        let change = one.change.ok_or_else(|| FieldError::new("proposed.change", "is missing"))?;
        let (_, change) = change_from_record(change)?;
        proposed.push(Proposed { change, by: key_id(&one.by, "by")?, at: time(one.at_ms, "at_ms")? });
    }
    Ok(Incident {
        code: parse(&record.code, "code")?,
        kind: parse(&record.kind, "kind")?,
        is_drill: record.is_drill,
        event: record.event,
        opened: record.opened_ms.map(|millis| time(millis, "opened_ms")).transpose()?,
        until: time(record.until_ms, "until_ms")?,
        closed: record.closed_ms.map(|millis| time(millis, "closed_ms")).transpose()?,
        proposed,
    })
}

/// The bytes of a row of `trust`.
pub fn encode_trust(trust: &Trust) -> Vec<u8> {
    let Trust { good_milli, bad_milli, day, contributed, confirmed, objected, upheld, reversed, near_benign } = *trust;
    v1::Trust { good_milli, bad_milli, day, contributed, confirmed, objected, upheld, reversed, near_benign }
        .encode_to_vec()
}

/// The trust of a row of `trust`.
///
/// # Errors
/// [`RecordError`] if the bytes are not such a row.
pub fn decode_trust(bytes: &[u8]) -> Result<Trust, RecordError> {
    let v1::Trust { good_milli, bad_milli, day, contributed, confirmed, objected, upheld, reversed, near_benign } =
        v1::Trust::decode(bytes)?;
    Ok(Trust { good_milli, bad_milli, day, contributed, confirmed, objected, upheld, reversed, near_benign })
}

pub(super) fn decision(ruling: &str, reason: &str, labels: &[String]) -> Result<Decision, FieldError> {
    Ok(Decision {
        ruling: parse(ruling, "ruling")?,
        reason: parse(reason, "reason")?,
        labels: parse_all(labels, "labels")?,
    })
}

fn decided_to_record(decided: &Decided) -> v1::Ruled {
    v1::Ruled {
        ruling: decided.decision.ruling.to_string(),
        reason: decided.decision.reason.to_string(),
        labels: texts(&decided.decision.labels),
        event: decided.event,
        at_ms: decided.at.millis(),
        members: decided.by.iter().map(|member| member.bytes().to_vec()).collect(),
        key: decided.key.bytes().to_vec(),
    }
}

fn decided_from_record(record: &v1::Ruled) -> Result<Decided, FieldError> {
    Ok(Decided {
        decision: decision(&record.ruling, &record.reason, &record.labels)?,
        event: record.event,
        at: time(record.at_ms, "at_ms")?,
        by: record.members.iter().map(|member| member_id(member, "members")).collect::<Result<_, _>>()?,
        key: key_id(&record.key, "key")?,
    })
}

fn confirmed_from_record(record: &v1::Confirmed) -> Result<Confirmed, FieldError> {
    let members = record.members.iter().map(|member| member_id(member, "confirmed.members"));
    Ok(Confirmed {
        event: record.event,
        at: time(record.at_ms, "confirmed.at_ms")?,
        by: members.collect::<Result<_, _>>()?,
    })
}

fn corroboration_to_record(one: &Corroboration) -> v1::Corroboration {
    v1::Corroboration {
        entry: one.entry.0,
        member: one.member.bytes().to_vec(),
        key: one.key.bytes().to_vec(),
        contributed_ms: one.contributed.millis(),
        expires_ms: one.expires.map(Timestamp::millis),
        distance: u32::from(one.distance.bits()),
        labels: texts(&one.labels),
    }
}

fn corroboration_from_record(record: &v1::Corroboration) -> Result<Corroboration, FieldError> {
    Ok(Corroboration {
        entry: EntryId(record.entry),
        member: member_id(&record.member, "corroboration.member")?,
        key: key_id(&record.key, "corroboration.key")?,
        contributed: time(record.contributed_ms, "corroboration.contributed_ms")?,
        expires: record.expires_ms.map(|millis| time(millis, "corroboration.expires_ms")).transpose()?,
        distance: distance(record.distance, "corroboration.distance")?,
        labels: parse_all(&record.labels, "corroboration.labels")?,
    })
}

fn opinion_to_record(opinion: &Opinion) -> v1::Opinion {
    v1::Opinion {
        event: opinion.event,
        at_ms: opinion.at.millis(),
        member: opinion.member.bytes().to_vec(),
        outcome: opinion.outcome.to_string(),
        labels: texts(&opinion.labels),
    }
}

fn opinion_from_record(record: &v1::Opinion) -> Result<Opinion, FieldError> {
    Ok(Opinion {
        event: record.event,
        at: time(record.at_ms, "opinions.at_ms")?,
        member: member_id(&record.member, "opinions.member")?,
        outcome: parse(&record.outcome, "opinions.outcome")?,
        labels: parse_all(&record.labels, "opinions.labels")?,
    })
}

pub(super) fn change_to_record(incident: &Code, change: &IncidentChange, is_enough: bool) -> v1::IncidentChanged {
    use v1::incident_changed::{Change, Close, Extend, Open};
    let change = match change {
        IncidentChange::Open { kind, is_drill, until } => {
            Change::Open(Open { kind: kind.to_string(), is_drill: *is_drill, until_ms: until.millis() })
        }
        IncidentChange::Extend { until } => Change::Extend(Extend { until_ms: until.millis() }),
        IncidentChange::Close => Change::Close(Close {}),
    };
    v1::IncidentChanged { incident: incident.to_string(), change: Some(change), is_enough }
}

pub(super) fn change_from_record(record: v1::IncidentChanged) -> Result<(Code, IncidentChange), FieldError> {
    use v1::incident_changed::Change;
    let change = match record.change.ok_or_else(|| FieldError::new("change", "is missing"))? {
        Change::Open(open) => IncidentChange::Open {
            kind: parse(&open.kind, "kind")?,
            is_drill: open.is_drill,
            until: time(open.until_ms, "until_ms")?,
        },
        Change::Extend(extend) => IncidentChange::Extend { until: time(extend.until_ms, "until_ms")? },
        Change::Close(_) => IncidentChange::Close,
    };
    Ok((parse(&record.incident, "incident")?, change))
}

fn distance(bits: u32, path: &str) -> Result<Distance, FieldError> {
    match u16::try_from(bits) {
        Ok(bits) if bits <= 256 => Ok(Distance::new(bits)),
        _ => Err(FieldError::new(path, format_args!("must be 0 to 256, got {bits}"))),
    }
}

pub(super) fn report_to_record(report: &Report) -> v1::OutcomeReported {
    v1::OutcomeReported {
        entry: report.entry.0,
        outcome: report.outcome.to_string(),
        labels: texts(&report.labels),
        kind: report.kind.map(|kind| kind.to_string()).unwrap_or_default(),
        reason: report.reason.to_string(),
        note: report.note.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

pub(super) fn report_from_record(record: &v1::OutcomeReported) -> Result<Report, FieldError> {
    Ok(Report {
        entry: EntryId(record.entry),
        outcome: parse(&record.outcome, "outcome")?,
        labels: parse_all(&record.labels, "labels")?,
        kind: optional(&record.kind, "kind")?,
        reason: parse(&record.reason, "reason")?,
        note: optional(&record.note, "note")?,
    })
}
