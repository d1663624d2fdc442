//! What waits for a worker: bounded, fair to each of those on whose behalf it does, without those who have gone away, and nobody
//! waits where no worker is to come.

use std::collections::{HashMap, VecDeque};
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

/// Somebody whose files are not to keep others' waiting: a number of the caller's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner(pub u64);

/// A file to be hashed.
pub(super) struct Job {
    /// On whose behalf it is to be hashed, if it is somebody's among others.
    pub(super) owner: Option<Owner>,
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
    /// Workers that one owner may have at the same time: with several, not the last one.
    workers_of_one: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// How many workers each owner has at the moment.
    at_work: HashMap<Owner, usize>,
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
        let state = State {
            jobs: VecDeque::new(),
            at_work: HashMap::new(),
            up: keepers,
            held: None,
            problem: None,
            stopped: false,
        };
        let workers_of_one = keepers.saturating_sub(1).max(1);
        Self { state: Mutex::new(state), changed: Condvar::new(), max, workers_of_one }
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
        owner: Option<Owner>,
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
        state.jobs.push_back(Job { owner, file, turns, answer });
        drop(state);
        self.changed.notify_all();
        Ok(Pending::new(pending, self))
    }

    /// Puts a job back where it was taken from.
    pub(super) fn put_back(&self, job: Job) {
        let mut state = self.state();
        state.leave(job.owner);
        state.jobs.push_front(job);
        let unwanted = state.unwanted();
        drop(state);
        unwanted.answer();
        self.changed.notify_all();
    }

    /// A job is done, or its worker gone.
    pub(super) fn done(&self, owner: Option<Owner>) {
        self.state().leave(owner);
        self.changed.notify_all();
    }

    /// Waits for the next job of someone who still waits for it: the first of the owner who has the fewest workers. `None` when the
    /// pool stops. To be given back by [`Self::done`] or [`Self::put_back`].
    pub(super) fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(job) = state.take(self.workers_of_one) {
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
    /// The next job that may be done now.
    fn take(&mut self, workers_of_one: usize) -> Option<Job> {
        let at_work = |job: &Job| job.owner.and_then(|owner| self.at_work.get(&owner)).copied().unwrap_or(0);
        let waiting = self.jobs.iter().enumerate().map(|(at, job)| (at_work(job), at));
        let (_, at) = waiting.filter(|(at_work, _)| *at_work < workers_of_one).min()?;
        let job = self.jobs.remove(at)?;
        if let Some(owner) = job.owner {
            *self.at_work.entry(owner).or_default() += 1;
        }
        Some(job)
    }

    /// An owner has a worker less.
    fn leave(&mut self, owner: Option<Owner>) {
        let Some(owner) = owner else { return };
        if let Some(at_work) = self.at_work.get_mut(&owner) {
            *at_work -= 1;
            if *at_work == 0 {
                self.at_work.remove(&owner);
            }
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue for so many workers, with a job for each of `owners`; and what waits for their outcomes.
    fn queue(workers: usize, owners: &[Option<u64>]) -> (Arc<Queue>, Vec<Pending>) {
        let queue = Arc::new(Queue::new(workers, 100));
        let put = |(at, owner): (usize, &Option<u64>)| queue.put(Box::new([at as u8]), Turns::Shown, owner.map(Owner));
        let waiting = owners.iter().enumerate().map(|job| put(job).unwrap()).collect();
        (queue, waiting)
    }

    /// Which job comes next, and whose it is.
    fn next(queue: &Queue) -> (u8, Option<Owner>) {
        let job = queue.next().unwrap();
        ((*job.file).as_ref()[0], job.owner)
    }

    fn is_idle(queue: &Queue) -> bool {
        queue.state().take(queue.workers_of_one).is_none()
    }

    #[test]
    fn the_owner_with_the_fewest_workers_comes_first_and_else_who_came_first() {
        let (queue, _waiting) = queue(4, &[Some(1), Some(1), Some(1), Some(2), None, Some(2)]);
        let order: Vec<u8> = (0..4).map(|_| next(&queue).0).collect();
        assert_eq!(order, [0, 3, 4, 1]);
        queue.done(Some(Owner(2)));
        assert_eq!(next(&queue).0, 5, "the other owner has two workers");
    }

    #[test]
    fn one_owner_never_has_the_last_worker_and_nobody_at_all_may() {
        let (queue, _waiting) = queue(3, &[Some(1), Some(1), Some(1), None, None]);
        let order: Vec<u8> = (0..4).map(|_| next(&queue).0).collect();
        assert_eq!(order, [0, 3, 4, 1]);
        assert!(is_idle(&queue), "its third waits for one of its own");
        queue.done(Some(Owner(1)));
        assert_eq!(next(&queue), (2, Some(Owner(1))));
    }

    #[test]
    fn with_one_worker_an_owner_has_that_and_what_is_put_back_frees_it() {
        let (queue, _waiting) = queue(1, &[Some(1), Some(1)]);
        let job = queue.next().unwrap();
        assert!(is_idle(&queue));
        queue.put_back(job);
        assert_eq!(next(&queue).0, 0);
        queue.done(Some(Owner(1)));
        assert_eq!(next(&queue).0, 1);
        queue.done(Some(Owner(1)));
        assert!(queue.state().at_work.is_empty());
    }
}
