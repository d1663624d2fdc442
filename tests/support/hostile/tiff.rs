//! TIFF files written from nothing. TIFF revision 6.0 (Aldus, 1992); tags by their numbers there.

use std::collections::BTreeMap;

use weezl::{BitOrder, encode::Encoder};

use super::bytes::{Random, zeros_compressed};
use super::{Case, Cases, jpeg};

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_BYTES: u16 = 279;
const PLANES: u16 = 284;
const PREDICTOR: u16 = 317;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTES: u16 = 325;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;
const CHROMA: u16 = 530;

const NONE: u32 = 1;
const FAX: u32 = 4;
const LZW: u32 = 5;
const JPEG: u32 = 7;
const DEFLATE: u32 = 8;
const PACKBITS: u32 = 32_773;

/// A directory to be: values by tag.
#[derive(Clone)]
struct Tags(BTreeMap<u16, Vec<u32>>);

impl Tags {
    /// One strip of 8-bit samples: grey, RGB or RGB with alpha.
    fn picture(width: u32, height: u32, samples: u32, compression: u32) -> Self {
        let photometric = if samples < 3 { 1 } else { 2 };
        Self(BTreeMap::new())
            .set(WIDTH, [width])
            .set(HEIGHT, [height])
            .set(BITS, vec![8; samples as usize])
            .set(COMPRESSION, [compression])
            .set(PHOTOMETRIC, [photometric])
            .set(SAMPLES, [samples])
    }

    fn set(mut self, tag: u16, values: impl Into<Vec<u32>>) -> Self {
        self.0.insert(tag, values.into());
        self
    }

    /// So many tiles, all of the same bytes.
    fn tiles(self, width: u32, height: u32, count: usize, bytes: usize) -> Self {
        self.set(TILE_WIDTH, [width])
            .set(TILE_HEIGHT, [height])
            .set(TILE_OFFSETS, vec![8; count])
            .set(TILE_BYTES, vec![bytes as u32; count])
    }

    /// So many strips, all of the same bytes.
    fn strips(self, rows: u32, count: usize, bytes: usize) -> Self {
        self.set(ROWS_PER_STRIP, [rows]).set(STRIP_OFFSETS, vec![8; count]).set(STRIP_BYTES, vec![bytes as u32; count])
    }

    /// The file: header, pixels, long values, directory. One strip, unless the tags say otherwise.
    fn file(self, pixels: &[u8]) -> Vec<u8> {
        let placed = self.0.contains_key(&STRIP_OFFSETS) || self.0.contains_key(&TILE_OFFSETS);
        let Self(tags) = if placed { self } else { self.strips(u32::MAX, 1, pixels.len()) };
        let mut body = pixels.to_vec();
        body.resize(body.len().next_multiple_of(2), 0);
        let mut entries = Vec::new();
        for (tag, values) in &tags {
            // Longs (4), except what must be shorts (3).
            let short =
                matches!(*tag, BITS | COMPRESSION | PHOTOMETRIC | SAMPLES | PLANES | EXTRA_SAMPLES | SAMPLE_FORMAT);
            let (kind, width) = if short { (3u16, 2) } else { (4, 4) };
            let mut written: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()[..width].to_vec()).collect();
            if written.len() > 4 {
                let place = 8 + body.len() as u32;
                body.extend_from_slice(&written);
                body.resize(body.len().next_multiple_of(2), 0);
                written = place.to_le_bytes().to_vec();
            }
            written.resize(4, 0);
            entries.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            entries.extend([(values.len() as u32).to_le_bytes().to_vec(), written].concat());
        }
        let directory = (8 + body.len() as u32).to_le_bytes();
        [&b"II*\0"[..], &directory, &body, &(tags.len() as u16).to_le_bytes(), &entries, &[0; 4]].concat()
    }
}

/// So many zeros, in this compression.
fn zeros(compression: u32, length: usize) -> Vec<u8> {
    match compression {
        DEFLATE => zeros_compressed(length as u64),
        LZW => Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&vec![0; length]).unwrap(),
        PACKBITS => [0x81, 0].repeat(length.div_ceil(128)),
        _ => vec![0; length],
    }
}

pub fn all() -> Cases {
    Box::new(tags().chain(sizes()).chain(unpacking()).chain(directories()))
}

/// Every number that steers the decoder, small and large.
fn tags() -> Cases {
    let numbers =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 24, 31, 32, 33, 64, 127, 128, 255, 256, 32_767, 32_773, 34_892, 65_535];
    let mut cases = Vec::new();
    for compression in [NONE, FAX, LZW, JPEG, DEFLATE, PACKBITS, 2, 3, 6, 34_712, 50_000, 50_001] {
        for samples in [1, 3, 4] {
            let data = zeros(compression, 20 * 20 * 16);
            let picture = Tags::picture(20, 20, samples, compression);
            for tag in [
                BITS,
                PHOTOMETRIC,
                SAMPLES,
                PLANES,
                PREDICTOR,
                EXTRA_SAMPLES,
                SAMPLE_FORMAT,
                ROWS_PER_STRIP,
                ORIENTATION,
                CHROMA,
            ] {
                for number in numbers {
                    let values = if tag == BITS { vec![number; samples as usize] } else { vec![number] };
                    let bytes = picture.clone().set(tag, values).file(&data);
                    let name = format!("{samples} samples, compression {compression}, tag {tag} is {number}");
                    cases.push(Case::new("TIFF tags", name, bytes));
                }
            }
        }
    }
    let mut random = Random::new(13);
    for n in 0..1_000 {
        let mut picture = Tags::picture(20, 20, 3, [NONE, LZW, DEFLATE, PACKBITS][random.below(4)]);
        for _ in 0..3 {
            let tag =
                [WIDTH, HEIGHT, BITS, PHOTOMETRIC, SAMPLES, PLANES, PREDICTOR, EXTRA_SAMPLES, SAMPLE_FORMAT, CHROMA]
                    [random.below(10)];
            picture = picture.set(tag, vec![numbers[random.below(numbers.len())]; 1 + random.below(4)]);
        }
        if random.below(2) == 0 {
            let (width, height) = (1 + random.below(40) as u32, 1 + random.below(40) as u32);
            let count = 20u32.div_ceil(width) * 20u32.div_ceil(height);
            picture = picture.tiles(width, height, count as usize, 300);
        }
        cases.push(Case::new("TIFF tags", format_args!("at random, number {n}"), picture.file(&random.bytes(400))));
    }
    Box::new(cases.into_iter())
}

fn sizes() -> Cases {
    let sides = [0, 1, 10_000, 16_384, 65_535, 0x7FFF_FFFF, u32::MAX];
    let announced = sides.into_iter().flat_map(move |width| {
        sides.into_iter().flat_map(move |height| {
            [NONE, LZW, DEFLATE, FAX].into_iter().map(move |compression| {
                let mut picture = Tags::picture(width, height, 1, compression);
                if compression == FAX {
                    picture = picture.set(BITS, [1]);
                }
                let name = format!("{width}x{height} announced, compression {compression}");
                Case::new("TIFF size", name, picture.file(&zeros(compression, 100)))
            })
        })
    });
    let whole =
        [(10_000, 1, DEFLATE), (10_000, 1, LZW), (10_000, 1, PACKBITS), (8_192, 3, DEFLATE), (8_192, 4, DEFLATE)];
    let whole = whole.into_iter().map(|(side, samples, compression)| {
        let data = zeros(compression, (side * side * samples) as usize);
        let bytes = Tags::picture(side, side, samples, compression).file(&data);
        Case::new(
            "TIFF size",
            format_args!("{side}x{side}, {samples} samples, compression {compression}, all there"),
            bytes,
        )
    });
    Box::new(announced.chain(whole))
}

/// More behind a few bytes than the picture's sides let expect.
fn unpacking() -> Cases {
    type Made = fn() -> Vec<u8>;
    let cases: [(&str, Made); 11] = [
        ("tiles of 16,777,216 columns, all the same bytes", || {
            let data = zeros(DEFLATE, 1 << 24);
            Tags::picture(5, 6_000, 1, DEFLATE).tiles(1 << 24, 1, 6_000, data.len()).file(&data)
        }),
        ("tiles of 1,048,576 columns, all the same bytes", || {
            let data = zeros(DEFLATE, 1 << 20);
            Tags::picture(5, 6_000, 1, DEFLATE).tiles(1 << 20, 1, 6_000, data.len()).file(&data)
        }),
        ("a tile of 2,147,483,648 columns", || {
            let data = zeros(DEFLATE, 1 << 30);
            Tags::picture(5, 5, 1, DEFLATE).tiles(1 << 31, 5, 1, data.len()).file(&data)
        }),
        ("65,535 samples a pixel", || {
            let data = zeros(DEFLATE, 1 << 30);
            let picture = Tags::picture(16_384, 5, 3, DEFLATE).set(BITS, [8]).set(SAMPLES, [65_535]);
            picture.set(EXTRA_SAMPLES, vec![0; 65_532]).file(&data)
        }),
        ("16,384 strips of the same bytes", || {
            let data = zeros(DEFLATE, 6_000);
            Tags::picture(6_000, 16_384, 1, DEFLATE).strips(1, 16_384, data.len()).file(&data)
        }),
        ("60,000 tiles of one pixel", || Tags::picture(300, 200, 1, LZW).tiles(1, 1, 60_000, 9).file(&zeros(LZW, 10))),
        ("60,000 tiles of one pixel, deflated", || {
            let data = zeros(DEFLATE, 10);
            Tags::picture(300, 200, 1, DEFLATE).tiles(1, 1, 60_000, data.len()).file(&data)
        }),
        ("a JPEG of 16,384x16,384 for 10x10", || {
            let data = jpeg::announcing(16_384, 16_384);
            Tags::picture(10, 10, 3, JPEG).set(PHOTOMETRIC, [6]).strips(10, 1, data.len()).file(&data)
        }),
        ("RGB, a JPEG of 9,000x9,000 for 10x10", || {
            let data = jpeg::announcing(9_000, 9_000);
            Tags::picture(10, 10, 3, JPEG).strips(10, 1, data.len()).file(&data)
        }),
        ("RGB, 1,000 times a JPEG of 9,000x9,000", || {
            let data = jpeg::announcing(9_000, 9_000);
            Tags::picture(10, 1_000, 3, JPEG).strips(1, 1_000, data.len()).file(&data)
        }),
        ("fax, 16,384x6,103", || Tags::picture(16_384, 6_103, 1, FAX).set(BITS, [1]).file(&vec![0xFF; 6_103 / 8 + 1])),
    ];
    Box::new(cases.into_iter().map(|(name, made)| Case::new("TIFF unpacking", name, made())))
}

/// Directories that go round in circles, have no end, or are somewhere else.
fn directories() -> Cases {
    let good = Tags::picture(20, 20, 3, DEFLATE).file(&zeros(DEFLATE, 1200));
    let directory = u32::from_le_bytes([good[4], good[5], good[6], good[7]]) as usize;
    let mut cases = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>| cases.push(Case::new("TIFF directories", name, bytes));
    for place in [0, 1, 4, 7, directory as u32 + 1, good.len() as u32 - 1, good.len() as u32, 0x7FFF_FFFF, u32::MAX] {
        add(format!("the first at {place}"), super::bytes::with(&good, 4, &place.to_le_bytes()));
    }
    let end = good.len() - 4;
    for next in [8, directory as u32, u32::MAX] {
        add(format!("the next at {next}"), super::bytes::with(&good, end, &next.to_le_bytes()));
    }
    add("65,535 entries announced".into(), super::bytes::with(&good, directory, &[0xFF; 2]));
    let same = &good[directory + 2..directory + 14];
    let many = [&good[..directory], &[0xFF, 0xFF], &same.repeat(65_535)[..], &[0; 4]].concat();
    add("65,535 times the same entry".into(), many);
    let numbered: Vec<u8> = (0..=u16::MAX - 1)
        .flat_map(|tag| [&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0, 20, 0, 0, 0]].concat())
        .collect();
    add("65,535 different entries".into(), [&good[..directory], &[0xFF, 0xFF], &numbered[..], &[0; 4]].concat());
    for entry in (0..(good.len() - directory - 6) / 12).map(|n| directory + 2 + 12 * n) {
        for kind in 0..=20u8 {
            for count in [0u32, 2, 70_000, 0x1000_0000, 0x7FFF_FFFF, u32::MAX] {
                let changed = super::bytes::with(&good, entry + 2, &[&[kind, 0][..], &count.to_le_bytes()].concat());
                add(format!("entry at {entry}: {count} of type {kind}"), changed);
            }
        }
    }
    for version in 0..=255 {
        add(format!("version {version}"), super::bytes::with(&good, 2, &[version]));
    }
    Box::new(cases.into_iter())
}
