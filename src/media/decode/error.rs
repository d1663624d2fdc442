//! Why bytes could not be made into a picture.

use std::fmt;

use image::ColorType;
use serde::{Deserialize, Serialize};

use super::Format;

/// Why bytes could not be made into a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecodeError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is {got} bytes long: at most {max} are taken")]
    TooManyBytes { got: usize, max: usize },
    #[error("not a picture in a format that can be read: JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF")]
    UnknownFormat,
    #[error("the picture is {width}x{height} pixels: a side may be at most {max}")]
    SideTooLong { width: u32, height: u32, max: u32 },
    #[error("the picture is {width}x{height}, which is {} pixels: at most {max} are taken", u64::from(*width) * u64::from(*height))]
    TooManyPixels { width: u32, height: u32, max: u64 },
    #[error("decoding the picture needs more memory than the {max} bytes allowed")]
    TooMuchMemory { max: usize },
    #[error("decoding the picture would take far more work than a picture is worth")]
    TooMuchWork,
    #[error("the {format} picture uses a feature of its format that cannot be read")]
    Unsupported { format: Format, source: Reason },
    #[error("the {format} picture is damaged or cut short")]
    Damaged { format: Format, source: Damage },
}

/// What is wrong with a damaged picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// What the format's decoder found.
    #[error(transparent)]
    Decoder(Reason),
    /// A JPEG without its end marker. The decoder would fill what is missing with grey.
    #[error("the file ends before the picture does")]
    NoEnd,
    /// The header announces a width or a height of 0.
    #[error("the picture has no pixels")]
    NoPixels,
    /// A picture inside of a picture. The decoder would believe the larger one.
    #[error("the file announces one size, and what is in it another")]
    TwoSizes,
}

impl DecodeError {
    /// Which kind of refusal it is: one of a small fixed set, for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooManyBytes { .. } => "too-many-bytes",
            Self::UnknownFormat => "unknown-format",
            Self::SideTooLong { .. } => "side-too-long",
            Self::TooManyPixels { .. } => "too-many-pixels",
            Self::TooMuchMemory { .. } => "too-much-memory",
            Self::TooMuchWork => "too-much-work",
            Self::Unsupported { .. } => "unsupported",
            Self::Damaged { .. } => "damaged",
        }
    }
}

/// What a format's decoder said, in its own words: printable, and at most [`Reason::CHARS_MAX`] characters.
///
/// Text and not the decoder's error, so that it can come from another process; and shortened, because a decoder's words may
/// repeat what a stranger wrote into the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Reason(String);

impl Reason {
    const CHARS_MAX: usize = 200;

    pub(super) fn new(words: &impl fmt::Display) -> Self {
        words.to_string().into()
    }
}

impl From<String> for Reason {
    fn from(words: String) -> Self {
        Self(words.chars().take(Self::CHARS_MAX).map(|c| if c.is_control() { '?' } else { c }).collect())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::error::Error for Reason {}

/// Samples of a kind that the `image` crate has learnt and this module has not.
pub(super) fn unknown_samples(format: Format, samples: ColorType) -> DecodeError {
    DecodeError::Unsupported { format, source: Reason::new(&format_args!("samples of kind {samples:?}")) }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn a_decoders_words_are_shortened_and_printable_wherever_they_come_from() {
        let long = format!("\u{1b}[2J{}", "x".repeat(1000));
        let json = serde_json::to_string(&long).unwrap();
        for reason in [Reason::new(&long), serde_json::from_str(&json).unwrap()] {
            assert_eq!(reason.to_string(), format!("?[2J{}", "x".repeat(196)));
        }
    }
}
