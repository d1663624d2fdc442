//! The documentation against the program: tables, examples, links, and README's transcript.

mod authorization;
#[path = "../support/enrolment.rs"]
#[allow(dead_code, reason = "tests/hub uses the rest")]
mod enrolment;
#[path = "../support/generated.rs"]
mod generated;
mod import;
mod ledger;
mod links;
mod operating;
#[path = "../support/protobuf.rs"]
mod protobuf;
mod quotas;
mod readme;
mod settings;
#[path = "../support/source.rs"]
#[allow(dead_code, reason = "tests/architecture.rs uses the rest")]
mod source;
mod standing;
mod storage;
#[path = "../hub/support.rs"]
#[allow(dead_code, reason = "tests/hub uses all of it")]
mod support;
mod transcript;
