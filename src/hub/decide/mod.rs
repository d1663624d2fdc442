//! What becomes of an intent when its turn comes: an event, an earlier event's answer, or a refusal.
//!
//! Everything that was checked when the request came in and may have changed since is checked here again, against the events
//! before it, those of the same batch included.

mod standing;

use std::collections::HashMap;

pub use standing::StandingIntent;

use super::fold::{Ahead, Past};
use super::read::{self, ReadError};
use crate::domain::{
    Actor, Basis, Checklist, Credential, Draft, Entry, EntryId, EntryState, Event, EventKind, Fact, FieldError, Holder,
    Key, KeyId, Member, MemberId, Quota, RefusalReason, RequestDigest, Status, StatusReason, Timestamp, WalkLevel,
    WithdrawReason,
};
use crate::policy::retention::HoldError;
use crate::policy::{
    self, Attempt, Authority, IncidentError, LadderError, Lapsed, Roster, RulingError, check_validity,
};
use crate::store::{Store, StoreError};

/// What a member wants to happen.
#[derive(Clone, Debug)]
pub enum Intent {
    Contribute {
        request: RequestDigest,
        taxonomy: u32,
        draft: Box<Draft>,
    },
    Withdraw {
        entry: EntryId,
        reason: WithdrawReason,
        request: RequestDigest,
    },
    Enrol(Member),
    Approve {
        member: MemberId,
        to: Status,
        checklist: Checklist,
    },
    SetStatus {
        member: MemberId,
        status: Status,
        reason: StatusReason,
    },
    /// Without roles: all of the member's.
    IssueKey(Key),
    /// A key like `replaces`, with another id and secret, is to replace it; it ends at `until` at the latest.
    RotateKey {
        id: KeyId,
        credential: Credential,
        expires: Option<Timestamp>,
        replaces: KeyId,
        until: Timestamp,
    },
    RevokeKey(KeyId),
    CompromisedKey {
        key: KeyId,
        since: Timestamp,
    },
    SetQuota {
        of: Holder,
        quota: Quota,
    },
    /// That something was refused before it came here.
    Refused(Attempt),
    /// That a key is shown who members are.
    NamesShown,
    /// That the member seems to ask its way to a listed hash.
    WalkSeen(WalkLevel),
    ClearWalk(MemberId),
    /// About what entries count for.
    Standing(Box<StandingIntent>),
}

impl Intent {
    /// What of members and keys it would change, and whose: the event that it would be.
    pub fn administers(&self) -> Option<(EventKind, Option<MemberId>, Option<KeyId>)> {
        Some(match self {
            Self::Enrol(_) => (EventKind::MemberEnrolled, None, None),
            Self::Approve { member, .. } => (EventKind::MemberApproved, Some(*member), None),
            Self::SetStatus { member, .. } => (EventKind::MemberStatusSet, Some(*member), None),
            Self::IssueKey(key) => (EventKind::KeyIssued, Some(key.member), None),
            Self::RotateKey { replaces, .. } => (EventKind::KeyRotated, None, Some(*replaces)),
            Self::RevokeKey(key) => (EventKind::KeyRevoked, None, Some(*key)),
            Self::CompromisedKey { key, .. } => (EventKind::KeyCompromised, None, Some(*key)),
            Self::ClearWalk(member) => (EventKind::WalkCleared, Some(*member), None),
            Self::SetQuota { of: Holder::Member(member), .. } => (EventKind::QuotaSet, Some(*member), None),
            Self::SetQuota { of: Holder::Key(key), .. } => (EventKind::QuotaSet, None, Some(*key)),
            Self::Contribute { .. } | Self::Withdraw { .. } | Self::Refused(_) | Self::NamesShown => return None,
            Self::WalkSeen(_) => return None,
            Self::Standing(intent) => return intent.administers().map(|kind| (kind, None, None)),
        })
    }

    /// Whether it puts an item on the list: what members do by the million.
    pub const fn is_contribution(&self) -> bool {
        matches!(self, Self::Contribute { .. })
    }
}

/// Why an intent came to nothing. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The key was revoked, expired or lost its role while the request waited.
    #[error(transparent)]
    NotPermitted(#[from] Lapsed),
    /// The request id stands for another draft.
    #[error("request_id: was used before with another draft; choose a new id for a new draft")]
    RequestReused,
    /// What the request made was erased.
    #[error("request_id: made entry {0}, which was erased; choose a new id to contribute it anew")]
    RequestErased(EntryId),
    /// There is no such entry, or it is not the caller's: the two look the same.
    #[error("entry {0}: no such entry, or not one you may change")]
    NoSuchEntry(EntryId),
    /// There is no such member.
    #[error("member {0}: no such member")]
    NoSuchMember(MemberId),
    /// There is no such key.
    #[error("key {0}: no such key")]
    NoSuchKey(KeyId),
    /// The key was revoked before.
    #[error("key {0}: is revoked already")]
    AlreadyRevoked(KeyId),
    /// A key that is to be replaced opens nothing any more.
    #[error("key {0}: is revoked or expired; issue a new one")]
    NotLive(KeyId),
    /// It has no text that could be replaced.
    #[error("key {0}: is a certificate's; issue a key for the new certificate, then revoke this one")]
    OfCertificate(KeyId),
    /// There is nothing to release it from.
    #[error("member {0}: has not been seen on a walk since an operator last looked")]
    NoWalk(MemberId),
    /// Without it nobody could enrol members or issue keys any more.
    #[error("key {0}: is the last live key with the role admin that has no end; issue another such one first")]
    LastAdminKey(KeyId),
    /// The same of a member.
    #[error("member {0}: has the last live keys with the role admin that have no end; issue another member one first")]
    LastAdmin(MemberId),
    /// The member cannot climb or fall so.
    #[error(transparent)]
    Ladder(#[from] LadderError),
    /// There is no such benign item.
    #[error("benign item {0}: no such item, or removed already")]
    NoSuchBenign(u64),
    /// There is no such sample.
    #[error("sample {0}: no such sample")]
    NoSuchSample(u64),
    /// The rules in force are not those that they were to replace.
    #[error("replaces: other rules have been set meanwhile; look at them first")]
    OtherRules,
    /// A member has said enough about it.
    #[error("entry {0}: your organisation has reported 16 outcomes about it, which is the most")]
    ReportedEnough(EntryId),
    /// There is nothing to appeal against.
    #[error("entry {0}: no longer matches anything")]
    NoLongerMatches(EntryId),
    /// The decision about an entry does not stand.
    #[error(transparent)]
    Ruling(#[from] RulingError),
    /// Its hashes and provenance are gone.
    #[error("entry {entry}: was erased by event {event}, and cannot be held any more")]
    Erased { entry: EntryId, event: u64 },
    /// The hold does not stand.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The change of an incident does not stand.
    #[error(transparent)]
    Incident(#[from] IncidentError),
    /// A member has that name.
    #[error("name: a member of this name is enrolled already")]
    NameTaken,
    /// A field that only the events before could show to be wrong.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// What the decision rests on could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Refusal {
    /// The same, of a bounded set, where it refuses a change of members or keys to somebody who was known.
    pub const fn reason(&self) -> Option<RefusalReason> {
        Some(match self {
            Self::NotPermitted(Lapsed::Role(refused)) => refused.reason(),
            Self::NoSuchMember(_) => RefusalReason::NoSuchMember,
            Self::NoSuchKey(_) => RefusalReason::NoSuchKey,
            Self::NotLive(_) => RefusalReason::KeyNotLive,
            Self::OfCertificate(_) => RefusalReason::KeyOfCertificate,
            Self::NoWalk(_) => RefusalReason::NoWalk,
            Self::LastAdminKey(_) | Self::LastAdmin(_) => RefusalReason::LastAdmin,
            Self::Ladder(error) => error.reason(),
            Self::NameTaken => RefusalReason::NameTaken,
            Self::Field(_) => RefusalReason::Field,
            // A key that opens nothing tells nobody who asks; what is revoked already is as it was wanted.
            Self::NotPermitted(Lapsed::Key(_)) | Self::AlreadyRevoked(_) => return None,
            Self::Incident(IncidentError::SameHand) | Self::Hold(HoldError::SameHand(_)) => RefusalReason::SameHand,
            Self::Incident(_) | Self::OtherRules | Self::Hold(_) | Self::Erased { .. } => RefusalReason::Field,
            Self::NoSuchBenign(_)
            | Self::NoSuchSample(_)
            | Self::Ruling(_)
            | Self::ReportedEnough(_)
            | Self::NoLongerMatches(_) => {
                return None;
            }
            Self::RequestReused | Self::RequestErased(_) | Self::NoSuchEntry(_) | Self::Read(_) => return None,
        })
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

/// What becomes of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This event is to be appended.
    Append(Box<Event>),
    /// An earlier request had the same effect, by the event `index`.
    Already { index: u64, at: Timestamp },
}

/// The events of one batch so far, and what they changed.
pub struct Pending<'a> {
    /// Leaf index of the batch's first event.
    pub first: u64,
    /// The batch's time: the clock's, but never before the last event's.
    pub at: Timestamp,
    /// The clock's time.
    now: Timestamp,
    pub events: Vec<Event>,
    /// What they have led to.
    pub ahead: Ahead<'a>,
    requests: HashMap<RequestDigest, u64>,
}

impl<'a> Pending<'a> {
    /// An empty batch whose first event would be leaf `first`.
    pub fn new(first: u64, (at, now): (Timestamp, Timestamp), ahead: Ahead<'a>) -> Self {
        Self { first, at, now, events: Vec::new(), ahead, requests: HashMap::new() }
    }

    /// Adds an event; gives its index.
    pub fn push(&mut self, event: Event) -> u64 {
        let index = self.first + self.events.len() as u64;
        if let Fact::Contributed { request, .. } = &event.fact {
            self.requests.insert(*request, index);
        }
        self.events.push(event);
        index
    }

    /// Decides on `intent`, asked for with `authority`.
    ///
    /// # Errors
    /// [`Refusal`]; the batch is as it was.
    pub fn decide(&self, store: &Store, authority: &Authority, intent: Intent) -> Result<Decision, Refusal> {
        // That something was refused needs no permission.
        if !matches!(intent, Intent::Refused(_)) {
            self.roster().confirm(authority, self.now)?;
        }
        let caller = authority.principal.member;
        let fact = match intent {
            Intent::Contribute { request, taxonomy, draft } => {
                if let Some(earlier) = self.earlier(store, &request)? {
                    return repeated(earlier, &draft);
                }
                check_validity(&draft, self.at).map_err(|error| error.within("draft"))?;
                if let Some(entry) = draft.provenance().supersedes
                    && read::entry(store, entry)?.is_none_or(|entry| entry.contributor != caller)
                {
                    let problem = format!("entry {entry}: no such entry, or not one of yours");
                    return Err(FieldError::new("draft.provenance.supersedes", problem).into());
                }
                let lapses = self.lapses(&draft)?;
                Fact::Contributed { request, taxonomy, draft: *draft, lapses }
            }
            Intent::Withdraw { entry, reason, request } => {
                let (_, state) = self
                    .entry(entry)?
                    .filter(|(found, _)| found.contributor == caller)
                    .ok_or(Refusal::NoSuchEntry(entry))?;
                if let Some(withdrawal) = state.withdrawn {
                    return Ok(Decision::Already { index: withdrawal.event, at: withdrawal.at });
                }
                Fact::Withdrawn { entry, reason, request }
            }
            Intent::Enrol(member) => {
                if self.roster().members().any(|other| other.name == member.name) {
                    return Err(Refusal::NameTaken);
                }
                if self.roster().member(member.id).is_some() {
                    return Err(FieldError::new("member_id", "is taken; try again").into());
                }
                Fact::MemberEnrolled(Member { enrolled: self.at, ..member })
            }
            Intent::Approve { member, to, checklist } => {
                let found = self.member(member)?;
                let by = (authority.principal.key, self.at);
                let is_enough = policy::approve(self.roster(), found, to, &checklist, by)?;
                Fact::MemberApproved { member, to, checklist, is_enough }
            }
            Intent::SetStatus { member, status, reason } => {
                policy::set_down(self.member(member)?, status)?;
                let falls = |key: &Key| key.member == member;
                if !status.is_in_good_standing() && self.roster().administers_alone(falls, self.now) {
                    return Err(Refusal::LastAdmin(member));
                }
                Fact::MemberStatusSet { member, status, reason }
            }
            Intent::IssueKey(key) => Fact::KeyIssued(self.new_key(authority, key)?),
            Intent::RotateKey { id, credential, expires, replaces, until } => match self.roster().key(replaces) {
                None => return Err(Refusal::NoSuchKey(replaces)),
                Some(old) if !old.is_live(self.now) => return Err(Refusal::NotLive(replaces)),
                Some(Key { credential: Credential::Certificate(_), .. }) => {
                    return Err(Refusal::OfCertificate(replaces));
                }
                Some(_) if expires.is_some() && self.roster().administers_alone(|key| key.id == replaces, self.now) => {
                    return Err(Refusal::LastAdminKey(replaces));
                }
                Some(old) => {
                    let key = self.new_key(authority, Key { id, credential, expires, ..old.clone() })?;
                    Fact::KeyRotated { key, replaces, until }
                }
            },
            Intent::RevokeKey(id) => match self.roster().key(id) {
                None => return Err(Refusal::NoSuchKey(id)),
                Some(key) if key.revoked.is_some() => return Err(Refusal::AlreadyRevoked(id)),
                Some(_) if self.roster().administers_alone(|key| key.id == id, self.now) => {
                    return Err(Refusal::LastAdminKey(id));
                }
                Some(_) => Fact::KeyRevoked { key: id },
            },
            Intent::CompromisedKey { key: id, since } => match self.roster().key(id) {
                None => return Err(Refusal::NoSuchKey(id)),
                Some(_) if since > self.at => {
                    return Err(FieldError::new("since", format_args!("must not be in the future, got {since}")).into());
                }
                Some(_) if self.roster().administers_alone(|key| key.id == id, self.now) => {
                    return Err(Refusal::LastAdminKey(id));
                }
                Some(_) => Fact::KeyCompromised { key: id, since },
            },
            Intent::SetQuota { of, quota } => {
                match of {
                    Holder::Member(id) => drop(self.member(id)?),
                    Holder::Key(id) if self.roster().key(id).is_none() => return Err(Refusal::NoSuchKey(id)),
                    Holder::Key(_) => {}
                }
                Fact::QuotaSet { of, quota }
            }
            Intent::NamesShown => Fact::NamesShown,
            Intent::WalkSeen(level) => Fact::WalkSeen { level },
            Intent::ClearWalk(member) if self.member(member)?.walk.is_none() => return Err(Refusal::NoWalk(member)),
            Intent::ClearWalk(member) => Fact::WalkCleared { member },
            Intent::Refused(attempt) => refused(attempt, 1),
            Intent::Standing(intent) => match self.open_appeal(caller, &intent)? {
                Some(open) => return Ok(open),
                None => self.decide_standing(store, authority, *intent)?,
            },
        };
        Ok(Decision::Append(Box::new(self.event(authority, fact))))
    }

    fn roster(&self) -> &Roster {
        self.ahead.shared_roster()
    }

    /// That `authority` has met a refusal.
    pub fn refused(&self, authority: &Authority, attempt: Attempt) -> Event {
        self.event(authority, refused(attempt, 1))
    }

    fn event(&self, authority: &Authority, fact: Fact) -> Event {
        let principal = &authority.principal;
        let by = Actor::Member { member: principal.member, key: principal.key };
        // Of who may change nothing, no word of its own is recorded.
        let is_change = fact.kind().is_administrative() && !matches!(fact, Fact::WalkSeen { .. });
        let request = principal.request.clone().filter(|_| is_change);
        Event { at: self.at, by, request, fact }
    }

    /// A key as it is recorded, if it may be issued.
    fn new_key(&self, authority: &Authority, mut key: Key) -> Result<Key, Refusal> {
        let roles = self.member(key.member)?.roles();
        if key.roles.is_empty() {
            key.roles.clone_from(&roles);
        }
        if let Some(role) = key.roles.difference(&roles).next() {
            return Err(FieldError::new("roles", format_args!("the member has no role {role}")).into());
        }
        if key.roles.is_empty() {
            return Err(FieldError::new("roles", "the member has none yet: approve it for a status first").into());
        }
        if self.roster().key(key.id).is_some() {
            return Err(FieldError::new("key_id", "is taken; try again").into());
        }
        if let Credential::Certificate(certificate) = key.credential
            && self.roster().of_certificate(&certificate).is_some_and(|other| other.is_live(self.now))
        {
            return Err(FieldError::new("certificate", "is that of another live key; revoke that one first").into());
        }
        Ok(Key { issued: self.at, issued_by: Some(authority.principal.key), ..key })
    }

    /// When an entry made of `draft` stops matching by the rules in force. Its incident must be one.
    fn lapses(&self, draft: &Draft) -> Result<Option<Timestamp>, Refusal> {
        let register = self.ahead.shared_register();
        let incident = draft.incident();
        let named: Vec<_> = draft.incidents().into_iter().collect();
        if let [one, other, ..] = &named[..] {
            let problem = format_args!("an entry belongs to one incident, and this names `{one}` and `{other}`");
            return Err(FieldError::new("draft.labels", problem).into());
        }
        if let Some(code) = &incident
            && register.incident(code).is_none_or(|incident| incident.opened.is_none())
        {
            let problem = format_args!("there is no incident `{code}`");
            let is_basis = matches!(draft.provenance().basis, Basis::Incident { .. });
            let path = if is_basis { "draft.provenance.basis.incident" } else { "draft.labels" };
            return Err(FieldError::new(path, problem).into());
        }
        if draft.provenance().valid_until.is_some() {
            return Ok(None);
        }
        Ok(register.rules().valid_for(draft.labels(), incident.is_some()).map(|duration| self.at.plus(duration)))
    }

    /// An entry and what has become of it, this batch included.
    fn entry(&self, id: EntryId) -> Result<Option<(Entry, EntryState)>, ReadError> {
        Ok(self.ahead.entry(id)?.zip(self.ahead.state(id)?))
    }

    fn member(&self, id: MemberId) -> Result<&Member, Refusal> {
        self.roster().member(id).ok_or(Refusal::NoSuchMember(id))
    }

    /// The event that the same request led to before, in this batch or an earlier one.
    fn earlier(&self, store: &Store, request: &RequestDigest) -> Result<Option<(u64, Event)>, ReadError> {
        if let Some(&index) = self.requests.get(request) {
            return Ok(self.events.get((index - self.first) as usize).map(|event| (index, event.clone())));
        }
        match store.request(request)? {
            Some(index) => Ok(read::event(store, index)?.map(|event| (index, event))),
            None => Ok(None),
        }
    }
}

/// The fact that there were `count` refusals, of which this was the last.
pub fn refused(attempt: Attempt, count: u64) -> Fact {
    let Attempt { attempted, member, key, reason } = attempt;
    Fact::AdminRefused { attempted, member, key, reason, count }
}

fn repeated((index, event): (u64, Event), draft: &Draft) -> Result<Decision, Refusal> {
    match event.fact {
        Fact::Contributed { draft: earlier, .. } if earlier == *draft => Ok(Decision::Already { index, at: event.at }),
        Fact::Remains(_) => Err(Refusal::RequestErased(EntryId(index))),
        _ => Err(Refusal::RequestReused),
    }
}
