//! Whether a JPEG file is whole.

/// Whether the file reaches its end-of-image marker (`FF D9`).
///
/// The decoder does not tell: it fills what a truncated file lacks with grey, and the hash of that would be stored or
/// compared as if it were the picture's. A picture embedded in a segment, such as a thumbnail in the EXIF data, has an end
/// marker of its own, so segments are stepped over by their length. In the compressed data between them `FF` is
/// always followed by `00` or a restart marker (ITU-T T.81, B.1.1).
pub(super) fn has_end(bytes: &[u8]) -> bool {
    const END: u8 = 0xD9;
    let mut rest = bytes;
    loop {
        let Some(at) = rest.windows(2).position(|pair| pair[0] == 0xFF && !is_alone(pair[1])) else {
            return false;
        };
        rest = &rest[at + 1..];
        match *rest {
            [END, ..] => return true,
            [_, high, low, ..] => {
                // The length counts its own two bytes.
                let after_marker = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(1 + after_marker..).unwrap_or_default();
            }
            _ => return false,
        }
    }
}

/// What may follow `FF` without beginning a segment: a stuffed zero, a fill byte, a restart or start marker.
const fn is_alone(code: u8) -> bool {
    matches!(code, 0x00 | 0x01 | 0xD0..=0xD8 | 0xFF)
}

#[cfg(test)]
mod tests {
    use super::has_end;

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
}
