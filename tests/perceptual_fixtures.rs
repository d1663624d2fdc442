//! The 64-bit perceptual hashes must not change between releases: lists hold their values.
//!
//! If this fails after `image` or `image_hasher` was updated, do not change the values: stored hashes would stop matching.

#[path = "support/drawings.rs"]
mod drawings;

use hashcommons::media::Words;

/// Drawing, width, height, `phash`, `dhash`.
const PINNED: &[(&str, u32, u32, &str, &str)] = &[
    ("rings", 64, 64, "1d03030001000000", "7cfcfcfcfcfcfcfc"),
    ("rings", 129, 257, "1d03030001000000", "78fcfcfcfcfcfcfc"),
    ("checks", 321, 243, "0100400000800000", "2bd4eb6a556a55a1"),
    ("slope", 160, 90, "0100000000000000", "ffffffffffffffff"),
    ("blobs", 255, 191, "0506030001000000", "c1c0e0f0783e1f0f"),
    ("noise", 150, 150, "0100000000000000", "9e94cb5455614c62"),
    ("noise", 8, 8, "090820006c210112", "2d1989b298dbcfb2"),
];

#[test]
fn phash_and_dhash_of_our_drawings_are_what_they_were_in_every_release() {
    for &(drawing, width, height, expected_phash, expected_dhash) in PINNED {
        let Words { phash, dhash } = Words::of(&drawings::draw(drawing, width, height));
        let hashes = (phash.to_string(), dhash.to_string());
        assert_eq!(hashes, (expected_phash.into(), expected_dhash.into()), "{drawing} {width}x{height}");
    }
}
