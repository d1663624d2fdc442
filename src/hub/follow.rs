//! Use case: read the ledger's events from a position on, and wait for more.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::commit::Head;
use super::count::Count;
use super::read::{self, ReadError};
use super::turn;
use super::unseal::Unseal;
use crate::domain::{Actor, Clock, EntryId, Event, Fact, FieldError, MemberId, ReadKind, Tlp};
use crate::ledger::{Leaf, Salt, SignedCheckpoint};
use crate::policy::{Events, Lapsed, Permit, Principal, Register, Roster, operation};
use crate::store::{Store, StoreError, StoredEvent};

/// The most events in one page.
const PAGE: usize = 512;
/// The most events that are sent before their turn.
const AHEAD_MAX: usize = 10_000;
/// Of what happened to one entry, so much is sent before its turn, the first.
const AHEAD_HISTORY_MAX: usize = 100;

/// Gives out the ledger's events.
#[derive(Clone)]
pub struct Follow {
    pub(super) store: Arc<Store>,
    pub(super) roster: Arc<ArcSwap<Roster>>,
    pub(super) register: Arc<ArcSwap<Register>>,
    /// The sequencer's own, shared: a follower goes on waiting when the writer has stopped.
    pub(super) head: Arc<watch::Sender<Head>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) count: Count,
    pub(super) unseal: Unseal,
}

/// One leaf, and what it says to who may read it.
#[derive(Clone, Debug)]
pub struct FeedItem {
    pub index: u64,
    pub leaf: Leaf,
    /// What it opens to; of one that was erased, what remains of it.
    pub opening: Option<OpenedEvent>,
    /// The leaf that erased its event.
    pub erased_by: Option<u64>,
}

/// An event, its bytes, and the salt that ties them to the leaf.
#[derive(Clone, Debug)]
pub struct OpenedEvent {
    pub salt: Salt,
    pub record: Vec<u8>,
    pub event: Event,
}

/// Some events, in order.
#[derive(Clone, Debug)]
pub struct Page {
    pub items: Vec<FeedItem>,
    /// Where the next page begins.
    pub next: u64,
    /// The checkpoint over everything up to `next`, where that is the present end.
    pub checkpoint: Option<Arc<SignedCheckpoint>>,
}

/// Why no page can be given.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The position is beyond the ledger's end.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The key was revoked while the follower followed.
    #[error(transparent)]
    Lapsed(#[from] Lapsed),
    /// An event could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<StoreError> for FollowError {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

impl Follow {
    /// Events from `from` on, as many as fit one page. How many of others are opened is counted, and that names are shown noted. The
    /// permit is renewed for every page.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn page(&self, permit: &Permit<operation::Follow>, from: u64) -> Result<Page, FollowError> {
        let permit = self.roster.load().renew(permit, self.clock.now())?;
        let head = self.head.borrow().clone();
        check_position(from, head.size)?;
        let mut items = Vec::new();
        for row in self.store.events(from)?.take(PAGE) {
            let (index, stored) = row?;
            if index >= head.size {
                break;
            }
            items.push(item(index, stored, permit.principal())?);
            turn::step().await;
        }
        self.count(&permit, &items).await?;
        let next = from + items.len() as u64;
        Ok(Page { items, next, checkpoint: (next == head.size).then_some(head.checkpoint) })
    }

    /// Which events from `from` on matter most to whoever was away: entries of open incidents, and what became of these. Ascending,
    /// at most [`AHEAD_MAX`].
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn ahead(&self, permit: &Permit<operation::Follow>, from: u64) -> Result<Vec<u64>, FollowError> {
        let now = self.clock.now();
        self.roster.load().renew(permit, now)?;
        let size = self.head.borrow().size;
        check_position(from, size)?;
        let register = self.register.load_full();
        let mut ahead = BTreeSet::new();
        for incident in register.incidents().filter(|incident| incident.is_open(now)) {
            for entry in self.store.incident_entries(&incident.code, EntryId(from))?.take(AHEAD_MAX) {
                let entry = entry?;
                turn::step().await;
                ahead.insert(entry.0);
                ahead.extend(self.store.history(entry, AHEAD_HISTORY_MAX)?);
            }
        }
        // What is on disk but not yet in a checkpoint is not there yet.
        Ok(ahead.into_iter().filter(|index| *index < size).take(AHEAD_MAX).collect())
    }

    /// The first of these events, as many as fit one page, and how many they are.
    ///
    /// # Errors
    /// [`FollowError`].
    pub async fn page_of(
        &self,
        permit: &Permit<operation::Follow>,
        indexes: &[u64],
    ) -> Result<Vec<FeedItem>, FollowError> {
        let permit = self.roster.load().renew(permit, self.clock.now())?;
        let mut items = Vec::new();
        for &index in indexes.iter().take(PAGE) {
            let stored = self.store.event(index)?.ok_or(ReadError::NoSuchEvent { index })?;
            items.push(item(index, stored, permit.principal())?);
            turn::step().await;
        }
        self.count(&permit, &items).await?;
        Ok(items)
    }

    /// Counts what of others is about to be opened, and notes that names are shown.
    async fn count(&self, permit: &Permit<operation::Follow>, items: &[FeedItem]) -> Result<(), StoreError> {
        let principal = permit.principal();
        let (mut events, mut names) = (0, 0);
        for opened in items.iter().filter_map(|item| item.opening.as_ref()) {
            let own = matches!(opened.event.by, Actor::Member { member, .. } if member == principal.member);
            events += u64::from(!own);
            // Its bytes have the member's name.
            names += u64::from(matches!(opened.event.fact, Fact::MemberEnrolled(_)));
        }
        self.count.add(principal.member, ReadKind::Events, events)?;
        self.unseal.run(&permit.authority(), names).await
    }

    /// Waits until the ledger is longer than `size`. Whether the permit still holds is looked at with the next page.
    pub async fn wait_beyond(&self, size: u64) {
        // No error: the sender is ours, too.
        let _ = self.head.subscribe().wait_for(|head| head.size > size).await;
    }
}

fn check_position(from: u64, size: u64) -> Result<(), FieldError> {
    if from <= size {
        return Ok(());
    }
    Err(FieldError::new("from", format_args!("must be 0 to {size}, the index of the next event, got {from}")))
}

fn item(index: u64, stored: StoredEvent, principal: &Principal) -> Result<FeedItem, ReadError> {
    let (leaf, erased_by) = (stored.leaf(), stored.erased_by());
    let (salt, record) = stored.into_opening();
    let event = read::decode(index, &record)?;
    let may_read = may_read(&event, principal.member, principal.sight().events);
    Ok(FeedItem { index, leaf, opening: may_read.then_some(OpenedEvent { salt, record, event }), erased_by })
}

/// Whether a member may read an event, by a key that sees so much.
fn may_read(event: &Event, reader: MemberId, sees: Events) -> bool {
    let own = matches!(event.by, Actor::Member { member, .. } if member == reader);
    match &event.fact {
        // TLP:RED is for named recipients only.
        Fact::Contributed { draft, .. } => {
            own || sees >= Events::Entries || (sees == Events::Shared && draft.provenance().tlp != Tlp::Red)
        }
        // What no longer counts, what changes what counts, and alerts: no hashes, no notes.
        Fact::Withdrawn { .. }
        | Fact::Expired { .. }
        | Fact::Erased { .. }
        | Fact::Decided { .. }
        | Fact::FloodSeen { .. }
        | Fact::BenignRemoved { .. }
        | Fact::PolicySet { .. }
        | Fact::EntityDelisted { .. }
        | Fact::IncidentChanged { .. }
        | Fact::IncidentEnded { .. } => true,
        // Their notes are for reviewers and auditors; so is what remains of an entry, which had a marking that is no longer known.
        Fact::Remains(_) | Fact::OutcomeReported(_) | Fact::AppealOpened { .. } => own || sees >= Events::Entries,
        // It has hashes, which whoever sees distances may read.
        Fact::BenignAdded(_) => sees >= Events::Shared,
        // How much platforms meet, all of them together.
        Fact::MatchesTallied(_) => sees >= Events::Shared,
        // About members and keys; and whatever is new until somebody has thought about it.
        _ => sees == Events::All,
    }
}

#[cfg(test)]
mod tests {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::domain::testing::fact_of;
    use crate::domain::{EventKind, KeyId, Timestamp};

    /// From which level on events of a kind are opened to somebody: those of others, and its own. `TLP:RED` is apart.
    const OPENED_FROM: &[(EventKind, Events, Events)] = &[
        (EventKind::Contributed, Events::Shared, Events::Own),
        (EventKind::Withdrawn, Events::Own, Events::Own),
        (EventKind::Expired, Events::Own, Events::Own),
        (EventKind::Erased, Events::Own, Events::Own),
        (EventKind::Remains, Events::Entries, Events::Own),
        (EventKind::OutcomeReported, Events::Entries, Events::Own),
        (EventKind::Decided, Events::Own, Events::Own),
        (EventKind::AppealOpened, Events::Entries, Events::Own),
        (EventKind::FloodSeen, Events::Own, Events::Own),
        (EventKind::BenignAdded, Events::Shared, Events::Shared),
        (EventKind::BenignRemoved, Events::Own, Events::Own),
        (EventKind::PolicySet, Events::Own, Events::Own),
        (EventKind::EntityDelisted, Events::Own, Events::Own),
        (EventKind::HoldPlaced, Events::All, Events::All),
        (EventKind::HoldLifted, Events::All, Events::All),
        (EventKind::IncidentChanged, Events::Own, Events::Own),
        (EventKind::IncidentEnded, Events::Own, Events::Own),
        (EventKind::MatchesTallied, Events::Shared, Events::Shared),
        (EventKind::SampleDrawn, Events::All, Events::All),
        (EventKind::SampleJudged, Events::All, Events::All),
        (EventKind::MemberEnrolled, Events::All, Events::All),
        (EventKind::MemberApproved, Events::All, Events::All),
        (EventKind::MemberStatusSet, Events::All, Events::All),
        (EventKind::KeyIssued, Events::All, Events::All),
        (EventKind::KeyRotated, Events::All, Events::All),
        (EventKind::KeyRevoked, Events::All, Events::All),
        (EventKind::KeyCompromised, Events::All, Events::All),
        (EventKind::QuotaSet, Events::All, Events::All),
        (EventKind::WalkSeen, Events::All, Events::All),
        (EventKind::WalkCleared, Events::All, Events::All),
        (EventKind::AdminRefused, Events::All, Events::All),
        (EventKind::NamesShown, Events::All, Events::All),
    ];

    #[test]
    fn each_kind_of_event_is_opened_from_its_level_on() {
        let kinds: Vec<_> = OPENED_FROM.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(kinds.len(), EventKind::ALL.len());
        assert!(EventKind::ALL.iter().all(|kind| kinds.contains(kind)));
        let [reader, other] = [1, 2].map(|id| MemberId::from_bytes([id; 5]));
        let by = |member| Actor::Member { member, key: KeyId::from_bytes([3; 5]) };
        let (mut runner, mut red) = (TestRunner::deterministic(), 0);
        for (kind, others_from, own_from) in OPENED_FROM {
            for _ in 0..32 {
                let fact = fact_of(*kind).new_tree(&mut runner).unwrap().current();
                assert_eq!(fact.kind(), *kind);
                let is_red = matches!(&fact, Fact::Contributed { draft, .. } if draft.provenance().tlp == Tlp::Red);
                red += u32::from(is_red);
                let others_from = if is_red { Events::Entries } else { *others_from };
                for (by, from) in [(by(reader), *own_from), (by(other), others_from), (Actor::Hub, others_from)] {
                    let event = Event { at: Timestamp::EPOCH, by, request: None, fact: fact.clone() };
                    for level in [Events::Own, Events::Shared, Events::Entries, Events::All] {
                        let is_open = may_read(&event, reader, level);
                        assert_eq!(is_open, level >= from, "{kind} by {by:?} for {level:?}");
                    }
                }
            }
        }
        assert!((1..32).contains(&red), "both are there, {red} of 32");
    }
}
