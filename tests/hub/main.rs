//! The hub from outside: a real server, the real client, and what is on disk afterwards.

mod appeals;
mod audit;
mod authorization;
mod bad_input;
mod benign;
mod clusters;
mod concurrency;
mod decisions;
mod decoders;
#[path = "../support/enrolment.rs"]
#[allow(dead_code, reason = "tests/docs uses the rest")]
mod enrolment;
#[path = "../support/fake_worker.rs"]
#[allow(dead_code, reason = "tests/worker uses the rest")]
mod fake_worker;
mod faults;
mod feedback;
mod floods;
mod follow;
mod hostile;
#[path = "../support/hostile/mod.rs"]
#[allow(dead_code, reason = "tests/hostile uses the rest")]
mod hostile_files;
mod incident_exercise;
mod incidents;
mod isolation;
mod items;
mod keys;
mod lifecycle;
mod loading;
mod matching;
mod media;
mod members;
mod mirror;
mod open;
mod open_streams;
mod poisoning;
mod policy;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "tests/cli and tests/crash use the rest")]
mod process;
mod proofs;
mod queue;
mod quotas;
mod raw;
mod reads;
mod request_ids;
mod retention;
mod reversals;
mod reviewing;
mod scan;
mod statistics;
mod streams;
#[allow(dead_code, reason = "tests/transport uses the rest")]
mod support;
mod turns;
mod walks;
