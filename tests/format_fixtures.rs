//! One picture in every format and colour mode, held to what the reference says of it.
//!
//! `fixtures/formats/make.py` made the files and the expected values.

use hashcommons::domain::{Orientation, Pdq};
use hashcommons::media::{DecodeLimits, Turns, fingerprint};
use serde_json::Value;

/// The published conformance rule: as far as decoders of lossy formats may lead two hashes apart.
const BITS_MAX: u16 = 10;

#[test]
fn a_picture_in_any_format_and_colour_mode_has_the_references_hash() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/formats");
    let lines: Vec<Value> = serde_json::from_str(include_str!("fixtures/formats/expected.json")).unwrap();
    let mut wrong = Vec::new();
    let mut formats = std::collections::BTreeSet::new();
    for line in &lines {
        let file = line["file"].as_str().unwrap();
        let bytes = std::fs::read(format!("{folder}/{file}")).unwrap();
        let print = match fingerprint(&bytes, &DecodeLimits::default(), Turns::Shown) {
            Ok(print) => print,
            Err(error) => {
                wrong.push(format!("{file}: {error}"));
                continue;
            }
        };
        formats.insert(print.format.code());
        assert_eq!(Some(u64::from(print.width)), line["width"].as_u64(), "{file}");
        assert_eq!(Some(u64::from(print.height)), line["height"].as_u64(), "{file}");
        assert_eq!(print.stored.orientation, Orientation::AsStored);
        let expected: Pdq = line["pdq"].as_str().unwrap().parse().unwrap();
        let bits = print.stored.pdq.distance(expected).bits();
        let quality = u64::from(print.stored.quality.percent());
        let same = bits == 0 && Some(quality) == line["quality"].as_u64();
        println!("{file}: {bits} bits, quality {quality}");
        let lossless = line["same"].as_bool().unwrap();
        let wanted = if lossless { same } else { bits <= BITS_MAX && quality >= 80 };
        if !wanted {
            wrong.push(format!("{file}: {bits} bits away, quality {quality}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(formats.into_iter().collect::<Vec<_>>(), ["bmp", "gif", "jpeg", "png", "tiff", "webp"]);
    assert!(lines.len() >= 35, "{} files", lines.len());
}
