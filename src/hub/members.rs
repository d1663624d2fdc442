//! Use cases of operators: enrol members, issue and revoke their keys, list both.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::decide::{Intent, Refusal};
use super::sequencer::{SequenceError, Sequencer};
use crate::domain::{
    Clock, Entropy, EntropyError, FieldError, Jurisdiction, Key, KeyId, Member, MemberId, Name, Roles, Timestamp,
};
use crate::policy::{ApiKey, MacSecret, Permit, Roster, operation};

/// Keeps members and keys.
#[derive(Clone)]
pub struct Members {
    pub(super) sequencer: Sequencer,
    pub(super) roster: Arc<ArcSwap<Roster>>,
    pub(super) secret: MacSecret,
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
    /// No randomness for an id or a key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    pub member: MemberId,
    pub label: Option<Name>,
    /// Empty: all of the member's.
    pub roles: Roles,
    pub expires: Option<Timestamp>,
}

impl Members {
    /// Enrols an organisation.
    ///
    /// # Errors
    /// [`MemberError`], also if a member has that name.
    pub async fn enrol(
        &self,
        permit: &Permit<operation::Administer>,
        name: Name,
        jurisdiction: Jurisdiction,
        roles: Roles,
    ) -> Result<Member, MemberError> {
        if roles.is_empty() {
            return Err(FieldError::new("roles", "must be at least one").into());
        }
        let id = MemberId::from_bytes(self.entropy.bytes()?);
        let member = Member { id, name, jurisdiction, roles, enrolled: self.clock.now() };
        let sequenced = self.sequencer.submit(permit.authority(), Intent::Enrol(member.clone())).await?;
        Ok(Member { enrolled: sequenced.at, ..member })
    }

    /// Makes a key. The returned [`ApiKey`] is the only copy there will ever be.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such member or it lacks one of the roles.
    pub async fn issue(
        &self,
        permit: &Permit<operation::Administer>,
        request: KeyRequest,
    ) -> Result<(Key, ApiKey), MemberError> {
        let now = self.clock.now();
        if let Some(expires) = request.expires
            && expires <= now
        {
            return Err(FieldError::new("expires", format_args!("must be in the future, got {expires}")).into());
        }
        let roster = self.roster.load();
        let member = roster.member(request.member).ok_or(SequenceError::from(Refusal::NoSuchMember(request.member)))?;
        let roles = if request.roles.is_empty() { member.roles.clone() } else { request.roles };
        let text = ApiKey::new(KeyId::from_bytes(self.entropy.bytes()?), self.entropy.bytes()?);
        let key = Key {
            id: text.id(),
            member: member.id,
            label: request.label,
            roles,
            mac: self.secret.mac(&text),
            issued: now,
            expires: request.expires,
            revoked: None,
        };
        let sequenced = self.sequencer.submit(permit.authority(), Intent::IssueKey(key.clone())).await?;
        Ok((Key { issued: sequenced.at, ..key }, text))
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
        let key = self.roster.load().key(id).cloned();
        Ok(key.ok_or(SequenceError::from(Refusal::NoSuchKey(id)))?)
    }

    /// All members, by id.
    pub fn list(&self, _permit: &Permit<operation::ListMembers>) -> Vec<Member> {
        self.roster.load().members().cloned().collect()
    }

    /// All keys, or one member's, by id.
    pub fn keys(&self, _permit: &Permit<operation::ListMembers>, member: Option<MemberId>) -> Vec<Key> {
        let roster = self.roster.load();
        roster.keys().filter(|key| member.is_none_or(|member| key.member == member)).cloned().collect()
    }
}
