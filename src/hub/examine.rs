//! Use case: what was contributed with a key that is thought to have been in other hands.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::decide::Refusal;
use super::members::MemberError;
use super::read::{self, ReadError};
use super::sequencer::SequenceError;
use super::turn;
use crate::domain::{Actor, EntryId, Fact, KeyId, Timestamp};
use crate::policy::{Permit, Roster, operation};
use crate::store::Store;

/// Events that are read in one step of a turn.
const PAGE: usize = 128;

/// Looks through the ledger for what was done with a key.
#[derive(Clone)]
pub struct Examine {
    pub(super) store: Arc<Store>,
    pub(super) roster: Arc<ArcSwap<Roster>>,
}

/// Where a search has come to. Only [`Examine::begin`] makes one, for who may.
#[derive(Debug)]
pub struct Search {
    key: KeyId,
    /// Where the next page begins; nowhere after the last.
    next: Option<u64>,
}

/// An entry that was contributed with the key, and what has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    pub entry: EntryId,
    pub contributed: Timestamp,
    pub is_withdrawn: bool,
}

impl Examine {
    /// A search for what was contributed with `key` since then; without a time, since the key is compromised; all, if it is not.
    ///
    /// # Errors
    /// [`MemberError`], also if there is no such key.
    pub fn begin(
        &self,
        _permit: &Permit<operation::ListMembers>,
        key: KeyId,
        since: Option<Timestamp>,
    ) -> Result<Search, MemberError> {
        let roster = self.roster.load();
        let found = roster.key(key).ok_or(SequenceError::from(Refusal::NoSuchKey(key)))?;
        let first = since.or(found.compromised_since).map_or(Ok(0), |since| read::first_since(&self.store, since))?;
        Ok(Search { key, next: Some(first) })
    }

    /// The next of them, none perhaps; `None` after the last.
    ///
    /// # Errors
    /// [`ReadError`] if the ledger cannot be read.
    pub async fn page(&self, search: &mut Search) -> Result<Option<Vec<Suspect>>, ReadError> {
        let Some(from) = search.next else { return Ok(None) };
        turn::step().await;
        let (mut suspects, mut seen) = (Vec::new(), 0);
        for row in self.store.events(from)?.take(PAGE) {
            let (index, stored) = row?;
            seen += 1;
            let event = read::decode(index, stored.opening().1)?;
            let with_it = matches!(event.by, Actor::Member { key, .. } if key == search.key);
            if with_it && matches!(event.fact, Fact::Contributed { .. } | Fact::Remains(_)) {
                let entry = EntryId(index);
                let state = self.store.entry_state(entry)?.unwrap_or_default();
                suspects.push(Suspect { entry, contributed: event.at, is_withdrawn: state.withdrawn.is_some() });
            }
        }
        search.next = (seen == PAGE).then_some(from + PAGE as u64);
        Ok(Some(suspects))
    }
}
