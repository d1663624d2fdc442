//! All files, decoded as the hub has it done: in worker processes of the real program, locked in and limited.

use std::time::Duration;

use hashcommons::media::Turns;
use hashcommons::worker::{Pool, PoolConfig};

use crate::hostile;
use crate::trial::{self, Answer, Bounds, Refusal, text};
use crate::{alone, good};

fn pool(workers: usize) -> Pool {
    let program = env!("CARGO_BIN_EXE_hashcommons").into();
    Pool::start(PoolConfig { program, ..PoolConfig::with_workers(workers) }).unwrap()
}

/// The answer of `pool`'s workers.
fn hash(pool: &Pool, bytes: Vec<u8>) -> Answer {
    let pending = pool.submit(bytes, Turns::Shown).map_err(|error| Refusal::new("not taken", &error))?;
    let fingerprint = pending.wait().map_err(|error| Refusal::new(error.kind(), &error))?;
    Ok(text(&fingerprint))
}

#[test]
fn each_of_all_files_gets_one_answer_from_the_workers_and_costs_the_hub_nothing() {
    let _alone = alone();
    let pool = pool(2);
    let bounds = Bounds {
        // `crashed` is none of them: no file is known that a decoder panics over. One can be too slow where a machine has much
        // else to do.
        kinds: hostile::kinds::OF_FILES.into_iter().chain(["too-slow"]).collect(),
        patience: Duration::from_secs(100),
        // This process makes the files, too: up to 300 MB of them at a time. What they unpack to is more than the rest.
        memory_max: 600 << 20,
        at_once: 3,
        good: good(),
    };
    let report = trial::run(hostile::cases(), &bounds, move |bytes| hash(&pool, bytes));
    report.conclude();
    assert!(report.files() >= 20_000, "{} files", report.files());
}

#[test]
fn what_a_decoder_prints_over_many_files_is_not_held_against_the_next() {
    // tiff 0.11 prints a line to standard error when a text is longer than it takes.
    let talkative = hostile::crafted().find(|case| case.name.ends_with(": 2147483647 of type 2")).unwrap();
    let pool = pool(1);
    for n in 0..100 {
        let refusal = hash(&pool, talkative.bytes.clone()).unwrap_err();
        assert_eq!(refusal.kind, "too-much-memory", "file {n}");
    }
    assert!(hash(&pool, good()).is_ok());
}
