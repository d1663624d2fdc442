//! AVIF: pictures coded by AV1, in the container of ISO base media files (AV1 Image File Format 1.1, MIAF, HEIF).
//!
//! The container is read here, by slices of the file (`boxes`, `items`, `track`), and so is what the AV1 stream announces
//! (`obu`), so that sizes and memory are checked before anything is decoded. rav1d decodes (`av1`), on one thread. Samples
//! become RGB as libavif makes them (`colour`, `rows`), because Pillow reads AVIF by libavif and published PDQ values are of
//! Pillow's pixels:
//!
//! - The primary item counts; of a file without one the first picture of its first track. A grid of tiles is put together.
//! - Film grain is drawn, chroma is interpolated, 10 and 12 bits are rounded to 8.
//! - Pixels are as stored: a turn (`irot`, `imir`) is told in `shown`, and EXIF data is not asked, as the format says. A
//!   crop (`clap`) is not applied.
//! - Alpha is dropped, as everywhere. Where colours were multiplied by it beforehand they are divided again.

mod av1;
mod boxes;
mod colour;
mod items;
mod obu;
mod rows;
mod still;
#[cfg(test)]
mod tests;
mod track;

use std::fmt;

use super::{Damage, DecodeError, DecodeLimits, Decoded, Reason};
use super::{HASHING_BYTES_PER_PIXEL, TURNING_BYTES_PER_PIXEL};
use crate::domain::Orientation;
use crate::media::{Format, Picture};

use colour::Mix;
use obu::Layout;
use still::Still;

/// The picture in an AVIF file.
pub(super) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Decoded, DecodeError> {
    let still = Still::find(bytes, limits.bytes_max)?;
    limits.check_size(still.width, still.height)?;
    let pixels = u64::from(still.width) * u64::from(still.height);
    let alpha = still.multiplied_by.as_deref();

    let mut decoding = 0;
    for stream in still.streams()? {
        decoding = av1::bytes_needed(&stream).max(decoding);
    }
    for stream in alpha.map(Still::streams).transpose()?.unwrap_or_default() {
        if stream.sequence.layout != Layout::Grey {
            return Err(unsupported("alpha in colours"));
        }
        decoding = av1::bytes_needed(&stream).max(decoding);
    }
    let copies = still.bytes() + alpha.map_or(0, Still::bytes);
    let hashing = if still.shown == Orientation::AsStored { HASHING_BYTES_PER_PIXEL } else { TURNING_BYTES_PER_PIXEL };
    let needed = (3 * pixels + decoding + copies as u64).max(u64::from(hashing) * pixels);
    if needed > limits.memory_max as u64 {
        return Err(DecodeError::TooMuchMemory { max: limits.memory_max });
    }

    // Fits: it has been compared with a number of bytes in memory.
    let mut canvas = vec![[0; 3]; pixels as usize];
    draw(&still, limits, |to, from| to.copy_from_slice(from), &mut canvas)?;
    if let Some(alpha) = alpha {
        draw(alpha, limits, divide, &mut canvas)?;
    }
    let picture = Picture::from_rgb8(still.width, still.height, canvas.into_flattened());
    Ok(Decoded { picture: picture.map_err(|_| no_pixels())?, shown: still.shown })
}

/// Decodes tile after tile; `put` brings each row of a tile into the pixels where it belongs.
fn draw(
    still: &Still<'_>,
    limits: &DecodeLimits,
    put: impl Fn(&mut [[u8; 3]], &[[u8; 3]]),
    canvas: &mut [[u8; 3]],
) -> Result<(), DecodeError> {
    let width = still.width as usize;
    for (tile, stream) in still.streams()?.into_iter().enumerate() {
        let frame = av1::decode(&stream, limits)?;
        let planes = frame.planes();
        let mix = Mix::of(still.colour.unwrap_or(stream.sequence.colour), &stream.sequence)?;
        let left = tile % still.columns * planes.width;
        let top = tile / still.columns * planes.height;
        // Tiles at the right and at the bottom may reach beyond the picture.
        let rows = canvas.chunks_exact_mut(width).skip(top);
        planes.for_each_row(&mix, rows, |row, colours| {
            let row = row.get_mut(left..).unwrap_or_default();
            let columns = row.len().min(colours.len());
            put(&mut row[..columns], &colours[..columns]);
        });
    }
    Ok(())
}

/// Colours that were multiplied by alpha, divided by it again, rounded. Nothing is known of what is fully transparent.
fn divide(colours: &mut [[u8; 3]], alpha: &[[u8; 3]]) {
    for (colour, &[alpha, ..]) in colours.iter_mut().zip(alpha) {
        let alpha = u16::from(alpha);
        *colour = colour.map(|level| match alpha {
            0 => 0,
            _ => ((u16::from(level) * 255 + alpha / 2) / alpha).min(255) as u8,
        });
    }
}

fn damaged(why: &'static str) -> DecodeError {
    DecodeError::Damaged { format: Format::Avif, source: Damage::Decoder(Reason::new(&why)) }
}

fn no_pixels() -> DecodeError {
    DecodeError::Damaged { format: Format::Avif, source: Damage::NoPixels }
}

fn unsupported(what: impl fmt::Display) -> DecodeError {
    DecodeError::Unsupported { format: Format::Avif, source: Reason::new(&what) }
}
