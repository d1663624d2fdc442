//! JPEG files written from nothing. ITU-T T.81; markers by their names there.

use super::bytes::{Bits, Order, Random};
use super::seeds::seed;
use super::{Case, Cases};

const SOI: [u8; 2] = [0xFF, 0xD8];
const EOI: [u8; 2] = [0xFF, 0xD9];
/// Frames: baseline, extended, progressive, lossless, arithmetic.
const SOF: [u8; 5] = [0xC0, 0xC1, 0xC2, 0xC3, 0xC9];
const BASELINE: u8 = 0xC0;
const PROGRESSIVE: u8 = 0xC2;

pub fn segment(code: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() + 2) as u16;
    [&[0xFF, code], &length.to_be_bytes()[..], content].concat()
}

/// A frame header. Components are numbered from 1; each is (horizontal, vertical) sampling.
fn frame(code: u8, precision: u8, width: u16, height: u16, components: &[(u8, u8)]) -> Vec<u8> {
    let mut content = vec![precision];
    content.extend(height.to_be_bytes());
    content.extend(width.to_be_bytes());
    content.push(components.len() as u8);
    for (n, (h, v)) in components.iter().enumerate() {
        content.extend([n as u8 + 1, h << 4 | v, 0]);
    }
    segment(code, &content)
}

/// A scan over these components (numbered from 1), and what is compressed in it.
fn scan(components: &[u8], spectrum: (u8, u8), approximation: u8, data: &[u8]) -> Vec<u8> {
    let mut content = vec![components.len() as u8];
    components.iter().for_each(|id| content.extend([*id, 0x00]));
    content.extend([spectrum.0, spectrum.1, approximation]);
    let data = data.iter().flat_map(|byte| if *byte == 0xFF { vec![0xFF, 0] } else { vec![*byte] });
    [segment(0xDA, &content), data.collect()].concat()
}

/// Quantization by ones, and for DC and AC each a table of one code of one bit.
fn tables(dc: u8, ac: u8) -> Vec<u8> {
    let huffman = |class: u8, symbol: u8| {
        let mut counts = [0; 16];
        counts[0] = 1;
        segment(0xC4, &[&[class << 4], &counts[..], &[symbol]].concat())
    };
    [segment(0xDB, &[&[0][..], &[1; 64]].concat()), huffman(0, dc), huffman(1, ac)].concat()
}

fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    [&SOI, &parts.concat()[..], &EOI].concat()
}

/// A run of blocks that end at once (EOB14): 16,384 and as many as `more` says, `times` times.
fn end_of_bands(times: usize) -> Vec<u8> {
    let mut bits = Bits::new(Order::Big);
    for _ in 0..times {
        bits.put(0, 1).put(0x3FFF, 14);
    }
    bits.bytes()
}

/// A picture in colour of these sides, of which hardly anything is there.
pub fn announcing(width: u16, height: u16) -> Vec<u8> {
    file(&[tables(0, 0), frame(BASELINE, 8, width, height, &COLOR), scan(ALL, (0, 63), 0, &[0; 20])])
}

const COLOR: [(u8, u8); 3] = [(1, 1); 3];
const HALVED: [(u8, u8); 3] = [(2, 2), (1, 1), (1, 1)];
const ALL: &[u8] = &[1, 2, 3];

pub fn all() -> Cases {
    Box::new(frames().chain(scans()).chain(sizes()).chain(segments()))
}

/// Frame headers of every sort.
fn frames() -> Cases {
    let one = |name: String, frame: Vec<u8>, components: &[u8]| {
        let bytes = file(&[tables(0, 0), frame, scan(components, (0, 63), 0, &[0; 200])]);
        Case::new("JPEG frame", name, bytes)
    };
    let mut cases = Vec::new();
    for code in 0xC0..=0xCF {
        for precision in [0, 1, 7, 8, 12, 16, 255] {
            let name = format!("SOF{} of {precision} bits", code - 0xC0);
            cases.push(one(name, frame(code, precision, 24, 24, &COLOR), ALL));
        }
    }
    for (h, v) in (0..=5).flat_map(|h| (0..=5).map(move |v| (h, v))) {
        for (code, place) in [(BASELINE, 0), (BASELINE, 1), (PROGRESSIVE, 0), (PROGRESSIVE, 2)] {
            let mut components = COLOR;
            components[place] = (h, v);
            let name = format!("SOF{}, component {place} sampled {h}x{v}", code - 0xC0);
            cases.push(one(name, frame(code, 8, 33, 17, &components), ALL));
        }
    }
    let mut random = Random::new(3);
    for n in 0..200 {
        let components: Vec<_> = (0..random.below(5)).map(|_| (random.below(5) as u8, random.below(5) as u8)).collect();
        let code = SOF[random.below(SOF.len())];
        let sides = (random.below(70) as u16, random.below(70) as u16);
        let ids: Vec<u8> = (0..random.below(5)).map(|_| 1 + random.below(4) as u8).collect();
        cases.push(one(format!("at random, number {n}"), frame(code, 8, sides.0, sides.1, &components), &ids));
    }
    for count in [0, 2, 5, 255] {
        cases.push(one(format!("{count} components"), frame(BASELINE, 8, 24, 24, &vec![(1, 1); count]), &[1]));
    }
    let good = [tables(0, 0), frame(BASELINE, 8, 24, 24, &COLOR), scan(ALL, (0, 63), 0, &[0; 20])];
    let mut add = |name: &str, parts: &[Vec<u8>]| cases.push(Case::new("JPEG frame", name, file(parts)));
    add("no tables", &good[1..]);
    add("no frame", &[good[0].clone(), good[2].clone()]);
    add("two frames", &[good[0].clone(), good[1].clone(), good[1].clone(), good[2].clone()]);
    add("a frame after the scan", &[good[0].clone(), good[2].clone(), good[1].clone()]);
    add("no scan", &good[..2]);
    add(
        "height by DNL",
        &[good[0].clone(), frame(BASELINE, 8, 24, 0, &COLOR), good[2].clone(), segment(0xDC, &[0, 24])],
    );
    add("DNL of another height", &[good.concat(), segment(0xDC, &[0xFF, 0xFF])]);
    add("arithmetic conditioning", &[good[0].clone(), segment(0xCC, &[0, 0, 16, 1]), good[1].clone(), good[2].clone()]);
    add("hierarchical", &[segment(0xDE, &[8, 0, 24, 0, 24, 1, 1, 0x11, 0]), good.concat(), segment(0xDF, &[0x11])]);
    add("restarts after every block, none there", &[segment(0xDD, &[0, 1]), good.concat()]);
    add("restart markers only", &[good[..2].concat(), scan(ALL, (0, 63), 0, &[]), [0xFF, 0xD0].repeat(50_000)]);
    let overfull = [&[0x00][..], &[255; 16], &[0; 4080]].concat();
    add("a Huffman table that is more than full", &[good[0].clone(), segment(0xC4, &overfull), good[1..].concat()]);
    add("a Huffman table of nothing", &[good[0].clone(), segment(0xC4, &[0; 17]), good[1..].concat()]);
    add("Huffman table 15", &[good[0].clone(), segment(0xC4, &[0x1F; 18]), good[1..].concat()]);
    add("quantization by zeros", &[segment(0xDB, &[0; 65]), good.concat()]);
    add("16-bit quantization", &[segment(0xDB, &[&[0x10][..], &[0xFF; 128]].concat()), good.concat()]);
    Box::new(cases.into_iter())
}

/// Scans: too many, out of order, over components that are not there.
fn scans() -> Cases {
    let start = |width, height, components: &[(u8, u8)]| {
        // 0xE0 is EOB14: the rest of 16,384 blocks and more is zero.
        [tables(0, 0xE0), frame(PROGRESSIVE, 8, width, height, components)].concat()
    };
    let mut cases = Vec::new();
    let mut add = |name: String, parts: &[Vec<u8>]| cases.push(Case::new("JPEG scans", name, file(parts)));
    let dc = |blocks: usize| scan(ALL, (0, 0), 0, &vec![0; 3 * blocks / 8 + 1]);
    for count in [2, 99, 100, 101, 5_000, 50_000] {
        let more = scan(&[1], (1, 63), 0, &end_of_bands(1));
        add(format!("{count} on 64x64"), &[start(64, 64, &COLOR), dc(64), vec![more; count].concat()]);
    }
    for (width, height) in [(2_000, 2_000), (4_000, 4_000), (10_000, 10_000)] {
        let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8);
        for (what, approximation) in [("first", 0x01), ("refining", 0x10)] {
            let more: Vec<_> =
                [1, 2, 3].map(|id| scan(&[id], (1, 63), approximation, &end_of_bands(blocks / 32_767 + 1))).into();
            for count in [3, 10, 33] {
                let name = format!("{} {what} on {width}x{height}", 3 * count);
                add(name, &[start(width, height, &COLOR), more.concat().repeat(count)]);
            }
        }
    }
    for (low, high) in [(0, 63), (5, 2), (63, 63), (64, 64), (255, 255), (1, 0)] {
        for approximation in [0x00, 0x0D, 0x0E, 0x10, 0xD0, 0xFF] {
            let odd = scan(&[2], (low, high), approximation, &[0x55; 100]);
            add(format!("band {low} to {high} by {approximation:#04x}"), &[start(64, 64, &HALVED), dc(64), odd]);
        }
    }
    for ids in [&[][..], &[0], &[4], &[1, 1], &[3, 2, 1], &[1, 2, 3, 4], &[1, 2, 3, 1, 2, 3], &[1; 255]] {
        add(format!("over components {ids:?}"), &[start(64, 64, &COLOR), scan(ids, (0, 0), 0, &[0; 99])]);
    }
    let baseline = [tables(0, 0), frame(BASELINE, 8, 64, 64, &HALVED)].concat();
    for (count, ids) in [(1, &[1][..]), (3, &[2]), (1_000, &[1, 2, 3]), (50_000, &[3])] {
        let one = scan(ids, (0, 63), 0, &[0; 3]);
        add(format!("{count} baseline scans of {ids:?}"), &[baseline.clone(), vec![one; count].concat()]);
    }
    Box::new(cases.into_iter())
}

/// Large sides with nearly nothing behind them.
fn sizes() -> Cases {
    let sides = [
        (65_535, 65_535),
        (65_535, 1),
        (1, 65_535),
        (16_384, 16_384),
        (16_384, 6_103),
        (6_103, 16_384),
        (10_000, 10_000),
    ];
    type Kind = (&'static str, u8, &'static [(u8, u8)]);
    let kinds: [Kind; 8] = [
        ("grey", BASELINE, &[(1, 1)]),
        ("colour", BASELINE, &COLOR),
        ("halved", BASELINE, &HALVED),
        ("quartered", BASELINE, &[(4, 4), (1, 1), (1, 1)]),
        ("four components", BASELINE, &[(1, 1); 4]),
        ("progressive grey", PROGRESSIVE, &[(1, 1)]),
        ("progressive colour", PROGRESSIVE, &COLOR),
        ("progressive, the most samples", PROGRESSIVE, &[(4, 4); 4]),
    ];
    let sized = sides.into_iter().flat_map(move |(width, height)| {
        kinds.into_iter().map(move |(name, code, components)| {
            let ids: Vec<u8> = (1..=components.len() as u8).collect();
            let spectrum = (0, if code == PROGRESSIVE { 0 } else { 63 });
            let bytes =
                file(&[tables(0, 0), frame(code, 8, width, height, components), scan(&ids, spectrum, 0, &[0; 20])]);
            Case::new("JPEG size", format_args!("{name} {width}x{height}"), bytes)
        })
    });
    // Two bits a block are a whole picture.
    let full = std::iter::once_with(|| {
        let data = vec![0; 1250 * 1250 * 3 * 2 / 8];
        let bytes = file(&[tables(0, 0), frame(BASELINE, 8, 10_000, 10_000, &COLOR), scan(ALL, (0, 63), 0, &data)]);
        Case::new("JPEG size", "colour 10000x10000, every block there", bytes)
    });
    Box::new(sized.chain(full))
}

/// Segments without number, or that claim what is not there.
fn segments() -> Cases {
    type Made = Box<dyn Fn() -> Vec<u8> + Send>;
    let inserted = |more: Made| -> Made {
        Box::new(move || {
            let plain = seed("baseline-420.jpg");
            [&SOI, &more()[..], &plain[2..]].concat()
        })
    };
    let extended = |count: usize, length: usize| -> Made {
        inserted(Box::new(move || {
            let piece = |n: usize| {
                let place = (n * length) as u32;
                let guid = [b'0'; 32];
                let head = [
                    &b"http://ns.adobe.com/xmp/extension/\0"[..],
                    &guid,
                    &u32::MAX.to_be_bytes(),
                    &place.to_be_bytes(),
                ];
                segment(0xE1, &[&head.concat()[..], &vec![b'x'; length]].concat())
            };
            (0..count).flat_map(piece).collect()
        }))
    };
    let repeated = |piece: Vec<u8>, count: usize| inserted(Box::new(move || piece.repeat(count)));
    let exif = |length: usize| segment(0xE1, &[&b"Exif\0\0"[..], &vec![0xFF; length]].concat());
    let cases: Vec<(&str, Made)> = vec![
        ("500 of EXIF, 64 kB each", repeated(exif(65_000), 500)),
        ("200,000 of EXIF, as short as can be", repeated(exif(1), 200_000)),
        ("1,000 pieces of extended XMP", extended(1_000, 1)),
        ("20,000 pieces of extended XMP", extended(20_000, 1)),
        ("380,000 pieces of extended XMP", extended(380_000, 1)),
        ("8,000,000 comments of nothing", repeated(segment(0xFE, b""), 8_000_000)),
        (
            "500 of colour profile",
            repeated(segment(0xE2, &[&b"ICC_PROFILE\0\x01\xFF"[..], &[0; 60_000]].concat()), 500),
        ),
        ("300,000 Huffman tables", repeated(segment(0xC4, &[&[0, 1][..], &[0; 15], &[0]].concat()), 300_000)),
        ("400,000 quantization tables", repeated(segment(0xDB, &[&[3][..], &[9; 64]].concat()), 400_000)),
        ("1,000,000 restart intervals", repeated(segment(0xDD, &[0, 7]), 1_000_000)),
        ("32 MB of fill bytes", repeated(vec![0xFF; 1 << 20], 31)),
        ("30 MB of zeros between segments", repeated(vec![0; 1 << 20], 30)),
        ("a segment of no length", inserted(Box::new(|| vec![0xFF, 0xE1, 0, 0]))),
        ("a segment of more than there is", inserted(Box::new(|| vec![0xFF, 0xE2, 0xFF, 0xFF, b'I', b'C', b'C']))),
    ];
    Box::new(cases.into_iter().map(|(name, made)| Case::new("JPEG segments", name, made())))
}
