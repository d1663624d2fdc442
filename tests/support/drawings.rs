//! Pictures made by formulas in integers, the same here and in `../fixtures/pdq/expected.py`, which has the reference hash
//! them. A change here needs the same change there.

use hashcommons::media::Picture;

/// Draws the picture called `name`.
pub fn draw(name: &str, width: u32, height: u32) -> Picture {
    let color: fn(i64, i64, i64, i64) -> [i64; 3] = match name {
        "slope" => slope,
        "rings" => rings,
        "checks" => checks,
        "blobs" => blobs,
        "noise" => noise,
        "faint" => faint,
        "grey" => grey,
        "black" => black,
        "white" => white,
        other => panic!("there is no drawing called `{other}`"),
    };
    let (w, h) = (i64::from(width), i64::from(height));
    let rgb = (0..h).flat_map(|y| (0..w).flat_map(move |x| color(x, y, w, h))).map(|sample| sample as u8).collect();
    Picture::from_rgb8(width, height, rgb).unwrap()
}

/// Darker to brighter from corner to corner, at another pace in each colour.
fn slope(x: i64, y: i64, width: i64, height: i64) -> [i64; 3] {
    let (t, u) = (x * 255 / (width - 1), y * 255 / (height - 1));
    [t, u, (t + u) / 2]
}

/// Squared distance from a point off the middle, in steps.
fn rings(x: i64, y: i64, width: i64, height: i64) -> [i64; 3] {
    let (dx, dy) = (64 * x / width - 20, 64 * y / height - 37);
    let d = dx * dx + dy * dy;
    [d / 5 % 256, d / 11 % 256, d / 3 % 256]
}

/// Rectangles of 37x23 pixels, each in its own colour.
fn checks(x: i64, y: i64, _width: i64, _height: i64) -> [i64; 3] {
    let n = x / 37 * 7 + y / 23 * 13;
    [n * 29 % 256, n * 53 % 256, n * 97 % 256]
}

/// Twelve soft spots on a grey ground.
fn blobs(x: i64, y: i64, width: i64, height: i64) -> [i64; 3] {
    let spot = |n: i64| {
        let (dx, dy) = (x - width * (n * 37 % 100) / 100, y - height * (n * 61 % 100) / 100);
        let radius = (width + height) * (3 + n % 5) / 40;
        (radius * radius - dx * dx - dy * dy).max(0) * 120 / (radius * radius)
    };
    let level = (40 + (0..12).map(spot).sum::<i64>()).min(255);
    [level, 255 - level, level / 2]
}

/// A scrambled counter: no structure at all.
fn noise(x: i64, y: i64, width: i64, _height: i64) -> [i64; 3] {
    let n = ((x + y * width) as u32).wrapping_mul(2_654_435_761);
    let n = (n ^ n >> 15).wrapping_mul(2_246_822_519);
    let n = i64::from(n ^ n >> 13);
    [n % 256, n / 256 % 256, n / 65_536 % 256]
}

/// The rings at a fiftieth of their contrast: too little to hash.
fn faint(x: i64, y: i64, width: i64, height: i64) -> [i64; 3] {
    rings(x, y, width, height).map(|sample| 128 + sample / 50)
}

/// The red of the rings in all three colours.
fn grey(x: i64, y: i64, width: i64, height: i64) -> [i64; 3] {
    [rings(x, y, width, height)[0]; 3]
}

fn black(_x: i64, _y: i64, _width: i64, _height: i64) -> [i64; 3] {
    [0; 3]
}

fn white(_x: i64, _y: i64, _width: i64, _height: i64) -> [i64; 3] {
    [255; 3]
}
