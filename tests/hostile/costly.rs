//! Files that cost far more than their length, and what is said of them: each is refused before its cost comes up, and what a real
//! file may have is not.

use hashcommons::media::{DecodeLimits, Turns, fingerprint};

use crate::hostile;

/// A crafted file by its name, and the kind of its refusal; none if it is hashed.
const EXPECTED: &[(&str, Option<&str>)] = &[
    ("JPEG scans: 99 first on 2000x2000", None),
    ("JPEG scans: 99 refining on 10000x10000", Some("too-much-work")),
    ("JPEG segments: 1,000 pieces of extended XMP", None),
    ("JPEG segments: 20,000 pieces of extended XMP", Some("too-much-work")),
    ("GIF size: 10x10, a frame of 11,000x11,000", Some("too-much-memory")),
    ("PNG chunks: a colour profile of 1 GiB", None),
    ("PNG size: 10x10 with 2 GiB of data", None),
    ("TIFF unpacking: a tile of 2,147,483,648 columns", Some("too-much-work")),
    ("TIFF unpacking: tiles of 1,048,576 columns, all the same bytes", Some("too-much-work")),
    ("TIFF unpacking: 65,535 samples a pixel", Some("too-much-work")),
    ("TIFF unpacking: RGB, 1,000 times a JPEG of 9,000x9,000", Some("too-much-work")),
    ("WebP claims: 16,383x6,103, 100,000 frames of one pixel", Some("too-much-memory")),
];

#[test]
fn a_file_that_costs_more_than_its_length_is_refused_before_it_does() {
    let limits = DecodeLimits::default();
    let mut found = Vec::new();
    for case in hostile::crafted() {
        let Some((name, expected)) = EXPECTED.iter().find(|(name, _)| *name == case.name) else { continue };
        let answer = fingerprint(&case.bytes, &limits, Turns::Shown);
        assert_eq!(answer.as_ref().err().map(|error| error.kind()), *expected, "{name}: {answer:?}");
        found.push(*name);
    }
    assert_eq!(found.len(), EXPECTED.len(), "only {found:?}");
}
