//! `bench corpus` and `bench index`: what the files hold, what the figures say, and what is wrong with other files.

use std::path::Path;

use hashcommons::domain::Pdq;
use hashcommons::index::Simd;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Ran, program};

const KINDS: [&str; 3] = ["uniform", "clustered", "skewed"];
const N: usize = 3_000;
const QUERIES: usize = 100;

/// Runs `bench` with these arguments in a folder.
fn bench(folder: &TempDir, arguments: &[&str]) -> Ran {
    program().current_dir(folder.path()).arg("bench").args(arguments).output().unwrap().into()
}

/// A folder with a corpus of `N` hashes and `QUERIES` queries.
fn corpus(kind: &str, seed: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (n, queries) = (N.to_string(), QUERIES.to_string());
    let made =
        bench(&folder, &["corpus", "--kind", kind, "--n", &n, "--queries", &queries, "--seed", seed, "--out", "."]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(made.stdout, format!(".: 3000 {kind} hashes, 50 fresh and 50 planted queries\n"));
    folder
}

/// Measures the corpus in a folder; gives one value an index.
fn measured(folder: &TempDir, more: &[&str]) -> Vec<Value> {
    let files = ["index", "--hashes", "hashes.bin", "--queries", "queries.bin", "--json"];
    let ran = bench(folder, &[&files[..], more].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()
}

fn hashes(file: &Path) -> Vec<Pdq> {
    let bytes = std::fs::read(file).unwrap();
    assert!(bytes.len().is_multiple_of(32));
    bytes.chunks(32).map(|hash| Pdq::from_bytes(hash.try_into().unwrap())).collect()
}

/// How many pairs of a query and a hash are within 31 bits.
fn pairs(queries: &[Pdq], hashes: &[Pdq]) -> usize {
    let near = |query: &Pdq| hashes.iter().filter(|hash| hash.distance(*query).bits() <= 31).count();
    queries.iter().map(near).sum()
}

#[test]
fn index_and_scan_find_every_pair_on_every_kind_of_corpus() {
    for kind in KINDS {
        let folder = corpus(kind, "1");
        let stored = hashes(&folder.path().join("hashes.bin"));
        let queries = hashes(&folder.path().join("queries.bin"));
        let (fresh, planted) = queries.split_at(QUERIES / 2);
        assert_eq!((stored.len(), queries.len()), (N, QUERIES));
        let expected = [pairs(fresh, &stored), pairs(planted, &stored)];
        // Each planted query has at least the hash that it was made from; `clustered` has variants of it besides.
        assert!(expected[1] >= QUERIES / 2 + if kind == "clustered" { 5 } else { 0 }, "{kind}: {expected:?}");

        let found = |row: &Value| ["fresh", "planted"].map(|half| row[half]["found"].as_u64().unwrap() as usize);
        let measured = measured(&folder, &[]);
        let names: Vec<_> = measured.iter().map(|row| row["index"].as_str().unwrap()).collect();
        assert_eq!(names, ["hashcommons-mih", "hashcommons-scan"]);
        for row in &measured {
            assert_eq!(found(row), expected, "{kind}: {row}");
            assert_eq!((&row["n"], &row["radius"]), (&N.into(), &31.into()), "{row}");
            for time in ["/build_s", "/fresh/p50_us", "/fresh/p99_us", "/planted/p50_us", "/planted/p99_us"] {
                assert!(row.pointer(time).unwrap().as_f64().unwrap() >= 0.0, "{time} in {row}");
            }
            if cfg!(target_os = "linux") {
                for figure in ["added_mib", "build_peak_mib", "bytes_per_hash"] {
                    assert!(row[figure].is_number(), "{figure} in {row}");
                }
            }
        }
    }
}

#[test]
fn a_smaller_radius_and_fewer_queries_find_less_and_a_limit_does_not() {
    let folder = corpus("clustered", "1");
    let found = |more: &[&str]| measured(&folder, more)[0]["planted"]["found"].as_u64().unwrap();
    let all = found(&[]);
    assert!(found(&["--radius", "10"]) < all);
    assert!(found(&["--queries-per-half", "10"]) < all);
    assert_eq!(found(&["--limit", "1"]), all);
    assert_eq!(measured(&folder, &["--index", "scan"]).len(), 1);
}

#[test]
fn the_kinds_differ_as_described_and_a_seed_repeats_itself() {
    let read =
        |folder: &TempDir| ["hashes.bin", "queries.bin"].map(|file| std::fs::read(folder.path().join(file)).unwrap());
    let bits = |hash: &Pdq| hash.words().iter().map(|word| word.count_ones()).sum::<u32>();
    for kind in KINDS {
        let folder = corpus(kind, "1");
        assert!(read(&folder) == read(&corpus(kind, "1")), "{kind}: the same seed");
        assert!(read(&folder) != read(&corpus(kind, "2")), "{kind}: another seed");

        let stored = hashes(&folder.path().join("hashes.bin"));
        // Of fair bits, nearly none has fewer than 80 of 256; a nearly flat hash has about 32.
        let flat = stored.iter().filter(|hash| bits(hash) < 80).count();
        let is_biased = |bit: usize| {
            let set = stored.iter().filter(|hash| hash.words()[bit / 64] >> (63 - bit % 64) & 1 == 1).count();
            !(N * 4 / 10..N * 6 / 10).contains(&set)
        };
        let biased = (0..256).filter(|bit| is_biased(*bit)).count();
        let near = pairs(&stored[..100], &stored) - 100;
        match kind {
            "uniform" => assert_eq!((flat, biased, near), (0, 0, 0)),
            "clustered" => assert!(flat == 0 && biased == 0 && near >= 100, "{flat} {biased} {near}"),
            _ => assert!((30..120).contains(&flat) && biased > 64, "{flat} {biased} {near}"),
        }
    }
}

#[test]
fn every_instruction_set_that_can_be_forced_finds_what_the_scan_finds() {
    let folder = corpus("skewed", "3");
    for simd in Simd::available() {
        // A difference to the scan would be an error.
        let rows = measured(&folder, &["--simd", &simd.to_string()]);
        assert_eq!((&rows[0]["simd"], &rows[1]["simd"]), (&simd.to_string().into(), &Value::Null));
    }
}

#[test]
fn a_changing_index_is_measured_idle_and_while_adding_and_add_by_add() {
    let folder = corpus("uniform", "1");
    let changing = ["--index", "mih", "--adding", "2000", "--seconds", "1", "--adds", "5000"];
    let row = measured(&folder, &changing).remove(0);
    let (adding, adds) = (&row["adding"], &row["adds"]);
    assert_eq!((&adding["asked_per_s"], &adding["added"], &adds["n"]), (&2000.into(), &2000.into(), &5000.into()));
    for figure in ["added_per_s", "p99_ratio"] {
        assert!(adding[figure].as_f64().unwrap() > 0.0, "{figure} in {adding}");
    }
    for spell in ["idle", "busy"] {
        for figure in ["lookups", "p50_us", "p99_us", "max_us"] {
            assert!(adding[spell][figure].as_f64().unwrap() > 0.0, "{figure} in {adding}");
        }
    }
    for figure in ["add_us", "add_max_us", "adds_per_s"] {
        assert!(adds[figure].as_f64().unwrap() > 0.0, "{figure} in {adds}");
    }
    if cfg!(target_os = "linux") {
        assert!(adds["add_cpu_us"].is_number(), "{adds}");
        for figure in ["resting_before_mib", "resting_mib", "peak_mib", "peak_ratio"] {
            assert!(adding[figure].is_number() && adds[figure].is_number(), "{figure} in {row}");
        }
    }
    let words =
        bench(&folder, &[&["index", "--hashes", "hashes.bin", "--queries", "queries.bin"], &changing[..]].concat());
    assert!(
        words.stdout.contains("p99 while adding is") && words.stdout.contains("5000 adds, one by one"),
        "{words:?}"
    );
}

#[test]
fn files_and_settings_that_cannot_be_measured_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, length) in [("empty.bin", 0), ("cut.bin", 33), ("one.bin", 32), ("two.bin", 64)] {
        std::fs::write(folder.path().join(name), vec![7; length]).unwrap();
    }
    for (hashes, queries, more, words) in [
        ("absent.bin", "two.bin", &[][..], "cannot read absent.bin"),
        ("two.bin", "absent.bin", &[], "cannot read absent.bin"),
        (".", "two.bin", &[], ". is not a file"),
        ("empty.bin", "two.bin", &[], "empty.bin is empty"),
        ("cut.bin", "two.bin", &[], "cut.bin has 33 bytes, which is not a multiple of 32"),
        ("two.bin", "cut.bin", &[], "cut.bin has 33 bytes, which is not a multiple of 32"),
        ("two.bin", "one.bin", &[], "one.bin has one query"),
        ("two.bin", "two.bin", &["--radius", "32"], "a radius of 32 bits is too wide: at most 31"),
        ("two.bin", "two.bin", &["--index", "scan", "--adds", "1"], "--adds measure the index `mih`"),
        ("two.bin", "two.bin", &["--adding", "1000000", "--seconds", "600"], "600000000 rows in all is too many"),
        ("two.bin", "two.bin", &["--index", "flat"], "mih, scan"),
        ("two.bin", "two.bin", &["--simd", "mmx"], "`mmx` cannot be used here: there is portable"),
    ] {
        let ran = bench(&folder, &[&["index", "--hashes", hashes, "--queries", queries], more].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "`{words}` is not in: {ran:?}");
    }
    std::fs::write(folder.path().join("file"), "").unwrap();
    let ran = bench(&folder, &["corpus", "--n", "1", "--out", "file"]);
    assert!(ran.code == 2 && ran.stderr.contains("cannot make the folder file"), "{ran:?}");
}
