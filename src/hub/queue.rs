//! Use case: what waits for reviewers, in the order in which it should be looked at.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::matches::Matches;
use super::read::{self, ReadError};
use super::turn;
use super::view::{EntryView, Viewer};
use crate::domain::{Attention, Decided, Entry, EntryId, EntryState, Timestamp};
use crate::policy::attention::{Circumstances, Place, Since, attention};
use crate::policy::{Permit, Register, Roster, operation};
use crate::store::{Store, StoreError};

/// Of what waits for one reason so many are looked at, the oldest.
pub const WAITING_MAX: usize = 10_000;
/// The most entries of a page, and how many it has if nobody says.
pub const QUEUE_PAGE_MAX: usize = 500;
/// See [`QUEUE_PAGE_MAX`].
pub const QUEUE_PAGE_DEFAULT: usize = 100;

/// Lists what waits.
#[derive(Clone)]
pub struct Queue {
    pub(super) store: Arc<Store>,
    pub(super) viewer: Viewer,
    pub(super) matches: Matches,
}

/// What is wanted of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueQuery {
    /// Only what waits for one of these reasons. Empty: for any.
    pub attention: BTreeSet<Attention>,
    pub size: usize,
    /// Only what comes after this place.
    pub after: Option<Place>,
}

/// An entry that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub place: Place,
    /// Every reason, in order.
    pub attention: Vec<Attention>,
    pub view: EntryView,
    /// Whether it is of the reader's own organisation, or of one under the same owner.
    pub is_own: bool,
    /// What single reviewers have proposed.
    pub proposals: Vec<Decided>,
}

/// A page of the queue.
#[derive(Clone, Debug)]
pub struct QueuePage {
    pub items: Vec<Waiting>,
    /// After which the next page begins; `None`: there is none.
    pub next: Option<Place>,
    /// How many entries wait.
    pub total: usize,
    /// Whether all of them were looked at.
    pub is_complete: bool,
}

/// Everything that waits, with what was found out about it.
struct Candidates<'a> {
    queue: &'a Queue,
    register: &'a Register,
    now: Timestamp,
    found: BTreeMap<EntryId, (EntryState, Circumstances)>,
    is_complete: bool,
}

impl Queue {
    /// A page of what waits: by reach, greatest first; then by how long it waits; then oldest first.
    ///
    /// # Errors
    /// [`ReadError`] if a row cannot be read.
    pub async fn run(&self, permit: &Permit<operation::ReadQueue>, query: &QueueQuery) -> Result<QueuePage, ReadError> {
        let (roster, register) = (self.viewer.roster.load_full(), self.viewer.register.load_full());
        let now = self.viewer.clock.now();
        let mut candidates =
            Candidates { queue: self, register: &register, now, found: BTreeMap::new(), is_complete: true };
        candidates.gather(&roster).await?;
        let Candidates { found, is_complete, .. } = candidates;
        let mut waiting = Vec::new();
        for (id, (state, circumstances)) in found {
            turn::step().await;
            let reasons = attention(id, &state, &circumstances, register.rules(), now);
            if !query.attention.is_empty() && !reasons.iter().any(|(reason, _)| query.attention.contains(reason)) {
                continue;
            }
            let place = Place { reach: Reverse(self.reach(id)?), since: self.earliest(&reasons)?, entry: id };
            waiting.push((place, reasons, state));
        }
        waiting.sort_unstable_by_key(|(place, ..)| *place);
        let total = waiting.len();
        let first = query.after.map_or(0, |after| waiting.partition_point(|(place, ..)| *place <= after));
        let page: Vec<_> = waiting.drain(first..).take(query.size).collect();
        let next = page.last().map(|(place, ..)| *place).filter(|_| total - first > query.size);
        let mut items = Vec::new();
        for (place, reasons, state) in page {
            turn::step().await;
            // One whose event was erased is nobody's to decide on.
            let Some(entry) = read::entry(&self.store, place.entry)? else { continue };
            let Entry { contributor, .. } = entry;
            items.push(Waiting {
                place,
                attention: reasons.into_iter().map(|(reason, _)| reason).collect(),
                view: self.viewer.view(entry, &state, permit.principal()),
                is_own: roster.speak_as_one(contributor, permit.principal().member),
                proposals: state.proposed,
            });
        }
        Ok(QueuePage { items, next, total, is_complete })
    }

    /// How many members an entry matched for, of late.
    fn reach(&self, entry: EntryId) -> Result<u64, ReadError> {
        Ok(self.matches.reach(entry)?.members)
    }

    /// Since when the first of these reasons holds.
    fn earliest(&self, reasons: &[(Attention, Since)]) -> Result<Timestamp, ReadError> {
        let mut earliest = Timestamp::MAX;
        for (_, since) in reasons {
            let at = match since {
                Since::At(at) => Some(*at),
                Since::Leaf(index) => read::time(&self.store, *index)?,
            };
            earliest = earliest.min(at.unwrap_or(Timestamp::EPOCH));
        }
        Ok(earliest)
    }
}

impl Candidates<'_> {
    async fn gather(&mut self, roster: &Roster) -> Result<(), ReadError> {
        let store = &self.queue.store;
        self.take(store.attention(EntryId(0))?, Circumstances::default()).await?;
        for key in roster.keys() {
            if let Some(since) = key.compromised_since {
                let first = EntryId(read::first_since(store, since)?);
                let compromised = Some(key.revoked.unwrap_or(since));
                let circumstances = Circumstances { compromised, ..Circumstances::default() };
                self.take(store.key_entries(key.id, first)?, circumstances).await?;
            }
        }
        for (entity, delisted) in self.register.all_delisted() {
            let circumstances = Circumstances { delisted: Some(delisted), ..Circumstances::default() };
            self.take(store.listed_entries(entity, EntryId(0))?, circumstances).await?;
        }
        for incident in self.register.incidents().filter(|incident| !incident.is_drill) {
            let circumstances = Circumstances { of_incident: true, ..Circumstances::default() };
            self.take(store.incident_entries(&incident.code, EntryId(0))?, circumstances).await?;
        }
        Ok(())
    }

    /// Takes those of `entries` that wait, under what is known of all of them.
    async fn take(
        &mut self,
        entries: impl Iterator<Item = Result<EntryId, StoreError>>,
        circumstances: Circumstances,
    ) -> Result<(), ReadError> {
        let mut waiting = 0;
        for entry in entries {
            turn::step().await;
            let entry = entry?;
            let Some(state) = self.queue.store.entry_state(entry)? else { continue };
            // What reviewers have settled takes no place of what waits.
            if attention(entry, &state, &circumstances, self.register.rules(), self.now).is_empty() {
                continue;
            }
            if waiting == WAITING_MAX {
                self.is_complete = false;
                return Ok(());
            }
            waiting += 1;
            let known = self.found.entry(entry).or_insert((state, Circumstances::default()));
            known.1 = known.1.and(circumstances);
        }
        Ok(())
    }
}
