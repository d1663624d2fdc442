//! What waits for a worker: bounded, without those who have gone away, and nobody waits where no worker is to come.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Held, JobError, StartError, SubmitError};
use crate::media::{Fingerprint, Turns};

/// What a job comes to.
pub(super) type Outcome = Result<Fingerprint, JobError>;

/// A file to be hashed.
pub(super) struct Job {
    /// Whatever holds it, and with it whatever its owner gives back when it is let go of.
    pub(super) file: Box<dyn AsRef<[u8]> + Send>,
    pub(super) turns: Turns,
    pub(super) answer: oneshot::Sender<Outcome>,
}

/// The outcome of a file that was handed in. To be awaited, or waited for by a thread.
///
/// Whoever lets go of it has gone away: the file is let go of, too, unless a worker has it already.
#[must_use = "who lets go of it does not want the answer"]
pub struct Pending {
    answer: oneshot::Receiver<Outcome>,
    /// After `answer`, which is closed when it is let go of.
    _waiting: Waiting,
}

/// Someone who waits.
struct Waiting(Arc<Queue>);

pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    max: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Keepers that have a worker or may soon have one.
    up: usize,
    /// Of the first worker that got ready.
    held: Option<Held>,
    /// Why the last worker that did not get ready did not.
    problem: Option<StartError>,
    stopped: bool,
}

impl Queue {
    /// For so many keepers, with room for `max` jobs.
    pub(super) fn new(keepers: usize, max: usize) -> Self {
        let state = State { jobs: VecDeque::new(), up: keepers, held: None, problem: None, stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), max }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job at the end.
    pub(super) fn put(
        self: &Arc<Self>,
        file: Box<dyn AsRef<[u8]> + Send>,
        turns: Turns,
    ) -> Result<Pending, SubmitError> {
        let mut state = self.state();
        if state.stopped {
            return Err(SubmitError::Stopped);
        }
        if state.up == 0 {
            return Err(SubmitError::Unavailable);
        }
        if state.jobs.len() >= self.max {
            return Err(SubmitError::Busy);
        }
        let (answer, pending) = oneshot::channel();
        state.jobs.push_back(Job { file, turns, answer });
        drop(state);
        self.changed.notify_one();
        Ok(Pending::new(pending, self))
    }

    /// Puts a job back where it was taken from.
    pub(super) fn put_back(&self, job: Job) {
        let mut state = self.state();
        state.jobs.push_front(job);
        let unwanted = state.unwanted();
        drop(state);
        unwanted.answer();
        self.changed.notify_one();
    }

    /// Waits for the next job of someone who still waits for it; `None` when the pool stops.
    pub(super) fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A keeper that was down has a worker, or one that has its first.
    pub(super) fn up(&self, was_down: bool, held: &Held) {
        let mut state = self.state();
        state.up += usize::from(was_down);
        state.held.get_or_insert_with(|| held.clone());
        drop(state);
        self.changed.notify_all();
    }

    /// A keeper cannot get a worker. If no other has one, all who wait are told.
    pub(super) fn down(&self, problem: StartError) {
        let mut state = self.state();
        state.up = state.up.saturating_sub(1);
        state.problem = Some(problem);
        let unwanted = state.unwanted();
        drop(state);
        unwanted.answer();
        self.changed.notify_all();
    }

    /// Waits for the first worker; an error if none is to come.
    pub(super) fn first(&self) -> Result<Held, StartError> {
        let mut state = self.state();
        loop {
            if let Some(held) = &state.held {
                return Ok(held.clone());
            }
            if state.stopped || state.up == 0 {
                return Err(state.problem.clone().unwrap_or(StartError::Stopped));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits so long, less if the pool stops; whether it goes on.
    pub(super) fn rest(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut state = self.state();
        while !state.stopped {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// No more jobs; those that wait are told.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        let unwanted = state.unwanted();
        drop(state);
        unwanted.answer();
        self.changed.notify_all();
    }

    /// Lets go of the files of those who have gone away.
    fn sweep(&self) {
        let mut state = self.state();
        let (gone, waiting): (VecDeque<_>, _) = state.jobs.drain(..).partition(|job| job.answer.is_closed());
        state.jobs = waiting;
        drop(state);
        drop(gone);
    }
}

/// Jobs that nobody will do, and what to say of them.
struct Unwanted(VecDeque<Job>, JobError);

impl State {
    /// Everything that waits, if there is nobody to do it.
    fn unwanted(&mut self) -> Unwanted {
        let why = if self.stopped { JobError::Stopped } else { JobError::Unavailable };
        let nobody = self.stopped || self.up == 0;
        Unwanted(if nobody { std::mem::take(&mut self.jobs) } else { VecDeque::new() }, why)
    }
}

impl Unwanted {
    fn answer(self) {
        let Self(jobs, why) = self;
        for job in jobs {
            // It fails if whoever asked has gone away.
            let _ = job.answer.send(Err(why.clone()));
        }
    }
}

impl Pending {
    fn new(answer: oneshot::Receiver<Outcome>, queue: &Arc<Queue>) -> Self {
        Self { answer, _waiting: Waiting(queue.clone()) }
    }

    /// One whose outcome is known.
    pub(super) fn decided(outcome: Outcome, queue: &Arc<Queue>) -> Self {
        let (answer, pending) = oneshot::channel();
        let _ = answer.send(outcome);
        Self::new(pending, queue)
    }

    /// Waits for the outcome, keeping the thread. For threads that have nothing else to do: async code awaits.
    ///
    /// # Errors
    /// [`JobError`].
    pub fn wait(mut self) -> Result<Fingerprint, JobError> {
        let waker = Arc::new(Unpark(std::thread::current())).into();
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(outcome) => return outcome,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        // A job that is let go of without an answer was in the hands of a keeper that ended.
        Pin::new(&mut self.answer).poll(context).map(|answer| answer.unwrap_or(Err(JobError::Stopped)))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.sweep();
    }
}
