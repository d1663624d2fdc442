//! Use case: read the ledger's events from a position on, and wait for more.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::commit::Head;
use super::count::Count;
use super::read::{self, ReadError};
use super::turn;
use super::unseal::Unseal;
use crate::domain::{Actor, Clock, Event, Fact, FieldError, ReadKind, Tlp};
use crate::ledger::{Leaf, Salt, SignedCheckpoint};
use crate::policy::{Events, Lapsed, Permit, Principal, Roster, operation};
use crate::store::{Store, StoreError, StoredEvent};

/// The most events in one page.
const PAGE: usize = 512;

/// Gives out the ledger's events.
#[derive(Clone)]
pub struct Follow {
    pub(super) store: Arc<Store>,
    pub(super) roster: Arc<ArcSwap<Roster>>,
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
    pub opening: Option<OpenedEvent>,
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
        if from > head.size {
            let problem = format!("must be 0 to {}, the index of the next event, got {from}", head.size);
            return Err(FieldError::new("from", problem).into());
        }
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

fn item(index: u64, stored: StoredEvent, principal: &Principal) -> Result<FeedItem, ReadError> {
    let leaf = stored.leaf();
    let opening = match stored {
        StoredEvent::Open { salt, event: record } => {
            let event = read::decode(index, &record)?;
            may_read(&event, principal).then_some(OpenedEvent { salt, record, event })
        }
        StoredEvent::Erased(_) => None,
    };
    Ok(FeedItem { index, leaf, opening })
}

/// Who may read an event.
fn may_read(event: &Event, principal: &Principal) -> bool {
    let sees = principal.sight().events;
    let own = matches!(event.by, Actor::Member { member, .. } if member == principal.member);
    match &event.fact {
        // TLP:RED is for named recipients only.
        Fact::Contributed { draft, .. } => {
            own || sees >= Events::Entries || (sees == Events::Shared && draft.provenance().tlp != Tlp::Red)
        }
        Fact::Withdrawn { .. } => true,
        // About members and keys; and whatever is new until somebody has thought about it.
        _ => sees == Events::All,
    }
}
