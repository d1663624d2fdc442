//! The items of a file, as its `meta` box lists them: where their bytes are, what is said of them, what they are to one
//! another (ISO/IEC 14496-12, 8.11, and 23008-12).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::boxes::{Name, Numbers};
use super::{damaged, unsupported};
use crate::media::DecodeError;

/// The number of an item in its file.
pub(super) type Id = u32;

/// More of anything than a picture has: a picture of 100 megapixels in tiles of 256x256 has 1,526 of them.
const COUNT_MAX: usize = 16_384;

/// What a `meta` box says.
#[derive(Default)]
pub(super) struct Items<'a> {
    primary: Option<Id>,
    kinds: BTreeMap<Id, Name>,
    places: BTreeMap<Id, Place<'a>>,
    /// Counted from 1 by `told`.
    properties: Vec<(Name, &'a [u8])>,
    told: Vec<Told>,
    references: Vec<Reference>,
    /// Bytes inside the `meta` box, for items that are kept there.
    inside: &'a [u8],
}

/// Where an item's bytes are.
struct Place<'a> {
    /// In the `meta` box itself, not in the file.
    is_inside: bool,
    base: u64,
    pieces: u16,
    /// How long each number of a piece is: its index, offset and length.
    sizes: [u8; 3],
    numbers: Numbers<'a>,
}

/// That an item has a property.
struct Told {
    of: Id,
    property: usize,
    /// Whoever does not know the property must leave the item alone.
    is_essential: bool,
}

struct Reference {
    kind: Name,
    from: Id,
    to: Id,
}

impl<'a> Items<'a> {
    /// From the content of a `meta` box.
    pub(super) fn read(meta: &'a [u8]) -> Result<Self, DecodeError> {
        let mut numbers = Numbers::of(meta);
        numbers.version()?;
        let mut items = Self::default();
        for next in numbers.boxes() {
            let (name, content) = next?;
            let mut numbers = Numbers::of(content);
            match &name {
                b"pitm" => {
                    let version = numbers.version()?;
                    items.primary = Some(numbers.u16_or_u32(version > 0)?);
                }
                b"iinf" => items.read_kinds(numbers)?,
                b"iloc" => items.read_places(numbers)?,
                b"iref" => items.read_references(numbers)?,
                b"iprp" => items.read_properties(numbers)?,
                b"idat" => items.inside = content,
                _ => {}
            }
        }
        Ok(items)
    }

    pub(super) const fn primary(&self) -> Option<Id> {
        self.primary
    }

    pub(super) fn kind(&self, id: Id) -> Option<Name> {
        self.kinds.get(&id).copied()
    }

    /// The items that `from` refers to in this way, in order.
    pub(super) fn referred_to(&self, kind: &Name, from: Id) -> impl Iterator<Item = Id> {
        self.references.iter().filter(move |reference| reference.kind == *kind && reference.from == from).map(|r| r.to)
    }

    /// The properties of an item, in order.
    ///
    /// # Errors
    /// [`DecodeError::Unsupported`] if one of them is essential and not among `known`.
    pub(super) fn properties(&self, id: Id, known: &[&Name]) -> Result<Vec<(Name, &'a [u8])>, DecodeError> {
        let mut properties = Vec::new();
        for Told { property, is_essential, .. } in self.told.iter().filter(|told| told.of == id) {
            // Property 0 is none.
            let Some(index) = property.checked_sub(1) else { continue };
            let &(name, content) = self.properties.get(index).ok_or_else(|| damaged("a property is missing"))?;
            if *is_essential && !known.contains(&&name) {
                return Err(unsupported(format_args!("the essential property `{}`", name.escape_ascii())));
            }
            properties.push((name, content));
        }
        Ok(properties)
    }

    /// An item's bytes, in one piece.
    pub(super) fn bytes(&self, id: Id, file: &'a [u8]) -> Result<Cow<'a, [u8]>, DecodeError> {
        // Files have one, or a few. A piece need not take a byte of the file, and a grid can ask for the same item 65,535 times.
        const PIECES_MAX: u16 = 256;
        let place = self.places.get(&id).ok_or_else(|| damaged("an item is nowhere"))?;
        if place.pieces > PIECES_MAX {
            return Err(unsupported(format_args!("an item in {} pieces", place.pieces)));
        }
        let source = if place.is_inside { self.inside } else { file };
        let [index_size, offset_size, length_size] = place.sizes;
        let mut numbers = place.numbers;
        let mut whole = Cow::Borrowed(&[][..]);
        for _ in 0..place.pieces {
            numbers.sized(index_size)?;
            let offset = place.base.checked_add(numbers.sized(offset_size)?);
            let length = numbers.sized(length_size)?;
            let piece = piece(source, offset, length).ok_or_else(|| damaged("an item is not inside the file"))?;
            if whole.is_empty() {
                whole = Cow::Borrowed(piece);
            } else if whole.len() + piece.len() <= file.len() {
                whole.to_mut().extend_from_slice(piece);
            } else {
                return Err(damaged("an item is longer than the file"));
            }
        }
        Ok(whole)
    }

    fn read_kinds(&mut self, mut numbers: Numbers<'a>) -> Result<(), DecodeError> {
        let version = numbers.version()?;
        numbers.u16_or_u32(version > 0)?;
        for next in numbers.boxes() {
            let (name, content) = next?;
            let mut numbers = Numbers::of(content);
            let version = numbers.version()?;
            // Earlier versions have no kind.
            if &name != b"infe" || version < 2 {
                continue;
            }
            let id = numbers.u16_or_u32(version > 2)?;
            let protection = numbers.u16()?;
            let kind = numbers.name()?;
            // What is protected cannot be read.
            if protection == 0 {
                self.kinds.entry(id).or_insert(kind);
            }
            few(self.kinds.len())?;
        }
        Ok(())
    }

    fn read_places(&mut self, mut numbers: Numbers<'a>) -> Result<(), DecodeError> {
        let version = numbers.version()?;
        let [sizes, more] = numbers.u16()?.to_be_bytes();
        let (offset_size, length_size, base_size) = (sizes >> 4, sizes & 0xF, more >> 4);
        let index_size = if version > 0 { more & 0xF } else { 0 };
        let sizes = [index_size, offset_size, length_size];
        if sizes.iter().chain([&base_size]).any(|size| *size > 8) {
            return Err(damaged("a number of more than 64 bits"));
        }
        for _ in 0..numbers.u16_or_u32(version > 1)? {
            let id = numbers.u16_or_u32(version > 1)?;
            let way = if version > 0 { numbers.u16()? & 0xF } else { 0 };
            let is_elsewhere = numbers.u16()? != 0;
            let base = numbers.sized(base_size)?;
            let pieces = numbers.u16()?;
            let place = Place { is_inside: way == 1, base, pieces, sizes, numbers };
            let piece_size: usize = sizes.iter().map(|size| usize::from(*size)).sum();
            numbers.bytes(piece_size * usize::from(pieces))?;
            // In another file, or in another item: such an item is nowhere.
            if !is_elsewhere && way < 2 {
                self.places.entry(id).or_insert(place);
            }
            few(self.places.len())?;
        }
        Ok(())
    }

    fn read_references(&mut self, mut numbers: Numbers<'a>) -> Result<(), DecodeError> {
        let wide = numbers.version()? > 0;
        for next in numbers.boxes() {
            let (kind, content) = next?;
            let mut numbers = Numbers::of(content);
            let from = numbers.u16_or_u32(wide)?;
            for _ in 0..numbers.u16()? {
                self.references.push(Reference { kind, from, to: numbers.u16_or_u32(wide)? });
            }
            few(self.references.len())?;
        }
        Ok(())
    }

    fn read_properties(&mut self, numbers: Numbers<'a>) -> Result<(), DecodeError> {
        for next in numbers.boxes() {
            let (name, content) = next?;
            let numbers = Numbers::of(content);
            match &name {
                b"ipco" => {
                    for property in numbers.boxes() {
                        self.properties.push(property?);
                        few(self.properties.len())?;
                    }
                }
                b"ipma" => self.read_who_has_what(numbers)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_who_has_what(&mut self, mut numbers: Numbers<'a>) -> Result<(), DecodeError> {
        let [version, .., flags] = numbers.u32()?.to_be_bytes();
        for _ in 0..numbers.u32()? {
            let of = numbers.u16_or_u32(version > 0)?;
            for _ in 0..numbers.u8()? {
                // One bit says whether the property is essential, the others which it is.
                let (told, bits) = if flags & 1 == 0 { (numbers.u8()?.into(), 7) } else { (numbers.u16()?, 15) };
                let property = usize::from(told & !(1 << bits));
                self.told.push(Told { of, property, is_essential: told >> bits == 1 });
                few(self.told.len())?;
            }
        }
        Ok(())
    }
}

/// A length of 0 reaches to the end.
fn piece(source: &[u8], offset: Option<u64>, length: u64) -> Option<&[u8]> {
    let rest = source.get(usize::try_from(offset?).ok()?..)?;
    if length == 0 { Some(rest) } else { rest.get(..usize::try_from(length).ok()?) }
}

fn few(count: usize) -> Result<(), DecodeError> {
    if count > COUNT_MAX { Err(unsupported(format_args!("more than {COUNT_MAX} items or properties"))) } else { Ok(()) }
}
