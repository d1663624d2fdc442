//! What can be known of a JPEG file from its segments, without decoding it.

use memchr::memchr2_iter;

/// What a walk over the segments finds.
///
/// A picture embedded in a segment, such as a thumbnail in the EXIF data, has markers of its own, so segments are stepped
/// over by their length. In the compressed data between them `FF` is always followed by `00` or a restart marker (ITU-T
/// T.81, B.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Whether the file reaches its end-of-image marker (`FF D9`).
    ///
    /// The decoder does not tell: it fills what a truncated file lacks with grey, and the hash of that would be stored or
    /// compared as if it were the picture's.
    pub(super) has_end: bool,
    /// Whether the frame is progressive.
    progressive: bool,
    /// How often a scan begins.
    scans: usize,
    /// Width and height that the frame announces.
    sides: (u16, u16),
    /// Samples a pixel, in quarters: 12 for three components of full size, 6 for 4:2:0. 0 without a frame.
    quarter_samples: u64,
}

impl Survey {
    /// Walks over `bytes`, a whole JPEG file.
    pub(super) fn of(bytes: &[u8]) -> Self {
        const START_OF_SCAN: u8 = 0xDA;
        const END_OF_IMAGE: u8 = 0xD9;
        let mut survey = Self::default();
        let mut rest = bytes;
        while let Some(at) = rest.windows(2).position(|pair| pair[0] == 0xFF && !is_alone(pair[1])) {
            rest = &rest[at + 1..];
            let [marker, after @ ..] = rest else { break };
            if *marker == END_OF_IMAGE {
                survey.has_end = true;
                break;
            }
            let [high, low, ..] = after else { break };
            // The length counts its own two bytes.
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let segment = after.get(2..length).unwrap_or_default();
            match *marker {
                START_OF_SCAN => survey.scans += 1,
                code if is_frame(code) => {
                    survey.progressive = is_progressive(code);
                    survey.sides = sides(segment);
                    survey.quarter_samples = quarter_samples(segment);
                }
                _ => {}
            }
            rest = after.get(length..).unwrap_or_default();
        }
        survey
    }

    /// Pixels of the frame.
    pub(super) fn pixels(self) -> u64 {
        u64::from(self.sides.0) * u64::from(self.sides.1)
    }

    /// Memory for coefficients, in bytes a pixel: two a sample, where the decoder must keep them all until the last scan.
    pub(super) fn coefficient_bytes_per_pixel(self) -> u8 {
        const BYTES_PER_SAMPLE: u64 = 2;
        if self.progressive || self.scans > 1 {
            (BYTES_PER_SAMPLE * self.quarter_samples).div_ceil(4).min(u8::MAX.into()) as u8
        } else {
            0
        }
    }
}

/// Pieces of what costs the decoder more than its length, by their first bytes, wherever in the file they are: never less than
/// the decoder finds, even if it reads the file otherwise than [`Survey`] does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Burden {
    /// Headers of scans. Each goes over the whole picture, however little is in it.
    scans: u64,
    /// Pieces of extended XMP. After each segment that follows them in the header, the decoder looks through all of them.
    extensions: u64,
}

impl Burden {
    /// Goes through `bytes`, a whole JPEG file.
    pub(super) fn of(bytes: &[u8]) -> Self {
        const EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
        let mut burden = Self::default();
        for at in memchr2_iter(0xDA, 0xE1, bytes) {
            match &bytes[at..] {
                // The length is what the number of components makes it.
                [0xDA, 0, length, components @ 1..=4, ..] if *length == 6 + 2 * components => burden.scans += 1,
                [0xE1, _, _, content @ ..] if content.starts_with(EXTENSION) => burden.extensions += 1,
                _ => {}
            }
        }
        burden
    }

    /// Whether the header can be read in bearable time. Photographs with a depth map have some hundred extensions.
    pub(super) fn header_is_bearable(self) -> bool {
        const EXTENSIONS_MAX: u64 = 2_000;
        self.extensions <= EXTENSIONS_MAX
    }

    /// Pixels that all scans together go over.
    pub(super) fn pixels_passed_over(self, width: u32, height: u32) -> u128 {
        u128::from(width) * u128::from(height) * u128::from(self.scans)
    }
}

/// What may follow `FF` without beginning a segment: a stuffed zero, a fill byte, a restart or start marker.
const fn is_alone(code: u8) -> bool {
    matches!(code, 0x00 | 0x01 | 0xD0..=0xD8 | 0xFF)
}

/// A start of frame, of whatever process.
const fn is_frame(code: u8) -> bool {
    matches!(code, 0xC0..=0xCF) && !matches!(code, 0xC4 | 0xC8 | 0xCC)
}

const fn is_progressive(code: u8) -> bool {
    matches!(code, 0xC2 | 0xC6 | 0xCA | 0xCE)
}

/// Width and height of a frame header, after the precision: the height comes first.
fn sides(frame: &[u8]) -> (u16, u16) {
    match frame {
        [_, h0, h1, w0, w1, ..] => (u16::from_be_bytes([*w0, *w1]), u16::from_be_bytes([*h0, *h1])),
        _ => (0, 0),
    }
}

/// Samples a pixel of a frame header's components, in quarters, rounded up.
///
/// A component of sampling factors `h`, `v` has `h v` samples where the component with the most has `H V`.
fn quarter_samples(frame: &[u8]) -> u64 {
    // Precision, height, width, number of components; then three bytes each: name, factors, table.
    let factors = frame.get(6..).unwrap_or_default().as_chunks::<3>().0.iter();
    let factors: Vec<_> = factors.map(|&[_, factors, _]| (u64::from(factors >> 4), u64::from(factors & 15))).collect();
    let most = |factor: fn(&(u64, u64)) -> u64| factors.iter().map(factor).max().unwrap_or_default();
    let whole = most(|(h, _)| *h) * most(|(_, v)| *v);
    let samples: u64 = factors.iter().map(|(h, v)| h * v).sum();
    if whole == 0 { 0 } else { (4 * samples).div_ceil(whole) }
}

#[cfg(test)]
mod tests {
    use super::Survey;

    fn has_end(bytes: &[u8]) -> bool {
        Survey::of(bytes).has_end
    }

    #[test]
    fn only_an_end_marker_outside_of_segments_ends_a_jpeg() {
        let thumbnail = [0xFF, 0xE1, 0x00, 0x06, 0xFF, 0xD8, 0xFF, 0xD9];
        let scan = [0xFF, 0xDA, 0x00, 0x02, 0x12, 0xFF, 0x00, 0xFF, 0xD0, 0x34];
        let cut: Vec<u8> = [&[0xFF, 0xD8][..], &thumbnail, &scan].concat();
        assert!(!has_end(&cut));
        assert!(!has_end(&[&cut[..], &[0xFF]].concat()));
        assert!(has_end(&[&cut[..], &[0xFF, 0xD9]].concat()));
        assert!(has_end(&[&cut[..], &[0xFF, 0xFF, 0xD9, 0x00, 0x00]].concat()), "fill bytes before, padding after");
    }

    #[test]
    fn a_segment_that_claims_more_than_there_is_or_less_than_itself_does_no_harm() {
        assert!(!has_end(&[0xFF, 0xD8, 0xFF, 0xE1, 0xFF, 0xFF, 0xFF, 0xD9]));
        assert!(has_end(&[0xFF, 0xD8, 0xFF, 0xE1, 0x00, 0x00, 0xFF, 0xD9]));
        assert!(!has_end(&[0xFF, 0xD8, 0xFF, 0xE1]));
        assert!(!has_end(&[]));
    }

    /// A frame header of the given kind with a component of each of `factors`, and as many scans.
    fn file(start_of_frame: u8, factors: &[u8], scans: usize) -> Vec<u8> {
        let components: Vec<u8> = factors.iter().flat_map(|factors| [1, *factors, 0]).collect();
        let length = 8 + components.len() as u8;
        let frame = [0xFF, start_of_frame, 0, length, 8, 0, 9, 0, 9, factors.len() as u8];
        [&[0xFF, 0xD8][..], &frame, &components, &[0xFF, 0xDA, 0, 2, 7].repeat(scans), &[0xFF, 0xD9]].concat()
    }

    #[test]
    fn coefficients_are_kept_if_there_are_several_scans_and_take_two_bytes_a_sample() {
        let bytes = |kind, factors, scans| Survey::of(&file(kind, factors, scans)).coefficient_bytes_per_pixel();
        let (baseline, progressive) = (0xC0, 0xC2);
        assert_eq!(bytes(baseline, &[0x11; 3], 1), 0);
        assert_eq!(bytes(baseline, &[0x11; 3], 3), 6);
        assert_eq!(bytes(progressive, &[0x11; 3], 1), 6);
        assert_eq!(bytes(progressive, &[0x11; 4], 10), 8);
        assert_eq!(bytes(progressive, &[0x11], 10), 2);
        assert_eq!(bytes(progressive, &[0x22, 0x11, 0x11], 10), 3, "4:2:0");
        assert_eq!(bytes(progressive, &[0x21, 0x11, 0x11], 10), 4, "4:2:2");
        // The largest plane is spread over two components: each has half the width or height of the whole.
        assert_eq!(bytes(progressive, &[0x21, 0x12], 10), 2);
        assert_eq!(bytes(progressive, &[0x00, 0x00], 10), 0);
        assert_eq!(bytes(progressive, &[], 10), 0);
    }
}
