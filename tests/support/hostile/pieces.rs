//! What can happen to a file's parts (chunks, segments, blocks, directory entries): they are lost, repeated, moved, and say
//! another length than they have.

use super::bytes::{Order, with};
use super::{Case, Cases, Seed, png};

/// Lengths to lie with.
const LENGTHS: [u64; 10] = [0, 1, 2, 3, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];
/// How often a part is repeated to wear a decoder out.
const MANY: usize = 2_000;

/// A number in a file that says how much there is of something.
struct Field {
    at: usize,
    width: usize,
    order: Order,
}

/// A file in parts that can be put together otherwise.
struct Parts {
    head: Vec<u8>,
    parts: Vec<Vec<u8>>,
    tail: Vec<u8>,
    /// Puts right what the head says of the parts.
    mend: fn(&mut Vec<u8>, parts: usize),
    fields: Vec<Field>,
}

pub fn of(seed: &Seed) -> Cases {
    let Seed { name, bytes } = seed;
    let Some(Parts { head, parts, tail, mend, fields }) = split(bytes) else { return Box::new(std::iter::empty()) };
    let join = |parts: &[&Vec<u8>]| {
        let mut file = head.clone();
        parts.iter().for_each(|part| file.extend_from_slice(part));
        file.extend_from_slice(&tail);
        mend(&mut file, parts.len());
        file
    };
    let whole: Vec<&Vec<u8>> = parts.iter().collect();
    assert_eq!(join(&whole), *bytes, "{name} is not the sum of its parts");

    let mut cases = Vec::new();
    for (n, part) in whole.iter().enumerate() {
        let mut add = |what: &str, parts: &[&Vec<u8>]| {
            cases.push(Case::new("parts", format_args!("{name}, {what} part {n} of {}", whole.len()), join(parts)));
        };
        let (before, after) = (&whole[..n], &whole[n + 1..]);
        add("without", &[before, after].concat());
        add("twice", &[before, &[*part; 2], after].concat());
        add("first", &[&[*part], before, after].concat());
        add("last", &[before, after, &[*part]].concat());
        add("ends after", &[before, &[*part]].concat());
        if part.len() < 200 {
            add("many times", &[before, &vec![*part; MANY], after].concat());
        }
        for m in n + 1..whole.len() {
            let mut swapped = whole.clone();
            swapped.swap(n, m);
            add(&format!("part {m} and"), &swapped);
        }
    }
    for Field { at, width, order } in fields {
        let own = order.number(&bytes[at..][..width]);
        for length in LENGTHS.into_iter().chain([own + 1, own.saturating_sub(1), 2 * own]) {
            let changed = with(bytes, at, &order.bytes(length, width));
            let what = format_args!("{name}, {length} in {width} bytes at {at}");
            cases.push(Case::new("lengths", what, png::with_checksums(changed)));
        }
    }
    Box::new(cases.into_iter())
}

fn split(bytes: &[u8]) -> Option<Parts> {
    Some(match bytes {
        [0x89, b'P', ..] => chunks(bytes, 8, Order::Big, |length| length + 12, 0),
        [b'R', b'I', b'F', b'F', ..] => riff(bytes),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => chunks(bytes, 0, Order::Big, |length| length, 0),
        [0xFF, 0xD8, ..] => segments(bytes),
        [b'G', b'I', b'F', ..] => blocks(bytes),
        [b'I', b'I', 42, ..] => entries(bytes, Order::Little),
        [b'M', b'M', 0, 42, ..] => entries(bytes, Order::Big),
        [b'B', b'M', ..] => bitmap(bytes),
        _ => return None,
    })
}

/// Chunks of a four-byte length and a kind; `size` is what one takes in all.
fn chunks(bytes: &[u8], head: usize, order: Order, size: fn(usize) -> usize, length_at: usize) -> Parts {
    let (mut parts, mut fields, mut at) = (Vec::new(), Vec::new(), head);
    while at < bytes.len() {
        let length = order.number(&bytes[at + length_at..][..4]) as usize;
        parts.push(bytes[at..][..size(length)].to_vec());
        fields.push(Field { at: at + length_at, width: 4, order });
        at += size(length);
    }
    Parts { head: bytes[..head].to_vec(), parts, tail: Vec::new(), mend: |_, _| {}, fields }
}

fn riff(bytes: &[u8]) -> Parts {
    let mut parts = chunks(bytes, 12, Order::Little, |length| 8 + length + length % 2, 4);
    parts.fields.push(Field { at: 4, width: 4, order: Order::Little });
    parts.mend = |file, _| {
        let length = file.len() as u32 - 8;
        file[4..8].copy_from_slice(&length.to_le_bytes());
    };
    // A frame of an animation has chunks of its own.
    let frames = (12..bytes.len() - 40).filter(|at| bytes[*at..].starts_with(b"ANMF"));
    parts.fields.extend(frames.map(|at| Field { at: at + 28, width: 4, order: Order::Little }));
    parts
}

/// The segments of a JPEG. What is compressed belongs to the segment before it.
fn segments(bytes: &[u8]) -> Parts {
    let starts: Vec<usize> = (2..bytes.len() - 1)
        .filter(|at| bytes[*at] == 0xFF && !matches!(bytes[*at + 1], 0x00 | 0x01 | 0xD0..=0xD7 | 0xFF))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let parts = starts.iter().zip(ends).map(|(start, end)| bytes[*start..end].to_vec()).collect();
    let fields = starts.iter().filter(|at| **at + 4 < bytes.len());
    let fields = fields.map(|at| Field { at: at + 2, width: 2, order: Order::Big }).collect();
    Parts { head: bytes[..2].to_vec(), parts, tail: Vec::new(), mend: |_, _| {}, fields }
}

/// The extensions and images of a GIF.
fn blocks(bytes: &[u8]) -> Parts {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let head = 13 + table(bytes[10]);
    let (mut parts, mut fields, mut at) = (Vec::new(), Vec::new(), head);
    while at < bytes.len() {
        let start = at;
        at += match bytes[at] {
            0x21 => 2,
            0x2C => 10 + table(bytes[at + 9]) + 1,
            _ => 1,
        };
        if bytes[start] != 0x3B {
            loop {
                fields.push(Field { at, width: 1, order: Order::Little });
                let length = usize::from(bytes[at]);
                at += 1 + length;
                if length == 0 {
                    break;
                }
            }
        }
        parts.push(bytes[start..at].to_vec());
    }
    Parts { head: bytes[..head].to_vec(), parts, tail: Vec::new(), mend: |_, _| {}, fields }
}

/// The first directory of a TIFF.
fn entries(bytes: &[u8], order: Order) -> Parts {
    let directory = order.number(&bytes[4..8]) as usize;
    let count = order.number(&bytes[directory..][..2]) as usize;
    let first = directory + 2;
    let mut fields = vec![
        Field { at: 4, width: 4, order },
        Field { at: directory, width: 2, order },
        Field { at: first + 12 * count, width: 4, order },
    ];
    for at in (0..count).map(|n| first + 12 * n) {
        fields.extend([(2, 2), (4, 4), (8, 4), (8, 2)].map(|(within, width)| Field { at: at + within, width, order }));
    }
    let parts = bytes[first..first + 12 * count].chunks(12).map(<[u8]>::to_vec).collect();
    let mend: fn(&mut Vec<u8>, usize) = match order {
        Order::Little => |file, parts| mend_directory(file, parts, Order::Little),
        Order::Big => |file, parts| mend_directory(file, parts, Order::Big),
    };
    Parts { head: bytes[..first].to_vec(), parts, tail: bytes[first + 12 * count..].to_vec(), mend, fields }
}

fn mend_directory(file: &mut [u8], entries: usize, order: Order) {
    let directory = order.number(&file[4..8]) as usize;
    file[directory..][..2].copy_from_slice(&order.bytes(entries as u64, 2));
}

fn bitmap(bytes: &[u8]) -> Parts {
    let order = Order::Little;
    let number = |at: usize| order.number(&bytes[at..][..4]) as usize;
    let (header, pixels) = (number(14), number(10));
    let parts = [&bytes[14..14 + header], &bytes[14 + header..pixels], &bytes[pixels..]].map(<[u8]>::to_vec).into();
    let numbers = if header == 12 { 2..=10 } else { 2..=50 };
    let fields = numbers.step_by(4).map(|at| Field { at, width: 4, order }).collect();
    Parts { head: bytes[..14].to_vec(), parts, tail: Vec::new(), mend: |_, _| {}, fields }
}
