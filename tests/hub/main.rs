//! The hub from outside: a real server, the real client, and what is on disk afterwards.

mod audit;
mod authorization;
mod bad_input;
mod concurrency;
mod decoders;
#[path = "../support/enrolment.rs"]
mod enrolment;
#[path = "../support/fake_worker.rs"]
#[allow(dead_code, reason = "tests/worker uses the rest")]
mod fake_worker;
mod faults;
mod follow;
mod hostile;
#[path = "../support/hostile/mod.rs"]
#[allow(dead_code, reason = "tests/hostile uses the rest")]
mod hostile_files;
mod isolation;
mod items;
mod keys;
mod lifecycle;
mod loading;
mod matching;
mod media;
mod members;
mod open;
mod open_streams;
mod policy;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "tests/cli and tests/crash use the rest")]
mod process;
mod proofs;
mod quotas;
mod raw;
mod reads;
mod request_ids;
mod scan;
mod statistics;
mod streams;
#[allow(dead_code, reason = "tests/transport uses the rest")]
mod support;
mod turns;
mod walks;
