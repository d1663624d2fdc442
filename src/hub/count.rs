//! Use case: count how much members read of what others brought, by member and day; and tell.
//!
//! Nothing says which entries these were. A count that is not on disk yet is in memory; the sequencer's thread, the one writer,
//! puts it there a second later at most. What a crash can lose is that second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::turn;
use crate::domain::{Clock, Date, MemberId, ReadKey, ReadKind};
use crate::policy::{Permit, operation};
use crate::store::{Store, StoreError};

/// Counts are kept so long.
const KEPT: Duration = Duration::from_hours(400 * 24);
/// Counts wait so long for the disk.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Counts in one page of a list.
const PAGE: usize = 128;

/// Counts reads, and tells how many there were.
#[derive(Clone)]
pub struct Count {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    /// What was read lately: the whole count, not what it grew by, so that it can be written twice.
    rows: BTreeMap<ReadKey, Row>,
    flushed: Option<Instant>,
    /// The day before which everything is deleted.
    kept_from: Option<Date>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    count: u64,
    is_on_disk: bool,
}

/// Which counts are wanted, and where the list of them has come to. Only [`Count::list`] makes one, for who may.
#[derive(Debug)]
pub struct CountList {
    member: Option<MemberId>,
    /// Where the next page begins; nowhere after the last.
    next: Option<From>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug)]
enum From {
    At(ReadKey),
    After(ReadKey),
}

impl Count {
    /// Counts into `store`.
    pub(super) fn new(store: Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, counts: Arc::default() }
    }

    /// Counts that `member` reads so many more.
    ///
    /// # Errors
    /// [`StoreError`] if it is not known what it has read so far.
    pub fn add(&self, member: MemberId, kind: ReadKind, more: u64) -> Result<(), StoreError> {
        if more == 0 {
            return Ok(());
        }
        let key = ReadKey { day: self.clock.now().date(), member, kind };
        let mut counts = self.lock();
        let before = match counts.rows.get(&key) {
            Some(row) => row.count,
            None => self.store.reads(&key)?,
        };
        counts.rows.insert(key, Row { count: before.saturating_add(more), is_on_disk: false });
        Ok(())
    }

    /// The counts of all members or one, from a day on: to be read page by page.
    pub fn list(
        &self,
        _permit: &Permit<operation::ReadAudit>,
        member: Option<MemberId>,
        from: Option<Date>,
    ) -> CountList {
        let first = self.clock.now().minus(KEPT).date();
        let day = from.map_or(first, |from| from.max(first));
        let (least, kind) = (MemberId::from_bytes([0; 5]), ReadKind::Entries);
        CountList { member, next: Some(From::At(ReadKey { day, member: least, kind })) }
    }

    /// The next of them, by day, none perhaps; `None` after the last.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub async fn page(&self, list: &mut CountList) -> Result<Option<Vec<(ReadKey, u64)>>, StoreError> {
        let Some(from) = list.next else { return Ok(None) };
        let (From::At(start) | From::After(start)) = from;
        let is_wanted = |key: &ReadKey| matches!(from, From::At(_)) || *key > start;
        turn::step().await;
        // Before the disk: what is put there in between and forgotten here would be in neither.
        let newer: Vec<_> = self.lock().rows.range(start..).map(|(key, row)| (*key, row.count)).collect();
        let mut rows = BTreeMap::new();
        for row in self.store.all_reads(&start)?.take(PAGE + 1) {
            let (key, count) = row?;
            if is_wanted(&key) {
                rows.insert(key, count);
            }
        }
        // Up to there this page has all; what comes after is the next one's.
        let last = if rows.len() < PAGE { None } else { rows.last_key_value().map(|(key, _)| *key) };
        let is_this_pages = |key: &ReadKey| is_wanted(key) && last.is_none_or(|last| *key <= last);
        for (key, count) in newer.into_iter().filter(|(key, _)| is_this_pages(key)) {
            rows.entry(key).and_modify(|row| *row = count.max(*row)).or_insert(count);
        }
        list.next = last.map(From::After);
        rows.retain(|key, _| list.member.is_none_or(|member| key.member == member));
        Ok(Some(rows.into_iter().collect()))
    }

    /// Writes down what is only in memory, if that was not done just now. Only for the store's one writer.
    pub(super) fn flush_now_and_then(&self) {
        let is_due = self.lock().flushed.is_none_or(|flushed| flushed.elapsed() >= FLUSH_EVERY);
        if is_due {
            self.flush();
        }
    }

    /// Writes down what is only in memory, and forgets what is too old. Only for the store's one writer.
    pub(super) fn flush(&self) {
        let today = self.clock.now();
        let kept_from = today.minus(KEPT).date();
        let mut counts = self.lock();
        counts.flushed = Some(Instant::now());
        let news: Vec<_> =
            counts.rows.iter().filter(|(_, row)| !row.is_on_disk).map(|(key, row)| (*key, row.count)).collect();
        let is_pruned = counts.kept_from == Some(kept_from);
        // Nobody who counts waits for the disk.
        drop(counts);
        if news.is_empty() {
            return;
        }
        if let Err(error) = self.write(&news, (!is_pruned).then_some(kept_from)) {
            tracing::error!(%error, "how much members read could not be written down; it will be tried again");
            return;
        }
        let mut counts = self.lock();
        counts.kept_from = Some(kept_from);
        for (key, count) in news {
            if let Some(row) = counts.rows.get_mut(&key).filter(|row| row.count == count) {
                row.is_on_disk = true;
            }
        }
        let today = today.date();
        counts.rows.retain(|key, row| !row.is_on_disk || key.day >= today);
    }

    fn write(&self, news: &[(ReadKey, u64)], kept_from: Option<Date>) -> Result<(), StoreError> {
        let mut batch = self.store.batch();
        for (key, count) in news {
            batch.put_reads(key, *count)?;
        }
        if let Some(day) = kept_from {
            batch.delete_reads_before(day)?;
        }
        batch.commit()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // A row is written at once: nothing is left half done.
        self.counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
