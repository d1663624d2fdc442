use proptest::prelude::*;

use super::*;

const SIDES: (u32, u32) = (19, 13);

/// A small picture with something in it.
fn pixels() -> image::RgbImage {
    image::RgbImage::from_fn(SIDES.0, SIDES.1, |x, y| image::Rgb([(x * 13) as u8, (y * 19) as u8, (x * y) as u8]))
}

fn encoded(format: Format) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    pixels().write_to(&mut file, format.codec()).unwrap();
    file.into_inner()
}

/// Limits that let tests of damaged headers run in little memory.
fn tight() -> DecodeLimits {
    DecodeLimits { bytes_max: 1 << 20, pixels_max: 1 << 16, side_max: 1 << 12, memory_max: 1 << 20 }
}

fn decoded(bytes: &[u8]) -> Result<Picture, DecodeError> {
    decode(bytes, &DecodeLimits::default())
}

#[test]
fn every_format_is_known_by_its_bytes_and_a_lossless_one_gives_the_pixels_back() {
    for &format in Format::ALL {
        let bytes = encoded(format);
        assert_eq!(Format::of(&bytes), Some(format));
        let picture = decoded(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), SIDES, "{format}");
        // JPEG is lossy, GIF has a palette.
        if !matches!(format, Format::Jpeg | Format::Gif) {
            assert_eq!(picture.as_image(), &pixels(), "{format}");
        }
    }
}

#[test]
fn nothing_and_what_is_no_picture_are_told_apart() {
    assert!(matches!(decoded(b""), Err(DecodeError::Empty)));
    let error = decoded(b"<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap_err();
    assert_eq!(error.kind(), "unknown-format");
    let words = error.to_string();
    assert!(Format::ALL.iter().all(|format| words.contains(&format.to_string())), "{words}");
}

#[test]
fn each_limit_holds_exactly_and_names_itself() {
    let bytes = encoded(Format::Png);
    let exact = DecodeLimits { bytes_max: bytes.len(), pixels_max: 19 * 13, side_max: 19, memory_max: 3 * 19 * 13 };
    // The PNG decoder has buffers of its own, so that the memory for the pixels alone is not enough for it.
    let roomy = DecodeLimits { memory_max: 1 << 20, ..exact };
    decode(&bytes, &roomy).unwrap();

    let refusal = |limits| decode(&bytes, &limits).unwrap_err();
    let error = refusal(DecodeLimits { bytes_max: bytes.len() - 1, ..roomy });
    assert_eq!(error.kind(), "too-many-bytes");
    let error = refusal(DecodeLimits { side_max: 18, ..roomy });
    assert_eq!(error.to_string(), "the picture is 19x13 pixels: a side may be at most 18");
    let error = refusal(DecodeLimits { pixels_max: 246, ..roomy });
    assert_eq!(error.to_string(), "the picture is 19x13, which is 247 pixels: at most 246 are taken");

    let bytes = encoded(Format::Bmp);
    let exact = DecodeLimits { bytes_max: bytes.len(), ..exact };
    decode(&bytes, &exact).unwrap();
    let error = decode(&bytes, &DecodeLimits { memory_max: 3 * 19 * 13 - 1, ..exact }).unwrap_err();
    assert_eq!(error.to_string(), "decoding the picture needs more memory than the 740 bytes allowed");
}

#[test]
fn a_header_that_announces_far_too_much_is_refused_for_its_size_before_memory_is_taken() {
    for &format in Format::ALL {
        let bytes = with_largest_sides(format, encoded(format));
        match decoded(&bytes).unwrap_err() {
            DecodeError::SideTooLong { width: 65_535, height: 65_535, max: 16_384 } => {}
            // The format's largest: 14 bits a side.
            DecodeError::TooManyPixels { width: 16_383, height: 16_383, max: 100_000_000 }
                if format == Format::WebP => {}
            other => panic!("{format}: {other:?}"),
        }
    }
}

#[test]
fn a_picture_within_the_sides_that_needs_too_much_memory_is_refused_whatever_its_format() {
    let limits = DecodeLimits { memory_max: 500, ..DecodeLimits::default() };
    for &format in Format::ALL {
        let kind = decode(&encoded(format), &limits).unwrap_err().kind();
        assert_eq!(kind, "too-much-memory", "{format}");
    }
}

#[test]
fn a_picture_cut_in_half_is_damaged() {
    for &format in Format::ALL {
        let bytes = encoded(format);
        let error = decode(&bytes[..bytes.len() / 2], &tight()).unwrap_err();
        assert_eq!(error.kind(), "damaged", "{format}");
        assert_eq!(error.to_string(), format!("the {format} picture is damaged or cut short"));
    }
}

#[test]
fn a_jpeg_without_its_end_is_damaged_although_the_decoder_would_fill_it_with_grey() {
    let bytes = encoded(Format::Jpeg);
    let scan = bytes.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    let compressed = scan + 14;
    assert!(compressed < bytes.len() - 2);
    for length in compressed..bytes.len() {
        let error = decoded(&bytes[..length]).unwrap_err();
        assert!(matches!(error, DecodeError::Damaged { source: Damage::NoEnd, .. }), "{length} bytes: {error}");
    }
}

#[test]
fn no_prefix_of_a_file_makes_a_decoder_panic_or_gives_other_pixels() {
    for &format in Format::ALL {
        let bytes = encoded(format);
        let whole = decoded(&bytes).unwrap();
        for length in 0..bytes.len() {
            // What is cut off at the very end may be a trailer without pixels.
            if let Ok(picture) = decode(&bytes[..length], &tight()) {
                assert_eq!(picture.pixels(), whole.pixels(), "{format} of {length} bytes out of {}", bytes.len());
            }
        }
    }
}

#[test]
fn an_exif_rotation_is_not_applied() {
    // Orientation 6, "turn by 90 degrees", in a big-endian TIFF header of one entry.
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let plain = encoded(Format::Jpeg);
    let segment = [&[0xFF, 0xE1, 0, exif.len() as u8 + 2][..], exif].concat();
    let turned = [&plain[..2], &segment, &plain[2..]].concat();
    assert_eq!(decoded(&turned).unwrap(), decoded(&plain).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_flipped_bits_make_a_decoder_panic_or_exceed_a_limit(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..6),
    ) {
        for &format in Format::ALL {
            let mut bytes = encoded(format);
            for (at, bit) in &flips {
                *at.get_mut(&mut bytes) ^= 1 << bit;
            }
            if let Ok(picture) = decode(&bytes, &tight()) {
                prop_assert!(picture.width().max(picture.height()) <= tight().side_max);
                prop_assert!(picture.pixels().len() as u64 <= tight().pixels_max);
            }
        }
    }

    #[test]
    fn no_bytes_after_a_signature_make_a_decoder_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        for &format in Format::ALL {
            let bytes = [&encoded(format)[..16], &tail].concat();
            let _: Result<Picture, DecodeError> = decode(&bytes, &tight());
        }
    }
}

/// The file with the largest width and height that its header can say, or 65,535.
fn with_largest_sides(format: Format, mut bytes: Vec<u8>) -> Vec<u8> {
    const MAX: [u8; 2] = u16::MAX.to_be_bytes();
    match format {
        Format::Jpeg => {
            // In the start-of-frame segment, after marker, length and precision.
            let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
            bytes[frame + 5..][..4].copy_from_slice([MAX, MAX].as_flattened());
        }
        Format::Png => {
            // Length and type of the chunk, then four bytes a side; then 5 bytes more, and the checksum of it all.
            bytes[16..24].copy_from_slice([[0; 2], MAX, [0; 2], MAX].as_flattened());
            let checksum = crc32(&bytes[12..29]);
            bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        }
        Format::Gif => bytes[6..10].copy_from_slice([MAX, MAX].as_flattened()),
        Format::Bmp => {
            bytes[18..22].copy_from_slice(&65_535i32.to_le_bytes());
            bytes[22..26].copy_from_slice(&65_535i32.to_le_bytes());
        }
        // Lossless: 14 bits a side, less one, after the chunk's header and a signature byte.
        Format::WebP => bytes[21..25].copy_from_slice(&(16_382u32 << 14 | 16_382).to_le_bytes()),
        Format::Tiff => {
            // The first directory's entries are twelve bytes each, in the machine's byte order: tag, type, count, value.
            let first = u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize + 2;
            for entry in bytes[first..].as_chunks_mut::<12>().0 {
                // Width, height, rows in a strip.
                if let 256 | 257 | 278 = u16::from_ne_bytes([entry[0], entry[1]]) {
                    entry[2..4].copy_from_slice(&4u16.to_ne_bytes());
                    entry[8..].copy_from_slice(&65_535u32.to_ne_bytes());
                }
            }
        }
    }
    bytes
}

/// The checksum of PNG chunks (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}
