//! What a hostile or rare file does. That ordinary ones are read right is shown by `tests/avif_fixtures.rs`.

use std::error::Error;

use proptest::prelude::*;

use super::*;
use crate::media::decode;

macro_rules! fixtures {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("../../../../tests/fixtures/media/avif/", $name, ".avif")))),*]
    };
}

/// One of each kind.
const FIXTURES: &[(&str, &[u8])] = fixtures! {
    "8-bit-420-odd-sides" "8-bit-420-film-grain" "8-bit-420-tiles" "8-bit-422" "8-bit-grey" "8-bit-rgb-lossless"
    "8-bit-alpha-multiplied" "10-bit-420" "12-bit-444" "12-bit-grey" "turned-5" "sequence" "sequence-without-items" "grid"
    "boxes-inside" "boxes-pieces" "ycgco"
};

fn fixture(name: &str) -> Vec<u8> {
    FIXTURES.iter().find(|(other, _)| *other == name).unwrap_or_else(|| panic!("no {name}")).1.to_vec()
}

/// So little that a test of damaged headers takes no time or memory, and enough for every fixture.
fn tight() -> DecodeLimits {
    DecodeLimits { bytes_max: 1 << 20, pixels_max: 1 << 17, side_max: 1 << 12, memory_max: 4 << 20 }
}

/// Why `bytes` are refused: the kind of refusal, and the decoder's reason if it has one.
fn refusal(bytes: &[u8]) -> (&'static str, String) {
    let error = decode::decode(bytes, &tight()).unwrap_err();
    (error.kind(), error.source().map(ToString::to_string).unwrap_or_default())
}

fn position(bytes: &[u8], of: &[u8]) -> usize {
    bytes.windows(of.len()).position(|window| window == of).unwrap()
}

/// The file with the first `from` replaced.
fn replaced<const N: usize>(mut bytes: Vec<u8>, from: &[u8; N], to: &[u8; N]) -> Vec<u8> {
    let at = position(&bytes, from);
    bytes[at..][..N].copy_from_slice(to);
    bytes
}

fn damaged_because(why: &str) -> (&'static str, String) {
    ("damaged", why.to_owned())
}

fn unsupported_because(what: &str) -> (&'static str, String) {
    ("unsupported", what.to_owned())
}

#[test]
fn what_is_in_avif_but_no_av1_picture_is_named() {
    let odd = fixture("8-bit-420-odd-sides");
    assert_eq!(
        refusal(&replaced(odd.clone(), b"av01Color", b"hvc1Color")),
        unsupported_because("a picture of kind `hvc1`")
    );
    assert_eq!(
        refusal(&replaced(odd, b"\0\0\0\x0cav1C", b"\0\0\0\x0cwxyz")),
        unsupported_because("the essential property `wxyz`")
    );
    let track = replaced(fixture("sequence-without-items"), b"av01\0\0\0\0", b"vp09\0\0\0\0");
    assert_eq!(refusal(&track), unsupported_because("a track of kind `vp09`"));
}

#[test]
fn a_file_of_the_same_family_without_the_brand_is_of_no_known_format() {
    let mut heic = fixture("boxes-inside");
    while heic.windows(4).any(|name| name == b"avif") {
        heic = replaced(heic, b"avif", b"heic");
    }
    assert_eq!(refusal(&heic).0, "unknown-format");
}

#[test]
fn a_picture_has_the_size_that_its_container_announces_or_none() {
    // In `ispe` the first side is 101.
    let other = replaced(fixture("8-bit-420-odd-sides"), &[0, 0, 0, 101], &[0, 0, 0, 102]);
    assert_eq!(refusal(&other), damaged_because("the picture has another size than announced"));
    let none = replaced(fixture("8-bit-420-odd-sides"), &[0, 0, 0, 101], &[0, 0, 0, 0]);
    assert_eq!(refusal(&none), damaged_because("the picture has no pixels"));
}

#[test]
fn memory_is_counted_for_the_samples_that_the_stream_announces() {
    let needed = |name: &str| {
        let needs = |memory_max: &usize| {
            decode::decode(&fixture(name), &DecodeLimits { memory_max: *memory_max, ..tight() }).is_err()
        };
        (1..4096).map(|kib| kib << 10).take_while(needs).last().unwrap()
    };
    // All of 144x112 pixels.
    let [grey, half, deep, grain] = ["8-bit-grey", "8-bit-422", "12-bit-444", "8-bit-420-film-grain"].map(needed);
    assert!(grey < half && half < deep && 2 * half < deep, "{grey} {half} {deep}");
    assert!(grain > needed("8-bit-alpha-multiplied"), "grain is drawn into a copy");
}

#[test]
fn an_item_cannot_be_in_more_pieces_than_the_file_has_bytes() {
    let mut bytes = fixture("boxes-pieces");
    let file = bytes.len() as u32;
    // Both pieces are now the file but for a byte.
    let iloc = position(&bytes, b"iloc") + 4 + 4 + 4 + 8;
    for piece in bytes[iloc..][..16].as_chunks_mut::<8>().0 {
        piece[..4].copy_from_slice(&1u32.to_be_bytes());
        piece[4..].copy_from_slice(&(file - 1).to_be_bytes());
    }
    assert_eq!(refusal(&bytes), damaged_because("an item is longer than the file"));
}

#[test]
fn an_item_in_far_more_pieces_than_any_picture_has_is_not_put_together() {
    let mut bytes = fixture("boxes-pieces");
    let iloc = position(&bytes, b"iloc") + 4 + 4;
    // No bytes for any number; one item.
    bytes[iloc..][..4].copy_from_slice(&[0, 0, 0, 1]);
    bytes[iloc + 4 + 6..][..2].copy_from_slice(&257u16.to_be_bytes());
    let (kind, words) = refusal(&bytes);
    assert!(kind == "unsupported" && words.contains("an item in 257 pieces"), "{kind}: {words}");
}

#[test]
fn tiles_are_together_no_longer_than_a_file_may_be() {
    let mut bytes = fixture("grid");
    let grid = decode::decode(&bytes, &tight()).unwrap();
    // Of 9 tiles the offset and the length, after the grid item, each with a head of its own.
    let first = position(&bytes, b"iloc") + 4 + 4 + 4 + (8 + 8) + 8;
    let place: [u8; 8] = bytes[first..][..8].try_into().unwrap();
    let length = u32::from_be_bytes(place[4..].try_into().unwrap()) as usize;
    for tile in 0..9 {
        bytes[first + 16 * tile..][..8].copy_from_slice(&place);
    }
    let limits = |bytes_max| DecodeLimits { bytes_max, ..tight() };
    // One tile nine times is a picture, but not if its bytes are those of nine files.
    let same = decode::decode(&bytes, &limits(9 * length)).unwrap();
    assert_ne!(same.pixels(), grid.pixels());
    let error = Still::find(&bytes, 9 * length - 1).err().unwrap();
    assert_eq!(error.source().unwrap().to_string(), "tiles that are longer than a file");
}

#[test]
fn more_of_anything_than_a_picture_has_is_refused() {
    // A container of 20,000 empty properties before the real one.
    let file = fixture("boxes-inside");
    let meta = position(&file, b"meta") - 4;
    let properties: Vec<u8> = b"\0\0\0\x08free".repeat(20_000);
    let nested =
        |name: &[u8; 4], content: &[u8]| [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat();
    let content = [&[0; 4], &nested(b"iprp", &nested(b"ipco", &properties))[..]].concat();
    let bytes = [&file[..meta], &nested(b"meta", &content)].concat();
    assert_eq!(refusal(&bytes), unsupported_because("more than 16384 items or properties"));
}

#[test]
fn a_grid_lacks_no_tile_and_tiles_lie_inside_the_picture() {
    let grid = fixture("grid");
    // `iref` with 9 tiles; the grid says 3 rows and 3 columns, less one each, of 300x220.
    let head = [0, 0, 2, 2, 1, 44, 0, 220];
    let fewer = replaced(grid.clone(), &head, &[0, 0, 2, 1, 1, 44, 0, 220]);
    assert_eq!(refusal(&fewer), damaged_because("the grid has another number of tiles than announced"));
    let smaller = replaced(grid.clone(), &head, &[0, 0, 2, 2, 1, 0, 0, 220]);
    assert_eq!(refusal(&smaller), damaged_because("the grid has another size than announced"));
    // 256 pixels wide is two tiles of 128.
    let both = replaced(smaller, &[0, 0, 1, 44], &[0, 0, 1, 0]);
    assert_eq!(refusal(&both), damaged_because("the picture has another size than announced"));
}

#[test]
fn no_prefix_of_a_file_gives_other_pixels() {
    for name in ["turned-5", "boxes-inside", "boxes-pieces", "8-bit-420-odd-sides", "sequence-without-items", "grid"] {
        let bytes = fixture(name);
        let whole = decode::decode(&bytes, &tight()).unwrap();
        let prefixes = (0..bytes.len()).filter_map(|length| decode::decode(&bytes[..length], &tight()).ok());
        let enough = prefixes.map(|picture| assert_eq!(picture.pixels(), whole.pixels(), "{name}")).count();
        // Behind the picture lie the others of a sequence, or an empty box.
        let has_more = ["sequence-without-items", "boxes-inside"].contains(&name);
        assert_eq!(enough > 0, has_more, "{name}: {enough}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_damage_anywhere_makes_a_decoder_panic_or_exceed_a_limit(
        at in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..6),
        head in any::<bool>(),
    ) {
        let (_, bytes) = at.get(FIXTURES);
        let mut bytes = bytes.to_vec();
        // Half of the time in what is small and decides: boxes, and the headers of the stream.
        let end = if head { (position(&bytes, b"mdat") + 40).min(bytes.len()) } else { bytes.len() };
        for (at, bit) in &flips {
            *at.get_mut(&mut bytes[..end]) ^= 1 << bit;
        }
        if let Ok(picture) = decode::decode(&bytes, &tight()) {
            prop_assert!(picture.width().max(picture.height()) <= tight().side_max);
            prop_assert!(picture.pixels().len() as u64 <= tight().pixels_max);
        }
    }
}
