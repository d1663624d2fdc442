//! Bad checks.

use hashcommons::wire::v1::{self, SignalKind, check_media_request::Options, check_media_request::Part};

use super::{Row, bad};
use crate::items::{signal, some};
use crate::support::{check_of, pdq};

pub fn rows() -> Vec<Row> {
    [queries(), radii(), limits(), pictures()].concat()
}

fn queries() -> Vec<Row> {
    let mut without = check_of([pdq(1), pdq(2)]);
    without.queries[1].signal = None;
    vec![
        bad(check_of([]), "queries: must be 1 to 16, got 0"),
        bad(check_of((0..17).map(pdq)), "queries: must be 1 to 16, got 17"),
        bad(without, "queries[1].signal: is required"),
        bad(
            check_of([pdq(1), pdq(2), signal(SignalKind::Pdq, &pdq(3).value[1..])]),
            "queries[2].signal.value: must be 64 hex digits, got 63",
        ),
        bad(
            check_of([v1::Signal { kind: 6, ..pdq(1) }]),
            "queries[0].signal.kind: must be one of pdq, phash, dhash, md5, sha256, got 6",
        ),
        bad(
            check_of([v1::Signal { quality: Some(101), ..pdq(1) }]),
            "queries[0].signal.quality: must be 0 to 100, got 101",
        ),
        bad(
            check_of([v1::Signal { quality: Some(50), ..some(SignalKind::Md5, 1) }]),
            "queries[0].signal.quality: only pdq has one, not md5",
        ),
    ]
}

fn radii() -> Vec<Row> {
    let mut rows = Vec::new();
    for (kind, name, max) in [
        (SignalKind::Pdq, "pdq", 31),
        (SignalKind::Phash, "phash", 8),
        (SignalKind::Dhash, "dhash", 8),
        (SignalKind::Md5, "md5", 0),
        (SignalKind::Sha256, "sha256", 0),
    ] {
        for radius in [max + 1, 65_536, u32::MAX] {
            let mut check = check_of([pdq(1), some(kind, 2)]);
            check.queries[1].radius = Some(radius);
            rows.push(bad(check, &format!("queries[1].radius: must be 0 to {max} for {name}, got {radius}")));
        }
    }
    rows
}

fn limits() -> Vec<Row> {
    let limit = |limit, message: &str| {
        let options = Part::Options(Options { limit: Some(limit), dihedral: false });
        let picture = Part::Chunk(crate::media::png(&crate::media::drawing(64, 64)));
        [
            bad(v1::CheckRequest { limit: Some(limit), ..check_of([pdq(1)]) }, message),
            bad(vec![options, picture], message),
        ]
    };
    let tag = |tag: String, message: &str| bad(v1::CheckRequest { tag, ..check_of([pdq(1)]) }, message);
    [
        limit(0, "limit: must be 1 to 1000, got 0").to_vec(),
        limit(1_001, "limit: must be 1 to 1000, got 1001").to_vec(),
        vec![
            tag("x".repeat(65), "tag: must be at most 64 bytes, got 65"),
            // Bytes, not characters.
            tag("é".repeat(33), "tag: must be at most 64 bytes, got 66"),
        ],
    ]
    .concat()
}

fn pictures() -> Vec<Row> {
    let options = || Part::Options(Options { limit: Some(10), dihedral: true });
    let picture = || Part::Chunk(crate::media::png(&crate::media::drawing(64, 64)));
    vec![
        bad(vec![], "media: the file is empty"),
        bad(vec![options(), options(), picture()], "options: must come first, and once"),
        bad(vec![picture(), options()], "options: must come first, and once"),
    ]
}
