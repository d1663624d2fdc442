//! How a pool says no: when it is started, when a file is handed in, and when it could not be hashed.

use std::path::PathBuf;
use std::time::Duration;

use crate::media::FingerprintError;

/// Why there is no worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    #[error("files of {bytes_max} bytes leave too little of the {memory_max} bytes of memory that a worker has")]
    TooLittleMemory { bytes_max: usize, memory_max: usize },
    #[error("cannot start {}: {problem}", .program.display())]
    Spawn { program: PathBuf, problem: String },
    /// It said so itself.
    #[error("{0}")]
    Unavailable(String),
    #[error("the worker is of version {worker}, not {own}: it was started from another program")]
    Version { worker: String, own: &'static str },
    #[error("the worker was not ready within {} s", .0.as_secs_f64())]
    Late(Duration),
    /// Before it was ready.
    #[error("the worker ended: {0}")]
    Ended(String),
    /// It is something else than a worker.
    #[error("the worker does not speak as a worker: {0}")]
    Garbled(&'static str),
    #[error("cannot start a thread: {0}")]
    Thread(String),
    #[error("the pool was stopped")]
    Stopped,
}

/// Why a file was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    #[error("too many pictures are waiting: send it again in a moment")]
    Busy,
    /// No worker can be started at the moment; the log says why.
    #[error("pictures cannot be decoded at the moment: send it again later")]
    Unavailable,
    #[error("the decoders are stopping")]
    Stopped,
}

/// Why a file that was taken has no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// What the decoder found.
    #[error(transparent)]
    Picture(#[from] FingerprintError),
    /// Its worker was killed.
    #[error("decoding the picture took longer than {} s", .0.as_secs_f64())]
    TooSlow(Duration),
    /// Its worker ran out of it.
    #[error("decoding the picture needs more memory than {} MiB", .max >> 20)]
    TooMuchMemory { max: usize },
    /// Its worker ended, or answered nonsense.
    #[error("the decoder crashed on the picture")]
    Crashed,
    /// Its worker was ended by somebody else, or by the system for want of memory.
    #[error("the decoder was stopped before it was done: send the picture again")]
    Lost,
    /// No worker can be started at the moment; the log says why.
    #[error("pictures cannot be decoded at the moment: send it again later")]
    Unavailable,
    #[error("the decoders are stopping")]
    Stopped,
}

impl JobError {
    /// Which kind it is: one of a small fixed set, for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Picture(error) => error.kind(),
            Self::TooSlow(_) => "too-slow",
            Self::TooMuchMemory { .. } => "too-much-memory",
            Self::Crashed => "crashed",
            Self::Lost => "lost",
            Self::Unavailable => "unavailable",
            Self::Stopped => "stopped",
        }
    }

    /// Whether it is the file that is at fault: sent again it would end as badly.
    pub const fn is_the_files(&self) -> bool {
        match self {
            Self::Picture(_) | Self::TooSlow(_) | Self::TooMuchMemory { .. } | Self::Crashed => true,
            Self::Lost | Self::Unavailable | Self::Stopped => false,
        }
    }
}
