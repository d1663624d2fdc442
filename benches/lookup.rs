//! Look-ups in memory: the index beside the linear scan, on the same rows and queries.
//!
//!     cargo bench --bench lookup                 # 1 million rows of each corpus
//!     cargo bench --bench lookup -- 10000000     # as many as you say
//!
//! First the answers are compared, then both are timed: one thread, one query at a time, radius 31. Every line shows the number of
//! neighbours found, so that two runs can be compared in more than time.

use std::time::{Duration, Instant};

use hashcommons::domain::{Distance, Entropy, SeededEntropy, SignalKind};
use hashcommons::index::{Flat, HammingIndex, Row, Writer};

/// Queries of each half: fresh values, and stored ones with a few bits flipped.
const QUERIES: usize = 1_000;
/// The scan is slow: it answers fewer.
const SCAN_QUERIES: usize = 50;

fn hash(entropy: &SeededEntropy) -> [u64; 4] {
    let bytes: [u8; 32] = (entropy as &dyn Entropy).bytes().expect("a seeded generator does not fail");
    std::array::from_fn(|word| u64::from_be_bytes(std::array::from_fn(|byte| bytes[8 * word + byte])))
}

/// `hash` with `bits` flips at random places; a place may be hit twice.
fn flipped(mut hash: [u64; 4], bits: u64, entropy: &SeededEntropy) -> [u64; 4] {
    for _ in 0..bits {
        let [place] = (entropy as &dyn Entropy).bytes::<1>().expect("a seeded generator does not fail");
        hash[usize::from(place >> 6)] ^= 1 << (place & 63);
    }
    hash
}

/// Independent fair bits.
fn uniform(rows: usize) -> Vec<Row<4>> {
    let entropy = SeededEntropy::new(1);
    (0..rows).map(|id| (hash(&entropy), id as u64)).collect()
}

/// Items with about six near-duplicate variants each, up to 40 flips apart: how real lists look.
fn clustered(rows: usize) -> Vec<Row<4>> {
    let entropy = SeededEntropy::new(2);
    let mut item = hash(&entropy);
    let row = |id| {
        if id % 6 == 0 {
            item = hash(&entropy);
        }
        (flipped(item, (id % 6) as u64 * 8, &entropy), id as u64)
    };
    (0..rows).map(row).collect()
}

struct Timed {
    p50: Duration,
    p99: Duration,
    found: usize,
}

fn timed(index: &impl HammingIndex<4>, queries: &[[u64; 4]]) -> Timed {
    let radius = SignalKind::Pdq.radius_max();
    let mut found = 0;
    let mut times: Vec<_> = queries
        .iter()
        .map(|query| {
            let start = Instant::now();
            let neighbours = index.search(query, radius, 100).expect("the radius is allowed");
            let elapsed = start.elapsed();
            found += neighbours.total;
            elapsed
        })
        .collect();
    times.sort_unstable();
    Timed { p50: times[times.len() / 2], p99: times[times.len() * 99 / 100], found }
}

fn run(name: &str, rows: &[Row<4>]) {
    let entropy = SeededEntropy::new(3);
    let fresh: Vec<_> = (0..QUERIES).map(|_| hash(&entropy)).collect();
    let stored = |n: usize| rows[n * (rows.len() / QUERIES).max(1) % rows.len()].0;
    let planted: Vec<_> = (0..QUERIES).map(|n| flipped(stored(n), n as u64 % 32, &entropy)).collect();

    let mut scan = Flat::new();
    rows.iter().for_each(|(hash, id)| scan.insert(*hash, *id));
    let start = Instant::now();
    let mut writer = Writer::open(SignalKind::Pdq.radius_max()).expect("a thread can be started");
    writer.extend(rows.iter().copied());
    let built = start.elapsed();
    let index = writer.reader();

    for query in fresh.iter().take(SCAN_QUERIES).chain(planted.iter().take(SCAN_QUERIES)) {
        for radius in [0, 15, 31].map(Distance::new) {
            let (ours, theirs) = (index.search(query, radius, usize::MAX), scan.search(query, radius, usize::MAX));
            assert_eq!(ours.ok(), theirs.ok(), "the index and the scan do not agree");
        }
    }
    println!("{name}, {} rows, index built in {:.2} s", rows.len(), built.as_secs_f64());
    for (which, queries) in [("fresh", &fresh), ("planted", &planted)] {
        let ours = timed(&index, queries);
        let theirs = timed(&scan, &queries[..SCAN_QUERIES]);
        for (method, queries, timed) in [("index", QUERIES, ours), ("scan", SCAN_QUERIES, theirs)] {
            println!(
                "  {method:<6} {which:<8} p50 {:>9.1} us  p99 {:>9.1} us  {} found by {queries} queries",
                timed.p50.as_secs_f64() * 1e6,
                timed.p99.as_secs_f64() * 1e6,
                timed.found
            );
        }
    }
}

fn main() {
    // Cargo passes `--bench`; a number is ours.
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    run("uniform", &uniform(rows));
    run("clustered", &clustered(rows));
}
