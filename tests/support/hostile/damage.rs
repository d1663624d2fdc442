//! What can happen to any file: it is cut short, or some of its bytes are others.

use super::bytes::{Order, Random, with};
use super::seeds::seeds;
use super::{Case, Cases, Seed, png};

/// Bytes at the beginning that are changed bit by bit.
const BITWISE: usize = 40;
/// Bytes at the beginning, and of a TIFF's directory, that are overwritten one by one.
const BYTEWISE: usize = 96;
/// Places beyond, chosen at random.
const ELSEWHERE: usize = 64;
/// Enough of a file for its format to be recognized.
const SIGNATURE: usize = 16;

pub fn of(seed: &Seed) -> Cases {
    let Seed { name, bytes } = seed;
    let mut random = Random::new(bytes.iter().fold(7, |sum, byte| sum * 31 % 1_000_003 + u64::from(*byte)));
    let mut cases = Vec::new();
    cases.extend(
        (0..bytes.len()).map(|length| Case::new("cut", format_args!("{name} at {length}"), bytes[..length].to_vec())),
    );

    let bits = (0..8 * BITWISE).chain((0..ELSEWHERE).map(|_| random.below(8 * bytes.len())));
    cases.extend(bits.filter(|bit| *bit < 8 * bytes.len()).map(|bit| {
        let changed = with(bytes, bit / 8, &[bytes[bit / 8] ^ 1 << (bit % 8)]);
        Case::new("flipped bit", format_args!("{name}, bit {bit}"), png::with_checksums(changed))
    }));

    for at in headers(bytes) {
        cases.extend([0x00, 0xFF, 0x7F, 0x80].map(|value| {
            Case::new(
                "other byte",
                format_args!("{name}, {value:#04x} at {at}"),
                png::with_checksums(with(bytes, at, &[value])),
            )
        }));
    }

    for n in 0..ELSEWHERE {
        let at = random.below(bytes.len());
        let length = (1 + random.below(8)).min(bytes.len() - at);
        let junk = random.bytes(length);
        let changed = png::with_checksums(with(bytes, at, &junk));
        cases.push(Case::new("junk", format_args!("{name}, {length} bytes at {at}, number {n}"), changed));
    }
    for n in 0..ELSEWHERE {
        let length = random.below(300);
        let tail = random.bytes(length);
        let made = [&bytes[..SIGNATURE], &tail].concat();
        cases.push(Case::new("junk", format_args!("{name}, signature and {length} bytes, number {n}"), made));
    }
    for other in seeds() {
        let made = [&bytes[..SIGNATURE], &other.bytes[SIGNATURE..]].concat();
        cases.push(Case::new("other body", format_args!("{name} begins, {} goes on", other.name), made));
    }
    Box::new(cases.into_iter())
}

/// The places that steer a decoder.
fn headers(bytes: &[u8]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..BYTEWISE.min(bytes.len())).collect();
    let order = match bytes {
        [b'I', b'I', 42, ..] => Order::Little,
        [b'M', b'M', 0, 42, ..] => Order::Big,
        _ => return places,
    };
    let directory = order.number(&bytes[4..8]) as usize;
    places.truncate(8);
    places.extend((directory..bytes.len()).take(2 * BYTEWISE));
    places
}
