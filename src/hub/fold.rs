//! What an event changes: the one function that live traffic, recovery and replicas share.
//!
//! Invariant: deterministic, and idempotent by leaf index: folding an event again gives the same rows.

use crate::domain::{
    Actor, Approval, Entry, EntryId, EntryState, Event, Fact, Holder, Key, Member, MemberId, RequestDigest, Signal,
    Timestamp, WalkMark, Withdrawal,
};
use crate::policy::Roster;
use crate::store::{Batch, SignalRow, StoreError};

/// One row of what is folded from events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Entry(EntryId, EntryState),
    SignalAdded(SignalRow),
    SignalRemoved(Signal, EntryId),
    Member(Member),
    Key(Key),
    Request(RequestDigest, u64),
    /// An event that is about no entry, and when it happened.
    Administrative(u64, Timestamp),
}

/// An event that does not fit the events before it. The sequencer never makes one: the ledger was not written by this hub.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// It speaks of an entry that was never contributed.
    #[error("event {index} withdraws entry {entry}, which is none")]
    NoSuchEntry { index: u64, entry: EntryId },
    /// It speaks of a key that was never issued.
    #[error("event {index} is about a key that was never issued")]
    NoSuchKey { index: u64 },
    /// It speaks of a member that was never enrolled.
    #[error("event {index} is about a member that was never enrolled")]
    NoSuchMember { index: u64 },
    /// The entry that it speaks of cannot be read.
    #[error(transparent)]
    Read(#[from] super::read::ReadError),
}

/// The changes that `event`, leaf `index`, makes.
///
/// `entry` finds an earlier entry, `roster` is that of all events before.
///
/// # Errors
/// [`FoldError`] if the event does not fit the ones before it.
pub fn fold(
    index: u64,
    event: &Event,
    roster: &Roster,
    entry: impl FnOnce(EntryId) -> Result<Option<Entry>, super::read::ReadError>,
) -> Result<Vec<Change>, FoldError> {
    let mut changes = match &event.fact {
        Fact::Contributed { request, draft, .. } => {
            let id = EntryId(index);
            let valid_until = draft.provenance().valid_until;
            let rows =
                draft.signals().iter().map(|signal| SignalRow { signal: signal.unrated(), entry: id, valid_until });
            let mut changes = vec![Change::Entry(id, EntryState::default()), Change::Request(*request, index)];
            changes.extend(rows.map(Change::SignalAdded));
            changes
        }
        Fact::Withdrawn { entry: id, .. } => {
            let found = entry(*id)?.ok_or(FoldError::NoSuchEntry { index, entry: *id })?;
            let state = EntryState { withdrawn: Some(Withdrawal { event: index, at: event.at }) };
            let mut changes = vec![Change::Entry(*id, state)];
            let signals = found.draft.signals().iter();
            changes.extend(signals.map(|signal| Change::SignalRemoved(signal.unrated(), *id)));
            changes
        }
        Fact::MemberEnrolled(member) => vec![Change::Member(Member { events: vec![index], ..member.clone() })],
        Fact::MemberApproved { member, to, checklist, is_enough } => {
            let mut member = told(roster, *member, index)?;
            if *is_enough {
                member.status = *to;
                member.approvals.clear();
            } else if let Actor::Member { key: by, .. } = event.by {
                member.approvals.push(Approval { to: *to, checklist: checklist.clone(), by, at: event.at });
            }
            vec![Change::Member(member)]
        }
        Fact::MemberStatusSet { member, status, .. } => {
            let mut member = told(roster, *member, index)?;
            member.status = *status;
            member.approvals.clear();
            vec![Change::Member(member)]
        }
        Fact::KeyIssued(key) => {
            vec![Change::Member(told(roster, key.member, index)?), Change::Key(key.clone())]
        }
        Fact::KeyRotated { key, replaces, until } => {
            let mut old = roster.key(*replaces).ok_or(FoldError::NoSuchKey { index })?.clone();
            old.expires = Some(old.expires.map_or(*until, |expires| expires.min(*until)));
            vec![Change::Member(told(roster, key.member, index)?), Change::Key(old), Change::Key(key.clone())]
        }
        Fact::KeyRevoked { key } => {
            let mut key = roster.key(*key).ok_or(FoldError::NoSuchKey { index })?.clone();
            key.revoked = Some(event.at);
            vec![Change::Member(told(roster, key.member, index)?), Change::Key(key)]
        }
        Fact::KeyCompromised { key, since } => {
            let mut key = roster.key(*key).ok_or(FoldError::NoSuchKey { index })?.clone();
            key.revoked = key.revoked.or(Some(event.at));
            // Said again, the earlier time stands.
            key.compromised_since = Some(key.compromised_since.map_or(*since, |earlier| earlier.min(*since)));
            vec![Change::Member(told(roster, key.member, index)?), Change::Key(key)]
        }
        Fact::QuotaSet { of: Holder::Member(member), quota } => {
            vec![Change::Member(Member { quota: *quota, ..told(roster, *member, index)? })]
        }
        Fact::QuotaSet { of: Holder::Key(key), quota } => {
            let key = roster.key(*key).ok_or(FoldError::NoSuchKey { index })?.clone();
            vec![Change::Member(told(roster, key.member, index)?), Change::Key(Key { quota: *quota, ..key })]
        }
        Fact::WalkSeen { level } => {
            let Actor::Member { member, .. } = event.by else { return Err(FoldError::NoSuchMember { index }) };
            let mut member = told(roster, member, index)?;
            // What an operator has not looked at does not grow harmless.
            let level = member.walk.map_or(*level, |walk| walk.level.max(*level));
            member.walk = Some(WalkMark { level, at: event.at });
            vec![Change::Member(member)]
        }
        Fact::WalkCleared { member } => vec![Change::Member(Member { walk: None, ..told(roster, *member, index)? })],
        Fact::AdminRefused { .. } | Fact::NamesShown => vec![],
    };
    if event.fact.kind().is_administrative() {
        changes.push(Change::Administrative(index, event.at));
    }
    Ok(changes)
}

/// The member `id`, with event `index` in its history.
fn told(roster: &Roster, id: MemberId, index: u64) -> Result<Member, FoldError> {
    let mut member = roster.member(id).ok_or(FoldError::NoSuchMember { index })?.clone();
    // Folded again, it is there already.
    if member.events.last().is_none_or(|last| *last < index) {
        member.events.push(index);
    }
    Ok(member)
}

impl Change {
    /// Puts the row into `batch`.
    pub fn write(&self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        match self {
            Self::Entry(id, state) => batch.put_entry(*id, state),
            Self::SignalAdded(row) => batch.put_signal(&row.signal, row.entry, row.valid_until),
            Self::SignalRemoved(signal, entry) => batch.delete_signal(signal, *entry),
            Self::Member(member) => batch.put_member(member),
            Self::Key(key) => batch.put_key(key),
            Self::Request(request, index) => batch.put_request(request, *index),
            Self::Administrative(index, at) => batch.put_administrative(*index, *at),
        }
    }

    /// Brings the roster up to date, where it concerns it.
    pub fn apply_to(&self, roster: &mut Roster) {
        match self {
            Self::Member(member) => roster.set_member(member.clone()),
            Self::Key(key) => roster.set_key(key.clone()),
            _ => {}
        }
    }

    /// Whether it concerns the roster.
    pub const fn concerns_roster(&self) -> bool {
        matches!(self, Self::Member(_) | Self::Key(_))
    }
}
