//! Workers as callers see them: a file handed in, an answer waited for.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::pipe::{PipeFlags, pipe_with};

use super::keeper::Post;
use super::queue::{Owner, Pending, Queue};
use super::{Held, PoolConfig, StartError, SubmitError};
use crate::media::{DecodeError, DecodeLimits, FingerprintError, Turns};

/// Workers that hash pictures. Clones share them; when the last is gone they are ended.
#[derive(Clone)]
pub struct Pool(Arc<Workers>);

struct Workers {
    queue: Arc<Queue>,
    limits: DecodeLimits,
    held: Held,
    /// Closed when the pool stops.
    stop: Mutex<Option<OwnedFd>>,
    keepers: Mutex<Vec<JoinHandle<()>>>,
}

impl Pool {
    /// Starts the workers, and waits until the first is ready; the others follow.
    ///
    /// # Errors
    /// [`StartError`] if none can be started. No process and no thread is left then.
    pub fn start(config: PoolConfig) -> Result<Self, StartError> {
        config.check()?;
        let workers = config.workers.max(1);
        let system = |error: &dyn std::fmt::Display| StartError::Thread(error.to_string());
        let (stopping, stop) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| system(&error))?;
        let queue = Arc::new(Queue::new(workers, config.queue_max));
        let limits = config.limits;
        let post = Arc::new(Post { config, queue: queue.clone(), stopping, warned: Mutex::new(None) });
        let keeper = |n: usize| {
            let post = post.clone();
            std::thread::Builder::new().name(format!("media-{n}")).spawn(move || post.keep())
        };
        let mut shared = Workers {
            queue,
            limits,
            held: Held::LIMITS_ALONE,
            stop: Mutex::new(Some(stop)),
            keepers: Mutex::default(),
        };
        for n in 0..workers {
            let keeper = keeper(n).map_err(|error| system(&error))?;
            shared.keepers.get_mut().unwrap_or_else(PoisonError::into_inner).push(keeper);
        }
        // From here on whoever gives up lets go of `shared`, which ends what was started.
        shared.held = shared.queue.first()?;
        post.warn_if_due(&shared.held);
        Ok(Self(Arc::new(shared)))
    }

    /// The walls around the first worker; the others have the same.
    pub fn held(&self) -> &Held {
        &self.0.held
    }

    /// Hands in a file, which is let go of when it has been hashed. Never waits.
    ///
    /// # Errors
    /// [`SubmitError`], at once, if it cannot be taken.
    pub fn submit(&self, file: impl AsRef<[u8]> + Send + 'static, turns: Turns) -> Result<Pending, SubmitError> {
        self.take(file, turns, None)
    }

    /// The same on behalf of one of several, who gets no more workers than leave one for the others, and less than they do while they
    /// wait.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn submit_for(
        &self,
        owner: Owner,
        file: impl AsRef<[u8]> + Send + 'static,
        turns: Turns,
    ) -> Result<Pending, SubmitError> {
        self.take(file, turns, Some(owner))
    }

    fn take(
        &self,
        file: impl AsRef<[u8]> + Send + 'static,
        turns: Turns,
        owner: Option<Owner>,
    ) -> Result<Pending, SubmitError> {
        let Workers { queue, limits, .. } = &*self.0;
        let (got, max) = (file.as_ref().len(), limits.bytes_max);
        if got > max {
            let error = DecodeError::TooManyBytes { got, max };
            return Ok(Pending::decided(Err(FingerprintError::from(error).into()), queue));
        }
        queue.put(Box::new(file), turns, owner)
    }

    /// Ends the workers. Those who wait for an answer are told. Takes as long as it takes to end a process.
    pub fn stop(&self) {
        self.0.stop();
    }
}

impl Workers {
    fn stop(&self) {
        self.queue.stop();
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let keepers = std::mem::take(&mut *self.keepers.lock().unwrap_or_else(PoisonError::into_inner));
        for keeper in keepers {
            // An error means that it has panicked: then it is as gone as it should be.
            let _ = keeper.join();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}

// Files are content: not even their number is shown.
impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({})", self.0.held)
    }
}
