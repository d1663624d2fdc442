//! What was erased and what is held, as it is written down.

use prost::Message;

use super::{RecordError, array, key_id, member_id, optional, parse, parse_all, texts, time, v1};
use crate::domain::{EntryId, Erased, FieldError, Hold, HoldScope, HoldTerms, Remains, RequestDigest, Timestamp};

/// The bytes of a hold's row of `register`. Its key is the hold's id.
pub fn encode_hold(hold: &Hold) -> Vec<u8> {
    v1::Hold {
        terms: Some(hold_terms_to_record(&hold.terms)),
        placed_ms: hold.placed.millis(),
        by: hold.by.bytes().to_vec(),
        lifted_ms: hold.lifted.map(Timestamp::millis),
    }
    .encode_to_vec()
}

/// The hold `id` of a row of `register`.
///
/// # Errors
/// [`RecordError`] if the bytes are not such a row.
pub fn decode_hold(id: u64, bytes: &[u8]) -> Result<Hold, RecordError> {
    let record = v1::Hold::decode(bytes)?;
    Ok(Hold {
        id,
        terms: hold_terms_from_record(&record.terms.ok_or_else(|| FieldError::new("terms", "is missing"))?)?,
        placed: time(record.placed_ms, "placed_ms")?,
        by: key_id(&record.by, "by")?,
        lifted: record.lifted_ms.map(|millis| time(millis, "lifted_ms")).transpose()?,
    })
}

pub(super) fn hold_terms_to_record(terms: &HoldTerms) -> v1::HoldPlaced {
    use v1::hold_placed::{Entries, Scope};
    let scope = match &terms.scope {
        HoldScope::Entries(entries) => {
            Scope::Entries(Entries { entries: entries.iter().map(|entry| entry.0).collect() })
        }
        HoldScope::Incident(incident) => Scope::Incident(incident.to_string()),
        HoldScope::Member(member) => Scope::Member(member.bytes().to_vec()),
    };
    v1::HoldPlaced {
        scope: Some(scope),
        reference: terms.reference.to_string(),
        authority: terms.authority.to_string(),
        until_ms: terms.until.millis(),
    }
}

pub(super) fn hold_terms_from_record(record: &v1::HoldPlaced) -> Result<HoldTerms, FieldError> {
    use v1::hold_placed::Scope;
    let scope = match record.scope.as_ref().ok_or_else(|| FieldError::new("scope", "is missing"))? {
        Scope::Entries(entries) => HoldScope::entries(entries.entries.iter().copied().map(EntryId).collect())?,
        Scope::Incident(incident) => HoldScope::Incident(parse(incident, "incident")?),
        Scope::Member(member) => HoldScope::Member(member_id(member, "member")?),
    };
    Ok(HoldTerms {
        scope,
        reference: parse(&record.reference, "reference")?,
        authority: parse(&record.authority, "authority")?,
        until: time(record.until_ms, "until_ms")?,
    })
}

pub(super) fn erased_to_record(erased: &[Erased], recounted: &[EntryId]) -> v1::Erased {
    let entry = |one: &Erased| v1::erased::Entry { entry: one.entry.0, commitment: one.commitment.to_vec() };
    v1::Erased {
        entries: erased.iter().map(entry).collect(),
        recounted: recounted.iter().map(|entry| entry.0).collect(),
    }
}

pub(super) fn erased_from_record(record: &v1::Erased) -> Result<(Vec<Erased>, Vec<EntryId>), FieldError> {
    let entry = |one: &v1::erased::Entry| {
        Ok(Erased { entry: EntryId(one.entry), commitment: array(&one.commitment, "entries.commitment")? })
    };
    let erased = record.entries.iter().map(entry).collect::<Result<_, FieldError>>()?;
    Ok((erased, record.recounted.iter().copied().map(EntryId).collect()))
}

pub(super) fn remains_to_record(remains: &Remains) -> v1::Remains {
    v1::Remains {
        taxonomy: remains.taxonomy,
        labels: texts(&remains.labels),
        basis: remains.basis.to_string(),
        kinds: texts(&remains.kinds),
        incident: remains.incident.as_ref().map(ToString::to_string).unwrap_or_default(),
        expires_ms: remains.expires.map(Timestamp::millis),
        came_near_benign: remains.came_near_benign,
        request: remains.request.0.to_vec(),
    }
}

pub(super) fn remains_from_record(record: &v1::Remains) -> Result<Remains, FieldError> {
    Ok(Remains {
        request: RequestDigest(array(&record.request, "request")?),
        taxonomy: record.taxonomy,
        labels: parse_all(&record.labels, "labels")?,
        basis: parse(&record.basis, "basis")?,
        kinds: parse_all(&record.kinds, "kinds")?,
        incident: optional(&record.incident, "incident")?,
        expires: record.expires_ms.map(|millis| time(millis, "expires_ms")).transpose()?,
        came_near_benign: record.came_near_benign,
    })
}
