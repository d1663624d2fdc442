//! BMP files written from nothing: headers that say anything, and run lengths.

use super::bytes::Random;
use super::{Case, Cases};

/// What a file and its information header say.
#[derive(Clone, Copy)]
struct Says {
    width: i32,
    height: i32,
    planes: u16,
    bits: u16,
    compression: u32,
    colors: u32,
    offset: u32,
    header: u32,
}

const SMALL: Says =
    Says { width: 20, height: 20, planes: 1, bits: 8, compression: 1, colors: 2, offset: 62, header: 40 };

fn file(says: Says, after: &[u8]) -> Vec<u8> {
    let Says { width, height, planes, bits, compression, colors, offset, header } = says;
    let mut bytes = b"BM".to_vec();
    for number in [0, 0, offset, header] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    bytes.extend([planes.to_le_bytes(), bits.to_le_bytes()].concat());
    for number in [compression, 0, 0, 0, colors, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([0, 0, 0, 0, 255, 255, 255, 0]);
    bytes.extend(after);
    bytes
}

pub fn all() -> Cases {
    Box::new(headers().chain(sizes()).chain(runs()))
}

fn headers() -> Cases {
    let mut cases = Vec::new();
    let mut add = |name: String, says: Says| cases.push(Case::new("BMP header", name, file(says, &[1; 2000])));
    for bits in [0, 1, 2, 3, 4, 8, 16, 24, 32, 64, 65_535] {
        for compression in [0, 1, 2, 3, 4, 5, 6, 11, 12, 13, 255, u32::MAX] {
            for height in [20, -20] {
                let name = format!("{bits} bits, compression {compression}, height {height}");
                add(name, Says { bits, compression, height, ..SMALL });
            }
        }
    }
    for header in [0, 1, 11, 12, 16, 39, 40, 52, 56, 64, 108, 124, 200, 65_536, u32::MAX] {
        for offset in [0, 14, 54, 62, 1_000, 0x7FFF_FFFF, u32::MAX] {
            let name = format!("header of {header}, pixels at {offset}");
            add(name, Says { header, offset, compression: 0, bits: 24, ..SMALL });
        }
    }
    for colors in [0, 1, 3, 256, 257, 65_536, 0x7FFF_FFFF, u32::MAX] {
        for bits in [1, 2, 4, 8, 24] {
            add(format!("{colors} colours of {bits} bits"), Says { colors, bits, compression: 0, ..SMALL });
        }
    }
    Box::new(cases.into_iter())
}

fn sizes() -> Cases {
    let sides = [0, 1, 10_000, 16_384, 65_535, 65_536, i32::MAX, -1, i32::MIN, i32::MIN + 1];
    let announced = sides.into_iter().flat_map(move |width| {
        sides.into_iter().flat_map(move |height| {
            [(8, 1), (4, 2), (24, 0), (1, 0)].map(|(bits, compression)| {
                let bytes = file(Says { width, height, bits, compression, ..SMALL }, &[0, 1]);
                Case::new("BMP size", format_args!("{width}x{height}, {bits} bits, compression {compression}"), bytes)
            })
        })
    });
    let planes = [0, 2, 65_535]
        .map(|planes| Case::new("BMP size", format_args!("{planes} planes"), file(Says { planes, ..SMALL }, &[0, 1])));
    let whole = std::iter::once_with(|| {
        let bytes =
            file(Says { width: 10_000, height: 10_000, bits: 1, compression: 0, ..SMALL }, &vec![0; 10_000 * 1252]);
        Case::new("BMP size", "10,000x10,000 of one bit, all there", bytes)
    });
    Box::new(announced.chain(planes).chain(whole))
}

/// Run lengths: beyond the row, beyond the picture, deltas to nowhere, no end.
fn runs() -> Cases {
    let mut cases = Vec::new();
    let mut random = Random::new(11);
    for n in 0..300 {
        let (bits, compression) = [(8, 1), (4, 2)][n % 2];
        let length = random.below(600);
        let bytes = file(Says { bits, compression, ..SMALL }, &random.bytes(length));
        cases.push(Case::new("BMP runs", format_args!("at random, number {n}"), bytes));
    }
    let large = Says { width: 10_000, height: 10_000, ..SMALL };
    let mut add = |name: &str, says: Says, data: Vec<u8>| cases.push(Case::new("BMP runs", name, file(says, &data)));
    add("beyond the row", SMALL, [255, 1].repeat(100));
    add("deltas upwards", SMALL, [0, 2, 0, 255].repeat(100));
    add("deltas to the right", SMALL, [0, 2, 255, 0].repeat(100));
    add("runs of nothing", SMALL, [0, 0].repeat(1_000_000));
    add("deltas of nothing", SMALL, [0, 2, 0, 0].repeat(7_000_000));
    add("literals of three", SMALL, [0, 3, 1, 1, 1, 0].repeat(1_000));
    add("10,000x10,000 and the end", large, vec![0, 1]);
    add("10,000x10,000 by ends of lines", large, [0, 0].repeat(10_000));
    add("10,000x10,000 by deltas", large, [0, 2, 0, 255].repeat(39));
    Box::new(cases.into_iter())
}
