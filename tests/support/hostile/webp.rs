//! WebP files written from nothing. RFC 9649.

use super::bytes::{Bits, Order};
use super::seeds::seed;
use super::{Case, Cases};

const ALPHA: u8 = 0x10;
const EXIF: u8 = 0x08;
const ANIMATION: u8 = 0x02;
/// The largest side that a bitstream can say.
const SIDE_MAX: u32 = 16_383;

fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    claiming(kind, content.len() as u32, content)
}

/// A chunk that says it has `length` bytes.
fn claiming(kind: &[u8], length: u32, content: &[u8]) -> Vec<u8> {
    [kind, &length.to_le_bytes(), content, &[0; 1][..content.len() % 2]].concat()
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = [&b"WEBP"[..], &chunks.concat()].concat();
    chunk(b"RIFF", &content)
}

fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let sides = [&(width - 1).to_le_bytes()[..3], &(height - 1).to_le_bytes()[..3]].concat();
    chunk(b"VP8X", &[&[flags, 0, 0, 0][..], &sides].concat())
}

/// A lossy picture that announces these sides and holds little.
fn lossy(width: u32, height: u32) -> Vec<u8> {
    let seed = seed("lossy.webp");
    let mut content = seed[20..].to_vec();
    content[6..8].copy_from_slice(&(width as u16).to_le_bytes());
    content[8..10].copy_from_slice(&(height as u16).to_le_bytes());
    chunk(b"VP8 ", &content)
}

fn lossless_header(width: u32, height: u32) -> Bits {
    let mut bits = Bits::new(Order::Little);
    bits.put(0x2F, 8).put(u64::from(width - 1), 14).put(u64::from(height - 1), 14).put(1, 1).put(0, 3);
    bits
}

/// Five codes of one symbol each: what they describe takes no bits at all. `green` and `red` are symbols.
fn one_symbol_codes(bits: &mut Bits, green: u64, red: u64) {
    for symbol in [green, red, 0, 0, 0] {
        bits.put(0b101, 3).put(symbol, 8);
    }
}

/// A lossless picture of one colour, through all four transforms if asked.
fn lossless(width: u32, height: u32, transforms: bool) -> Vec<u8> {
    let mut bits = lossless_header(width, height);
    if transforms {
        for kind in [0, 1] {
            // A bit for the transform, its kind, the size of its blocks; its own picture without a colour cache.
            bits.put(1, 1).put(kind, 2).put(0, 3).put(0, 1);
            one_symbol_codes(&mut bits, 11, 3);
        }
        bits.put(1, 1).put(2, 2);
        bits.put(1, 1).put(3, 2).put(255, 8).put(0, 1);
        one_symbol_codes(&mut bits, 1, 1);
    }
    // No further transform, no colour cache, one group of codes.
    bits.put(0, 3);
    one_symbol_codes(&mut bits, 7, 9);
    chunk(b"VP8L", &bits.bytes())
}

/// A lossless picture with so many groups of five codes, each with a table of its own.
fn lossless_with_groups(groups: u64) -> Vec<u8> {
    let mut bits = lossless_header(64, 64);
    // No transform, no colour cache; a picture of group numbers, one for all, and that is the last one.
    bits.put(0, 2).put(1, 1).put(7, 3).put(0, 1);
    one_symbol_codes(&mut bits, (groups - 1) & 0xFF, (groups - 1) >> 8);
    for _ in 0..5 * groups {
        // Lengths 0 to 15 have a code of four bits each; those of 17 symbols follow: 1, 2, ... 14, 15, 15.
        bits.put(0, 1).put(15, 4);
        for length in [0, 0, 4, 4, 4, 4, 4, 4, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4] {
            bits.put(length, 3);
        }
        bits.put(1, 1).put(1, 3).put(14, 4);
        for length in (1..=15u64).chain([15]) {
            bits.put(length.reverse_bits() >> 60, 4);
        }
    }
    chunk(b"VP8L", &[bits.bytes(), vec![0x5A; 500]].concat())
}

fn frame(left: u32, top: u32, width: u32, height: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let numbers: Vec<u8> =
        [left / 2, top / 2, width - 1, height - 1, 40].iter().flat_map(|n| n.to_le_bytes()[..3].to_vec()).collect();
    chunk(b"ANMF", &[&numbers[..], &[0], &chunks.concat()].concat())
}

fn animation(flags: u8, width: u32, height: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    file(&[extended(ANIMATION | flags, width, height), chunk(b"ANIM", &[0; 6]), frames.concat()])
}

/// A small picture with this EXIF data.
pub fn with_exif(exif: &[u8]) -> Vec<u8> {
    file(&[extended(EXIF, 19, 13), lossy(19, 13), chunk(b"EXIF", exif)])
}

pub fn all() -> Cases {
    Box::new(sizes().chain(disagreeing()).chain(claims()))
}

/// As large as can be said, and as large as is taken, of hardly any bytes.
fn sizes() -> Cases {
    type Made = fn(u32, u32) -> Vec<u8>;
    let kinds: [(&str, Made); 8] = [
        ("lossy", |w, h| file(&[lossy(w, h)])),
        ("lossless", |w, h| file(&[lossless(w, h, false)])),
        ("lossless with all transforms", |w, h| file(&[lossless(w, h, true)])),
        ("lossless, no alpha said", |w, h| file(&[extended(0, w, h), lossless(w, h, false)])),
        ("lossless, alpha said", |w, h| file(&[extended(ALPHA, w, h), lossless(w, h, false)])),
        ("lossy with alpha", |w, h| file(&[extended(ALPHA, w, h), alpha(w, h), lossy(w, h)])),
        ("animated, lossless", |w, h| animation(0, w, h, &[frame(0, 0, w, h, &[lossless(w, h, false)])])),
        ("animated, lossy with alpha", |w, h| {
            animation(ALPHA, w, h, &[frame(0, 0, w, h, &[alpha(w, h), lossy(w, h)])])
        }),
    ];
    let sides =
        [(SIDE_MAX, SIDE_MAX), (SIDE_MAX, 6_103), (8_192, 8_192), (4_000, 4_000), (SIDE_MAX, 1), (1, SIDE_MAX), (5, 5)];
    Box::new(kinds.into_iter().flat_map(move |(name, made)| {
        sides.into_iter().map(move |(width, height)| {
            Case::new("WebP size", format_args!("{name}, {width}x{height}"), made(width, height))
        })
    }))
}

/// A plane of alpha, lossless and of one level: like [`lossless`], without a header.
fn alpha(_width: u32, _height: u32) -> Vec<u8> {
    let mut bits = Bits::new(Order::Little);
    bits.put(0b0001, 8).put(0, 3);
    one_symbol_codes(&mut bits, 200, 0);
    chunk(b"ALPH", &bits.bytes())
}

/// The canvas, the frame and the bitstream in it each say another size.
fn disagreeing() -> Cases {
    let sides = [5, 10, 400, 9_000, SIDE_MAX];
    let mut cases = Vec::new();
    let mut add = |name: String, bytes| cases.push(Case::new("WebP disagreement", name, bytes));
    for canvas in sides {
        for stream in sides.into_iter().filter(|side| *side != canvas) {
            let says = format!("a canvas of {canvas}, a stream of {stream}");
            add(format!("lossy, {says}"), file(&[extended(0, canvas, canvas), lossy(stream, stream)]));
            add(format!("lossless, {says}"), file(&[extended(0, canvas, canvas), lossless(stream, stream, true)]));
            let pieces = [extended(ALPHA, canvas, canvas), alpha(canvas, canvas), lossy(stream, stream)];
            add(format!("lossy with alpha, {says}"), file(&pieces));
            for around in [5, canvas] {
                let frames: [(&str, Vec<Vec<u8>>); 3] = [
                    ("lossy", vec![lossy(stream, stream)]),
                    ("lossless", vec![lossless(stream, stream, false)]),
                    ("alpha", vec![alpha(5, 5), lossy(stream, stream)]),
                ];
                for (kind, chunks) in frames {
                    let bytes = animation(ALPHA, canvas, canvas, &[frame(0, 0, around, around, &chunks)]);
                    add(format!("animated {kind}, {says}, a frame of {around}"), bytes);
                }
            }
        }
    }
    for (left, top) in [(0, 6), (8, 8), (0x01FF_FFFE, 0), (0, 0x01FF_FFFE)] {
        let bytes = animation(0, 10, 10, &[frame(left, top, 5, 5, &[lossy(5, 5)])]);
        add(format!("a frame at {left}, {top} of 10x10"), bytes);
    }
    for (width, height) in [(1 << 24, 1 << 24), (1 << 24, 1), (65_536, 65_535), (65_535, 65_535)] {
        add(format!("a canvas of {width}x{height}"), file(&[extended(0, width, height), lossy(5, 5)]));
        add(
            format!("an animation of {width}x{height}"),
            animation(0, width, height, &[frame(0, 0, 5, 5, &[lossy(5, 5)])]),
        );
    }
    Box::new(cases.into_iter())
}

/// Chunks that claim what is not there, are not there, or are without number.
fn claims() -> Cases {
    let mut cases = Vec::new();
    let picture = || lossy(19, 13);
    for length in [0, 1, 1_000_000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, u32::MAX] {
        for kind in [&b"EXIF"[..], b"XMP ", b"ICCP", b"ALPH", b"VP8 ", b"VP8L", b"ANMF", b"ANIM", b"abcd"] {
            let name = String::from_utf8_lossy(kind);
            for flags in [EXIF, EXIF | ANIMATION | ALPHA] {
                let bytes = file(&[extended(flags, 19, 13), picture(), claiming(kind, length, b"MM\0*")]);
                cases.push(Case::new("WebP claims", format_args!("{name} of {length}, flags {flags:#04x}"), bytes));
            }
        }
    }
    type Made = fn() -> Vec<u8>;
    let many: [(&str, Made); 6] = [
        ("10,000 frames", || animation(0, 19, 13, &vec![frame(0, 0, 19, 13, &[lossy(19, 13)]); 10_000])),
        ("16,383x6,103, 100,000 frames of one pixel", || {
            animation(0, SIDE_MAX, 6_103, &vec![frame(0, 0, 1, 1, &[lossless(1, 1, false)]); 100_000])
        }),
        ("3,000,000 chunks of nothing", || {
            file(&[extended(0, 19, 13), claiming(b"abcd", 0, b"").repeat(3_000_000), lossy(19, 13)])
        }),
        ("256 groups of codes", || file(&[lossless_with_groups(256)])),
        ("65,536 groups of codes", || file(&[lossless_with_groups(65_536)])),
        ("31 MiB of EXIF", || file(&[extended(EXIF, 19, 13), lossy(19, 13), chunk(b"EXIF", &vec![0x4D; 31 << 20])])),
    ];
    Box::new(cases.into_iter().chain(many.into_iter().map(|(name, made)| Case::new("WebP claims", name, made()))))
}
