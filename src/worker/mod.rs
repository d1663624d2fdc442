//! Decoding where it can do no harm: in processes of the same program, each locked into a sandbox, a file's bytes in and its
//! hashes out.
//!
//! Invariants: what a stranger uploaded is decoded in no other process; nothing that such a process does, or fails to do,
//! costs anybody but the caller whose file it had; every caller is answered within the deadline of the jobs before it and its own.
//!
//! Deliberately unknown here: where files come from, what their hashes are for. What a decoder does is `media`'s.
//!
//! | file | what |
//! |---|---|
//! | `config`, `error` | what a pool is started with, and how it says no |
//! | `protocol`, `answer` | frames and messages between the two sides; pure |
//! | `sandbox` | locks the calling process in |
//! | `child` | the worker's side: the hidden command `media-worker` |
//! | `process` | the parent's side of one worker: start, ask, end |
//! | `pool`, `queue`, `keeper` | workers as callers see them; what waits; the thread that keeps one of them |

mod answer;
mod child;
mod config;
mod error;
mod keeper;
mod pool;
mod process;
mod protocol;
mod queue;
mod sandbox;

pub use child::run;
pub use config::{PoolConfig, Sandboxing};
pub use error::{JobError, StartError, SubmitError};
pub use pool::Pool;
pub use queue::{Owner, Pending};
pub use sandbox::Held;

/// The hidden command of the program that [`run`] is behind.
pub const COMMAND: &str = "media-worker";
