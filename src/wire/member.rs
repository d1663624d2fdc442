//! Members and keys.

use std::collections::BTreeSet;

use super::codes::Coded;
use super::retention::hold_scope;
use super::{optional, required, timestamp, timestamp_from_wire, v1};
use crate::domain::{
    Actor, Approval, At, Checklist, ChecklistItem, Credential, Fact, FieldError, Holder, IncidentChange, Key, Member,
    Network, Quota, Role, Roles,
};
use crate::hub::{AuditEvent, Enrolment, KeyRequest, Suspect};

/// The most networks that a key may be for.
const NETWORKS_MAX: usize = 32;

/// Reads roles.
///
/// # Errors
/// One that is none, or stands twice.
pub fn roles_from_wire(wire: &[i32], path: &str) -> Result<Roles, FieldError> {
    set_from_wire::<Role>(wire, path)
}

/// Reads a checklist.
///
/// # Errors
/// An item that is none, or stands twice.
pub fn checklist_from_wire(wire: &[i32]) -> Result<Checklist, FieldError> {
    set_from_wire::<ChecklistItem>(wire, "checklist")
}

fn set_from_wire<T: Coded + Ord>(wire: &[i32], path: &str) -> Result<BTreeSet<T>, FieldError> {
    let mut set = BTreeSet::new();
    for (at, number) in wire.iter().enumerate() {
        let value = T::from_wire(*number, format!("{path}[{at}]"))?;
        if !set.insert(value) {
            return Err(FieldError::new(format!("{path}[{at}]"), format_args!("`{value}` is given twice")));
        }
    }
    Ok(set)
}

/// Reads what a new member is.
///
/// # Errors
/// The field that is not as it must be.
pub fn enrolment(request: &v1::EnrolMemberRequest) -> Result<Enrolment, FieldError> {
    Ok(Enrolment {
        name: request.name.parse().at("name")?,
        jurisdiction: request.jurisdiction.parse().at("jurisdiction")?,
        control_group: optional(&request.control_group, "control_group")?,
        duties: roles_from_wire(&request.duties, "duties")?,
    })
}

/// Writes roles.
pub fn roles_to_wire(roles: &Roles) -> Vec<i32> {
    roles.iter().map(|role| role.to_wire()).collect()
}

/// Writes a member.
pub fn member(member: &Member) -> v1::Member {
    v1::Member {
        member_id: member.id.to_string(),
        name: member.name.to_string(),
        jurisdiction: member.jurisdiction.to_string(),
        roles: roles_to_wire(&member.roles()),
        enrolled: Some(timestamp(member.enrolled)),
        status: member.status.to_wire(),
        control_group: member.control_group.as_ref().map(ToString::to_string).unwrap_or_default(),
        duties: roles_to_wire(&member.duties),
        approvals: member.approvals.iter().map(approval).collect(),
        quota: quota(&member.quota),
        walk: member.walk.map(|walk| walk.level.to_string()).unwrap_or_default(),
        walk_seen: member.walk.map(|walk| timestamp(walk.at)),
    }
}

fn approval(approval: &Approval) -> v1::Approval {
    v1::Approval {
        to: approval.to.to_wire(),
        checklist: checklist_to_wire(&approval.checklist),
        key_id: approval.by.to_string(),
        at: Some(timestamp(approval.at)),
    }
}

fn checklist_to_wire(checklist: &Checklist) -> Vec<i32> {
    checklist.iter().map(|item| item.to_wire()).collect()
}

/// Writes something that happened to a member, its keys, the rules or an incident.
pub fn member_event(told: &AuditEvent) -> v1::MemberEvent {
    let event = &told.event;
    let mut wire = v1::MemberEvent {
        index: told.index,
        at: Some(timestamp(event.at)),
        kind: event.fact.kind().to_string(),
        member_id: told.member.map(|id| id.to_string()).unwrap_or_default(),
        key_id: told.key.map(|id| id.to_string()).unwrap_or_default(),
        request_id: event.request.as_ref().map(ToString::to_string).unwrap_or_default(),
        ..Default::default()
    };
    if let Actor::Member { member, key } = event.by {
        (wire.by_member_id, wire.by_key_id) = (member.to_string(), key.to_string());
    }
    match &event.fact {
        Fact::MemberApproved { to, checklist, is_enough, .. } => {
            wire.status = to.to_wire();
            wire.checklist = checklist_to_wire(checklist);
            wire.is_enough = *is_enough;
        }
        Fact::MemberStatusSet { status, reason, .. } => {
            wire.status = status.to_wire();
            wire.reason = reason.to_wire();
        }
        Fact::WalkSeen { level } => wire.walk = level.to_string(),
        Fact::QuotaSet { quota: set, .. } => wire.quota = Some(quota(set).unwrap_or_default()),
        Fact::KeyIssued(key) => wire.roles = roles_to_wire(&key.roles),
        Fact::KeyRotated { key, replaces, until } => {
            wire.roles = roles_to_wire(&key.roles);
            wire.replaces_key_id = replaces.to_string();
            wire.until = Some(timestamp(*until));
        }
        Fact::KeyCompromised { since, .. } => wire.since = Some(timestamp(*since)),
        Fact::AdminRefused { attempted, reason, count, .. } => {
            wire.attempted = attempted.to_string();
            wire.refused = reason.to_string();
            wire.count = *count;
        }
        Fact::EntityDelisted { entity } => wire.entity = entity.to_string(),
        Fact::IncidentChanged { incident, change, is_enough } => {
            wire.incident = incident.to_string();
            wire.change = change.code().to_owned();
            wire.is_enough = *is_enough;
            if let IncidentChange::Open { until, .. } | IncidentChange::Extend { until } = change {
                wire.until = Some(timestamp(*until));
            }
            if let IncidentChange::Open { kind, is_drill, .. } = change {
                wire.incident_kind = kind.to_string();
                wire.is_drill = *is_drill;
            }
        }
        Fact::IncidentEnded { incident } => wire.incident = incident.to_string(),
        Fact::HoldPlaced(terms) => {
            wire.hold_scope = Some(hold_scope(&terms.scope));
            wire.hold_reference = terms.reference.to_string();
            wire.hold_authority = terms.authority.to_string();
            wire.until = Some(timestamp(terms.until));
        }
        Fact::HoldLifted { hold } => wire.hold_id = Some(*hold),
        Fact::MemberEnrolled(_) | Fact::KeyRevoked { .. } | Fact::NamesShown | Fact::WalkCleared { .. } => {}
        // Its text is too long for a list: the feed has it.
        Fact::PolicySet { .. } => {}
        // About entries.
        Fact::Contributed { .. }
        | Fact::Withdrawn { .. }
        | Fact::Expired { .. }
        | Fact::Erased { .. }
        | Fact::Remains(_)
        | Fact::OutcomeReported(_)
        | Fact::Decided { .. }
        | Fact::AppealOpened { .. }
        | Fact::FloodSeen { .. }
        | Fact::BenignAdded(_)
        | Fact::BenignRemoved { .. }
        | Fact::MatchesTallied(_)
        | Fact::SampleDrawn(_)
        | Fact::SampleJudged { .. } => {}
    }
    wire
}

/// Reads what a new key is to be.
///
/// # Errors
/// The field that is not as it must be.
pub fn key_request(request: &v1::IssueKeyRequest) -> Result<KeyRequest, FieldError> {
    Ok(KeyRequest {
        member: request.member_id.parse().at("member_id")?,
        label: optional(&request.label, "label")?,
        roles: roles_from_wire(&request.roles, "roles")?,
        expires: request.expires.as_ref().map(|time| timestamp_from_wire(time, "expires")).transpose()?,
        networks: networks_from_wire(&request.networks)?,
        certificate: optional(&request.certificate, "certificate")?,
    })
}

/// Reads whose a quota is to be, and what.
///
/// # Errors
/// The field that is not as it must be.
pub fn quota_request(request: &v1::SetQuotaRequest) -> Result<(Holder, Quota), FieldError> {
    let of = match (request.member_id.as_str(), request.key_id.as_str()) {
        (member, "") => Holder::Member(member.parse().at("member_id")?),
        ("", key) => Holder::Key(key.parse().at("key_id")?),
        _ => return Err(FieldError::new("key_id", "must be empty if member_id is given")),
    };
    let v1::Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams } =
        required(request.quota, "quota")?;
    Ok((of, Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams }))
}

/// Writes a quota; `None` for one that says nothing.
fn quota(quota: &Quota) -> Option<v1::Quota> {
    let Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams } = *quota;
    let wire = v1::Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams };
    (*quota != Quota::default()).then_some(wire)
}

/// Reads addresses and networks, each once.
fn networks_from_wire(wire: &[String]) -> Result<Vec<Network>, FieldError> {
    if wire.len() > NETWORKS_MAX {
        let problem = format_args!("must be at most {NETWORKS_MAX}, got {}", wire.len());
        return Err(FieldError::new("networks", problem));
    }
    let mut networks = Vec::new();
    for (at, text) in wire.iter().enumerate() {
        let network = text.parse().at(format!("networks[{at}]"))?;
        if networks.contains(&network) {
            return Err(FieldError::new(format!("networks[{at}]"), format_args!("`{network}` is given twice")));
        }
        networks.push(network);
    }
    Ok(networks)
}

/// Writes an entry that was contributed with a key.
pub fn contribution(suspect: &Suspect) -> v1::Contribution {
    v1::Contribution {
        entry_id: suspect.entry.0,
        contributed: Some(timestamp(suspect.contributed)),
        is_withdrawn: suspect.is_withdrawn,
    }
}

/// Writes a key, without its secret.
pub fn key(key: &Key) -> v1::Key {
    v1::Key {
        key_id: key.id.to_string(),
        member_id: key.member.to_string(),
        label: key.label.as_ref().map(ToString::to_string).unwrap_or_default(),
        roles: roles_to_wire(&key.roles),
        issued: Some(timestamp(key.issued)),
        expires: key.expires.map(timestamp),
        revoked: key.revoked.map(timestamp),
        issued_by_key_id: key.issued_by.map(|by| by.to_string()).unwrap_or_default(),
        compromised_since: key.compromised_since.map(timestamp),
        networks: key.networks.iter().map(ToString::to_string).collect(),
        quota: quota(&key.quota),
        last_used: None,
        certificate: match &key.credential {
            Credential::Secret(_) => String::new(),
            Credential::Certificate(certificate) => certificate.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::fact;
    use crate::domain::{Event, Timestamp};

    proptest! {
        #[test]
        fn an_auditor_is_told_all_of_an_incident_and_which_entity(fact in fact()) {
            let event = Event { at: Timestamp::EPOCH, by: Actor::Hub, request: None, fact };
            let wire = member_event(&AuditEvent { index: 1, event: event.clone(), member: None, key: None });
            let is_open = matches!(&event.fact, Fact::IncidentChanged { change: IncidentChange::Open { .. }, .. });
            prop_assert_eq!(!wire.incident_kind.is_empty(), is_open);
            match &event.fact {
                Fact::IncidentChanged { incident, change, is_enough } => {
                    let said = (wire.incident, wire.change.as_str(), wire.is_enough);
                    prop_assert_eq!(said, (incident.to_string(), change.code(), *is_enough));
                    let (until, kind, drill) = match change {
                        IncidentChange::Open { kind, is_drill, until } => (Some(until), kind.to_string(), *is_drill),
                        IncidentChange::Extend { until } => (Some(until), String::new(), false),
                        IncidentChange::Close => (None, String::new(), false),
                    };
                    prop_assert_eq!(wire.until, until.map(|until| timestamp(*until)));
                    prop_assert_eq!((wire.incident_kind, wire.is_drill), (kind, drill));
                }
                Fact::IncidentEnded { incident } => prop_assert_eq!(wire.incident, incident.to_string()),
                Fact::EntityDelisted { entity } => prop_assert_eq!(wire.entity, entity.to_string()),
                _ => prop_assert_eq!([wire.incident, wire.change, wire.entity], [""; 3]),
            }
        }
    }
}
