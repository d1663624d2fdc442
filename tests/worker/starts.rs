//! Pools that cannot be started say why, and leave nothing behind.

use hashcommons::media::DecodeLimits;
use hashcommons::worker::{PoolConfig, Sandboxing, StartError};

use crate::fake::{Fake, PDQ, run, start};

#[test]
fn a_worker_that_is_none_or_cannot_lock_itself_in_is_not_used() {
    for (mode, words) in [
        ("dies", "the worker ended: exit status: 3: no, thank you"),
        ("forbidden", "the worker ended: it tried what it may not"),
        ("chatty", "the worker does not speak as a worker: its greeting is none"),
        ("unavailable", "there is no wall"),
        ("old", "the worker is of version 0.0.1, not "),
        ("free", "the worker did not lock itself in"),
    ] {
        let fake = Fake::new(mode);
        let error = start(fake.config(2)).unwrap_err();
        assert!(error.to_string().starts_with(words), "{mode}: {error}");
        assert!(fake.nobody_left(), "{mode}");
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let config = PoolConfig { program: "/nonexistent/hashcommons".into(), ..PoolConfig::with_workers(2) };
    let error = start(config).unwrap_err();
    assert!(matches!(error, StartError::Spawn { .. }), "{error:?}");
    assert!(error.to_string().starts_with("cannot start /nonexistent/hashcommons: No such file"), "{error}");
}

#[test]
fn a_worker_that_is_not_locked_in_is_used_where_that_is_said_and_only_there() {
    let fake = Fake::new("free");
    let pool = start(PoolConfig { sandboxing: Sandboxing::Off, ..fake.config(1) }).unwrap();
    assert!(!pool.held().seccomp);
    assert_eq!(run(&pool, "good"), Ok(PDQ.to_owned()));
}

#[test]
fn files_that_would_leave_no_memory_to_decode_them_are_no_setting() {
    let with = |bytes_max| {
        let limits = DecodeLimits { bytes_max, ..DecodeLimits::default() };
        PoolConfig { limits, ..PoolConfig::with_workers(1) }.check()
    };
    assert_eq!(with(400 << 20), Ok(()));
    assert!(matches!(with(500 << 20), Err(StartError::TooLittleMemory { .. })));
    assert!(matches!(with(usize::MAX), Err(StartError::TooLittleMemory { .. })));
}
