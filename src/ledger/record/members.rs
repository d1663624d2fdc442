//! Members and keys as they are written down, in events and as rows.

use prost::Message;

use super::{RecordError, array, key_id, member_id, optional, parse, parse_all, texts, time, v1};
use crate::domain::{
    Approval, Credential, FieldError, Key, KeyMac, Member, Quota, Roles, SpkiFingerprint, Status, Timestamp, WalkMark,
};

/// The bytes of a row of `members`.
pub fn encode_member(member: &Member) -> Vec<u8> {
    member_to_record(member).encode_to_vec()
}

/// The member of a row of `members`.
///
/// # Errors
/// [`RecordError`] if the bytes are not such a row.
pub fn decode_member(bytes: &[u8]) -> Result<Member, RecordError> {
    Ok(member_from_record(&v1::Member::decode(bytes)?)?)
}

/// The bytes of a row of `keys`.
pub fn encode_key(key: &Key) -> Vec<u8> {
    key_to_record(key).encode_to_vec()
}

/// The key of a row of `keys`.
///
/// # Errors
/// [`RecordError`] if the bytes are not such a row.
pub fn decode_key(bytes: &[u8]) -> Result<Key, RecordError> {
    Ok(key_from_record(&v1::Key::decode(bytes)?)?)
}

pub(super) fn member_to_record(member: &Member) -> v1::Member {
    v1::Member {
        id: member.id.bytes().to_vec(),
        name: member.name.to_string(),
        jurisdiction: member.jurisdiction.to_string(),
        roles: member.duties.iter().map(ToString::to_string).collect(),
        enrolled_ms: member.enrolled.millis(),
        quota: quota_to_record(&member.quota),
        walk: member.walk.map(|walk| v1::WalkMark { level: walk.level.to_string(), at_ms: walk.at.millis() }),
        contributes_since_ms: member.contributes_since.map(Timestamp::millis),
        status: if member.status == Status::Applicant { String::new() } else { member.status.to_string() },
        control_group: member.control_group.as_ref().map(ToString::to_string).unwrap_or_default(),
        approvals: member.approvals.iter().map(approval_to_record).collect(),
        events: member.events.clone(),
    }
}

fn approval_to_record(approval: &Approval) -> v1::Approval {
    v1::Approval {
        to: approval.to.to_string(),
        checklist: approval.checklist.iter().map(ToString::to_string).collect(),
        by: approval.by.bytes().to_vec(),
        at_ms: approval.at.millis(),
    }
}

fn approval_from_record(record: &v1::Approval) -> Result<Approval, FieldError> {
    Ok(Approval {
        to: parse(&record.to, "to")?,
        checklist: parse_all(&record.checklist, "checklist")?.into_iter().collect(),
        by: key_id(&record.by, "by")?,
        at: time(record.at_ms, "at_ms")?,
    })
}

pub(super) fn member_from_record(record: &v1::Member) -> Result<Member, FieldError> {
    Ok(Member {
        id: member_id(&record.id, "id")?,
        name: parse(&record.name, "name")?,
        jurisdiction: parse(&record.jurisdiction, "jurisdiction")?,
        control_group: optional(&record.control_group, "control_group")?,
        status: optional(&record.status, "status")?.unwrap_or(Status::Applicant),
        duties: Roles::from_iter(parse_all(&record.roles, "roles")?),
        enrolled: time(record.enrolled_ms, "enrolled_ms")?,
        quota: quota_from_record(record.quota),
        walk: record.walk.as_ref().map(walk_from_record).transpose()?,
        contributes_since: record.contributes_since_ms.map(|ms| time(ms, "contributes_since_ms")).transpose()?,
        approvals: record.approvals.iter().map(approval_from_record).collect::<Result<_, _>>()?,
        events: record.events.clone(),
    })
}

pub(super) fn key_to_record(key: &Key) -> v1::Key {
    let (mac, certificate) = match &key.credential {
        Credential::Secret(mac) => (mac.0.to_vec(), Vec::new()),
        Credential::Certificate(fingerprint) => (Vec::new(), fingerprint.as_bytes().to_vec()),
    };
    v1::Key {
        id: key.id.bytes().to_vec(),
        member: key.member.bytes().to_vec(),
        label: key.label.as_ref().map(ToString::to_string).unwrap_or_default(),
        roles: key.roles.iter().map(ToString::to_string).collect(),
        mac,
        certificate,
        issued_ms: key.issued.millis(),
        expires_ms: key.expires.map(Timestamp::millis),
        revoked_ms: key.revoked.map(Timestamp::millis),
        issued_by: key.issued_by.map(|by| by.bytes().to_vec()).unwrap_or_default(),
        compromised_since_ms: key.compromised_since.map(Timestamp::millis),
        networks: texts(&key.networks),
        quota: quota_to_record(&key.quota),
    }
}

pub(super) fn key_from_record(record: &v1::Key) -> Result<Key, FieldError> {
    Ok(Key {
        id: key_id(&record.id, "id")?,
        member: member_id(&record.member, "member")?,
        label: optional(&record.label, "label")?,
        roles: Roles::from_iter(parse_all(&record.roles, "roles")?),
        credential: match (record.mac.as_slice(), record.certificate.as_slice()) {
            (mac, []) => Credential::Secret(KeyMac(array(mac, "mac")?)),
            ([], certificate) => {
                Credential::Certificate(SpkiFingerprint::from_bytes(array(certificate, "certificate")?))
            }
            _ => return Err(FieldError::new("certificate", "is there beside a mac")),
        },
        issued_by: if record.issued_by.is_empty() { None } else { Some(key_id(&record.issued_by, "issued_by")?) },
        issued: time(record.issued_ms, "issued_ms")?,
        expires: record.expires_ms.map(|millis| time(millis, "expires_ms")).transpose()?,
        networks: parse_all(&record.networks, "networks")?,
        quota: quota_from_record(record.quota),
        revoked: record.revoked_ms.map(|millis| time(millis, "revoked_ms")).transpose()?,
        compromised_since: record
            .compromised_since_ms
            .map(|millis| time(millis, "compromised_since_ms"))
            .transpose()?,
    })
}

fn walk_from_record(record: &v1::WalkMark) -> Result<WalkMark, FieldError> {
    Ok(WalkMark { level: parse(&record.level, "level")?, at: time(record.at_ms, "at_ms")? })
}

/// `None` for a quota that says nothing.
pub(super) fn quota_to_record(quota: &Quota) -> Option<v1::Quota> {
    let Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams } = *quota;
    let record = v1::Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams };
    (*quota != Quota::default()).then_some(record)
}

pub(super) fn quota_from_record(record: Option<v1::Quota>) -> Quota {
    let v1::Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams } =
        record.unwrap_or_default();
    Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams }
}
