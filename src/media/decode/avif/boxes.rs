//! Boxes: how a file of the ISO base media format nests length, kind and content (ISO/IEC 14496-12, 4.2).
//!
//! Everything is a slice of the file: nothing is copied, and no count that the file announces is taken for memory.

use super::damaged;
use crate::media::DecodeError;

/// A box's kind, or another name of four letters.
pub(super) type Name = [u8; 4];

/// Numbers, most significant byte first, read one after the other.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a>(&'a [u8]);

impl<'a> Numbers<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| damaged("a box ends before its content"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn name(&mut self) -> Result<Name, DecodeError> {
        self.array()
    }

    /// A number of so many bytes, at most 8; of none it is 0.
    pub(super) fn sized(&mut self, bytes: u8) -> Result<u64, DecodeError> {
        Ok(self.bytes(bytes.into())?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The version of a full box. Its flags are skipped.
    pub(super) fn version(&mut self) -> Result<u8, DecodeError> {
        let [version, ..] = self.array::<4>()?;
        Ok(version)
    }

    /// The number of a thing that is counted in 16 bits by version 0 of a box, and in 32 by later ones.
    pub(super) fn u16_or_u32(&mut self, wide: bool) -> Result<u32, DecodeError> {
        if wide { self.u32() } else { self.u16().map(u32::from) }
    }

    /// What has not been read, as boxes.
    pub(super) const fn boxes(self) -> Boxes<'a> {
        Boxes(self.0)
    }
}

/// Kind and content of each box in a row of them.
pub(super) struct Boxes<'a>(&'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<(Name, &'a [u8]), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let next = first_box(self.0);
        // Where the next box begins is known only if this one is whole.
        self.0 = next.as_ref().map(|(_, _, rest)| *rest).unwrap_or_default();
        Some(next.map(|(name, content, _)| (name, content)))
    }
}

/// Kind and content of the box that `bytes` begin with, and what follows it.
fn first_box(bytes: &[u8]) -> Result<(Name, &[u8], &[u8]), DecodeError> {
    let mut numbers = Numbers(bytes);
    let size = numbers.u32()?;
    let name = numbers.name()?;
    let size = match size {
        // To the end of what holds it.
        0 => bytes.len() as u64,
        1 => numbers.sized(8)?,
        size => size.into(),
    };
    let header = bytes.len() - numbers.0.len();
    let content = usize::try_from(size).ok().and_then(|size| size.checked_sub(header));
    let content = content.ok_or_else(|| damaged("a box is shorter than its header"))?;
    let (content, rest) =
        numbers.0.split_at_checked(content).ok_or_else(|| damaged("a box is longer than what holds it"))?;
    Ok((name, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(bytes: &[u8]) -> Vec<Result<(Name, &[u8]), String>> {
        let boxes = Numbers::of(bytes).boxes();
        boxes.map(|next| next.map_err(|error| std::error::Error::source(&error).unwrap().to_string())).collect()
    }

    #[test]
    fn a_box_says_its_length_in_32_bits_or_64_or_reaches_to_the_end() {
        let row =
            [&b"\0\0\0\x0afreeab"[..], b"\0\0\0\x01skip\0\0\0\0\0\0\0\x11c", b"\0\0\0\x08wide", b"\0\0\0\0mdatdef"];
        let expected = [(*b"free", &b"ab"[..]), (*b"skip", b"c"), (*b"wide", b""), (*b"mdat", b"def")];
        assert_eq!(boxes(&row.concat()), expected.map(Ok));
    }

    #[test]
    fn a_box_that_lies_about_its_length_is_the_last() {
        let short = [&b"\0\0\0\x07free"[..], b"\0\0\0\x08wide"].concat();
        assert_eq!(boxes(&short), [Err("a box is shorter than its header".to_owned())]);
        let long = b"\0\0\0\x09free";
        assert_eq!(boxes(long), [Err("a box is longer than what holds it".to_owned())]);
        let endless = b"\0\0\0\x01free\xff\xff\xff\xff\xff\xff\xff\xff";
        assert_eq!(boxes(endless), [Err("a box is longer than what holds it".to_owned())]);
        assert_eq!(boxes(b"\0\0\0"), [Err("a box ends before its content".to_owned())]);
    }
}
