//! Filling an index from the store's rows, on all cores.
//!
//! Threads read parts of the rows; what they have read comes to the index as one stream, in portions and in no particular order.
//! Invariant: an index is filled with every live row or [`Loader::fill`] fails. A thread that cannot read says so in its stream;
//! one that panics lets the caller panic.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use std::{io, mem};

use tokio::sync::watch;

use super::read::ReadError;
use super::state::{Expiry, expiry};
use crate::domain::{Signal, SignalKind, Timestamp};
use crate::index::{Row, Writer};
use crate::policy::expiry_passed;
use crate::store::{SignalPart, SignalRow, Store, StoreError};

/// Rows in a portion. Between two of them a loading hub can be stopped.
const PORTION_ROWS: usize = 8_192;
/// Portions that wait for the index, so that neither side waits for the other at every one.
const PORTIONS_WAITING: usize = 16;
/// Between two lines of the log about how far it has come.
pub const REPORT_EVERY: Duration = Duration::from_secs(5);

/// The memory could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A reading or merging thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
    /// An event could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The event that set the rules in force is no policy.
    #[error("event {event} does not set a policy that this program understands")]
    Rules { event: u64 },
    /// The hub was told to stop.
    #[error("stopped while loading")]
    Stopped,
}

/// Fills one index after another.
pub struct Loader<'a> {
    store: &'a Store,
    /// What had expired by then stays out.
    now: Timestamp,
    stopping: &'a watch::Receiver<bool>,
    expiring: Vec<Reverse<Expiry>>,
    progress: Progress,
}

/// Rows on their way to the index.
struct Portion<const W: usize> {
    rows: Vec<Row<W>>,
    expiring: Vec<Reverse<Expiry>>,
    /// Rows that were read, expired or not.
    read: u64,
}

impl<'a> Loader<'a> {
    /// For an empty memory.
    ///
    /// # Errors
    /// If the store fails.
    pub fn new(store: &'a Store, now: Timestamp, stopping: &'a watch::Receiver<bool>) -> Result<Self, StoreError> {
        let progress = Progress { read: 0, about: store.signals_about()?, reported: Instant::now() };
        Ok(Self { store, now, stopping, expiring: Vec::new(), progress })
    }

    /// Fills `writer` with the live rows of `kind`.
    ///
    /// # Errors
    /// [`LoadError`]: the index is incomplete then.
    pub fn fill<const W: usize>(
        &mut self,
        kind: SignalKind,
        words: fn(&Signal) -> Option<[u64; W]>,
        writer: &mut Writer<W>,
    ) -> Result<(), LoadError> {
        let parts = self.store.signal_parts(kind)?;
        let readers = thread::available_parallelism().map_or(1, usize::from).min(parts.len());
        let next = AtomicUsize::new(0);
        let reading = Reading { store: self.store, now: self.now, parts: &parts, next: &next, words };
        let (portions, receiver) = sync_channel(PORTIONS_WAITING);
        thread::scope(|scope| {
            // Dropped before the threads are waited for, so that none waits for somebody to take its portion.
            let receiver = receiver;
            for _ in 0..readers {
                let (reading, portions) = (&reading, portions.clone());
                let reader = thread::Builder::new().name("load".to_owned());
                reader.spawn_scoped(scope, move || reading.run(&portions))?;
            }
            drop(portions);
            self.take(kind, &receiver, writer)
        })
    }

    /// Goes through the rows of a kind that is looked up in the store, for what of them stops matching by itself.
    ///
    /// # Errors
    /// If the store fails.
    pub fn expiring_of(&mut self, kind: SignalKind) -> Result<(), LoadError> {
        for row in self.store.signals(kind)? {
            if *self.stopping.borrow() {
                return Err(LoadError::Stopped);
            }
            self.expiring.extend(expiry(&row?).map(Reverse));
        }
        Ok(())
    }

    /// What of the rows so far stops matching by itself.
    pub fn expiring(&mut self) -> BinaryHeap<Reverse<Expiry>> {
        mem::take(&mut self.expiring).into()
    }

    /// Hands what is read to the index.
    fn take<const W: usize>(
        &mut self,
        kind: SignalKind,
        receiver: &Receiver<Result<Portion<W>, StoreError>>,
        writer: &mut Writer<W>,
    ) -> Result<(), LoadError> {
        let started = Instant::now();
        // Of that, the time that the index waited for rows.
        let mut waited = Duration::ZERO;
        let mut failed = None;
        let (mut read, mut live) = (0, 0);
        let portions = std::iter::from_fn(|| {
            if *self.stopping.borrow() {
                failed = Some(LoadError::Stopped);
                return None;
            }
            let since = Instant::now();
            let portion = receiver.recv();
            waited += since.elapsed();
            // An error says that all readers are done.
            let portion = portion.ok()?.map_err(|error| failed = Some(error.into())).ok()?;
            read += portion.read;
            live += portion.rows.len() as u64;
            self.expiring.extend(portion.expiring);
            self.progress.report(kind, portion.read);
            Some(portion.rows)
        });
        writer.extend(portions.flatten());
        if let Some(error) = failed {
            return Err(error);
        }
        if read > 0 {
            let (store_ms, index_ms) = (waited.as_millis() as u64, (started.elapsed() - waited).as_millis() as u64);
            tracing::info!(%kind, signals = live, expired = read - live, store_ms, index_ms, "an index is filled");
        }
        Ok(())
    }
}

/// What the reading threads share.
struct Reading<'a, const W: usize> {
    store: &'a Store,
    now: Timestamp,
    parts: &'a [SignalPart],
    /// The first part that no thread has begun.
    next: &'a AtomicUsize,
    words: fn(&Signal) -> Option<[u64; W]>,
}

impl<const W: usize> Reading<'_, W> {
    /// Reads part after part until none is left or nobody listens any more.
    fn run(&self, portions: &SyncSender<Result<Portion<W>, StoreError>>) {
        while let Some(part) = self.parts.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            match self.read(part, |portion| portions.send(Ok(portion)).is_ok()) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    // Nobody listens: somebody else has failed already.
                    let _ = portions.send(Err(error));
                    return;
                }
            }
        }
    }

    /// Gives a part's rows to `send` until that is false; whether it never was.
    fn read(&self, part: &SignalPart, mut send: impl FnMut(Portion<W>) -> bool) -> Result<bool, StoreError> {
        let mut portion = Portion::new();
        for row in self.store.signals_of(part)? {
            portion.add(&row?, self.now, self.words);
            if portion.read == PORTION_ROWS as u64 && !send(mem::replace(&mut portion, Portion::new())) {
                return Ok(false);
            }
        }
        Ok(portion.read == 0 || send(portion))
    }
}

impl<const W: usize> Portion<W> {
    fn new() -> Self {
        Self { rows: Vec::with_capacity(PORTION_ROWS), expiring: Vec::new(), read: 0 }
    }

    fn add(&mut self, row: &SignalRow, now: Timestamp, words: fn(&Signal) -> Option<[u64; W]>) {
        self.read += 1;
        // Also what has expired while nobody looked: it is still to be told.
        self.expiring.extend(expiry(row).map(Reverse));
        if expiry_passed(row.valid_until, now) {
            return;
        }
        if let Some(words) = words(&row.signal) {
            self.rows.push((words, row.entry.0));
        }
    }
}

/// Tells now and then how far a long load has come.
struct Progress {
    read: u64,
    /// Signals of all kinds in the store.
    about: u64,
    reported: Instant,
}

impl Progress {
    fn report(&mut self, kind: SignalKind, read: u64) {
        self.read += read;
        if self.reported.elapsed() >= REPORT_EVERY {
            self.reported = Instant::now();
            tracing::info!(%kind, signals = self.read, of_about = self.about, "loading");
        }
    }
}
