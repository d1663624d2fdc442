//! How an event is written down: the protobuf bytes that a leaf commits to.
//!
//! A record is encoded once, when the event happens, and never again: what is stored, committed to and shown are the same
//! bytes. Reading is strict, so that a record this program does not fully understand is an error, not half an event.

use std::str::FromStr;

mod members;
mod retention;
mod standing;
mod statistics;

pub use members::{decode_key, decode_member, encode_key, encode_member};
pub use retention::{decode_hold, encode_hold};
pub use standing::{
    decode_appeal, decode_entry_state, decode_incident, decode_trust, encode_appeal, encode_entry_state,
    encode_incident, encode_trust,
};

use members::{
    key_from_record, key_to_record, member_from_record, member_to_record, quota_from_record, quota_to_record,
};
use retention::{
    erased_from_record, erased_to_record, hold_terms_from_record, hold_terms_to_record, remains_from_record,
    remains_to_record,
};
use standing::{change_from_record, change_to_record, decision, report_from_record, report_to_record};
use statistics::{sample_from_record, sample_to_record, tally_from_record, tally_to_record};

use crate::domain::{
    Actor, Basis, Benign, Code, Confidence, Draft, EntryId, Event, Fact, FieldError, GovernmentOrder, Holder, KeyId,
    MemberId, Provenance, RequestDigest, Signal, SignalKind, Timestamp,
};
use prost::Message;

/// The generated types of `proto/hashcommons/record/v1`.
#[allow(clippy::doc_markdown, clippy::large_enum_variant, missing_docs)]
pub(crate) mod v1 {
    include!(concat!(env!("OUT_DIR"), "/hashcommons.record.v1.rs"));
}

/// Bytes that are not a record this program understands.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not protobuf of the expected form.
    #[error("is not a record: {0}")]
    Form(#[from] prost::DecodeError),
    /// A field holds what no version of this program writes.
    #[error("record field {0}")]
    Field(#[from] FieldError),
}

/// The bytes of `event`.
pub fn encode_event(event: &Event) -> Vec<u8> {
    let (member, key) = match event.by {
        Actor::Hub => (Vec::new(), Vec::new()),
        Actor::Member { member, key } => (member.bytes().to_vec(), key.bytes().to_vec()),
    };
    let fact = match &event.fact {
        Fact::Contributed { request, taxonomy, draft, lapses } => v1::event::Fact::Contributed(v1::Contributed {
            lapses_ms: lapses.map(Timestamp::millis),
            request: request.0.to_vec(),
            taxonomy: *taxonomy,
            signals: draft.signals().iter().map(signal_to_record).collect(),
            labels: texts(draft.labels()),
            provenance: Some(provenance_to_record(draft.provenance())),
        }),
        Fact::Withdrawn { entry, reason, request } => {
            let request = request.0.to_vec();
            v1::event::Fact::Withdrawn(v1::Withdrawn { entry: entry.0, reason: reason.to_string(), request })
        }
        Fact::Expired { entries } => {
            v1::event::Fact::Expired(v1::Expired { entries: entries.iter().map(|entry| entry.0).collect() })
        }
        Fact::Erased { erased, recounted } => v1::event::Fact::Erased(erased_to_record(erased, recounted)),
        Fact::Remains(remains) => v1::event::Fact::Remains(remains_to_record(remains)),
        Fact::HoldPlaced(terms) => v1::event::Fact::HoldPlaced(hold_terms_to_record(terms)),
        Fact::HoldLifted { hold } => v1::event::Fact::HoldLifted(v1::HoldLifted { hold: *hold }),
        Fact::OutcomeReported(report) => v1::event::Fact::OutcomeReported(report_to_record(report)),
        Fact::Decided { entry, decision, is_enough } => v1::event::Fact::Decided(v1::Decided {
            entry: entry.0,
            ruling: decision.ruling.to_string(),
            reason: decision.reason.to_string(),
            labels: texts(&decision.labels),
            is_enough: *is_enough,
        }),
        Fact::AppealOpened { entry, ground, note, deadline } => v1::event::Fact::AppealOpened(v1::AppealOpened {
            entry: entry.0,
            ground: ground.to_string(),
            note: note.as_ref().map(ToString::to_string).unwrap_or_default(),
            deadline_ms: deadline.millis(),
        }),
        Fact::FloodSeen { entry, matches, usual } => {
            v1::event::Fact::FloodSeen(v1::FloodSeen { entry: entry.0, matches: *matches, usual: *usual })
        }
        Fact::BenignAdded(benign) => v1::event::Fact::BenignAdded(v1::BenignAdded {
            signals: benign.signals().iter().map(signal_to_record).collect(),
            class: benign.class.to_string(),
            reference: benign.reference.as_ref().map(ToString::to_string).unwrap_or_default(),
        }),
        Fact::BenignRemoved { benign } => v1::event::Fact::BenignRemoved(v1::BenignRemoved { benign: *benign }),
        Fact::PolicySet { text } => v1::event::Fact::PolicySet(v1::PolicySet { text: text.clone() }),
        Fact::EntityDelisted { entity } => {
            v1::event::Fact::EntityDelisted(v1::EntityDelisted { entity: entity.to_string() })
        }
        Fact::IncidentChanged { incident, change, is_enough } => {
            v1::event::Fact::IncidentChanged(change_to_record(incident, change, *is_enough))
        }
        Fact::IncidentEnded { incident } => {
            v1::event::Fact::IncidentEnded(v1::IncidentEnded { incident: incident.to_string() })
        }
        Fact::MatchesTallied(tally) => v1::event::Fact::MatchesTallied(tally_to_record(tally)),
        Fact::SampleDrawn(sample) => v1::event::Fact::SampleDrawn(sample_to_record(sample)),
        Fact::SampleJudged { sample, entry, verdict } => v1::event::Fact::SampleJudged(v1::SampleJudged {
            sample: *sample,
            entry: entry.0,
            verdict: verdict.to_string(),
        }),
        Fact::MemberEnrolled(member) => v1::event::Fact::MemberEnrolled(member_to_record(member)),
        Fact::MemberApproved { member, to, checklist, is_enough } => {
            v1::event::Fact::MemberApproved(v1::MemberApproved {
                member: member.bytes().to_vec(),
                to: to.to_string(),
                checklist: checklist.iter().map(ToString::to_string).collect(),
                is_enough: *is_enough,
            })
        }
        Fact::MemberStatusSet { member, status, reason } => v1::event::Fact::MemberStatusSet(v1::MemberStatusSet {
            member: member.bytes().to_vec(),
            status: status.to_string(),
            reason: reason.to_string(),
        }),
        Fact::KeyIssued(key) => v1::event::Fact::KeyIssued(key_to_record(key)),
        Fact::KeyRotated { key, replaces, until } => v1::event::Fact::KeyRotated(v1::KeyRotated {
            key: Some(key_to_record(key)),
            replaces: replaces.bytes().to_vec(),
            until_ms: until.millis(),
        }),
        Fact::KeyCompromised { key, since } => {
            v1::event::Fact::KeyCompromised(v1::KeyCompromised { key: key.bytes().to_vec(), since_ms: since.millis() })
        }
        Fact::KeyRevoked { key } => v1::event::Fact::KeyRevoked(v1::KeyRevoked { key: key.bytes().to_vec() }),
        Fact::QuotaSet { of, quota } => {
            let (member, key) = match of {
                Holder::Member(member) => (member.bytes().to_vec(), Vec::new()),
                Holder::Key(key) => (Vec::new(), key.bytes().to_vec()),
            };
            v1::event::Fact::QuotaSet(v1::QuotaSet { member, key, quota: quota_to_record(quota) })
        }
        Fact::AdminRefused { attempted, member, key, reason, count } => {
            v1::event::Fact::AdminRefused(v1::AdminRefused {
                attempted: attempted.to_string(),
                member: member.map(|id| id.bytes().to_vec()).unwrap_or_default(),
                key: key.map(|id| id.bytes().to_vec()).unwrap_or_default(),
                reason: reason.to_string(),
                count: *count,
            })
        }
        Fact::NamesShown => v1::event::Fact::NamesShown(v1::NamesShown {}),
        Fact::WalkSeen { level } => v1::event::Fact::WalkSeen(v1::WalkSeen { level: level.to_string() }),
        Fact::WalkCleared { member } => {
            v1::event::Fact::WalkCleared(v1::WalkCleared { member: member.bytes().to_vec() })
        }
    };
    let request = event.request.as_ref().map(ToString::to_string).unwrap_or_default();
    v1::Event { at_ms: event.at.millis(), member, key, fact: Some(fact), request }.encode_to_vec()
}

/// The event of these bytes.
///
/// # Errors
/// [`RecordError`] if they are not exactly what [`encode_event`] could have written.
pub fn decode_event(bytes: &[u8]) -> Result<Event, RecordError> {
    let record = v1::Event::decode(bytes)?;
    let by = match (record.member.as_slice(), record.key.as_slice()) {
        ([], []) => Actor::Hub,
        (member, key) => Actor::Member { member: member_id(member, "member")?, key: key_id(key, "key")? },
    };
    let fact = match record.fact.ok_or_else(|| FieldError::new("fact", "is missing"))? {
        v1::event::Fact::Contributed(contributed) => Fact::Contributed {
            request: RequestDigest(array(&contributed.request, "request")?),
            taxonomy: contributed.taxonomy,
            lapses: contributed.lapses_ms.map(|millis| time(millis, "lapses_ms")).transpose()?,
            draft: draft_from_record(contributed)?,
        },
        v1::event::Fact::Withdrawn(withdrawn) => Fact::Withdrawn {
            entry: EntryId(withdrawn.entry),
            reason: parse(&withdrawn.reason, "reason")?,
            request: RequestDigest(array(&withdrawn.request, "request")?),
        },
        v1::event::Fact::MemberEnrolled(member) => Fact::MemberEnrolled(member_from_record(&member)?),
        v1::event::Fact::MemberApproved(approved) => Fact::MemberApproved {
            member: member_id(&approved.member, "member")?,
            to: parse(&approved.to, "to")?,
            checklist: parse_all(&approved.checklist, "checklist")?.into_iter().collect(),
            is_enough: approved.is_enough,
        },
        v1::event::Fact::MemberStatusSet(set) => Fact::MemberStatusSet {
            member: member_id(&set.member, "member")?,
            status: parse(&set.status, "status")?,
            reason: parse(&set.reason, "reason")?,
        },
        v1::event::Fact::KeyIssued(key) => Fact::KeyIssued(key_from_record(&key)?),
        v1::event::Fact::KeyRotated(rotated) => Fact::KeyRotated {
            key: key_from_record(&rotated.key.ok_or_else(|| FieldError::new("key", "is missing"))?)?,
            replaces: key_id(&rotated.replaces, "replaces")?,
            until: time(rotated.until_ms, "until_ms")?,
        },
        v1::event::Fact::KeyCompromised(compromised) => Fact::KeyCompromised {
            key: key_id(&compromised.key, "key")?,
            since: time(compromised.since_ms, "since_ms")?,
        },
        v1::event::Fact::KeyRevoked(revoked) => Fact::KeyRevoked { key: key_id(&revoked.key, "key")? },
        v1::event::Fact::QuotaSet(set) => Fact::QuotaSet {
            of: match (set.member.as_slice(), set.key.as_slice()) {
                (member, []) => Holder::Member(member_id(member, "member")?),
                ([], key) => Holder::Key(key_id(key, "key")?),
                _ => return Err(FieldError::new("key", "is there beside a member").into()),
            },
            quota: quota_from_record(set.quota),
        },
        v1::event::Fact::AdminRefused(refused) => Fact::AdminRefused {
            attempted: parse(&refused.attempted, "attempted")?,
            member: some(&refused.member).map(|bytes| member_id(bytes, "member")).transpose()?,
            key: some(&refused.key).map(|bytes| key_id(bytes, "key")).transpose()?,
            reason: parse(&refused.reason, "reason")?,
            count: refused.count,
        },
        v1::event::Fact::NamesShown(v1::NamesShown {}) => Fact::NamesShown,
        v1::event::Fact::WalkSeen(seen) => Fact::WalkSeen { level: parse(&seen.level, "level")? },
        v1::event::Fact::WalkCleared(cleared) => Fact::WalkCleared { member: member_id(&cleared.member, "member")? },
        v1::event::Fact::Expired(expired) => {
            Fact::Expired { entries: expired.entries.into_iter().map(EntryId).collect() }
        }
        v1::event::Fact::Erased(erased) => {
            let (erased, recounted) = erased_from_record(&erased)?;
            Fact::Erased { erased, recounted }
        }
        v1::event::Fact::Remains(remains) => Fact::Remains(remains_from_record(&remains)?),
        v1::event::Fact::HoldPlaced(terms) => Fact::HoldPlaced(hold_terms_from_record(&terms)?),
        v1::event::Fact::HoldLifted(lifted) => Fact::HoldLifted { hold: lifted.hold },
        v1::event::Fact::OutcomeReported(reported) => Fact::OutcomeReported(report_from_record(&reported)?),
        v1::event::Fact::Decided(decided) => Fact::Decided {
            entry: EntryId(decided.entry),
            decision: decision(&decided.ruling, &decided.reason, &decided.labels)?,
            is_enough: decided.is_enough,
        },
        v1::event::Fact::AppealOpened(opened) => Fact::AppealOpened {
            entry: EntryId(opened.entry),
            ground: parse(&opened.ground, "ground")?,
            note: optional(&opened.note, "note")?,
            deadline: time(opened.deadline_ms, "deadline_ms")?,
        },
        v1::event::Fact::FloodSeen(seen) => {
            Fact::FloodSeen { entry: EntryId(seen.entry), matches: seen.matches, usual: seen.usual }
        }
        v1::event::Fact::BenignAdded(added) => Fact::BenignAdded(Benign::new(
            signals_from_record(&added.signals)?,
            parse(&added.class, "class")?,
            optional(&added.reference, "reference")?,
        )?),
        v1::event::Fact::BenignRemoved(removed) => Fact::BenignRemoved { benign: removed.benign },
        v1::event::Fact::PolicySet(set) => Fact::PolicySet { text: set.text },
        v1::event::Fact::EntityDelisted(delisted) => {
            Fact::EntityDelisted { entity: parse(&delisted.entity, "entity")? }
        }
        v1::event::Fact::IncidentChanged(changed) => {
            let is_enough = changed.is_enough;
            let (incident, change) = change_from_record(changed)?;
            Fact::IncidentChanged { incident, change, is_enough }
        }
        v1::event::Fact::IncidentEnded(ended) => Fact::IncidentEnded { incident: parse(&ended.incident, "incident")? },
        v1::event::Fact::MatchesTallied(tallied) => Fact::MatchesTallied(tally_from_record(&tallied)?),
        v1::event::Fact::SampleDrawn(drawn) => Fact::SampleDrawn(sample_from_record(&drawn)?),
        v1::event::Fact::SampleJudged(judged) => Fact::SampleJudged {
            sample: judged.sample,
            entry: EntryId(judged.entry),
            verdict: parse(&judged.verdict, "verdict")?,
        },
    };
    Ok(Event { at: time(record.at_ms, "at_ms")?, by, request: optional(&record.request, "request")?, fact })
}

fn signal_to_record(signal: &Signal) -> v1::Signal {
    v1::Signal {
        kind: signal.kind().to_string(),
        value: signal.value(),
        quality_plus_one: signal.quality().map_or(0, |quality| u32::from(quality.percent()) + 1),
    }
}

fn signal_from_record(record: &v1::Signal) -> Result<Signal, FieldError> {
    let kind: SignalKind = parse(&record.kind, "kind")?;
    let signal =
        Signal::from_bytes(kind, &record.value).ok_or_else(|| FieldError::new("value", "has the wrong length"))?;
    signal.rated(record.quality_plus_one.checked_sub(1)).map_err(|error| FieldError::new("quality_plus_one", error))
}

fn signals_from_record(records: &[v1::Signal]) -> Result<Vec<Signal>, FieldError> {
    records.iter().map(signal_from_record).collect()
}

fn draft_from_record(record: v1::Contributed) -> Result<Draft, FieldError> {
    let signals = signals_from_record(&record.signals)?;
    let provenance = record.provenance.ok_or_else(|| FieldError::new("provenance", "is missing"))?;
    Draft::new(signals, parse_all(&record.labels, "labels")?, provenance_from_record(provenance)?)
}

fn provenance_to_record(provenance: &Provenance) -> v1::Provenance {
    v1::Provenance {
        origin: provenance.origin.to_string(),
        reviewers: provenance.reviewers.to_string(),
        producer: provenance.producer.to_string(),
        contexts: texts(&provenance.contexts),
        content_types: texts(&provenance.content_types),
        confidence: u32::from(provenance.confidence.percent()),
        tlp: provenance.tlp.to_string(),
        action_max: provenance.action_max.to_string(),
        valid_until_ms: provenance.valid_until.map(Timestamp::millis),
        supersedes: provenance.supersedes.map(|entry| entry.0),
        government_order: provenance.government_order.as_ref().map(|order| v1::GovernmentOrder {
            jurisdiction: order.jurisdiction.to_string(),
            date: order.date.to_string(),
        }),
        basis: Some(basis_to_record(&provenance.basis)),
    }
}

fn provenance_from_record(record: v1::Provenance) -> Result<Provenance, FieldError> {
    let government_order = match record.government_order {
        Some(order) => Some(GovernmentOrder {
            jurisdiction: parse(&order.jurisdiction, "government_order.jurisdiction")?,
            date: parse(&order.date, "government_order.date")?,
        }),
        None => None,
    };
    Ok(Provenance {
        origin: parse(&record.origin, "origin")?,
        reviewers: parse(&record.reviewers, "reviewers")?,
        basis: basis_from_record(&record.basis.ok_or_else(|| FieldError::new("basis", "is missing"))?)?,
        producer: parse(&record.producer, "producer")?,
        contexts: parse_all(&record.contexts, "contexts")?,
        content_types: parse_all(&record.content_types, "content_types")?,
        confidence: Confidence::new(record.confidence).map_err(|error| FieldError::new("confidence", error))?,
        tlp: parse(&record.tlp, "tlp")?,
        action_max: parse(&record.action_max, "action_max")?,
        valid_until: record.valid_until_ms.map(|millis| time(millis, "valid_until_ms")).transpose()?,
        supersedes: record.supersedes.map(EntryId),
        government_order,
    })
}

fn basis_to_record(basis: &Basis) -> v1::Basis {
    let mut record = v1::Basis { code: basis.code().to_owned(), ..Default::default() };
    match basis {
        Basis::UnConsolidatedList { entity, list_date } => {
            record.entity = entity.to_string();
            record.list_date = list_date.to_string();
        }
        Basis::DesignatedBy { authority, list_date } => {
            record.authority = authority.to_string();
            record.list_date = list_date.to_string();
        }
        Basis::Incident { incident } => record.incident = incident.to_string(),
        Basis::Behaviour => {}
        Basis::AnalystVerified { tier } => record.tier = tier.to_string(),
    }
    record
}

fn basis_from_record(record: &v1::Basis) -> Result<Basis, FieldError> {
    Ok(match record.code.as_str() {
        "un-consolidated-list" => Basis::UnConsolidatedList {
            entity: parse(&record.entity, "basis.entity")?,
            list_date: parse(&record.list_date, "basis.list_date")?,
        },
        "designated-by" => Basis::DesignatedBy {
            authority: parse(&record.authority, "basis.authority")?,
            list_date: parse(&record.list_date, "basis.list_date")?,
        },
        "incident" => Basis::Incident { incident: parse::<Code>(&record.incident, "basis.incident")? },
        "behaviour" => Basis::Behaviour,
        "analyst-verified" => Basis::AnalystVerified { tier: parse(&record.tier, "basis.tier")? },
        _ => return Err(FieldError::new("basis.code", "is unknown")),
    })
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn parse<T: FromStr>(text: &str, path: &str) -> Result<T, FieldError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| FieldError::new(path, error))
}

/// What is empty is not there.
fn optional<T: FromStr>(text: &str, path: &str) -> Result<Option<T>, FieldError>
where
    T::Err: std::fmt::Display,
{
    if text.is_empty() { Ok(None) } else { parse(text, path).map(Some) }
}

fn some(bytes: &[u8]) -> Option<&[u8]> {
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

fn parse_all<T: FromStr>(texts: &[String], path: &str) -> Result<Vec<T>, FieldError>
where
    T::Err: std::fmt::Display,
{
    texts.iter().map(|text| parse(text, path)).collect()
}

fn array<const N: usize>(bytes: &[u8], path: &str) -> Result<[u8; N], FieldError> {
    bytes.try_into().map_err(|_| FieldError::new(path, format_args!("must be {N} bytes, got {}", bytes.len())))
}

fn member_id(bytes: &[u8], path: &str) -> Result<MemberId, FieldError> {
    array(bytes, path).map(MemberId::from_bytes)
}

fn key_id(bytes: &[u8], path: &str) -> Result<KeyId, FieldError> {
    array(bytes, path).map(KeyId::from_bytes)
}

fn time(millis: u64, path: &str) -> Result<Timestamp, FieldError> {
    Timestamp::from_millis(millis).map_err(|error| FieldError::new(path, error))
}

#[cfg(test)]
mod tests;
