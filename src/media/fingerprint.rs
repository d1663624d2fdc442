//! All signals of one file, from one decoding.

use serde::{Deserialize, Serialize};

use super::decode::{DecodeError, DecodeLimits, Decoded, decode_as, recognize};
use super::pdq::{self, TooSmall};
use super::perceptual::Words;
use super::{Format, Picture, digest};
use crate::domain::{Orientation, Pdq, Quality, Signal};

/// What a file's bytes are, in hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The format its bytes are in.
    pub format: Format,
    /// In pixels, as stored.
    pub width: u32,
    /// In pixels, as stored.
    pub height: u32,
    /// MD5 of the file.
    pub md5: Signal,
    /// SHA-256 of the file.
    pub sha256: Signal,
    /// What it looks like as stored.
    pub stored: Reading,
    /// What it looks like otherwise, no orientation twice: first as it is shown, where the file says that it is to be turned
    /// before; then, if they were asked for, the other orientations.
    pub turned: Vec<Reading>,
}

/// What a file's picture looks like: its [`Fingerprint`] without the digests, which need no decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    /// The format its bytes are in.
    pub format: Format,
    /// In pixels, as stored.
    pub width: u32,
    /// In pixels, as stored.
    pub height: u32,
    /// As in [`Fingerprint::stored`].
    pub stored: Reading,
    /// As in [`Fingerprint::turned`].
    pub turned: Vec<Reading>,
}

/// What a picture looks like in one orientation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub orientation: Orientation,
    pub pdq: Pdq,
    /// Of `pdq`. Below 50 there is too little in the picture to share or match any perceptual hash of it.
    pub quality: Quality,
    /// The two 64-bit hashes; none of an orientation that is neither as stored nor as shown.
    pub words: Option<Words>,
}

/// A signal, and how the picture was turned for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrientedSignal {
    /// [`Orientation::AsStored`] for digests.
    pub orientation: Orientation,
    pub signal: Signal,
}

/// From this shorter side on, in pixels, the hashes of other orientations are derived from the stored one's spectrum.
///
/// They are within 14 bits of the turned picture's then. Of smaller ones they may be further from it than a check looks, as
/// far as 68 bits (`docs/media.md`); but those are turned and hashed in no time.
const DERIVED_SIDE_MIN: u32 = 1024;

/// Which orientations of a picture to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turns {
    /// As it is stored, and as it is shown.
    #[default]
    Shown,
    /// All eight, to find mirrored and turned copies: the others by their PDQ hash alone.
    All,
}

impl Reading {
    fn of(picture: &Picture, orientation: Orientation) -> Result<Self, TooSmall> {
        let (pdq, quality) = pdq::hash(picture)?;
        Ok(Self { orientation, pdq, quality, words: Some(Words::of(picture)) })
    }
}

impl Fingerprint {
    /// Every reading, the stored one first.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        std::iter::once(&self.stored).chain(&self.turned)
    }

    /// The most signals that a file can have: PDQ in eight orientations, two 64-bit hashes in two, two digests.
    pub const SIGNALS_MAX: usize = 8 + 2 * 2 + 2;

    /// The signals that may be shared and matched, each once: of every reading PDQ with its quality, `phash` and `dhash`;
    /// then MD5 and SHA-256. A reading whose quality is too low has none.
    pub fn signals(&self) -> Vec<OrientedSignal> {
        let mut signals: Vec<OrientedSignal> = Vec::with_capacity(Self::SIGNALS_MAX);
        let mut add = |orientation, signal| {
            // A symmetrical picture has one hash for several orientations.
            if !signals.iter().any(|other| other.signal == signal) {
                signals.push(OrientedSignal { orientation, signal });
            }
        };
        for reading in self.readings().filter(|reading| reading.quality.is_matchable()) {
            add(reading.orientation, Signal::Pdq { hash: reading.pdq, quality: Some(reading.quality) });
            if let Some(Words { phash, dhash }) = reading.words {
                add(reading.orientation, Signal::Phash(phash));
                add(reading.orientation, Signal::Dhash(dhash));
            }
        }
        add(Orientation::AsStored, self.md5);
        add(Orientation::AsStored, self.sha256);
        signals
    }

    /// PDQ's measure of how much there is to hash: the best of all readings.
    pub fn quality(&self) -> Quality {
        self.turned.iter().map(|reading| reading.quality).fold(self.stored.quality, Ord::max)
    }

    /// Whether it is a flat or nearly flat picture: its PDQ hash would match others by accident, and the weaker hashes all
    /// the more. Its digests remain good.
    pub fn is_featureless(&self) -> bool {
        !self.quality().is_matchable()
    }
}

/// Why a file has no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FingerprintError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    TooSmall(#[from] TooSmall),
}

impl FingerprintError {
    /// Which kind of refusal it is: one of a small fixed set, for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.kind(),
            Self::TooSmall(_) => "too-small",
        }
    }
}

/// Decodes `bytes` once and computes every signal.
///
/// A picture without features is an ordinary outcome, [`Fingerprint::is_featureless`], not an error. The digests of a file
/// that has no fingerprint can still be had from [`digest::md5`] and [`digest::sha256`].
///
/// # Errors
/// [`FingerprintError::Decode`] if `bytes` are not a picture within `limits`; [`FingerprintError::TooSmall`] if the
/// picture is below PDQ's 5 pixels on a side.
pub fn fingerprint(bytes: &[u8], limits: &DecodeLimits, turns: Turns) -> Result<Fingerprint, FingerprintError> {
    let Looks { format, width, height, stored, turned } = looks(bytes, limits, turns)?;
    let (md5, sha256) = (digest::md5(bytes), digest::sha256(bytes));
    Ok(Fingerprint { format, width, height, md5, sha256, stored, turned })
}

/// Decodes `bytes` once and computes every signal but the digests: what has to run where a decoder may do no harm.
///
/// # Errors
/// As for [`fingerprint`].
pub fn looks(bytes: &[u8], limits: &DecodeLimits, turns: Turns) -> Result<Looks, FingerprintError> {
    let format = recognize(bytes, limits)?;
    let Decoded { picture, shown } = decode_as(format, bytes, limits)?;
    let (dihedral, quality) = pdq::hash_dihedral(&picture)?;
    let stored = Reading {
        orientation: Orientation::AsStored,
        pdq: dihedral.hash(Orientation::AsStored),
        quality,
        words: Some(Words::of(&picture)),
    };
    let mut turned = Vec::new();
    if shown != Orientation::AsStored {
        // Turned and hashed anew, so that its hash is exactly what those who turn first have.
        turned.push(Reading::of(&picture.turned(shown), shown)?);
    }
    if turns == Turns::All {
        let derived = picture.width().min(picture.height()) >= DERIVED_SIDE_MIN;
        for (orientation, pdq) in dihedral.iter() {
            if orientation == Orientation::AsStored || orientation == shown {
                continue;
            }
            let (pdq, quality) = if derived { (pdq, quality) } else { pdq::hash(&picture.turned(orientation))? };
            turned.push(Reading { orientation, pdq, quality, words: None });
        }
    }
    Ok(Looks { format, width: picture.width(), height: picture.height(), stored, turned })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::decode;
    use super::*;
    use crate::domain::SignalKind;

    fn png(width: u32, height: u32, level: impl Fn(u32, u32) -> u8) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let pixels = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([level(x, y); 3]));
        pixels.write_to(&mut file, image::ImageFormat::Png).unwrap();
        file.into_inner()
    }

    fn fingerprint_of(bytes: &[u8]) -> Result<Fingerprint, FingerprintError> {
        fingerprint(bytes, &DecodeLimits::default(), Turns::Shown)
    }

    fn kinds(fingerprint: &Fingerprint) -> Vec<SignalKind> {
        fingerprint.signals().iter().map(|turned| turned.signal.kind()).collect()
    }

    #[test]
    fn a_picture_with_features_has_every_signal_and_its_pdq_hash_carries_its_quality() {
        let bytes = png(90, 70, |x, y| if (x / 9 + y / 11) % 3 == 0 { 220 } else { (x + y) as u8 });
        let fingerprint = fingerprint_of(&bytes).unwrap();
        assert_eq!((fingerprint.format, fingerprint.width, fingerprint.height), (Format::Png, 90, 70));
        use SignalKind::{Dhash, Md5, Pdq, Phash, Sha256};
        assert_eq!(kinds(&fingerprint), [Pdq, Phash, Dhash, Md5, Sha256]);
        assert_eq!(fingerprint.signals()[0].signal.quality(), Some(fingerprint.quality()));
        assert!(fingerprint.quality().is_matchable() && !fingerprint.is_featureless());
    }

    #[test]
    fn a_featureless_picture_is_no_error_but_offers_only_its_digests() {
        let fingerprint = fingerprint_of(&png(90, 70, |_, _| 128)).unwrap();
        assert!(fingerprint.is_featureless() && fingerprint.quality().percent() == 0);
        assert_eq!(kinds(&fingerprint), [SignalKind::Md5, SignalKind::Sha256]);
    }

    #[test]
    fn a_picture_below_five_pixels_on_a_side_is_an_error_with_its_size_and_never_a_hash() {
        for (width, height) in [(4, 5), (5, 4), (1, 1), (4, 400)] {
            let error = fingerprint_of(&png(width, height, |x, y| (x * y) as u8)).unwrap_err();
            assert_eq!(error.kind(), "too-small");
            assert!(error.to_string().contains(&format!("{width}x{height} pixels")), "{error}");
        }
        fingerprint_of(&png(5, 5, |x, y| (x * y) as u8)).unwrap();
    }

    #[test]
    fn what_cannot_be_decoded_is_refused_as_the_decoder_refuses_it() {
        assert_eq!(fingerprint_of(b"").unwrap_err().kind(), "empty");
        assert_eq!(fingerprint_of(b"plain text").unwrap_err().kind(), "unknown-format");
    }

    /// A file whose EXIF data hold `tag` as its orientation; of a picture that is unlike itself in every other orientation.
    fn with_exif(format: Format, tag: u8) -> Vec<u8> {
        // A big-endian TIFF header and one entry: Orientation, SHORT, one value.
        let exif = [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", &[tag, 0, 0, 0, 0, 0, 0][..]].concat();
        let pixels = image::RgbImage::from_fn(120, 88, |x, y| {
            image::Rgb([
                if (x / 12 + y / 8) % 3 == 0 { 230 } else { (x + y / 2) as u8 },
                (y * 2) as u8,
                (x * y / 64) as u8,
            ])
        });
        let mut file = Vec::new();
        fn write(mut encoder: impl image::ImageEncoder, exif: Vec<u8>, pixels: &image::RgbImage) {
            encoder.set_exif_metadata(exif).unwrap();
            encoder.write_image(pixels, pixels.width(), pixels.height(), image::ExtendedColorType::Rgb8).unwrap();
        }
        match format {
            Format::Jpeg => write(image::codecs::jpeg::JpegEncoder::new(&mut file), exif, &pixels),
            Format::Png => write(image::codecs::png::PngEncoder::new(&mut file), exif, &pixels),
            Format::WebP => write(image::codecs::webp::WebPEncoder::new_lossless(&mut file), exif, &pixels),
            Format::Tiff => {
                let mut tiff = Cursor::new(Vec::new());
                pixels.write_to(&mut tiff, image::ImageFormat::Tiff).unwrap();
                return tiff_with_orientation(tiff.into_inner(), tag);
            }
            other => panic!("no test makes a {other}"),
        }
        file
    }

    /// The file with its directory moved to the end, and the tag in it that EXIF has taken over from TIFF.
    fn tiff_with_orientation(mut file: Vec<u8>, tag: u8) -> Vec<u8> {
        // In the machine's byte order: offset of the directory at 4; in it a count, twelve bytes an entry, sorted by tag.
        let at = u32::from_ne_bytes(file[4..8].try_into().unwrap()) as usize;
        let count = u16::from_ne_bytes(file[at..at + 2].try_into().unwrap());
        let mut entries = file[at + 2..][..12 * usize::from(count)].as_chunks::<12>().0.to_vec();
        let mut entry = [0; 12];
        entry[..2].copy_from_slice(&0x0112u16.to_ne_bytes());
        entry[2..4].copy_from_slice(&3u16.to_ne_bytes());
        entry[4..8].copy_from_slice(&1u32.to_ne_bytes());
        entry[8..10].copy_from_slice(&u16::from(tag).to_ne_bytes());
        entries.push(entry);
        entries.sort_by_key(|entry| u16::from_ne_bytes([entry[0], entry[1]]));
        let end = file.len() as u32;
        file[4..8].copy_from_slice(&end.to_ne_bytes());
        file.extend((count + 1).to_ne_bytes());
        file.extend(entries.as_flattened());
        file.extend([0; 4]);
        file
    }

    #[test]
    fn a_picture_that_exif_turns_is_read_as_stored_and_exactly_as_one_that_was_really_turned() {
        for format in [Format::Jpeg, Format::Png, Format::WebP, Format::Tiff] {
            for tag in 1..=8 {
                let bytes = with_exif(format, tag);
                let shown = Orientation::from_exif(tag.into()).unwrap();
                let print = fingerprint_of(&bytes).unwrap();
                assert_eq!((print.width, print.height), (120, 88), "as stored");
                let orientations: Vec<_> = print.turned.iter().map(|reading| reading.orientation).collect();
                if shown == Orientation::AsStored {
                    assert_eq!(orientations, []);
                    continue;
                }
                assert_eq!(orientations, [shown], "{format} with orientation {tag}");
                let turned = decode(&bytes, &DecodeLimits::default()).unwrap().turned(shown);
                let upright = Reading { orientation: shown, ..Reading::of(&turned, shown).unwrap() };
                assert_eq!(print.turned[0], upright);
                assert!(print.stored.pdq.distance(upright.pdq).bits() > 60, "{format} with orientation {tag}");
                // `phash` may be the same in both: it tells pictures apart badly.
                assert_eq!(kinds(&print).iter().filter(|kind| **kind == SignalKind::Pdq).count(), 2);
                assert_eq!(kinds(&print).iter().filter(|kind| **kind == SignalKind::Dhash).count(), 2);
            }
        }
    }

    #[test]
    fn exif_data_that_make_no_sense_turn_nothing() {
        for tag in [0, 9, 255] {
            assert_eq!(fingerprint_of(&with_exif(Format::Jpeg, tag)).unwrap().turned, []);
        }
    }

    #[test]
    fn asked_for_all_orientations_each_is_read_once_and_a_small_picture_as_if_it_were_really_turned() {
        // 6: shown turned by 90 degrees.
        let bytes = with_exif(Format::Png, 6);
        let print = fingerprint(&bytes, &DecodeLimits::default(), Turns::All).unwrap();
        let mut orientations: Vec<_> = print.readings().map(|reading| reading.orientation).collect();
        orientations.sort_unstable();
        assert_eq!(orientations, Orientation::ALL);
        let stored = decode(&bytes, &DecodeLimits::default()).unwrap();
        for reading in print.readings() {
            let (turned, _) = pdq::hash(&stored.turned(reading.orientation)).unwrap();
            assert_eq!(turned, reading.pdq, "{}", reading.orientation);
        }
        assert_eq!(print.signals().len(), Fingerprint::SIGNALS_MAX);
        assert_eq!(kinds(&print).iter().filter(|kind| **kind == SignalKind::Pdq).count(), 8);
    }

    #[test]
    fn of_a_large_picture_the_other_orientations_are_near_to_the_hash_of_the_turned_one() {
        let side = DERIVED_SIDE_MIN + 16;
        let bytes = png(side, side + 130, |x, y| if (x / 90 + y / 110) % 3 == 0 { 220 } else { (x / 9 + y / 5) as u8 });
        let stored = decode(&bytes, &DecodeLimits::default()).unwrap();
        for reading in fingerprint(&bytes, &DecodeLimits::default(), Turns::All).unwrap().readings() {
            let (turned, _) = pdq::hash(&stored.turned(reading.orientation)).unwrap();
            let bits = turned.distance(reading.pdq).bits();
            assert!(bits <= 16, "{}: {bits} bits", reading.orientation);
        }
    }

    #[test]
    fn a_picture_that_is_its_own_mirror_image_has_no_signal_twice() {
        let symmetrical = png(64, 64, |x, y| if (x.min(63 - x) / 5 + y.min(63 - y) / 5) % 2 == 0 { 230 } else { 20 });
        let print = fingerprint(&symmetrical, &DecodeLimits::default(), Turns::All).unwrap();
        let signals = print.signals();
        assert!(!print.is_featureless() && signals.len() < Fingerprint::SIGNALS_MAX);
        for (at, one) in signals.iter().enumerate() {
            assert!(signals[at + 1..].iter().all(|other| other.signal != one.signal));
        }
    }

    #[test]
    fn debug_shows_no_hash() {
        let fingerprint = fingerprint_of(&png(90, 70, |x, y| if x / 9 % 2 == y / 9 % 2 { 220 } else { 10 })).unwrap();
        let shown = format!("{fingerprint:?}");
        for OrientedSignal { signal, .. } in fingerprint.signals() {
            assert!(!shown.contains(&signal.hex()), "{:?}", signal.kind());
        }
    }
}
