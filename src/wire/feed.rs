//! The ledger's events for followers.

use super::draft::draft_to_wire;
use super::{timestamp, v1};
use crate::domain::{Actor, Event, Fact, Holder};
use crate::hub::FeedItem;

/// Writes one leaf, and what it says where the caller may read it.
pub fn feed_item(item: FeedItem) -> v1::LedgerEvent {
    let opening = item.opening.map(|opened| opening(opened.salt.to_bytes().to_vec(), opened.record, &opened.event));
    v1::LedgerEvent { index: item.index, leaf: item.leaf.to_bytes().to_vec(), opening }
}

/// Writes an opened event.
pub fn opening(salt: Vec<u8>, record: Vec<u8>, event: &Event) -> v1::Opening {
    use v1::opening::{self, Fact as Wire};
    let fact = match &event.fact {
        Fact::Contributed { taxonomy, draft, .. } => {
            Wire::Contributed(opening::Contributed { taxonomy_version: *taxonomy, draft: Some(draft_to_wire(draft)) })
        }
        Fact::Withdrawn { entry, reason, .. } => {
            Wire::Withdrawn(opening::Withdrawn { entry_id: entry.0, reason: reason.to_string() })
        }
        Fact::MemberEnrolled(member) => {
            Wire::MemberEnrolled(opening::MemberEnrolled { member_id: member.id.to_string() })
        }
        Fact::MemberApproved { member, to, is_enough, .. } => Wire::MemberApproved(opening::MemberApproved {
            member_id: member.to_string(),
            to: to.to_string(),
            is_enough: *is_enough,
        }),
        Fact::MemberStatusSet { member, status, reason } => Wire::MemberStatusSet(opening::MemberStatusSet {
            member_id: member.to_string(),
            status: status.to_string(),
            reason: reason.to_string(),
        }),
        Fact::KeyIssued(key) => {
            Wire::KeyIssued(opening::KeyIssued { key_id: key.id.to_string(), member_id: key.member.to_string() })
        }
        Fact::KeyRotated { key, replaces, until } => Wire::KeyRotated(opening::KeyRotated {
            key_id: key.id.to_string(),
            replaces_key_id: replaces.to_string(),
            until: Some(timestamp(*until)),
        }),
        Fact::KeyCompromised { key, since } => {
            Wire::KeyCompromised(opening::KeyCompromised { key_id: key.to_string(), since: Some(timestamp(*since)) })
        }
        Fact::KeyRevoked { key } => Wire::KeyRevoked(opening::KeyRevoked { key_id: key.to_string() }),
        Fact::QuotaSet { of, .. } => {
            let (member_id, key_id) = match of {
                Holder::Member(member) => (member.to_string(), String::new()),
                Holder::Key(key) => (String::new(), key.to_string()),
            };
            Wire::QuotaSet(opening::QuotaSet { member_id, key_id })
        }
        Fact::AdminRefused { attempted, member, key, reason, count } => Wire::AdminRefused(opening::AdminRefused {
            attempted: attempted.to_string(),
            member_id: member.map(|id| id.to_string()).unwrap_or_default(),
            key_id: key.map(|id| id.to_string()).unwrap_or_default(),
            reason: reason.to_string(),
            count: *count,
        }),
        Fact::NamesShown => Wire::NamesShown(opening::NamesShown {}),
        Fact::WalkSeen { level } => Wire::WalkSeen(opening::WalkSeen { level: level.to_string() }),
        Fact::WalkCleared { member } => Wire::WalkCleared(opening::WalkCleared { member_id: member.to_string() }),
    };
    v1::Opening {
        salt,
        record,
        at: Some(timestamp(event.at)),
        kind: event.fact.kind().to_string(),
        fact: Some(fact),
        actor: match event.by {
            Actor::Hub => String::new(),
            Actor::Member { member, .. } => member.to_string(),
        },
        request_id: event.request.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
