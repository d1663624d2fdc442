//! The first picture of a sequence that has no primary item (ISO/IEC 14496-12, 8.3 to 8.7).

use super::boxes::{Name, Numbers};
use super::{damaged, unsupported};
use crate::media::DecodeError;

/// One picture of a track.
pub(super) struct Sample<'a> {
    pub(super) bytes: &'a [u8],
    /// What the track says of its pictures.
    pub(super) properties: Vec<(Name, &'a [u8])>,
}

/// More properties than a track's pictures have.
const PROPERTIES_MAX: usize = 64;

/// The first picture of the first track of pictures in the `moov` box.
pub(super) fn first_sample<'a>(movie: &'a [u8], file: &'a [u8]) -> Result<Sample<'a>, DecodeError> {
    for next in Numbers::of(movie).boxes() {
        let (name, track) = next?;
        if &name != b"trak" {
            continue;
        }
        let media = within(track, b"mdia")?;
        let mut handler = Numbers::of(within(media, b"hdlr")?);
        handler.bytes(4 + 4)?; // version and flags, a number that is always 0
        if &handler.name()? == b"pict" {
            let table = within(within(media, b"minf")?, b"stbl")?;
            return Ok(Sample { bytes: first_bytes(table, file)?, properties: properties(table)? });
        }
    }
    Err(damaged("no track of pictures"))
}

/// The content of the first box of this kind in `parent`.
fn within<'a>(parent: &'a [u8], kind: &Name) -> Result<&'a [u8], DecodeError> {
    for next in Numbers::of(parent).boxes() {
        let (name, content) = next?;
        if &name == kind {
            return Ok(content);
        }
    }
    Err(damaged("a track without the tables that it needs"))
}

/// A chunk is a row of samples; the first begins with the first.
fn first_bytes<'a>(table: &'a [u8], file: &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let mut sizes = Numbers::of(within(table, b"stsz")?);
    sizes.version()?;
    let of_all = sizes.u32()?;
    sizes.u32()?;
    let length = if of_all > 0 { of_all } else { sizes.u32()? };

    let (offsets, wide) = match within(table, b"stco") {
        Ok(offsets) => (offsets, false),
        Err(_) => (within(table, b"co64")?, true),
    };
    let mut offsets = Numbers::of(offsets);
    offsets.version()?;
    offsets.u32()?;
    let offset = offsets.sized(if wide { 8 } else { 4 })?;

    let rest = usize::try_from(offset).ok().and_then(|offset| file.get(offset..));
    rest.and_then(|rest| rest.get(..length as usize)).ok_or_else(|| damaged("a picture is not inside the file"))
}

/// What stands beside the codec's name in the first sample description.
fn properties(table: &[u8]) -> Result<Vec<(Name, &[u8])>, DecodeError> {
    // Of a visual sample entry, up to the boxes in it.
    const FIXED: usize = 78;
    let mut descriptions = Numbers::of(within(table, b"stsd")?);
    descriptions.version()?;
    descriptions.u32()?;
    let (codec, entry) = descriptions.boxes().next().ok_or_else(|| damaged("a track of nothing"))??;
    if &codec != b"av01" {
        return Err(unsupported(format_args!("a track of kind `{}`", codec.escape_ascii())));
    }
    let mut entry = Numbers::of(entry);
    entry.bytes(FIXED)?;
    entry.boxes().take(PROPERTIES_MAX).collect()
}
