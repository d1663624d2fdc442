//! Use case: keep which member met which entry in which hour, and how often; never what was asked.
//!
//! A check only counts, in memory. The sequencer's thread, the one writer, puts the counts on disk a second later at most; what a
//! crash can lose is that second. What is older than the policy says is not seen, and is deleted within a day.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::domain::{At, Clock, Date, EntryId, FieldError, MatchKey, MemberId, Met, Reach, Timestamp};
use crate::policy::{MacSecret, MatchReceipt, Register};
use crate::store::{Store, StoreError};

/// Counts wait so long for the disk.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Parts that are locked each by itself: checks hardly ever wait for one another.
const PARTS: usize = 16;
/// Rows of one part that may wait for the disk. What comes beyond is lost: the disk has not kept up for minutes, or failed.
const ROWS_MAX: usize = 65_536;
/// Rows that are looked at in one step of deleting what is too old.
const PRUNED_AT_ONCE: usize = 4_096;

/// Counts matches, and tells of them.
#[derive(Clone)]
pub struct Matches {
    store: Arc<Store>,
    register: Arc<ArcSwap<Register>>,
    clock: Arc<dyn Clock>,
    /// Receipts are known by it.
    secret: MacSecret,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// What came since the last writing.
    fresh: [Mutex<HashMap<MatchKey, u64>>; PARTS],
    /// Readers hold it while they add up what is here, in `fresh` and on disk, so that nothing moves from one to the other meanwhile.
    unwritten: RwLock<Unwritten>,
    pruning: Mutex<Pruning>,
}

/// What is being written, or could not be.
#[derive(Debug, Default)]
struct Unwritten {
    /// The whole count, not what it grew by, so that it can be written twice.
    rows: BTreeMap<MatchKey, u64>,
    tried: Option<Instant>,
}

/// How far the deleting of what is too old has come.
#[derive(Debug, Default)]
struct Pruning {
    after: Option<MatchKey>,
    /// The day on which it came to the end.
    done: Option<Date>,
}

impl Matches {
    /// Counts into `store`.
    pub(super) fn new(
        store: Arc<Store>,
        register: Arc<ArcSwap<Register>>,
        clock: Arc<dyn Clock>,
        secret: MacSecret,
    ) -> Self {
        Self { store, register, clock, secret, counts: Arc::default() }
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What `member` is given with a match at `now`.
    pub(super) fn receipt(&self, member: MemberId, entry: EntryId, now: Timestamp) -> MatchReceipt {
        self.secret.match_receipt(member, entry, now)
    }

    /// The entry that `member` met, as its receipt says.
    ///
    /// # Errors
    /// It is no receipt of this member's, or too old; never whether it is somebody else's.
    pub(super) fn entry_of(&self, member: MemberId, receipt: &str) -> Result<EntryId, FieldError> {
        let receipt = receipt.parse().at("receipt")?;
        let (entry, hour) = self.secret.match_of(member, &receipt).at("receipt")?;
        if hour < self.kept_from(self.clock.now()).hour() {
            let days = self.register.load().rules().matches.kept_days;
            return Err(FieldError::new("receipt", format_args!("is of a match more than {days} days ago")));
        }
        Ok(entry)
    }

    /// Counts that `member` met these entries at `now`. Waits for no disk.
    pub(super) fn note(&self, member: MemberId, entries: impl IntoIterator<Item = EntryId>, now: Timestamp) {
        for entry in entries {
            let mut part = self.part(entry, member);
            let key = MatchKey { entry, member, hour: now.hour() };
            if part.len() < ROWS_MAX || part.contains_key(&key) {
                *part.entry(key).or_default() += 1;
            }
        }
    }

    /// How far `entry` reaches: of the time that matches are kept.
    ///
    /// # Errors
    /// [`StoreError`] if that cannot be read.
    pub fn reach(&self, entry: EntryId) -> Result<Reach, StoreError> {
        let (mut members, mut matches) = (BTreeSet::new(), 0_u64);
        self.visit(entry, None, |key, count| {
            members.insert(key.member);
            matches = matches.saturating_add(count);
        })?;
        Ok(Reach { members: members.len() as u64, matches })
    }

    /// How often `member` met `entry` in hours that began at `until` or before; `None` if it did not, or not in the time that
    /// matches are kept.
    ///
    /// # Errors
    /// [`StoreError`] if that cannot be read.
    pub fn met(&self, entry: EntryId, member: MemberId, until: Timestamp) -> Result<Option<Met>, StoreError> {
        let mut met: Option<Met> = None;
        self.visit(entry, Some(member), |key, count| {
            if key.hour > until {
                return;
            }
            let one = Met { matches: count, first: key.hour, last: key.hour };
            met = Some(met.map_or(one, |met| Met {
                matches: met.matches.saturating_add(count),
                first: met.first.min(key.hour),
                last: met.last.max(key.hour),
            }));
        })?;
        Ok(met)
    }

    /// Matches with `entry` in hours that began at `since` or after, and before `before`.
    pub(super) fn between(&self, entry: EntryId, since: Timestamp, before: Timestamp) -> Result<u64, StoreError> {
        let mut matches = 0_u64;
        self.visit(entry, None, |key, count| {
            if since <= key.hour && key.hour < before {
                matches = matches.saturating_add(count);
            }
        })?;
        Ok(matches)
    }

    /// From when on matches are seen.
    pub(super) fn kept_from(&self, now: Timestamp) -> Timestamp {
        let days = u64::from(self.register.load().rules().matches.kept_days);
        now.minus(Duration::from_hours(24 * days))
    }

    /// Every count of `entry`, on disk or not; one key may come twice, a part of its count each time.
    fn visit(
        &self,
        entry: EntryId,
        member: Option<MemberId>,
        mut each: impl FnMut(MatchKey, u64),
    ) -> Result<(), StoreError> {
        let kept_from = self.kept_from(self.clock.now()).hour();
        let is_wanted = |key: &MatchKey| {
            key.entry == entry && member.is_none_or(|member| key.member == member) && key.hour >= kept_from
        };
        let unwritten = self.read();
        for row in self.store.matches_of(entry, member)? {
            let (key, count) = row?;
            // What could not be written may be there or not: the count in memory is the whole one.
            if is_wanted(&key) && !unwritten.rows.contains_key(&key) {
                each(key, count);
            }
        }
        unwritten.rows.iter().filter(|(key, _)| is_wanted(key)).for_each(|(key, count)| each(*key, *count));
        for part in &self.counts.fresh {
            let part = lock(part);
            part.iter().filter(|(key, _)| is_wanted(key)).for_each(|(key, count)| each(*key, *count));
        }
        Ok(())
    }

    /// Writes down what is only in memory, if that was not tried just now; gives what has come since the last time. Only for the
    /// store's one writer.
    pub(super) fn flush_now_and_then(&self) -> Vec<(MatchKey, u64)> {
        if self.read().tried.is_some_and(|tried| tried.elapsed() < FLUSH_EVERY) {
            return Vec::new();
        }
        if let Err(error) = self.prune() {
            tracing::error!(%error, "old matches could not be deleted; it will be tried again");
        }
        self.flush()
    }

    /// Writes down what is only in memory; gives what has come since the last time. Only for the store's one writer.
    pub(super) fn flush(&self) -> Vec<(MatchKey, u64)> {
        let mut unwritten = self.write();
        unwritten.tried = Some(Instant::now());
        let mut news = Vec::new();
        // After a failure no more than this: what is in `fresh` is bounded.
        if unwritten.rows.len() < ROWS_MAX {
            self.counts.fresh.iter().for_each(|part| news.extend(lock(part).drain()));
        }
        if let Err(error) = self.add_up(&mut unwritten, &news) {
            tracing::error!(%error, "how often entries were met before could not be read; it will be tried again");
            for (key, more) in news {
                *self.part(key.entry, key.member).entry(key).or_default() += more;
            }
            return Vec::new();
        }
        if let Err(error) = self.write_down(&mut unwritten) {
            tracing::error!(%error, "who met which entry could not be written down; it will be tried again");
        }
        news
    }

    /// Makes whole counts of what has come: all of them, or none.
    fn add_up(&self, unwritten: &mut Unwritten, news: &[(MatchKey, u64)]) -> Result<(), StoreError> {
        let whole = |(key, more): &(MatchKey, u64)| {
            let before = match unwritten.rows.get(key) {
                Some(count) => *count,
                None => self.store.match_count(key)?,
            };
            Ok((*key, before.saturating_add(*more)))
        };
        let rows = news.iter().map(whole).collect::<Result<Vec<_>, StoreError>>()?;
        unwritten.rows.extend(rows);
        Ok(())
    }

    fn write_down(&self, unwritten: &mut Unwritten) -> Result<(), StoreError> {
        if unwritten.rows.is_empty() {
            return Ok(());
        }
        let mut batch = self.store.batch();
        for (key, count) in &unwritten.rows {
            batch.put_matches(key, *count)?;
        }
        batch.commit()?;
        unwritten.rows.clear();
        Ok(())
    }

    /// Deletes some of what is too old, until a day's deleting has gone through all.
    fn prune(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut pruning = lock(&self.counts.pruning);
        if pruning.done == Some(now.date()) {
            return Ok(());
        }
        let kept_from = self.kept_from(now).hour();
        let rows = self.store.matches_after(pruning.after)?.take(PRUNED_AT_ONCE);
        let keys = rows.map(|row| row.map(|(key, _)| key)).collect::<Result<Vec<_>, _>>()?;
        let mut batch = self.store.batch();
        let mut is_empty = true;
        for key in keys.iter().filter(|key| key.hour < kept_from) {
            batch.delete_matches(key)?;
            is_empty = false;
        }
        if !is_empty {
            batch.commit()?;
        }
        pruning.after = keys.last().copied();
        if keys.len() < PRUNED_AT_ONCE {
            *pruning = Pruning { after: None, done: Some(now.date()) };
        }
        Ok(())
    }

    fn part(&self, entry: EntryId, member: MemberId) -> MutexGuard<'_, HashMap<MatchKey, u64>> {
        // Members' ids are random.
        let of_member = member.bytes().iter().fold(0, |sum, byte| sum ^ u64::from(*byte));
        lock(&self.counts.fresh[((entry.0 ^ of_member) % PARTS as u64) as usize])
    }

    fn read(&self) -> RwLockReadGuard<'_, Unwritten> {
        self.counts.unwritten.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn write(&self) -> RwLockWriteGuard<'_, Unwritten> {
        self.counts.unwritten.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A row is written at once: nothing is left half done.
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ManualClock;
    use crate::store::Fault;

    const DAY: Duration = Duration::from_hours(24);

    struct Fixture {
        matches: Matches,
        clock: Arc<ManualClock>,
        _directory: tempfile::TempDir,
    }

    fn fixture() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new("2026-11-22T12:20:00Z".parse().unwrap()));
        let store = Arc::new(Store::open(directory.path()).unwrap());
        Fixture {
            matches: Matches::new(store, Arc::default(), clock.clone(), MacSecret::new([1; 32])),
            clock,
            _directory: directory,
        }
    }

    impl Fixture {
        fn note(&self, member: u8, entry: u64, times: usize) {
            let member = MemberId::from_bytes([member; 5]);
            self.matches.note(member, std::iter::repeat_n(EntryId(entry), times), self.clock.now());
        }

        fn reach(&self, entry: u64) -> (u64, u64) {
            let Reach { members, matches } = self.matches.reach(EntryId(entry)).unwrap();
            (members, matches)
        }

        fn on_disk(&self) -> Vec<u64> {
            self.matches.store.matches_after(None).unwrap().map(|row| row.unwrap().1).collect()
        }
    }

    #[test]
    fn matches_are_counted_by_entry_member_and_hour_wherever_they_are() {
        let it = fixture();
        it.note(1, 7, 2);
        it.note(2, 7, 1);
        it.note(1, 8, 1);
        assert_eq!((it.reach(7), it.reach(8), it.reach(9)), ((2, 3), (1, 1), (0, 0)));
        assert_eq!(it.matches.flush().iter().map(|(_, count)| count).sum::<u64>(), 4);
        assert_eq!((it.on_disk(), it.matches.flush().len()), (vec![2, 1, 1], 0));
        it.note(1, 7, 5);
        it.clock.advance(Duration::from_hours(2));
        it.note(1, 7, 1);
        assert_eq!(it.reach(7), (2, 9), "some on disk, some not");
        it.matches.flush();
        assert_eq!((it.reach(7), it.on_disk()), ((2, 9), vec![7, 1, 1, 1]));
        let hour = |text: &str| text.parse::<Timestamp>().unwrap();
        let met = |until| it.matches.met(EntryId(7), MemberId::from_bytes([1; 5]), until).unwrap();
        let (first, last) = (hour("2026-11-22T12:00:00Z"), hour("2026-11-22T14:00:00Z"));
        assert_eq!(met(it.clock.now()), Some(Met { matches: 8, first, last }));
        assert_eq!(met(hour("2026-11-22T13:59:59Z")), Some(Met { matches: 7, first, last: first }));
        assert_eq!(met(hour("2026-11-22T11:59:59Z")), None);
        assert_eq!(it.matches.met(EntryId(7), MemberId::from_bytes([3; 5]), it.clock.now()).unwrap(), None);
    }

    #[test]
    fn a_writing_that_failed_or_only_seemed_to_is_repeated_and_counts_once() {
        for fault in [Fault::BeforeWrite, Fault::AfterWrite] {
            let it = fixture();
            it.note(1, 7, 3);
            it.matches.flush();
            it.note(1, 7, 2);
            it.matches.store.inject(fault);
            assert_eq!(it.matches.flush().len(), 1, "what floods are seen by comes once");
            assert_eq!(it.reach(7), (1, 5), "{fault:?}");
            it.note(1, 7, 1);
            assert_eq!(it.reach(7), (1, 6), "{fault:?}");
            it.matches.flush();
            assert_eq!((it.reach(7), it.on_disk()), ((1, 6), vec![6]), "{fault:?}");
        }
    }

    #[test]
    fn what_is_older_than_the_policy_says_is_not_seen_and_is_deleted_once_a_day() {
        let it = fixture();
        it.note(1, 7, 1);
        it.matches.flush_now_and_then();
        it.clock.advance(90 * DAY);
        it.note(1, 8, 1);
        it.matches.flush();
        it.matches.prune().unwrap();
        assert_eq!((it.reach(7), it.on_disk().len()), ((1, 1), 2), "its hour began 90 days ago and less than one");
        it.clock.advance(Duration::from_hours(1));
        assert_eq!(it.reach(7), (0, 0));
        it.matches.prune().unwrap();
        assert_eq!(it.on_disk().len(), 2, "that was done today");
        it.clock.advance(DAY);
        it.matches.prune().unwrap();
        assert_eq!((it.on_disk(), it.reach(8)), (vec![1], (1, 1)));
    }

    #[test]
    fn deleting_goes_through_all_rows_a_step_at_a_time() {
        let it = fixture();
        let member = MemberId::from_bytes([1; 5]);
        it.matches.note(member, (0..PRUNED_AT_ONCE as u64 + 10).map(EntryId), it.clock.now());
        it.matches.flush();
        it.clock.advance(91 * DAY);
        it.matches.prune().unwrap();
        assert_eq!(it.on_disk().len(), 10);
        it.matches.prune().unwrap();
        assert_eq!(it.on_disk().len(), 0);
    }
}
