//! Every instruction set against plain arithmetic, bit by bit.

use proptest::prelude::*;

use super::super::luma::THOUSANDTHS;
use super::super::oracle;
use super::super::ring::Ring;
use super::super::tile::EMPTY;
use super::*;

struct Luma<'a>(&'a [[[u8; 3]; EIGHT]; EIGHT]);

impl Task for Luma<'_> {
    type Outcome = Tile;

    fn with<L: Lanes>(self, lanes: L) -> Tile {
        let mut tile = EMPTY;
        lanes.luma(self.0.each_ref(), &mut tile);
        tile
    }
}

struct Means<'a>(&'a Tile, &'a [Divisor; EIGHT]);

impl Task for Means<'_> {
    type Outcome = Tile;

    fn with<L: Lanes>(self, lanes: L) -> Tile {
        let mut means = EMPTY;
        lanes.means(self.0, self.1, &mut means);
        means
    }
}

/// Three boxes of these windows, and what enters them, each line as long as the next.
struct Slide<'a>([usize; 3], &'a [[Tile; 3]]);

impl Task for Slide<'_> {
    type Outcome = Vec<[Tile; 3]>;

    fn with<L: Lanes>(self, lanes: L) -> Vec<[Tile; 3]> {
        let mut rings = self.0.map(Ring::new);
        let mut values = rings.map(|ring| vec![Eight::ZERO; ring.len()]);
        let mut sums = [Eight::ZERO; 3];
        let mut moved = self.1.to_vec();
        for tiles in &mut moved {
            let [a, b, c] = tiles;
            let ([va, vb, vc], [sa, sb, sc]) = (&mut values, &mut sums);
            let [ra, rb, rc] = rings;
            lanes.slide([
                Sliding { places: ra.open(va, a), tile: a, sums: sa, offset: ra.offset() },
                Sliding { places: rb.open(vb, b), tile: b, sums: sb, offset: rb.offset() },
                Sliding { places: rc.open(vc, c), tile: c, sums: sc, offset: rc.offset() },
            ]);
            rings.iter_mut().for_each(Ring::advance);
        }
        moved
    }
}

fn bits(tile: &Tile) -> [[u32; EIGHT]; EIGHT] {
    tile.map(|values| values.0.map(f32::to_bits))
}

/// Divides all of these sums by `count`, and compares the bits with those of a division.
fn assert_divides(simd: Simd, count: usize, sums: impl Iterator<Item = f32>) {
    let divisor = Divisor::of(count);
    let mut sums = sums.peekable();
    while sums.peek().is_some() {
        let tile: Tile = std::array::from_fn(|_| Eight(std::array::from_fn(|_| sums.next().unwrap_or_default())));
        let means = simd.run(Means(&tile, &[divisor; EIGHT]));
        for (i, sums) in tile.iter().enumerate() {
            for (line, sum) in sums.0.iter().enumerate() {
                let (mean, expected) = (means[line].0[i], sum / count as f32);
                assert_eq!(
                    mean.to_bits(),
                    expected.to_bits(),
                    "{simd}: {sum:?} / {count} is {expected:?}, not {mean:?}"
                );
            }
        }
    }
}

#[test]
fn every_set_divides_every_brightness_in_thousandths_as_a_division_does() {
    for simd in Simd::available() {
        assert_divides(simd, THOUSANDTHS, (0..=255_000).map(|thousandths| thousandths as f32));
    }
}

#[test]
fn every_set_divides_all_numbers_between_two_powers_of_two_as_a_division_does() {
    // Those of other powers have the same digits, and so have their quotients.
    for simd in Simd::available() {
        for count in [3, 24, 127] {
            assert_divides(simd, count, (1_f32.to_bits()..2_f32.to_bits()).map(f32::from_bits));
        }
    }
}

#[test]
fn every_set_divides_by_every_number_of_values_that_a_box_may_hold() {
    let edges = [1.0, 1.0 - f32::EPSILON / 2.0, 255.0, 0.114, 2_f32.powi(-27), 1.001 * 2_f32.powi(-51)];
    for simd in Simd::available() {
        for count in (0..=1_024).chain([4_095, 65_537, (1 << 22) - 1]) {
            let around = |sum: f32| [sum.next_down(), sum, sum.next_up()];
            let sums = edges.into_iter().flat_map(|sum| [sum, -sum, sum * count as f32]).flat_map(around).chain([0.0]);
            // An empty box is divided by 1.
            assert_divides(simd, count.max(1), sums);
        }
    }
}

proptest! {
    #[test]
    fn every_set_divides_any_sum_as_a_division_does(
        sums in prop::collection::vec(prop::num::f32::POSITIVE | prop::num::f32::NEGATIVE, 256), count in 1..=4_096_usize,
    ) {
        // From the smallest means that there are to far more than the sum of a box.
        let sums: Vec<_> = sums.into_iter().filter(|sum| (2_f32.powi(-51)..2_f32.powi(40)).contains(&sum.abs())).collect();
        for simd in Simd::available() {
            assert_divides(simd, count, sums.iter().copied());
        }
    }

    #[test]
    fn every_set_sums_boxes_of_any_width_line_by_line_in_order(
        windows in prop::array::uniform3(1..30_usize),
        entering in prop::collection::vec(
            prop::array::uniform3(prop::array::uniform8(prop::array::uniform8(0.0..255.0_f32))), 1..8),
    ) {
        let entering: Vec<[Tile; 3]> = entering.into_iter().map(|tiles| tiles.map(|tile| tile.map(Eight))).collect();
        for simd in Simd::available() {
            let moved = simd.run(Slide(windows, &entering));
            for (which, window) in windows.into_iter().enumerate() {
                for line in 0..EIGHT {
                    let values: Vec<f32> =
                        entering.iter().flat_map(|tiles| tiles[which].iter().map(|values| values.0[line])).collect();
                    let mut sum = 0.0;
                    for (step, value) in values.iter().enumerate() {
                        sum += value;
                        if step >= window {
                            sum -= values[step - window];
                        }
                        let found = moved[step / EIGHT][which][step % EIGHT].0[line];
                        prop_assert_eq!(found.to_bits(), sum.to_bits(), "{}, box {}, step {}", simd, which, step);
                    }
                }
            }
        }
    }
}

#[test]
fn every_set_sees_every_colour_as_the_reference_does_and_every_pixel_in_its_place() {
    for simd in Simd::available() {
        for first in (0..1_u32 << 24).step_by(EIGHT * EIGHT) {
            let pixel = |at: u32| {
                let [blue, green, red, _] = at.to_le_bytes();
                [red, green, blue]
            };
            let at = |x: usize, y: usize| pixel(first + (EIGHT * y + x) as u32);
            let rows: [[[u8; 3]; EIGHT]; EIGHT] = std::array::from_fn(|y| std::array::from_fn(|x| at(x, y)));
            let expected: Tile = std::array::from_fn(|x| Eight(std::array::from_fn(|y| oracle::luma(&at(x, y)))));
            assert_eq!(bits(&simd.run(Luma(&rows))), bits(&expected), "{simd}, colours from {first:#08x}");
        }
    }
}

#[test]
fn means_exchange_steps_and_lines() {
    let sums: Tile = std::array::from_fn(|step| Eight(std::array::from_fn(|line| (10 * step + line) as f32)));
    let expected: Tile = std::array::from_fn(|line| Eight(std::array::from_fn(|step| (10 * step + line) as f32)));
    for simd in Simd::available() {
        assert_eq!(bits(&simd.run(Means(&sums, &[Divisor::of(1); EIGHT]))), bits(&expected), "{simd}");
    }
}

#[test]
fn the_best_set_is_the_last_of_the_available_ones() {
    assert_eq!(Simd::available().next(), Some(Simd::PORTABLE));
    assert_eq!(Simd::available().last(), Some(Simd::best()));
    for simd in Simd::available() {
        assert_eq!(simd.to_string().parse(), Ok(simd));
    }
    let error = "mmx".parse::<Simd>().unwrap_err().to_string();
    assert!(error.starts_with("`mmx` cannot be used here: there is portable"), "{error}");
}
