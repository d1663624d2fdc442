//! EXIF data that says which way is up, or tries to: in a JPEG's segment, a PNG's chunk and a WebP's.

use super::bytes::{Order, Random};
use super::jpeg::segment;
use super::seeds::seed;
use super::{Case, Cases, png, webp};

pub fn all() -> Cases {
    Box::new(payloads().into_iter().flat_map(|(name, exif)| {
        let jpeg = seed("baseline-420.jpg");
        let marked = segment(0xE1, &[b"Exif\0\0", &exif[..]].concat());
        let picture = seed("rgb.png");
        let chunked = png::chunk(b"eXIf", &exif);
        [
            Case::new("EXIF", format_args!("{name}, in a JPEG"), [&jpeg[..2], &marked, &jpeg[2..]].concat()),
            Case::new("EXIF", format_args!("{name}, in a PNG"), [&picture[..33], &chunked, &picture[33..]].concat()),
            Case::new("EXIF", format_args!("{name}, in a WebP"), webp::with_exif(&exif)),
        ]
    }))
}

/// One directory of one entry.
fn exif(order: Order, tag: u16, kind: u16, count: u32, value: u32) -> Vec<u8> {
    let number = |value: u64, width| order.bytes(value, width);
    let mark = if order == Order::Little { b"II" } else { b"MM" };
    // A short stands at the beginning of the four bytes.
    let value = if kind == 3 { [number(value.into(), 2), vec![0; 2]].concat() } else { number(value.into(), 4) };
    [
        mark.to_vec(),
        number(42, 2),
        number(8, 4),
        number(1, 2),
        number(tag.into(), 2),
        number(kind.into(), 2),
        number(count.into(), 4),
        value,
        number(0, 4),
    ]
    .concat()
}

fn payloads() -> Vec<(String, Vec<u8>)> {
    const ORIENTATION: u16 = 0x0112;
    const EXIF_DIRECTORY: u16 = 0x8769;
    let mut made = Vec::new();
    for order in [Order::Big, Order::Little] {
        for value in (0..=9).chain([255, 256, 257, 262, 65_535]) {
            made.push((format!("orientation {value}"), exif(order, ORIENTATION, 3, 1, value)));
        }
        for kind in [0, 1, 2, 4, 5, 7, 9, 12, 13, 65_535] {
            made.push((format!("orientation of type {kind}"), exif(order, ORIENTATION, kind, 1, 6)));
        }
        for count in [0, 2, 4, 65_536, u32::MAX] {
            made.push((format!("{count} orientations"), exif(order, ORIENTATION, 3, count, 6)));
        }
        for place in [0, 8, 10, 0x7FFF_FFFF, u32::MAX] {
            made.push((format!("a further directory at {place}"), exif(order, EXIF_DIRECTORY, 4, 1, place)));
        }
        let plain = exif(order, ORIENTATION, 3, 1, 6);
        for place in [0u64, 1, 4, 7, 9, 26, 27, 0x7FFF_FFFF, 0xFFFF_FFFF] {
            made.push((format!("the directory at {place}"), super::bytes::with(&plain, 4, &order.bytes(place, 4))));
        }
        for next in [8u64, 9, 0xFFFF_FFFF] {
            made.push((format!("the next directory at {next}"), super::bytes::with(&plain, 22, &order.bytes(next, 4))));
        }
        for entries in [0u64, 2, 5_000, 65_535] {
            let many = [&plain[..8], &order.bytes(entries, 2)[..], &plain[10..22].repeat(4_000)].concat();
            made.push((format!("{entries} entries announced"), many));
        }
        made.extend((0..plain.len()).map(|length| (format!("cut at {length}"), plain[..length].to_vec())));
    }
    let mut random = Random::new(23);
    made.extend((0..200).map(|n| {
        let length = random.below(100);
        (format!("noise, number {n}"), [&b"MM\0*\0\0\0\x08\0"[..], &random.bytes(length)].concat())
    }));
    made
}
