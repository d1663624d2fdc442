//! Which picture a file shows, and how it is put together.

use std::borrow::Cow;

use super::boxes::{Name, Numbers};
use super::colour::Colour;
use super::items::{Id, Items};
use super::obu::{Sequence, Stream};
use super::{damaged, no_pixels, track, unsupported};
use crate::domain::Orientation;
use crate::media::DecodeError;

/// A picture made of one AV1 stream, or of a grid of them.
pub(super) struct Still<'a> {
    /// In pixels, at least 1.
    pub(super) width: u32,
    /// In pixels, at least 1.
    pub(super) height: u32,
    /// How many tiles are side by side.
    pub(super) columns: usize,
    /// The stream of each tile, row after row.
    tiles: Vec<Cow<'a, [u8]>>,
    /// What the file says of the samples; if nothing, each stream does.
    pub(super) colour: Option<Colour>,
    /// The turn that the file asks for.
    pub(super) shown: Orientation,
    /// The alpha, of the same size, that its colours were multiplied by, if they were.
    pub(super) multiplied_by: Option<Box<Self>>,
}

/// What is understood. Of these `clap`, `pasp` and what describes brightness are ignored, as libavif ignores them.
const KNOWN: &[&Name] = &[
    b"av1C", b"ispe", b"colr", b"irot", b"imir", b"pixi", b"auxC", b"clap", b"pasp", b"clli", b"mdcv", b"cclv", b"amve",
];

impl<'a> Still<'a> {
    /// The primary picture of `file`. Its tiles are together no longer than `bytes_max`.
    pub(super) fn find(file: &'a [u8], bytes_max: usize) -> Result<Self, DecodeError> {
        let mut movie = None;
        for next in Numbers::of(file).boxes() {
            let (name, content) = match next {
                Ok(next) => next,
                // What follows the boxes that matter does not matter.
                Err(_) if movie.is_some() => break,
                Err(error) => return Err(error),
            };
            match &name {
                b"meta" => {
                    let items = Items::read(content)?;
                    if let Some(primary) = items.primary() {
                        return Self::of_items(&items, primary, file, bytes_max);
                    }
                }
                b"moov" => movie = movie.or(Some(content)),
                _ => {}
            }
        }
        Self::of_sample(track::first_sample(movie.ok_or_else(|| damaged("no primary item and no track"))?, file)?)
    }

    fn of_items(items: &Items<'a>, primary: Id, file: &'a [u8], bytes_max: usize) -> Result<Self, DecodeError> {
        let mut still = Self::of_item(items, primary, file, bytes_max)?;
        let is_alpha = |item: &Id| items.referred_to(b"auxl", *item).any(|of| of == primary);
        if let Some(alpha) = items.referred_to(b"prem", primary).find(is_alpha) {
            let alpha = Self::of_item(items, alpha, file, bytes_max)?;
            if (alpha.width, alpha.height) != (still.width, still.height) {
                return Err(unsupported("alpha of another size than the picture"));
            }
            still.multiplied_by = Some(Box::new(alpha));
        }
        Ok(still)
    }

    fn of_item(items: &Items<'a>, id: Id, file: &'a [u8], bytes_max: usize) -> Result<Self, DecodeError> {
        let properties = items.properties(id, KNOWN)?;
        let (width, height) = size(&properties)?;
        let colour = Colour::told_by(&properties)?;
        let shown = shown(&properties)?;
        let bytes = items.bytes(id, file)?;
        let still = |columns, tiles| Self { width, height, columns, tiles, colour, shown, multiplied_by: None };
        let kind = items.kind(id).ok_or_else(|| damaged("an item of no kind"))?;
        match &kind {
            b"av01" => Ok(still(1, vec![bytes])),
            b"grid" => {
                let grid = Grid::read(&bytes)?;
                if (grid.width, grid.height) != (width, height) {
                    return Err(damaged("the grid has another size than announced"));
                }
                let tiles: Vec<Id> = items.referred_to(b"dimg", id).collect();
                if tiles.len() != grid.rows * grid.columns {
                    return Err(damaged("the grid has another number of tiles than announced"));
                }
                if tiles.iter().any(|tile| items.kind(*tile) != Some(*b"av01")) {
                    return Err(unsupported("a tile that is no AV1 picture"));
                }
                let mut whole = still(grid.columns, Vec::with_capacity(tiles.len()));
                for tile in tiles {
                    whole.tiles.push(items.bytes(tile, file)?);
                    // Several can be of the same bytes, in many pieces each, and pieces are copied.
                    if whole.bytes() > bytes_max {
                        return Err(damaged("tiles that are longer than a file"));
                    }
                }
                Ok(whole)
            }
            _ => Err(unsupported(format_args!("a picture of kind `{}`", kind.escape_ascii()))),
        }
    }

    fn of_sample(sample: track::Sample<'a>) -> Result<Self, DecodeError> {
        let Sequence { width, height, .. } = Stream::of(sample.bytes)?.sequence;
        Ok(Self {
            width,
            height,
            columns: 1,
            tiles: vec![Cow::Borrowed(sample.bytes)],
            colour: Colour::told_by(&sample.properties)?,
            shown: shown(&sample.properties)?,
            multiplied_by: None,
        })
    }

    /// How long its tiles are together.
    pub(super) fn bytes(&self) -> usize {
        self.tiles.iter().map(|tile| tile.len()).sum()
    }

    /// The stream of each tile, row after row. All tiles are of one size, and together they cover the picture.
    pub(super) fn streams(&self) -> Result<Vec<Stream<'_>>, DecodeError> {
        let streams = self.tiles.iter().map(|tile| Stream::of(tile)).collect::<Result<Vec<_>, _>>()?;
        let Some(Stream { sequence: first, .. }) = streams.first() else { return Err(damaged("no tiles")) };
        let like = |one: &Sequence| (one.width, one.height, one.depth, one.layout);
        if streams.iter().any(|stream| like(&stream.sequence) != like(first)) {
            return Err(damaged("tiles that are not alike"));
        }
        let rows = streams.len() / self.columns;
        let covers = |side: u32, tile: u32, count: usize| match count {
            1 => tile == side,
            // The last tile may reach beyond the picture, but not be outside of it.
            _ => (side as usize).div_ceil(tile as usize) == count,
        };
        if !covers(self.width, first.width, self.columns) || !covers(self.height, first.height, rows) {
            return Err(damaged("the picture has another size than announced"));
        }
        Ok(streams)
    }
}

/// How a grid item puts tiles together (ISO/IEC 23008-12, 6.6.2.3).
struct Grid {
    rows: usize,
    columns: usize,
    width: u32,
    height: u32,
}

impl Grid {
    fn read(item: &[u8]) -> Result<Self, DecodeError> {
        let mut numbers = Numbers::of(item);
        if numbers.u8()? != 0 {
            return Err(unsupported("a grid of a later version"));
        }
        let wide = numbers.u8()? & 1 == 1;
        let (rows, columns) = (usize::from(numbers.u8()?) + 1, usize::from(numbers.u8()?) + 1);
        let (width, height) = (numbers.u16_or_u32(wide)?, numbers.u16_or_u32(wide)?);
        Ok(Self { rows, columns, width, height })
    }
}

fn property<'a>(properties: &[(Name, &'a [u8])], name: &Name) -> Option<Numbers<'a>> {
    properties.iter().find(|(other, _)| other == name).map(|(_, content)| Numbers::of(content))
}

/// From `ispe`.
fn size(properties: &[(Name, &[u8])]) -> Result<(u32, u32), DecodeError> {
    let mut numbers = property(properties, b"ispe").ok_or_else(|| damaged("a picture of no size"))?;
    numbers.version()?;
    let size = (numbers.u32()?, numbers.u32()?);
    if size.0 == 0 || size.1 == 0 { Err(no_pixels()) } else { Ok(size) }
}

/// From `irot` and `imir`, whichever is named first: first the turn, then the mirror (MIAF, ISO/IEC 23000-22, 7.3.6.7).
fn shown(properties: &[(Name, &[u8])]) -> Result<Orientation, DecodeError> {
    use Orientation::*;
    let quarters = match property(properties, b"irot") {
        // Counterclockwise.
        Some(mut numbers) => numbers.u8()? & 0b11,
        None => 0,
    };
    let mirror = match property(properties, b"imir") {
        Some(mut numbers) => Some(numbers.u8()? & 1),
        None => None,
    };
    Ok(match (quarters, mirror) {
        (0, None) => AsStored,
        (1, None) => Rotated270,
        (2, None) => Rotated180,
        (_, None) => Rotated90,
        // 0: top and bottom are exchanged; 1: left and right.
        (0, Some(0)) | (2, Some(1)) => FlippedVertically,
        (0, Some(_)) | (2, Some(_)) => FlippedHorizontally,
        (1, Some(0)) | (3, Some(1)) => Transposed,
        (_, Some(_)) => Transversed,
    })
}
