//! Floods: entries that match far more often than usual, all at once. A picture that everybody has, or a mistake that spreads.
//!
//! Matches are counted by entry and by who speaks with one voice, over the policy's window. Of each voice no more counts than an equal
//! share of what makes a flood, so that fewer than the policy's number of them never make one, however much they send. Pure: who
//! calls brings the time and what is usual.
//!
//! Memory is bounded: sixteen bytes for each entry, fifth of a window and voice, for at most [`ENTRIES_MAX`] entries.
//! When more match within a window those with the fewest matches are forgotten.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::time::Duration;

use super::rules::FloodRules;
use crate::domain::{EntryId, Timestamp, Unit};

/// Entries that are counted at the same time.
const ENTRIES_MAX: usize = 16_384;
/// A window moves on in so many steps.
const SLICES: u64 = 5;

/// Matches of the last window.
#[derive(Debug, Default)]
pub struct Floods {
    /// By which slices are numbered; with another all begins anew.
    window_minutes: u16,
    entries: HashMap<EntryId, Vec<Cell>>,
    /// Numbers in the place of names: there are as many as members.
    voices: HashMap<Unit, u32>,
    /// What has changed since somebody looked.
    touched: BTreeSet<EntryId>,
}

/// How often one voice met an entry in one slice.
#[derive(Clone, Copy, Debug)]
struct Cell {
    slice: u64,
    voice: u32,
    count: u32,
}

impl Floods {
    /// Counts that `voice` met `entry` so often at about `now`.
    pub fn note(&mut self, entry: EntryId, voice: Unit, count: u64, now: Timestamp, rules: &FloodRules) {
        if self.window_minutes != rules.window_minutes {
            *self = Self { window_minutes: rules.window_minutes, ..Self::default() };
        }
        let next = self.voices.len() as u32;
        let voice = *self.voices.entry(voice).or_insert(next);
        let (slice, count) = (slice(now, rules), u32::try_from(count).unwrap_or(u32::MAX));
        if self.entries.len() >= ENTRIES_MAX && !self.entries.contains_key(&entry) {
            self.make_room(slice);
        }
        let cells = self.entries.entry(entry).or_default();
        cells.retain(|cell| is_recent(cell, slice));
        match cells.iter_mut().find(|cell| (cell.slice, cell.voice) == (slice, voice)) {
            Some(cell) => cell.count = cell.count.saturating_add(count),
            None => cells.push(Cell { slice, voice, count }),
        }
        self.touched.insert(entry);
    }

    /// The entries, of those that matched since the last time, that would be a flood if nothing were usual: at most `max`; the others
    /// come the next time.
    pub fn crowded(&mut self, max: usize, now: Timestamp, rules: &FloodRules) -> Vec<EntryId> {
        let mut crowded = Vec::new();
        for entry in mem::take(&mut self.touched) {
            if crowded.len() == max {
                self.touched.insert(entry);
            } else if self.seen(entry, 0, now, rules).is_some() {
                crowded.push(entry);
            }
        }
        crowded
    }

    /// How often `entry` matched, if that is a flood where `usual` matches a window are usual: each voice's counted up to its share.
    pub fn seen(&self, entry: EntryId, usual: u64, now: Timestamp, rules: &FloodRules) -> Option<u64> {
        let slice = slice(now, rules);
        let mut voices: BTreeMap<u32, u64> = BTreeMap::new();
        for cell in self.entries.get(&entry)?.iter().filter(|cell| is_recent(cell, slice)) {
            *voices.entry(cell.voice).or_default() += u64::from(cell.count);
        }
        let enough = rules.matches_min.max(rules.times_usual.saturating_mul(usual));
        let share = enough.div_ceil(rules.members_min.max(1) as u64);
        let counted = voices.values().fold(0_u64, |sum, count| sum.saturating_add((*count).min(share)));
        (voices.len() >= rules.members_min && counted >= enough).then_some(counted)
    }

    /// Begins to count an entry anew.
    pub fn forget(&mut self, entry: EntryId) {
        self.entries.remove(&entry);
        self.touched.remove(&entry);
    }

    /// Forgets what is over, and of the rest a quarter if that is not enough: the entries with the fewest matches.
    fn make_room(&mut self, slice: u64) {
        let most = ENTRIES_MAX - ENTRIES_MAX / 4;
        self.entries.retain(|_, cells| cells.iter().any(|cell| is_recent(cell, slice)));
        if self.entries.len() > most {
            let count = |cells: &Vec<Cell>| cells.iter().map(|cell| u64::from(cell.count)).sum::<u64>();
            let mut counts: Vec<_> = self.entries.iter().map(|(entry, cells)| (count(cells), *entry)).collect();
            counts.sort_unstable();
            counts.iter().take(self.entries.len() - most).for_each(|(_, entry)| drop(self.entries.remove(entry)));
        }
        let entries = &self.entries;
        self.touched.retain(|entry| entries.contains_key(entry));
    }
}

/// How long matches are counted.
pub fn window(rules: &FloodRules) -> Duration {
    Duration::from_mins(u64::from(rules.window_minutes))
}

fn slice(now: Timestamp, rules: &FloodRules) -> u64 {
    now.millis() * SLICES / (u64::from(rules.window_minutes.max(1)) * 60_000)
}

const fn is_recent(cell: &Cell, slice: u64) -> bool {
    cell.slice + SLICES > slice
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::MemberId;

    const ENTRY: EntryId = EntryId(7);

    fn voice(id: u8) -> Unit {
        Unit::Member(MemberId::from_bytes([id; 5]))
    }

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + minutes * 60_000).unwrap()
    }

    fn noted(counts: &[u64]) -> Floods {
        let mut floods = Floods::default();
        for (id, count) in counts.iter().enumerate() {
            floods.note(ENTRY, voice(id as u8), *count, at(0), &FloodRules::default());
        }
        floods
    }

    /// With the defaults: 200 matches of three voices, or 20 times as many as usual.
    fn seen(counts: &[u64], usual: u64) -> Option<u64> {
        noted(counts).seen(ENTRY, usual, at(0), &FloodRules::default())
    }

    #[test]
    fn many_matches_of_three_are_a_flood_and_of_two_never() {
        assert_eq!(seen(&[67, 67, 66], 0), Some(200));
        assert_eq!(seen(&[67, 67, 65], 0), None);
        assert_eq!(seen(&[50, 50, 50, 50], 0), Some(200));
        assert_eq!(seen(&[1_000_000], 0), None);
        assert_eq!(seen(&[1_000_000, 1_000_000], 0), None);
        assert_eq!(seen(&[1_000_000, 1_000_000, 1], 0), None, "the third brings its share as well");
        assert_eq!(seen(&[1_000_000, 1_000_000, 66], 0), Some(200));
        assert_eq!(seen(&[100, 100, 100], 20), None, "400 are 20 times 20");
        assert_eq!(seen(&[134, 134, 134], 20), Some(402));
        assert_eq!(seen(&[u64::MAX; 3], u64::MAX), None);
    }

    #[test]
    fn one_voice_is_one_however_many_keys_or_members_it_has() {
        let mut floods = Floods::default();
        let group = || Unit::Group("owner".parse().unwrap());
        for _ in 0..9 {
            floods.note(ENTRY, group(), 100, at(0), &FloodRules::default());
        }
        assert_eq!(floods.seen(ENTRY, 0, at(0), &FloodRules::default()), None);
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count_and_what_is_forgotten_neither() {
        let rules = FloodRules::default();
        let mut floods = noted(&[100, 100, 50]);
        assert_eq!(floods.crowded(9, at(0), &rules), []);
        floods.note(ENTRY, voice(2), 50, at(7), &rules);
        assert_eq!(floods.crowded(9, at(7), &rules), [ENTRY]);
        assert_eq!(floods.crowded(9, at(7), &rules), [], "nothing has come since");
        floods.note(ENTRY, voice(2), 50, at(11), &rules);
        assert_eq!(floods.crowded(9, at(11), &rules), []);
        let mut floods = noted(&[100; 3]);
        floods.forget(ENTRY);
        assert_eq!(floods.crowded(9, at(0), &rules), []);
    }

    #[test]
    fn another_window_begins_anew() {
        let other = FloodRules { window_minutes: 60, ..FloodRules::default() };
        let mut floods = noted(&[100; 3]);
        floods.note(ENTRY, voice(0), 1, at(0), &other);
        assert_eq!(floods.seen(ENTRY, 0, at(0), &other), None);
    }

    #[test]
    fn no_more_entries_are_counted_than_there_is_room_for_and_those_that_match_most_stay() {
        let rules = FloodRules::default();
        let mut floods = noted(&[60; 3]);
        for entry in 0..3 * ENTRIES_MAX as u64 {
            floods.note(EntryId(1_000 + entry), voice(9), 1, at(1), &rules);
            assert!(floods.entries.len() <= ENTRIES_MAX && floods.touched.len() <= ENTRIES_MAX);
        }
        floods.note(ENTRY, voice(3), 60, at(2), &rules);
        assert_eq!(floods.crowded(9, at(2), &rules), [ENTRY]);
    }

    proptest! {
        #[test]
        fn fewer_voices_than_the_policy_asks_for_never_make_a_flood(
            counts in proptest::collection::vec(0..u64::from(u32::MAX), 0..12),
            usual in 0..1_000_u64,
            members_min in 2..20_usize,
        ) {
            let rules = FloodRules { members_min, ..FloodRules::default() };
            let floods = noted(&counts);
            let seen = floods.seen(ENTRY, usual, at(0), &rules);
            if let Some(matches) = seen {
                prop_assert!(counts.len() >= members_min);
                prop_assert!(matches >= rules.matches_min && matches >= usual * rules.times_usual);
                prop_assert!(matches <= counts.iter().sum());
            }
            // What is a flood where something is usual is one where nothing is.
            prop_assert!(seen.is_none() || floods.seen(ENTRY, 0, at(0), &rules).is_some());
        }
    }
}
