//! How many refused attempts of a key to change members or keys are worth an event each: so many in an hour. The rest are
//! counted, and the count is an event when the hour is over. So nobody fills the ledger by being refused.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use crate::domain::{EventKind, KeyId, MemberId, RefusalReason, Timestamp};

/// The most events about one key in an hour.
const RECORDED_MAX: u32 = 20;
/// An hour begins with a key's first refusal.
const HOUR: Duration = Duration::from_hours(1);

/// Something that was asked for and refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub attempted: EventKind,
    /// About whom, where that is known.
    pub member: Option<MemberId>,
    pub key: Option<KeyId>,
    pub reason: RefusalReason,
}

/// Refusals by the key that met them.
#[derive(Debug, Default)]
pub struct Refusals {
    hours: BTreeMap<KeyId, Hour>,
    ended: Vec<Counted>,
}

#[derive(Debug)]
struct Hour {
    began: Timestamp,
    recorded: u32,
    counted: Option<Counted>,
}

/// Refusals that were too many for an event each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Who was refused.
    pub by: (MemberId, KeyId),
    /// The last of them.
    pub last: Attempt,
    pub count: u64,
}

impl Refusals {
    /// Whether this refusal is to be an event. If not, it is counted.
    pub fn admit(&mut self, by: (MemberId, KeyId), attempt: &Attempt, now: Timestamp) -> bool {
        self.end(now);
        let hour = self.hours.entry(by.1).or_insert(Hour { began: now, recorded: 0, counted: None });
        if hour.recorded < RECORDED_MAX {
            hour.recorded += 1;
            return true;
        }
        let counted = hour.counted.get_or_insert_with(|| Counted { by, last: attempt.clone(), count: 0 });
        counted.last = attempt.clone();
        counted.count += 1;
        false
    }

    /// What was counted in hours that are over at `now`, once.
    pub fn take_ended(&mut self, now: Timestamp) -> Vec<Counted> {
        self.end(now);
        mem::take(&mut self.ended)
    }

    /// What was counted so far, once: before everything is forgotten.
    pub fn take_all(&mut self) -> Vec<Counted> {
        self.ended.extend(self.hours.values_mut().filter_map(|hour| hour.counted.take()));
        mem::take(&mut self.ended)
    }

    fn end(&mut self, now: Timestamp) {
        let over = |hour: &Hour| now >= hour.began.plus(HOUR);
        let ended = self.hours.extract_if(.., |_, hour| over(hour));
        self.ended.extend(ended.filter_map(|(_, hour)| hour.counted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000).unwrap()
    }

    fn by(n: u8) -> (MemberId, KeyId) {
        (MemberId::from_bytes([n; 5]), KeyId::from_bytes([n; 5]))
    }

    fn attempt(attempted: EventKind) -> Attempt {
        Attempt { attempted, member: None, key: None, reason: RefusalReason::NoRole }
    }

    #[test]
    fn so_many_of_an_hour_are_events_and_the_rest_one_count_when_it_is_over() {
        let mut refusals = Refusals::default();
        let some = attempt(EventKind::KeyIssued);
        for n in 0..RECORDED_MAX {
            assert!(refusals.admit(by(1), &some, at(u64::from(n))), "{n}");
        }
        assert!(!refusals.admit(by(1), &some, at(58)));
        let last = attempt(EventKind::MemberEnrolled);
        assert!(!refusals.admit(by(1), &last, at(59)));
        assert!(refusals.admit(by(2), &some, at(59)), "another key's are its own");
        assert_eq!(refusals.take_ended(at(59)), []);

        // The next hour begins with the next refusal; what was counted before is not lost by that.
        assert!(refusals.admit(by(1), &some, at(60)));
        assert_eq!(refusals.take_ended(at(60)), [Counted { by: by(1), last, count: 2 }]);
        assert_eq!(refusals.take_ended(at(1_000)), []);
        assert!(refusals.hours.is_empty(), "hours that are over are forgotten");
    }

    #[test]
    fn what_is_counted_can_be_had_before_the_hour_is_over_and_only_once() {
        let mut refusals = Refusals::default();
        let some = attempt(EventKind::KeyRevoked);
        for _ in 0..RECORDED_MAX + 3 {
            refusals.admit(by(1), &some, at(0));
        }
        assert_eq!(refusals.take_all(), [Counted { by: by(1), last: some.clone(), count: 3 }]);
        assert_eq!(refusals.take_all(), []);
        assert_eq!(refusals.take_ended(at(60)), []);
    }
}
