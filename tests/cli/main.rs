//! The program as people and scripts meet it: the real binary, against a real hub in a process of its own.

mod audit;
mod bench_check;
mod bench_hash;
mod bench_index;
mod commands;
mod decoders;
mod feedback;
mod hash_export;
mod hash_folder;
mod hash_interrupted;
mod hash_workers;
mod hold;
mod import;
mod import_interrupted;
mod logs;
mod mirror;
mod operators;
mod orientation;
mod pictures;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "shared by several test programs, each of which uses a part")]
mod process;
mod review;
mod serving;
mod settings;
mod site;
mod statistics;
mod tls;
