//! All signals of one file, from one decoding.

use super::decode::{DecodeError, DecodeLimits, decode_as, recognize};
use super::pdq::{self, TooSmall};
use super::{Format, digest, perceptual};
use crate::domain::{Hash64, Pdq, Quality, Signal};

/// What a file's bytes are, in hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The format its bytes are in.
    pub format: Format,
    /// In pixels, as stored: an EXIF rotation is not applied.
    pub width: u32,
    /// In pixels, as stored: an EXIF rotation is not applied.
    pub height: u32,
    /// MD5 of the file.
    pub md5: Signal,
    /// SHA-256 of the file.
    pub sha256: Signal,
    /// What it looks like.
    pub looks: Looks,
}

/// The perceptual side of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// There is enough in the picture to share and match its hashes.
    Matchable { pdq: Pdq, quality: Quality, phash: Hash64, dhash: Hash64 },
    /// A flat or nearly flat picture: its PDQ hash would match others by accident, and the weaker hashes all the more.
    /// Its digests remain good.
    Featureless { pdq: Pdq, quality: Quality },
}

impl Looks {
    /// PDQ's measure of how much there is to hash.
    pub const fn quality(&self) -> Quality {
        match self {
            Self::Matchable { quality, .. } | Self::Featureless { quality, .. } => *quality,
        }
    }
}

impl Fingerprint {
    /// The signals that may be shared and matched: PDQ with its quality, `phash`, `dhash`, MD5, SHA-256; only the last
    /// two of a featureless picture.
    pub fn signals(&self) -> Vec<Signal> {
        let mut signals = Vec::with_capacity(5);
        if let Looks::Matchable { pdq, quality, phash, dhash } = self.looks {
            signals.extend([
                Signal::Pdq { hash: pdq, quality: Some(quality) },
                Signal::Phash(phash),
                Signal::Dhash(dhash),
            ]);
        }
        signals.extend([self.md5, self.sha256]);
        signals
    }
}

/// Why a file has no fingerprint.
#[derive(Debug, thiserror::Error)]
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
/// A picture without features is an ordinary outcome, [`Looks::Featureless`], not an error. The digests of a file that
/// has no fingerprint can still be had from [`digest::md5`] and [`digest::sha256`].
///
/// # Errors
/// [`FingerprintError::Decode`] if `bytes` are not a picture within `limits`; [`FingerprintError::TooSmall`] if the
/// picture is below PDQ's 5 pixels on a side.
pub fn fingerprint(bytes: &[u8], limits: &DecodeLimits) -> Result<Fingerprint, FingerprintError> {
    let format = recognize(bytes, limits)?;
    let picture = decode_as(format, bytes, limits)?;
    let (pdq, quality) = pdq::hash(&picture)?;
    let looks = if quality.is_matchable() {
        Looks::Matchable { pdq, quality, phash: perceptual::phash(&picture), dhash: perceptual::dhash(&picture) }
    } else {
        Looks::Featureless { pdq, quality }
    };
    Ok(Fingerprint {
        format,
        width: picture.width(),
        height: picture.height(),
        md5: digest::md5(bytes),
        sha256: digest::sha256(bytes),
        looks,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::domain::SignalKind;

    fn png(width: u32, height: u32, level: impl Fn(u32, u32) -> u8) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let pixels = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([level(x, y); 3]));
        pixels.write_to(&mut file, image::ImageFormat::Png).unwrap();
        file.into_inner()
    }

    fn fingerprint_of(bytes: &[u8]) -> Result<Fingerprint, FingerprintError> {
        fingerprint(bytes, &DecodeLimits::default())
    }

    fn kinds(fingerprint: &Fingerprint) -> Vec<SignalKind> {
        fingerprint.signals().iter().map(Signal::kind).collect()
    }

    #[test]
    fn a_picture_with_features_has_every_signal_and_its_pdq_hash_carries_its_quality() {
        let bytes = png(90, 70, |x, y| if (x / 9 + y / 11) % 3 == 0 { 220 } else { (x + y) as u8 });
        let fingerprint = fingerprint_of(&bytes).unwrap();
        assert_eq!((fingerprint.format, fingerprint.width, fingerprint.height), (Format::Png, 90, 70));
        use SignalKind::{Dhash, Md5, Pdq, Phash, Sha256};
        assert_eq!(kinds(&fingerprint), [Pdq, Phash, Dhash, Md5, Sha256]);
        assert_eq!(fingerprint.signals()[0].quality(), Some(fingerprint.looks.quality()));
        assert!(fingerprint.looks.quality().is_matchable());
    }

    #[test]
    fn a_featureless_picture_is_no_error_but_offers_only_its_digests() {
        let fingerprint = fingerprint_of(&png(90, 70, |_, _| 128)).unwrap();
        assert!(matches!(fingerprint.looks, Looks::Featureless { quality, .. } if quality.percent() == 0));
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

    #[test]
    fn debug_shows_no_hash() {
        let fingerprint = fingerprint_of(&png(90, 70, |x, y| if x / 9 % 2 == y / 9 % 2 { 220 } else { 10 })).unwrap();
        let shown = format!("{fingerprint:?}");
        for signal in fingerprint.signals() {
            assert!(!shown.contains(&signal.hex()), "{:?}", signal.kind());
        }
    }
}
