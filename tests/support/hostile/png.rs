//! PNG files written from nothing, all of them with right checksums. W3C PNG (third edition).

use super::bytes::{compressed, with, zeros_compressed};
use super::seeds::seed;
use super::{Case, Cases, checksums};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

pub fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes(), kind, content, &checksums::checksum(kind, content)].concat()
}

/// The file with the checksum of each whole chunk put right; as it is, if it is no PNG.
pub fn with_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
    checksums::put_right(&mut bytes);
    bytes
}

fn header(width: u32, height: u32, depth: u8, color: u8, interlaced: u8) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(b"IHDR", &[&sides[..], &[depth, color, 0, 0, interlaced]].concat())
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    [SIGNATURE, &chunks.concat(), &chunk(b"IEND", b"")].concat()
}

pub fn all() -> Cases {
    Box::new(headers().chain(sizes()).chain(chunks()).chain(animations()))
}

/// Every combination of what a header can say, with data of the right and of another length.
fn headers() -> Cases {
    let mut cases = Vec::new();
    for (color, interlaced) in (0..8u8).flat_map(|color| (0..3u8).map(move |interlaced| (color, interlaced))) {
        for depth in [0, 1, 2, 3, 4, 8, 16, 32, 255] {
            for length in [0u64, 7, 500, 100_000] {
                let palette = chunk(b"PLTE", &[5, 6, 7, 8, 9, 10]);
                let data = chunk(b"IDAT", &zeros_compressed(length));
                let name = format!("colour type {color}, {depth} bits, interlacing {interlaced}, {length} bytes");
                cases.push(Case::new(
                    "PNG header",
                    name,
                    file(&[header(9, 9, depth, color, interlaced), palette, data]),
                ));
            }
        }
    }
    let filters = (0..=255u8).map(|filter| {
        let rows: Vec<u8> = (0..9).flat_map(|_| [&[filter][..], &[200; 27]].concat()).collect();
        let bytes = file(&[header(9, 9, 8, 2, 0), chunk(b"IDAT", &compressed(&rows))]);
        Case::new("PNG header", format_args!("filter {filter}"), bytes)
    });
    let palettes = [0usize, 1, 2, 3, 255 * 3, 256 * 3, 257 * 3, 100_000].into_iter().map(|length| {
        let chunks = [
            chunk(b"PLTE", &vec![9; length]),
            chunk(b"tRNS", &vec![7; length]),
            chunk(b"IDAT", &compressed(&[3; 100])),
        ];
        let bytes = file(&[header(9, 9, 8, 3, 0), chunks.concat()]);
        Case::new("PNG header", format_args!("a palette of {length} bytes"), bytes)
    });
    Box::new(cases.into_iter().chain(filters).chain(palettes))
}

/// Sides that no memory holds, and such as it does, of a picture that is nothing but zeros.
fn sizes() -> Cases {
    let announced = [0, 1, 65_535, 16_384, 100_000_000, 0x7FFF_FFFF, 0x8000_0000, u32::MAX];
    let announced = announced.into_iter().flat_map(move |width| {
        announced.into_iter().flat_map(move |height| {
            [(1, 0), (8, 6), (16, 6)].map(|(depth, color)| {
                let bytes = file(&[header(width, height, depth, color, 0), chunk(b"IDAT", &zeros_compressed(1000))]);
                Case::new(
                    "PNG size",
                    format_args!("{width}x{height} announced, {depth} bits of colour type {color}"),
                    bytes,
                )
            })
        })
    });
    let whole = [
        (10_000, 10_000, 1, 0),
        (10_000, 10_000, 8, 0),
        (10_000, 10_000, 8, 6),
        (16_384, 6_103, 1, 3),
        (8_192, 8_192, 16, 6),
    ];
    let whole = whole.into_iter().flat_map(|(width, height, depth, color)| {
        [0, 1].into_iter().map(move |interlaced| {
            let bits = u64::from(depth) * [1, 0, 3, 1, 2, 0, 4][color];
            // Interlaced, some rows more have a filter byte and bits to fill up with.
            let length = (u64::from(width) * bits).div_ceil(8) * u64::from(height) + 20 * u64::from(width + height);
            let palette = if color == 3 { chunk(b"PLTE", &[1; 6]) } else { Vec::new() };
            let data = chunk(b"IDAT", &zeros_compressed(length));
            let bytes = file(&[header(width, height, depth, color as u8, interlaced), palette, data]);
            let name =
                format!("{width}x{height}, {depth} bits of colour type {color}, interlacing {interlaced}, all there");
            Case::new("PNG size", name, bytes)
        })
    });
    let more = std::iter::once_with(|| {
        let bytes = file(&[header(10, 10, 8, 2, 0), chunk(b"IDAT", &zeros_compressed(2 << 30))]);
        Case::new("PNG size", "10x10 with 2 GiB of data", bytes)
    });
    Box::new(announced.chain(whole).chain(more))
}

/// Chunks that unpack, or that are without number.
fn chunks() -> Cases {
    fn inserted(more: &[u8]) -> Vec<u8> {
        let plain = seed("rgb.png");
        [&plain[..33], more, &plain[33..]].concat()
    }
    type Made = fn() -> Vec<u8>;
    let cases: [(&str, Made); 13] = [
        ("a colour profile of 1 GiB", || chunk(b"iCCP", &[&b"p\0\0"[..], &zeros_compressed(1 << 30)].concat())),
        ("a colour profile of 200 MiB", || chunk(b"iCCP", &[&b"p\0\0"[..], &zeros_compressed(200 << 20)].concat())),
        ("a text of 1 GiB", || chunk(b"zTXt", &[&b"Comment\0\0"[..], &zeros_compressed(1 << 30)].concat())),
        ("a metadata text of 1 GiB", || {
            chunk(b"iTXt", &[&b"XML:com.adobe.xmp\0\x01\0\0\0"[..], &zeros_compressed(1 << 30)].concat())
        }),
        ("an IPTC profile of 1 GiB", || {
            chunk(b"zTXt", &[&b"Raw profile type iptc\0\0"[..], &zeros_compressed(1 << 30)].concat())
        }),
        ("100 texts of 100 MiB", || {
            chunk(b"zTXt", &[&b"Comment\0\0"[..], &zeros_compressed(100 << 20)].concat()).repeat(100)
        }),
        ("2,000,000 texts of nothing", || chunk(b"tEXt", b"k\0").repeat(2_000_000)),
        ("2,400,000 unknown chunks", || chunk(b"abCd", b"").repeat(2_400_000)),
        ("1,000,000 empty IDAT", || chunk(b"IDAT", b"").repeat(1_000_000)),
        ("31 MiB of EXIF", || chunk(b"eXIf", &[b"MM\0*\0\0\0\x08", &[0xFF; 31 << 20][..]].concat())),
        ("31 MiB of text", || chunk(b"tEXt", &[b"Comment\0", &[b'x'; 31 << 20][..]].concat())),
        ("100,000 palettes", || chunk(b"PLTE", &[1; 30]).repeat(100_000)),
        ("a chunk of 2 GiB announced", || with(&chunk(b"tEXt", b"Comment\0x"), 0, &[0x7F, 0xFF, 0xFF, 0xFF])),
    ];
    Box::new(cases.into_iter().map(|(name, made)| Case::new("PNG chunks", name, inserted(&made()))))
}

fn frame(number: u32, width: u32, height: u32, left: u32) -> Vec<u8> {
    let numbers = [number, width, height, left, 0].map(u32::to_be_bytes).concat();
    chunk(b"fcTL", &[&numbers[..], &[0, 1, 0, 1, 0, 0]].concat())
}

fn animations() -> Cases {
    let data = || compressed(&[&[0][..], &[9; 30]].concat().repeat(10));
    let mut cases = Vec::new();
    for frames in [0, 1, 10_000, u32::MAX] {
        let control = chunk(b"acTL", &[frames.to_be_bytes(), [0; 4]].concat());
        let mut chunks = vec![header(10, 10, 8, 2, 0), control, frame(0, 10, 10, 0), chunk(b"IDAT", &data())];
        for n in 0..frames.min(10_000) {
            let piece = [&(2 * n + 2).to_be_bytes()[..], &data()].concat();
            chunks.extend([frame(2 * n + 1, 10, 10, 0), chunk(b"fdAT", &piece)]);
        }
        cases.push(Case::new("PNG animation", format_args!("{frames} frames announced"), file(&chunks)));
    }
    for (width, height, left) in
        [(0, 0, 0), (11, 10, 0), (10, 10, 1), (5, 5, 3), (u32::MAX, 1, u32::MAX), (65_535, 65_535, 0)]
    {
        let control = chunk(b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]);
        let chunks = [header(10, 10, 8, 2, 0), control, frame(0, width, height, left), chunk(b"IDAT", &data())];
        cases.push(Case::new("PNG animation", format_args!("a frame of {width}x{height} at {left}"), file(&chunks)));
    }
    Box::new(cases.into_iter())
}
