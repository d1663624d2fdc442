//! Pictures for the demonstration: invented landscapes, and the copies that somebody who uploads one again would make.
//!
//! Nothing in them is content of any kind. They behave as photographs do under perceptual hashing: PDQ quality 100, two
//! landscapes far apart, an altered copy near its original.

use std::f64::consts::TAU;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageResult, Rgb, RgbImage};

/// A way to alter a picture, giving the file that would be uploaded.
pub type Alteration = fn(&RgbImage) -> ImageResult<Vec<u8>>;

/// Every alteration with the word to show for it.
pub const ALTERATIONS: [(&str, Alteration); 4] =
    [("recompressed", recompressed), ("resized", resized), ("captioned", captioned), ("cropped", cropped)];

/// The picture as its maker would publish it: JPEG, quality 90.
pub fn original(picture: &RgbImage) -> ImageResult<Vec<u8>> {
    jpeg(picture, 90)
}

/// Saved again at JPEG quality 35.
pub fn recompressed(picture: &RgbImage) -> ImageResult<Vec<u8>> {
    jpeg(picture, 35)
}

/// Scaled to 40 % of its width and height.
pub fn resized(picture: &RgbImage) -> ImageResult<Vec<u8>> {
    let side = |pixels: u32| (pixels * 2 / 5).max(1);
    jpeg(&imageops::resize(picture, side(picture.width()), side(picture.height()), FilterType::Triangle), 85)
}

/// With a line of text over its lowest tenth, on a darkened ground.
pub fn captioned(picture: &RgbImage) -> ImageResult<Vec<u8>> {
    const TEXT: &str = "REPOSTED COPY";
    let mut copy = picture.clone();
    let (width, height) = copy.dimensions();
    let top = height - height / 10;
    for y in top..height {
        for x in 0..width {
            copy.get_pixel_mut(x, y).0.iter_mut().for_each(|sample| *sample = *sample / 4 * 3);
        }
    }
    // A letter has 5x7 dots, one between letters and one above and below.
    let letters = TEXT.len() as u32;
    let dot = ((height - top) / 9).min(width / (6 * letters + 1)).max(1);
    let left = width.saturating_sub(6 * letters * dot) / 2;
    for (n, letter) in TEXT.chars().enumerate() {
        for (row, dots) in glyph(letter).into_iter().enumerate() {
            for column in (0..5).filter(|column| dots >> (4 - column) & 1 == 1) {
                let (x, y) = (left + (6 * n as u32 + column) * dot, top + (row as u32 + 1) * dot);
                fill(&mut copy, x, y, dot, Rgb([235; 3]));
            }
        }
    }
    jpeg(&copy, 85)
}

/// Without its outermost 1 % on each side. PDQ is not made for strong crops: at 2 % some copies are out of reach, at 3 % all.
pub fn cropped(picture: &RgbImage) -> ImageResult<Vec<u8>> {
    let (width, height) = picture.dimensions();
    let (x, y) = (width / 100, height / 100);
    jpeg(&imageops::crop_imm(picture, x, y, width - 2 * x, height - 2 * y).to_image(), 85)
}

fn jpeg(picture: &RgbImage, quality: u8) -> ImageResult<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut file, quality))?;
    Ok(file.into_inner())
}

/// A square of `side` pixels, as far as it lies inside the picture.
fn fill(picture: &mut RgbImage, left: u32, top: u32, side: u32, color: Rgb<u8>) {
    for y in top..(top + side).min(picture.height()) {
        for x in left..(left + side).min(picture.width()) {
            picture.put_pixel(x, y, color);
        }
    }
}

/// The dots of a capital letter: seven rows, of five bits each, the leftmost dot first. Only those that are needed.
fn glyph(letter: char) -> [u8; 7] {
    match letter {
        'C' => [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
        'E' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'P' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000],
        'R' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        'S' => [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        'Y' => [0b10001, 0b10001, 0b01010, 0b00100, 0b00100, 0b00100, 0b00100],
        _ => [0; 7],
    }
}

/// An invented landscape: sky, sun, clouds, hills, houses, and the grain of a camera.
///
/// The same `seed` gives the same landscape at every size.
pub fn scene(seed: u64, width: u32, height: u32) -> RgbImage {
    let landscape = Landscape::new(&mut Dice(seed));
    let mut grain = Dice(!seed);
    RgbImage::from_fn(width, height, |x, y| {
        // Heights count in widths, so that a sun is round.
        let scale = f64::from(width.max(1));
        let at = Point { x: (f64::from(x) + 0.5) / scale, y: (f64::from(y) + 0.5) / f64::from(height.max(1)) };
        let grain = grain.between(-7.0, 7.0);
        Rgb(landscape.color(at, f64::from(height) / scale).map(|sample| (sample + grain) as u8))
    })
}

/// From 0 to 1 across the picture, and from 0 to 1 down.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

/// Red, green and blue, 0 to 255.
type Color = [f64; 3];

struct Landscape {
    sky: [Color; 2],
    /// How much the sky brightens from left to right.
    slant: f64,
    /// The sun and the clouds; each adds light.
    glows: Vec<Glow>,
    hills: Vec<Hill>,
    houses: Vec<House>,
}

struct Glow {
    center: Point,
    radius: Point,
    color: Color,
    /// Whether it has an edge, as a sun has, or fades, as clouds do.
    sharp: bool,
}

struct Hill {
    base: f64,
    /// Height, waves across the picture, phase.
    waves: Vec<[f64; 3]>,
    color: Color,
}

struct House {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    color: Color,
}

impl Landscape {
    fn new(dice: &mut Dice) -> Self {
        let horizon = dice.between(0.3, 0.7);
        let glow = |dice: &mut Dice, radius: f64, flat: f64, color: Color, sharp| Glow {
            center: Point { x: dice.between(0.05, 0.95), y: dice.between(0.0, horizon) },
            radius: Point { x: radius, y: radius * flat },
            color,
            sharp,
        };
        let mut glows = Vec::new();
        for _ in 0..dice.below(5) + 4 {
            let radius = dice.between(0.06, 0.25);
            let shade = if dice.below(3) == 0 { dice.between(-90.0, -40.0) } else { dice.between(40.0, 110.0) };
            glows.push(glow(dice, radius, 0.5, [shade; 3], false));
        }
        let sun = dice.between(0.04, 0.11);
        glows.push(glow(dice, sun, 1.0, [120.0, 100.0, 40.0], true));

        let hills = (0..4)
            .map(|layer| Hill {
                base: horizon + (1.0 - horizon) * f64::from(layer) / 4.0,
                waves: (0..5)
                    .map(|wave| {
                        let amplitude = dice.between(0.02, 0.14) / f64::from(wave + 1);
                        [amplitude, dice.between(0.5, 2.5) * f64::from(wave + 1), dice.between(0.0, TAU)]
                    })
                    .collect(),
                color: dice.color(15.0, 190.0),
            })
            .collect();

        let houses = (0..dice.below(8) + 7)
            .map(|_| {
                let (left, top) = (dice.between(-0.05, 0.95), dice.between(horizon - 0.25, 0.8));
                House {
                    left,
                    right: left + dice.between(0.03, 0.16),
                    top,
                    bottom: top + dice.between(0.08, 0.4),
                    color: dice.color(5.0, 245.0),
                }
            })
            .collect();
        Self {
            sky: [dice.color(30.0, 220.0), dice.color(90.0, 250.0)],
            slant: dice.between(-70.0, 70.0),
            glows,
            hills,
            houses,
        }
    }

    /// The color at a point of a picture `aspect` times as high as wide.
    fn color(&self, at: Point, aspect: f64) -> Color {
        let mut color = mix(self.sky[0], self.sky[1], at.y).map(|sample| sample + self.slant * (at.x - 0.5));
        for glow in &self.glows {
            let strength = glow.strength(at, aspect);
            color = std::array::from_fn(|n| color[n] + strength * glow.color[n]);
        }
        for hill in &self.hills {
            let depth = at.y - hill.top(at.x);
            if depth > 0.0 {
                // Lighter at the ridge, darker in the valley.
                color = hill.color.map(|sample| sample * (1.15 - depth).max(0.4));
            }
        }
        for house in self.houses.iter().filter(|house| house.covers(at)) {
            color = house.color;
        }
        color
    }
}

impl Glow {
    fn strength(&self, at: Point, aspect: f64) -> f64 {
        let across = (at.x - self.center.x) / self.radius.x;
        let down = (at.y - self.center.y) * aspect / self.radius.y;
        let distance = across * across + down * down;
        if self.sharp && distance < 1.0 { 1.0 } else { (-distance).exp() }
    }
}

impl Hill {
    fn top(&self, x: f64) -> f64 {
        self.base
            + self.waves.iter().map(|[height, waves, phase]| height * (TAU * waves * x + phase).sin()).sum::<f64>()
    }
}

impl House {
    fn covers(&self, at: Point) -> bool {
        (self.left..self.right).contains(&at.x) && (self.top..self.bottom).contains(&at.y)
    }
}

fn mix(from: Color, to: Color, part: f64) -> Color {
    std::array::from_fn(|n| from[n] + (to[n] - from[n]) * part)
}

/// Seeded chance (SplitMix64): the same sequence in every release, which a library's generator does not promise.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A brightness, and a tint of it.
    fn color(&mut self, low: f64, high: f64) -> Color {
        let brightness = self.between(low, high);
        std::array::from_fn(|_| brightness + self.between(-25.0, 25.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Pdq, Quality};
    use crate::media::{DecodeLimits, decode, pdq};

    const SIDES: (u32, u32) = (320, 240);

    fn hash(file: ImageResult<Vec<u8>>) -> (Pdq, Quality) {
        pdq::hash(&decode(&file.unwrap(), &DecodeLimits::default()).unwrap()).unwrap()
    }

    #[test]
    fn a_seed_always_gives_the_same_landscape() {
        assert_eq!(scene(7, 40, 30), scene(7, 40, 30));
        assert_ne!(scene(7, 40, 30), scene(8, 40, 30));
    }

    #[test]
    fn landscapes_have_full_quality_and_are_more_than_60_bits_apart() {
        let hashes: Vec<_> = (0..40).map(|seed| hash(original(&scene(seed, SIDES.0, SIDES.1)))).collect();
        for (n, (one, quality)) in hashes.iter().enumerate() {
            assert_eq!(quality.percent(), 100, "seed {n}");
            for (m, (other, _)) in hashes[..n].iter().enumerate() {
                assert!(one.distance(*other).bits() > 60, "seeds {m} and {n}");
            }
        }
    }

    #[test]
    fn every_altered_copy_of_a_landscape_matches_it() {
        for seed in 0..12 {
            let picture = scene(seed, SIDES.0, SIDES.1);
            let (published, _) = hash(original(&picture));
            for (name, alter) in ALTERATIONS {
                let distance = hash(alter(&picture)).0.distance(published);
                assert!(distance.bits() <= 31, "seed {seed}, {name}: {distance}");
            }
        }
    }
}
