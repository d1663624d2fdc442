//! What an event changes: the one function that live traffic, recovery and replicas share.
//!
//! Invariant: deterministic, and idempotent by leaf index: folding an event again gives the same rows.

mod ahead;
mod entries;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod tests;

pub use ahead::Ahead;
#[cfg(test)]
pub use rows::Rows;

use super::read::ReadError;
use crate::domain::{
    Actor, Appeal, Approval, Basis, Benign, Code, Distance, EntryId, EntryState, Event, Fact, FieldError, Hold, Holder,
    Incident, IncidentChange, Key, KeyId, Member, MemberId, Proposed, Reference, Remains, RequestDigest, Signal,
    Status, Timestamp, Trust, WalkMark,
};
use crate::policy::{Delisted, Register, Roster, Rules};
use crate::store::{Batch, RegisterRow, SignalRow, StoreError};

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
    /// An event is about an entry, which was there before.
    History(EntryId, u64),
    /// Whether reviewers are to look at an entry.
    Attention(EntryId, bool),
    /// An entry belongs to an incident.
    OfIncident(Code, EntryId),
    /// An entry rests on a list's naming an entity.
    Listed(Reference, EntryId),
    /// An entry was contributed with a key.
    OfKey(KeyId, EntryId),
    Appeal(Appeal),
    /// An entry was erased: whose listing it rested on is known no more.
    Unlisted(Reference, EntryId),
    /// Nor what was about it.
    HistoryForgotten(EntryId),
    /// An event, after which an entry counts for less or for something else.
    Reversal(u64, EntryId),
    BenignAdded(Signal, u64),
    BenignRemoved(Signal, u64),
    /// Whether there is a benign item of this leaf.
    BenignItem(u64, bool),
    Rules {
        event: u64,
        rules: Box<Rules>,
    },
    Trust(MemberId, Trust),
    Incident(Incident),
    Delisted {
        entity: Reference,
        event: u64,
        at: Timestamp,
    },
    Hold(Hold),
}

/// What a fold needs to know of an entry: of one that was erased, as much as remains.
#[derive(Clone, Debug)]
pub struct Contribution {
    pub id: EntryId,
    pub contributor: MemberId,
    pub key: KeyId,
    pub contributed: Timestamp,
    pub expires: Option<Timestamp>,
    pub labels: Vec<Code>,
    pub incident: Option<Code>,
    /// None of one that was erased.
    pub signals: Vec<Signal>,
    /// Whose listing it rests on.
    pub entity: Option<Reference>,
    pub request: RequestDigest,
    /// Whether it came near a benign item, where its hashes no longer tell.
    pub came_near_benign: Option<bool>,
}

impl Contribution {
    /// The contribution that `event`, leaf `id`, is, or was.
    pub fn of(id: EntryId, event: &Event) -> Option<Self> {
        let Actor::Member { member: contributor, key } = event.by else { return None };
        let Remains { request, labels, incident, expires, came_near_benign, .. } = event.fact.remains()?.into_owned();
        let (signals, entity, came_near_benign) = match &event.fact {
            Fact::Contributed { draft, .. } => {
                let entity = match &draft.provenance().basis {
                    Basis::UnConsolidatedList { entity, .. } => Some(entity.clone()),
                    _ => None,
                };
                (draft.signals().to_vec(), entity, None)
            }
            _ => (Vec::new(), None, Some(came_near_benign)),
        };
        Some(Self {
            id,
            contributor,
            key,
            contributed: event.at,
            expires,
            labels,
            incident,
            signals,
            entity,
            request,
            came_near_benign,
        })
    }
}

/// An event that does not fit the events before it. The sequencer never makes one: the ledger was not written by this hub.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// It speaks of an entry that was never contributed.
    #[error("event {index} is about entry {entry}, which is none")]
    NoSuchEntry { index: u64, entry: EntryId },
    /// It speaks of a key that was never issued.
    #[error("event {index} is about a key that was never issued")]
    NoSuchKey { index: u64 },
    /// It speaks of a member that was never enrolled.
    #[error("event {index} is about a member that was never enrolled")]
    NoSuchMember { index: u64 },
    /// It speaks of an incident that was never opened.
    #[error("event {index} is about an incident that was never opened")]
    NoSuchIncident { index: u64 },
    /// It speaks of a hold that was never placed.
    #[error("event {index} is about a hold that was never placed")]
    NoSuchHold { index: u64 },
    /// It sets rules that are none.
    #[error("the policy that an event sets is none: {0}")]
    Rules(#[from] FieldError),
    /// The entry that it speaks of cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What the events before have led to, as far as a fold needs to know it.
pub trait Past {
    /// Members and keys.
    fn roster(&self) -> &Roster;

    /// Rules, trust, incidents.
    fn register(&self) -> &Register;

    /// An earlier entry, if it is one, erased or not.
    fn contribution(&self, id: EntryId) -> Result<Option<Contribution>, ReadError>;

    /// What has become of it.
    fn state(&self, id: EntryId) -> Result<Option<EntryState>, ReadError>;

    /// An earlier appeal, if it is one.
    fn appeal(&self, id: u64) -> Result<Option<Appeal>, ReadError>;

    /// An earlier benign item, if it is one.
    fn benign(&self, id: u64) -> Result<Option<Benign>, ReadError>;

    /// The entries in the indexes that have a signal within `radius` of one of these, of kinds that are strong evidence (digests:
    /// the same). Nearest first, then oldest. Some may have expired.
    fn near(&self, signals: &[Signal], radius: Distance) -> Result<Vec<(EntryId, Distance)>, ReadError>;

    /// The benign items that have a signal within `radius` of one of these. Nearest first, then oldest.
    fn near_benign(&self, signals: &[Signal], radius: Distance) -> Result<Vec<(u64, Distance)>, ReadError>;
}

/// The changes that `event`, leaf `index`, makes.
///
/// # Errors
/// [`FoldError`] if the event does not fit the ones before it.
pub fn fold(index: u64, event: &Event, past: &impl Past) -> Result<Vec<Change>, FoldError> {
    let roster = past.roster();
    let mut changes = match &event.fact {
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
        | Fact::BenignRemoved { .. } => entries::fold(index, event, past)?,
        Fact::PolicySet { text } => vec![Change::Rules { event: index, rules: Box::new(Rules::from_toml(text)?) }],
        Fact::EntityDelisted { entity } => {
            vec![Change::Delisted { entity: entity.clone(), event: index, at: event.at }]
        }
        Fact::HoldPlaced(terms) => {
            let Actor::Member { key: by, .. } = event.by else { return Err(FoldError::NoSuchKey { index }) };
            vec![Change::Hold(Hold { id: index, terms: terms.clone(), placed: event.at, by, lifted: None })]
        }
        Fact::HoldLifted { hold } => {
            let hold = past.register().hold(*hold).ok_or(FoldError::NoSuchHold { index })?.clone();
            vec![Change::Hold(Hold { lifted: hold.lifted.or(Some(event.at)), ..hold })]
        }
        Fact::IncidentChanged { incident, change, is_enough } => {
            vec![Change::Incident(incident_changed((index, event), past.register(), incident, change, *is_enough))]
        }
        Fact::IncidentEnded { incident } => {
            let ended = past.register().incident(incident).ok_or(FoldError::NoSuchIncident { index })?;
            vec![Change::Incident(Incident { closed: Some(event.at), ..ended.clone() })]
        }
        Fact::MemberEnrolled(member) => vec![Change::Member(Member { events: vec![index], ..member.clone() })],
        Fact::MemberApproved { member, to, checklist, is_enough } => {
            let mut member = told(roster, *member, index)?;
            if *is_enough {
                member.status = *to;
                member.approvals.clear();
                if matches!(to, Status::Contributor | Status::Trusted) {
                    member.contributes_since = member.contributes_since.or(Some(event.at));
                }
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
        Fact::AdminRefused { .. }
        | Fact::NamesShown
        | Fact::MatchesTallied(_)
        | Fact::SampleDrawn(_)
        | Fact::SampleJudged { .. } => vec![],
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
            Self::History(entry, event) => batch.put_history(*entry, *event),
            Self::Attention(entry, wanted) => batch.set_attention(*entry, *wanted),
            Self::OfIncident(incident, entry) => batch.put_incident_entry(incident, *entry),
            Self::Listed(entity, entry) => batch.put_listed(entity, *entry),
            Self::OfKey(key, entry) => batch.put_key_entry(*key, *entry),
            Self::BenignItem(benign, present) => batch.set_benign_item(*benign, *present),
            Self::Appeal(appeal) => batch.put_appeal(appeal),
            Self::Unlisted(entity, entry) => batch.delete_listed(entity, *entry),
            Self::HistoryForgotten(entry) => batch.delete_history(*entry),
            Self::Reversal(event, entry) => batch.put_reversal(*event, *entry),
            Self::BenignAdded(signal, benign) => batch.put_benign(signal, *benign),
            Self::BenignRemoved(signal, benign) => batch.delete_benign(signal, *benign),
            Self::Rules { event, .. } => batch.put_register(&RegisterRow::Rules { event: *event }),
            Self::Trust(member, trust) => batch.put_register(&RegisterRow::Trust(*member, *trust)),
            Self::Incident(incident) => batch.put_register(&RegisterRow::Incident(incident.clone())),
            Self::Delisted { entity, event, at } => {
                batch.put_register(&RegisterRow::Delisted { entity: entity.clone(), event: *event, at: *at })
            }
            Self::Hold(hold) => batch.put_register(&RegisterRow::Hold(hold.clone())),
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

    /// Brings the register up to date, where it concerns it.
    pub fn apply_to_register(&self, register: &mut Register) {
        match self {
            Self::Rules { event, rules } => register.set_rules((**rules).clone(), *event),
            Self::Trust(member, trust) => register.set_trust(*member, *trust),
            Self::Incident(incident) => register.set_incident(incident.clone()),
            Self::Delisted { entity, event, at } => {
                register.set_delisted(entity.clone(), Delisted { event: *event, at: *at });
            }
            Self::Hold(hold) => register.set_hold(hold.clone()),
            _ => {}
        }
    }

    /// Whether it concerns the roster.
    pub const fn concerns_roster(&self) -> bool {
        matches!(self, Self::Member(_) | Self::Key(_))
    }

    /// Whether it concerns the register.
    pub const fn concerns_register(&self) -> bool {
        matches!(self, Self::Rules { .. } | Self::Trust(..) | Self::Incident(_) | Self::Delisted { .. } | Self::Hold(_))
    }
}

/// An incident after somebody proposed or seconded a change of it.
fn incident_changed(
    (index, event): (u64, &Event),
    register: &Register,
    code: &Code,
    change: &IncidentChange,
    is_enough: bool,
) -> Incident {
    let unopened = || Incident {
        code: code.clone(),
        kind: code.clone(),
        is_drill: false,
        event: index,
        opened: None,
        until: event.at,
        closed: None,
        proposed: Vec::new(),
    };
    let mut incident = register.incident(code).cloned().unwrap_or_else(unopened);
    if !is_enough {
        if let Actor::Member { key, .. } = event.by {
            incident.proposed.push(Proposed { change: change.clone(), by: key, at: event.at });
        }
        return incident;
    }
    incident.proposed.clear();
    match change {
        IncidentChange::Open { kind, is_drill, until } => Incident {
            kind: kind.clone(),
            is_drill: *is_drill,
            event: index,
            opened: Some(event.at),
            until: *until,
            closed: None,
            ..incident
        },
        IncidentChange::Extend { until } => Incident { until: *until, ..incident },
        IncidentChange::Close => Incident { closed: Some(event.at), ..incident },
    }
}
