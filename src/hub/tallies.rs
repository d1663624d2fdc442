//! Use case: count matches by label, kind and action, and have the counts put into the ledger once an hour.
//!
//! Who met which entry is no part of the ledger (`matches`), but what a report says of matches must be computable from it. A check
//! only counts, in memory. What a crash loses is what was counted since the last hour began.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::check::Match;
use crate::domain::{Action, Code, SignalKind, Tally, TallyCell, Timestamp};

const HOUR: Duration = Duration::from_hours(1);

/// Counts matches.
#[derive(Clone, Debug)]
pub struct Tallies(Arc<Mutex<Counts>>);

/// Matches by label, kind and action.
type Hour = BTreeMap<Code, BTreeMap<(SignalKind, Action), u64>>;

#[derive(Debug)]
struct Counts {
    /// From when on it counts what is not told yet.
    from: Timestamp,
    /// By the beginning of the hour.
    hours: BTreeMap<Timestamp, Hour>,
}

impl Tallies {
    /// Counts from `now` on.
    pub(super) fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Counts { from: now, hours: BTreeMap::new() })))
    }

    /// Counts what was shown at `now`.
    pub(super) fn note(&self, matches: &[Match], now: Timestamp) {
        if matches.is_empty() {
            return;
        }
        let mut counts = self.lock();
        let hour = counts.hours.entry(now.hour()).or_default();
        for found in matches {
            let Some(best) = found.evidence.first() else { continue };
            let assessment = &found.view.assessment;
            for label in &assessment.labels {
                // Nothing is copied but for the first match of a label.
                if !hour.contains_key(label) {
                    hour.insert(label.clone(), BTreeMap::new());
                }
                if let Some(cells) = hour.get_mut(label) {
                    *cells.entry((best.kind, assessment.action)).or_default() += 1;
                }
            }
        }
    }

    /// What was counted in hours that have ended by `now`; they are counted no longer.
    pub(super) fn take_ended(&self, now: Timestamp) -> Vec<Tally> {
        self.take(now, now.hour())
    }

    /// The same with the present hour, up to `now`.
    pub(super) fn take_all(&self, now: Timestamp) -> Vec<Tally> {
        self.take(now, Timestamp::MAX)
    }

    /// Of the hours that began before `before`.
    fn take(&self, now: Timestamp, before: Timestamp) -> Vec<Tally> {
        let mut counts = self.lock();
        if counts.hours.first_key_value().is_none_or(|(hour, _)| *hour >= before) {
            return Vec::new();
        }
        let left = counts.hours.split_off(&before);
        let taken = std::mem::replace(&mut counts.hours, left);
        let mut tallies = Vec::new();
        for (hour, labels) in taken {
            let ends = hour.plus(HOUR);
            // The clock may have gone back.
            let until = ends.min(now.max(hour));
            let since = counts.from.max(hour).min(until);
            let cells = labels.into_iter().flat_map(|(label, cells)| {
                let cell = move |((kind, action), matches)| TallyCell { label: label.clone(), kind, action, matches };
                cells.into_iter().map(cell)
            });
            let cells: Vec<_> = cells.collect();
            let parts = cells.chunks(Tally::CELLS_MAX);
            tallies.extend(parts.map(|cells| Tally { since, until, cells: cells.to_vec() }));
            counts.from = until;
        }
        tallies
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // A count is raised at once: nothing is left half done.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        format!("2026-11-22T{text}Z").parse().unwrap()
    }

    /// Counts `matches` of some labels at once.
    fn count(tallies: &Tallies, now: Timestamp, labels: &[String], matches: u64) {
        let mut counts = tallies.lock();
        let hour = counts.hours.entry(now.hour()).or_default();
        for label in labels {
            let cells = hour.entry(label.parse().unwrap()).or_default();
            *cells.entry((SignalKind::Pdq, Action::Review)).or_default() += matches;
        }
    }

    #[test]
    fn a_tally_is_of_one_hour_that_has_ended_or_at_the_end_of_the_part_that_has_passed() {
        let tallies = Tallies::new(time("12:20:00"));
        let labels = ["a".to_owned(), "b".to_owned()];
        count(&tallies, time("12:30:00"), &labels, 2);
        count(&tallies, time("12:59:59.999"), &labels[..1], 3);
        count(&tallies, time("13:00:00"), &labels[1..], 5);
        assert_eq!(tallies.take_ended(time("12:59:59.999")), []);
        let spans = |tallies: &[Tally]| -> Vec<_> {
            let counts = |tally: &Tally| tally.cells.iter().map(|cell| cell.matches).collect::<Vec<_>>();
            tallies.iter().map(|tally| (tally.since, tally.until, counts(tally))).collect()
        };
        let ended = tallies.take_ended(time("13:40:00"));
        assert_eq!(spans(&ended), [(time("12:20:00"), time("13:00:00"), vec![5, 2])]);
        assert_eq!(tallies.take_ended(time("13:59:00")), [], "each is told once");
        assert_eq!(spans(&tallies.take_all(time("13:50:00"))), [(time("13:00:00"), time("13:50:00"), vec![5])]);
        count(&tallies, time("13:55:00"), &labels[1..], 1);
        let rest = tallies.take_ended(time("15:00:00"));
        assert_eq!(spans(&rest), [(time("13:50:00"), time("14:00:00"), vec![1])], "spans do not overlap");
    }

    #[test]
    fn many_cells_are_told_in_several_events() {
        let tallies = Tallies::new(time("12:20:00"));
        let labels: Vec<_> = (0..Tally::CELLS_MAX + 1).map(|n| format!("incident-{n}")).collect();
        count(&tallies, time("12:30:00"), &labels, 1);
        let sizes: Vec<_> = tallies.take_ended(time("13:00:00")).iter().map(|tally| tally.cells.len()).collect();
        assert_eq!(sizes, [Tally::CELLS_MAX, 1]);
    }
}
