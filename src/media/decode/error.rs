//! Why bytes could not be made into a picture.

use image::error::{UnsupportedError, UnsupportedErrorKind};
use image::{ColorType, ImageError};

use super::Format;

/// Why bytes could not be made into a picture.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is {got} bytes long: at most {max} are taken")]
    TooManyBytes { got: usize, max: usize },
    #[error("not a picture in a format that can be read: JPEG, PNG, GIF, WebP, BMP or TIFF")]
    UnknownFormat,
    #[error("the picture is {width}x{height} pixels: a side may be at most {max}")]
    SideTooLong { width: u32, height: u32, max: u32 },
    #[error("the picture is {width}x{height}, which is {} pixels: at most {max} are taken", u64::from(*width) * u64::from(*height))]
    TooManyPixels { width: u32, height: u32, max: u64 },
    #[error("decoding the picture needs more memory than the {max} bytes allowed")]
    TooMuchMemory { max: usize },
    #[error("the {format} picture uses a feature of its format that cannot be read")]
    Unsupported { format: Format, source: ImageError },
    #[error("the {format} picture is damaged or cut short")]
    Damaged { format: Format, source: Damage },
}

/// What is wrong with a damaged picture.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// What the format's decoder found.
    #[error(transparent)]
    Decoder(ImageError),
    /// A JPEG without its end marker. The decoder would fill what is missing with grey.
    #[error("the file ends before the picture does")]
    NoEnd,
    /// The header announces a width or a height of 0.
    #[error("the picture has no pixels")]
    NoPixels,
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
            Self::Unsupported { .. } => "unsupported",
            Self::Damaged { .. } => "damaged",
        }
    }
}

/// Samples of a kind that the `image` crate has learnt and this module has not.
pub(super) fn unknown_samples(format: Format, samples: ColorType) -> DecodeError {
    let kind = UnsupportedErrorKind::Color(samples.into());
    let source = ImageError::Unsupported(UnsupportedError::from_format_and_kind(format.codec().into(), kind));
    DecodeError::Unsupported { format, source }
}
