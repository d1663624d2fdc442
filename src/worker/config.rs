//! What a pool of workers is started with.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::StartError;
use crate::media::DecodeLimits;

/// What a pool of workers is started with.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// A `hashcommons` program, as an absolute path. By default the one that is running: the same file even after another
    /// was put in its place.
    pub program: PathBuf,
    /// Pictures decoded at the same time, each in a process of its own and with a thread to wait for it.
    pub workers: usize,
    /// Files that may wait for a worker.
    pub queue_max: usize,
    /// What a file may cost. `memory_max` is lowered to what a worker has left beside the file.
    pub limits: DecodeLimits,
    /// All that a worker may hold in memory, the file among it, in bytes.
    pub memory_max: usize,
    /// How long a file may take, from when its worker is given it.
    pub deadline: Duration,
    /// A worker is replaced after so many files, so that whatever went wrong in it unseen does not last.
    pub jobs_max: u32,
    /// Whether a worker that cannot be sandboxed is used all the same.
    pub sandboxing: Sandboxing,
}

/// Whether a worker must be locked in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandboxing {
    /// A worker that cannot be is not used.
    #[default]
    Required,
    /// For development only: limits hold, but a decoder that was taken over can do what the hub can.
    Off,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self::with_workers(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl PoolConfig {
    /// Files that may wait for each worker.
    const QUEUE_PER_WORKER: usize = 16;
    /// What a worker needs beside the file and the pictures made of it: itself, and its decoders' tables and rows.
    const OVERHEAD: usize = 24 << 20;
    /// Below this there is no use in a limit.
    const DECODING_MIN: usize = 16 << 20;

    /// The defaults, with so many workers.
    pub fn with_workers(workers: usize) -> Self {
        Self {
            program: own_program(),
            workers,
            queue_max: Self::QUEUE_PER_WORKER * workers.max(1),
            limits: DecodeLimits::default(),
            memory_max: 512 << 20,
            deadline: Duration::from_secs(10),
            jobs_max: 500,
            sandboxing: Sandboxing::Required,
        }
    }

    /// Whether the longest file leaves memory to decode it.
    ///
    /// # Errors
    /// [`StartError::TooLittleMemory`] if not.
    pub fn check(&self) -> Result<(), StartError> {
        let (bytes_max, memory_max) = (self.limits.bytes_max, self.memory_max);
        let needed = bytes_max.saturating_add(Self::OVERHEAD + Self::DECODING_MIN);
        if needed > memory_max { Err(StartError::TooLittleMemory { bytes_max, memory_max }) } else { Ok(()) }
    }

    /// What decoding a file of `bytes` may cost in a worker whose memory is `memory_max`.
    pub(super) fn limits_beside(limits: DecodeLimits, memory_max: usize, bytes: usize) -> DecodeLimits {
        let left = memory_max.saturating_sub(bytes.saturating_add(Self::OVERHEAD));
        DecodeLimits { memory_max: limits.memory_max.min(left), ..limits }
    }

    /// All the processor time that a worker may take in its life, in whole seconds: enough for several files that take as
    /// long as they may. It is retired before it runs out, and ended by the kernel should it run on without the hub.
    pub(super) fn cpu_max_s(&self) -> u64 {
        self.deadline.as_secs_f64().ceil() as u64 * 6 + 1
    }
}

/// The program that is running.
fn own_program() -> PathBuf {
    const LINK: &str = "/proc/self/exe";
    if cfg!(target_os = "linux") { LINK.into() } else { std::env::current_exe().unwrap_or_else(|_| LINK.into()) }
}
