//! The thread that keeps one worker: starts it, gives it one job after the other, replaces it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::answer::{Answer, Nonsense};
use super::process::{End, Trouble, Worker};
use super::queue::{Job, Outcome, Queue};
use super::{Held, JobError, PoolConfig, Sandboxing, StartError};
use crate::media::{Fingerprint, Looks, md5, sha256};

/// After a worker could not be started, the next try is so much later, then twice that, up to the last.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// How often it is said that there is no sandbox.
const WARN_EVERY: Duration = Duration::from_secs(3600);

/// What all keepers of a pool share.
pub(super) struct Post {
    pub(super) config: PoolConfig,
    pub(super) queue: Arc<Queue>,
    /// A pipe whose other end is closed when the pool stops: that wakes whoever waits for a worker.
    pub(super) stopping: OwnedFd,
    /// When it was last said that there is no sandbox.
    pub(super) warned: Mutex<Option<Instant>>,
}

/// However a keeper ends, nobody waits for it.
struct Leaving<'a>(&'a Queue);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.down(StartError::Stopped);
    }
}

impl Post {
    /// Keeps a worker until the pool stops.
    ///
    /// A worker dies with the thread that started it, which therefore lives as long as the pool.
    pub(super) fn keep(&self) {
        let _leaving = Leaving(&self.queue);
        while let Some(worker) = self.start() {
            if self.serve(worker) == Next::Stop {
                return;
            }
        }
    }

    /// The next worker, sooner or later; `None` when the pool stops.
    fn start(&self) -> Option<Worker> {
        let mut pause = None;
        loop {
            match Worker::start(&self.config, self.stopping.as_fd()) {
                Ok(worker) => {
                    tracing::debug!(pid = worker.id(), sandbox = %worker.held(), "a media worker is ready");
                    self.queue.up(pause.is_some(), worker.held());
                    return Some(worker);
                }
                Err(StartError::Stopped) => return None,
                Err(problem) => {
                    let next = pause.map_or(BACKOFF.0, |last: Duration| BACKOFF.1.min(last * 2));
                    tracing::error!(%problem, retry_ms = next.as_millis() as u64, "a media worker does not start");
                    if pause.is_none() {
                        self.queue.down(problem);
                    }
                    pause = Some(next);
                    if !self.queue.rest(next) {
                        return None;
                    }
                }
            }
        }
    }

    /// Gives jobs to `worker` until it has to be replaced, or the pool stops.
    fn serve(&self, mut worker: Worker) -> Next {
        while !worker.is_spent(&self.config) {
            let Some(job) = self.queue.next() else { return Next::Stop };
            // It may have been ended from outside while it had nothing to do: that is not this file's doing.
            if !worker.is_sound() {
                tracing::warn!(pid = worker.id(), "a media worker ended while it had nothing to do");
                self.queue.put_back(job);
                return Next::Replace;
            }
            worker.forget_words();
            self.warn_if_due(worker.held());
            let owner = job.owner;
            match self.ask(&mut worker, &job) {
                Ok(outcome) => {
                    job.finish(outcome);
                    self.queue.done(owner);
                }
                Err(trouble) => {
                    job.finish(Err(self.bury(worker, &trouble)));
                    self.queue.done(owner);
                    return Next::Replace;
                }
            }
        }
        tracing::debug!(pid = worker.id(), "a media worker has done its part");
        Next::Replace
    }

    /// What `worker` makes of a file.
    fn ask(&self, worker: &mut Worker, job: &Job) -> Result<Outcome, Trouble> {
        let file = (*job.file).as_ref();
        let until = Instant::now() + self.config.deadline;
        let stopping = self.stopping.as_fd();
        let number = worker.hand_over(file, job.turns, until, stopping)?;
        // While it works. Digests need no decoding: no decoder can lie about them.
        let (md5, sha256) = (md5(file), sha256(file));
        let answer = worker.answer(until, stopping)?;
        let looks = Answer::read(&answer, number, job.turns, &self.config.limits);
        Ok(match looks.map_err(|Nonsense(what)| Trouble::Garbled(what))? {
            Ok(Looks { format, width, height, stored, turned }) => {
                Ok(Fingerprint { format, width, height, md5, sha256, stored, turned })
            }
            Err(error) => Err(error.into()),
        })
    }

    /// Ends a worker that is in `trouble`. Gives what to say to the one whose file it had, and says the rest to the log.
    fn bury(&self, worker: Worker, trouble: &Trouble) -> JobError {
        let pid = worker.id();
        let (end, words) = worker.end(Some(trouble));
        let too_slow = JobError::TooSlow(self.config.deadline);
        match (trouble, end) {
            (Trouble::Stopped, _) => JobError::Stopped,
            (Trouble::Late, _) | (Trouble::Gone, End::OutOfTime) => {
                tracing::warn!(pid, "a media worker took too long and was ended");
                too_slow
            }
            (Trouble::System(error), _) => {
                tracing::error!(pid, %error, "a media worker cannot be reached");
                JobError::Lost
            }
            (Trouble::Garbled(what), _) => {
                tracing::error!(pid, what, "a media worker answered what no worker answers, and was ended");
                JobError::Crashed
            }
            (Trouble::Gone, End::Forbidden) => {
                tracing::error!(pid, words, "a decoder tried what it may not: its worker was ended by the system");
                JobError::Crashed
            }
            (Trouble::Gone, End::OutOfMemory) => {
                tracing::warn!(pid, words, "a media worker needed more memory than it may have");
                JobError::TooMuchMemory { max: self.config.memory_max }
            }
            (Trouble::Gone, End::FromOutside) => {
                tracing::warn!(pid, "a media worker was ended by somebody else, or for want of memory by the system");
                JobError::Lost
            }
            (Trouble::Gone, End::Killed | End::Crashed(_)) => {
                tracing::warn!(pid, %end, words, "a media worker crashed");
                JobError::Crashed
            }
        }
    }

    /// Says that there is no sandbox, at the start and once in a while.
    pub(super) fn warn_if_due(&self, held: &Held) {
        if held.seccomp || self.config.sandboxing == Sandboxing::Required {
            return;
        }
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
            *warned = Some(Instant::now());
            tracing::warn!(
                "pictures are decoded WITHOUT A SANDBOX: whoever takes over a decoder can do what this program can"
            );
        }
    }
}

/// What a keeper does after it is done with a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Replace,
    Stop,
}

impl Job {
    /// Lets go of the file, and says what became of it.
    fn finish(self, outcome: Outcome) {
        drop(self.file);
        // It fails if whoever asked has gone away.
        let _ = self.answer.send(outcome);
    }
}
