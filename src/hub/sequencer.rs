//! The sequencer: one thread that takes intents from a bounded queue, commits them in batches, and answers.
//!
//! While one batch is being synced the next gathers, so a batch is as large as the load makes it (at most
//! [`BATCH_EVENTS_MAX`]) and nobody waits for a timer. After a failed commit it stops for good: what the disk holds is unknown until
//! the hub starts anew and reads it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, mem};

use tokio::sync::oneshot;

use super::commit::{Committer, Sequenced};
use super::decide::{Intent, Refusal};
use crate::policy::{Authority, Held, Places};

/// The most events in one commit.
pub const BATCH_EVENTS_MAX: usize = 1_000;
/// Contributions that may wait, half of them one member's. Beyond it the answer is "retry later", at once.
pub const QUEUE_MAX: usize = 8_192;
/// Places that contributions cannot take: a flood of them must not keep a key from being revoked or an entry from being
/// withdrawn.
const QUEUE_RESERVE: usize = 1_024;
/// How often it looks for what expires or is to be written down when nothing comes in.
const IDLE: Duration = Duration::from_millis(500);

const COMMIT_FAILED: &str = "a commit failed: the hub takes no more changes until it is started anew";

#[expect(clippy::large_enum_variant, reason = "all but the last one of a process are the large variant")]
enum Command {
    Sequence {
        authority: Authority,
        intent: Intent,
        reply: oneshot::Sender<Result<Sequenced, SequenceError>>,
        /// Of a contribution, until it is taken out of the queue.
        place: Option<Held>,
    },
    Stop,
}

/// Why an intent was not sequenced.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// The queue is full.
    #[error("the hub is busy: send the same request again in a moment")]
    QueueFull,
    /// The hub is shutting down, or a commit failed. What became of the intent is unknown; sending the same request again
    /// when the hub is back is safe.
    #[error("the hub has stopped taking changes: send the same request again when it is back")]
    Stopped,
    /// It came to nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A way to the sequencer.
#[derive(Clone, Debug)]
pub struct Sequencer {
    queue: SyncSender<Command>,
    /// For contributions that wait.
    contributions: Places,
}

impl Sequencer {
    /// Starts the sequencer's thread.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(committer: Committer) -> io::Result<(Self, SequencerThread)> {
        let (sender, receiver) = sync_channel(QUEUE_MAX + QUEUE_RESERVE);
        let thread = thread::Builder::new().name("sequencer".to_owned()).spawn(move || run(committer, &receiver))?;
        let contributions = Places::new(QUEUE_MAX);
        Ok((Self { queue: sender.clone(), contributions }, SequencerThread { queue: sender, thread: Some(thread) }))
    }

    /// Waits until `intent` is durable, provable and visible.
    ///
    /// # Errors
    /// [`SequenceError`].
    pub async fn submit(&self, authority: Authority, intent: Intent) -> Result<Sequenced, SequenceError> {
        let (reply, answer) = oneshot::channel();
        let place =
            intent.is_contribution().then(|| self.contributions.take(authority.principal.member, 1)).transpose();
        let place = place.map_err(|_| SequenceError::QueueFull)?;
        self.queue.try_send(Command::Sequence { authority, intent, reply, place }).map_err(|error| match error {
            TrySendError::Full(_) => SequenceError::QueueFull,
            TrySendError::Disconnected(_) => SequenceError::Stopped,
        })?;
        answer.await.map_err(|_| SequenceError::Stopped)?
    }
}

/// The running thread. Stops when told to or dropped: what is in the queue before that is still committed.
#[derive(Debug)]
pub struct SequencerThread {
    queue: SyncSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl SequencerThread {
    /// Finishes what is in the queue and waits for the end.
    pub fn stop(mut self) {
        self.finish();
    }

    /// Whether it has stopped by itself: a commit failed.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn finish(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        // It fails if the thread has ended already: then there is nothing to wait for but that.
        let _ = self.queue.send(Command::Stop);
        if thread.join().is_err() {
            tracing::error!("the sequencer panicked");
        }
    }
}

impl Drop for SequencerThread {
    fn drop(&mut self) {
        self.finish();
    }
}

fn run(mut committer: Committer, queue: &Receiver<Command>) {
    let mut stopping = false;
    while !stopping {
        let mut intents = Vec::new();
        let mut replies = Vec::new();
        let mut take = |command| match command {
            Command::Sequence { authority, intent, reply, place } => {
                drop(place);
                intents.push((authority, intent));
                replies.push(reply);
            }
            Command::Stop => stopping = true,
        };
        match queue.recv_timeout(IDLE) {
            Ok(command) => take(command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        queue.try_iter().take(BATCH_EVENTS_MAX - 1).for_each(take);
        if let Err(error) = committer.tick() {
            tracing::error!(%error, "{COMMIT_FAILED}");
            return;
        }
        if intents.is_empty() {
            continue;
        }
        let span = tracing::debug_span!("commit", intents = intents.len());
        let answers = match span.in_scope(|| committer.commit(mem::take(&mut intents))) {
            Ok(answers) => answers,
            Err(error) => {
                tracing::error!(%error, "{COMMIT_FAILED}");
                return;
            }
        };
        for (reply, answer) in replies.into_iter().zip(answers) {
            // Who no longer waits has gone away; the event stands.
            let _ = reply.send(answer.map_err(SequenceError::from));
        }
    }
    committer.close();
}
