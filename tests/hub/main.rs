//! The hub from outside: a real server, the real client, and what is on disk afterwards.

mod keys;
mod lifecycle;
mod raw;
mod support;
