//! PDQ against the reference implementation: the project's own drawings, and the shared vectors where they are at hand.
//!
//! The shared vectors are files of others and not part of this repository. `HASHCOMMONS_VECTORS` names their folder
//! (default `../shared/vectors`); without it the tests that need it say so and pass, unless
//! `HASHCOMMONS_VECTORS_REQUIRED=1`.

#[path = "support/drawings.rs"]
mod drawings;

use std::path::{Path, PathBuf};

use hashcommons::domain::{Orientation, Pdq, Quality};
use hashcommons::media::pdq::Simd;
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

/// A drawing as `fixtures/pdq/expected.json` names it, with what the reference says of it.
struct Drawn {
    name: String,
    picture: Picture,
    line: Value,
}

/// Every drawing, one after another: the largest has 12 million pixels.
fn drawn() -> impl Iterator<Item = Drawn> {
    lines(include_str!("fixtures/pdq/expected.json")).into_iter().map(|line| {
        let size = |side: &str| line[side].as_u64().unwrap() as u32;
        let name = format!("{} {}x{}", text(&line, "drawing"), size("width"), size("height"));
        let picture = drawings::draw(text(&line, "drawing"), size("width"), size("height"));
        Drawn { name, picture, line }
    })
}

#[test]
fn our_drawings_have_the_hashes_and_quality_that_the_reference_computes() {
    for Drawn { name, picture, line } in drawn() {
        assert_eq!(
            sha256(picture.pixels().as_flattened()).hex(),
            text(&line, "sha256"),
            "{name}: not the picture that the reference hashed"
        );
        let expected = Expected::of(&line);
        assert_eq!(expected.difference(pdq::hash(&picture).unwrap()), None, "{name}");
        for simd in Simd::available() {
            assert_eq!(expected.difference(pdq::hash_on(simd, &picture).unwrap()), None, "{name}, {simd}");
            let (hashes, quality) = pdq::hash_dihedral_on(simd, &picture).unwrap();
            assert_eq!(u64::from(quality.percent()), expected.quality, "{name}, {simd}");
            for (orientation, hash) in hashes.iter() {
                assert_eq!(
                    hash.to_string(),
                    text(&line["dihedral"], orientation.code()),
                    "{name}, {simd}, {orientation}"
                );
                assert_eq!(hash, hashes.hash(orientation));
            }
        }
    }
}

#[test]
fn a_drawing_moved_by_one_pixel_does_not_pass_for_the_drawing() {
    // The control of the test above: it must be able to fail.
    let differences = drawn().filter(|Drawn { picture, line, .. }| {
        let mut rgb = picture.pixels().as_flattened().to_vec();
        rgb.rotate_right(3);
        let moved = Picture::from_rgb8(picture.width(), picture.height(), rgb).unwrap();
        Expected::of(line).difference(pdq::hash(&moved).unwrap()).is_some()
    });
    assert!(differences.count() >= 10);
}

/// The picture turned: what [`Orientation`] says is at each place.
fn turned(picture: &Picture, orientation: Orientation) -> Picture {
    use Orientation::{
        AsStored, FlippedHorizontally, FlippedVertically, Rotated90, Rotated180, Rotated270, Transposed, Transversed,
    };
    let (w, h) = (picture.width(), picture.height());
    let (width, height) = match orientation {
        AsStored | Rotated180 | FlippedHorizontally | FlippedVertically => (w, h),
        Rotated90 | Rotated270 | Transposed | Transversed => (h, w),
    };
    let stored = |x: u32, y: u32| match orientation {
        AsStored => (x, y),
        Rotated90 => (y, h - 1 - x),
        Rotated180 => (w - 1 - x, h - 1 - y),
        Rotated270 => (w - 1 - y, x),
        FlippedHorizontally => (w - 1 - x, y),
        FlippedVertically => (x, h - 1 - y),
        Transposed => (y, x),
        Transversed => (w - 1 - y, h - 1 - x),
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixel = |(x, y): (u32, u32)| picture.pixels()[(y * w + x) as usize];
    let rgb = places.flat_map(|(x, y)| pixel(stored(x, y))).collect();
    Picture::from_rgb8(width, height, rgb).unwrap()
}

#[test]
fn a_drawing_that_is_really_turned_is_nearest_to_the_hash_that_was_told_of_it() {
    // Of an odd number of pixels a box has a middle. Of an even number it has none, and what is half a pixel to the right in a
    // picture is half a pixel to the left in its mirror image: where a cell of the grid is two pixels wide, that is much.
    const BITS_MAX_OF_ODD_BOXES: u16 = 10;
    const BITS_MAX: u16 = 72;
    let has_odd_box = |side: u32| !side.div_ceil(128).is_multiple_of(2);
    let (mut odd, mut even) = (0, 0);
    for Drawn { name, picture, .. } in drawn().filter(|drawn| drawn.picture.pixels().len() < 400_000) {
        let (told, quality) = pdq::hash_dihedral(&picture).unwrap();
        // Of what is too faint to match, the hash is noise; on less than 64 pixels cells share them.
        if !quality.is_matchable() || picture.width().min(picture.height()) < 64 {
            continue;
        }
        let bits_max = if has_odd_box(picture.width()) && has_odd_box(picture.height()) {
            odd += 1;
            BITS_MAX_OF_ODD_BOXES
        } else {
            even += 1;
            BITS_MAX
        };
        for (orientation, hash) in told.iter() {
            let (found, _) = pdq::hash(&turned(&picture, orientation)).unwrap();
            let bits = found.distance(hash).bits();
            assert!(bits <= bits_max, "{name}, {orientation}: {bits} bits");
            let others = told.iter().filter(|(other, _)| *other != orientation);
            let next = others.map(|(_, hash)| found.distance(hash).bits()).min().unwrap();
            assert!(bits < next, "{name}, {orientation}: {bits} bits, and {next} from another");
        }
    }
    assert!(odd >= 3 && even >= 3, "{odd} and {even} are too few to prove anything");
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

#[test]
fn photographs_that_were_turned_and_saved_again_have_nearly_the_hashes_that_were_told_of_the_original() {
    const BITS_MAX: u16 = 10;
    // Whoever made the files rotated counterclockwise, and by X meant the axis.
    const TURNED: [(&str, Orientation); 7] = [
        ("bridge-2-rotate-90.jpg", Orientation::Rotated270),
        ("bridge-3-rotate-180.jpg", Orientation::Rotated180),
        ("bridge-4-rotate-270.jpg", Orientation::Rotated90),
        ("bridge-5-flipx.jpg", Orientation::FlippedVertically),
        ("bridge-6-flipy.jpg", Orientation::FlippedHorizontally),
        ("bridge-7-flip-plus-1.jpg", Orientation::Transposed),
        ("bridge-8-flip-minus-1.jpg", Orientation::Transversed),
    ];
    let Some(folder) = vectors() else { return };
    let folder = folder.join("files/dih");
    let (told, _) = pdq::hash_dihedral(&picture(&folder.join("bridge-1-original.jpg"))).unwrap();
    for (file, orientation) in TURNED {
        let (hash, _) = pdq::hash(&picture(&folder.join(file))).unwrap();
        let bits = hash.distance(told.hash(orientation)).bits();
        println!("{file}: {bits} bits");
        assert!(bits <= BITS_MAX, "{file}: {bits} bits");
    }
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
