//! What can be known of a WebP file from its chunks, without decoding it.

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

/// What a walk over the chunks finds.
///
/// Source: RFC 9649, 2.3 (chunks), 2.7.1.1 (ANMF); RFC 6386, 9.1 (a lossy picture's sides).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    /// Whether each lossy picture has the sides of the canvas, or those of its animation's first frame.
    ///
    /// The decoder decodes first and compares then, or not at all: behind a canvas of 5x5 it would take memory and time for
    /// 16,383x16,383, or panic.
    pub(super) sizes_agree: bool,
    /// Whether the EXIF data end before the file does. The decoder takes as much memory as they say they need, up to 4 GiB.
    pub(super) exif_is_whole: bool,
}

impl Survey {
    /// Walks over `bytes`, a whole WebP file whose canvas is so wide and high.
    pub(super) fn of(bytes: &[u8], width: u32, height: u32) -> Self {
        let mut survey = Self { sizes_agree: true, exif_is_whole: true };
        let mut frames = 0;
        for Chunk { name, size, content } in chunks(bytes.get(12..).unwrap_or_default()) {
            match name {
                b"VP8 " => survey.sizes_agree &= lossy_sides(content).is_none_or(|sides| sides == (width, height)),
                b"EXIF" => survey.exif_is_whole &= size == content.len(),
                b"ANMF" if frames == 0 => {
                    frames += 1;
                    survey.sizes_agree &= frame_sizes_agree(content);
                }
                _ => {}
            }
        }
        survey
    }
}

struct Chunk<'a> {
    name: &'a [u8; 4],
    /// As it says.
    size: usize,
    /// As much of it as is there.
    content: &'a [u8],
}

/// The chunks that follow one another in `bytes`.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_first_chunk()?;
        let (size, after) = after.split_first_chunk()?;
        let size = u32::from_le_bytes(*size) as usize;
        rest = after.get(size.saturating_add(size % 2)..).unwrap_or_default();
        Some(Chunk { name, size, content: &after[..size.min(after.len())] })
    })
}

/// Whether each lossy picture in a frame has the frame's sides.
fn frame_sizes_agree(frame: &[u8]) -> bool {
    // Two offsets, two sides less one, a duration: three bytes each; and flags.
    let Some((head, content)) = frame.split_first_chunk::<16>() else { return true };
    let side = |at: usize| 1 + u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]);
    let sides = (side(6), side(9));
    let mut lossy = chunks(content).filter(|chunk| chunk.name == b"VP8 ");
    lossy.all(|chunk| lossy_sides(chunk.content).is_none_or(|own| own == sides))
}

/// The sides that a lossy picture says it has, if it is long enough to say so.
fn lossy_sides(picture: &[u8]) -> Option<(u32, u32)> {
    // A tag and a start code of three bytes each; then 14 bits of each side, and two of scaling.
    let [_, _, _, _, _, _, w0, w1, h0, h1, ..] = picture else { return None };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    Some((side(*w0, *w1), side(*h0, *h1)))
}

#[cfg(test)]
mod tests {
    use super::{Survey, working_bytes_per_pixel};

    #[test]
    fn each_kind_of_file_is_counted_by_what_its_decoding_keeps() {
        let file = |chunk: &[u8; 4], flags| [b"RIFF\0\0\0\0WEBP", &chunk[..], &[10, 0, 0, 0, flags]].concat();
        assert_eq!(working_bytes_per_pixel(&file(b"VP8 ", 0xFF), false), 2);
        assert_eq!(working_bytes_per_pixel(&file(b"VP8L", 0xFF), false), 4);
        assert_eq!(working_bytes_per_pixel(&file(b"VP8X", 0b0001_0000), true), 10);
        assert_eq!(working_bytes_per_pixel(&file(b"VP8X", 0b0000_0010), true), 12);
        assert_eq!(working_bytes_per_pixel(b"RIFF", false), 4);
    }

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [name, &(content.len() as u32).to_le_bytes()[..], content, &[0; 1][..content.len() % 2]].concat()
    }

    fn lossy(side: u8) -> Vec<u8> {
        chunk(b"VP8 ", &[0, 0, 0, 0x9D, 0x01, 0x2A, side, 0, side, 0, 7])
    }

    fn frame(side: u8, content: &[u8]) -> Vec<u8> {
        chunk(b"ANMF", &[&[0, 0, 0, 0, 0, 0, side - 1, 0, 0, side - 1, 0, 0, 0, 0, 0, 0], content].concat())
    }

    fn survey(chunks: &[Vec<u8>]) -> Survey {
        Survey::of(&[&b"RIFF\0\0\0\0WEBP"[..], &chunks.concat()].concat(), 9, 9)
    }

    #[test]
    fn a_lossy_picture_of_another_size_than_its_canvas_or_frame_is_found_behind_other_chunks() {
        let other = chunk(b"abcd", &[1, 2, 3]);
        for (chunks, agree) in [
            (vec![lossy(9)], true),
            (vec![lossy(8)], false),
            (vec![other.clone(), lossy(9), lossy(8)], false),
            (vec![other.clone(), frame(5, &lossy(5))], true),
            (vec![other.clone(), frame(5, &lossy(9))], false),
            (vec![frame(5, &[chunk(b"ALPH", &[1]), lossy(6)].concat())], false),
            // Only the first frame is decoded.
            (vec![frame(5, &lossy(5)), frame(5, &lossy(9))], true),
            // Too short to say anything: the decoder's own business.
            (vec![chunk(b"VP8 ", &[0; 9]), frame(5, &[]), chunk(b"ANMF", &[0; 15])], true),
            (vec![], true),
        ] {
            assert_eq!(survey(&chunks).sizes_agree, agree, "{chunks:?}");
        }
    }

    #[test]
    fn exif_data_that_claim_more_than_there_is_are_found() {
        let whole = chunk(b"EXIF", b"MM\0*");
        assert!(survey(&[whole.clone(), lossy(9)]).exif_is_whole);
        for claim in [5, 0x7FFF_FFFF, u32::MAX] {
            let mut lying = whole.clone();
            lying[4..8].copy_from_slice(&claim.to_le_bytes());
            assert!(!survey(&[lossy(9), lying]).exif_is_whole, "{claim}");
        }
    }
}
