//! Hashcommons: a hub where trusted platforms share perceptual hashes of terrorist and violent-extremist content with their
//! provenance, small platforms check uploads against them, and moderators see why something matched.
//!
//! Dependencies between the modules point one way (`tests/architecture.rs` checks it); `ARCHITECTURE.md` follows the data.

// For the library alone: tests may stop at what they did not expect (`clippy.toml`), a hub may not. Cargo.toml has the rest.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod client;
pub mod domain;
pub mod grpc;
pub mod hub;
pub mod index;
pub mod ledger;
pub mod media;
pub mod policy;
pub mod serve;
pub mod store;
pub mod wire;
pub mod worker;
