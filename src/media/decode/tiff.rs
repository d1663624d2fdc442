//! What can be known of a TIFF file from its first directory, without decoding it.
//!
//! The sides of a picture bound neither the width of its tiles, of which what lies outside is unpacked and thrown away, nor the
//! samples of a pixel, nor the sides of a JPEG picture in a strip.

use std::io::Cursor;

use tiff::decoder::Decoder;
use tiff::tags::{CompressionMethod, PlanarConfiguration, Tag};

use super::jpeg;

/// What a picture's strips or tiles take that its sides do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Bytes that all of them unpack to, what is outside of the picture among them.
    pub(super) unpacked: u128,
    /// Memory for one row, or for one JPEG picture, in bytes.
    pub(super) working: usize,
}

impl Survey {
    /// Reads the first directory of `bytes`, a whole TIFF file. Nothing of one that cannot be read: the decoder will say why.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let Ok(mut decoder) = Decoder::new(Cursor::new(bytes)) else { return Self::default() };
        Self::read(bytes, &mut decoder).unwrap_or_default()
    }

    fn read(bytes: &[u8], decoder: &mut Decoder<Cursor<&[u8]>>) -> Option<Self> {
        let (width, height) = decoder.dimensions().ok()?;
        let (chunk_width, _) = decoder.chunk_dimensions();
        let mut number = |tag, default| decoder.find_tag_unsigned::<u16>(tag).ok().flatten().unwrap_or(default);
        let samples = number(Tag::SamplesPerPixel, 1);
        let compression = number(Tag::Compression, CompressionMethod::None.to_u16());
        let planar = number(Tag::PlanarConfiguration, 1) == PlanarConfiguration::Planar.to_u16();
        let bits = decoder.find_tag_unsigned_vec::<u16>(Tag::BitsPerSample).ok().flatten().unwrap_or_default();
        let bits = bits.into_iter().max().unwrap_or(1);

        let row = u128::from(chunk_width) * u128::from(samples) * u128::from(bits).div_ceil(8);
        let across = width.div_ceil(chunk_width.max(1));
        let planes = if planar { samples } else { 1 };
        let mut unpacked = row * u128::from(across) * u128::from(height);
        let mut working = row / u128::from(planes.max(1));
        if compression == CompressionMethod::ModernJPEG.to_u16() {
            let (all, largest) = jpeg_bytes(bytes, decoder)?;
            (unpacked, working) = (unpacked.max(all), working.max(largest));
        }
        Some(Self { unpacked, working: usize::try_from(working).unwrap_or(usize::MAX) })
    }
}

/// Bytes that the JPEG pictures in strips or tiles unpack to: all together, and the largest.
fn jpeg_bytes(bytes: &[u8], decoder: &mut Decoder<Cursor<&[u8]>>) -> Option<(u128, u128)> {
    let mut numbers = |strips, tiles| decoder.get_tag_u64_vec(strips).or_else(|_| decoder.get_tag_u64_vec(tiles)).ok();
    let offsets = numbers(Tag::StripOffsets, Tag::TileOffsets)?;
    let lengths = numbers(Tag::StripByteCounts, Tag::TileByteCounts)?;
    if lengths.iter().map(|length| u128::from(*length)).sum::<u128>() > bytes.len() as u128 {
        // They lie over one another: a small file could hold any number of them.
        return Some((u128::MAX, 0));
    }
    let (mut all, mut largest) = (0, 0);
    for (offset, length) in offsets.into_iter().zip(lengths) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        let survey = jpeg::Survey::of(bytes.get(start..end).unwrap_or_default());
        // At most four samples a pixel, and what the decoder keeps beside them.
        let unpacked = u128::from(survey.pixels()) * u128::from(4 + survey.coefficient_bytes_per_pixel());
        all += unpacked;
        largest = largest.max(unpacked);
    }
    Some((all, largest))
}
