//! The fast way against the plain one.

use proptest::prelude::*;

use super::*;

/// How a picture's pixels are made: from the plain to the hostile.
#[derive(Clone, Copy, Debug)]
enum Content {
    Flat(u8),
    /// Every bit at random.
    Noise(u32),
    Gradient,
    /// White lines on black, so far apart.
    Lines(usize),
    /// One bright pixel.
    Point(usize),
}

impl Content {
    fn picture(self, width: usize, height: usize) -> Picture {
        let mut state = 1;
        let mut pixel = |x: usize, y: usize| match self {
            Self::Flat(level) => [level; 3],
            Self::Noise(seed) => {
                state = (state ^ seed).wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let [_, red, green, blue] = state.to_le_bytes();
                [red, green, blue]
            }
            Self::Gradient => [(255 * x / width) as u8, (255 * y / height) as u8, (x + y) as u8],
            Self::Lines(apart) => [if x.is_multiple_of(apart) || y.is_multiple_of(apart + 1) { 255 } else { 0 }; 3],
            Self::Point(at) => [if y * width + x == at % (width * height) { 255 } else { 0 }; 3],
        };
        let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
        Picture::from_rgb8(width as u32, height as u32, rgb).unwrap()
    }
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        any::<u8>().prop_map(Content::Flat),
        any::<u32>().prop_map(Content::Noise),
        Just(Content::Gradient),
        (1..40_usize).prop_map(Content::Lines),
        any::<usize>().prop_map(Content::Point),
    ]
}

fn assert_grids_are_equal(content: Content, width: usize, height: usize) {
    let picture = content.picture(width, height);
    let expected = oracle::grid(&picture);
    for simd in Simd::available() {
        let grid = blur::grid(simd, &picture);
        for (y, (row, expected)) in grid.iter().zip(&expected).enumerate() {
            for (x, (value, expected)) in row.iter().zip(expected).enumerate() {
                let same = value.to_bits() == expected.to_bits();
                assert!(same, "{simd}, {content:?} {width}x{height}, cell {x}, {y}: {value:?} instead of {expected:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_picture_has_the_grid_of_the_plain_way(
        content in content(), (width, height) in prop_oneof![(5..300_usize, 5..300_usize), (5..2_000_usize, 5..40_usize), (5..40_usize, 5..2_000_usize)],
    ) {
        assert_grids_are_equal(content, width, height);
    }
}

#[test]
fn pictures_of_all_small_sides_have_the_grid_of_the_plain_way() {
    // Each width once and each height once, and so each way in which a row can end, and a picture.
    for side in 5..=140 {
        assert_grids_are_equal(Content::Noise(7), side, 145 - side);
        assert_grids_are_equal(Content::Noise(9), side, side);
    }
}

#[test]
fn pictures_of_all_box_widths_have_the_grid_of_the_plain_way() {
    // From one value in a box to 128: the widest and the narrowest side of each.
    for window in 1..=128 {
        for side in [128 * window - 127, 128 * window] {
            assert_grids_are_equal(Content::Noise(1), side.max(5), 9);
            assert_grids_are_equal(Content::Noise(2), 6, side.max(5));
        }
    }
}

#[test]
fn the_longest_and_the_largest_pictures_have_the_grid_of_the_plain_way() {
    for (width, height) in [(5, 8_192), (8_192, 5), (16_384, 11), (7, 16_384), (40_000, 5), (5, 40_000), (5_000, 4_000)]
    {
        assert_grids_are_equal(Content::Noise(3), width, height);
    }
}

#[test]
fn a_picture_of_64_by_64_is_its_own_grid() {
    let picture = Content::Noise(5).picture(GRID, GRID);
    for simd in Simd::available() {
        let grid = blur::grid(simd, &picture);
        for (pixel, value) in picture.pixels().iter().zip(grid.as_flattened()) {
            assert_eq!(value.to_bits(), oracle::luma(pixel).to_bits());
        }
    }
}
