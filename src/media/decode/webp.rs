//! What can be known of a WebP file from its first chunk, without decoding it.

/// Memory that the decoder takes beside the pixels it gives, in bytes a pixel.
///
/// `image-webp` takes no limit and counts nothing, so this follows what it does: planes of 4:2:0 for a lossy picture; four
/// bytes a pixel for a lossless one; the same again for an alpha channel, which is a lossless picture by itself; and for an
/// animation the canvas and the frame, each with alpha. Rounded up.
///
/// Source: the container's specification (RFC 9649, 2.5 to 2.7).
pub(super) fn working_bytes_per_pixel(bytes: &[u8], alpha: bool) -> u8 {
    const ANIMATION: u8 = 0b10;
    const LOSSY: u8 = 2;
    const WHOLE: u8 = 4;
    // RIFF, size, WEBP; then the first chunk's name, its size, and an extended file's flags.
    let chunk = bytes.get(12..16).unwrap_or_default();
    let flags = bytes.get(20).copied().unwrap_or_default();
    match chunk {
        b"VP8 " => LOSSY,
        b"VP8X" if flags & ANIMATION != 0 => 3 * WHOLE,
        b"VP8X" if alpha => LOSSY + 2 * WHOLE,
        _ => WHOLE,
    }
}

#[cfg(test)]
mod tests {
    use super::working_bytes_per_pixel;

    #[test]
    fn each_kind_of_file_is_counted_by_what_its_decoding_keeps() {
        let file = |chunk: &[u8; 4], flags| [b"RIFF\0\0\0\0WEBP", &chunk[..], &[10, 0, 0, 0, flags]].concat();
        assert_eq!(working_bytes_per_pixel(&file(b"VP8 ", 0xFF), false), 2);
        assert_eq!(working_bytes_per_pixel(&file(b"VP8L", 0xFF), false), 4);
        assert_eq!(working_bytes_per_pixel(&file(b"VP8X", 0b0001_0000), true), 10);
        assert_eq!(working_bytes_per_pixel(&file(b"VP8X", 0b0000_0010), true), 12);
        assert_eq!(working_bytes_per_pixel(b"RIFF", false), 4);
    }
}
