//! What the fuzz targets have in common: the modules under test, and what must hold for any input.
//!
//! `domain` and `media` are compiled here by themselves. Bytes to hashes needs neither the store nor the server, so nothing of those
//! is built with a sanitizer.

#[path = "../../tests/support/hostile/checksums.rs"]
pub mod checksums;
#[path = "../../src/domain/mod.rs"]
#[allow(unused_imports, reason = "other modules of the service use the rest")]
pub mod domain;
#[path = "../../tests/support/hostile/kinds.rs"]
mod kinds;
#[path = "../../src/media/mod.rs"]
pub mod media;
mod oracle;

use std::error::Error;

use domain::Orientation;
use media::pdq::{self, Simd};
use media::{DecodeLimits, Fingerprint, FingerprintError, Format, Picture, Turns, decode, fingerprint};

/// So little that a fuzzer gets through many files, and that it finds what exceeds it.
pub const LIMITS: DecodeLimits =
    DecodeLimits { bytes_max: 1 << 16, pixels_max: 1 << 14, side_max: 1 << 10, memory_max: 1 << 20 };

/// Checks what must hold for any file.
pub fn check_file(bytes: &[u8]) {
    let answer = fingerprint(bytes, &LIMITS, Turns::All);
    assert_eq!(answer, fingerprint(bytes, &LIMITS, Turns::All), "the same bytes have the same answer");
    match answer {
        Ok(fingerprint) => check_fingerprint(&fingerprint, bytes),
        Err(error) => check_refusal(&error),
    }
}

fn check_fingerprint(all: &Fingerprint, bytes: &[u8]) {
    assert!(bytes.len() <= LIMITS.bytes_max && all.width.max(all.height) <= LIMITS.side_max);
    assert!(u64::from(all.width) * u64::from(all.height) <= LIMITS.pixels_max);
    assert_eq!(Format::of(bytes), Some(all.format));

    let signals = all.signals();
    assert!(signals.len() <= Fingerprint::SIGNALS_MAX);
    assert!(signals.iter().enumerate().all(|(n, one)| signals[..n].iter().all(|other| other.signal != one.signal)));
    let mut orientations: Vec<_> = all.readings().map(|reading| reading.orientation.code()).collect();
    orientations.sort_unstable();
    orientations.dedup();
    assert_eq!((orientations.len(), all.readings().count()), (Orientation::ALL.len(), Orientation::ALL.len()));

    let picture = decode(bytes, &LIMITS).expect("what has a fingerprint can be decoded");
    assert_eq!((picture.width(), picture.height()), (all.width, all.height));
    assert_eq!(pdq::hash(&picture), Ok((all.stored.pdq, all.stored.quality)));
    // Asked for less, the same.
    let shown = fingerprint(bytes, &LIMITS, Turns::Shown).expect("less is asked of it");
    assert!(shown.turned.len() <= 1);
    assert_eq!((&shown.stored, &shown.md5, &shown.sha256), (&all.stored, &all.md5, &all.sha256));
    assert!(shown.turned.iter().all(|reading| all.turned.contains(reading)));
}

fn check_refusal(error: &FingerprintError) {
    assert!(kinds::OF_FILES.contains(&error.kind()), "{}", error.kind());
    let mut causes: Option<&dyn Error> = Some(error);
    while let Some(cause) = causes {
        let words = cause.to_string();
        assert!(!words.is_empty() && words.chars().count() <= 300, "{words:?}");
        assert!(!words.chars().any(char::is_control), "{words:?}");
        causes = cause.source();
    }
    // A worker says it to the hub in JSON.
    let json = serde_json::to_vec(error).expect("an error can be told");
    assert_eq!(&serde_json::from_slice::<FingerprintError>(&json).expect("and understood"), error);
}

/// Checks that a picture has the hashes that the plain way gives, by every instruction set that there is here.
pub fn check_picture(picture: &Picture) {
    let (spectrum, quality) = oracle::spectrum(picture);
    let stored = oracle::hash(&spectrum, Orientation::AsStored);
    for simd in Simd::available() {
        assert_eq!(pdq::hash_on(simd, picture), Ok((stored, quality)), "{simd:?}");
        let (all, same) = pdq::hash_dihedral_on(simd, picture).expect("it is not too small");
        assert_eq!(same, quality);
        for &orientation in Orientation::ALL {
            assert_eq!(all.hash(orientation), oracle::hash(&spectrum, orientation), "{simd:?}, {orientation}");
        }
    }
}

/// A picture of at least PDQ's five pixels a side: three bytes for the sides, the others repeated for the pixels.
pub fn picture_of(bytes: &[u8]) -> Option<Picture> {
    let ([small, large, more], pixels) = bytes.split_first_chunk()?;
    // Sides about the first borders of the filter: boxes grow by a pixel with each 128.
    let side = |byte: &u8, high: u8| pdq::SIDE_MIN + u32::from(*byte) + 128 * u32::from(high & 1);
    let (width, height) = (side(small, *more), side(large, more >> 1));
    let count = (3 * width * height) as usize;
    let rgb = if pixels.is_empty() { vec![0; count] } else { pixels.iter().copied().cycle().take(count).collect() };
    Picture::from_rgb8(width, height, rgb).ok()
}
