//! Hashcommons: a hub where trusted platforms share perceptual hashes of terrorist and violent-extremist content with their
//! provenance, small platforms check uploads against them, and moderators see why something matched.
//!
//! Dependencies between the modules point one way (`tests/architecture.rs` checks it); `ARCHITECTURE.md` follows the data.

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
