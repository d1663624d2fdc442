//! Rows of `register`: what standing rests on beside entries. The first byte of a key says what its row is about.

use super::keys;
use crate::domain::{Hold, Incident, MemberId, Reference, Timestamp, Trust};
use crate::ledger::record;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterRow {
    /// The rules in force are those that this leaf set.
    Rules {
        event: u64,
    },
    /// What a member's contributions have come to.
    Trust(MemberId, Trust),
    Incident(Incident),
    /// An entity was taken off its list by this leaf.
    Delisted {
        entity: Reference,
        event: u64,
        at: Timestamp,
    },
    Hold(Hold),
}

impl RegisterRow {
    pub(super) fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let key = |about: u8, rest: &[u8]| [&[about], rest].concat();
        match self {
            Self::Rules { event } => (keys::REGISTER_RULES.to_vec(), keys::index(*event).to_vec()),
            Self::Trust(member, trust) => (key(keys::REGISTER_TRUST, &member.bytes()), record::encode_trust(trust)),
            Self::Incident(incident) => {
                (key(keys::REGISTER_INCIDENT, incident.code.as_str().as_bytes()), record::encode_incident(incident))
            }
            Self::Delisted { entity, event, at } => (
                key(keys::REGISTER_DELISTED, entity.as_str().as_bytes()),
                [keys::index(*event), keys::index(at.millis())].concat(),
            ),
            Self::Hold(hold) => (key(keys::REGISTER_HOLD, &keys::index(hold.id)), record::encode_hold(hold)),
        }
    }

    pub(super) fn decode(key: &[u8], value: &[u8]) -> Result<Self, String> {
        if key == keys::REGISTER_RULES {
            return keys::read_index(value).map(|event| Self::Rules { event }).ok_or_else(|| "must be 8 bytes".into());
        }
        match key.split_first() {
            Some((&keys::REGISTER_TRUST, member)) => {
                let member = member.try_into().map_err(|_| "its key must be a member's id")?;
                let trust = record::decode_trust(value).map_err(|error| error.to_string())?;
                Ok(Self::Trust(MemberId::from_bytes(member), trust))
            }
            Some((&keys::REGISTER_INCIDENT, _)) => {
                record::decode_incident(value).map(Self::Incident).map_err(|error| error.to_string())
            }
            Some((&keys::REGISTER_DELISTED, entity)) => {
                let read = || {
                    let (event, at) = value.split_at_checked(8)?;
                    let at = Timestamp::from_millis(keys::read_index(at)?).ok()?;
                    let entity = str::from_utf8(entity).ok()?.parse().ok()?;
                    Some(Self::Delisted { entity, event: keys::read_index(event)?, at })
                };
                read().ok_or_else(|| "must be an entity, an index and a time".into())
            }
            Some((&keys::REGISTER_HOLD, hold)) => {
                let id = keys::read_index(hold).ok_or("its key must be a leaf index")?;
                record::decode_hold(id, value).map(Self::Hold).map_err(|error| error.to_string())
            }
            _ => Err("is about nothing that is known".into()),
        }
    }
}
