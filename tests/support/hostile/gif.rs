//! GIF files written from nothing. GIF89a specification (CompuServe, 1990).

use weezl::{BitOrder, encode::Encoder};

use super::bytes::{Bits, Order, Random};
use super::{Case, Cases};

const COLORS: [u8; 6] = [10, 60, 200, 250, 120, 5];

fn header(width: u16, height: u16) -> Vec<u8> {
    [&b"GIF89a"[..], &width.to_le_bytes(), &height.to_le_bytes(), &[0x80, 0, 0], &COLORS].concat()
}

/// Data in sub-blocks, and the empty one that ends them.
fn blocks(data: &[u8]) -> Vec<u8> {
    let mut made: Vec<u8> = data.chunks(255).flat_map(|block| [&[block.len() as u8][..], block].concat()).collect();
    made.push(0);
    made
}

fn image(left: u16, top: u16, width: u16, height: u16, flags: u8, code_size: u8, data: &[u8]) -> Vec<u8> {
    let sides = [left, top, width, height].map(u16::to_le_bytes).concat();
    [&[0x2C][..], &sides, &[flags, code_size], &blocks(data)].concat()
}

/// So many pixels of colour 0.
fn zeros(pixels: usize) -> Vec<u8> {
    Encoder::new(BitOrder::Lsb, 2).encode(&vec![0; pixels]).unwrap()
}

/// Codes as they are, three bits each: 4 clears, 5 ends.
fn codes(codes: impl Iterator<Item = u64>) -> Vec<u8> {
    let mut bits = Bits::new(Order::Little);
    codes.for_each(|code| {
        bits.put(code, 3);
    });
    bits.bytes()
}

fn file(canvas: (u16, u16), blocks: &[Vec<u8>]) -> Vec<u8> {
    [header(canvas.0, canvas.1), blocks.concat(), vec![0x3B]].concat()
}

pub fn all() -> Cases {
    Box::new(sizes().chain(streams()).chain(blocks_without_end()))
}

/// Canvases and frames of all sizes, inside of each other or not.
fn sizes() -> Cases {
    let sides = [0, 1, 10, 65_535];
    let mut cases = Vec::new();
    for (width, height) in sides.into_iter().flat_map(|width| sides.map(|height| (width, height))) {
        for (left, top, w, h) in
            [(0, 0, 10, 10), (3, 3, 10, 10), (65_535, 65_535, 10, 10), (0, 0, 0, 0), (0, 0, 65_535, 65_535)]
        {
            let bytes = file((width, height), &[image(left, top, w, h, 0, 2, &zeros(100))]);
            cases.push(Case::new("GIF size", format_args!("{width}x{height}, in it {w}x{h} at {left}, {top}"), bytes));
        }
    }
    type Made = fn() -> Vec<u8>;
    let large: [(&str, Made); 7] = [
        ("10,000x10,000, all there", || {
            file((10_000, 10_000), &[image(0, 0, 10_000, 10_000, 0, 2, &zeros(100_000_000))])
        }),
        ("10,000x10,000 interlaced, all there", || {
            file((10_000, 10_000), &[image(0, 0, 10_000, 10_000, 0x40, 2, &zeros(100_000_000))])
        }),
        ("10,000x10,000, nothing there", || file((10_000, 10_000), &[image(0, 0, 10_000, 10_000, 0, 2, &zeros(10))])),
        ("10,000x10,000, a frame of one pixel", || file((10_000, 10_000), &[image(5, 5, 1, 1, 0, 2, &zeros(1))])),
        ("10,000x10,000, the same again to the right", || {
            file((10_000, 10_000), &[image(1, 1, 10_000, 10_000, 0, 2, &zeros(100_000_000))])
        }),
        ("10x10, a frame of 11,000x11,000", || {
            file((10, 10), &[image(0, 0, 11_000, 11_000, 0, 2, &zeros(121_000_000))])
        }),
        ("16,384x6,103, 10,000 frames of one pixel", || {
            file((16_384, 6_103), &vec![image(1, 1, 1, 1, 0, 2, &zeros(1)); 10_000])
        }),
    ];
    Box::new(cases.into_iter().chain(large.into_iter().map(|(name, made)| Case::new("GIF size", name, made()))))
}

/// What an LZW stream can do wrong.
fn streams() -> Cases {
    let mut cases = Vec::new();
    let mut add = |name: String, code_size: u8, data: &[u8]| {
        cases.push(Case::new("GIF stream", name, file((40, 40), &[image(0, 0, 40, 40, 0, code_size, data)])));
    };
    for code_size in 0..=255 {
        add(format!("codes of {code_size} bits"), code_size, &zeros(1600));
    }
    let mut random = Random::new(5);
    for n in 0..300 {
        let code_size = 1 + random.below(11) as u8;
        let length = random.below(900);
        add(format!("at random, number {n}"), code_size, &random.bytes(length));
    }
    add("nothing".into(), 2, &[]);
    add("the end at once".into(), 2, &codes([5].into_iter()));
    add("no end".into(), 2, &codes([4, 0, 0, 0].into_iter()));
    add("no clear".into(), 2, &codes([0, 1, 2, 3, 0, 1].into_iter()));
    add("codes that do not exist yet".into(), 2, &codes([4, 7, 7, 7, 7].into_iter()));
    add("20,000,000 clears".into(), 2, &codes(std::iter::repeat_n(4, 20_000_000)));
    add("20,000,000 ends".into(), 2, &codes(std::iter::repeat_n(5, 20_000_000)));
    add("far more than the frame".into(), 2, &zeros(50_000_000));
    Box::new(cases.into_iter())
}

fn blocks_without_end() -> Cases {
    type Made = fn() -> Vec<u8>;
    let frame = || image(0, 0, 10, 10, 0, 2, &zeros(100));
    let cases: [(&str, Made); 10] = [
        ("a comment of 31 MiB", || {
            [header(10, 10), vec![0x21, 0xFE], [&[255][..], &[b'x'; 255]].concat().repeat(127_000)].concat()
        }),
        ("XMP of 31 MiB", || {
            let start = [&[0x21, 0xFF, 11][..], b"XMP DataXMP"].concat();
            [header(10, 10), start, [&[255][..], &[b'x'; 255]].concat().repeat(127_000)].concat()
        }),
        ("a frame of 31 MiB that never ends", || {
            let start = image(0, 0, 10, 10, 0, 2, &[]);
            [header(10, 10), start[..11].to_vec(), [&[255][..], &[0; 255]].concat().repeat(127_000)].concat()
        }),
        ("sub-blocks of one byte, 16,000,000 of them", || {
            [header(10, 10), vec![0x21, 0xFE], [1, 7].repeat(16_000_000)].concat()
        }),
        ("4,000,000 graphic controls", || file((10, 10), &[[0x21, 0xF9, 4, 9, 1, 0, 1, 0].repeat(4_000_000)])),
        ("10,000,000 extensions of nothing", || file((10, 10), &[[0x21, 0x01, 0].repeat(10_000_000)])),
        ("10,000,000 zeros for blocks", || file((10, 10), &[vec![0; 10_000_000]])),
        ("no frame", || file((10, 10), &[])),
        ("no colours", || {
            [&b"GIF89a"[..], &[10, 0, 10, 0, 0, 0, 0], &image(0, 0, 10, 10, 0, 2, &zeros(100)), &[0x3B]].concat()
        }),
        ("a scroll of scripts", || {
            file((10, 10), &[[&[0x21, 0xFF, 11][..], b"NETSCAPE2.0", &[3, 1, 0, 0, 0]].concat().repeat(100_000)])
        }),
    ];
    let frames = [1, 10_000].into_iter().map(move |count| {
        let bytes = file((10, 10), &vec![frame(); count]);
        Case::new("GIF blocks", format_args!("{count} frames"), bytes)
    });
    Box::new(cases.into_iter().map(|(name, made)| Case::new("GIF blocks", name, made())).chain(frames))
}
