//! PDQ against the reference implementation: the project's own drawings, and the shared vectors where they are at hand.
//!
//! The shared vectors are files of others and not part of this repository. `HASHCOMMONS_VECTORS` names their folder
//! (default `../shared/vectors`); without it the tests that need it say so and pass, unless
//! `HASHCOMMONS_VECTORS_REQUIRED=1`.

#[path = "support/drawings.rs"]
mod drawings;

use std::path::{Path, PathBuf};

use hashcommons::domain::{Pdq, Quality};
use hashcommons::media::{DecodeLimits, Picture, decode, pdq, sha256};
use serde_json::Value;

/// What the reference says of one picture.
struct Expected {
    pdq: Pdq,
    quality: u64,
}

impl Expected {
    fn of(line: &Value) -> Self {
        Self { pdq: text(line, "pdq").parse().unwrap(), quality: line["quality"].as_u64().unwrap() }
    }

    /// The first difference, in words.
    fn difference(&self, (hash, quality): (Pdq, Quality)) -> Option<String> {
        let bits = hash.distance(self.pdq);
        let same = bits.bits() == 0 && u64::from(quality.percent()) == self.quality;
        (!same).then(|| format!("{bits} bits away, quality {quality} instead of {}", self.quality))
    }
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {line}"))
}

fn lines(json: &str) -> Vec<Value> {
    let lines: Vec<Value> = serde_json::from_str(json).unwrap();
    assert!(!lines.is_empty(), "a comparison with nothing proves nothing");
    lines
}

#[test]
fn our_drawings_have_the_hash_and_quality_that_the_reference_computes() {
    for line in lines(include_str!("fixtures/pdq/expected.json")) {
        let size = |side: &str| line[side].as_u64().unwrap() as u32;
        let name = format!("{} {}x{}", text(&line, "drawing"), size("width"), size("height"));
        let picture = drawings::draw(text(&line, "drawing"), size("width"), size("height"));
        assert_eq!(
            sha256(picture.pixels().as_flattened()).hex(),
            text(&line, "sha256"),
            "{name}: not the picture that the reference hashed"
        );
        let difference = Expected::of(&line).difference(pdq::hash(&picture).unwrap());
        assert_eq!(difference, None, "{name}");
    }
}

#[test]
fn a_drawing_moved_by_one_pixel_does_not_pass_for_the_drawing() {
    // The control of the test above: it must be able to fail.
    let differences = lines(include_str!("fixtures/pdq/expected.json")).into_iter().filter(|line| {
        let size = |side: &str| line[side].as_u64().unwrap() as u32;
        let picture = drawings::draw(text(line, "drawing"), size("width"), size("height"));
        let mut rgb = picture.pixels().as_flattened().to_vec();
        rgb.rotate_right(3);
        let moved = Picture::from_rgb8(picture.width(), picture.height(), rgb).unwrap();
        Expected::of(line).difference(pdq::hash(&moved).unwrap()).is_some()
    });
    assert!(differences.count() >= 10);
}

#[test]
fn of_the_same_pixels_the_hash_and_quality_are_identical_to_the_references() {
    let Some(folder) = vectors() else { return };
    let mut differences = Vec::new();
    let lines = lines(&read(&folder.join("pixels.json")));
    for line in &lines {
        let file = text(line, "file");
        let hashed = pdq::hash(&picture(&folder.join(file))).unwrap();
        differences.extend(Expected::of(line).difference(hashed).map(|difference| format!("{file}: {difference}")));
    }
    assert_eq!(differences, [""; 0], "of {} pictures", lines.len());
}

#[test]
fn of_the_same_files_by_our_own_decoder_the_hash_is_within_ten_bits_where_quality_is_at_least_80() {
    const BITS_MAX: u16 = 10;
    let Some(folder) = vectors() else { return };
    let mut too_far = Vec::new();
    let mut compared = 0;
    let lines = lines(&read(&folder.join("files.json")));
    for line in &lines {
        let (file, expected) = (text(line, "file"), Expected::of(line));
        let picture = picture(&folder.join(file));
        assert_eq!(u64::from(picture.width()), line["width"].as_u64().unwrap(), "{file}");
        assert_eq!(u64::from(picture.height()), line["height"].as_u64().unwrap(), "{file}");
        let (hash, quality) = pdq::hash(&picture).unwrap();
        if let Some(difference) = expected.difference((hash, quality)) {
            println!("{file}: {difference}");
        }
        if expected.quality >= 80 {
            compared += 1;
            if hash.distance(expected.pdq).bits() > BITS_MAX || u64::from(quality.percent()) < 80 {
                too_far.push(file);
            }
        }
    }
    assert!(compared > 0);
    assert_eq!(too_far, [""; 0], "of {compared} files");
}

/// The folder with PDQ's vectors, or `None` if it is not at hand and need not be.
fn vectors() -> Option<PathBuf> {
    let folder = match std::env::var_os("HASHCOMMONS_VECTORS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"),
    };
    let folder = folder.join("pdq");
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("HASHCOMMONS_VECTORS_REQUIRED").is_some_and(|value| value == "1");
    assert!(!required, "the vectors are required, and {} is not there", folder.display());
    println!("skipped: there are no vectors at {}", folder.display());
    None
}

fn picture(path: &Path) -> Picture {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    decode(&bytes, &DecodeLimits::default()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
