//! The thread that merges segments, so that no insertion waits for it.
//!
//! It holds the lock to choose segments and to put the merged one in their place, not while it builds. If building
//! panics, the segments it was to replace go on serving: slower, never wrong. It tries again when segments have next changed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, mem};

use super::merge::Merge;
use super::segment::Segment;
use super::shelf::Shelf;

/// How a merge is built: [`Merge::build`] but in tests of what happens when it fails.
pub(super) type Build<const W: usize> = fn(&Merge<W>) -> Segment<W>;

const RETIRE_TRIES: usize = 20;
const RETIRE_WAIT: Duration = Duration::from_millis(1);

struct State<const W: usize> {
    shelf: Shelf<W>,
    /// There may be something to merge: set by each change that leaves something, and after each merge.
    is_wanted: bool,
    /// Nothing was wanted when the thread last looked, and nothing has been since.
    is_idle: bool,
    is_stopping: bool,
    failures: u64,
}

/// What the writer and the merging thread share.
struct Shared<const W: usize> {
    state: Mutex<State<W>>,
    /// Told when there may be something to merge, or the thread is to stop.
    work: Condvar,
    /// Told when a merge is done, and when the thread becomes idle.
    progress: Condvar,
}

impl<const W: usize> Shared<W> {
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        // A snapshot is replaced whole, so a panic under the lock leaves the former one: nothing half done to fear.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shelf with a thread beside it that keeps it merged. Dropping it stops the thread and waits for its end: at most the
/// time of one merge, a few seconds for the largest.
pub(super) struct Merger<const W: usize> {
    shared: Arc<Shared<W>>,
    thread: Option<JoinHandle<()>>,
}

impl<const W: usize> Merger<W> {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the operating system has no thread to give.
    pub(super) fn start(shelf: Shelf<W>, build: Build<W>) -> io::Result<Self> {
        let state = State { shelf, is_wanted: false, is_idle: true, is_stopping: false, failures: 0 };
        let shared = Arc::new(Shared { state: Mutex::new(state), work: Condvar::new(), progress: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let thread = thread::Builder::new().name("index-merger".into()).spawn(move || run(&theirs, build))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Changes the shelf, and wakes the thread if that leaves something to merge.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Shelf<W>) -> T) -> T {
        let mut state = self.shared.lock();
        let result = change(&mut state.shelf);
        if state.shelf.wants_merge() {
            state.is_wanted = true;
            state.is_idle = false;
            self.shared.work.notify_one();
        }
        result
    }

    /// Waits until there is nothing left to merge, or merging has failed.
    pub(super) fn settle(&self) {
        let state = self.shared.lock();
        let settled = self.shared.progress.wait_while(state, |state| !state.is_idle);
        drop(settled.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits while there are more than `most` segments to merge and the thread is at work on it: so that who adds faster than can
    /// be merged is slowed down, and searches are not.
    pub(super) fn wait_for_room(&self, most: usize) {
        let state = self.shared.lock();
        let is_full = |state: &mut State<W>| state.shelf.growing_segments() > most && !state.is_idle;
        drop(self.shared.progress.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner));
    }

    /// How many merges have panicked.
    pub(super) fn failures(&self) -> u64 {
        self.shared.lock().failures
    }
}

impl<const W: usize> Drop for Merger<W> {
    fn drop(&mut self) {
        self.shared.lock().is_stopping = true;
        self.shared.work.notify_one();
        // An error says that the thread panicked; it is gone all the same.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn run<const W: usize>(shared: &Shared<W>, build: Build<W>) {
    let mut state = shared.lock();
    while !state.is_stopping {
        if !mem::take(&mut state.is_wanted) {
            state.is_idle = true;
            shared.progress.notify_all();
            state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let Some(merge) = state.shelf.begin_merge() else { continue };
        drop(state);
        let built = catch_unwind(AssertUnwindSafe(|| build(&merge)));
        state = shared.lock();
        match built {
            Ok(segment) => {
                state.shelf.finish_merge(&merge, segment);
                // One merge may call for another.
                state.is_wanted = true;
                shared.progress.notify_all();
                drop(state);
                retire(merge);
                state = shared.lock();
            }
            Err(_) => {
                state.shelf.abandon_merge();
                state.failures += 1;
            }
        }
    }
}

/// Waits a little for searches that still hold what was merged, so that its memory is given back by this thread: for a
/// large segment that takes milliseconds, which no search and no insertion should pay.
fn retire<const W: usize>(merge: Merge<W>) {
    for _ in 0..RETIRE_TRIES {
        if !merge.is_in_use() {
            break;
        }
        thread::sleep(RETIRE_WAIT);
    }
}
