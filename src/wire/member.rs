//! Members and keys.

use super::codes::Coded;
use super::{timestamp, timestamp_from_wire, v1};
use crate::domain::{At, FieldError, Key, Member, Role, Roles};
use crate::hub::KeyRequest;

/// Reads roles.
///
/// # Errors
/// One that is none, or stands twice.
pub fn roles_from_wire(wire: &[i32]) -> Result<Roles, FieldError> {
    let mut roles = Roles::new();
    for (at, number) in wire.iter().enumerate() {
        let role = Role::from_wire(*number, format!("roles[{at}]"))?;
        if !roles.insert(role) {
            return Err(FieldError::new(format!("roles[{at}]"), format_args!("`{role}` is given twice")));
        }
    }
    Ok(roles)
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
        roles: roles_to_wire(&member.roles),
        enrolled: Some(timestamp(member.enrolled)),
    }
}

/// Reads what a new key is to be.
///
/// # Errors
/// The field that is not as it must be.
pub fn key_request(request: &v1::IssueKeyRequest) -> Result<KeyRequest, FieldError> {
    Ok(KeyRequest {
        member: request.member_id.parse().at("member_id")?,
        label: if request.label.is_empty() { None } else { Some(request.label.parse().at("label")?) },
        roles: roles_from_wire(&request.roles)?,
        expires: request.expires.as_ref().map(|time| timestamp_from_wire(time, "expires")).transpose()?,
    })
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
    }
}
