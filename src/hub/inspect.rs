//! Use case: go through what was done, or refused, with members, keys, rules and incidents.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::commit::Head;
use super::read::{self, ReadError};
use super::turn;
use crate::domain::{
    Actor, CallId, Event, EventKind, Fact, HoldScope, HoldTerms, Holder, KeyId, MemberId, RefusalReason, Timestamp,
};
use crate::policy::{Permit, Roster, operation};
use crate::store::Store;

/// Events in one page, if the caller does not say.
pub const AUDIT_PAGE_DEFAULT: usize = 100;
/// The most events in one page.
pub const AUDIT_PAGE_MAX: usize = 1_000;
/// The most events that are read for one page: where few fit, a page has fewer, and the next one goes on.
const READ_MAX: usize = 4_096;
/// Rows in one step of a turn.
const STEP: usize = 32;

/// Pages through the ledger's events that are about no entry.
#[derive(Clone)]
pub struct Inspect {
    pub(super) store: Arc<Store>,
    pub(super) roster: Arc<ArcSwap<Roster>>,
    pub(super) head: watch::Receiver<Head>,
}

/// What an event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditResult {
    Done,
    /// For this reason, or for any.
    Refused(Option<RefusalReason>),
}

/// Which events are wanted: those that are so in everything that is given.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Who did it.
    pub by_member: Option<MemberId>,
    pub by_key: Option<KeyId>,
    /// Whom it is about: the member or one of its keys.
    pub member: Option<MemberId>,
    pub key: Option<KeyId>,
    /// Any of these; of refusals, what was attempted. None: all.
    pub kinds: Vec<EventKind>,
    pub result: Option<AuditResult>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    pub request: Option<CallId>,
    pub oldest_first: bool,
}

/// An event and whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    pub index: u64,
    pub event: Event,
    pub member: Option<MemberId>,
    pub key: Option<KeyId>,
}

/// Some events, in the order that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    pub events: Vec<AuditEvent>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<u64>,
}

impl AuditEvent {
    /// The event of leaf `index`. Whose a key is, `roster` tells.
    pub(super) fn new(index: u64, event: Event, roster: &Roster) -> Self {
        let owner = |key: KeyId| roster.key(key).map(|key| key.member);
        let (member, key) = match &event.fact {
            Fact::MemberEnrolled(member) => (Some(member.id), None),
            Fact::MemberApproved { member, .. } | Fact::MemberStatusSet { member, .. } => (Some(*member), None),
            Fact::KeyIssued(key) | Fact::KeyRotated { key, .. } => (Some(key.member), Some(key.id)),
            Fact::KeyRevoked { key } | Fact::KeyCompromised { key, .. } => (owner(*key), Some(*key)),
            Fact::AdminRefused { member, key, .. } => (member.or(key.and_then(owner)), *key),
            Fact::QuotaSet { of: Holder::Member(member), .. } => (Some(*member), None),
            Fact::QuotaSet { of: Holder::Key(key), .. } => (owner(*key), Some(*key)),
            Fact::WalkCleared { member } => (Some(*member), None),
            Fact::WalkSeen { .. } => match event.by {
                Actor::Hub => (None, None),
                Actor::Member { member, key } => (Some(member), Some(key)),
            },
            Fact::HoldPlaced(HoldTerms { scope: HoldScope::Member(member), .. }) => (Some(*member), None),
            Fact::NamesShown
            | Fact::HoldPlaced(_)
            | Fact::PolicySet { .. }
            | Fact::EntityDelisted { .. }
            | Fact::HoldLifted { .. }
            | Fact::IncidentChanged { .. }
            | Fact::IncidentEnded { .. } => (None, None),
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
            | Fact::SampleJudged { .. } => (None, None),
        };
        Self { index, event, member, key }
    }

    /// Whether it is what is wanted, but for its time, which its row tells.
    fn is(&self, query: &AuditQuery) -> bool {
        let by = match self.event.by {
            Actor::Hub => (None, None),
            Actor::Member { member, key } => (Some(member), Some(key)),
        };
        let replaced = match self.event.fact {
            Fact::KeyRotated { replaces, .. } => Some(replaces),
            _ => None,
        };
        let (attempted, refused) = match self.event.fact {
            Fact::AdminRefused { attempted, reason, .. } => (Some(attempted), Some(reason)),
            _ => (None, None),
        };
        let is_of = |kind: &EventKind| *kind == self.event.fact.kind() || Some(*kind) == attempted;
        (query.by_member.is_none() || query.by_member == by.0)
            && (query.by_key.is_none() || query.by_key == by.1)
            && (query.member.is_none() || query.member == self.member)
            && (query.key.is_none() || query.key == self.key || query.key == replaced)
            && (query.kinds.is_empty() || query.kinds.iter().any(is_of))
            && (query.request.is_none() || query.request == self.event.request)
            && match query.result {
                None => true,
                Some(AuditResult::Done) => refused.is_none(),
                Some(AuditResult::Refused(None)) => refused.is_some(),
                Some(AuditResult::Refused(reason)) => refused == reason,
            }
    }
}

impl Inspect {
    /// A page of at most `size` events; the first, or from `from` on, which the page before gave.
    ///
    /// # Errors
    /// [`ReadError`] if an event cannot be read.
    pub async fn page(
        &self,
        _permit: &Permit<operation::ReadAudit>,
        query: &AuditQuery,
        from: Option<u64>,
        size: usize,
    ) -> Result<AuditPage, ReadError> {
        let committed = self.head.borrow().size;
        let backwards = !query.oldest_first;
        let is_before = |at: Timestamp| query.since.is_some_and(|since| at < since);
        let is_after = |at: Timestamp| query.until.is_some_and(|until| at >= until);
        let (mut events, mut read) = (Vec::new(), 0);
        let mut next = Some(from.unwrap_or(if backwards { u64::MAX } else { 0 }));
        while let Some(start) = next
            && events.len() < size
            && read < READ_MAX
        {
            turn::step().await;
            let rows: Vec<_> = self.store.administrative(start, backwards)?.take(STEP).collect::<Result<_, _>>()?;
            if rows.len() < STEP {
                next = None;
            }
            let roster = self.roster.load();
            for (index, at) in rows {
                // Times are in the order of events.
                if if backwards { is_before(at) } else { is_after(at) } {
                    return Ok(AuditPage { events, next: None });
                }
                if events.len() == size {
                    return Ok(AuditPage { events, next: Some(index) });
                }
                if next.is_some() {
                    next = if backwards { index.checked_sub(1) } else { Some(index + 1) };
                }
                // What is on disk but not yet in a checkpoint is not there yet.
                if is_before(at) || is_after(at) || index >= committed {
                    continue;
                }
                read += 1;
                let Some(event) = read::event(&self.store, index)? else { continue };
                events.extend(Some(AuditEvent::new(index, event, &roster)).filter(|event| event.is(query)));
            }
        }
        Ok(AuditPage { events, next })
    }
}
