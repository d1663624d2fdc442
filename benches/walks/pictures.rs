//! Pictures as honest members meet them: drawn by chance, then changed and encoded anew, and hashed by the program's own PDQ.

use std::f32::consts::SQRT_2;

use hashcommons::media::{Picture, pdq};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use rand::RngExt;
use rand::rngs::StdRng;

use super::game::Bits;

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

/// How a copy came about.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Encoded anew as JPEG, at a quality of 15 to 95.
    Encoded,
    /// Resized to a third or more, and encoded.
    Resized,
    /// Cropped by up to 3.5 % on each side, perhaps brighter or darker, resized and encoded.
    Cropped,
    /// Cropped by up to 0.8 %.
    Trimmed,
    /// With one to three bars of another colour somewhere, resized and encoded.
    Captioned,
}

/// Octaves of noise, stronger the longer its waves are as in photographs, with bright and dark shapes before it.
pub fn draw(rng: &mut StdRng) -> RgbImage {
    let mut levels = vec![[120.0f32; 3]; (WIDTH * HEIGHT) as usize];
    let (mut cells, mut strength) = (2u32, 65.0f32);
    while cells <= 128 {
        let side = cells as usize + 2;
        let grid: Vec<[f32; 3]> =
            (0..side * side).map(|_| std::array::from_fn(|_| rng.random::<f32>() - 0.5)).collect();
        for (at, level) in levels.iter_mut().enumerate() {
            let scale = cells as f32 / WIDTH as f32;
            let (x, y) = ((at as u32 % WIDTH) as f32 * scale, (at as u32 / WIDTH) as f32 * scale);
            let (column, row, right, down) = (x as usize, y as usize, x.fract(), y.fract());
            for (channel, level) in level.iter_mut().enumerate() {
                let at = |column: usize, row: usize| grid[row * side + column][channel];
                let above = at(column, row) * (1.0 - right) + at(column + 1, row) * right;
                let below = at(column, row + 1) * (1.0 - right) + at(column + 1, row + 1) * right;
                *level += strength * (above * (1.0 - down) + below * down);
            }
        }
        (cells, strength) = (cells * 2, strength / SQRT_2);
    }
    for _ in 0..rng.random_range(6..25) {
        let (x, y) = (rng.random_range(0.0..WIDTH as f32), rng.random_range(0.0..HEIGHT as f32));
        let (width, height) = (rng.random_range(8.0..90.0f32), rng.random_range(8.0..90.0f32));
        let is_round = rng.random::<bool>();
        let color: [f32; 3] = std::array::from_fn(|_| rng.random_range(-90.0..90.0));
        for (at, level) in levels.iter_mut().enumerate() {
            let across = ((at as u32 % WIDTH) as f32 - x) / width;
            let along = ((at as u32 / WIDTH) as f32 - y) / height;
            let inside = if is_round { across.hypot(along) < 1.0 } else { across.abs().max(along.abs()) < 1.0 };
            if inside {
                level.iter_mut().zip(color).for_each(|(level, color)| *level += color);
            }
        }
    }
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| Rgb(levels[(y * WIDTH + x) as usize].map(|level| level as u8)))
}

/// A copy of `picture`.
pub fn changed(picture: &RgbImage, change: Change, rng: &mut StdRng) -> RgbImage {
    let mut copy = picture.clone();
    if let Change::Captioned = change {
        for _ in 0..rng.random_range(1..4) {
            let (width, height) = (rng.random_range(10..120), rng.random_range(6..30));
            let (left, top) = (rng.random_range(0..WIDTH), rng.random_range(0..HEIGHT));
            let color = Rgb(std::array::from_fn(|_| rng.random()));
            for (x, y, pixel) in copy.enumerate_pixels_mut() {
                if (left..left + width).contains(&x) && (top..top + height).contains(&y) {
                    *pixel = color;
                }
            }
        }
    }
    if let Change::Cropped | Change::Trimmed = change {
        let most = if let Change::Cropped = change { 0.035 } else { 0.008 };
        let mut cut = |side: u32| (side as f32 * most * rng.random::<f32>()) as u32;
        let (left, top) = (cut(WIDTH), cut(HEIGHT));
        let (width, height) = (WIDTH - left - cut(WIDTH), HEIGHT - top - cut(HEIGHT));
        copy = imageops::crop_imm(&copy, left, top, width, height).to_image();
        if rng.random() {
            copy = imageops::brighten(&copy, rng.random_range(-30..30));
        }
    }
    if !matches!(change, Change::Encoded) {
        let scale = rng.random_range(0.3..1.0f32);
        let side = |side: u32| (side as f32 * scale) as u32;
        copy = imageops::resize(&copy, side(copy.width()), side(copy.height()), FilterType::Triangle);
    }
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, rng.random_range(15..95)).encode_image(&copy).unwrap();
    image::load_from_memory(&file).unwrap().to_rgb8()
}

pub fn hash(picture: &RgbImage) -> Bits {
    let (width, height) = picture.dimensions();
    let picture = Picture::from_rgb8(width, height, picture.as_raw().clone()).unwrap();
    pdq::hash(&picture).unwrap().0.words()
}

/// A camera moves over a scene, slowly: the frames of a video, each encoded, and the first one first.
pub fn video(frames: u32, rng: &mut StdRng) -> Vec<Bits> {
    let scene = draw(rng);
    let (width, height) = (WIDTH * 3 / 4, HEIGHT * 3 / 4);
    (0..frames)
        .map(|frame| {
            let at = frame as f32 / frames as f32;
            let (left, top) = (((WIDTH - width) as f32 * at) as u32, ((HEIGHT - height) as f32 * at * at) as u32);
            hash(&changed(&imageops::crop_imm(&scene, left, top, width, height).to_image(), Change::Encoded, rng))
        })
        .collect()
}
