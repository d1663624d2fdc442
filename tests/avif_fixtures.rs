//! AVIF files of every kind against what Pillow and Meta's PDQ make of them (`tests/fixtures/media/avif/expected.py`).

use std::path::Path;

use hashcommons::domain::{Orientation, Pdq};
use hashcommons::media::{DecodeLimits, Format, Picture, Turns, decode, fingerprint, pdq};
use serde_json::Value;

/// Bits that a hash may be away from the reference's. All are within 10; of these drawings none is further than this.
const BITS_MAX: u16 = 4;

/// How far a sample may be from Pillow's, and why further than by rounding.
fn levels_max(file: &str) -> u8 {
    match file {
        // Pillow mixes colours by libyuv, whose part of blue in blue is 2 where BT.709 has 2.11.
        "boxes-bt709-limited.avif" => 13,
        // Its rounding errors are divided by an alpha of down to 40 of 255.
        "8-bit-alpha-multiplied.avif" => 9,
        // It interpolates chroma across the seams of tiles.
        "grid.avif" => 14,
        _ => 3,
    }
}

fn lines() -> Vec<Value> {
    let lines: Vec<Value> = serde_json::from_str(include_str!("fixtures/media/avif/expected.json")).unwrap();
    assert!(lines.len() > 40, "a comparison with nothing proves nothing");
    lines
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {line}"))
}

fn number(line: &Value, field: &str) -> u64 {
    line[field].as_u64().unwrap_or_else(|| panic!("no `{field}` in {line}"))
}

fn bytes(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/media/avif").join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The largest difference from the samples of `line`, which the script took at these places.
fn levels_away(picture: &Picture, line: &Value) -> u8 {
    let samples: Vec<u8> = (0..text(line, "samples").len() / 2)
        .map(|at| u8::from_str_radix(&text(line, "samples")[2 * at..][..2], 16).unwrap())
        .collect();
    assert_eq!(samples.len(), 3 * 256);
    let pixels = picture.pixels();
    let ours = (0..256).flat_map(|n| pixels[n * 7919 % pixels.len()]);
    ours.zip(samples).map(|(ours, theirs)| ours.abs_diff(theirs)).max().unwrap()
}

#[test]
fn every_kind_of_avif_has_nearly_the_pixels_and_the_hash_that_the_reference_has() {
    let mut wrong = Vec::new();
    for line in lines() {
        let file = text(&line, "file");
        let picture =
            decode(&bytes(file), &DecodeLimits::default()).unwrap_or_else(|error| panic!("{file}: {error:?}"));
        assert_eq!(u64::from(picture.width()), number(&line, "width"), "{file}");
        assert_eq!(u64::from(picture.height()), number(&line, "height"), "{file}");
        let (hash, quality) = pdq::hash(&picture).unwrap();
        let bits = hash.distance(text(&line, "pdq").parse::<Pdq>().unwrap()).bits();
        let levels = levels_away(&picture, &line);
        let quality_away = number(&line, "quality").abs_diff(quality.percent().into());
        if bits > BITS_MAX || levels > levels_max(file) || quality_away > 1 {
            wrong.push(format!("{file}: {bits} bits, {levels} levels, quality {quality}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn pixels_that_are_one_column_off_do_not_pass_for_the_references() {
    // The control of the test above.
    let moved = lines().into_iter().filter(|line| {
        let picture = decode(&bytes(text(line, "file")), &DecodeLimits::default()).unwrap();
        let mut rgb = picture.pixels().as_flattened().to_vec();
        rgb.rotate_right(3);
        let moved = Picture::from_rgb8(picture.width(), picture.height(), rgb).unwrap();
        levels_away(&moved, line) > levels_max(text(line, "file"))
    });
    assert_eq!(moved.count(), lines().len());
}

#[test]
fn pixels_are_as_stored_and_the_turn_that_the_file_asks_for_is_told_beside_them() {
    let mut turned = 0;
    for line in lines() {
        let file = text(&line, "file");
        let fingerprint = fingerprint(&bytes(file), &DecodeLimits::default(), Turns::Shown).unwrap();
        assert_eq!(fingerprint.format, Format::Avif, "{file}");
        let shown = fingerprint.turned.first().map_or(Orientation::AsStored, |reading| reading.orientation);
        let tag = number(&line, "orientation") as u16;
        assert_eq!(Some(shown), Orientation::from_exif(tag), "{file}");
        turned += usize::from(shown != Orientation::AsStored);
    }
    assert_eq!(turned, 7);
}
