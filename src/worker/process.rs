//! The parent's side of one worker: it is started, asked, and ended. Nothing here waits longer than it is told to.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::protocol::{self, Greeting, Incoming, Settings, TooLong, VERSION};
use super::sandbox::{Held, ProcessLimits};
use super::{PoolConfig, Sandboxing, StartError};
use crate::media::Turns;

/// A worker has so long to get ready.
const START_MAX: Duration = Duration::from_secs(10);
/// One whose output has ended has so long to end itself, so that it can be said how it did.
const GRACE: Duration = Duration::from_secs(1);
/// What is kept of what it says on standard error.
const WORDS_MAX: usize = 4 << 10;
/// What a pipe holds, so that most files are handed over in one piece. The kernel may grant less.
const PIPE_BYTES: usize = 1 << 20;
/// What the standard library says before it aborts for want of memory.
const NO_MEMORY: &str = "memory allocation of ";
/// Signals that a worker does not get for what it does itself.
const FROM_OUTSIDE: [Signal; 5] = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

/// A worker that is ready, or at work.
pub(super) struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    incoming: Incoming,
    stderr: Option<ChildStderr>,
    words: Vec<u8>,
    held: Held,
    jobs: u64,
    /// When it got its last job, and how long all of them have taken.
    begun: Instant,
    busy: Duration,
}

/// Why a worker did not answer. It is of no use any more.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It took too long.
    Late,
    /// The pool is stopping.
    Stopped,
    /// A pipe of it has ended.
    Gone,
    /// It said what no worker says.
    Garbled(&'static str),
    /// The system fails.
    System(io::Error),
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was still alive, and was killed.
    Killed,
    /// By the filter of system calls.
    Forbidden,
    /// By the limit of processor time.
    OutOfTime,
    /// By itself, because it got no memory.
    OutOfMemory,
    /// By somebody else, or by the system.
    FromOutside,
    /// In some other way.
    Crashed(ExitStatus),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Killed => f.write_str("it was killed"),
            Self::Forbidden => f.write_str("it tried what it may not"),
            Self::OutOfTime => f.write_str("it had used up its processor time"),
            Self::OutOfMemory => f.write_str("it got no more memory"),
            Self::FromOutside => f.write_str("somebody else ended it"),
            Self::Crashed(status) => write!(f, "{status}"),
        }
    }
}

impl From<TooLong> for Trouble {
    fn from(TooLong: TooLong) -> Self {
        Self::Garbled("its answer is too long")
    }
}

impl From<rustix::io::Errno> for Trouble {
    fn from(error: rustix::io::Errno) -> Self {
        Self::System(error.into())
    }
}

impl Worker {
    /// Starts one and waits until it is ready, or until `stopping` hangs up.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left of it then.
    pub(super) fn start(config: &PoolConfig, stopping: BorrowedFd<'_>) -> Result<Self, StartError> {
        let mut worker = Self::spawn(config)
            .map_err(|error| StartError::Spawn { program: config.program.clone(), problem: error.to_string() })?;
        let greeting = match worker.greet(config, stopping) {
            Ok(greeting) => greeting,
            Err(Trouble::Late) => return Err(StartError::Late(START_MAX)),
            Err(Trouble::Stopped) => return Err(StartError::Stopped),
            Err(Trouble::Garbled(what)) => return Err(StartError::Garbled(what)),
            Err(Trouble::System(error)) => return Err(StartError::Ended(error.to_string())),
            Err(Trouble::Gone) => {
                let (end, words) = worker.end(Some(&Trouble::Gone));
                return Err(StartError::Ended(if words.is_empty() {
                    end.to_string()
                } else {
                    format!("{end}: {words}")
                }));
            }
        };
        match greeting {
            Greeting::Ready { version, .. } if version != VERSION => {
                Err(StartError::Version { worker: version, own: VERSION })
            }
            // It has not seen a stranger's byte yet, so its word counts.
            Greeting::Ready { held, .. } if !held.seccomp && config.sandboxing == Sandboxing::Required => {
                Err(StartError::Unavailable("the worker did not lock itself in".to_owned()))
            }
            Greeting::Ready { held, .. } => {
                worker.held = held;
                Ok(worker)
            }
            Greeting::Unavailable { reason } => Err(StartError::Unavailable(reason)),
        }
    }

    fn greet(&mut self, config: &PoolConfig, stopping: BorrowedFd<'_>) -> Result<Greeting, Trouble> {
        let settings = Settings {
            version: VERSION.to_owned(),
            limits: config.limits,
            process: ProcessLimits { memory_max: config.memory_max as u64, cpu_max_s: config.cpu_max_s() },
            sandboxing: config.sandboxing,
        };
        let settings = serde_json::to_vec(&settings).map_err(|error| Trouble::System(error.into()))?;
        let until = Instant::now() + START_MAX;
        self.send(&[&protocol::frame(&settings)], until, stopping)?;
        serde_json::from_slice(&self.receive(until, stopping)?).map_err(|_| Trouble::Garbled("its greeting is none"))
    }

    fn spawn(config: &PoolConfig) -> io::Result<Self> {
        // Nothing here that would have `std` copy the process, which for a hub with a large index takes long: it asks the
        // system to spawn instead. All else is done by the worker itself. Descriptors of ours close by themselves.
        let mut child = Command::new(&config.program)
            .arg0("hashcommons")
            .arg(super::COMMAND)
            .env_clear()
            // For jemalloc (src/main.rs): no second thread, which the sandbox would not hold; and what is freed goes back at once,
            // as the limit is on memory that is mapped.
            .env(
                "_RJEM_MALLOC_CONF",
                "background_thread:false,narenas:1,retain:false,dirty_decay_ms:0,muzzy_decay_ms:0",
            )
            .current_dir("/")
            // In a group of its own: Ctrl-C is for the hub, which lets what is running finish.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        let worker = Self {
            child,
            stdin,
            stdout,
            incoming: Incoming::default(),
            stderr: Some(stderr),
            words: Vec::new(),
            held: Held::LIMITS_ALONE,
            jobs: 0,
            begun: Instant::now(),
            busy: Duration::ZERO,
        };
        rustix::io::ioctl_fionbio(&worker.stdin, true)?;
        rustix::io::ioctl_fionbio(&worker.stdout, true)?;
        if let Some(stderr) = &worker.stderr {
            rustix::io::ioctl_fionbio(stderr, true)?;
        }
        #[cfg(target_os = "linux")]
        let _ = rustix::pipe::fcntl_setpipe_size(&worker.stdin, PIPE_BYTES);
        Ok(worker)
    }

    /// The walls around it.
    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    /// Its process id, for the log.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it can be asked: it lives, and has said nothing since it was asked last.
    pub(super) fn is_sound(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
            && matches!(self.hear(), Ok(false))
            && self.incoming.is_empty()
            && self.listen().is_ok()
    }

    /// Lets go of what it said on standard error: what decoders print over one file does not count for the next.
    pub(super) fn forget_words(&mut self) {
        self.words.clear();
    }

    /// Whether it has done what a worker does in its life.
    pub(super) fn is_spent(&self, config: &PoolConfig) -> bool {
        let left = Duration::from_secs(config.cpu_max_s()).saturating_sub(self.busy);
        self.jobs >= u64::from(config.jobs_max) || left < config.deadline
    }

    /// Gives it a file. Gives back the number of the job.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) fn hand_over(
        &mut self,
        file: &[u8],
        turns: Turns,
        until: Instant,
        stopping: BorrowedFd<'_>,
    ) -> Result<u64, Trouble> {
        self.begun = Instant::now();
        self.jobs += 1;
        let head = protocol::job_head(self.jobs, turns, file.len());
        self.send(&[&head, file], until, stopping)?;
        Ok(self.jobs)
    }

    /// Its answer to that, not read yet.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) fn answer(&mut self, until: Instant, stopping: BorrowedFd<'_>) -> Result<Vec<u8>, Trouble> {
        let answer = self.receive(until, stopping)?;
        self.busy += self.begun.elapsed();
        Ok(answer)
    }

    /// Ends it, because of `trouble` or for no fault of its own; says how it ended, and its last words.
    pub(super) fn end(mut self, trouble: Option<&Trouble>) -> (End, String) {
        let by_itself = if let Some(Trouble::Gone) = trouble { self.wait(GRACE) } else { None };
        if by_itself.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = self.listen();
        let words = String::from_utf8_lossy(&self.words);
        let end = by_itself.map_or(End::Killed, |status| match status.signal() {
            Some(signal) if signal == Signal::SYS.as_raw() => End::Forbidden,
            Some(signal) if signal == Signal::XCPU.as_raw() => End::OutOfTime,
            Some(signal) if FROM_OUTSIDE.iter().any(|one| one.as_raw() == signal) => End::FromOutside,
            Some(_) if words.contains(NO_MEMORY) => End::OutOfMemory,
            _ => End::Crashed(status),
        });
        let words = words.trim().chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect();
        (end, words)
    }

    /// Writes all of `parts`.
    fn send(&mut self, parts: &[&[u8]], until: Instant, stopping: BorrowedFd<'_>) -> Result<(), Trouble> {
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                match self.stdin.write(rest) {
                    Ok(written) => rest = &rest[written..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.wait_for(PollFlags::OUT, until, stopping)?;
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(Trouble::Gone),
                    Err(error) => return Err(Trouble::System(error)),
                }
                if !self.incoming.is_empty() {
                    return Err(Trouble::Garbled("it spoke before it was asked"));
                }
            }
        }
        Ok(())
    }

    /// Reads a frame.
    fn receive(&mut self, until: Instant, stopping: BorrowedFd<'_>) -> Result<Vec<u8>, Trouble> {
        loop {
            match self.incoming.take()? {
                Some(frame) if self.incoming.is_empty() => return Ok(frame),
                Some(_) => return Err(Trouble::Garbled("it answered more than it was asked")),
                None => self.wait_for(PollFlags::empty(), until, stopping)?,
            }
        }
    }

    /// Waits until one of the pipes has something to say, and takes what there is; for `stdin` until it is `ready`.
    fn wait_for(&mut self, ready: PollFlags, until: Instant, stopping: BorrowedFd<'_>) -> Result<(), Trouble> {
        let left = until.checked_duration_since(Instant::now()).ok_or(Trouble::Late)?;
        let left = Timespec::try_from(left).map_err(|_| Trouble::Late)?;
        let (stdout, stopped) = {
            let mut pipes =
                vec![PollFd::from_borrowed_fd(stopping, PollFlags::IN), PollFd::new(&self.stdout, PollFlags::IN)];
            if !ready.is_empty() {
                pipes.push(PollFd::new(&self.stdin, ready));
            }
            if let Some(stderr) = &self.stderr {
                pipes.push(PollFd::new(stderr, PollFlags::IN));
            }
            match poll(&mut pipes, Some(&left)) {
                Ok(0) => return Err(Trouble::Late),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            (!pipes[1].revents().is_empty(), !pipes[0].revents().is_empty())
        };
        if stopped {
            return Err(Trouble::Stopped);
        }
        self.listen()?;
        if stdout {
            self.hear()?;
        }
        Ok(())
    }

    /// Takes what is on its standard output; whether there was something.
    fn hear(&mut self) -> Result<bool, Trouble> {
        let mut bytes = [0; Incoming::READ_BYTES];
        match self.stdout.read(&mut bytes) {
            Ok(0) => Err(Trouble::Gone),
            Ok(got) => {
                self.incoming.push(&bytes[..got]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
            Err(error) => Err(Trouble::System(error)),
        }
    }

    /// Takes what is on its standard error.
    fn listen(&mut self) -> Result<(), Trouble> {
        let Some(stderr) = &mut self.stderr else { return Ok(()) };
        let mut bytes = [0; 1024];
        loop {
            match stderr.read(&mut bytes) {
                Ok(0) => {
                    self.stderr = None;
                    return Ok(());
                }
                Ok(got) if self.words.len() + got > WORDS_MAX => {
                    return Err(Trouble::Garbled("it does not stop talking"));
                }
                Ok(got) => self.words.extend_from_slice(&bytes[..got]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nothing more for now; or an error, of which nothing depends.
                Err(_) => return Ok(()),
            }
        }
    }

    /// Waits until it has ended, at most so long.
    fn wait(&mut self, max: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + max;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
                _ => return None,
            }
        }
    }
}

// However a worker is let go of, no process and no zombie is left.
impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
