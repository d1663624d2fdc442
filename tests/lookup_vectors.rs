//! Lookup against other people's answers: 1,350 stored PDQ hashes, 100 needles, and every pair within 31 bits.
//!
//! The vectors are not part of the project. `HASHCOMMONS_VECTORS` names their folder (`../shared/vectors` if unset);
//! without it this test is skipped, unless `HASHCOMMONS_VECTORS_REQUIRED=1` makes that a failure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use hashcommons::domain::{Pdq, SignalKind};
use hashcommons::index::{Flat, HammingIndex, Writer};

/// Line of the needle, line of the stored hash, distance.
type Pair = (u64, u64, u64);

fn vectors() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = env::var_os("HASHCOMMONS_VECTORS").map_or_else(beside, PathBuf::from).join("lookup");
    if folder.is_dir() {
        return Some(folder);
    }
    let is_required = env::var_os("HASHCOMMONS_VECTORS_REQUIRED").is_some_and(|value| value == "1");
    assert!(!is_required, "no vectors at {}, but HASHCOMMONS_VECTORS_REQUIRED=1", folder.display());
    eprintln!("skipped: no vectors at {}", folder.display());
    None
}

fn hashes(file: &Path) -> Vec<[u64; 4]> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| line.parse::<Pdq>().unwrap().words()).collect()
}

fn expected_pairs(file: &Path) -> (u64, BTreeSet<Pair>) {
    let matches: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let number = |value: &serde_json::Value| value.as_u64().unwrap();
    let pair = |pair: &serde_json::Value| (number(&pair[0]), number(&pair[1]), number(&pair[2]));
    (number(&matches["radius"]), matches["matches"].as_array().unwrap().iter().map(pair).collect())
}

fn pairs(index: &impl HammingIndex<4>, needles: &[[u64; 4]]) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for (line, needle) in needles.iter().enumerate() {
        let found = index.search(needle, SignalKind::Pdq.radius_max(), usize::MAX).unwrap();
        assert!(!found.more());
        pairs.extend(found.nearest.iter().map(|n| (line as u64, n.id, u64::from(n.distance.bits()))));
    }
    pairs
}

#[test]
fn lookup_finds_exactly_the_published_pairs() {
    let Some(folder) = vectors() else { return };
    let (stored, needles) = (hashes(&folder.join("haystack.txt")), hashes(&folder.join("needles.txt")));
    let (radius, expected) = expected_pairs(&folder.join("matches.json"));
    assert_eq!(radius, u64::from(SignalKind::Pdq.radius_max().bits()));
    assert!(!expected.is_empty());

    let mut flat = Flat::new();
    let mut writer = Writer::open(SignalKind::Pdq.radius_max()).unwrap();
    for (hash, id) in stored.iter().zip(0..) {
        flat.insert(*hash, id);
        writer.insert(*hash, id);
    }
    assert_eq!(pairs(&flat, &needles), expected, "the linear scan");
    assert_eq!(pairs(&writer.reader(), &needles), expected, "the index, rows added one by one");

    // So few rows are scanned. Among many that are near nothing they are found by band.
    let mut state = 1_u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state.rotate_left(32)
    };
    let mut writer = Writer::open(SignalKind::Pdq.radius_max()).unwrap();
    let filling = (stored.len() as u64..100_000).map(|id| (std::array::from_fn(|_| word()), id));
    writer.extend(stored.iter().copied().zip(0..).chain(filling));
    assert_eq!(pairs(&writer.reader(), &needles), expected, "the index, among 100,000 rows");
}
