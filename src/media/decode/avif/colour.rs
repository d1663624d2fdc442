//! What samples mean, in the codes of ITU-T H.273, and how red, green and blue are mixed of them.

use super::boxes::{Name, Numbers};
use super::obu::{Layout, Sequence};
use super::unsupported;
use crate::media::DecodeError;

/// What a file says of its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour {
    pub(super) primaries: u16,
    pub(super) transfer: u16,
    pub(super) matrix: u16,
    /// Whether samples use every value, or leave room below and above as in television.
    pub(super) full_range: bool,
}

impl Colour {
    pub(super) const UNSPECIFIED: Self = Self { primaries: 2, transfer: 2, matrix: 2, full_range: false };

    /// From a `colr` box of codes. One with an ICC profile says nothing of the samples; the profile is not applied.
    pub(super) fn told_by(properties: &[(Name, &[u8])]) -> Result<Option<Self>, DecodeError> {
        for (_, content) in properties.iter().filter(|(name, _)| name == b"colr") {
            let mut numbers = Numbers::of(content);
            if &numbers.name()? == b"nclx" {
                return Ok(Some(Self {
                    primaries: numbers.u16()?,
                    transfer: numbers.u16()?,
                    matrix: numbers.u16()?,
                    full_range: numbers.u8()? >> 7 == 1,
                }));
            }
        }
        Ok(None)
    }

    /// Red, green and blue themselves, which AV1 stores without saying anything more of them.
    pub(super) const fn is_srgb(self) -> bool {
        self.primaries == 1 && self.transfer == 13 && self.matrix == 0
    }
}

/// How much of each sample goes into red, green and blue, in integers: the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mix {
    /// For red, green and blue: parts of luma and of the two chroma samples, which come sixteenfold.
    parts: [[i32; 3]; 3],
    /// What is added to each.
    bias: [i32; 3],
}

impl Mix {
    /// Fractions of a level that are kept. The largest sum is below 2^30.
    const BITS: u32 = 20;

    /// As libavif mixes samples; where nothing is specified, by BT.601.
    pub(super) fn of(colour: Colour, sequence: &Sequence) -> Result<Self, DecodeError> {
        const YCGCO: u16 = 8;
        let is_identity = colour.matrix == 0 && sequence.layout != Layout::Grey;
        let parts = match colour.matrix {
            _ if sequence.layout == Layout::Grey => [[1.0, 0.0, 0.0]; 3],
            0 if sequence.layout != Layout::Full => return Err(unsupported("RGB with fewer samples of red and blue")),
            // Luma is green, the first chroma sample blue, the second red.
            0 => [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            YCGCO => [[1.0, -1.0, 1.0], [1.0, 1.0, 0.0], [1.0, -1.0, -1.0]],
            _ => {
                let (red, blue) = shares_of_luma(colour)?;
                let green = 1.0 - red - blue;
                let (from_blue, from_red) = (2.0 * (1.0 - blue), 2.0 * (1.0 - red));
                [[1.0, 0.0, from_red], [1.0, -from_blue * blue / green, -from_red * red / green], [1.0, from_blue, 0.0]]
            }
        };
        let unit = f64::from(1 << (sequence.depth - 8));
        let all = f64::from((1 << sequence.depth) - 1);
        let (luma_from, luma_range) = if colour.full_range { (0.0, all) } else { (16.0 * unit, 219.0 * unit) };
        let (chroma_from, chroma_range) = if is_identity {
            (luma_from, luma_range)
        } else {
            (128.0 * unit, if colour.full_range { all } else { 224.0 * unit })
        };
        let one = 255.0 * f64::from(1 << Self::BITS);
        let scale = [one / luma_range, one / chroma_range / 16.0, one / chroma_range / 16.0];
        let from = [luma_from, 16.0 * chroma_from, 16.0 * chroma_from];
        let parts = parts.map(|parts| [0, 1, 2].map(|sample| (parts[sample] * scale[sample]).round()));
        let half = f64::from(1 << (Self::BITS - 1));
        let bias = parts.map(|parts| half - parts[0] * from[0] - parts[1] * from[1] - parts[2] * from[2]);
        Ok(Self { parts: parts.map(|parts| parts.map(|part| part as i32)), bias: bias.map(|bias| bias as i32) })
    }

    /// Of grey pictures.
    pub(super) fn grey(&self, luma: &[u16], into: &mut [[u8; 3]]) {
        for (colour, luma) in into.iter_mut().zip(luma) {
            *colour = [self.one(0, [*luma, 0, 0]); 3];
        }
    }

    pub(super) fn colours(&self, luma: &[u16], chroma: [&[u16]; 2], into: &mut [[u8; 3]]) {
        for (((colour, luma), first), second) in into.iter_mut().zip(luma).zip(chroma[0]).zip(chroma[1]) {
            let samples = [*luma, *first, *second];
            *colour = [self.one(0, samples), self.one(1, samples), self.one(2, samples)];
        }
    }

    #[inline]
    fn one(&self, colour: usize, samples: [u16; 3]) -> u8 {
        let parts = self.parts[colour];
        let sum =
            parts[0] * i32::from(samples[0]) + parts[1] * i32::from(samples[1]) + parts[2] * i32::from(samples[2]);
        ((sum + self.bias[colour]) >> Self::BITS).clamp(0, 255) as u8
    }
}

/// How much of luma is red, and how much is blue.
fn shares_of_luma(colour: Colour) -> Result<(f64, f64), DecodeError> {
    const BT709: (f64, f64) = (0.2126, 0.0722);
    const BT2020: (f64, f64) = (0.2627, 0.0593);
    Ok(match (colour.matrix, colour.primaries) {
        (1, _) | (12, 1) => BT709,
        (2 | 5 | 6, _) => (0.299, 0.114),
        (4, _) => (0.30, 0.11),
        (7, _) => (0.212, 0.087),
        (9, _) | (12, 9) => BT2020,
        (matrix, _) => return Err(unsupported(format_args!("matrix coefficients {matrix}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(depth: u8, layout: Layout) -> Sequence {
        let colour = Colour::UNSPECIFIED;
        Sequence { width: 1, height: 1, sides_max: [1; 2], depth, layout, colour, superres: false, film_grain: false }
    }

    fn mixed(matrix: u16, full_range: bool, depth: u8, samples: [u16; 3]) -> [u8; 3] {
        let colour = Colour { matrix, full_range, ..Colour::UNSPECIFIED };
        let mix = Mix::of(colour, &sequence(depth, Layout::Full)).unwrap();
        let mut into = [[0; 3]];
        let [luma, first, second] = samples;
        mix.colours(&[luma], [&[16 * first], &[16 * second]], &mut into);
        into[0]
    }

    #[test]
    fn black_white_and_pure_red_are_what_the_standards_say_in_every_range_and_depth() {
        for depth in [8, 10, 12] {
            let unit = 1 << (depth - 8);
            for matrix in [1, 2, 5, 6, 9] {
                assert_eq!(mixed(matrix, false, depth, [16 * unit, 128 * unit, 128 * unit]), [0; 3]);
                assert_eq!(mixed(matrix, false, depth, [235 * unit, 128 * unit, 128 * unit]), [255; 3]);
                assert_eq!(mixed(matrix, true, depth, [0, 128 * unit, 128 * unit]), [0; 3]);
                assert_eq!(mixed(matrix, true, depth, [256 * unit - 1, 128 * unit, 128 * unit]), [255; 3]);
            }
        }
        // BT.601 and BT.709 colour bars (ITU-R BT.1729), red at full saturation.
        assert_eq!(mixed(6, false, 8, [81, 90, 240]), [254, 0, 0]);
        assert_eq!(mixed(1, false, 8, [63, 102, 240]), [255, 1, 0]);
    }

    #[test]
    fn red_green_and_blue_stored_as_such_come_back_in_their_order() {
        assert_eq!(mixed(0, true, 8, [2, 3, 1]), [1, 2, 3]);
        assert_eq!(mixed(0, false, 8, [16, 235, 16]), [0, 0, 255]);
        assert_eq!(mixed(0, true, 10, [512, 1023, 2]), [0, 128, 255]);
    }

    #[test]
    fn what_has_no_agreed_meaning_is_refused_by_name() {
        let refusal = |matrix, layout| {
            let error = Mix::of(Colour { matrix, ..Colour::UNSPECIFIED }, &sequence(8, layout)).unwrap_err();
            std::error::Error::source(&error).unwrap().to_string()
        };
        assert_eq!(refusal(3, Layout::Full), "matrix coefficients 3");
        assert_eq!(refusal(14, Layout::Quarter), "matrix coefficients 14");
        assert_eq!(refusal(0, Layout::Quarter), "RGB with fewer samples of red and blue");
    }
}
