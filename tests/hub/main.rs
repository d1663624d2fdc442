//! The hub from outside: a real server, the real client, and what is on disk afterwards.

mod items;
mod keys;
mod lifecycle;
mod matching;
mod raw;
mod scan;
mod support;
