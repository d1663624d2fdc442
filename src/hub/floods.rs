//! The flood breaker's hub side: what matched is counted, and whatever floods is said to, once until reviewers decide.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::matches::Matches;
use crate::domain::{EntryId, EntryState, Fact, MatchKey, Timestamp};
use crate::policy::flood::{Floods, window};
use crate::policy::{Register, Roster, is_matchable};
use crate::store::{Store, StoreError};

/// What is usual is taken from so many days.
const USUAL_OF: Duration = Duration::from_hours(7 * 24);
/// And is looked up so often.
const USUAL_FOR: Duration = Duration::from_hours(1);
/// Entries of which that is remembered.
const USUAL_MAX: usize = 4_096;
/// Entries that are looked at in one go: the rows of each are read. The others wait for the next.
const LOOKED_AT: usize = 32;

/// Looks for floods. The sequencer's thread has the only one.
pub struct FloodWatch {
    floods: Floods,
    store: Arc<Store>,
    matches: Matches,
    usual: HashMap<EntryId, (Timestamp, u64)>,
}

impl FloodWatch {
    /// Nothing has matched yet.
    pub(super) fn new(store: Arc<Store>, matches: Matches) -> Self {
        Self { floods: Floods::default(), store, matches, usual: HashMap::new() }
    }

    /// Counts what has matched lately, and gives the floods to be said.
    pub(super) fn look(
        &mut self,
        news: &[(MatchKey, u64)],
        roster: &Roster,
        register: &Register,
        now: Timestamp,
    ) -> Vec<Fact> {
        let rules = &register.rules().floods;
        for (key, count) in news {
            if let Some(member) = roster.member(key.member) {
                self.floods.note(key.entry, member.unit(), *count, now, rules);
            }
        }
        let mut floods = Vec::new();
        for entry in self.floods.crowded(LOOKED_AT, now, rules) {
            match self.look_at(entry, register, now) {
                Ok(flood) => floods.extend(flood),
                // The next match asks again.
                Err(error) => tracing::error!(%error, %entry, "whether an entry floods could not be found out"),
            }
        }
        floods
    }

    fn look_at(&mut self, entry: EntryId, register: &Register, now: Timestamp) -> Result<Option<Fact>, StoreError> {
        let rules = &register.rules().floods;
        let Some(state) = self.store.entry_state(entry)? else { return Ok(None) };
        if !is_matchable(&state, now) || is_said(&state) {
            self.floods.forget(entry);
            return Ok(None);
        }
        let usual = self.usual(entry, window(rules), now)?.max(upheld(&state, now));
        let Some(matches) = self.floods.seen(entry, usual, now, rules) else { return Ok(None) };
        self.floods.forget(entry);
        Ok(Some(Fact::FloodSeen { entry, matches, usual }))
    }

    /// How often an entry usually matches in a window, by the last seven days up to the window's hour. Of one that is new, never.
    fn usual(&mut self, entry: EntryId, window: Duration, now: Timestamp) -> Result<u64, StoreError> {
        if let Some((looked_up, usual)) = self.usual.get(&entry)
            && now < looked_up.plus(USUAL_FOR)
        {
            return Ok(*usual);
        }
        let windows = (USUAL_OF.as_millis() / window.as_millis().max(1)).max(1) as u64;
        let matches = self.matches.between(entry, now.minus(USUAL_OF), now.minus(window).hour())?;
        let usual = matches.div_ceil(windows);
        if self.usual.len() >= USUAL_MAX {
            self.usual.clear();
        }
        self.usual.insert(entry, (now, usual));
        Ok(usual)
    }
}

/// Whether a flood was said, and no reviewer has decided since.
fn is_said(state: &EntryState) -> bool {
    state.flood.is_some_and(|flood| !state.is_settled(flood.event))
}

/// What reviewers have let stand is usual for as long as it takes until the rows say so.
fn upheld(state: &EntryState, now: Timestamp) -> u64 {
    match (&state.flood, &state.decided) {
        (Some(flood), Some(decided)) if decided.event > flood.event && now < decided.at.plus(USUAL_OF) => flood.matches,
        _ => 0,
    }
}
