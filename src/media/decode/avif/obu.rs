//! The units of an AV1 stream, and what its sequence header announces (AV1 Bitstream & Decoding Process Specification, 5.3 to
//! 5.5), read before the decoder is given anything.

use super::colour::Colour;
use super::{damaged, unsupported};
use crate::media::DecodeError;

/// What a sequence header says of all its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Of its pictures, or of the largest if they differ.
    pub(super) width: u32,
    pub(super) height: u32,
    /// Above what a picture can name as its own width and height. The decoder holds it to the number of pixels alone.
    pub(super) sides_max: [u32; 2],
    /// Bits a sample: 8, 10 or 12.
    pub(super) depth: u8,
    pub(super) layout: Layout,
    pub(super) colour: Colour,
    /// Whether a picture may be stored narrower than it is.
    pub(super) superres: bool,
    /// Whether a picture may have film grain, which is drawn into a copy.
    pub(super) film_grain: bool,
}

/// Which samples there are beside luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Grey,
    /// A quarter: 4:2:0.
    Quarter,
    /// Half, side by side: 4:2:2.
    Half,
    /// As many as luma: 4:4:4.
    Full,
}

/// An AV1 stream whose units are whole and whose sequence header has been read.
pub(super) struct Stream<'a> {
    /// Up to where its second moment begins.
    bytes: &'a [u8],
    pub(super) sequence: Sequence,
    /// How many pictures are coded in it, those included that are not to be shown.
    pub(super) pictures: usize,
}

/// More pictures than are coded to show one: some that others refer to, or layers.
const PICTURES_MAX: usize = 16;

impl<'a> Stream<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (mut header, mut pictures, mut length) = (None, 0, 0);
        for unit in units(bytes) {
            let unit = unit?;
            match unit.kind {
                Kind::Moment if pictures > 0 => break,
                Kind::SequenceHeader => match header {
                    None => header = Some(unit.content),
                    // It would change what has been checked.
                    Some(first) if first != unit.content => return Err(damaged("two sequence headers")),
                    Some(_) => {}
                },
                Kind::Picture => pictures += 1,
                Kind::Moment | Kind::Tiles | Kind::Other => {}
            }
            length += unit.whole.len();
        }
        let header = header.ok_or_else(|| damaged("no sequence header"))?;
        match pictures {
            0 => Err(damaged("no picture")),
            1..=PICTURES_MAX => Ok(Self { bytes: &bytes[..length], sequence: Sequence::read(header)?, pictures }),
            _ => Err(unsupported(format_args!("{pictures} pictures coded to show one"))),
        }
    }

    /// The units that make pictures, one after the other.
    ///
    /// Metadata, padding and what is not known stay out: no pixel depends on them, and what a decoder does not get cannot
    /// harm it. (rav1d panics at some metadata: memorysafety/rav1d#1476.)
    pub(super) fn units_that_make_pictures(&self) -> Vec<u8> {
        let mut made = Vec::with_capacity(self.bytes.len());
        let units = units(self.bytes).filter_map(Result::ok);
        for unit in units.filter(|unit| matches!(unit.kind, Kind::SequenceHeader | Kind::Picture | Kind::Tiles)) {
            made.extend_from_slice(unit.whole);
        }
        made
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// That what follows is for another moment: a temporal delimiter.
    Moment,
    SequenceHeader,
    /// A picture's header, with or without its tiles.
    Picture,
    Tiles,
    Other,
}

struct Unit<'a> {
    kind: Kind,
    content: &'a [u8],
    /// Header, length and content.
    whole: &'a [u8],
}

/// Every unit of a stream. What follows a broken one cannot be found.
fn units(stream: &[u8]) -> impl Iterator<Item = Result<Unit<'_>, DecodeError>> {
    let mut rest = stream;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let unit = first_unit(rest);
        rest = unit.as_ref().map(|unit| &rest[unit.whole.len()..]).unwrap_or_default();
        Some(unit)
    })
}

fn first_unit(bytes: &[u8]) -> Result<Unit<'_>, DecodeError> {
    const HAS_EXTENSION: u8 = 0b100;
    const HAS_LENGTH: u8 = 0b10;
    let short = || damaged("an AV1 unit is longer than its stream");
    let header = *bytes.first().ok_or_else(short)?;
    let kind = match header >> 3 & 0b1111 {
        1 => Kind::SequenceHeader,
        2 => Kind::Moment,
        3 | 6 => Kind::Picture,
        // A tile group, and a frame header repeated between tile groups.
        4 | 7 => Kind::Tiles,
        _ => Kind::Other,
    };
    let mut at = if header & HAS_EXTENSION == 0 { 1 } else { 2 };
    let content = if header & HAS_LENGTH == 0 {
        bytes.get(at..).ok_or_else(short)?
    } else {
        let length = leb128(bytes, &mut at).ok_or_else(short)?;
        bytes.get(at..).and_then(|rest| rest.get(..length)).ok_or_else(short)?
    };
    Ok(Unit { kind, content, whole: &bytes[..at + content.len()] })
}

/// A length, seven bits a byte, the least significant first.
fn leb128(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut length = 0;
    for shift in 0..8 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        length |= u64::from(byte & 0x7F) << (7 * shift);
        if byte & 0x80 == 0 {
            return usize::try_from(length).ok();
        }
    }
    None
}

impl Sequence {
    /// As in 5.5.1, `sequence_header_obu`, and 5.5.2, `color_config`; names of the specification in comments.
    fn read(content: &[u8]) -> Result<Self, DecodeError> {
        let mut bits = Bits { bytes: content, at: 0 };
        let profile = bits.number(3)?;
        if profile > 2 {
            return Err(unsupported(format_args!("AV1 profile {profile}")));
        }
        bits.skip(1)?; // still_picture
        let reduced = bits.flag()?; // reduced_still_picture_header
        if reduced {
            bits.skip(5)?; // seq_level_idx
        } else {
            bits.skip_operating_points()?;
        }
        let (width_bits, height_bits) = (bits.number(4)? + 1, bits.number(4)? + 1);
        let (width, height) = (bits.number(width_bits)? + 1, bits.number(height_bits)? + 1);
        let sides_max = if reduced { [width, height] } else { [1 << width_bits, 1 << height_bits] };
        if !reduced && bits.flag()? {
            bits.skip(4 + 3)?; // lengths of frame numbers
        }
        bits.skip(3)?; // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
        if !reduced {
            bits.skip_inter_tools()?;
        }
        let superres = bits.flag()?;
        bits.skip(2)?; // enable_cdef, enable_restoration

        let high = bits.flag()?; // high_bitdepth
        let depth = if !high {
            8
        } else if profile == 2 && bits.flag()? {
            12
        } else {
            10
        };
        let grey = profile != 1 && bits.flag()?; // mono_chrome
        let mut colour = Colour::UNSPECIFIED;
        if bits.flag()? {
            colour.primaries = bits.number(8)? as u16;
            colour.transfer = bits.number(8)? as u16;
            colour.matrix = bits.number(8)? as u16;
        }
        let layout = if grey {
            colour.full_range = bits.flag()?;
            Layout::Grey
        } else if colour.is_srgb() {
            colour.full_range = true;
            Layout::Full
        } else {
            colour.full_range = bits.flag()?;
            let layout = match profile {
                0 => Layout::Quarter,
                1 => Layout::Full,
                _ if depth < 12 => Layout::Half,
                _ if !bits.flag()? => Layout::Full,
                _ if !bits.flag()? => Layout::Half,
                _ => Layout::Quarter,
            };
            if layout == Layout::Quarter {
                bits.skip(2)?; // chroma_sample_position
            }
            layout
        };
        if !grey {
            bits.skip(1)?; // separate_uv_delta_q
        }
        let film_grain = bits.flag()?;
        Ok(Self { width, height, sides_max, depth, layout, colour, superres, film_grain })
    }
}

/// Bits, the most significant of a byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn flag(&mut self) -> Result<bool, DecodeError> {
        let byte = self.bytes.get(self.at / 8).ok_or_else(|| damaged("the sequence header is cut short"))?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// Of at most 32 bits.
    fn number(&mut self, bits: u32) -> Result<u32, DecodeError> {
        (0..bits).try_fold(0, |number, _| Ok(number << 1 | u32::from(self.flag()?)))
    }

    fn skip(&mut self, bits: u32) -> Result<(), DecodeError> {
        (0..bits).try_for_each(|_| self.flag().map(|_| ()))
    }

    /// From `timing_info_present_flag` to the last of the operating points.
    fn skip_operating_points(&mut self) -> Result<(), DecodeError> {
        let mut delay_bits = None;
        if self.flag()? {
            self.skip(32 + 32)?; // num_units_in_display_tick, time_scale
            if self.flag()? {
                self.skip_uvlc()?; // num_ticks_per_picture_minus_1
            }
            if self.flag()? {
                delay_bits = Some(self.number(5)? + 1); // buffer_delay_length
                self.skip(32 + 5 + 5)?;
            }
        }
        let has_display_delay = self.flag()?;
        for _ in 0..=self.number(5)? {
            self.skip(12)?; // operating_point_idc
            if self.number(5)? > 7 {
                self.skip(1)?; // seq_tier
            }
            if let Some(delay_bits) = delay_bits
                && self.flag()?
            {
                self.skip(2 * delay_bits + 1)?;
            }
            if has_display_delay && self.flag()? {
                self.skip(4)?;
            }
        }
        Ok(())
    }

    /// From `enable_interintra_compound` to `order_hint_bits`.
    fn skip_inter_tools(&mut self) -> Result<(), DecodeError> {
        self.skip(4)?; // interintra compound, masked compound, warped motion, dual filter
        let order_hint = self.flag()?;
        if order_hint {
            self.skip(2)?; // joint compound, reference frame motion vectors
        }
        let screen_content = self.flag()? || self.flag()?;
        if screen_content && !self.flag()? {
            self.skip(1)?; // seq_force_integer_mv
        }
        if order_hint {
            self.skip(3)?;
        }
        Ok(())
    }

    fn skip_uvlc(&mut self) -> Result<(), DecodeError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros < 32 { self.skip(zeros) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    /// Values and how many bits each has, in bytes.
    fn packed(fields: &[(u64, u32)]) -> Vec<u8> {
        let bits = fields.iter().flat_map(|(value, bits)| (0..*bits).rev().map(move |bit| value >> bit & 1));
        let bits: Vec<u64> = bits.collect();
        bits.chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | (*bit as u8) << (7 - at)))
            .collect()
    }

    /// The header of a still picture, up to its colours.
    const STILL: &[(u64, u32)] =
        &[(1, 1), (1, 1), (0, 5), (15, 4), (15, 4), (65_535, 16), (43, 16), (0, 3), (0, 1), (0, 2)];

    fn still(profile: u64, colours: &[(u64, u32)]) -> Sequence {
        Sequence::read(&packed(&[&[(profile, 3)], STILL, colours].concat())).unwrap()
    }

    fn reason(error: &DecodeError) -> String {
        error.source().unwrap().to_string()
    }

    fn unit(header: u8, content: &[u8]) -> Vec<u8> {
        [&[header | 0b10, content.len() as u8], content].concat()
    }

    #[test]
    fn a_sequence_header_tells_sides_depth_layout_and_colour() {
        let grey = still(0, &[(0, 1), (1, 1), (0, 1), (1, 1), (1, 1)]);
        assert_eq!((grey.width, grey.height, grey.sides_max), (65_536, 44, [65_536, 44]));
        assert_eq!((grey.depth, grey.layout, grey.film_grain), (8, Layout::Grey, true));
        assert_eq!(grey.colour, Colour { full_range: true, ..Colour::UNSPECIFIED });

        let bt2020 = [(1, 1), (0, 1), (1, 1), (9, 8), (16, 8), (9, 8), (0, 1), (0, 2), (0, 1), (0, 1)];
        let deep = still(0, &bt2020);
        assert_eq!((deep.depth, deep.layout, deep.film_grain), (10, Layout::Quarter, false));
        assert_eq!(deep.colour, Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false });

        let srgb = still(1, &[(0, 1), (1, 1), (1, 8), (13, 8), (0, 8), (0, 1), (0, 1)]);
        assert_eq!((srgb.layout, srgb.colour.full_range), (Layout::Full, true));

        let twelve =
            |layout: &[(u64, u32)]| still(2, &[&[(1, 1), (1, 1), (0, 1), (0, 1), (0, 1)], layout, &[(0, 4)]].concat());
        assert_eq!(twelve(&[(0, 1)]).layout, Layout::Full);
        assert_eq!(twelve(&[(1, 1), (0, 1)]).layout, Layout::Half);
        assert_eq!((twelve(&[(1, 1), (1, 1)]).layout, twelve(&[(0, 1)]).depth), (Layout::Quarter, 12));
    }

    #[test]
    fn a_header_of_a_sequence_is_read_past_its_times_and_tools() {
        let times = [(1, 1), (1, 32), (25, 32), (1, 1), (0b00101, 5), (1, 1), (9, 5), (1, 32), (9, 5), (9, 5)];
        let points =
            [(1, 1), (1, 5), (0, 12), (8, 5), (0, 1), (1, 1), (0, 21), (1, 1), (5, 4), (1, 12), (7, 5), (0, 1), (0, 1)];
        let sides = [(7, 4), (6, 4), (199, 8), (99, 7), (1, 1), (0, 7), (0, 3)];
        let tools = [(0, 4), (1, 1), (0, 2), (1, 1), (0, 1), (1, 1), (6, 3), (1, 1), (0, 2)];
        let colours = [(0, 1), (0, 1), (0, 1), (1, 1), (0, 2), (0, 1), (1, 1)];
        let fields = [&[(0, 3), (0, 1), (0, 1)][..], &times, &points, &sides, &tools, &colours].concat();
        let sequence = Sequence::read(&packed(&fields)).unwrap();
        assert_eq!((sequence.width, sequence.height, sequence.sides_max), (200, 100, [256, 128]));
        assert_eq!((sequence.superres, sequence.film_grain, sequence.colour.full_range), (true, true, true));
        for length in 0..packed(&fields).len() - 1 {
            let error = Sequence::read(&packed(&fields)[..length]).unwrap_err();
            assert_eq!(reason(&error), "the sequence header is cut short");
        }
    }

    #[test]
    fn of_a_stream_only_what_makes_the_first_moments_pictures_reaches_the_decoder() {
        let header = unit(1 << 3, &packed(&[&[(0, 3)], STILL, &[(0, 9)]].concat()));
        let [moment, metadata, padding, picture] =
            [(2, &b""[..]), (5, b"?"), (15, b"?"), (6, b"p")].map(|(k, c)| unit(k << 3, c));
        let first = [&moment[..], &header, &metadata, &picture, &padding].concat();
        let bytes = [&first[..], &moment, &picture, b"\xff"].concat();
        let stream = Stream::of(&bytes).unwrap();
        assert_eq!((stream.pictures, stream.len()), (1, first.len()));
        assert_eq!(stream.units_that_make_pictures(), [header, picture].concat());
    }

    #[test]
    fn a_stream_that_is_not_of_one_kind_or_of_endless_pictures_is_refused() {
        let header = |colours: u64| unit(1 << 3, &packed(&[&[(0, 3)], STILL, &[(colours, 9)]].concat()));
        let picture = unit(6 << 3, b"p");
        let refusal = |parts: &[&[u8]]| Stream::of(&parts.concat()).err().map(|error| reason(&error));
        assert_eq!(refusal(&[&header(0), &header(0), &picture]), None);
        assert_eq!(refusal(&[&header(0), &header(1), &picture]).unwrap(), "two sequence headers");
        assert_eq!(refusal(&[&picture]).unwrap(), "no sequence header");
        assert_eq!(refusal(&[&header(0)]).unwrap(), "no picture");
        assert_eq!(refusal(&[&header(0), &picture.repeat(17)]).unwrap(), "17 pictures coded to show one");
        assert_eq!(refusal(&[&header(0), b"\x32\xff\xff"]).unwrap(), "an AV1 unit is longer than its stream");
    }
}
