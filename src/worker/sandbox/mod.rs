//! Locks the calling process in: what it holds in its memory and the three pipes it was started with are all it has left.
//!
//! Three walls, each enough for most of what it is there for, so that a hole in one is not a hole in the sandbox:
//!
//! - **seccomp** ends the process at any system call but the few that decoding needs (`filter`).
//! - **Landlock**, where the kernel has it, allows no file, no TCP port, no signal to others and no abstract socket.
//! - **Limits** of memory, processor time, files, processes, cores.
//!
//! For a process of one thread: seccomp and Landlock bind the thread that calls and what it starts.

#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(target_os = "linux")]
pub(super) use linux::{limit, lock, settle};

/// What a process may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessLimits {
    /// Memory that it can write to, in bytes; and address space beside what it is made of.
    pub(super) memory_max: u64,
    /// Processor time in its whole life, in seconds.
    pub(super) cpu_max_s: u64,
}

/// Which walls stand around a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Whether its system calls are filtered.
    pub seccomp: bool,
    /// The version of Landlock's interface; `None` if the kernel has no Landlock.
    pub landlock: Option<u32>,
}

impl Held {
    /// Limits of the process alone.
    pub(super) const LIMITS_ALONE: Self = Self { seccomp: false, landlock: None };
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.seccomp {
            return f.write_str("none, only limits");
        }
        match self.landlock {
            Some(version) => write!(f, "seccomp, Landlock {version}, limits"),
            None => f.write_str("seccomp, limits; the kernel has no Landlock"),
        }
    }
}

/// Why a process could not be locked in.
#[derive(Debug, thiserror::Error)]
pub(super) enum LockError {
    #[error("this system has no sandbox that this program knows: it needs Linux on x86-64 or ARM64")]
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "said elsewhere"))]
    System,
    #[error("cannot limit the process's {what}: {source}")]
    Limit { what: &'static str, source: std::io::Error },
    #[error("Landlock, which the kernel has, cannot be used: {0}")]
    Landlock(String),
    #[error("seccomp cannot be used: {0}")]
    Seccomp(String),
}

/// Where there is no such sandbox.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::{Held, LockError, ProcessLimits};

    pub(in super::super) fn settle() {}

    pub(in super::super) fn limit(_: &ProcessLimits) -> Result<(), LockError> {
        Ok(())
    }

    pub(in super::super) fn lock(_: &ProcessLimits) -> Result<Held, LockError> {
        Err(LockError::System)
    }
}
#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{limit, lock, settle};
