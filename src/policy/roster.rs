//! The roster: members and keys as they stand now. A fold of the ledger's enrolments, issues and revocations.

use std::collections::BTreeMap;
use std::time::Duration;

use super::access::{Authority, Operation, Permit, Principal, Refused};
use super::api_key::{ApiKey, MacSecret};
use super::peer::Peer;
use super::quota::Allowance;
use crate::domain::{Credential, Key, KeyId, KeyMac, Member, MemberId, Role, SpkiFingerprint, Timestamp};

/// Every member and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    members: BTreeMap<MemberId, Member>,
    keys: BTreeMap<KeyId, Key>,
    /// The key that was issued last for each certificate.
    certificates: BTreeMap<SpkiFingerprint, KeyId>,
}

/// A key that opens nothing. Deliberately one case: unknown, wrong, revoked, expired and at the wrong address look the same to
/// whoever holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this key is unknown, revoked, expired or not for this address")]
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
        if let Credential::Certificate(certificate) = key.credential {
            // Whatever the order in which they come: loaded by id, in none.
            let rank = |key: &Key| (key.issued, key.revoked.is_none(), key.id);
            let other = self.of_certificate(&certificate).filter(|other| other.id != key.id);
            if other.is_none_or(|other| rank(other) < rank(&key)) {
                self.certificates.insert(certificate, key.id);
            }
        }
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

    /// The key that was issued last for a certificate, if there is one.
    pub fn of_certificate(&self, certificate: &SpkiFingerprint) -> Option<&Key> {
        self.certificates.get(certificate).and_then(|id| self.keys.get(id))
    }

    /// All members, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// All keys, by id.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// Who holds this API key, or without one the client certificate that `peer` has shown.
    ///
    /// # Errors
    /// [`AuthError`] unless the key is known, its secret right, neither revoked nor expired at `now`, and for the peer's address;
    /// and the peer has shown no certificate of another member.
    pub fn authenticate(
        &self,
        presented: Option<&ApiKey>,
        peer: &Peer,
        secret: &MacSecret,
        now: Timestamp,
    ) -> Result<Principal, AuthError> {
        let certificate = peer.certificate.and_then(|certificate| self.of_certificate(&certificate));
        let key = match presented {
            Some(presented) => self.of_text(presented, secret),
            None => certificate,
        };
        let key = key.filter(|key| key.is_for(peer.address)).ok_or(AuthError)?;
        if certificate.is_some_and(|other| other.member != key.member) {
            return Err(AuthError);
        }
        self.principal(key, now).ok_or(AuthError)
    }

    /// The key of this text. As much work for an unknown key as for a known one, so that time does not tell which ids exist.
    fn of_text(&self, presented: &ApiKey, secret: &MacSecret) -> Option<&Key> {
        let key = self.keys.get(&presented.id());
        let (key, kept) = match key.map(|key| key.credential) {
            Some(Credential::Secret(mac)) => (key, mac),
            Some(Credential::Certificate(_)) | None => (None, KeyMac([0; 32])),
        };
        let is_right = secret.verify(presented, &kept);
        key.filter(|_| is_right)
    }

    /// Whether two members speak with one voice: they are one, or under one owner.
    pub fn speak_as_one(&self, one: MemberId, other: MemberId) -> bool {
        let unit = |id| self.member(id).map(Member::unit);
        one == other || unit(one).is_some_and(|unit_of_one| unit(other) == Some(unit_of_one))
    }

    /// Whether what was proposed with a key at some time still waits for a second person at `at`, for so long at most.
    pub fn stands(&self, (key, proposed): (KeyId, Timestamp), wait: Duration, at: Timestamp) -> bool {
        // A key may have been revoked because somebody else had it.
        at < proposed.plus(wait) && self.key(key).is_some_and(|key| key.revoked.is_none())
    }

    /// Whether `by` is a second person beside those who have proposed the same within `wait`; `None` if it is one of them.
    ///
    /// The hub knows keys, not people: two keys count as two people if they do not stem from the same key of the first start.
    pub fn seconds(
        &self,
        proposed: impl Iterator<Item = (KeyId, Timestamp)>,
        wait: Duration,
        by: KeyId,
        at: Timestamp,
    ) -> Option<bool> {
        let standing = proposed.filter(|one| self.stands(*one, wait, at));
        let roots: Vec<_> = standing.map(|(key, _)| self.root(key)).collect();
        (!roots.contains(&self.root(by))).then_some(!roots.is_empty())
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

    /// The same permit as it would be given now: what a caller sees, and how much it may use, can have changed since.
    ///
    /// # Errors
    /// [`Lapsed`] if it would not be given.
    pub fn renew<O: Operation>(&self, permit: &Permit<O>, now: Timestamp) -> Result<Permit<O>, Lapsed> {
        let earlier = permit.principal();
        let key = self.keys.get(&earlier.key).ok_or(AuthError)?;
        let principal = self.principal(key, now).ok_or(AuthError)?;
        Ok(Principal { request: earlier.request.clone(), ..principal }.permit()?)
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
            allowance: Allowance::new(member, key),
            request: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::access::operation;
    use super::*;
    use crate::domain::{Role, Roles, Status};

    const SECRET: MacSecret = MacSecret::new([1; 32]);
    const PEER: Peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), certificate: None };

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
        let roles = key_roles.iter().copied().collect();
        let key = Key::new(text.id(), member, roles, SECRET.credential(&text), at(0));
        roster.set_key(Key { expires: Some(at(1_000)), ..key });
        (roster, text)
    }

    #[test]
    fn a_key_opens_only_what_both_it_and_its_member_may() {
        let (roster, key) = roster(&[Role::Checker, Role::Admin]);
        let principal = roster.authenticate(Some(&key), &PEER, &SECRET, at(10)).unwrap();
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
        assert_eq!(roster.authenticate(Some(&unknown), &PEER, &SECRET, at(10)), Err(AuthError));
        assert_eq!(roster.authenticate(Some(&wrong), &PEER, &SECRET, at(10)), Err(AuthError));
        assert_eq!(roster.authenticate(Some(&key), &PEER, &SECRET, at(1_000)), Err(AuthError));
        assert!(roster.authenticate(Some(&key), &PEER, &SECRET, at(999)).is_ok());
        let mut revoked = roster.key(key.id()).unwrap().clone();
        revoked.revoked = Some(at(20));
        roster.set_key(revoked);
        assert_eq!(roster.authenticate(Some(&key), &PEER, &SECRET, at(30)), Err(AuthError));
    }

    #[test]
    fn what_was_permitted_is_refused_once_the_key_is_revoked() {
        let (mut roster, key) = roster(&[Role::Contributor]);
        let permit =
            roster.authenticate(Some(&key), &PEER, &SECRET, at(10)).unwrap().permit::<operation::Contribute>().unwrap();
        assert!(roster.confirm(&permit.authority(), at(11)).is_ok());
        let mut revoked = roster.key(key.id()).unwrap().clone();
        revoked.revoked = Some(at(12));
        roster.set_key(revoked);
        assert_eq!(roster.confirm(&permit.authority(), at(12)), Err(Lapsed::Key(AuthError)));
    }

    #[test]
    fn a_suspended_members_keys_open_nothing_and_say_why() {
        let (mut roster, key) = roster(&[Role::Checker]);
        let permit =
            roster.authenticate(Some(&key), &PEER, &SECRET, at(10)).unwrap().permit::<operation::Check>().unwrap();
        let mut member = roster.member(MemberId::from_bytes([1; 5])).unwrap().clone();
        for (status, words) in [(Status::Suspended, "is suspended"), (Status::Left, "has left")] {
            member.status = status;
            member.duties = Roles::from([Role::Checker]);
            roster.set_member(member.clone());
            let refused = roster
                .authenticate(Some(&key), &PEER, &SECRET, at(11))
                .unwrap()
                .permit::<operation::Check>()
                .unwrap_err();
            assert!(refused.to_string().contains(words), "{refused}");
            assert_eq!(roster.confirm(&permit.authority(), at(11)), Err(Lapsed::Role(refused)));
        }
    }

    #[test]
    fn a_key_opens_from_its_networks_alone() {
        let (mut roster, key) = roster(&[Role::Checker]);
        let bound = Key { networks: vec!["192.0.2.0/24".parse().unwrap()], ..roster.key(key.id()).unwrap().clone() };
        roster.set_key(bound);
        let from = |address: &str| {
            let peer = Peer { address: address.parse().unwrap(), certificate: None };
            roster.authenticate(Some(&key), &peer, &SECRET, at(10))
        };
        assert!(from("192.0.2.200").is_ok());
        assert_eq!(from("192.0.3.1"), Err(AuthError));
        assert_eq!(from("2001:db8::1"), Err(AuthError));
    }

    #[test]
    fn a_certificate_opens_what_its_key_does_until_that_is_revoked_and_nothing_with_another_members_api_key() {
        let (mut roster, text) = roster(&[Role::Checker]);
        let [certificate, unknown] = [5, 6].map(|n| SpkiFingerprint::from_bytes([n; 32]));
        let peer = |certificate| Peer { certificate: Some(certificate), ..PEER };
        let (owner, id) = (roster.key(text.id()).unwrap().member, KeyId::from_bytes([8; 5]));
        let new =
            |member| Key::new(id, member, Roles::from([Role::Checker]), Credential::Certificate(certificate), at(0));
        roster.set_key(new(owner));
        let holder = roster.authenticate(None, &peer(certificate), &SECRET, at(10)).unwrap();
        assert_eq!((holder.member, holder.key), (owner, id));
        assert_eq!(roster.authenticate(None, &peer(unknown), &SECRET, at(10)), Err(AuthError));
        assert_eq!(roster.authenticate(None, &PEER, &SECRET, at(10)), Err(AuthError));
        // With an API key as well, that counts; if it is of the same member.
        let with_text = |roster: &Roster| roster.authenticate(Some(&text), &peer(certificate), &SECRET, at(10));
        assert_eq!(with_text(&roster).unwrap().key, text.id());
        let other = Member { id: MemberId::from_bytes([9; 5]), ..roster.member(owner).unwrap().clone() };
        roster.set_key(new(other.id));
        roster.set_member(other);
        assert_eq!(with_text(&roster), Err(AuthError));
        // The id of a certificate's key is no API key's.
        let forged = ApiKey::new(id, [0; 20]);
        assert_eq!(roster.authenticate(Some(&forged), &PEER, &SECRET, at(10)), Err(AuthError));
        let holder = roster.authenticate(None, &peer(certificate), &SECRET, at(10)).unwrap();
        let permit = holder.permit::<operation::Check>().unwrap();
        roster.set_key(Key { revoked: Some(at(11)), ..new(holder.member) });
        assert_eq!(roster.authenticate(None, &peer(certificate), &SECRET, at(11)), Err(AuthError));
        assert_eq!(roster.confirm(&permit.authority(), at(11)), Err(Lapsed::Key(AuthError)));
        // A later key for the same certificate opens again, whatever its id.
        roster.set_key(Key { id: KeyId::from_bytes([7; 5]), issued: at(12), ..new(owner) });
        assert_eq!(roster.authenticate(None, &peer(certificate), &SECRET, at(12)).unwrap().member, owner);
        roster.set_key(Key { revoked: Some(at(11)), ..new(holder.member) });
        assert_eq!(roster.authenticate(None, &peer(certificate), &SECRET, at(12)).unwrap().member, owner);
    }
}
