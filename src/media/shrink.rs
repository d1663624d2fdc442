//! A picture's grey scale, shrunk: the same bytes as `image` gives, in one pass over the rows.
//!
//! `img_hash` shrinks by `image::imageops::resize`, which walks down one column after the other and takes four channels of grey:
//! two shrunk copies of a photograph cost ten times its PDQ hash. Here every row is read once and added to the rows of
//! all copies that it counts for. Each value is a sum of the same products in the same order, so nothing is
//! different, not even in the last digit; the tests hold it to that.

use image::{GrayImage, Luma};

use super::Picture;

/// `picture` in grey, shrunk (or enlarged) to each of `sizes`, width and height, with the triangle filter.
pub(super) fn shrink<const N: usize>(picture: &Picture, sizes: [(usize, usize); N]) -> [GrayImage; N] {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut copies = sizes.map(|(to_width, to_height)| Shrunk {
        columns: taps(width, to_width),
        rows: taps(height, to_height).into_iter().map(|taps| Row { taps, sums: vec![0.0; width] }).collect(),
    });
    let mut grey = vec![0.0; width];
    for (y, pixels) in picture.rows().enumerate() {
        for (grey, pixel) in grey.iter_mut().zip(pixels) {
            *grey = luma(*pixel).into();
        }
        for row in copies.iter_mut().flat_map(|copy| &mut copy.rows) {
            row.add(y, &grey);
        }
    }
    copies.map(Shrunk::finish)
}

/// Brightness as `image` has it: Rec. 709 in whole ten-thousandths, rounded down.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((2126 * u32::from(red) + 7152 * u32::from(green) + 722 * u32::from(blue)) / 10_000) as u8
}

/// A shrunk copy in the making.
struct Shrunk {
    columns: Vec<Taps>,
    rows: Vec<Row>,
}

/// A row of a copy, not yet shrunk in its width.
struct Row {
    taps: Taps,
    sums: Vec<f32>,
}

/// The neighbouring lines that count for one line of a copy, and how much each of them does.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Row {
    /// Adds row `y` of the picture, if it counts.
    fn add(&mut self, y: usize, grey: &[f32]) {
        let Some(weight) = y.checked_sub(self.taps.first).and_then(|at| self.taps.weights.get(at)) else { return };
        for (sum, grey) in self.sums.iter_mut().zip(grey) {
            *sum += grey * weight;
        }
    }
}

impl Shrunk {
    fn finish(self) -> GrayImage {
        let Self { columns, rows } = self;
        GrayImage::from_fn(columns.len() as u32, rows.len() as u32, |x, y| {
            let Taps { first, weights } = &columns[x as usize];
            let values = &rows[y as usize].sums[*first..];
            let sum = values.iter().zip(weights).fold(0.0, |sum, (value, weight)| sum + value * weight);
            Luma([sum.clamp(0.0, 255.0).round() as u8])
        })
    }
}

/// For each of `to` lines, which of `from` lines count for it, by a triangle as wide as two of the new lines.
///
/// In 32 bits and in this order, as `image` computes them.
fn taps(from: usize, to: usize) -> Vec<Taps> {
    let ratio = from as f32 / to as f32;
    let support = ratio.max(1.0);
    let line = |line: usize| {
        let middle = (line as f32 + 0.5) * ratio;
        let first = ((middle - support).floor().max(0.0) as usize).min(from - 1);
        let end = ((middle + support).ceil() as usize).clamp(first + 1, from);
        let middle = middle - 0.5;
        let mut weights: Vec<f32> = (first..end).map(|at| triangle((at as f32 - middle) / support)).collect();
        let sum = weights.iter().fold(0.0, |sum, weight| sum + weight);
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Taps { first, weights }
    };
    (0..to).map(line).collect()
}

fn triangle(x: f32) -> f32 {
    if x.abs() < 1.0 { 1.0 - x.abs() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use image::imageops::{FilterType, grayscale, resize};
    use proptest::prelude::*;

    use super::*;

    /// The library's way.
    fn oracle(picture: &Picture, (width, height): (usize, usize)) -> GrayImage {
        resize(&grayscale(picture.as_image()), width as u32, height as u32, FilterType::Triangle)
    }

    #[test]
    fn every_colour_is_as_bright_as_the_library_has_it() {
        for red in 0..=255 {
            let plane = Picture::from_rgb8(
                256,
                256,
                (0..=255).flat_map(|green| (0..=255).flat_map(move |blue| [red, green, blue])).collect(),
            );
            let plane = plane.unwrap();
            let ours: Vec<u8> = plane.pixels().iter().map(|pixel| luma(*pixel)).collect();
            assert!(grayscale(plane.as_image()).as_raw() == &ours, "red {red}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_copy_of_any_size_is_the_librarys_to_the_last_byte(
            (width, height) in (1..400usize, 1..300usize),
            to in (1..20usize, 1..20usize),
            seed in any::<u32>(),
            flat in any::<bool>(),
        ) {
            let noise = |n: usize| (n as u32).wrapping_mul(2_654_435_761).wrapping_add(seed).wrapping_mul(2_246_822_519) >> 24;
            let rgb = (0..3 * width * height).map(|n| if flat { 200 + (n / 1000 % 50) as u8 } else { noise(n) as u8 });
            let picture = Picture::from_rgb8(width as u32, height as u32, rgb.collect()).unwrap();
            let [copy, other] = shrink(&picture, [to, (9, 8)]);
            prop_assert_eq!(copy, oracle(&picture, to));
            prop_assert_eq!(other, oracle(&picture, (9, 8)));
        }
    }
}
