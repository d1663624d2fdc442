//! The pool of workers: with the real program behind it, and with one that does everything wrong.

mod costs;
#[path = "../support/drawings.rs"]
mod drawings;
#[path = "../support/fake_worker.rs"]
mod fake;
mod faults;
mod pictures;
mod starts;
