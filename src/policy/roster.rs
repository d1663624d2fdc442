//! The roster: members and keys as they stand now. A fold of the ledger's enrolments, issues and revocations.

use std::collections::BTreeMap;

use super::access::{Authority, Principal, Refused};
use super::api_key::{ApiKey, MacSecret};
use crate::domain::{Key, KeyId, Member, MemberId, Role, Timestamp};

/// Every member and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    members: BTreeMap<MemberId, Member>,
    keys: BTreeMap<KeyId, Key>,
}

/// A key that opens nothing. Deliberately one case: unknown, wrong, revoked and expired look the same to whoever holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this API key is unknown, revoked or expired")]
pub struct AuthError;

/// Why what was permitted when a request or a stream began no longer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lapsed {
    /// The key is no longer live.
    #[error(transparent)]
    Key(#[from] AuthError),
    /// The key is live and has lost its role.
    #[error(transparent)]
    Role(#[from] Refused),
}

impl Roster {
    /// Adds a member, or puts it in the place of its earlier self.
    pub fn set_member(&mut self, member: Member) {
        self.members.insert(member.id, member);
    }

    /// Adds a key, or puts it in the place of its earlier self.
    pub fn set_key(&mut self, key: Key) {
        self.keys.insert(key.id, key);
    }

    /// A member, if there is such a one.
    pub fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(&id)
    }

    /// A key, if there is such a one.
    pub fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.get(&id)
    }

    /// All members, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// All keys, by id.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// Who holds this key.
    ///
    /// # Errors
    /// [`AuthError`] unless the key is known, its secret right, and it is neither revoked nor expired at `now`.
    pub fn authenticate(&self, presented: &ApiKey, secret: &MacSecret, now: Timestamp) -> Result<Principal, AuthError> {
        let Some(key) = self.keys.get(&presented.id()) else {
            // As much work as for a known key, so that time does not tell which ids exist.
            let _ = secret.mac(presented);
            return Err(AuthError);
        };
        if !secret.verify(presented, &key.mac) {
            return Err(AuthError);
        }
        self.principal(key, now).ok_or(AuthError)
    }

    /// Whether what was permitted earlier still is: the key may have been revoked since.
    ///
    /// # Errors
    /// [`Lapsed`] if the key is no longer live or has lost its role.
    pub fn confirm(&self, authority: &Authority, now: Timestamp) -> Result<(), Lapsed> {
        let key = self.keys.get(&authority.principal.key).filter(|key| key.is_live(now)).ok_or(AuthError)?;
        let member = self.members.get(&key.member).ok_or(AuthError)?;
        let roles = member.roles();
        let has = |role| key.roles.contains(role) && roles.contains(role);
        if authority.roles.iter().any(has) { Ok(()) } else { Err(authority.refusal(member.status).into()) }
    }

    /// Whether without these keys nobody could administer from `now` on without end, and with them somebody can.
    pub fn administers_alone(&self, which: impl Fn(&Key) -> bool, now: Timestamp) -> bool {
        let administers =
            |key: &&Key| self.principal(key, now).is_some_and(|holder| holder.roles.contains(&Role::Admin));
        let (these, others): (Vec<_>, Vec<_>) = self.keys.values().filter(administers).partition(|key| which(key));
        !these.is_empty() && others.iter().all(|key| key.expires.is_some())
    }

    /// The key of the first start that `id` stems from, by whichever keys were issued with which in between.
    pub fn root(&self, id: KeyId) -> KeyId {
        let issuer = |id: &KeyId| self.keys.get(id).and_then(|key| key.issued_by);
        // A key is issued after the one that it is issued with, so this comes to an end.
        std::iter::successors(Some(id), issuer).last().unwrap_or(id)
    }

    fn principal(&self, key: &Key, now: Timestamp) -> Option<Principal> {
        let member = self.members.get(&key.member)?;
        key.is_live(now).then(|| Principal {
            member: member.id,
            key: key.id,
            roles: key.roles.intersection(&member.roles()).copied().collect(),
            status: member.status,
            request: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::access::operation;
    use super::*;
    use crate::domain::{Role, Roles, Status};

    const SECRET: MacSecret = MacSecret::new([1; 32]);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    fn roster(key_roles: &[Role]) -> (Roster, ApiKey) {
        let member = MemberId::from_bytes([1; 5]);
        let text = ApiKey::new(KeyId::from_bytes([2; 5]), [3; 20]);
        let mut roster = Roster::default();
        roster.set_member(Member {
            status: Status::Contributor,
            ..Member::new(member, "Example".parse().unwrap(), "NZ".parse().unwrap(), at(0))
        });
        roster.set_key(Key {
            id: text.id(),
            member,
            label: None,
            roles: key_roles.iter().copied().collect(),
            mac: SECRET.mac(&text),
            issued_by: None,
            issued: at(0),
            expires: Some(at(1_000)),
            revoked: None,
            compromised_since: None,
        });
        (roster, text)
    }

    #[test]
    fn a_key_opens_only_what_both_it_and_its_member_may() {
        let (roster, key) = roster(&[Role::Checker, Role::Admin]);
        let principal = roster.authenticate(&key, &SECRET, at(10)).unwrap();
        assert_eq!(principal.roles, Roles::from([Role::Checker]));
        assert!(principal.permit::<operation::Check>().is_ok());
        let refused = principal.permit::<operation::Administer>().unwrap_err();
        assert_eq!(refused.to_string(), "this key may not administer: it needs the role admin");
    }

    #[test]
    fn unknown_wrong_expired_and_revoked_keys_all_look_the_same() {
        let (mut roster, key) = roster(&[Role::Checker]);
        let unknown = ApiKey::new(KeyId::from_bytes([9; 5]), [3; 20]);
        let wrong = ApiKey::new(key.id(), [4; 20]);
        assert_eq!(roster.authenticate(&unknown, &SECRET, at(10)), Err(AuthError));
        assert_eq!(roster.authenticate(&wrong, &SECRET, at(10)), Err(AuthError));
        assert_eq!(roster.authenticate(&key, &SECRET, at(1_000)), Err(AuthError));
        assert!(roster.authenticate(&key, &SECRET, at(999)).is_ok());
        let mut revoked = roster.key(key.id()).unwrap().clone();
        revoked.revoked = Some(at(20));
        roster.set_key(revoked);
        assert_eq!(roster.authenticate(&key, &SECRET, at(30)), Err(AuthError));
    }

    #[test]
    fn what_was_permitted_is_refused_once_the_key_is_revoked() {
        let (mut roster, key) = roster(&[Role::Contributor]);
        let permit = roster.authenticate(&key, &SECRET, at(10)).unwrap().permit::<operation::Contribute>().unwrap();
        assert!(roster.confirm(&permit.authority(), at(11)).is_ok());
        let mut revoked = roster.key(key.id()).unwrap().clone();
        revoked.revoked = Some(at(12));
        roster.set_key(revoked);
        assert_eq!(roster.confirm(&permit.authority(), at(12)), Err(Lapsed::Key(AuthError)));
    }

    #[test]
    fn a_suspended_members_keys_open_nothing_and_say_why() {
        let (mut roster, key) = roster(&[Role::Checker]);
        let permit = roster.authenticate(&key, &SECRET, at(10)).unwrap().permit::<operation::Check>().unwrap();
        let mut member = roster.member(MemberId::from_bytes([1; 5])).unwrap().clone();
        for (status, words) in [(Status::Suspended, "is suspended"), (Status::Left, "has left")] {
            member.status = status;
            member.duties = Roles::from([Role::Checker]);
            roster.set_member(member.clone());
            let refused = roster.authenticate(&key, &SECRET, at(11)).unwrap().permit::<operation::Check>().unwrap_err();
            assert!(refused.to_string().contains(words), "{refused}");
            assert_eq!(roster.confirm(&permit.authority(), at(11)), Err(Lapsed::Role(refused)));
        }
    }
}
