//! Samples of any kind to 8-bit RGB, as Pillow's `Image.convert("RGB")` does it, since published PDQ values were computed
//! of its pixels.
//!
//! - Alpha is dropped, not composited: what is drawn under full transparency counts as if it were visible.
//! - Of 16-bit samples the high byte is taken, not the nearest. Pillow does so with colour, and with grey that has alpha;
//!   plain 16-bit grey it clips at 255, which leaves a white picture, and there this module departs from it.
//! - Grey is repeated three times. Palettes, and CMYK to RGB, are the format decoder's business.
//! - Floating-point samples (some TIFF files) are taken as 0.0 to 1.0; no reference agrees on a range.

use image::ColorType;

/// The most memory that [`to_rgb8`] and its input take at a time, in bytes a pixel; `None` if it cannot convert `samples`.
pub(super) fn bytes_per_pixel_needed(samples: ColorType) -> Option<u8> {
    const RGB8: u8 = 3;
    let raw = samples.bytes_per_pixel();
    match samples {
        // A second buffer is needed only where pixels grow.
        ColorType::L8 | ColorType::La8 | ColorType::L16 => Some(raw + RGB8),
        ColorType::Rgb8 | ColorType::Rgba8 => Some(raw),
        ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => Some(raw),
        ColorType::Rgb32F | ColorType::Rgba32F => Some(raw),
        _ => None,
    }
}

/// The pixels in `raw`, which holds whole pixels of `samples` in the machine's byte order.
///
/// Empty for samples that [`bytes_per_pixel_needed`] does not know.
pub(super) fn to_rgb8(samples: ColorType, raw: Vec<u8>) -> Vec<u8> {
    match samples {
        ColorType::Rgb8 => raw,
        ColorType::L8 => grow(&raw, |[y]| [y; 3]),
        ColorType::La8 => grow(&raw, |[y, _]| [y; 3]),
        ColorType::L16 => grow(&raw, |y| [high(y); 3]),
        ColorType::Rgba8 => shrink(raw, |[r, g, b, _]| [r, g, b]),
        ColorType::La16 => shrink(raw, |[y0, y1, _, _]| [high([y0, y1]); 3]),
        ColorType::Rgb16 => shrink(raw, |pixel: [u8; 6]| three(&pixel, high)),
        ColorType::Rgba16 => shrink(raw, |pixel: [u8; 8]| three(&pixel, high)),
        ColorType::Rgb32F => shrink(raw, |pixel: [u8; 12]| three(&pixel, scaled)),
        ColorType::Rgba32F => shrink(raw, |pixel: [u8; 16]| three(&pixel, scaled)),
        _ => Vec::new(),
    }
}

/// Pixels of less than three bytes, into a new buffer.
fn grow<const N: usize>(raw: &[u8], rgb: impl Fn([u8; N]) -> [u8; 3]) -> Vec<u8> {
    raw.as_chunks::<N>().0.iter().flat_map(|pixel| rgb(*pixel)).collect()
}

/// Pixels of three bytes or more, in place: the result never overtakes what is still to be read.
fn shrink<const N: usize>(mut raw: Vec<u8>, rgb: impl Fn([u8; N]) -> [u8; 3]) -> Vec<u8> {
    let pixels = raw.len() / N;
    for at in 0..pixels {
        let mut pixel = [0; N];
        pixel.copy_from_slice(&raw[N * at..][..N]);
        raw[3 * at..][..3].copy_from_slice(&rgb(pixel));
    }
    raw.truncate(3 * pixels);
    raw.shrink_to_fit();
    raw
}

/// The first three samples of `S` bytes.
fn three<const S: usize>(pixel: &[u8], sample: impl Fn([u8; S]) -> u8) -> [u8; 3] {
    let samples = pixel.as_chunks::<S>().0;
    [sample(samples[0]), sample(samples[1]), sample(samples[2])]
}

fn high(sample: [u8; 2]) -> u8 {
    (u16::from_ne_bytes(sample) >> 8) as u8
}

fn scaled(sample: [u8; 4]) -> u8 {
    // `as` takes what is below 0 or not a number as 0, and what is above 255 as 255.
    (f32::from_ne_bytes(sample) * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(samples: &[u16]) -> Vec<u8> {
        samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect()
    }

    #[test]
    fn alpha_is_dropped_and_grey_is_repeated() {
        assert_eq!(to_rgb8(ColorType::Rgba8, vec![1, 2, 3, 0, 4, 5, 6, 255]), [1, 2, 3, 4, 5, 6]);
        assert_eq!(to_rgb8(ColorType::La8, vec![7, 0, 8, 255]), [7, 7, 7, 8, 8, 8]);
        assert_eq!(to_rgb8(ColorType::L8, vec![7, 8]), [7, 7, 7, 8, 8, 8]);
    }

    #[test]
    fn of_sixteen_bits_the_high_eight_are_taken_without_rounding() {
        assert_eq!(to_rgb8(ColorType::L16, wide(&[0x80FF, 0x00FF])), [0x80, 0x80, 0x80, 0, 0, 0]);
        assert_eq!(to_rgb8(ColorType::La16, wide(&[0x80FF, 0xFFFF])), [0x80; 3]);
        assert_eq!(to_rgb8(ColorType::Rgb16, wide(&[0x01FF, 0x0200, 0xFFFF])), [1, 2, 255]);
        assert_eq!(to_rgb8(ColorType::Rgba16, wide(&[0x01FF, 0x0200, 0xFFFF, 0])), [1, 2, 255]);
    }

    #[test]
    fn floating_point_samples_are_clamped_to_their_range() {
        let raw: Vec<u8> = [-1.0f32, 0.5, 2.0, f32::NAN, 1.0, 0.0].iter().flat_map(|s| s.to_ne_bytes()).collect();
        assert_eq!(to_rgb8(ColorType::Rgb32F, raw), [0, 128, 255, 0, 255, 0]);
    }
}
