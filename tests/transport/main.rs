//! What strangers may do to the port: each attack meets its limit, and a client that behaves is answered meanwhile.

mod bodies;
mod doors;
#[path = "../support/enrolment.rs"]
#[allow(dead_code, reason = "tests/hub uses the rest")]
mod enrolment;
mod floods;
mod measured;
mod members;
mod memory;
mod methods;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "tests/cli and tests/crash use the rest")]
mod process;
mod raw;
mod readers;
mod slow;
#[path = "../hub/support.rs"]
#[allow(dead_code, reason = "tests/hub uses the rest")]
mod support;
mod tls;
mod well_behaved;
