//! Files that mean harm: each gets one answer, within its limits, and nothing after it is affected. `--nocapture` shows what
//! each family took.

mod controls;
mod costly;
#[path = "../support/hostile/mod.rs"]
mod hostile;
mod memory;
mod pool;
mod report;
mod seeds;
mod trial;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Kinds of refusals that a file may be given. `crashed` is none: no file is known that a decoder panics over, and none of these
/// may take more memory than its worker has.
const KINDS: &[&str] = &[
    "empty",
    "too-many-bytes",
    "unknown-format",
    "side-too-long",
    "too-many-pixels",
    "too-much-memory",
    "too-much-work",
    "unsupported",
    "damaged",
    "too-small",
    // On a machine that has much else to do.
    "too-slow",
];

/// A valid picture.
fn good() -> Vec<u8> {
    hostile::seeds().into_iter().find(|seed| seed.name == "rgb.png").unwrap().bytes
}

/// Tests that measure memory, or count processes, run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
