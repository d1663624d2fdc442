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

/// A valid picture.
fn good() -> Vec<u8> {
    hostile::seeds().into_iter().find(|seed| seed.name == "rgb.png").unwrap().bytes
}

/// Tests that measure memory, or count processes, run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
