//! Use cases of operators: enrol members, have them climb and fall, issue and revoke their keys, list all of it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::decide::{Intent, Refusal};
use super::inspect::AuditEvent;
use super::last_used::LastUsed;
use super::read::{self, ReadError};
use super::sequencer::{SequenceError, Sequencer};
use super::unseal::Unseal;
use super::walks::Watch;
use crate::domain::{
    Checklist, Clock, Code, Credential, Entropy, EntropyError, FieldError, Holder, Jurisdiction, Key, KeyId, Member,
    MemberId, Name, Network, Quota, Role, Roles, SpkiFingerprint, Status, StatusReason, Timestamp,
};
use crate::policy::{ApiKey, MacSecret, Permit, Roster, operation};
use crate::store::Store;

/// Keeps members and keys.
#[derive(Clone)]
pub struct Members {
    pub(super) sequencer: Sequencer,
    pub(super) unseal: Unseal,
    pub(super) store: Arc<Store>,
    pub(super) roster: Arc<ArcSwap<Roster>>,
    pub(super) secret: MacSecret,
    pub(super) watch: Watch,
    pub(super) last_used: LastUsed,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

/// Why a member or key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// A member's history could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No randomness for an id or a key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// What a new member is.
#[derive(Clone, Debug)]
pub struct Enrolment {
    pub name: Name,
    pub jurisdiction: Jurisdiction,
    pub control_group: Option<Code>,
    /// What it does for the hub: reviews, audits, administers.
    pub duties: Roles,
}

/// The longest that a key and its successor may both open.
const OVERLAP_MAX: Duration = Duration::from_hours(90 * 24);

fn check_expiry(expires: Option<Timestamp>, now: Timestamp) -> Result<(), FieldError> {
    match expires.filter(|expires| *expires <= now) {
        Some(expires) => Err(FieldError::new("expires", format_args!("must be in the future, got {expires}"))),
        None => Ok(()),
    }
}

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    pub member: MemberId,
    pub label: Option<Name>,
    /// Empty: all of the member's.
    pub roles: Roles,
    pub expires: Option<Timestamp>,
    /// From where alone it may be used. Empty: from everywhere.
    pub networks: Vec<Network>,
    /// Whoever shows this client certificate has the key. `None`: it has a text.
    pub certificate: Option<SpkiFingerprint>,
}

impl Members {
    /// Enrols an organisation, as an applicant.
    ///
    /// # Errors
    /// [`MemberError`], also if a member has that name.
    pub async fn enrol(
        &self,
        permit: &Permit<operation::Administer>,
        enrolment: Enrolment,
    ) -> Result<Member, MemberError> {
        let Enrolment { name, jurisdiction, control_group, duties } = enrolment;
        if let Some(role) = duties.iter().find(|role| matches!(role, Role::Checker | Role::Contributor)) {
            let problem = format!("{role} is no duty: it comes with the status, for which a member is approved");
            return Err(FieldError::new("duties", problem).into());
        }
        let id = MemberId::from_bytes(self.entropy.bytes()?);
        let member = Member { control_group, duties, ..Member::new(id, name, jurisdiction, self.clock.now()) };
        self.sequencer.submit(permit.authority(), Intent::Enrol(member)).await?;
        self.get(id)
    }

    /// Stands for a member's climbing to `to`. It has that status when as many people as it takes have done so.
    ///
    /// # Errors
    /// [`MemberError`].
    pub async fn approve(
        &self,
        permit: &Permit<operation::Administer>,
        member: MemberId,
        to: Status,
        checklist: Checklist,
    ) -> Result<Member, MemberError> {
        self.sequencer.submit(permit.authority(), Intent::Approve { member, to, checklist }).await?;
        self.get(member)
    }

    /// Sets a member to a lower status, or to none, at once.
    ///
    /// # Errors
    /// [`MemberError`].
    pub async fn set_status(
        &self,
        permit: &Permit<operation::Administer>,
        member: MemberId,
        status: Status,
        reason: StatusReason,
    ) -> Result<Member, MemberError> {
        self.sequencer.submit(permit.authority(), Intent::SetStatus { member, status, reason }).await?;
        self.get(member)
    }

    /// All that happened to a member and its keys, with the events' leaf indexes.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such member.
    pub fn history(
        &self,
        _permit: &Permit<operation::ListMembers>,
        member: MemberId,
    ) -> Result<Vec<AuditEvent>, MemberError> {
        let mut history = Vec::new();
        let roster = self.roster.load();
        for index in self.get(member)?.events {
            // One that was erased is left out.
            history.extend(read::event(&self.store, index)?.map(|event| AuditEvent::new(index, event, &roster)));
        }
        Ok(history)
    }

    /// Gives a member or a key a quota of its own, in place of the one that it had; one that says nothing takes it away again.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such member or key.
    pub async fn set_quota(
        &self,
        permit: &Permit<operation::Administer>,
        of: Holder,
        quota: Quota,
    ) -> Result<(), MemberError> {
        let Quota { checks_per_second, media_bytes_per_second, contributions_per_day, streams } = quota;
        for (name, value) in [
            ("checks_per_second", checks_per_second),
            ("media_bytes_per_second", media_bytes_per_second),
            ("contributions_per_day", contributions_per_day),
            ("streams", streams),
        ] {
            if value == Some(0) {
                let problem = "must be 1 or more; a member that is to do nothing is suspended, a key revoked";
                return Err(FieldError::new(format!("quota.{name}"), problem).into());
            }
        }
        self.sequencer.submit(permit.authority(), Intent::SetQuota { of, quota }).await?;
        Ok(())
    }

    /// Lets a member ask again that seemed to ask its way to a listed hash, and forgets what it asked.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such member, or nothing to release it from.
    pub async fn release(&self, permit: &Permit<operation::Administer>, id: MemberId) -> Result<Member, MemberError> {
        // First: what is not in the ledger for some reason is forgotten all the same, and while it is there it counts.
        self.watch.forget(id);
        self.sequencer.submit(permit.authority(), Intent::ClearWalk(id)).await?;
        self.get(id)
    }

    fn get(&self, id: MemberId) -> Result<Member, MemberError> {
        let member = self.roster.load().member(id).cloned();
        Ok(member.ok_or(SequenceError::from(Refusal::NoSuchMember(id)))?)
    }

    /// Makes a key. The returned [`ApiKey`] is the only copy there will ever be; there is none of a certificate's key.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such member or it lacks one of the roles.
    pub async fn issue(
        &self,
        permit: &Permit<operation::Administer>,
        request: KeyRequest,
    ) -> Result<(Key, Option<ApiKey>), MemberError> {
        let now = self.clock.now();
        check_expiry(request.expires, now)?;
        let text = self.new_text()?;
        let credential = match request.certificate {
            Some(certificate) => Credential::Certificate(certificate),
            None => self.secret.credential(&text),
        };
        let key = Key {
            label: request.label,
            issued_by: Some(permit.principal().key),
            expires: request.expires,
            networks: request.networks,
            ..Key::new(text.id(), request.member, request.roles, credential, now)
        };
        self.sequencer.submit(permit.authority(), Intent::IssueKey(key)).await?;
        Ok((self.key(text.id())?, request.certificate.is_none().then_some(text)))
    }

    /// Makes a successor of an API key: of the same member, roles, label and networks. The old one goes on for `overlap`, so that whoever uses it
    /// has time to change over, but not beyond its own end.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such key, it is not live, or it is a certificate's.
    pub async fn rotate(
        &self,
        permit: &Permit<operation::Administer>,
        id: KeyId,
        overlap: Duration,
        expires: Option<Timestamp>,
    ) -> Result<(Key, ApiKey), MemberError> {
        let now = self.clock.now();
        check_expiry(expires, now)?;
        if overlap > OVERLAP_MAX {
            let problem = format!("must be at most {} days", OVERLAP_MAX.as_secs() / 86_400);
            return Err(FieldError::new("overlap_seconds", problem).into());
        }
        let text = self.new_text()?;
        let (credential, until) = (self.secret.credential(&text), now.plus(overlap));
        let intent = Intent::RotateKey { id: text.id(), credential, expires, replaces: id, until };
        self.sequencer.submit(permit.authority(), intent).await?;
        Ok((self.key(text.id())?, text))
    }

    /// Takes a key away that is thought to have been in other hands since then, and notes it.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such key.
    pub async fn compromised(
        &self,
        permit: &Permit<operation::Administer>,
        id: KeyId,
        since: Timestamp,
    ) -> Result<Key, MemberError> {
        self.sequencer.submit(permit.authority(), Intent::CompromisedKey { key: id, since }).await?;
        self.key(id)
    }

    fn new_text(&self) -> Result<ApiKey, EntropyError> {
        Ok(ApiKey::new(KeyId::from_bytes(self.entropy.bytes()?), self.entropy.bytes()?))
    }

    fn key(&self, id: KeyId) -> Result<Key, MemberError> {
        let key = self.roster.load().key(id).cloned();
        Ok(key.ok_or(SequenceError::from(Refusal::NoSuchKey(id)))?)
    }

    /// Takes a key away, from the next request on. Again: nothing changes.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such key.
    pub async fn revoke(&self, permit: &Permit<operation::Administer>, id: KeyId) -> Result<Key, MemberError> {
        match self.sequencer.submit(permit.authority(), Intent::RevokeKey(id)).await {
            Ok(_) | Err(SequenceError::Refused(Refusal::AlreadyRevoked(_))) => {}
            Err(error) => return Err(error.into()),
        }
        // The roster is newer than the answer: it has the key, revoked.
        self.key(id)
    }

    /// All members, by id.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be counted that they are shown.
    pub async fn list(&self, permit: &Permit<operation::ListMembers>) -> Result<Vec<Member>, ReadError> {
        let members: Vec<_> = self.roster.load().members().cloned().collect();
        self.unseal.run(&permit.authority(), members.len() as u64).await?;
        Ok(members)
    }

    /// All keys, or one member's, by id, each with the beginning of the hour in which it was last used.
    pub fn keys(
        &self,
        _permit: &Permit<operation::ListMembers>,
        member: Option<MemberId>,
    ) -> Vec<(Key, Option<Timestamp>)> {
        let roster = self.roster.load();
        let wanted = roster.keys().filter(|key| member.is_none_or(|member| key.member == member));
        wanted.map(|key| (key.clone(), self.last_used.of(key.id))).collect()
    }
}
