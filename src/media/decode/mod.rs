//! A file's bytes to 8-bit RGB pixels, within limits.
//!
//! Invariant: what a header announces is checked before memory is taken for it, whatever the format's decoder checks by
//! itself (WebP's checks nothing, JPEG's only the sides). A picture that is cut short is an error, never a picture whose
//! rest is grey.
//!
//! Pixels are given as stored, as every reference implementation takes them, and the turn that EXIF data ask for is told
//! beside: a picture hashed with it and one hashed without are as far apart as unrelated ones. Of an animation the first frame counts; where it has holes, or leaves part of the canvas
//! free, the pixels are black.

mod avif;
mod error;
mod jpeg;
mod limits;
mod rgb;
mod tiff;
mod webp;

use std::io::Cursor;

use image::{ColorType, ImageDecoder, ImageError, ImageReader, Limits};

pub use error::{Damage, DecodeError, Reason};
pub use limits::DecodeLimits;

use super::{Format, Picture};
use crate::domain::Orientation;

/// A decoded file.
#[derive(Debug)]
pub(super) struct Decoded {
    /// Its pixels as stored.
    pub(super) picture: Picture,
    /// What the file says is to be done with them before they are shown.
    pub(super) shown: Orientation,
}

/// The picture that `bytes` hold, in whichever [`Format`] their first bytes announce.
///
/// # Errors
/// [`DecodeError`]: nothing there, no such format, beyond a limit, unreadable, or damaged.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Picture, DecodeError> {
    Ok(decode_as(recognize(bytes, limits)?, bytes, limits)?.picture)
}

/// The format of a file that is neither empty nor too long.
pub(super) fn recognize(bytes: &[u8], limits: &DecodeLimits) -> Result<Format, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    limits.check_bytes(bytes.len())?;
    Format::of(bytes).ok_or(DecodeError::UnknownFormat)
}

/// What hashing takes, decoded: three bytes of RGB, and a few rows.
const HASHING_BYTES_PER_PIXEL: u8 = 3;
/// The same where the picture is also hashed as it is shown.
const TURNING_BYTES_PER_PIXEL: u8 = 2 * HASHING_BYTES_PER_PIXEL;

/// What a PNG's texts and colour profile may unpack to. A profile of a megabyte unpacks to a gigabyte.
const PNG_ASIDE_MAX: usize = 64 << 20;

/// The picture that `bytes` hold in `format`.
pub(super) fn decode_as(format: Format, bytes: &[u8], limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    if format == Format::Avif {
        return avif::decode(bytes, limits);
    }
    let refuse = |error| refusal(format, error, limits);
    let damaged = |damage| DecodeError::Damaged { format, source: damage };

    let burden = if format == Format::Jpeg { jpeg::Burden::of(bytes) } else { jpeg::Burden::default() };
    // Before the decoder reads the header: with many of these it takes more than linear time for that alone.
    if !burden.header_is_bearable() {
        return Err(DecodeError::TooMuchWork);
    }
    let mut decoder = header(format, bytes, limits).map_err(refuse)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(damaged(Damage::NoPixels));
    }
    limits.check_size(width, height)?;
    limits.check_work(burden.pixels_passed_over(width, height))?;
    let samples = decoder.color_type();
    let converting = rgb::bytes_per_pixel_needed(samples).ok_or_else(|| error::unknown_samples(format, samples))?;
    let aside = Aside::of(format, bytes, (width, height), samples, limits)?;
    let shown = if aside.orientation { shown(format, bytes, &mut decoder) } else { Orientation::AsStored };
    let hashing = if shown == Orientation::AsStored { HASHING_BYTES_PER_PIXEL } else { TURNING_BYTES_PER_PIXEL };
    let decoding = samples.bytes_per_pixel().saturating_add(aside.bytes_per_pixel);
    limits.check_memory(width, height, decoding.max(converting).max(hashing), aside.bytes)?;
    if format == Format::Gif {
        decoder.set_limits(at_most(frame_memory(limits, decoder.total_bytes()))).map_err(refuse)?;
    }

    // Fits: `check_memory` has compared it with a limit that is itself a number of bytes in memory.
    let mut raw = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut raw).map_err(refuse)?;
    let picture =
        Picture::from_rgb8(width, height, rgb::to_rgb8(samples, raw)).map_err(|_| damaged(Damage::NoPixels))?;
    Ok(Decoded { picture, shown })
}

/// What a format's decoder does and takes beside the pixels that it gives, told from the file.
struct Aside {
    /// Memory, in bytes a pixel.
    bytes_per_pixel: u8,
    /// Memory, in bytes.
    bytes: usize,
    /// Whether it can be asked for the file's orientation.
    orientation: bool,
}

impl Aside {
    /// Looks into the file for what neither its sides nor its samples say.
    fn of(
        format: Format,
        bytes: &[u8],
        (width, height): (u32, u32),
        samples: ColorType,
        limits: &DecodeLimits,
    ) -> Result<Self, DecodeError> {
        let damaged = |damage| DecodeError::Damaged { format, source: damage };
        let nothing = Self { bytes_per_pixel: 0, bytes: 0, orientation: true };
        Ok(match format {
            Format::Jpeg => {
                let survey = jpeg::Survey::of(bytes);
                if !survey.has_end {
                    return Err(damaged(Damage::NoEnd));
                }
                Self { bytes_per_pixel: survey.coefficient_bytes_per_pixel(), bytes: bytes.len(), ..nothing }
            }
            Format::WebP => {
                let survey = webp::Survey::of(bytes, width, height);
                if !survey.sizes_agree {
                    return Err(damaged(Damage::TwoSizes));
                }
                let bytes_per_pixel = webp::working_bytes_per_pixel(bytes, samples.has_alpha());
                Self { bytes_per_pixel, orientation: survey.exif_is_whole, ..nothing }
            }
            // Numbers of colours. A frame that is not as wide as the canvas is left to `frame_memory`.
            Format::Gif => Self { bytes_per_pixel: 1, ..nothing },
            // All strips or tiles, as they are stored.
            Format::Tiff => {
                let survey = tiff::Survey::of(bytes);
                limits.check_work(survey.unpacked)?;
                Self { bytes_per_pixel: samples.bytes_per_pixel(), bytes: survey.working, ..nothing }
            }
            // Rows alone; AVIF does not come here.
            Format::Png | Format::Bmp | Format::Avif => nothing,
        })
    }
}

/// Memory for the pixels of a GIF's frame that is not as wide as the canvas, which takes `canvas`: it may be far larger than
/// that. Beside four bytes for each of its pixels the decoder takes one for the number of the colour.
fn frame_memory(limits: &DecodeLimits, canvas: u64) -> u64 {
    (limits.memory_max as u64).saturating_sub(canvas) / 5 * 4
}

/// The turn that EXIF data ask for. What cannot be read asks for none, as in viewers.
fn shown(format: Format, bytes: &[u8], decoder: &mut impl ImageDecoder) -> Orientation {
    let asked = match format {
        // EXIF data are a TIFF file; here they are the file itself, which the decoder does not look into for that.
        Format::Tiff => image::metadata::Orientation::from_exif_chunk(bytes),
        _ => decoder.orientation().ok(),
    };
    asked.and_then(|turn| Orientation::from_exif(turn.to_exif().into())).unwrap_or(Orientation::AsStored)
}

/// A decoder that has read the header and taken no memory for pixels.
fn header<'a>(format: Format, bytes: &'a [u8], limits: &DecodeLimits) -> Result<impl ImageDecoder + 'a, ImageError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.codec());
    // For what some decoders take beside the pixels. The sides are not left to them, so that all formats refuse alike.
    let memory_max = match format {
        // Texts, a colour profile, a few rows: the pixels are not counted.
        Format::Png => limits.memory_max.min(PNG_ASIDE_MAX),
        _ => limits.memory_max,
    };
    reader.limits(at_most(memory_max as u64));
    reader.into_decoder()
}

fn at_most(memory_max: u64) -> Limits {
    let mut own = Limits::no_limits();
    own.max_alloc = Some(memory_max);
    own
}

fn refusal(format: Format, error: ImageError, limits: &DecodeLimits) -> DecodeError {
    match error {
        ImageError::Limits(_) => DecodeError::TooMuchMemory { max: limits.memory_max },
        ImageError::Unsupported(_) => DecodeError::Unsupported { format, source: Reason::new(&error) },
        _ => DecodeError::Damaged { format, source: Damage::Decoder(Reason::new(&error)) },
    }
}

#[cfg(test)]
mod tests;
