//! Going through all entries with their states, on all cores: what nothing keeps in memory, because it follows from rules that may change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tokio::sync::Semaphore;

use super::read::{self, ReadError};
use crate::domain::{Entry, EntryState, Fact, Remains, Timestamp};
use crate::store::{Snapshot, StoreError};

/// Leaves that one thread goes through at a time.
const PART: u64 = 16_384;

/// There is no going through everything now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SurveyError {
    /// Somebody else does.
    #[error("the hub is going through everything for somebody else: try again in a few seconds")]
    Busy,
    /// The task was ended.
    #[error("the hub is stopping")]
    Stopped,
}

/// Goings through everything, one at a time: each takes seconds.
#[derive(Clone, Debug)]
pub struct Surveys(Arc<Semaphore>);

impl Default for Surveys {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Surveys {
    /// Runs what takes seconds on a thread of its own.
    ///
    /// # Errors
    /// [`SurveyError`].
    pub async fn run<T: Send + 'static>(&self, run: impl FnOnce() -> T + Send + 'static) -> Result<T, SurveyError> {
        let turn = self.0.clone().try_acquire_owned().map_err(|_| SurveyError::Busy)?;
        let running = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            run()
        });
        running.await.map_err(|_| SurveyError::Stopped)
    }
}

/// An entry, or what remains of it.
#[derive(Clone, Copy, Debug)]
pub enum Surveyed<'a> {
    Whole(&'a Entry),
    Erased { contributed: Timestamp, remains: &'a Remains },
}

/// Gives every entry of the first `size` leaves, as the snapshot has it, to `each`, in parts: one `A` for each thread, in no
/// particular order.
///
/// # Errors
/// [`ReadError`], also if a thread cannot be started.
pub fn survey<A: Default + Send>(
    rows: &Snapshot<'_>,
    size: u64,
    each: impl Fn(&mut A, Surveyed<'_>, &EntryState) + Sync,
) -> Result<Vec<A>, ReadError> {
    let next = AtomicU64::new(0);
    let run = || -> Result<A, ReadError> {
        let mut all = A::default();
        loop {
            let from = next.fetch_add(PART, Ordering::Relaxed);
            if from >= size {
                return Ok(all);
            }
            part(rows, from..size.min(from + PART), |entry, state| each(&mut all, entry, state))?;
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().name("survey".to_owned()).spawn_scoped(scope, run);
        // What cannot be started is done by the others, or here.
        let started: Vec<_> = (1..threads).map(spawn).filter_map(Result::ok).collect();
        let mut parts = vec![run()];
        // A thread that panics lets the caller panic.
        parts.extend(
            started.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
        );
        parts.into_iter().collect()
    })
}

/// The entries of some leaves. Events and states are in the same order: both are read once, side by side.
fn part(
    rows: &Snapshot<'_>,
    leaves: std::ops::Range<u64>,
    mut each: impl FnMut(Surveyed<'_>, &EntryState),
) -> Result<(), ReadError> {
    let mut events =
        rows.store().events(leaves.start)?.take_while(|row| row.as_ref().map_or(true, |(at, _)| *at < leaves.end));
    for row in rows.entries(crate::domain::EntryId(leaves.start))? {
        let (id, state) = row?;
        if id.0 >= leaves.end {
            break;
        }
        let found = events.find(|row| row.as_ref().map_or(true, |(at, _)| *at == id.0)).transpose()?;
        let Some((_, stored)) = found else { continue };
        let event = read::decode(id.0, stored.opening().1)?;
        if let Fact::Remains(remains) = &event.fact {
            each(Surveyed::Erased { contributed: event.at, remains }, &state);
        } else if let Some(entry) = read::as_entry(id, event) {
            each(Surveyed::Whole(&entry), &state);
        }
    }
    Ok::<_, StoreError>(()).map_err(ReadError::from)
}
