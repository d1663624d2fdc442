//! Use case: remember when each key was last used, to the hour. It is how a key that nobody needs any more is found, and one that
//! somebody uses who should not; nothing finer is kept.
//!
//! What is not on disk yet is in memory; the sequencer's thread, the one writer, puts it there a minute later at most. What a
//! crash can lose is that minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::domain::{KeyId, Timestamp};
use crate::store::{Store, StoreError};

const HOUR: u64 = 3_600_000;
/// Hours wait so long for the disk.
const FLUSH_EVERY: Duration = Duration::from_mins(1);

/// When keys were last used.
#[derive(Clone)]
pub struct LastUsed {
    store: Arc<Store>,
    hours: Arc<Mutex<Hours>>,
}

#[derive(Debug)]
struct Hours {
    keys: HashMap<KeyId, Hour>,
    flushed: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Hour {
    began: Timestamp,
    is_on_disk: bool,
}

impl LastUsed {
    /// As it was when the hub stopped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn load(store: Arc<Store>) -> Result<Self, StoreError> {
        let known = |(key, began)| (key, Hour { began, is_on_disk: true });
        let keys = store.last_used()?.into_iter().map(known).collect();
        Ok(Self { store, hours: Arc::new(Mutex::new(Hours { keys, flushed: Instant::now() })) })
    }

    /// Notes that a key is used.
    pub(super) fn note(&self, key: KeyId, now: Timestamp) {
        let Ok(began) = Timestamp::from_millis(now.millis() - now.millis() % HOUR) else { return };
        let mut hours = self.lock();
        if hours.keys.get(&key).is_none_or(|hour| hour.began != began) {
            hours.keys.insert(key, Hour { began, is_on_disk: false });
        }
    }

    /// The beginning of the hour in which a key was last used.
    pub(super) fn of(&self, key: KeyId) -> Option<Timestamp> {
        self.lock().keys.get(&key).map(|hour| hour.began)
    }

    /// Writes down what is only in memory, if that was not done just now. Only for the store's one writer.
    pub(super) fn flush_now_and_then(&self) {
        let is_due = self.lock().flushed.elapsed() >= FLUSH_EVERY;
        if is_due {
            self.flush();
        }
    }

    /// Writes down what is only in memory. Only for the store's one writer.
    pub(super) fn flush(&self) {
        let mut hours = self.lock();
        hours.flushed = Instant::now();
        let news: Vec<_> =
            hours.keys.iter().filter(|(_, hour)| !hour.is_on_disk).map(|(key, hour)| (*key, hour.began)).collect();
        // Nobody who comes with a key waits for the disk.
        drop(hours);
        if news.is_empty() {
            return;
        }
        if let Err(error) = self.write(&news) {
            tracing::error!(%error, "when keys were last used could not be written down; it will be tried again");
            return;
        }
        let mut hours = self.lock();
        for (key, began) in news {
            if let Some(hour) = hours.keys.get_mut(&key).filter(|hour| hour.began == began) {
                hour.is_on_disk = true;
            }
        }
    }

    fn write(&self, news: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
        let mut batch = self.store.batch();
        for (key, began) in news {
            batch.put_last_used(*key, *began)?;
        }
        batch.commit()
    }

    fn lock(&self) -> MutexGuard<'_, Hours> {
        // A row is written at once: nothing is left half done.
        self.hours.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
