//! The hub from outside: a real server, the real client, and what is on disk afterwards.

mod authorization;
mod bad_input;
mod concurrency;
mod follow;
mod items;
mod keys;
mod lifecycle;
mod matching;
mod media;
mod proofs;
mod raw;
mod scan;
mod streams;
mod support;
